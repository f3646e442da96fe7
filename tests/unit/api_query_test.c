#include "../../engine/serve/http_priv.h"

#include "tocsin/labels.h"
#include "tocsin/promql.h"
#include "tocsin/ruler.h"
#include "tocsin/stat.h"
#include "tocsin/store.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW_MS = INT64_C(1435781451781);

struct fixture {
    struct world_sim sim;
    struct service service;
    struct promql_options promql;
    struct arena arena;
    struct answer answer;
    atomic_bool gone;
    int64_t queued_ns; /* the client of every request */
};

static struct fixture fixture;

static void add(struct fixture *f, int64_t t_ms, double value, struct labels *ls)
{
    const struct sample sample = {.t_ms = t_ms, .value = value};
    const struct batch_series series = {ls->item, ls->count, &sample, 1};
    const struct batch batch = {.series = &series, .count = 1};
    struct admit_result result = {0};
    store_admit(f->service.parts.store, &batch, &result);
    assert_int_equal(result.appended, 1);
}

static void fill(struct fixture *f)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    for (int i = 4; i >= 0; i--) {
        double value = 10 - i;
        add(f, NOW_MS - i * 15000, value, labels_of(&a, "__name__", "up", "job", "a<b", NULL));
        add(f, NOW_MS - i * 15000, -value,
            labels_of(&a, "__name__", "up", "job", "b", "x", "\xc3\xa9", NULL));
    }
    add(f, NOW_MS, (double)NAN, labels_of(&a, "__name__", "odd", "kind", "nan", NULL));
    add(f, NOW_MS, (double)INFINITY, labels_of(&a, "__name__", "odd", "kind", "inf", NULL));
    add(f, NOW_MS, 1e21, labels_of(&a, "__name__", "odd", "kind", "large", NULL));
    add(f, NOW_MS, 1e-7, labels_of(&a, "__name__", "odd", "kind", "small", NULL));
    add(f, NOW_MS - 3600000, 1, labels_of(&a, "__name__", "old", "http.status", "x", NULL));
    arena_release(&a);
}

static int set_up(void **state)
{
    struct fixture *f = &fixture;
    *f = (struct fixture){0};
    world_sim_init(&f->sim, NOW_MS * NS_PER_MS, 1);
    const struct store_options options = {.retention_ms = INT64_C(86400000), .out_of_order_ms = 7200000};
    f->promql.features = promql_features_default;
    f->promql.world = &f->sim.world;
    f->service.parts = (struct serve_parts){.world = &f->sim.world,
                                            .store = store_open(&options, &f->sim.world),
                                            .promql = &f->promql,
                                            .version = "0.0-test",
                                            .started_ns = NOW_MS * NS_PER_MS};
    arena_init(&f->arena, 64 << 20);
    answer_init(&f->answer);
    fill(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->service.parts.ruler != NULL)
        ruler_close(f->service.parts.ruler);
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
                              .queued_ns = f->queued_ns,
                              .arena = &f->arena,
                              .gone = &f->gone};
    assert_null(target_refusal(str_of(target)));
    assert_int_equal(target_parse(&f->arena, str_of(target), &request.target, NULL), 0);
    route_dispatch(&request, &f->answer);
}

static void expect(struct fixture *f, const char *target, int status, const char *body)
{
    ask(f, "GET", target, NULL);
    assert_int_equal(f->answer.status, status);
    assert_string_equal(buf_text(&f->answer.body), body);
    if (body[0] == '{')
        assert_string_equal(f->answer.content_type, "application/json");
}

#define OK "{\"status\":\"success\",\"data\":"
#define BAD "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\""
#define VECTOR OK "{\"resultType\":\"vector\",\"result\":"

static void a_vector_is_written_as_prometheus_does(void **state)
{
    expect(*state, "/api/v1/query?query=vector(1)", 200,
           VECTOR "[{\"metric\":{},\"value\":[1435781451.781,\"1\"]}]}}");
    expect(*state, "/api/v1/query?query=up%7Bjob=%22b%22%7D&time=1435781451.781", 200,
           VECTOR "[{\"metric\":{\"__name__\":\"up\",\"job\":\"b\",\"x\":\"\xc3\xa9\"},"
                  "\"value\":[1435781451.781,\"-10\"]}]}}");
    expect(*state, "/api/v1/query?query=nothing&time=2015-07-01T20:10:51.781Z", 200, VECTOR "[]}}");
}

