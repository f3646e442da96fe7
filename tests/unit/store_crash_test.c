/* A store whose machine loses power, whose disk fills up or fails: what was acknowledged is there, and nothing else. */
#include "store_log_help.h"
#include "tocsin/log.h"

enum { POWER_CUTS = 1000, SEGMENT_BYTES = 4096 };

static int begin(void **state)
{
    (void)state;
    limits.wal_segment_bytes = SEGMENT_BYTES;
    return 0;
}

static void live(struct play *p)
{
    switch (pick(p, 16)) {
    case 0:
        p->store->log->hurt = true; /* a snapshot is due, whatever the log holds */
        store_snapshot(p->store, NULL);
        break;
    case 1:
        store_snapshot(p->store, NULL);
        break;
    case 2:
    case 3:
        play_commit(p);
        break;
    case 4:
        play_turn(p, (int64_t)pick(p, 2 * MINUTE_MS));
        break;
    case 5:
        store_retire(p->store);
        break;
    default:
        play_turn(p, (int64_t)pick(p, 200));
        play_push(p);
    }
}

static void assert_all_is_there(const struct play *p, uint64_t seed)
{
    size_t lost = play_lost(p);
    if (lost != 0)
        fail_msg("seed %llu: %zu acknowledged samples are lost", (unsigned long long)seed, lost);
    assert_is_honest(p);
}

/* A life that ends when the disk does what it does; true if it got through its start. */
static bool live_until_cut(struct play *p)
{
    struct store_recovery recovery;
    struct err err = {0};
    int rc = play_recover(p, &recovery, &err);
    assert_true(rc == 0 || (rc == ERR_IO && err.text[0] != 0));
    for (int i = 0; i < 60 && rc == 0; i++)
        live(p);
    play_acknowledge(p);
    play_kill(p);
    return rc == 0;
}

/* ---- power ---- */

/* Twice in a row: nothing may depend on what the first start has written. */
static void an_acknowledged_sample_survives_a_power_cut(void **state)
{
    (void)state;
    size_t started = 0, safe = 0;
    for (uint64_t seed = 1; seed <= POWER_CUTS; seed++) {
        struct play p;
        play_begin(&p, seed);
        for (int life = 0; life < 3; life++) {
            sim_disk_cut(p.disk, pick(&p, 150));
            started += live_until_cut(&p);
            sim_disk_crash(p.disk, seed);
            play_start(&p);
            assert_all_is_there(&p, seed);
            play_kill(&p);
            sim_disk_crash(p.disk, seed + 1);
            play_start(&p);
            assert_all_is_there(&p, seed);
            play_stop(&p);
        }
        for (size_t i = 0; i < p.put_count; i++)
            safe += p.puts[i].safe;
        play_end(&p);
    }
    assert_in_range(started, POWER_CUTS, 3 * POWER_CUTS - 1);
    assert_true(safe > 20 * POWER_CUTS);
}

static void a_sample_handed_to_the_system_survives_the_end_of_the_process(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct play p;
        struct store_recovery recovery;
        play_begin(&p, seed);
        for (int life = 0; life < 3; life++) {
            if (p.store == NULL)
                p.store = play_store(&p);
            assert_int_equal(store_recover(p.store, FOLDER, STORE_SYNC_OS, &recovery, NULL), 0);
            assert_all_is_there(&p, seed);
            for (int i = 0; i < 40; i++)
                live(&p);
            play_acknowledge(&p);
            play_kill(&p);
            sim_disk_heal(p.disk);
        }
        play_end(&p);
    }
}

/* ---- a disk that fails ---- */

/* The disk is well again: the log is written anew within a second, and the next snapshot makes everything safe. */
static void recover_in_place(struct play *p)
{
    sim_disk_heal(p->disk);
    play_commit(p); /* it may only learn now that the log has failed */
    play_turn(p, 1000);
    assert_int_equal(play_commit(p), 0);
    play_turn(p, 6 * MINUTE_MS); /* a snapshot that has failed is not tried again at once */
    assert_int_equal(store_snapshot(p->store, NULL), 0);
    assert_int_equal(play_commit(p), 0);
    assert_true(store_log_works(p->store));
}

/* All that is in memory; positions of records that were lost on the way, too. */
static void assert_memory_is_safe(struct play *p, uint64_t n)
{
    for (size_t i = 0; i < p->put_count; i++)
        p->puts[i].safe = true;
    assert_all_is_there(p, n);
    play_kill(p);
    sim_disk_crash(p->disk, n);
    play_start(p);
    assert_all_is_there(p, n);
}

struct fault {
    enum sim_disk_call call;
    int code;
    bool lasting;
};

