#include "wal_help.h"

#include "tocsin/check.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

static struct sim_disk *disk;
static struct world_sim sim;
static struct ledger ledger;
static struct wal *wal;
static struct wal_figures figures;

static void open_log(enum store_sync sync, uint32_t next)
{
    assert_int_equal(wal_open(&sim.world, "data", sync, next, &wal, NULL), 0);
}

static int begin(void **state)
{
    (void)state;
    disk = sim_disk_open();
    world_sim_init(&sim, 0, 1);
    sim_disk_install(disk, &sim.world);
    memset(&ledger, 0, sizeof ledger);
    limits.wal_segment_bytes = 2048;
    sim.world.make_folder(&sim.world, "data", NULL);
    open_log(STORE_SYNC_GROUP, 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    wal_close(wal);
    sim_disk_close(disk);
    return 0;
}

static void put_and_commit(int records, size_t bytes)
{
    for (int i = 0; i < records; i++)
        assert_true(put_one(&ledger, wal, bytes) > 0);
    assert_int_equal(wal_commit(wal, 0, NULL), 0);
    note_safe(&ledger, wal, 0);
}

static void assert_read(int records)
{
    read_all(&ledger, &sim.world, "data");
    assert_safe_found(&ledger);
    assert_int_equal(ledger.records, records);
    assert_int_equal(ledger.damages + ledger.torn, 0);
}

static void note_name(void *context, const char *path)
{
    buf_format(context, "%s ", strrchr(path, '/') + 1);
}

static void assert_files(const char *names)
{
    struct buf b;
    buf_init(&b, 4096);
    sim.world.glob(&sim.world, "data/wal/*", note_name, &b, NULL);
    assert_string_equal(buf_text(&b), names);
    buf_release(&b);
}

/* ---- records ---- */

static void what_is_put_is_durable_after_a_commit(void **state)
{
    (void)state;
    assert_int_equal(wal_durable(wal), 0);
    uint64_t one = put_one(&ledger, wal, 100), two = put_one(&ledger, wal, 0);
    assert_true(one > 0 && two > one);
    assert_int_equal(wal_durable(wal), 0);
    put_and_commit(1, 100);
    assert_true(wal_durable(wal) == ledger.position[2]);
    assert_int_equal(wal_commit(wal, 0, NULL), 0);
    assert_read(3);
    wal_figures(wal, &figures);
    assert_int_equal(figures.records, 3);
    assert_int_equal(figures.bytes, ledger.bytes[0] + ledger.bytes[1] + ledger.bytes[2]);
    assert_int_equal(figures.syncs, 1); /* for all three */
    assert_int_equal(figures.first, 1);
    assert_int_equal(figures.last, 1);
    assert_int_equal(figures.held_bytes, 32 + 3 * 24 + figures.bytes);
}

static void one_write_and_one_sync_serve_all(void **state)
{
    (void)state;
    uint64_t writes = sim_disk_calls(disk, SIM_DISK_WRITE), syncs = sim_disk_calls(disk, SIM_DISK_SYNC);
    put_and_commit(10, 100);
    assert_int_equal(sim_disk_calls(disk, SIM_DISK_WRITE), writes + 1);
    assert_int_equal(sim_disk_calls(disk, SIM_DISK_SYNC), syncs + 1);
}

static void a_segment_is_never_longer_unless_a_record_is(void **state)
{
    (void)state;
    put_and_commit(7, 500); /* three go into a segment */
    assert_files("00000001 00000002 00000003 ");
    put_and_commit(1, 5000);
    put_and_commit(1, 10);
    assert_files("00000001 00000002 00000003 00000004 00000005 ");
    assert_read(9);
    for (char number = '1'; number <= '5'; number++) {
        struct buf b;
        char path[] = "data/wal/0000000?";
        path[sizeof path - 2] = number;
        buf_init(&b, 1 << 20);
        assert_int_equal(sim.world.read_file(&sim.world, path, &b, NULL), 0);
        assert_true(number == '4' ? b.used == 32 + 24 + 5000 : b.used <= 2048);
        buf_release(&b);
    }
}

/* What is left out may be what later records refer to: so nothing counts until a snapshot has closed the gap. */
static void a_full_buffer_fails_the_log(void **state)
{
    (void)state;
    struct err err = {0};
    uint32_t segment = 0;
    wal_close(wal);
    int64_t before = limits.wal_buffer_bytes;
    uint64_t hits = limit_hits(LIMIT_wal_buffer_bytes);
    limits.wal_buffer_bytes = 1000;
    open_log(STORE_SYNC_GROUP, 2);
    put_and_commit(1, 976);
    uint64_t durable = wal_durable(wal);
    assert_true(put_one(&ledger, wal, 400) > durable);
    put_one(&ledger, wal, 400);
    assert_int_equal(put_one(&ledger, wal, 400), 0);
    assert_int_equal(wal_position(wal), 0);
    assert_int_equal(limit_hits(LIMIT_wal_buffer_bytes), hits + 1);
    assert_true(wal_has_failed(wal));
    assert_int_equal(wal_commit(wal, 0, &err), ERR_FULL);
    assert_string_equal(err.text, "more than 1000 bytes wait to be written to the log");
    assert_true(wal_durable(wal) == durable);
    assert_int_equal(wal_revive(wal, &segment, NULL), 0);
    wal_forget(wal, segment);
    ledger.forgotten = ledger.count;
    ledger.first_segment = segment;
    put_and_commit(1, 976);
    assert_true(wal_position(wal) == wal_durable(wal));
    assert_read(1);
    limits.wal_buffer_bytes = before;
}

static void closing_commits(void **state)
{
    (void)state;
    put_one(&ledger, wal, 100);
    wal_close(wal);
    assert_read(1);
    open_log(STORE_SYNC_GROUP, 2);
}

static void to_be_woken_ends_waiting(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600 * 1000 };
    wal_wake(wal);
    assert_int_equal(wal_commit(wal, HOUR_MS, NULL), 0); /* or this test never ends */
    put_one(&ledger, wal, 10);
    wal_wake(wal);
    assert_int_equal(wal_commit(wal, HOUR_MS, NULL), 0);
    assert_true(wal_durable(wal) == ledger.position[0]);
    sim_disk_fail(disk, SIM_DISK_WRITE, 1, ERR_IO, false);
    put_one(&ledger, wal, 10);
    assert_int_equal(wal_rotate(wal, NULL), 0);
    assert_int_equal(wal_commit(wal, HOUR_MS, NULL), ERR_IO); /* its thread is told */
}

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void a_buffer_that_grew_for_once_is_given_back(void **state)
{
    (void)state;
    enum { BURST_BYTES = 8 << 20 };
    char *burst = calloc(1, BURST_BYTES);
    limits.wal_segment_bytes = 16 << 20;
    size_t before = heap_bytes();
    wal_put(wal, (struct str){burst, BURST_BYTES});
    size_t grown = heap_bytes();
    if (grown < before + BURST_BYTES) {
        free(burst);
        skip(); /* a sanitizer's heap does not say */
    }
    wal_commit(wal, 0, NULL);
    wal_forget(wal, wal_rotate(wal, NULL));
    sim.world.sync_folder(&sim.world, "data/wal", NULL); /* the file was in the heap, too */
    assert_true(heap_bytes() > before + BURST_BYTES);
    for (int i = 0; i < 250; i++)
        put_and_commit(1, 10);
    assert_true(heap_bytes() < before + BURST_BYTES / 2);
    free(burst);
}