static void label_values_are_not_html_escaped(void **state)
{
    ask(*state, "GET", "/api/v1/query?query=up%7Bjob=~%22a.*%22%7D", NULL);
    assert_non_null(strstr(buf_text(&fixture.answer.body), "\"job\":\"a<b\""));
}

static void odd_values_are_written_as_go_does(void **state)
{
    static const char *const pairs[][2] = {
        {"nan", "\"NaN\""}, {"inf", "\"+Inf\""}, {"large", "\"1e+21\""}, {"small", "\"1e-07\""}};
    for (size_t i = 0; i < 4; i++) {
        char target[128];
        (void)snprintf(target, sizeof target, "/api/v1/query?query=odd%%7Bkind=%%22%s%%22%%7D", pairs[i][0]);
        ask(*state, "GET", target, NULL);
        assert_non_null(strstr(buf_text(&fixture.answer.body), pairs[i][1]));
    }
}

static void scalars_and_strings_have_plain_times(void **state)
{
    expect(*state, "/api/v1/query?query=2&time=1.5", 200,
           OK "{\"resultType\":\"scalar\",\"result\":[1.5,\"2\"]}}");
    expect(*state, "/api/v1/query?query=1e21&time=1", 200,
           OK "{\"resultType\":\"scalar\",\"result\":[1,\"1000000000000000000000\"]}}");
    expect(*state, "/api/v1/query?query=%22a%22&time=1", 200,
           OK "{\"resultType\":\"string\",\"result\":[1,\"a\"]}}");
}

static void a_range_is_written_as_a_matrix(void **state)
{
    expect(*state, "/api/v1/query_range?query=vector(1)&start=1&end=3.5&step=1.5", 200,
           OK
           "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[[1,\"1\"],[2.500,\"1\"]]}]}}");
    expect(*state, "/api/v1/query_range?query=nothing&start=1&end=2&step=1s", 200,
           OK "{\"resultType\":\"matrix\",\"result\":[]}}");
}

static void parameters_come_from_the_form_too(void **state)
{
    ask(*state, "POST", "/api/v1/query?time=2", "query=1");
    assert_string_equal(buf_text(&fixture.answer.body),
                        OK "{\"resultType\":\"scalar\",\"result\":[2,\"1\"]}}");
    ask(*state, "POST", "/api/v1/query", "query=%zz");
    assert_int_equal(fixture.answer.status, 400);
}

static void a_limit_truncates_and_says_so(void **state)
{
    ask(*state, "GET", "/api/v1/query?query=odd&limit=1", NULL);
    assert_non_null(
        strstr(buf_text(&fixture.answer.body), "\"warnings\":[\"results truncated due to limit\"]"));
    expect(*state, "/api/v1/label/kind/values?limit=2", 200,
           OK "[\"inf\",\"large\"],\"warnings\":[\"results truncated due to limit\"]}");
    expect(*state, "/api/v1/query?query=up&limit=x", 400,
           BAD "invalid parameter \\\"limit\\\": strconv.Atoi: parsing \\\"x\\\": invalid syntax\"}");
    expect(*state, "/api/v1/query?query=up&limit=-1", 400,
           BAD "invalid parameter \\\"limit\\\": limit must be non-negative\"}");
}

static void expect_part(struct fixture *f, const char *target, const char *part)
{
    ask(f, "GET", target, NULL);
    if (strstr(buf_text(&f->answer.body), part) == NULL)
        fail_msg("%s: no %s\nin %s", target, part, buf_text(&f->answer.body));
}

