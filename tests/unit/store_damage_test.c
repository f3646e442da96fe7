/*
 * Files that are cut or hurt anywhere: a start works, keeps what is not hurt, and shows nothing that was never put.
 *
 * The folder is a dense one: some three kilobytes in which everything stands that a log or a snapshot can say (series, one that
 * died and whose number was given out again, one that came back under another number; floats, late ones, stale markers, start
 * timestamps, native histograms; frames alone and along with others; several segments, two snapshots with a packed stretch).
 * Then for every byte of every file, eight starts with one bit of it flipped and one with the file cut there: the log without any
 * snapshot, the log behind snapshots, a snapshot with another one before it, and a snapshot alone. A log is cut in two ways: what
 * comes behind is there (a file was hurt), or it is gone (the log ends here).
 *
 * Each start is made twice: as `tocsin tsdb` does, to hear of each damaged place, and by store_recover as the daemon does.
 * Under a sanitizer every STEPth byte and every BIT_STEPth bit of it have to do.
 */
#include "../../engine/store/frame_priv.h"
#include "../../engine/store/restore_priv.h"
#include "../../engine/store/snapshot_priv.h"
#include "store_log_help.h"
#include "tocsin/log.h"

#include <stdlib.h>

#ifdef TOCSIN_COSTLY
enum { STEP = 5, BIT_STEP = 3 };
#else
enum { STEP = 1, BIT_STEP = 1 };
#endif
enum { FILES_MAX = 16, FILE_BYTES_MAX = 1 << 16, FRAMES_MAX = 64, SEGMENT_BYTES = 512, RUN = 70 };

/* ---- a folder with two snapshots and all of the log ---- */

struct stored {
    char path[64];
    uint32_t number;
    bool snapshot;
    struct buf whole;
    size_t left; /* this much of it is there */
    bool gone;
};

struct folder {
    struct play play;
    uint32_t older, newer; /* snapshots */
    struct stored files[FILES_MAX];
    size_t count;
};

enum { MORTAL, HEIR, PACKED, BOXED, BEGUN, SECOND, THIRD }; /* what the sets are for */

static void commit(struct play *p)
{
    assert_int_equal(play_commit(p), 0);
    play_turn(p, 50);
}

static void put(struct play *p, int set, int64_t before_ms, double value)
{
    assert_true(play_put(p, set, &(struct sample){.t_ms = now_of(p) - before_ms, .value = value}));
}

static void put_histogram(struct play *p)
{
    assert_true(play_put(p, BOXED, &(struct sample){.t_ms = now_of(p), .histogram = play_histogram(p)}));
}

static void put_begun(struct play *p)
{
    int64_t t_ms = now_of(p);
    assert_true(play_put(p, BEGUN, &(struct sample){.t_ms = t_ms, .start_ms = t_ms - 500, .value = 3}));
}

/* As many in one record as make a packed stretch. */
static void put_run(struct play *p)
{
    struct sample samples[RUN];
    const struct labels *ls = p->labels[PACKED];
    struct admit_result result = {0};
    for (int i = 0; i < RUN; i++)
        samples[i] = (struct sample){.t_ms = now_of(p) - 1000 + i, .value = i};
    struct batch_series series = {ls->item, ls->count, samples, RUN};
    store_admit(p->store, &(struct batch){.series = &series, .count = 1}, &result);
    assert_int_equal(result.appended, RUN);
    for (int i = 0; i < RUN; i++)
        p->puts[p->put_count++] = (struct put){PACKED, samples[i], result.logged, false};
}

/* One series dies, another gets its number, and it comes back itself. */
static void live_and_die(struct play *p)
{
    put(p, MORTAL, 0, 1);
    commit(p);
    series_ref number = play_find(p, MORTAL);
    play_turn(p, KEEP_MS + MINUTE_MS);
    store_retire(p->store);
    assert_int_equal(play_find(p, MORTAL), 0);
    put(p, HEIR, 0, 2);
    assert_int_equal(play_find(p, HEIR), number);
    assert_int_equal(play_id(p, number).turn, 1);
    commit(p);
    put(p, MORTAL, 0, 4);
    commit(p);
}