/* ---- segments ---- */

static void what_is_put_after_a_rotation_goes_to_later_segments(void **state)
{
    (void)state;
    assert_int_equal(wal_rotate(wal, NULL), 1); /* it is empty */
    put_one(&ledger, wal, 100);
    assert_int_equal(wal_rotate(wal, NULL), 2);
    assert_true(wal_durable(wal) == ledger.position[0]); /* it was committed */
    assert_int_equal(wal_rotate(wal, NULL), 2);
    put_and_commit(1, 100);
    ledger.first_segment = 2;
    read_all(&ledger, &sim.world, "data");
    assert_false(ledger.found[0]);
    assert_true(ledger.found[1]);
}

static int (*sync_alone)(struct world *, struct file *, struct err *);
static bool others_write;
static struct file *unsynced; /* others wrote into it */

static int sync_while_others_write(struct world *world, struct file *file, struct err *err)
{
    int rc = sync_alone(world, file, err);
    unsynced = unsynced == file ? NULL : unsynced;
    if (others_write) {
        others_write = false;
        put_one(&ledger, wal, 1000);
        wal_write(wal);
        unsynced = file;
    }
    return rc;
}

static void what_is_written_while_a_rotation_syncs_is_synced_before_its_segment_is_left(void **state)
{
    (void)state;
    sync_alone = sim.world.file_sync;
    sim.world.file_sync = sync_while_others_write;
    put_one(&ledger, wal, 100);
    others_write = true;
    unsynced = NULL;
    assert_int_equal(wal_rotate(wal, NULL), 2);
    assert_false(others_write);
    assert_null(unsynced);
}

