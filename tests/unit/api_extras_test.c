/* Exemplars and metadata over HTTP; shapes and words are Prometheus' (those that 2.42 shares are compared with it end to end). */
#include "../../engine/serve/http_priv.h"

#include "tocsin/extras.h"
#include "tocsin/labels.h"
#include "tocsin/promql.h"
#include "tocsin/stat.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW_MS = INT64_C(1435781451781);

struct fixture {
    struct world_sim sim;
    struct service service;
    struct arena arena;
    struct answer answer;
};

static struct fixture fixture;

static void add_exemplar(struct fixture *f, const struct labels *series, int64_t t_ms, double value,
                         const struct labels *labels)
{
    const struct exemplar e = {labels, value, t_ms};
    struct exemplar_result result = {0};
    store_exemplars(f->service.parts.store, series->item, series->count, &e, 1, &result);
    assert_int_equal(result.done, 1);
}

static const struct labels *add_series(struct fixture *f, const char *name, const char *job)
{
    const struct labels *ls = labels_of(&f->arena, "__name__", name, "job", job, NULL);
    const struct sample sample = {.t_ms = NOW_MS, .value = 1};
    const struct batch_series series = {ls->item, ls->count, &sample, 1};
    struct admit_result result = {0};
    store_admit(f->service.parts.store, &(struct batch){.series = &series, .count = 1}, &result);
    assert_int_equal(result.appended, 1);
    return ls;
}

static void fill(struct fixture *f)
{
    struct arena *a = &f->arena;
    const struct labels *second = add_series(f, "up", "b"), *first = add_series(f, "up", "a<b");
    const struct labels *other = add_series(f, "down", "a");
    add_series(f, "silent", "a");
    add_exemplar(f, second, NOW_MS, (double)INFINITY, labels_empty(a));
    add_exemplar(f, first, NOW_MS - 1781, 0.5, labels_of(a, "span", "1", "trace_id", "x\"\n<y>", NULL));
    add_exemplar(f, first, NOW_MS, 1e21, labels_of(a, "trace_id", "\xc3\xa9", NULL));
    add_exemplar(f, other, 0, (double)NAN, labels_of(a, "trace_id", "z", NULL));
    store_note_metadata(f->service.parts.store,
                        &(struct metadata){STR("up"), METADATA_GAUGE, STR("Is it <up>?\n\"Now\""), STR("")});
    store_note_metadata(f->service.parts.store,
                        &(struct metadata){STR("time"), METADATA_HISTOGRAM, STR("T\xff."), STR("seconds")});
    store_note_metadata(f->service.parts.store,
                        &(struct metadata){STR("load"), METADATA_UNKNOWN, STR(""), STR("")});
}

static int set_up(void **state)
{
    struct fixture *f = &fixture;
    *f = (struct fixture){0};
    world_sim_init(&f->sim, NOW_MS * NS_PER_MS, 1);
    const struct store_options options = {.retention_ms = INT64_C(86400000)};
    f->service.parts = (struct serve_parts){
        .world = &f->sim.world, .store = store_open(&options, &f->sim.world), .version = "0.0-test"};
    arena_init(&f->arena, 64 << 20);
    answer_init(&f->answer);
    fill(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->service.parts.store != NULL)
        store_close(f->service.parts.store);
    answer_release(&f->answer);
    arena_release(&f->arena);
    return 0;
}

static void ask(struct fixture *f, const char *method, const char *target, const char *form)
{
    answer_release(&f->answer);
    answer_init(&f->answer);
    arena_clear(&f->arena);
    struct request request = {.service = &f->service,
                              .method = http_method_of(str_of(method)),
                              .body = str_of(form),
                              .content_type = STR("application/x-www-form-urlencoded"),
                              .arena = &f->arena};
    assert_null(target_refusal(str_of(target)));
    assert_int_equal(target_parse(&f->arena, str_of(target), &request.target, NULL), 0);
    route_dispatch(&request, &f->answer);
}

static void expect(struct fixture *f, const char *target, int status, const char *body)
{
    ask(f, "GET", target, NULL);
    assert_string_equal(buf_text(&f->answer.body), body);
    assert_int_equal(f->answer.status, status);
    if (body[0] == '{')
        assert_string_equal(f->answer.content_type, "application/json");
}

#define OK "{\"status\":\"success\",\"data\":"
#define BAD "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\""
#define ASK "/api/v1/query_exemplars?query="
#define FIRST                                                                                                \
    "{\"seriesLabels\":{\"__name__\":\"up\",\"job\":\"a<b\"},\"exemplars\":["                                \
    "{\"labels\":{\"span\":\"1\",\"trace_id\":\"x\\\"\\n<y>\"},\"value\":\"0.5\",\"timestamp\":1435781450}," \
    "{\"labels\":{\"trace_id\":\"\xc3\xa9\"},\"value\":\"1e+21\",\"timestamp\":1435781451.781}]}"