/* Some of all kinds, alone and together. */
static void live(struct play *p, int newcomer)
{
    put(p, newcomer, 0, 5);
    put_histogram(p);
    commit(p);
    put_begun(p);
    put_histogram(p);
    put(p, HEIR, 20000, 6); /* late */
    commit(p);
    put(p, HEIR, 0, stale_nan());
    commit(p);
}

static uint32_t take_snapshot(struct play *p)
{
    struct snapshot_size size;
    struct err err = {0};
    uint32_t number = wal_rotate(p->store->log->wal, &err);
    assert_int_not_equal(number, 0);
    assert_int_equal(snapshot_write(p->store, FOLDER, number, &size, &err), 0);
    return number;
}

static void keep_file(void *context, const char *path)
{
    struct folder *f = context;
    struct world *w = &f->play.sim.world;
    assert_true(f->count < FILES_MAX);
    struct stored *file = &f->files[f->count++];
    assert_true(snprintf(file->path, sizeof file->path, "%s", path) < (int)sizeof file->path);
    file->number = (uint32_t)strtoul(path + strlen(path) - 8, NULL, 10);
    file->snapshot = strstr(path, "/snapshot-") != NULL;
    buf_init(&file->whole, FILE_BYTES_MAX);
    assert_int_equal(w->read_file(w, path, &file->whole, NULL), 0);
    file->left = file->whole.used;
}

/* The disk is not needed any more: each start gets one of its own. */
static void keep_files(struct folder *f)
{
    struct world *w = &f->play.sim.world;
    assert_int_equal(w->glob(w, FOLDER "/wal/0*", keep_file, f, NULL), 0);
    assert_int_equal(w->glob(w, FOLDER "/snapshot-*", keep_file, f, NULL), 0);
    sim_disk_close(f->play.disk);
    f->play.disk = NULL;
}

static void make_folder(struct folder *f)
{
    struct play *p = &f->play;
    *f = (struct folder){0};
    play_begin(p, 11);
    for (int i = 0; i < SETS; i++)
        p->labels[i] = labels_of(&p->arena, "n", arena_format(&p->arena, "%d", i), NULL);
    play_start(p);
    live_and_die(p);
    put_run(p);
    commit(p);
    live(p, SECOND);
    assert_int_equal(wal_spare(p->store->log->wal, NULL), 0); /* the next segment ends in zeros */
    f->older = take_snapshot(p);
    live(p, THIRD);
    f->newer = take_snapshot(p);
    live(p, HEIR);
    play_acknowledge(p);
    play_kill(p);
    sim_disk_heal(p->disk);
    keep_files(f);
}

static void end_folder(struct folder *f)
{
    for (size_t i = 0; i < f->count; i++)
        buf_release(&f->files[i].whole);
    f->play.disk = sim_disk_open();
    play_end(&f->play);
}

static struct stored *file_of(struct folder *f, bool snapshot, uint32_t number)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->files[i].snapshot == snapshot && f->files[i].number == number)
            return &f->files[i];
    fail_msg("there is no file %u", number);
    return NULL;
}

static struct stored *snapshot_of(struct folder *f, uint32_t number)
{
    return file_of(f, true, number);
}

/* Without the segments before the newer snapshot. */
static void drop_old_log(struct folder *f)
{
    for (size_t i = 0; i < f->count; i++)
        f->files[i].gone |= !f->files[i].snapshot && f->files[i].number < f->newer;
}

/* ---- starting on it ---- */

struct seen {
    struct restored restored;
    size_t lost, damages;
    const struct stored *hurt; /* NULL: any */
    size_t at;                 /* the byte of it that is */
    bool told;                 /* a damaged place that this byte is in */
};