static void a_spare_is_used_by_the_next_rotation_without_any_sync(void **state)
{
    (void)state;
    assert_int_equal(wal_spare(wal, NULL), 0);
    assert_files("00000001 00000002 ");
    put_and_commit(1, 100);
    uint64_t syncs = sim_disk_calls(disk, SIM_DISK_SYNC);
    assert_int_equal(wal_spare(wal, NULL), 0); /* there is one */
    assert_int_equal(wal_rotate(wal, NULL), 2);
    assert_int_equal(sim_disk_calls(disk, SIM_DISK_SYNC), syncs);
    put_and_commit(1, 100);
    assert_read(2);
}

static void forgotten_segments_are_used_again(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(wal_spare(wal, NULL), 0);
        put_and_commit(3, 500);
        wal_rotate(wal, NULL);
    }
    assert_files("00000001 00000002 00000003 00000004 00000005 00000006 ");
    wal_forget(wal, 5); /* the first one grew, and is of no use; the others were written in advance */
    assert_files("00000005 00000006 spare.0 spare.1 ");
    wal_figures(wal, &figures);
    assert_int_equal(figures.first, 5);
    assert_int_equal(figures.last, 6);
    uint64_t writes = sim_disk_calls(disk, SIM_DISK_WRITE);
    assert_int_equal(wal_spare(wal, NULL), 0);
    assert_int_equal(sim_disk_calls(disk, SIM_DISK_WRITE), writes + 1); /* a head, and no zeros */
    put_and_commit(6, 500);
    assert_files("00000005 00000006 00000007 spare.1 ");
    ledger.forgotten = 12;
    assert_read(9); /* and nothing of what stood there before */
    put_and_commit(3, 500);
    assert_files("00000005 00000006 00000007 00000008 ");
    assert_read(12);
    wal_forget(wal, 100); /* never the one in use */
    put_and_commit(1, 10);
    ledger.forgotten = ledger.count - 1;
    ledger.first_segment = 8;
    assert_read(4);
}

static void a_segment_whose_sync_failed_is_not_used_again(void **state)
{
    (void)state;
    uint32_t segment;
    wal_spare(wal, NULL);
    put_and_commit(1, 100);
    wal_rotate(wal, NULL);
    put_one(&ledger, wal, 100);
    sim_disk_fail(disk, SIM_DISK_SYNC, 1, ERR_IO, false);
    assert_int_equal(wal_commit(wal, 0, NULL), ERR_IO);
    assert_int_equal(wal_revive(wal, &segment, NULL), 0);
    assert_int_equal(segment, 3);
    wal_forget(wal, 3);
    assert_files("00000003 ");
}

