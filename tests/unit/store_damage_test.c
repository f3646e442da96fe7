/* Files that are cut or hurt anywhere: a start works, keeps what is not hurt, and shows nothing that was never put. */
#include "../../engine/store/restore_priv.h"
#include "../../engine/store/snapshot_priv.h"
#include "store_log_help.h"
#include "tocsin/log.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* ---- a folder with two snapshots and all of the log ---- */

struct folder {
    struct play play;
    uint32_t older, newer; /* snapshots */
};

static uint32_t take_snapshot(struct play *p)
{
    struct snapshot_size size;
    struct err err = {0};
    uint32_t number = wal_rotate(p->store->log->wal, &err);
    assert_int_not_equal(number, 0);
    assert_int_equal(snapshot_write(p->store, FOLDER, number, &size, &err), 0);
    return number;
}

static void push_some(struct play *p, int count)
{
    for (int i = 0; i < count; i++) {
        play_turn(p, 50);
        play_push(p);
        assert_int_equal(play_commit(p), 0);
    }
}

static void make_folder(struct folder *f)
{
    struct play *p = &f->play;
    play_begin(p, 11);
    play_start(p);
    push_some(p, 20);
    f->older = take_snapshot(p);
    push_some(p, 12);
    f->newer = take_snapshot(p);
    push_some(p, 12);
    play_acknowledge(p);
    play_kill(p);
    sim_disk_heal(p->disk);
}

static void end_folder(struct folder *f)
{
    play_end(&f->play);
}

static void snapshot_name(uint32_t number, char *path)
{
    assert_int_equal(snapshot_path(path, FOLDER, number, NULL), 0);
}

static void segment_name(uint32_t number, char *path)
{
    snprintf(path, SNAPSHOT_PATH_MAX, FOLDER "/wal/%08u", number);
}

static void read_file(const struct play *p, const char *path, struct buf *out)
{
    struct world *w = (struct world *)&p->sim.world;
    buf_init(out, FILE_BYTES_MAX);
    assert_int_equal(w->read_file(w, path, out, NULL), 0);
}

static void write_file(struct play *p, const char *path, struct str content)
{
    assert_int_equal(p->sim.world.write_file(&p->sim.world, path, content, NULL), 0);
}

/* ---- looking at it ---- */

struct seen {
    struct restored restored;
    size_t lost, damages;
    uint64_t bytes;
};

static void note_damage(void *context, const char *path, uint64_t offset, uint64_t bytes, bool torn,
                        const char *why)
{
    struct seen *seen = context;
    (void)offset;
    (void)torn;
    assert_true(path[0] != '\0' && why[0] != '\0');
    seen->damages++;
    seen->bytes += bytes;
}