static void note_damage(void *context, const char *path, uint64_t offset, uint64_t bytes, bool torn,
                        const char *why)
{
    struct seen *seen = context;
    (void)torn;
    assert_true(path[0] != '\0' && why[0] != '\0');
    seen->damages++;
    if (seen->hurt != NULL && strcmp(path, seen->hurt->path) == 0)
        seen->told = seen->told || (seen->at >= offset && seen->at < offset + bytes);
}

static void lay_out(struct folder *f)
{
    struct world *w = &f->play.sim.world;
    f->play.disk = sim_disk_open();
    sim_disk_install(f->play.disk, w);
    assert_int_equal(w->make_folder(w, FOLDER, NULL), 0);
    assert_int_equal(w->make_folder(w, FOLDER "/wal", NULL), 0);
    for (size_t i = 0; i < f->count; i++) {
        const struct stored *file = &f->files[i];
        struct str content = {file->whole.bytes, file->left};
        if (!file->gone)
            assert_int_equal(w->write_file(w, file->path, content, NULL), 0);
    }
}

/* What the daemon does. It finds what the look before has found. */
static void start(struct folder *f, const struct seen *seen)
{
    struct store_recovery recovery;
    struct err err = {0};
    const struct store_recovery *before = &seen->restored.recovery;
    if (play_recover(&f->play, &recovery, &err) != 0)
        fail_msg("%s", err.text);
    assert_is_honest(&f->play);
    assert_int_equal(play_lost(&f->play), seen->lost);
    assert_int_equal(recovery.samples, before->samples);
    assert_int_equal(recovery.damaged + recovery.torn, before->damaged + before->torn);
    play_stop(&f->play);
}

static struct seen look_for(struct folder *f, const struct stored *hurt, size_t at)
{
    struct seen seen = {.hurt = hurt, .at = at};
    const struct restore_watch watch = {&seen, note_damage};
    struct err err = {0};
    lay_out(f);
    f->play.store = play_store(&f->play);
    if (restore_folder(f->play.store, FOLDER, &watch, &seen.restored, &err) != 0)
        fail_msg("%s", err.text);
    assert_is_honest(&f->play);
    seen.lost = play_lost(&f->play);
    play_stop(&f->play);
    start(f, &seen);
    sim_disk_close(f->play.disk);
    f->play.disk = NULL;
    return seen;
}

static struct seen look(struct folder *f)
{
    return look_for(f, NULL, 0);
}

static struct seen look_at_flip(struct folder *f, struct stored *file, size_t at, int bit)
{
    file->whole.bytes[at] ^= (char)(1 << bit);
    struct seen seen = look_for(f, file, at);
    file->whole.bytes[at] ^= (char)(1 << bit);
    return seen;
}

static struct seen look_at_cut(struct folder *f, struct stored *file, size_t at)
{
    file->left = at;
    struct seen seen = look_for(f, file, at);
    file->left = file->whole.used;
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
    assert_true(f.newer > f.older && f.older > 2);
    const struct record_bytes *b = &seen.restored.bytes;
    assert_true(b->series > 0 && b->floats > 0 && b->wide > 0 && b->sealed > 0);
    end_folder(&f);
}

/* ---- snapshots ---- */

static void assert_replaced(const struct folder *f, const struct seen *seen)
{
    assert_int_equal(seen->restored.snapshot, f->older);
    assert_int_equal(seen->lost, 0);
    assert_int_equal(seen->restored.recovery.damaged, 1);
}

/* With the older one and the log everything is there, whatever happens to the newer one. */
static void a_hurt_snapshot_is_replaced_by_the_one_before(void **state)
{
    (void)state;
    struct folder f;
    make_folder(&f);
    struct stored *newer = snapshot_of(&f, f.newer);
    for (size_t i = 0; i < newer->whole.used; i += STEP) {
        struct seen seen = look_at_cut(&f, newer, i);
        assert_replaced(&f, &seen);
        for (int bit = 0; bit < 8; bit += BIT_STEP) {
            seen = look_at_flip(&f, newer, i, bit);
            assert_replaced(&f, &seen);
        }
    }
    end_folder(&f);
}