/* False once the script does not get so far as the nth call. */
static bool fail_at(const struct fault *f, uint64_t n)
{
    struct play p;
    play_begin(&p, 7);
    play_start(&p);
    uint64_t before = sim_disk_calls(p.disk, f->call);
    sim_disk_fail(p.disk, f->call, n, f->code, f->lasting);
    for (int i = 0; i < 120; i++) {
        live(&p);
        if (!store_log_works(p.store))
            play_turn(&p, 300);
    }
    bool reached = sim_disk_calls(p.disk, f->call) - before >= n;
    play_acknowledge(&p);
    assert_all_is_there(&p, n);
    recover_in_place(&p);
    assert_memory_is_safe(&p, n);
    play_end(&p);
    return reached;
}

static void after_any_failure_the_store_goes_on_and_closes_the_gap(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {SIM_DISK_WRITE, ERR_FULL, false}, {SIM_DISK_WRITE, ERR_FULL, true}, {SIM_DISK_SYNC, ERR_IO, false},
        {SIM_DISK_SYNC, ERR_IO, true},     {SIM_DISK_OPEN, ERR_IO, true},    {SIM_DISK_OPEN, ERR_FULL, false},
        {SIM_DISK_NAME, ERR_IO, false},    {SIM_DISK_NAME, ERR_FULL, true},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint64_t n = 1;
        while (fail_at(&faults[i], n))
            n++;
        assert_true(n > 5);
    }
}

/* Acknowledged although a disk failed on the way, and then the power: no gap may be passed over. */
static void a_gap_is_not_passed_over(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct play p;
        play_begin(&p, seed);
        play_start(&p);
        for (int i = 0; i < 100; i++) {
            if (pick(&p, 20) == 0)
                sim_disk_fail(p.disk, pick(&p, 2) == 0 ? SIM_DISK_WRITE : SIM_DISK_SYNC, 1 + pick(&p, 5),
                              ERR_IO, false);
            if (pick(&p, 20) == 0)
                play_turn(&p, 1100);
            live(&p);
            play_acknowledge(&p);
        }
        play_kill(&p);
        sim_disk_crash(p.disk, seed);
        play_start(&p);
        assert_all_is_there(&p, seed);
        play_end(&p);
    }
}

/* The disk is full for a while. A start on a full disk is an error that loses nothing. */
static void a_full_disk_is_survived(void **state)
{
    (void)state;
    for (uint64_t bytes = 0; bytes < 60000; bytes += 1500) {
        struct play p;
        struct store_recovery recovery;
        struct err err = {0};
        play_begin(&p, bytes + 1);
        sim_disk_limit(p.disk, bytes);
        int rc = play_recover(&p, &recovery, &err);
        assert_true(rc == 0 || (rc == ERR_IO && err.text[0] != '\0'));
        for (int i = 0; i < 150 && rc == 0; i++) {
            live(&p);
            play_acknowledge(&p);
        }
        if (rc == 0) {
            sim_disk_limit(p.disk, INT64_MAX);
            recover_in_place(&p);
            assert_memory_is_safe(&p, bytes);
        }
        play_end(&p);
    }
}

static void a_full_buffer_makes_a_gap_that_a_snapshot_closes(void **state)
{
    (void)state;
    struct play p;
    int64_t before = limits.wal_buffer_bytes;
    limits.wal_buffer_bytes = 500;
    play_begin(&p, 1);
    play_start(&p);
    play_put(&p, 0, &(struct sample){.t_ms = START_MS, .value = 1});
    assert_int_equal(play_commit(&p), 0);
    uint64_t durable = store_durable(p.store);
    assert_int_equal(durable, p.puts[0].position);
    while (p.puts[p.put_count - 1].position != 0)
        play_put(&p, (int)p.put_count % SETS,
                 &(struct sample){.t_ms = START_MS + (int64_t)p.put_count, .value = 2});
    int lost = p.puts[p.put_count - 1].set;
    assert_false(store_log_works(p.store));
    assert_int_not_equal(play_commit(&p), 0);
    play_turn(&p, 1000);
    assert_int_equal(play_commit(&p), 0);
    assert_false(store_log_works(p.store));
    play_put(
        &p, lost,
        &(struct sample){.t_ms = START_MS + 1000, .value = 3}); /* of a series that the log does not know */
    assert_int_not_equal(p.puts[p.put_count - 1].position, 0);
    assert_int_equal(play_commit(&p), 0);
    assert_int_equal(store_durable(p.store), durable);
    assert_int_equal(store_snapshot(p.store, NULL), 0);
    assert_true(store_log_works(p.store));
    assert_true(store_durable(p.store) >= p.puts[p.put_count - 1].position);
    assert_memory_is_safe(&p, 1);
    play_end(&p);
    limits.wal_buffer_bytes = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_acknowledged_sample_survives_a_power_cut),
        cmocka_unit_test(a_sample_handed_to_the_system_survives_the_end_of_the_process),
        cmocka_unit_test(after_any_failure_the_store_goes_on_and_closes_the_gap),
        cmocka_unit_test(a_gap_is_not_passed_over),
        cmocka_unit_test(a_full_disk_is_survived),
        cmocka_unit_test(a_full_buffer_makes_a_gap_that_a_snapshot_closes),
    };
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, -1);
    return cmocka_run_group_tests(tests, begin, NULL);
}