static void what_an_earlier_process_left_is_taken_over(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        wal_spare(wal, NULL);
        put_and_commit(1, 100);
        wal_rotate(wal, NULL);
    }
    wal_forget(wal, 4);
    sim.world.write_file(&sim.world, "data/wal/new", STR("half"), NULL);
    sim.world.write_file(&sim.world, "data/wal/zeros", STR("half"), NULL);
    sim.world.write_file(&sim.world, "data/wal/spare.1", STR("half"), NULL);
    sim.world.write_file(&sim.world, "data/wal/notes.txt", STR("of a stranger"), NULL);
    wal_close(wal);
    struct err err = {0};
    assert_int_equal(wal_open(&sim.world, "data", STORE_SYNC_GROUP, 5, &wal, &err), ERR_ARG);
    assert_string_equal(err.text, "data/wal: segment 5 is there already");
    uint64_t creates = sim_disk_calls(disk, SIM_DISK_WRITE);
    open_log(STORE_SYNC_GROUP, 6);
    assert_int_equal(sim_disk_calls(disk, SIM_DISK_WRITE), creates + 1);
    assert_files("00000004 00000005 00000006 notes.txt ");
    wal_figures(wal, &figures);
    assert_int_equal(figures.first, 4);
    wal_forget(wal, 6);
    assert_files("00000006 notes.txt spare.0 spare.1 ");
}

static void what_was_made_in_advance_is_put_back(void **state)
{
    (void)state;
    put_and_commit(1, 100);
    wal_spare(wal, NULL);
    wal_close(wal);
    assert_files("00000001 spare.0 ");
    assert_int_equal(read_all(&ledger, &sim.world, "data"), 2);
    open_log(STORE_SYNC_GROUP, 2);
    assert_files("00000001 00000002 ");
}

/* ---- damage ---- */

enum { SEGMENTS = 3, SMALL = 4 };

/* Three segments of four records each; ends[i]: where the record ends in its file. */
static void make_small_log(size_t *ends)
{
    for (int segment = 0; segment < SEGMENTS; segment++) {
        size_t at = 32;
        for (int i = 0; i < SMALL; i++) {
            put_and_commit(1, (size_t)i * 13);
            at += 24 + ledger.bytes[ledger.count - 1];
            ends[segment * SMALL + i] = at;
        }
        wal_rotate(wal, NULL);
    }
}

static void read_segment(int segment, struct buf *out)
{
    char path[32];
    snprintf(path, sizeof path, "data/wal/%08d", segment + 1);
    buf_init(out, 1 << 20);
    assert_int_equal(sim.world.read_file(&sim.world, path, out, NULL), 0);
}

static void write_segment(int segment, struct str content)
{
    char path[32];
    snprintf(path, sizeof path, "data/wal/%08d", segment + 1);
    assert_int_equal(sim.world.write_file(&sim.world, path, content, NULL), 0);
}

static void a_log_cut_anywhere_gives_the_rest(void **state)
{
    (void)state;
    size_t ends[SEGMENTS * SMALL];
    make_small_log(ends);
    for (int segment = 0; segment < SEGMENTS; segment++) {
        struct buf whole;
        read_segment(segment, &whole);
        for (size_t n = 0; n < whole.used; n++) {
            write_segment(segment, (struct str){whole.bytes, n});
            read_all(&ledger, &sim.world, "data");
            size_t before = 32;
            for (int i = 0; i < SEGMENTS * SMALL; i++)
                assert_int_equal(ledger.found[i], i / SMALL != segment || ends[i] <= n);
            for (int i = 0; i < SMALL && ends[segment * SMALL + i] <= n; i++)
                before = ends[segment * SMALL + i];
            assert_int_equal(ledger.damages, n < 32);
            assert_int_equal(ledger.torn, n > before);
            assert_int_equal(ledger.damaged_bytes, n < 32 ? n : n - before);
        }
        write_segment(segment, buf_slice(&whole));
        buf_release(&whole);
    }
}