/* An old snapshot whose log is gone is no help. */
static void a_snapshot_is_not_used_without_the_log_behind_it(void **state)
{
    (void)state;
    struct folder f;
    make_folder(&f);
    drop_old_log(&f);
    assert_int_equal(look(&f).lost, 0);
    struct stored *newer = snapshot_of(&f, f.newer);
    struct seen seen = look_at_flip(&f, newer, newer->whole.used - 1, 0);
    assert_int_equal(seen.restored.snapshot, f.newer);
    assert_int_equal(seen.lost, 0); /* only its end was hurt */
    assert_true(seen.damages > 0);
    end_folder(&f);
}

static void assert_told(const struct seen *seen)
{
    assert_true(seen->restored.recovery.damaged > 0);
    assert_int_equal(seen->restored.recovery.torn, 0);
}

/* Alone, it gives what is not hurt. */
static void what_is_sound_of_the_only_snapshot_is_used(void **state)
{
    (void)state;
    struct folder f;
    make_folder(&f);
    struct stored *newer = snapshot_of(&f, f.newer);
    snapshot_of(&f, f.older)->gone = true;
    for (size_t i = 0; i < newer->whole.used; i += STEP) {
        struct seen seen = look_at_cut(&f, newer, i);
        assert_told(&seen);
        for (int bit = 0; bit < 8; bit += BIT_STEP) {
            seen = look_at_flip(&f, newer, i, bit);
            assert_told(&seen);
            assert_true(seen.told);
            assert_true(i >= FRAME_FILE_HEAD_BYTES || seen.lost == 0); /* its salt is its number */
        }
    }
    end_folder(&f);
}

static void a_snapshot_that_is_gone_is_damage(void **state)
{
    (void)state;
    struct folder f;
    make_folder(&f);
    drop_old_log(&f);
    snapshot_of(&f, f.older)->gone = snapshot_of(&f, f.newer)->gone = true;
    struct seen seen = look(&f);
    assert_int_equal(seen.restored.snapshot, 0);
    assert_int_equal(seen.restored.recovery.damaged, 1);
    assert_true(seen.restored.recovery.orphans > 0);
    end_folder(&f);
}

/* ---- the log ---- */

/* A frame in a sound file, or its head, on which all frames hang; and what it may cost. */
struct place {
    size_t end, samples;
};

struct places {
    struct place item[FRAMES_MAX];
    size_t count, samples;
};

static int count_sample(void *context, struct series_id id, const struct sample *s)
{
    (void)id;
    (void)s;
    ++*(size_t *)context;
    return 0;
}

static int pass_series(void *context, struct series_id id, const struct label *labels, size_t count)
{
    (void)context;
    (void)id;
    (void)labels;
    (void)count;
    return 0;
}

/* What the snapshot holds, too, costs nothing. */
static bool is_covered(struct folder *f, const struct stored *file)
{
    return !snapshot_of(f, f->newer)->gone && file->number < f->newer;
}

static struct places places_of(struct folder *f, const struct stored *file)
{
    struct places all = {.count = 1};
    struct frame_walk w = {.bytes = buf_slice(&file->whole)};
    struct str record;
    uint64_t skipped;
    assert_true(frame_take_file(w.bytes, 'w', &w.file));
    while (frame_next(&w, &record, &skipped) == FRAME_RECORD) {
        struct place *place = &all.item[all.count++];
        assert_true(all.count < FRAMES_MAX);
        const struct record_sink sink = {&place->samples, pass_series, count_sample, NULL, NULL, NULL};
        assert_int_equal(record_walk(record, &sink, &f->play.arena), 0);
        place->end = w.at;
        place->samples = is_covered(f, file) ? 0 : place->samples;
        all.samples += place->samples;
    }
    all.item[0] = (struct place){FRAME_FILE_HEAD_BYTES, all.samples};
    return all;
}