/* Brings it back without touching it. */
static struct seen look(struct folder *f)
{
    struct seen seen = {0};
    const struct restore_watch watch = {&seen, note_damage};
    struct err err = {0};
    f->play.store = play_store(&f->play);
    int rc = restore_folder(f->play.store, FOLDER, &watch, &seen.restored, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    assert_is_honest(&f->play);
    seen.lost = play_lost(&f->play);
    play_stop(&f->play);
    return seen;
}

static void a_whole_folder_comes_back_whole(void **state)
{
    (void)state;
    struct folder f;
    make_folder(&f);
    struct seen seen = look(&f);
    assert_int_equal(seen.lost, 0);
    assert_int_equal(seen.damages, 0);
    assert_int_equal(seen.restored.snapshot, f.newer);
    assert_true(f.newer > f.older);
    end_folder(&f);
}

/* ---- snapshots ---- */

/* With the older one and the log everything is there, whatever happens to the newer one. */
static void a_hurt_snapshot_is_replaced_by_the_one_before(void **state)
{
    (void)state;
    struct folder f;
    char path[SNAPSHOT_PATH_MAX];
    struct buf whole;
    make_folder(&f);
    snapshot_name(f.newer, path);
    read_file(&f.play, path, &whole);
    assert_true(whole.used > 500);
    for (size_t i = 0; i < whole.used; i += 7) {
        whole.bytes[i] ^= 0x10;
        write_file(&f.play, path, buf_slice(&whole));
        whole.bytes[i] ^= 0x10;
        struct seen seen = look(&f);
        assert_int_equal(seen.restored.snapshot, f.older);
        assert_int_equal(seen.lost, 0);
        assert_int_equal(seen.restored.recovery.damaged, 1);
        write_file(&f.play, path, (struct str){whole.bytes, i});
        seen = look(&f);
        assert_int_equal(seen.restored.snapshot, f.older);
        assert_int_equal(seen.lost, 0);
    }
    buf_release(&whole);
    end_folder(&f);
}

/* An old snapshot whose log is gone is no help. */
static void a_snapshot_is_not_used_without_the_log_behind_it(void **state)
{
    (void)state;
    struct folder f;
    char path[SNAPSHOT_PATH_MAX];
    struct buf whole;
    struct world *w = &f.play.sim.world;
    make_folder(&f);
    for (uint32_t number = 1; number < f.newer; number++) {
        segment_name(number, path);
        assert_int_equal(w->remove_file(w, path, NULL), 0);
    }
    assert_int_equal(look(&f).lost, 0);
    snapshot_name(f.newer, path);
    read_file(&f.play, path, &whole);
    whole.bytes[whole.used - 1] ^= 1;
    write_file(&f.play, path, buf_slice(&whole));
    struct seen seen = look(&f);
    assert_int_equal(seen.restored.snapshot, f.newer);
    assert_int_equal(seen.lost, 0); /* only its end was hurt */
    assert_true(seen.damages > 0);
    buf_release(&whole);
    end_folder(&f);
}

/* Alone, it gives what is not hurt. */
static void what_is_sound_of_the_only_snapshot_is_used(void **state)
{
    (void)state;
    struct folder f;
    char path[SNAPSHOT_PATH_MAX], old[SNAPSHOT_PATH_MAX];
    struct buf whole;
    struct world *w = &f.play.sim.world;
    make_folder(&f);
    snapshot_name(f.older, old);
    assert_int_equal(w->remove_file(w, old, NULL), 0);
    snapshot_name(f.newer, path);
    read_file(&f.play, path, &whole);
    for (size_t i = 0; i < whole.used; i++) {
        whole.bytes[i] ^= 0x40;
        write_file(&f.play, path, buf_slice(&whole));
        whole.bytes[i] ^= 0x40;
        struct seen seen = look(&f);
        assert_true(seen.restored.recovery.damaged > 0);
        assert_int_equal(seen.restored.recovery.torn, 0);
        write_file(&f.play, path, (struct str){whole.bytes, i});
        seen = look(&f);
        assert_true(seen.restored.recovery.damaged > 0);
    }
    whole.bytes[3] ^= 1; /* a hurt head costs nothing: its salt is its number */
    write_file(&f.play, path, buf_slice(&whole));
    assert_int_equal(look(&f).lost, 0);
    buf_release(&whole);
    end_folder(&f);
}

static void a_snapshot_that_is_gone_is_damage(void **state)
{
    (void)state;
    struct folder f;
    char path[SNAPSHOT_PATH_MAX];
    struct world *w = &f.play.sim.world;
    make_folder(&f);
    for (uint32_t number = 1; number < f.newer; number++) {
        segment_name(number, path);
        w->remove_file(w, path, NULL);
    }
    snapshot_name(f.older, path);
    w->remove_file(w, path, NULL);
    snapshot_name(f.newer, path);
    w->remove_file(w, path, NULL);
    struct seen seen = look(&f);
    assert_int_equal(seen.restored.snapshot, 0);
    assert_int_equal(seen.restored.recovery.damaged, 1);
    assert_true(seen.restored.recovery.orphans > 0);
    end_folder(&f);
}

/* ---- the log ---- */

static size_t used_bytes(const struct buf *b)
{
    size_t used = b->used;
    while (used > 0 && b->bytes[used - 1] == '\0')
        used--;
    return used;
}

/* Without snapshots. A byte costs the sample of the record it stands in, and those of the series it introduced. */
static void each_byte_of_the_log_may_be_hurt(void **state)
{
    (void)state;
    struct folder f;
    char path[SNAPSHOT_PATH_MAX];
    struct buf whole;
    size_t costly = 0;
    make_folder(&f);
    snapshot_name(f.older, path);
    f.play.sim.world.remove_file(&f.play.sim.world, path, NULL);
    snapshot_name(f.newer, path);
    f.play.sim.world.remove_file(&f.play.sim.world, path, NULL);
    assert_int_equal(look(&f).lost, 0);
    for (uint32_t number = 1; number <= f.newer; number++) {
        segment_name(number, path);
        read_file(&f.play, path, &whole);
        size_t used = used_bytes(&whole);
        for (size_t i = 0; i < used; i++) {
            whole.bytes[i] ^= 0x04;
            write_file(&f.play, path, buf_slice(&whole));
            whole.bytes[i] ^= 0x04;
            struct seen seen = look(&f);
            assert_true(seen.damages > 0 || seen.lost == 0);
            assert_true(i < 32 ||
                        seen.lost <= seen.restored.recovery.orphans + 1); /* in the head: all of the file */
            costly += seen.lost;
        }
        for (size_t i = 0; i < used; i += 3) {
            write_file(&f.play, path, (struct str){whole.bytes, i});
            look(&f);
        }
        write_file(&f.play, path, buf_slice(&whole));
        buf_release(&whole);
    }
    assert_true(costly > 0);
    end_folder(&f);
}

/* After a start on damage everything that was brought back is written down anew: the next start finds nothing wrong. */
static void damage_is_left_behind_by_the_next_snapshot(void **state)
{
    (void)state;
    struct folder f;
    char path[SNAPSHOT_PATH_MAX];
    struct buf whole;
    struct store_recovery recovery;
    make_folder(&f);
    segment_name(f.newer, path);
    read_file(&f.play, path, &whole);
    whole.bytes[60] ^= 1;
    write_file(&f.play, path, buf_slice(&whole));
    assert_int_equal(play_recover(&f.play, &recovery, NULL), 0);
    assert_int_equal(recovery.damaged, 1);
    size_t lost = play_lost(&f.play);
    assert_true(lost > 0);
    assert_int_equal(store_snapshot(f.play.store, NULL), 0);
    play_kill(&f.play);
    sim_disk_crash(f.play.disk, 1);
    play_start(&f.play);
    assert_int_equal(play_lost(&f.play), lost);
    assert_is_honest(&f.play);
    buf_release(&whole);
    end_folder(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_folder_comes_back_whole),
        cmocka_unit_test(a_hurt_snapshot_is_replaced_by_the_one_before),
        cmocka_unit_test(a_snapshot_is_not_used_without_the_log_behind_it),
        cmocka_unit_test(what_is_sound_of_the_only_snapshot_is_used),
        cmocka_unit_test(a_snapshot_that_is_gone_is_damage),
        cmocka_unit_test(each_byte_of_the_log_may_be_hurt),
        cmocka_unit_test(damage_is_left_behind_by_the_next_snapshot),
    };
    limits.wal_segment_bytes = 2048;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, -1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