static void limits_are_numbers_from_nothing_on(void **state)
{
    static const char *const apis[] = {"query?query=odd&", "query_range?query=odd&start=1&end=2&step=1&",
                                       "series?match[]=odd&", "labels?", "label/kind/values?"};
    static const char *const cases[][2] = {
        {"limit=-1", "limit must be non-negative"},
        {"limit=1.5", "strconv.Atoi: parsing \\\"1.5\\\": invalid syntax"},
        {"limit=-", "strconv.Atoi: parsing \\\"-\\\": invalid syntax"},
        {"limit=%22", "strconv.Atoi: parsing \\\"\\\\\\\"\\\": invalid syntax"},
        {"limit=9223372036854775808",
         "strconv.Atoi: parsing \\\"9223372036854775808\\\": value out of range"},
    };
    for (size_t a = 0; a < sizeof apis / sizeof apis[0]; a++) {
        char target[128], body[256];
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            (void)snprintf(target, sizeof target, "/api/v1/%s%s", apis[a], cases[c][0]);
            (void)snprintf(body, sizeof body, BAD "invalid parameter \\\"limit\\\": %s\"}", cases[c][1]);
            expect(*state, target, 400, body);
        }
        (void)snprintf(target, sizeof target, "/api/v1/%slimit=0", apis[a]);
        ask(*state, "GET", target, NULL);
        assert_int_equal(fixture.answer.status, 200);
        assert_null(strstr(buf_text(&fixture.answer.body), "truncated"));
    }
}

static void a_timeout_of_nothing_has_passed(void **state)
{
    expect(
        *state, "/api/v1/query?query=1&timeout=0", 503,
        "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out in query execution\"}");
    expect_part(*state, "/api/v1/query?query=(&timeout=-1", "unclosed left parenthesis");
    expect_part(*state, "/api/v1/query?query=1&timeout=1h", "success");
}

static void a_query_brings_its_own_look_back(void **state)
{
    static const char recent[] = "/api/v1/query?query=odd%7Bkind=%22inf%22%7D&time=1435781461.781";
    char target[128];
    fixture.promql.lookback_ms = 5000;
    expect(*state, recent, 200, VECTOR "[]}}");
    (void)snprintf(target, sizeof target, "%s&lookback_delta=20s", recent);
    expect_part(*state, target, "\"+Inf\"");
    (void)snprintf(target, sizeof target, "%s&lookback_delta=-20s", recent);
    expect_part(*state, target, "cannot parse \\\"-20s\\\" to a valid duration");
    (void)snprintf(target, sizeof target, "%s&lookback_delta=-20", recent);
    expect(*state, target, 200, VECTOR "[]}}");
}

#define NO_TIME                                                                                             \
    "\"timings\":{\"evalTotalTime\":0,\"resultSortTime\":0,\"queryPreparationTime\":0,\"innerEvalTime\":0," \
    "\"execQueueTime\":0,\"execTotalTime\":0}"

static void statistics_are_told_when_asked_for(void **state)
{
    fixture.promql.features.per_step_stats = true;
    expect_part(*state, "/api/v1/query?query=up&stats=true",
                "],\"stats\":{" NO_TIME
                ",\"samples\":{\"totalQueryableSamples\":2,\"samplesRead\":2,\"peakSamples\":2}}}}");
    expect_part(*state,
                "/api/v1/query_range?query=count_over_time(up%5B30s%5D)&start=1435781436.781&end=1435781451."
                "781&step=15&stats=all",
                "],\"stats\":{" NO_TIME
                ",\"samples\":{\"totalQueryableSamplesPerStep\":[[1435781436.781,4],[1435781451.781,4]],"
                "\"totalQueryableSamples\":8,\"samplesReadPerStep\":[[1435781436.781,4],[1435781451.781,2]],"
                "\"samplesRead\":6,\"peakSamples\":");
    ask(*state, "GET", "/api/v1/query?query=up", NULL);
    assert_null(strstr(buf_text(&fixture.answer.body), "stats"));
}

static void statistics_of_steps_were_told_without_their_flag(void **state)
{
    expect_part(*state, "/api/v1/query?query=up&stats=all",
                "],\"stats\":{" NO_TIME
                ",\"samples\":{\"totalQueryableSamples\":2,\"samplesRead\":2,\"peakSamples\":2}}}}");
}

static void other_words_for_statistics_are_taken_with_a_warning(void **state)
{
    expect_part(*state, "/api/v1/query?query=1&stats=1%22",
                "\"peakSamples\":1}}},\"warnings\":[\"value \\\"1\\\\\\\"\\\" for parameter \\\"stats\\\" is "
                "deprecated and "
                "will be rejected in the next major release, use \\\"true\\\" or \\\"all\\\"\"]}");
}