/* At most what stands at this byte. */
static size_t samples_at(const struct places *all, size_t at)
{
    for (size_t i = 0; i < all->count; i++)
        if (at < all->item[i].end)
            return all->item[i].samples;
    return 0; /* zeros behind the last frame */
}

/* At most what does not end before this byte. */
static size_t samples_from(const struct places *all, size_t at)
{
    size_t before = 0;
    for (size_t i = 1; i < all->count && all->item[i].end <= at; i++)
        before += all->item[i].samples;
    return all->samples - before;
}

/* Takes all segments behind this one away, or brings them back; how many samples that may cost. */
static size_t set_gone_behind(struct folder *f, uint32_t number, bool gone)
{
    size_t samples = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct stored *file = &f->files[i];
        if (file->snapshot || file->number <= number)
            continue;
        file->gone = gone;
        samples += places_of(f, file).samples;
    }
    return samples;
}

/* No more than what is hurt, and the samples of series that it introduced. */
static void assert_loss(const struct folder *f, const struct seen *seen, size_t most)
{
    assert_true(seen->restored.snapshot == 0 || seen->restored.snapshot == f->newer);
    if (seen->lost > most + seen->restored.recovery.orphans)
        fail_msg("%s, byte %zu: %zu samples are lost", seen->hurt->path, seen->at, seen->lost);
}

/* Returns how many samples all that has cost. */
static size_t hurt_segment(struct folder *f, struct stored *file)
{
    const struct places all = places_of(f, file);
    size_t lost = 0;
    for (size_t i = 0; i < file->whole.used; i += STEP) {
        struct seen seen = look_at_cut(f, file, i);
        assert_loss(f, &seen, samples_from(&all, i));
        for (int bit = 0; bit < 8; bit += BIT_STEP) {
            seen = look_at_flip(f, file, i, bit);
            assert_loss(f, &seen, samples_at(&all, i));
            assert_true(seen.told || seen.lost == 0);
            lost += seen.lost;
        }
    }
    return lost;
}

static void end_log_in(struct folder *f, struct stored *file)
{
    const struct places all = places_of(f, file);
    size_t behind = set_gone_behind(f, file->number, true);
    for (size_t i = 0; i < file->whole.used; i += STEP) {
        struct seen seen = look_at_cut(f, file, i);
        assert_loss(f, &seen, samples_from(&all, i) + behind);
    }
    set_gone_behind(f, file->number, false);
}

static void hurt_log(struct folder *f)
{
    size_t lost = 0, segments = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->files[i].snapshot)
            continue;
        lost += hurt_segment(f, &f->files[i]);
        end_log_in(f, &f->files[i]);
        segments++;
    }
    assert_true(lost > 0 && segments > 3);
}

static void each_byte_of_the_log_may_be_hurt(void **state)
{
    (void)state;
    struct folder f;
    make_folder(&f);
    snapshot_of(&f, f.older)->gone = snapshot_of(&f, f.newer)->gone = true;
    struct seen seen = look(&f);
    assert_int_equal(seen.lost + seen.damages, 0);
    hurt_log(&f);
    end_folder(&f);
}

static void each_byte_of_the_log_behind_a_snapshot_may_be_hurt(void **state)
{
    (void)state;
    struct folder f;
    make_folder(&f);
    hurt_log(&f);
    end_folder(&f);
}

/* After a start on damage everything that was brought back is written down anew: the next start finds nothing wrong. */
static void damage_is_left_behind_by_the_next_snapshot(void **state)
{
    (void)state;
    struct folder f;
    struct store_recovery recovery;
    make_folder(&f);
    file_of(&f, false, f.newer)->whole.bytes[60] ^= 1;
    lay_out(&f);
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
    play_stop(&f.play);
    sim_disk_close(f.play.disk);
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
        cmocka_unit_test(each_byte_of_the_log_behind_a_snapshot_may_be_hurt),
        cmocka_unit_test(damage_is_left_behind_by_the_next_snapshot),
    };
    limits.wal_segment_bytes = SEGMENT_BYTES;
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, -1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
