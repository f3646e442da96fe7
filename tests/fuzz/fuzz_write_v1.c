/*
 * Any bytes as the decompressed message of a push. What the store then shows is encoded and pushed into a second store,
 * which must accept it all and show the same number of series and samples.
 */
#include "tocsin/check.h"
#include "tocsin/encode.h"
#include "tocsin/intake.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/view.h"

#include <snappy-c.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
    struct world_sim sim;
    struct store *store;
    struct intake *intake;
    struct store_figures figures;
};

static void open_side(struct side *s)
{
    world_sim_init(&s->sim, 1000 * NS_PER_S, 1);
    s->store = store_open(&(struct store_options){.retention_ms = INT64_MAX}, &s->sim.world);
    s->intake = intake_open(&s->sim.world);
}

static void close_side(struct side *s)
{
    intake_close(s->intake);
    store_close(s->store);
}

static int push(struct side *s, struct str body)
{
    struct intake_answer answer;
    intake_answer_init(&answer);
    int rc = intake_push(s->intake, s->store, body, &answer);
    must((rc == 0) == (answer.status == 204));
    intake_answer_release(&answer);
    store_figures(s->store, &s->figures);
    return rc;
}

/* All of the store as one batch. */
static void read_all(struct store *store, struct arena *arena, struct batch *batch)
{
    struct view *v = view_open(store);
    struct series_set set;
    must(view_select(v, NULL, 0, arena, &set) == 0);
    struct batch_series *series = ARENA_ARRAY(arena, struct batch_series, set.count);
    for (size_t i = 0; i < set.count; i++) {
        struct sample_run run;
        const struct labels *ls = labels_copy(arena, view_labels(v, set.refs[i]));
        must(view_read(v, set.refs[i], INT64_MIN, INT64_MAX, arena, &run) == 0);
        series[i] = (struct batch_series){ls->item, ls->count, run.samples, run.count};
    }
    *batch = (struct batch){series, set.count};
    view_close(v);
}

static void round_trip(struct side *from)
{
    struct side to;
    struct arena arena;
    struct batch batch;
    struct str body;
    open_side(&to);
    arena_init(&arena, 64 << 20);
    read_all(from->store, &arena, &batch);
    must(encode_push(&arena, &batch, &body) == 0);
    must(push(&to, body) == 0);
    must(to.figures.series == from->figures.series && to.figures.samples == from->figures.samples);
    arena_release(&arena);
    close_side(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct side side;
    limits.series = 1000;
    open_side(&side);
    size_t bytes = snappy_max_compressed_length(size);
    char *body = mem_new(bytes, 1);
    must(snappy_compress((const char *)data, size, body, &bytes) == SNAPPY_OK);
    push(&side, (struct str){body, bytes});
    if (side.figures.series > 0)
        round_trip(&side);
    mem_free(body);
    close_side(&side);
    return 0;
}
