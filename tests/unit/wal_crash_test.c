/* The log on a disk that loses power, fails and fills up: what was durable is read back, and nothing that was not put. */
#include "wal_help.h"

#include "tocsin/check.h"

#include <pthread.h>
#include <sched.h>

static struct sim_disk *disk;
static struct world_sim sim;
static struct ledger ledger;

static void begin(uint64_t seed)
{
    disk = sim_disk_open();
    world_sim_init(&sim, 0, seed);
    sim_disk_install(disk, &sim.world);
    memset(&ledger, 0, sizeof ledger);
    limits.wal_segment_bytes = 4096;
    assert_int_equal(sim.world.make_folder(&sim.world, "data", NULL), 0);
    assert_int_equal(sim.world.sync_folder(&sim.world, ".", NULL), 0);
}

static void end(void)
{
    sim_disk_close(disk);
}

static uint64_t roll(uint64_t sides)
{
    return sim.world.random(&sim.world) % sides;
}

/* ---- power cuts ---- */

static size_t any_size(void)
{
    return roll(20) == 0 ? 3000 + roll(4000) : roll(4) == 0 ? roll(10) : roll(700);
}

/* A snapshot, as far as the log is concerned: all that was put before is no longer needed. */
static void rotate_and_forget(struct wal *wal)
{
    uint32_t before = ledger.count, number = wal_rotate(wal, NULL);
    if (number == 0)
        return;
    assert_false(wal_has_failed(wal));
    if (roll(3) == 0)
        return;
    ledger.forgotten = before;
    ledger.first_segment = number;
    wal_forget(wal, number);
}

static void act(struct wal *wal, uint32_t first)
{
    switch (roll(10)) {
    case 0:
        rotate_and_forget(wal);
        break;
    case 1:
        wal_spare(wal, NULL);
        break;
    case 2:
    case 3:
        wal_commit(wal, 0, NULL);
        break;
    case 4:
        wal_write(wal);
        break;
    default:
        put_one(&ledger, wal, any_size());
    }
    note_safe(&ledger, wal, first);
}

/* One life of a log, which a power cut ends somewhere. */
static int live(uint32_t next, int steps)
{
    struct wal *wal;
    uint32_t first = ledger.count;
    if (wal_open(&sim.world, "data", STORE_SYNC_GROUP, next, &wal, NULL) != 0)
        return 0;
    for (int i = 0; i < steps && !wal_has_failed(wal); i++)
        act(wal, first);
    int failed = wal_has_failed(wal);
    wal_close(wal);
    return failed;
}

static void what_was_durable_survives_any_power_cut(void **state)
{
    (void)state;
    int cuts = 0, torn = 0, safe = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        begin(seed);
        uint32_t next = 1;
        for (int life = 0; life < 4; life++) {
            if (life > 0 || roll(2) == 0)
                sim_disk_cut(disk, roll(120));
            cuts += live(next, 60);
            sim_disk_crash(disk, seed * 4 + (uint64_t)life);
            uint32_t found = read_all(&ledger, &sim.world, "data");
            assert_safe_found(&ledger);
            assert_int_equal(ledger.damages, 0); /* a power cut hurts nothing that was synced */
            torn += ledger.torn;
            next = found > next ? found : next;
        }
        for (uint32_t i = ledger.forgotten; i < ledger.count; i++)
            safe += ledger.safe[i];
        end();
    }
    assert_true(cuts > 8000 && torn > 300 && safe > 20000); /* or the test tests nothing */
}

/* A killed process leaves to the operating system what it has written. */
static void what_was_handed_over_survives_a_kill(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct wal *wal;
        begin(seed);
        assert_int_equal(wal_open(&sim.world, "data", STORE_SYNC_OS, 1, &wal, NULL), 0);
        uint64_t syncs = sim_disk_calls(disk, SIM_DISK_SYNC);
        sim_disk_cut(disk, roll(12));
        for (int i = 0; i < 20; i++) {
            put_one(&ledger, wal, roll(200));
            wal_commit(wal, 0, NULL);
            note_safe(&ledger, wal, 0);
        }
        assert_true(sim_disk_calls(disk, SIM_DISK_SYNC) == syncs || !wal_has_failed(wal));
        wal_close(wal);
        sim_disk_heal(disk);
        read_all(&ledger, &sim.world, "data");
        assert_safe_found(&ledger);
        assert_int_equal(ledger.damages, 0);
        end();
    }
}