static void ten_notes_are_enough(void **state)
{
    struct fixture *f = *state;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (int i = 0; i < 13; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "many_%c", 'a' + i);
        for (int k = 1; k >= 0; k--)
            add(f, NOW_MS - k * 1000, 1, labels_of(&a, "__name__", name, "n", name, NULL));
    }
    arena_release(&a);
    ask(f, "GET", "/api/v1/query?query=rate(%7B__name__=~%22many_a%7Cmany_b%22%7D%5B1m%5D)", NULL);
    assert_null(strstr(buf_text(&f->answer.body), "omitted"));
    ask(f, "GET", "/api/v1/query?query=rate(%7B__name__=~%22many.*%22%7D%5B1m%5D)", NULL);
    const char *infos = strstr(buf_text(&f->answer.body), "\"infos\":[");
    assert_non_null(infos);
    assert_non_null(strstr(infos, ",\"3 more info annotations omitted\"]}"));
}

static void bad_parameters_are_named(void **state)
{
    static const char *const cases[][2] = {
        {"query",
         "invalid parameter \\\"query\\\": unknown position: parse error: no expression found in input"},
        {"query?query=1%2B", "invalid parameter \\\"query\\\": 1:3: parse error: unexpected end of input"},
        {"query?query=up&time=x", "invalid parameter \\\"time\\\": invalid time value for 'time': cannot "
                                  "parse \\\"x\\\" to a valid timestamp"},
        {"query_range?query=up&start=%22&end=2",
         "invalid parameter \\\"start\\\": cannot parse \\\"\\\\\\\"\\\" to a valid timestamp"},
        {"query_range?query=up&start=1&end=2&step=1e10",
         "invalid parameter \\\"step\\\": cannot parse \\\"1e10\\\" to a valid duration. It overflows int64"},
        {"label/%FF/values", "invalid label name: \\\"\\\\xff\\\""},
        {"query?query=up&timeout=x",
         "invalid parameter \\\"timeout\\\": cannot parse \\\"x\\\" to a valid duration"},
        {"query?query=up&lookback_delta=x",
         "error parsing lookback delta duration: cannot parse \\\"x\\\" to a valid duration"},
        {"query_range?query=up",
         "invalid parameter \\\"start\\\": cannot parse \\\"\\\" to a valid timestamp"},
        {"query_range?query=up&start=1&end=2",
         "invalid parameter \\\"step\\\": cannot parse \\\"\\\" to a valid duration"},
        {"query_range?query=up&start=1&end=2&step=0", "invalid parameter \\\"step\\\": zero or negative "
                                                      "query resolution step widths are not accepted. Try a "
                                                      "positive integer"},
        {"query_range?query=up&start=1&end=0&step=1",
         "invalid parameter \\\"end\\\": end timestamp must not be before start time"},
        {"query_range?query=up&start=0&end=11001&step=1",
         "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
         "(?step=XX)"},
        {"query_range?query=%22a%22&start=1&end=10&step=1",
         "invalid parameter \\\"query\\\": invalid expression type \\\"string\\\" for range query, must be "
         "Scalar or "
         "instant Vector"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char target[256], body[512];
        (void)snprintf(target, sizeof target, "/api/v1/%s", cases[i][0]);
        (void)snprintf(body, sizeof body, BAD "%s\"}", cases[i][1]);
        expect(*state, target, 400, body);
    }
}

static void exactly_the_largest_number_of_points_is_taken(void **state)
{
    ask(*state, "GET", "/api/v1/query_range?query=nothing&start=0&end=11000&step=1", NULL);
    assert_int_equal(fixture.answer.status, 200);
}

static void errors_while_evaluating_are_422(void **state)
{
    ask(*state, "GET",
        "/api/v1/query?query=-%7B__name__=~%22up%7Codd%22,kind=%22%22,job=%22b%22%7D%20%2B%20on()%20up",
        NULL);
    assert_int_equal(fixture.answer.status, 422);
    assert_non_null(strstr(buf_text(&fixture.answer.body), "\"errorType\":\"execution\""));
}

static void a_query_over_its_samples_is_told_as_prometheus_tells_it(void **state)
{
    struct fixture *f = *state;
    f->promql.samples_max = 3;
    expect(
        f, "/api/v1/query?query=up[5m]", 422,
        "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"query processing would load too many "
        "samples into memory in query execution\"}");
    ask(f, "GET", "/api/v1/query?query=up", NULL);
    assert_int_equal(f->answer.status, 200);
}

/* A clock that runs a second further each time somebody looks. */
static int64_t hurrying_mono(struct world *w)
{
    struct world_sim *sim = (struct world_sim *)w;
    sim->now_ns += NS_PER_S;
    return sim->now_ns;
}

static void a_query_past_its_timeout_is_told_as_prometheus_tells_it(void **state)
{
    struct fixture *f = *state;
    f->sim.world.mono_ns = hurrying_mono;
    expect(f, "/api/v1/query?query=up&timeout=500ms", 503,
           "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out in expression "
           "evaluation\"}");
    ask(f, "GET", "/api/v1/query?query=up&timeout=100s", NULL);
    assert_int_equal(f->answer.status, 200);
    f->promql.timeout_ms = 500; /* what the process allows at most */
    ask(f, "GET", "/api/v1/query?query=up&timeout=100s", NULL);
    assert_int_equal(f->answer.status, 503);
}

/* What is left of its time, of a query that has waited for two seconds. */
static void the_time_a_query_waited_did_not_count(void **state)
{
    struct fixture *f = *state;
    f->sim.now_ns = NOW_MS * NS_PER_MS;
    f->queued_ns = f->sim.now_ns - 2 * NS_PER_S;
    ask(f, "GET", "/api/v1/query?query=up&timeout=2001ms", NULL);
    assert_int_equal(f->answer.status, 200);
    expect(
        f, "/api/v1/query?query=up&timeout=2s", 503,
        "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out in query execution\"}");
    f->sim.world.mono_ns = hurrying_mono;
    expect(f, "/api/v1/query?query=up&timeout=3500ms", 503,
           "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out in expression "
           "evaluation\"}");
}

static void a_query_nested_too_deep_is_refused(void **state)
{
    struct fixture *f = *state;
    struct buf target;
    const char *const parts[] = {"(", "-"};
    for (size_t i = 0; i < 2; i++) {
        buf_init(&target, 1 << 20);
        buf_puts(&target, "/api/v1/query?query=");
        for (int k = 0; k < 5000; k++)
            buf_puts(&target, parts[i]);
        buf_char(&target, '1');
        ask(f, "GET", buf_text(&target), NULL);
        assert_int_equal(f->answer.status, 400);
        assert_non_null(strstr(buf_text(&f->answer.body), "invalid parameter \\\"query\\\": "));
        buf_release(&target);
    }
}

static void evaluations_give_up_when_nobody_waits_for_them(void **state)
{
    struct fixture *f = *state;
    atomic_store(&f->gone, true);
    ask(f, "GET", "/api/v1/query_range?query=rate(up%5B1m%5D)&start=1435770000&end=1435781000&step=1", NULL);
    assert_int_equal(f->answer.status, 499);
    assert_non_null(strstr(buf_text(&f->answer.body), "\"errorType\":\"canceled\""));
}

static void label_names_and_values_are_sorted(void **state)
{
    expect(*state, "/api/v1/labels", 200, OK "[\"__name__\",\"http.status\",\"job\",\"kind\",\"x\"]}");
    expect(*state, "/api/v1/labels?match[]=up%7Bx!=%22%22%7D", 200, OK "[\"__name__\",\"job\",\"x\"]}");
    expect(*state, "/api/v1/label/job/values", 200, OK "[\"a\\u003cb\",\"b\"]}");
    expect(*state, "/api/v1/label/nope/values", 200, OK "[]}");
    expect(*state, "/api/v1/label/U__http_2e_status/values", 200, OK "[\"x\"]}");
    expect(*state, "/api/v1/label/http.status/values", 200, OK "[\"x\"]}");
}

static void selectors_of_label_queries_are_checked(void **state)
{
    expect(*state, "/api/v1/labels?match[]=%7B", 400,
           BAD "1:2: parse error: unexpected end of input inside braces\"}");
    expect(*state, "/api/v1/labels?match[]=%7Ba=%22%22%7D", 400,
           BAD "match[] must contain at least one non-empty matcher\"}");
    expect(
        *state, "/api/v1/labels?start=x", 400,
        BAD
        "invalid parameter \\\"start\\\": invalid time value for 'start': cannot parse \\\"x\\\" to a valid "
        "timestamp\"}");
}

static void series_are_listed_once_and_sorted(void **state)
{
    expect(*state, "/api/v1/series?match[]=up&match[]=%7Bjob=%22b%22%7D", 200,
           OK
           "[{\"__name__\":\"up\",\"job\":\"a<b\"},{\"__name__\":\"up\",\"job\":\"b\",\"x\":\"\xc3\xa9\"}]}");
    expect(*state, "/api/v1/series", 400, BAD "no match[] parameter provided\"}");
    expect(*state, "/api/v1/series?match[]=%7B", 400,
           BAD
           "invalid parameter \\\"match[]\\\": 1:2: parse error: unexpected end of input inside braces\"}");
    expect(*state, "/api/v1/series?match[]=%7Ba=~%22.*%22%7D", 400,
           BAD "invalid parameter \\\"match[]\\\": match[] must contain at least one non-empty matcher\"}");
}

static void series_without_samples_in_the_window_are_left_out(void **state)
{
    expect(*state, "/api/v1/series?match[]=old&start=1435781000", 200, OK "[]}");
    expect(*state, "/api/v1/series?match[]=old&start=1435770000", 200,
           OK "[{\"__name__\":\"old\",\"http.status\":\"x\"}]}");
}

static void the_range_of_label_queries_was_ignored(void **state)
{
    expect(*state, "/api/v1/labels?start=1435781000", 200, OK "[\"__name__\",\"job\",\"kind\",\"x\"]}");
    expect(*state, "/api/v1/label/http.status/values?start=1435781000", 200, OK "[]}");
    expect(*state, "/api/v1/label/http.status/values?end=1435781000", 200, OK "[\"x\"]}");
    expect(*state, "/api/v1/label/__name__/values?end=1435781000&limit=1", 200, OK "[\"old\"]}");
    expect(*state, "/api/v1/labels?match[]=old&start=1435781000", 200, OK "[]}");
}

static void what_is_not_there_is_empty(void **state)
{
    expect(*state, "/api/v1/targets/metadata", 200, OK "[]}");
    expect(*state, "/api/v1/targets", 200,
           OK "{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":{}}}");
}

