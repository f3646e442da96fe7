#include "store_help.h"

#include "tocsin/limits.h"
#include "tocsin/simulate.h"

#include <math.h>

struct play {
    struct simulation *sim;
    struct arena arena;
};

static void play_open(struct play *p, struct simulate_options options)
{
    options.start_ms = START_MS;
    arena_init(&p->arena, 64 << 20);
    assert_int_equal(simulate_open(&options, &p->sim, NULL), 0);
}

static void play_close(struct play *p)
{
    simulate_close(p->sim);
    arena_release(&p->arena);
}

static struct batch at(struct play *p, int64_t after_ms)
{
    struct batch batch;
    assert_int_equal(simulate_at(p->sim, START_MS + after_ms, &p->arena, &batch), 0);
    return batch;
}

static struct str value_of(const struct batch_series *series, const char *name)
{
    for (size_t i = 0; i < series->label_count; i++)
        if (str_is(series->labels[i].name, name))
            return series->labels[i].value;
    return (struct str){0};
}

/* Sum over the series of a name, a service and perhaps a code or bound. */
static double total(const struct batch *batch, const char *name, const char *service, const char *label,
                    const char *value)
{
    double sum = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_series *s = &batch->series[i];
        if (str_is(value_of(s, "__name__"), name) && str_is(value_of(s, "service"), service) &&
            (label == NULL || str_is(value_of(s, label), value)))
            sum += s->samples[0].value;
    }
    return sum;
}

static void every_series_is_well_formed_and_distinct(void **state)
{
    (void)state;
    struct play p;
    struct bench b;
    play_open(&p, (struct simulate_options){.services = 12, .instances = 2});
    bench_open(&b, (struct store_options){.retention_ms = HOUR_MS});
    struct batch batch = at(&p, 0);
    assert_int_equal(batch.count, 12 * 2 * 18);
    for (size_t i = 0; i < batch.count; i++)
        for (size_t k = 1; k < batch.series[i].label_count; k++)
            assert_true(str_cmp(batch.series[i].labels[k - 1].name, batch.series[i].labels[k].name) < 0);
    struct admit_result result = {0};
    store_admit(b.store, &batch, &result);
    assert_int_equal(result.appended, batch.count);
    assert_int_equal(bench_figures(&b).series, batch.count);
    assert_true(str_is(value_of(&batch.series[0], "service"), "checkout"));
    assert_true(str_is(value_of(&batch.series[batch.count - 1], "service"), "service-12"));
    bench_close(&b);
    play_close(&p);
}

static void kubernetes_labels_are_on_every_series_in_order(void **state)
{
    (void)state;
    static const char *const names[] = {"container", "endpoint", "instance", "job",
                                        "namespace", "pod",      "service"};
    struct play p;
    play_open(&p, (struct simulate_options){.services = 3, .instances = 2, .kubernetes = true});
    struct batch batch = at(&p, 0);
    for (size_t i = 0; i < batch.count; i++) {
        for (size_t k = 1; k < batch.series[i].label_count; k++)
            assert_true(str_cmp(batch.series[i].labels[k - 1].name, batch.series[i].labels[k].name) < 0);
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            assert_true(value_of(&batch.series[i], names[k]).n > 0);
    }
    assert_false(str_eq(value_of(&batch.series[0], "pod"), value_of(&batch.series[18], "pod")));
    play_close(&p);
}

static void counters_depend_on_the_time_alone(void **state)
{
    (void)state;
    struct play a, b;
    struct simulate_disturbance outage = {STR("cart"), 20000, 10000, SIMULATE_DOWN, 0};
    struct simulate_options options = {
        .seed = 7, .services = 5, .disturbances = &outage, .disturbance_count = 1};
    play_open(&a, options);
    play_open(&b, options);
    for (int64_t t_ms = 0; t_ms < 60000; t_ms += 1700)
        at(&a, t_ms);
    at(&b, 120000);
    struct batch x = at(&a, 60000);
    struct batch y = at(&b, 60000); /* back in time */
    for (size_t i = 0; i < x.count; i++)
        assert_true(double_bits(x.series[i].samples[0].value) == double_bits(y.series[i].samples[0].value));
    play_close(&a);
    play_close(&b);
}