static void a_flipped_byte_costs_one_record(void **state)
{
    (void)state;
    size_t ends[SEGMENTS * SMALL];
    make_small_log(ends);
    for (int segment = 0; segment < SEGMENTS; segment++) {
        struct buf file;
        read_segment(segment, &file);
        for (size_t at = 0; at < file.used; at++) {
            int hit = 0;
            while (ends[segment * SMALL + hit] <= at)
                hit++;
            file.bytes[at] = (char)~file.bytes[at];
            write_segment(segment, buf_slice(&file));
            file.bytes[at] = (char)~file.bytes[at];
            read_all(&ledger, &sim.world, "data");
            for (int i = 0; i < SEGMENTS * SMALL; i++)
                assert_int_equal(ledger.found[i],
                                 i / SMALL != segment || (at >= 32 && i != segment * SMALL + hit));
            bool last = at >= 32 && hit == SMALL - 1; /* as if it had been cut */
            assert_int_equal(ledger.torn, last);
            assert_int_equal(ledger.damages, !last);
            assert_int_equal(ledger.damaged_segment, segment + 1);
            assert_string_equal(ledger.why, at < 32 ? "the head of the file is not sound"
                                            : last  ? "a record was cut while it was written"
                                                    : "no sound record");
        }
        write_segment(segment, buf_slice(&file));
        buf_release(&file);
    }
}

static void a_missing_segment_is_damage(void **state)
{
    (void)state;
    size_t ends[SEGMENTS * SMALL];
    make_small_log(ends);
    sim.world.remove_file(&sim.world, "data/wal/00000002", NULL);
    read_all(&ledger, &sim.world, "data");
    assert_int_equal(ledger.records, 2 * SMALL);
    assert_int_equal(ledger.damages, 1);
    assert_int_equal(ledger.damaged_segment, 2);
    assert_string_equal(ledger.why, "the segment is missing");
    sim.world.remove_file(&sim.world, "data/wal/00000003", NULL);
    read_all(&ledger, &sim.world, "data");
    assert_int_equal(ledger.records, SMALL);
    assert_int_equal(ledger.damages, 1);
    assert_string_equal(ledger.why, "segments up to 3 are missing");
    ledger.first_segment = 1; /* as somebody knows who has a snapshot */
    sim.world.remove_file(&sim.world, "data/wal/00000001", NULL);
    read_all(&ledger, &sim.world, "data");
    assert_int_equal(ledger.damages, 1);
    assert_int_equal(ledger.damaged_segment, 1);
}

/* Another file in its place, whole in itself. */
static void a_segment_under_another_name_is_damage(void **state)
{
    (void)state;
    size_t ends[SEGMENTS * SMALL];
    struct buf first;
    make_small_log(ends);
    read_segment(0, &first);
    write_segment(1, buf_slice(&first));
    read_all(&ledger, &sim.world, "data");
    assert_int_equal(ledger.records, 2 * SMALL);
    assert_int_equal(ledger.damages, 1);
    buf_release(&first);
}