/* What is written without a sync is there after a kill; what was only put may be gone. */
static void what_was_written_survives_a_kill(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct wal *wal;
        begin(seed);
        assert_int_equal(wal_open(&sim.world, "data", STORE_SYNC_GROUP, 1, &wal, NULL), 0);
        uint64_t syncs = sim_disk_calls(disk, SIM_DISK_SYNC), rounds = roll(8), written = 0;
        for (uint64_t i = 0; i <= rounds; i++) {
            for (uint64_t k = roll(5); k > 0; k--)
                put_one(&ledger, wal, roll(60));
            wal_write(wal);
            written = ledger.count;
        }
        assert_int_equal(sim_disk_calls(disk, SIM_DISK_SYNC), syncs);
        put_one(&ledger, wal, roll(60));
        sim_disk_cut(disk, 0);
        wal_close(wal);
        sim_disk_heal(disk);
        read_all(&ledger, &sim.world, "data");
        for (uint64_t i = 0; i < written; i++)
            assert_true(ledger.found[i]);
        assert_int_equal(ledger.damages, 0);
        end();
    }
}

/* ---- faults ---- */

/* A fixed run of everything a log does. Stops when it has failed; returns that. */
static int run_all(struct wal *wal, struct err *err)
{
    int rc = 0;
    for (int i = 0; i < 40 && rc == 0; i++) {
        put_one(&ledger, wal, 300);
        put_one(&ledger, wal, 50);
        if (i % 8 == 3)
            wal_spare(wal, NULL);
        if (i % 10 == 9) {
            uint32_t before = ledger.count, number = wal_rotate(wal, err);
            if (number == 0)
                rc = err->code;
            else if (i == 19) {
                wal_forget(wal, number);
                ledger.forgotten = before;
                ledger.first_segment = number;
            }
        }
        if (rc == 0)
            rc = wal_commit(wal, 0, err);
        note_safe(&ledger, wal, 0);
    }
    return rc;
}

static struct wal *open_log(void)
{
    struct wal *wal;
    assert_int_equal(wal_open(&sim.world, "data", STORE_SYNC_GROUP, 1, &wal, NULL), 0);
    return wal;
}

/* Nothing is taken in, and nothing more is said to be safe. */
static void assert_failed(struct wal *wal, int code)
{
    struct err err = {0};
    uint64_t durable = wal_durable(wal);
    assert_true(wal_has_failed(wal));
    assert_int_equal(put_one(&ledger, wal, 10), 0);
    assert_int_equal(wal_commit(wal, 0, &err), code);
    assert_int_equal(err.code, code);
    assert_true(err.text[0] != '\0');
    assert_int_equal(wal_rotate(wal, &err), 0);
    assert_int_equal(wal_spare(wal, NULL), 0);
    assert_true(wal_durable(wal) == durable);
}

/* Behind the gap records are written, and count once it is closed. */
static void revive(struct wal *wal)
{
    struct err err = {0};
    uint32_t segment = 0;
    uint64_t durable = wal_durable(wal);
    assert_int_equal(wal_revive(wal, &segment, &err), 0);
    assert_false(wal_has_failed(wal));
    uint32_t first = ledger.count;
    assert_true(put_one(&ledger, wal, 100) > 0);
    assert_int_equal(wal_commit(wal, 0, NULL), 0);
    assert_true(wal_durable(wal) == durable);
    uint32_t snapshot = wal_rotate(wal, NULL);
    assert_true(snapshot > segment);
    assert_true(put_one(&ledger, wal, 100) > 0);
    assert_int_equal(wal_commit(wal, 0, NULL), 0);
    wal_forget(wal, segment - 1);
    assert_true(wal_durable(wal) == durable);
    wal_forget(wal, snapshot);
    assert_true(wal_durable(wal) == ledger.position[ledger.count - 1]);
    ledger.forgotten = first + 1;
    ledger.first_segment = snapshot;
    ledger.safe[ledger.count - 1] = true;
}