static void an_expression_is_printed_canonically(void **state)
{
    expect(*state, "/api/v1/format_query?query=sum(up)+by+(a)", 200, OK "\"sum by (a) (up)\"}");
    expect(*state, "/api/v1/format_query?query=(", 400,
           BAD "invalid parameter \\\"query\\\": 1:2: parse error: unclosed left parenthesis\"}");
}

static void the_api_has_the_features_of_the_process(void **state)
{
    struct fixture *f = *state;
    expect(f, "/api/v1/format_query?query=limitk(1,+up)", 400,
           BAD "invalid parameter \\\"query\\\": 1:1: parse error: limitk() is experimental and must be "
               "enabled with "
               "--enable-feature=promql-experimental-functions\"}");
    ask(f, "GET", "/api/v1/query?query=limitk(1,+up)", NULL);
    assert_int_equal(f->answer.status, 400);
    f->promql.features.experimental_functions = true;
    f->service.parts.features = "promql-experimental-functions";
    expect(f, "/api/v1/format_query?query=limitk(1,+up)", 200, OK "\"limitk(1, up)\"}");
    ask(f, "GET", "/api/v1/query?query=limitk(1,+up)", NULL);
    assert_int_equal(f->answer.status, 200);
    ask(f, "GET", "/api/v1/status/flags", NULL);
    assert_non_null(
        strstr(buf_text(&f->answer.body), "\"enable-feature\":\"promql-experimental-functions\""));
}

