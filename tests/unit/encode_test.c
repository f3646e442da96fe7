#include "store_help.h"

#include "remote_v2.pb-c.h"
#include "tocsin/encode.h"
#include "tocsin/histogram.h"
#include "tocsin/intake.h"

#include <math.h>
#include <snappy-c.h>

typedef int encode_call(struct arena *arena, const struct batch *batch, struct str *body);
typedef int push_call(struct intake *intake, struct store *store, struct str identity, struct str body,
                      struct intake_answer *answer);

static void push_all(struct bench *b, const struct batch *batch, encode_call *encode, push_call *push)
{
    struct str body;
    struct intake *intake = intake_open(&b->sim.world);
    struct intake_answer answer;
    intake_answer_init(&answer);
    assert_int_equal(encode(&b->arena, batch, &body), 0);
    assert_int_equal(push(intake, b->store, STR(""), body, &answer), 0);
    intake_answer_release(&answer);
    intake_close(intake);
}

static void expect_samples(struct bench *b, struct view *view, const char *name, const struct labels *ls,
                           const struct sample *samples, size_t count)
{
    struct matcher m = bench_matcher("__name__", MATCH_EQUAL, name);
    struct series_set set = bench_select(b, view, &m, 1);
    assert_int_equal(set.count, 1);
    assert_true(labels_equal(view_labels(view, set.refs[0]), ls));
    struct sample_run run = bench_read(b, view, set.refs[0], 0, INT64_MAX);
    assert_int_equal(run.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(run.samples[i].t_ms, samples[i].t_ms);
        assert_int_equal(run.samples[i].start_ms, samples[i].start_ms);
        if (samples[i].histogram != NULL)
            assert_true(histogram_equal(run.samples[i].histogram, samples[i].histogram));
        else
            assert_true(double_bits(run.samples[i].value) == double_bits(samples[i].value));
    }
    matcher_release(&m);
}

/* start_ms: of the samples; 1.0 has no place for it. */
static void round_trip(int64_t start_ms, encode_call *encode, push_call *push)
{
    struct bench b;
    size_t used;
    bool hint;
    struct histogram *h;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    assert_int_equal(histogram_parse(&b.arena,
                                     STR("{{schema:1 sum:5.5 count:10 z_bucket:1 z_bucket_w:0.001 offset:-3 "
                                         "buckets:[2 0 3] n_offset:2 n_buckets:[4]}}"),
                                     &used, &h, &hint, NULL),
                     0);
    const struct labels *ls = labels_of(&b.arena, "__name__", "m", "a", "\"\n\xc3\xa9", "z", "m", NULL);
    const struct labels *other = labels_of(&b.arena, "__name__", "h", "a", "m", NULL);
    const struct sample samples[] = {{.t_ms = START_MS, .start_ms = start_ms, .value = -INFINITY},
                                     {.t_ms = START_MS + 1, .start_ms = start_ms, .value = stale_nan()},
                                     {.t_ms = START_MS + 2, .value = 1e-320}};
    const struct sample counts = {.t_ms = START_MS, .start_ms = start_ms, .histogram = h};
    const struct batch_series series[] = {{ls->item, ls->count, samples, 3},
                                          {other->item, other->count, &counts, 1}};
    push_all(&b, &(struct batch){.series = series, .count = 2}, encode, push);
    struct view *view = view_open(b.store);
    expect_samples(&b, view, "m", ls, samples, 3);
    expect_samples(&b, view, "h", other, &counts, 1);
    view_close(view);
    bench_close(&b);
}

static void what_is_encoded_is_stored_again_bit_for_bit(void **state)
{
    (void)state;
    round_trip(0, encode_push, intake_push);
}

static void in_2_0_start_timestamps_come_along(void **state)
{
    (void)state;
    round_trip(START_MS - 5000, encode_push_v2, intake_push_v2);
}

static void in_2_0_every_text_stands_once(void **state)
{
    (void)state;
    struct arena arena;
    struct str body;
    char raw[512];
    size_t bytes = sizeof raw;
    arena_init(&arena, 1 << 16);
    const struct labels *ls = labels_of(&arena, "__name__", "same", "same", "other", NULL);
    const struct sample sample = {.t_ms = START_MS};
    const struct batch_series series[] = {{ls->item, ls->count, &sample, 1},
                                          {ls->item, ls->count, &sample, 1}};
    assert_int_equal(encode_push_v2(&arena, &(struct batch){.series = series, .count = 2}, &body), 0);
    assert_int_equal(snappy_uncompress(body.p, body.n, raw, &bytes), SNAPPY_OK);
    WriteV2__Request *request = write_v2__request__unpack(NULL, bytes, (const uint8_t *)raw);
    assert_non_null(request);
    static const char *const symbols[] = {"", "__name__", "same", "other"};
    assert_int_equal(request->n_symbols, 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(str_is((struct str){(const char *)request->symbols[i].data, request->symbols[i].len},
                           symbols[i]));
    assert_int_equal(request->n_timeseries, 2);
    static const uint32_t refs[] = {1, 2, 2, 3};
    assert_int_equal(request->timeseries[1]->n_labels_refs, 4);
    assert_memory_equal(request->timeseries[1]->labels_refs, refs, sizeof refs);
    write_v2__request__free_unpacked(request, NULL);
    arena_release(&arena);
}

static void a_full_arena_gives_no_body(void **state)
{
    (void)state;
    struct arena small, labels;
    arena_init(&labels, 1 << 16);
    arena_init(&small, 256);
    const struct labels *ls = labels_of(&labels, "__name__", "m", NULL);
    struct sample samples[100] = {{.t_ms = START_MS}};
    const struct batch_series series = {ls->item, ls->count, samples, 100};
    const struct batch batch = {.series = &series, .count = 1};
    struct str body;
    assert_int_equal(encode_push(&small, &batch, &body), ERR_LIMIT);
    assert_int_equal(encode_push_v2(&small, &batch, &body), ERR_LIMIT);
    arena_release(&small);
    arena_release(&labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_stored_again_bit_for_bit),
        cmocka_unit_test(in_2_0_start_timestamps_come_along),
        cmocka_unit_test(in_2_0_every_text_stands_once),
        cmocka_unit_test(a_full_arena_gives_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