/* Fails call `nth` of its kind. False: the run has fewer of them. */
static bool survive_fault(enum sim_disk_call call, uint64_t nth, int code, bool lasting, bool revived)
{
    struct err err = {0};
    begin(nth);
    struct wal *wal = open_log();
    uint64_t before = sim_disk_calls(disk, call);
    sim_disk_fail(disk, call, nth, code, lasting);
    int rc = run_all(wal, &err);
    bool reached = sim_disk_calls(disk, call) >= before + nth;
    assert_true(rc == 0 || (rc == code && reached));
    if (rc != 0)
        assert_failed(wal, code);
    sim_disk_heal(disk);
    if (rc != 0 && revived)
        revive(wal);
    wal_close(wal);
    sim_disk_crash(disk, nth);
    read_all(&ledger, &sim.world, "data");
    assert_safe_found(&ledger);
    end();
    return reached;
}

static void any_call_may_fail(void **state)
{
    (void)state;
    static const enum sim_disk_call CALLS[] = {SIM_DISK_OPEN, SIM_DISK_WRITE, SIM_DISK_SYNC, SIM_DISK_NAME};
    for (int kind = 0; kind < 4; kind++)
        for (int how = 0; how < 8; how++) {
            uint64_t nth = 1;
            while (survive_fault(CALLS[kind], nth, how & 1 ? ERR_FULL : ERR_IO, how & 2, how & 4))
                nth++;
            assert_true(nth > 6);
        }
}

static void a_full_disk_leaves_what_is_durable_and_goes_on_when_there_is_room(void **state)
{
    (void)state;
    for (uint64_t bytes = 2000; bytes < 30000; bytes += 777) {
        struct err err = {0};
        begin(bytes);
        struct wal *wal = open_log();
        sim_disk_limit(disk, bytes);
        int rc = run_all(wal, &err);
        if (rc != 0)
            assert_failed(wal, ERR_FULL);
        assert_true((rc != 0) == (bytes < 8000)); /* half of what is put is let go midway */
        sim_disk_limit(disk, UINT64_MAX);
        if (rc != 0)
            revive(wal);
        wal_close(wal);
        sim_disk_crash(disk, bytes);
        read_all(&ledger, &sim.world, "data");
        assert_safe_found(&ledger);
        end();
    }
}

/* As long as it fails, each attempt says so and costs no number. */
static void reviving_waits_for_the_disk(void **state)
{
    (void)state;
    struct err err = {0};
    uint32_t segment;
    begin(1);
    struct wal *wal = open_log();
    put_one(&ledger, wal, 10);
    assert_int_equal(wal_commit(wal, 0, NULL), 0);
    note_safe(&ledger, wal, 0);
    sim_disk_fail(disk, SIM_DISK_SYNC, 1, ERR_IO, true);
    put_one(&ledger, wal, 10);
    assert_int_equal(wal_commit(wal, 0, NULL), ERR_IO);
    for (int i = 0; i < 5; i++)
        assert_int_equal(wal_revive(wal, &segment, &err), ERR_IO);
    assert_true(wal_has_failed(wal));
    sim_disk_heal(disk);
    assert_int_equal(wal_revive(wal, &segment, &err), 0);
    assert_int_equal(segment, 2);
    struct wal_figures figures;
    wal_figures(wal, &figures);
    assert_int_equal(figures.failures, 1);
    assert_int_equal(figures.first, 1);
    assert_int_equal(figures.last, 2);
    wal_close(wal);
    sim_disk_crash(disk, 3);
    assert_int_equal(read_all(&ledger, &sim.world, "data"), 3);
    assert_safe_found(&ledger);
    assert_int_equal(ledger.damages, 0);
    end();
}