/* A hole in the last write, which was never synced, against one before it. */
static void a_hole_in_the_last_write_is_torn(void **state)
{
    (void)state;
    struct buf file;
    put_and_commit(1, 100);
    put_and_commit(1, 100);
    put_and_commit(3, 100);
    read_segment(0, &file);
    size_t frame = 24 + 100;
    file.bytes[32 + 2 * frame + 50] = '!'; /* the first of the three that were written together */
    write_segment(0, buf_slice(&file));
    read_all(&ledger, &sim.world, "data");
    assert_int_equal(ledger.records, 4);
    assert_int_equal(ledger.torn, 1);
    assert_int_equal(ledger.damages, 0);
    file.bytes[32 + 50] = '!'; /* what came before was synced */
    write_segment(0, buf_slice(&file));
    read_all(&ledger, &sim.world, "data");
    assert_int_equal(ledger.records, 3);
    assert_int_equal(ledger.torn, 1);
    assert_int_equal(ledger.damages, 1);
    buf_release(&file);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct wal_range range;
    struct wal_visit visit = {&ledger, found_record, found_damage};
    struct err err = {0};
    put_and_commit(1, 100);
    assert_int_equal(wal_list(&sim.world, "data", 1, &range, NULL), 0);
    sim_disk_fail(disk, SIM_DISK_READ, 1, ERR_IO, false);
    assert_int_equal(wal_read(&sim.world, "data", &range, &visit, &err), ERR_IO);
    assert_string_equal(err.text, "read data/wal/00000001: input/output error");
    assert_int_equal(wal_list(&sim.world, "data", 2, &range, NULL), 0);
    assert_true(range.last < range.first);
    assert_int_equal(wal_list(&sim.world, "nowhere", 1, &range, NULL), 0);
    assert_true(range.last < range.first);
    assert_int_equal(wal_read(&sim.world, "nowhere", &range, &visit, NULL), 0);
}

static int stop(void *context, struct str record)
{
    (void)record;
    return ++*(int *)context == 2 ? ERR_CANCEL : 0;
}

static void a_visitor_may_stop(void **state)
{
    (void)state;
    int seen = 0;
    struct wal_range range;
    struct wal_visit visit = {&seen, stop, found_damage};
    put_and_commit(9, 500);
    wal_list(&sim.world, "data", 1, &range, NULL);
    assert_int_equal(wal_read(&sim.world, "data", &range, &visit, NULL), ERR_CANCEL);
    assert_int_equal(seen, 2);
}

/* ---- the real disk ---- */

static void remove_found(void *context, const char *path)
{
    (void)context;
    unlink(path);
}

