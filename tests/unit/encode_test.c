#include "store_help.h"

#include "tocsin/encode.h"
#include "tocsin/intake.h"

#include <math.h>

static void what_is_encoded_is_stored_again_bit_for_bit(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    const struct labels *ls = labels_of(&b.arena, "__name__", "m", "a", "\"\n\xc3\xa9", NULL);
    const struct sample samples[] = {{.t_ms = START_MS, .value = -INFINITY},
                                     {.t_ms = START_MS + 1, .value = stale_nan()},
                                     {.t_ms = START_MS + 2, .value = 1e-320}};
    const struct batch_series series = {ls->item, ls->count, samples, 3};
    const struct batch batch = {.series = &series, .count = 1};
    struct str body;
    assert_int_equal(encode_push(&b.arena, &batch, &body), 0);

    struct intake *intake = intake_open(&b.sim.world);
    struct intake_answer answer;
    intake_answer_init(&answer);
    assert_int_equal(intake_push(intake, b.store, STR(""), body, &answer), 0);
    assert_int_equal(answer.appended, 3);
    struct view *view = view_open(b.store);
    struct matcher name;
    struct series_set set;
    struct sample_run run;
    assert_int_equal(matcher_init(&name, MATCH_EQUAL, STR("__name__"), STR("m"), REGEX_PROMQL, NULL), 0);
    assert_int_equal(view_select(view, &name, 1, &b.arena, &set), 0);
    assert_int_equal(set.count, 1);
    assert_true(labels_equal(view_labels(view, set.refs[0]), ls));
    assert_int_equal(view_read(view, set.refs[0], 0, INT64_MAX, &b.arena, &run), 0);
    assert_int_equal(run.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(run.samples[i].t_ms, samples[i].t_ms);
        assert_true(double_bits(run.samples[i].value) == double_bits(samples[i].value));
    }
    matcher_release(&name);
    view_close(view);
    intake_answer_release(&answer);
    intake_close(intake);
    bench_close(&b);
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
    arena_release(&small);
    arena_release(&labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_stored_again_bit_for_bit),
        cmocka_unit_test(a_full_arena_gives_no_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