/* A position that was lost must never count as durable, however much is written behind it. */
static void what_was_lost_is_not_durable_before_a_snapshot(void **state)
{
    (void)state;
    uint32_t first, second;
    begin(1);
    struct wal *wal = open_log();
    uint64_t lost = put_one(&ledger, wal, 10);
    sim_disk_fail(disk, SIM_DISK_WRITE, 1, ERR_IO, false);
    assert_int_equal(wal_commit(wal, 0, NULL), ERR_IO);
    assert_int_equal(wal_revive(wal, &first, NULL), 0);
    uint32_t snapshot = wal_rotate(wal, NULL);
    assert_int_equal(snapshot, first); /* it is empty */
    put_one(&ledger, wal, 10);
    assert_int_equal(wal_commit(wal, 0, NULL), 0);
    assert_true(wal_durable(wal) < lost);
    /* it fails again while that snapshot is being written, which then closes the first gap only */
    put_one(&ledger, wal, 10);
    sim_disk_fail(disk, SIM_DISK_SYNC, 1, ERR_IO, false);
    assert_int_equal(wal_commit(wal, 0, NULL), ERR_IO);
    wal_forget(wal, snapshot);
    assert_true(wal_durable(wal) < lost);
    assert_int_equal(wal_revive(wal, &second, NULL), 0);
    wal_forget(wal, snapshot);
    assert_true(wal_durable(wal) < lost);
    wal_forget(wal, second);
    assert_true(wal_durable(wal) > lost);
    wal_close(wal);
    end();
}

/* ---- a write that fails during a sync ---- */

static struct wal *watched; /* what is put into it during the next sync cannot be written */
static int (*sync_only)(struct world *world, struct file *file, struct err *err);
static pthread_t writer;
static uint64_t lost;

static void *write_alone(void *context)
{
    wal_write(context);
    return NULL;
}

static int sync_while_a_write_fails(struct world *world, struct file *file, struct err *err)
{
    struct wal *wal = watched;
    watched = NULL;
    if (wal != NULL) {
        uint64_t writes = sim_disk_calls(disk, SIM_DISK_WRITE);
        lost = put_one(&ledger, wal, 10);
        sim_disk_fail(disk, SIM_DISK_WRITE, 1, ERR_IO, false);
        must(pthread_create(&writer, NULL, write_alone, wal) == 0);
        while (sim_disk_calls(disk, SIM_DISK_WRITE) == writes)
            sched_yield();
    }
    return sync_only(world, file, err);
}

/* Else a commit that comes before the failure is known would take what is behind it, and call the lost record durable. */
static void fail_a_write_during_a_sync(bool rotates)
{
    struct err err = {0};
    begin(1);
    sync_only = sim.world.file_sync;
    sim.world.file_sync = sync_while_a_write_fails;
    struct wal *wal = open_log();
    put_one(&ledger, wal, 10);
    watched = wal;
    if (rotates)
        assert_int_equal(wal_rotate(wal, &err), 0);
    else
        assert_int_equal(wal_commit(wal, 0, &err), ERR_IO);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(put_one(&ledger, wal, 10), 0);
    assert_int_equal(wal_commit(wal, 0, NULL), ERR_IO);
    assert_true(lost > 0 && wal_durable(wal) < lost);
    revive(wal);
    must(pthread_join(writer, NULL) == 0);
    assert_false(wal_has_failed(wal));
    assert_true(put_one(&ledger, wal, 10) > 0);
    assert_int_equal(wal_commit(wal, 0, NULL), 0);
    wal_close(wal);
    end();
}

/* Else a commit that comes before the failure is known would take what is behind it, and call the lost record durable. */
static void a_write_that_fails_during_a_sync_fails_the_log_at_once(void **state)
{
    (void)state;
    fail_a_write_during_a_sync(false);
    fail_a_write_during_a_sync(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_durable_survives_any_power_cut),
        cmocka_unit_test(what_was_handed_over_survives_a_kill),
        cmocka_unit_test(what_was_written_survives_a_kill),
        cmocka_unit_test(any_call_may_fail),
        cmocka_unit_test(a_full_disk_leaves_what_is_durable_and_goes_on_when_there_is_room),
        cmocka_unit_test(reviving_waits_for_the_disk),
        cmocka_unit_test(what_was_lost_is_not_durable_before_a_snapshot),
        cmocka_unit_test(a_write_that_fails_during_a_sync_fails_the_log_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