/* Also with a name that would be a pattern. */
static void it_works_on_the_real_disk(void **state)
{
    (void)state;
    struct world *real = world_real();
    char folder[] = "/tmp/tocsin-[a]?-XXXXXX", inside[64], pattern[64];
    assert_non_null(mkdtemp(folder));
    for (uint32_t life = 0; life < 3; life++) {
        struct wal *log;
        uint32_t next = read_all(&ledger, real, folder), first = ledger.count;
        assert_safe_found(&ledger);
        assert_int_equal(ledger.torn + ledger.damages, 0);
        assert_int_equal(
            wal_open(real, folder, life == 1 ? STORE_SYNC_OS : STORE_SYNC_GROUP, next, &log, NULL), 0);
        assert_int_equal(wal_spare(log, NULL), 0);
        for (int i = 0; i < 20; i++) {
            put_one(&ledger, log, 300);
            assert_int_equal(wal_commit(log, i % 2 * 1000, NULL), 0);
        }
        note_safe(&ledger, log, first);
        assert_true(ledger.safe[ledger.count - 1]);
        uint32_t before = ledger.count, number = wal_rotate(log, NULL);
        if (life == 1) {
            wal_forget(log, number);
            ledger.forgotten = before;
        }
        put_one(&ledger, log, 5000);
        wal_close(log);
        ledger.safe[ledger.count - 1] = true;
    }
    read_all(&ledger, real, folder);
    assert_safe_found(&ledger);
    assert_int_equal(ledger.records, 22);
    snprintf(inside, sizeof inside, "%s/wal", folder);
    snprintf(pattern, sizeof pattern, "/tmp/tocsin-\\[a\\]\\?-%s/wal/*", folder + sizeof folder - 7);
    real->glob(real, pattern, remove_found, NULL, NULL);
    assert_int_equal(rmdir(inside), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- threads ---- */

enum { WRITERS = 2, PUTS = 1000 };

static struct wal *shared;
static atomic_bool done;

static void *write_records(void *context)
{
    uint32_t number = *(uint32_t *)context;
    for (int i = 0; i < PUTS; i++) {
        char text[64];
        int n = snprintf(text, sizeof text, "%u %d", number, i);
        uint64_t position = wal_put(shared, (struct str){text, (size_t)n});
        must(position > 0);
        wal_write(shared);
        while (wal_durable(shared) < position)
            sched_yield();
    }
    return NULL;
}

static void *run_log(void *context)
{
    (void)context;
    while (!atomic_load(&done))
        must(wal_commit(shared, 1000, NULL) == 0);
    return NULL;
}

static void *keep_house(void *context)
{
    (void)context;
    struct wal_figures now;
    for (int i = 0; !atomic_load(&done); i++) {
        must(wal_spare(shared, NULL) == 0);
        must(i % 10 != 0 || wal_rotate(shared, NULL) > 0);
        wal_forget(shared, 1);
        wal_figures(shared, &now);
        sched_yield();
    }
    return NULL;
}

static int count_record(void *context, struct str record)
{
    int *next = context;
    unsigned writer;
    int number;
    char text[64] = {0};
    memcpy(text, record.p, record.n);
    must(sscanf(text, "%u %d", &writer, &number) == 2);
    assert_int_equal(number, next[writer]++);
    return 0;
}

static void many_may_put_while_one_writes_and_one_rotates(void **state)
{
    (void)state;
    struct world world = *world_real();
    pthread_t writers[WRITERS], log, keeper;
    uint32_t numbers[WRITERS];
    int next[WRITERS] = {0};
    struct wal_range range;
    struct wal_visit visit = {next, count_record, found_damage};
    sim_disk_install(disk, &world);
    wal_close(wal);
    assert_int_equal(wal_open(&world, "data", STORE_SYNC_GROUP, 2, &shared, NULL), 0);
    atomic_store(&done, false);
    must(pthread_create(&log, NULL, run_log, NULL) == 0 &&
         pthread_create(&keeper, NULL, keep_house, NULL) == 0);
    for (uint32_t i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        must(pthread_create(&writers[i], NULL, write_records, &numbers[i]) == 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&done, true);
    wal_wake(shared);
    pthread_join(log, NULL);
    pthread_join(keeper, NULL);
    wal_close(shared);
    assert_int_equal(wal_list(&world, "data", 1, &range, NULL), 0);
    assert_int_equal(wal_read(&world, "data", &range, &visit, NULL), 0);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(next[i], PUTS);
    open_log(STORE_SYNC_GROUP, range.last + 1);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(what_is_put_is_durable_after_a_commit),
        LOG_TEST(one_write_and_one_sync_serve_all),
        LOG_TEST(a_segment_is_never_longer_unless_a_record_is),
        LOG_TEST(a_full_buffer_fails_the_log),
        LOG_TEST(closing_commits),
        LOG_TEST(to_be_woken_ends_waiting),
        LOG_TEST(a_buffer_that_grew_for_once_is_given_back),
        LOG_TEST(what_is_put_after_a_rotation_goes_to_later_segments),
        LOG_TEST(what_is_written_while_a_rotation_syncs_is_synced_before_its_segment_is_left),
        LOG_TEST(a_spare_is_used_by_the_next_rotation_without_any_sync),
        LOG_TEST(forgotten_segments_are_used_again),
        LOG_TEST(a_segment_whose_sync_failed_is_not_used_again),
        LOG_TEST(what_an_earlier_process_left_is_taken_over),
        LOG_TEST(what_was_made_in_advance_is_put_back),
        LOG_TEST(a_log_cut_anywhere_gives_the_rest),
        LOG_TEST(a_flipped_byte_costs_one_record),
        LOG_TEST(a_missing_segment_is_damage),
        LOG_TEST(a_segment_under_another_name_is_damage),
        LOG_TEST(a_hole_in_the_last_write_is_torn),
        LOG_TEST(what_cannot_be_read_is_an_error),
        LOG_TEST(a_visitor_may_stop),
        LOG_TEST(it_works_on_the_real_disk),
        LOG_TEST(many_may_put_while_one_writes_and_one_rotates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