#define SECOND                                                              \
    "{\"seriesLabels\":{\"__name__\":\"up\",\"job\":\"b\"},\"exemplars\":[" \
    "{\"labels\":{},\"value\":\"+Inf\",\"timestamp\":1435781451.781}]}"
#define OTHER                                                                 \
    "{\"seriesLabels\":{\"__name__\":\"down\",\"job\":\"a\"},\"exemplars\":[" \
    "{\"labels\":{\"trace_id\":\"z\"},\"value\":\"NaN\",\"timestamp\":0}]}"

static void exemplars_are_written_as_prometheus_does(void **state)
{
    expect(*state, ASK "up", 200, OK "[" FIRST "," SECOND "]}");
    expect(*state, ASK "silent", 200, OK "[]}");
    expect(*state, ASK "nothing", 200, OK "[]}");
}

static void of_an_expression_the_selectors_count(void **state)
{
    expect(*state, ASK "sum(rate(up%7Bjob=%22b%22%7D%5B5m%5D%20offset%201w))%20/%20(down%20@%201)", 200,
           OK "[" OTHER "," SECOND "]}");
    expect(*state, ASK "up%20and%20up%7Bjob!=%22b%22%7D", 200, OK "[" FIRST "," SECOND "]}");
    expect(*state, ASK "max_over_time(down%5B1h:%5D)", 200, OK "[" OTHER "]}");
    expect(*state, ASK "1%2B1", 204, "");
    expect(*state, ASK "time()", 204, "");
}

static void a_window_bounds_them(void **state)
{
    expect(
        *state, ASK "%7Bjob=~%22.%2B%22%7D&start=1435781451.781", 200,
        OK
        "[{\"seriesLabels\":{\"__name__\":\"up\",\"job\":\"a<b\"},\"exemplars\":["
        "{\"labels\":{\"trace_id\":\"\xc3\xa9\"},\"value\":\"1e+21\",\"timestamp\":1435781451.781}]}," SECOND
        "]}");
    expect(*state, ASK "%7Bjob=~%22.%2B%22%7D&end=1970-01-01T00:00:00Z", 200, OK "[" OTHER "]}");
    expect(*state, ASK "up&start=1435781450.001&end=1435781451.780", 200, OK "[]}");
    expect(*state, ASK "up&start=2&end=2", 200, OK "[]}");
}

static void parameters_come_from_a_form_too(void **state)
{
    ask(*state, "POST", "/api/v1/query_exemplars?end=1", "query=down");
    assert_string_equal(buf_text(&fixture.answer.body), OK "[" OTHER "]}");
}

static void what_is_wrong_is_said_in_prometheus_words(void **state)
{
    expect(*state, "/api/v1/query_exemplars", 400,
           BAD "unknown position: parse error: no expression found in input\"}");
    expect(*state, ASK "up%7B", 400, BAD "1:4: parse error: unexpected end of input inside braces\"}");
    expect(*state, ASK "up&start=2&end=1.999", 400,
           BAD "end timestamp must not be before start timestamp\"}");
    expect(*state, ASK "up&start=x", 400,
           BAD "invalid parameter \\\"start\\\": invalid time value for 'start': cannot parse \\\"x\\\" to a "
               "valid timestamp\"}");
    expect(*state, ASK "up&start=1&end=y", 400,
           BAD "invalid parameter \\\"end\\\": invalid time value for 'end': cannot parse \\\"y\\\" to a "
               "valid timestamp\"}");
}

#define LOAD "\"load\":[{\"type\":\"unknown\",\"help\":\"\",\"unit\":\"\"}]"
#define TIME "\"time\":[{\"type\":\"histogram\",\"help\":\"T\\ufffd.\",\"unit\":\"seconds\"}]"
#define UP "\"up\":[{\"type\":\"gauge\",\"help\":\"Is it \\u003cup\\u003e?\\n\\\"Now\\\"\",\"unit\":\"\"}]"

static void metadata_is_written_as_prometheus_does(void **state)
{
    expect(*state, "/api/v1/metadata", 200, OK "{" LOAD "," TIME "," UP "}}");
    expect(*state, "/api/v1/metadata?metric=time", 200, OK "{" TIME "}}");
    expect(*state, "/api/v1/metadata?metric=time_bucket", 200, OK "{}}");
}