static void another_seed_gives_other_numbers(void **state)
{
    (void)state;
    struct play a, b;
    play_open(&a, (struct simulate_options){.seed = 1});
    play_open(&b, (struct simulate_options){.seed = 2});
    struct batch x = at(&a, 600000);
    struct batch y = at(&b, 600000);
    assert_true(total(&x, "http_requests_total", "cart", NULL, NULL) == 0); /* four services only */
    assert_true(total(&x, "http_requests_total", "search", NULL, NULL) !=
                total(&y, "http_requests_total", "search", NULL, NULL));
    play_close(&a);
    play_close(&b);
}

static void counters_never_fall_and_agree_with_each_other(void **state)
{
    (void)state;
    struct play p;
    struct simulate_disturbance errors = {STR("search"), 60000, 60000, SIMULATE_ERRORS, 0.7};
    play_open(&p, (struct simulate_options){
                      .requests_per_s = 1.3, .disturbances = &errors, .disturbance_count = 1});
    struct batch before = at(&p, 0);
    for (int64_t t_ms = 1000; t_ms <= 200000; t_ms += 1000) {
        struct batch now = at(&p, t_ms);
        for (size_t i = 0; i < now.count; i++)
            assert_true(now.series[i].samples[0].value >= before.series[i].samples[0].value);
        double requests = total(&now, "http_requests_total", "search", NULL, NULL);
        assert_true(requests == total(&now, "http_request_duration_seconds_count", "search", NULL, NULL));
        assert_true(requests == total(&now, "http_request_duration_seconds_bucket", "search", "le", "+Inf"));
        assert_true(requests >= total(&now, "http_request_duration_seconds_bucket", "search", "le", "10"));
        before = now;
    }
    play_close(&p);
}

static void load_errors_and_latency_are_as_asked(void **state)
{
    (void)state;
    struct play p;
    play_open(&p, (struct simulate_options){
                      .instances = 2, .requests_per_s = 50, .error_ratio = 0.02, .latency_s = 0.1});
    struct batch day = at(&p, 24 * HOUR_MS);
    double requests = total(&day, "http_requests_total", "checkout", NULL, NULL);
    double failed = total(&day, "http_requests_total", "checkout", "code", "500");
    double fast = total(&day, "http_request_duration_seconds_bucket", "checkout", "le", "0.1");
    assert_true(fabs(requests / (2 * 50.0 * 86400) - 1) < 0.01);
    assert_true(fabs(failed / requests - 0.02) < 1e-5);
    assert_true(fabs(fast / requests - 0.5) < 1e-5); /* the median */
    play_close(&p);
}

static void a_disturbance_touches_its_service_and_time_only(void **state)
{
    (void)state;
    struct play p;
    const struct simulate_disturbance list[] = {{STR("search"), 60000, 60000, SIMULATE_ERRORS, 0.5},
                                                {STR("payments"), 60000, 60000, SIMULATE_LATENCY, 10}};
    play_open(&p, (struct simulate_options){.error_ratio = 0, .disturbances = list, .disturbance_count = 2});
    struct batch before = at(&p, 60000);
    struct batch during = at(&p, 120000);
    struct batch after = at(&p, 180000);
    assert_true(total(&before, "http_requests_total", "search", "code", "500") == 0);
    double failed = total(&during, "http_requests_total", "search", "code", "500");
    double requests = total(&during, "http_requests_total", "search", NULL, NULL) -
                      total(&before, "http_requests_total", "search", NULL, NULL);
    assert_true(fabs(failed / requests - 0.5) < 0.01);
    assert_true(total(&after, "http_requests_total", "search", "code", "500") == failed);
    assert_true(total(&after, "http_requests_total", "checkout", "code", "500") == 0);
    double slow = total(&during, "http_request_duration_seconds_bucket", "payments", "le", "0.25") -
                  total(&before, "http_request_duration_seconds_bucket", "payments", "le", "0.25");
    double ordinary = total(&during, "http_request_duration_seconds_bucket", "search", "le", "0.25") -
                      total(&before, "http_request_duration_seconds_bucket", "search", "le", "0.25");
    assert_true(slow < ordinary / 4);
    play_close(&p);
}