static void unknown_paths_are_plain_404(void **state)
{
    expect(*state, "/api/v1/rules/test/test", 404, "404 page not found\n");
    expect(*state, "/rules/test/test", 404, "404 page not found\n");
    expect(*state, "/api/v1/label//values", 404, "404 page not found\n");
}

static bool never_ready(void *context)
{
    (void)context;
    return false;
}

static void nothing_is_answered_before_the_process_is_ready(void **state)
{
    struct fixture *f = *state;
    f->service.parts.ready = never_ready;
    expect(f, "/api/v1/query?query=1", 503, "Service Unavailable\n");
    expect(f, "/-/ready", 503, "Service Unavailable\n");
    expect(f, "/-/healthy", 200, "Tocsin is Healthy.\n");
}

static void a_process_without_a_store_has_no_such_api(void **state)
{
    struct fixture *f = *state;
    struct store *store = f->service.parts.store;
    f->service.parts.store = NULL;
    static const char *const targets[] = {
        "/api/v1/query?query=1", "/api/v1/labels", "/api/v1/series?match[]=up",
        "/api/v1/rules",         "/api/v1/alerts", "/api/tocsin/v1/incidents"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        expect(f, targets[i], 404, "404 page not found\n");
    f->service.parts.store = store;
}

static void reload_needs_the_lifecycle_switch(void **state)
{
    struct fixture *f = *state;
    ask(f, "POST", "/-/reload", NULL);
    assert_int_equal(f->answer.status, 403);
    assert_string_equal(buf_text(&f->answer.body), "Lifecycle API is not enabled.");
}

static void build_information_looks_like_prometheus(void **state)
{
    expect(*state, "/api/v1/status/buildinfo", 200,
           OK "{\"version\":\"3.14.0\",\"revision\":\"tocsin "
              "0.0-test\",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}}");
    ask(*state, "GET", "/api/v1/status/flags", NULL);
    assert_non_null(strstr(buf_text(&fixture.answer.body), "\"query.lookback-delta\":\"5m\""));
    ask(*state, "GET", "/api/v1/status/runtimeinfo", NULL);
    assert_non_null(
        strstr(buf_text(&fixture.answer.body), "\"startTime\":\"2015-07-01T20:10:51.781Z\",\"CWD\":\"\""));
}

static void metrics_tell_the_store_and_every_limit(void **state)
{
    ask(*state, "GET", "/metrics", NULL);
    const char *text = buf_text(&fixture.answer.body);
    assert_string_equal(fixture.answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    assert_non_null(strstr(text, "prometheus_build_info{version=\"3.14.0\"} 1\n"));
    assert_non_null(strstr(text, "\nprometheus_tsdb_head_series 7\n"));
    assert_non_null(strstr(text, "tocsin_limit_hits_total{limit=\"connections\"}"));
    assert_non_null(strstr(text, "\nprocess_start_time_seconds 1.435781451781e+09\n"));
}

static void the_first_page_lists_what_is_served(void **state)
{
    ask(*state, "GET", "/", NULL);
    assert_non_null(strstr(buf_text(&fixture.answer.body), "/api/v1/query_range"));
    assert_non_null(strstr(buf_text(&fixture.answer.body), "tocsin 0.0-test"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_vector_is_written_as_prometheus_does),
        TEST(label_values_are_not_html_escaped),
        TEST(odd_values_are_written_as_go_does),
        TEST(scalars_and_strings_have_plain_times),
        TEST(a_range_is_written_as_a_matrix),
        TEST(parameters_come_from_the_form_too),
        TEST(a_limit_truncates_and_says_so),
        TEST(limits_are_numbers_from_nothing_on),
        TEST(a_timeout_of_nothing_has_passed),
        TEST(a_query_brings_its_own_look_back),
        TEST(statistics_are_told_when_asked_for),
        TEST(statistics_of_steps_were_told_without_their_flag),
        TEST(other_words_for_statistics_are_taken_with_a_warning),
        TEST(ten_notes_are_enough),
        TEST(bad_parameters_are_named),
        TEST(exactly_the_largest_number_of_points_is_taken),
        TEST(errors_while_evaluating_are_422),
        TEST(a_query_over_its_samples_is_told_as_prometheus_tells_it),
        TEST(a_query_past_its_timeout_is_told_as_prometheus_tells_it),
        TEST(the_time_a_query_waited_did_not_count),
        TEST(a_query_nested_too_deep_is_refused),
        TEST(evaluations_give_up_when_nobody_waits_for_them),
        TEST(label_names_and_values_are_sorted),
        TEST(selectors_of_label_queries_are_checked),
        TEST(series_are_listed_once_and_sorted),
        TEST(series_without_samples_in_the_window_are_left_out),
        TEST(the_range_of_label_queries_was_ignored),
        TEST(what_is_not_there_is_empty),
        TEST(an_expression_is_printed_canonically),
        TEST(the_api_has_the_features_of_the_process),
        TEST(unknown_paths_are_plain_404),
        TEST(nothing_is_answered_before_the_process_is_ready),
        TEST(a_process_without_a_store_has_no_such_api),
        TEST(reload_needs_the_lifecycle_switch),
        TEST(build_information_looks_like_prometheus),
        TEST(metrics_tell_the_store_and_every_limit),
        TEST(the_first_page_lists_what_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