static void of_several_meanings_of_a_metric_one_was_told(void **state)
{
    static const char both[] = OK "{\"load\":[{\"type\":\"unknown\",\"help\":\"\",\"unit\":\"\"},"
                                  "{\"type\":\"gauge\",\"help\":\"L.\",\"unit\":\"\"}]}}";
    struct fixture *f = *state;
    store_note_metadata(f->service.parts.store,
                        &(struct metadata){STR("load"), METADATA_GAUGE, STR("L."), STR("")});
    expect(f, "/api/v1/metadata?metric=load", 200, both);
    expect(f, "/api/v1/metadata?limit=1&limit_per_metric=0", 200, both);
    expect(f, "/api/v1/metadata?limit=1&limit_per_metric=2", 200, both);
    expect(f, "/api/v1/metadata?limit_per_metric=1", 200, OK "{" LOAD "," TIME "," UP "}}");
}

static void metadata_is_limited(void **state)
{
    expect(*state, "/api/v1/metadata?limit=2", 200, OK "{" LOAD "," TIME "}}");
    expect(*state, "/api/v1/metadata?limit=0", 200, OK "{}}");
    expect(*state, "/api/v1/metadata?limit=-1&limit_per_metric=1", 200, OK "{" LOAD "," TIME "," UP "}}");
    expect(*state, "/api/v1/metadata?limit=x", 400, BAD "limit must be a number\"}");
    expect(*state, "/api/v1/metadata?limit_per_metric=x", 400, BAD "limit_per_metric must be a number\"}");
    ask(*state, "POST", "/api/v1/metadata", "");
    assert_int_equal(fixture.answer.status, 405);
}

static void an_arena_that_is_full_is_said(void **state)
{
    struct fixture *f = *state;
    static const char *const targets[] = {ASK "up", "/api/v1/metadata"};
    for (size_t i = 0; i < 2; i++) {
        size_t refused = 0;
        for (size_t cap = 64; cap < 1 << 16; cap += 32) {
            struct arena small = f->arena;
            arena_init(&f->arena, cap);
            answer_release(&f->answer);
            answer_init(&f->answer);
            struct request request = {.service = &f->service, .method = HTTP_GET, .arena = &f->arena};
            if (target_parse(&f->arena, str_of(targets[i]), &request.target, NULL) == 0) {
                route_dispatch(&request, &f->answer);
                assert_true(f->answer.status == 200 || f->answer.status == 422 || f->answer.status == 400);
                refused += f->answer.status != 200;
            }
            arena_release(&f->arena);
            f->arena = small;
        }
        assert_int_equal(f->answer.status, 200);
        assert_int_not_equal(refused, 0);
    }
}

static void without_a_store_there_is_nothing_to_ask(void **state)
{
    struct fixture *f = *state;
    store_close(f->service.parts.store);
    f->service.parts.store = NULL;
    expect(f, ASK "up", 404, "404 page not found\n");
    expect(f, "/api/v1/metadata", 404, "404 page not found\n");
}

static void assert_shows(struct fixture *f, const char *line)
{
    if (strstr(buf_text(&f->answer.body), line) == NULL)
        fail_msg("/metrics lacks \"%s\"", line);
}

static void metrics_tell_how_many_there_are(void **state)
{
    struct fixture *f = *state;
    ask(f, "GET", "/metrics", NULL);
    assert_shows(f, "\nprometheus_tsdb_exemplar_exemplars_in_storage 4\n");
    assert_shows(f, "\nprometheus_tsdb_exemplar_series_with_exemplars_in_storage 3\n");
    assert_shows(f, "\nprometheus_tsdb_exemplar_last_exemplars_timestamp_seconds 1.435781451781e+09\n");
    assert_shows(f, "\nprometheus_tsdb_exemplar_max_exemplars 100000\n");
    assert_shows(f, "\nprometheus_tsdb_exemplar_out_of_order_exemplars_total 0\n");
    assert_shows(f, "\n# TYPE prometheus_tsdb_exemplar_exemplars_appended_total counter\n");
    assert_shows(f, "\ntocsin_metadata_families 3\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exemplars_are_written_as_prometheus_does),
        TEST(of_an_expression_the_selectors_count),
        TEST(a_window_bounds_them),
        TEST(parameters_come_from_a_form_too),
        TEST(what_is_wrong_is_said_in_prometheus_words),
        TEST(metadata_is_written_as_prometheus_does),
        TEST(of_several_meanings_of_a_metric_one_was_told),
        TEST(metadata_is_limited),
        TEST(an_arena_that_is_full_is_said),
        TEST(without_a_store_there_is_nothing_to_ask),
        TEST(metrics_tell_how_many_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