static void a_service_that_is_down_goes_stale_and_starts_again_at_zero(void **state)
{
    (void)state;
    struct play p;
    const struct simulate_disturbance down = {STR("search"), 60000, 60000, SIMULATE_DOWN, 0};
    play_open(&p, (struct simulate_options){.disturbances = &down, .disturbance_count = 1});
    struct batch before = at(&p, 59000);
    struct batch during = at(&p, 60000);
    struct batch after = at(&p, 121000);
    assert_true(total(&before, "up", "search", NULL, NULL) == 3);
    assert_true(total(&during, "up", "search", NULL, NULL) == 0);
    assert_true(total(&during, "up", "checkout", NULL, NULL) == 3);
    for (size_t i = 0; i < during.count; i++)
        if (str_is(value_of(&during.series[i], "service"), "search") &&
            !str_is(value_of(&during.series[i], "__name__"), "up"))
            assert_true(is_stale_nan(during.series[i].samples[0].value));
    assert_true(total(&after, "up", "search", NULL, NULL) == 3);
    assert_true(total(&after, "http_requests_total", "search", NULL, NULL) <
                total(&before, "http_requests_total", "search", NULL, NULL) / 10);
    play_close(&p);
}

static void senseless_options_are_refused(void **state)
{
    (void)state;
    struct simulation *sim;
    struct err err = {0};
    const struct simulate_disturbance bad[] = {{STR("nobody"), 0, 1, SIMULATE_DOWN, 0},
                                               {STR("cart"), -1, 1, SIMULATE_DOWN, 0},
                                               {STR("cart"), 0, 1, SIMULATE_ERRORS, 1.5},
                                               {STR("cart"), 0, 1, SIMULATE_ERRORS, NAN},
                                               {STR("cart"), 0, 1, SIMULATE_LATENCY, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct simulate_options o = {.services = 5, .disturbances = &bad[i], .disturbance_count = 1};
        assert_int_equal(simulate_open(&o, &sim, &err), ERR_ARG);
        assert_true(err.text[0] != '\0');
    }
    struct simulate_options many = {.services = SIZE_MAX / 2, .instances = 3};
    assert_int_equal(simulate_open(&many, &sim, &err), ERR_ARG);
    many.services = 1000000;
    assert_int_equal(simulate_open(&many, &sim, &err), ERR_ARG);
}

static void the_time_before_the_start_and_a_small_arena_are_refused(void **state)
{
    (void)state;
    struct play p;
    struct batch batch;
    struct arena small;
    play_open(&p, (struct simulate_options){0});
    assert_int_equal(simulate_at(p.sim, START_MS - 1, &p.arena, &batch), ERR_ARG);
    arena_init(&small, 1000);
    assert_int_equal(simulate_at(p.sim, START_MS, &small, &batch), ERR_LIMIT);
    arena_release(&small);
    play_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_series_is_well_formed_and_distinct),
        cmocka_unit_test(kubernetes_labels_are_on_every_series_in_order),
        cmocka_unit_test(counters_depend_on_the_time_alone),
        cmocka_unit_test(another_seed_gives_other_numbers),
        cmocka_unit_test(counters_never_fall_and_agree_with_each_other),
        cmocka_unit_test(load_errors_and_latency_are_as_asked),
        cmocka_unit_test(a_disturbance_touches_its_service_and_time_only),
        cmocka_unit_test(a_service_that_is_down_goes_stale_and_starts_again_at_zero),
        cmocka_unit_test(senseless_options_are_refused),
        cmocka_unit_test(the_time_before_the_start_and_a_small_arena_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
