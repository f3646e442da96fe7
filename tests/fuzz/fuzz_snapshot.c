/*
 * A snapshot from a file: any bytes are loaded without harm, and whatever came of them is a store like any other: it can be
 * written down, and comes back the same.
 *
 * The first byte says what the others are: the file itself, or (so that something gets past the checksums) records, each
 * behind two bytes for its length.
 */
#include "../../engine/store/box_priv.h"
#include "../../engine/store/frame_priv.h"
#include "../../engine/store/restore_priv.h"
#include "../../engine/store/snapshot_priv.h"
#include "../sim/sim_disk.h"
#include "tocsin/check.h"
#include "tocsin/histogram.h"
#include "tocsin/log.h"

enum { NUMBER = 1, MEMORY_BYTES = 64 << 20 };
static const char folder[] = "data";

static void frame_records(struct buf *out, struct str bytes)
{
    frame_put_file(out, &(struct frame_file){'s', NUMBER, NUMBER});
    while (bytes.n >= 2) {
        size_t n = ((size_t)(uint8_t)bytes.p[0] << 8 | (uint8_t)bytes.p[1]) % 2048;
        bytes.p += 2;
        bytes.n -= 2;
        n = n < bytes.n ? n : bytes.n;
        frame_put(out, NUMBER, out->used, (struct str){bytes.p, n});
        bytes.p += n;
        bytes.n -= n;
    }
}

static struct store *load(struct world *world, struct restored *out)
{
    const struct store_options options = {.retention_ms = INT64_MAX, .out_of_order_ms = 1000};
    struct store *s = store_open(&options, world);
    int rc = restore_folder(s, folder, NULL, out, NULL);
    must(rc == 0 || rc == ERR_FULL);
    if (rc == 0)
        return s;
    store_close(s);
    return NULL;
}

static size_t read_all(const struct series *series, struct arena *arena, struct sample **samples)
{
    size_t count;
    int rc = ring_read(&series->ring, INT64_MIN, INT64_MAX, arena, samples, &count);
    must(rc == 0);
    return count;
}

/* How many samples it holds; times rise, and the ends are where they are said to be. */
static uint64_t prove(const struct store *s, series_ref ref, struct arena *arena)
{
    const struct series *series = series_at(&s->series, ref);
    struct sample *samples;
    size_t count = read_all(series, arena, &samples);
    for (size_t i = 1; i < count; i++)
        must(samples[i].t_ms > samples[i - 1].t_ms);
    must((count > 0) == !ring_empty(&series->ring));
    if (count > 0)
        must(ring_oldest_ms(&series->ring) == samples[0].t_ms &&
             ring_newest_ms(&series->ring) == samples[count - 1].t_ms);
    arena_clear(arena);
    return count;
}

static bool same_sample(const struct sample *a, const struct sample *b)
{
    if (a->t_ms != b->t_ms || a->start_ms != b->start_ms || (a->histogram == NULL) != (b->histogram == NULL))
        return false;
    if (a->histogram == NULL)
        return double_bits(a->value) == double_bits(b->value);
    return a->histogram->hint == b->histogram->hint && box_equal(a->histogram, b->histogram);
}

static void compare(const struct store *a, const struct store *b, series_ref ref, struct arena *arena)
{
    const struct series *x = series_at(&a->series, ref), *y = series_at(&b->series, ref);
    struct label labels[2][UINT8_MAX];
    struct sample *samples[2];
    must(y->state == SERIES_LIVING && x->turn == y->turn && x->pair_count == y->pair_count);
    store_series_labels(a, x, labels[0]);
    store_series_labels(b, y, labels[1]);
    for (size_t i = 0; i < x->pair_count; i++)
        must(str_eq(labels[0][i].name, labels[1][i].name) && str_eq(labels[0][i].value, labels[1][i].value));
    size_t count = read_all(x, arena, &samples[0]);
    must(read_all(y, arena, &samples[1]) == count);
    for (size_t i = 0; i < count; i++)
        must(same_sample(&samples[0][i], &samples[1][i]));
    arena_clear(arena);
}

static void prove_all(struct store *s, struct world *world, struct arena *arena)
{
    uint64_t samples = 0;
    struct store_figures figures;
    struct snapshot_size size;
    struct restored again;
    for (series_ref ref = 1; ref < s->series.next; ref++)
        if (series_at(&s->series, ref)->state == SERIES_LIVING)
            samples += prove(s, ref, arena);
    store_figures(s, &figures);
    must(figures.samples == samples);
    int rc = snapshot_write(s, folder, NUMBER, &size, NULL);
    must(rc == 0 && size.series == figures.series && size.samples == samples);
    struct store *copy = load(world, &again);
    must(copy != NULL && again.recovery.series == figures.series && again.recovery.samples == samples);
    must(again.recovery.orphans == 0);
    for (series_ref ref = 1; ref < s->series.next; ref++)
        if (series_at(&s->series, ref)->state == SERIES_LIVING)
            compare(s, copy, ref, arena);
    store_close(copy);
    store_retire(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world_sim sim;
    struct arena arena;
    struct buf file;
    struct restored restored;
    if (size == 0)
        return 0;
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
    limits.series = 5000; /* so that a large number does not take much memory */
    limits.store_bytes = 16 << 20;
    struct sim_disk *disk = sim_disk_open();
    world_sim_init(&sim, 0, 1);
    sim_disk_install(disk, &sim.world);
    arena_init(&arena, MEMORY_BYTES);
    buf_init(&file, MEMORY_BYTES);
    struct str bytes = {(const char *)data + 1, size - 1};
    if ((data[0] & 1) != 0)
        frame_records(&file, bytes);
    else
        buf_str(&file, bytes);
    sim.world.make_folder(&sim.world, folder, NULL);
    sim.world.write_file(&sim.world, "data/snapshot-00000001", buf_slice(&file), NULL);
    struct store *s = load(&sim.world, &restored);
    if (s != NULL) {
        prove_all(s, &sim.world, &arena);
        store_close(s);
    }
    buf_release(&file);
    arena_release(&arena);
    sim_disk_close(disk);
    return 0;
}
