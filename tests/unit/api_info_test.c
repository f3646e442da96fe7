/* What the process tells of itself, /federate, and what pages of other sites may see. */
#include "../../engine/serve/http_priv.h"

#include "tocsin/forward.h"
#include "tocsin/histogram.h"
#include "tocsin/labels.h"
#include "tocsin/promql.h"
#include "tocsin/ruler.h"
#include "tocsin/store.h"
#include "tocsin/tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int64_t NOW_MS = INT64_C(1435781451781);

struct fixture {
    struct world_sim sim;
    struct service service;
    struct promql_options promql;
    struct arena arena;
    struct answer answer;
    struct str origin, accept; /* of the requests that follow */
};

static struct fixture fixture;

static void add(struct fixture *f, int64_t t_ms, double value, const struct labels *ls)
{
    const struct sample sample = {.t_ms = t_ms, .value = value};
    const struct batch_series series = {ls->item, ls->count, &sample, 1};
    struct admit_result result = {0};
    store_admit(f->service.parts.store, &(struct batch){.series = &series, .count = 1}, &result);
    assert_int_equal(result.appended, 1);
}

static void add_histogram(struct fixture *f, const struct histogram *h, const struct labels *ls)
{
    const struct sample sample = {.t_ms = NOW_MS, .histogram = h};
    const struct batch_series series = {ls->item, ls->count, &sample, 1};
    struct admit_result result = {0};
    store_admit(f->service.parts.store, &(struct batch){.series = &series, .count = 1}, &result);
    assert_int_equal(result.appended, 1);
}

static void fill(struct fixture *f)
{
    struct arena *a = &f->arena;
    add(f, NOW_MS - 1000, 1e6, labels_of(a, "__name__", "up", "job", "a\"\n\\<", "instance", "i", NULL));
    add(f, NOW_MS - 2000, 0, labels_of(a, "__name__", "up", NULL));
    add(f, NOW_MS, (double)INFINITY, labels_of(a, "__name__", "down", "site", "own", NULL));
    add(f, NOW_MS - 300000, 1, labels_of(a, "__name__", "old", NULL));
    add(f, NOW_MS, stale_nan(), labels_of(a, "__name__", "ended", NULL));
    add(f, NOW_MS, 2, labels_of(a, "__name__", "http.requests", "st\xc3\xa4tus", "ok", NULL));
    add(f, NOW_MS, 3, labels_of(a, "job", "nameless", NULL));
}

static int set_up(void **state)
{
    struct fixture *f = &fixture;
    *f = (struct fixture){0};
    world_sim_init(&f->sim, NOW_MS * NS_PER_MS, 1);
    arena_init(&f->arena, 64 << 20);
    const struct store_options options = {.retention_ms = INT64_C(86400000)};
    f->promql.features = promql_features_default;
    f->service.parts = (struct serve_parts){.world = &f->sim.world,
                                            .store = store_open(&options, &f->sim.world),
                                            .promql = &f->promql,
                                            .version = "0.0-test"};
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
    if (f->service.parts.forward != NULL)
        forward_close(f->service.parts.forward);
    store_close(f->service.parts.store);
    answer_release(&f->answer);
    arena_release(&f->arena);
    return 0;
}

static const char *ask(struct fixture *f, const char *method, const char *target)
{
    answer_release(&f->answer);
    answer_init(&f->answer);
    struct request request = {.service = &f->service,
                              .method = http_method_of(str_of(method)),
                              .origin = f->origin,
                              .accept = f->accept,
                              .arena = &f->arena};
    assert_int_equal(target_parse(&f->arena, str_of(target), &request.target, NULL), 0);
    route_dispatch(&request, &f->answer);
    return buf_text(&f->answer.body);
}

static void expect(struct fixture *f, const char *target, int status, const char *body)
{
    assert_string_equal(ask(f, "GET", target), body);
    assert_int_equal(f->answer.status, status);
}

static const char *header(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->answer.header_count; i++)
        if (strcmp(f->answer.headers[i].name, name) == 0)
            return f->answer.headers[i].value;
    return NULL;
}

/* ---- federation ---- */

static void open_ruler(struct fixture *f, const struct labels *external)
{
    const struct ruler_options options = {
        .world = &f->sim.world, .store = f->service.parts.store, .external_labels = external};
    f->service.parts.ruler = ruler_open(&options);
}

static void the_newest_samples_are_told_as_text(void **state)
{
    struct fixture *f = *state;
    expect(f, "/federate?match[]=up&match[]=%7Binstance=%22i%22%7D&match[]=old&match[]=ended", 200,
           "# TYPE up untyped\n"
           "up{instance=\"\"} 0 1435781449781\n"
           "up{instance=\"i\",job=\"a\\\"\\n\\\\<\"} 1e+06 1435781450781\n");
    assert_string_equal(f->answer.content_type,
                        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
    expect(f, "/federate?match[]=nothing", 200, "");
    expect(f, "/federate", 200, "");
}

static void external_labels_are_added_where_there_are_none(void **state)
{
    struct fixture *f = *state;
    open_ruler(f, labels_of(&f->arena, "instance", "t", "site", "far", NULL));
    expect(f, "/federate?match[]=down&match[]=up%7Binstance=%22i%22%7D", 200,
           "# TYPE down untyped\n"
           "down{site=\"own\",instance=\"t\"} +Inf 1435781451781\n"
           "# TYPE up untyped\n"
           "up{instance=\"i\",job=\"a\\\"\\n\\\\<\",site=\"far\"} 1e+06 1435781450781\n");
}

static void names_are_told_as_the_client_takes_them(void **state)
{
    struct fixture *f = *state;
    static const char target[] = "/federate?match[]=%7B%22http.requests%22%7D";
    expect(f, target, 200,
           "# TYPE http_requests untyped\nhttp_requests{st_tus=\"ok\",instance=\"\"} 2 1435781451781\n");
    f->accept = STR("text/plain; version=1.0.0; escaping=allow-utf-8; q=0.5, */*;q=0.1");
    expect(f, target, 200,
           "# TYPE \"http.requests\" untyped\n{\"http.requests\",\"st\xc3\xa4tus\"=\"ok\",instance=\"\"} 2 "
           "1435781451781\n");
    assert_string_equal(f->answer.content_type,
                        "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8");
}

/* A float between two histograms makes three families of one name. */
static void histograms_were_left_out_of_federation(void **state)
{
    struct fixture *f = *state;
    struct arena *a = &f->arena;
    double buckets[] = {1, 2}, bounds[] = {5};
    struct histogram_span span = {0, 2};
    struct histogram native = {.schema = 1, .count = 3, .sum = 4, .positive = {&span, 1, buckets, 2}}, ended;
    struct histogram custom = native;
    custom.schema = HISTOGRAM_CUSTOM;
    custom.custom_bounds = bounds;
    custom.custom_count = 1;
    ended = custom;
    ended.sum = stale_nan();
    add_histogram(f, &custom, labels_of(a, "__name__", "took", "n", "1", NULL));
    add(f, NOW_MS, 7, labels_of(a, "__name__", "took", "n", "2", NULL));
    add_histogram(f, &native, labels_of(a, "__name__", "took", "n", "3", NULL));
    add_histogram(f, &custom, labels_of(a, "__name__", "took", "n", "4", NULL));
    add_histogram(f, &ended, labels_of(a, "__name__", "took", "n", "5", NULL));
    const char *text = ask(f, "GET", "/federate?match[]=took");
    assert_non_null(strstr(text, "# TYPE took histogram\ntook_bucket{n=\"1\",instance=\"\",le=\"5\"} 1 "));
    assert_non_null(strstr(text, "# TYPE took untyped\ntook{n=\"2\",instance=\"\"} 7 1435781451781\n# TYPE "
                                 "took histogram\ntook_bucket{n=\"4\""));
    assert_null(strstr(text, "n=\"3\""));
    assert_null(strstr(text, "n=\"5\""));
    f->accept =
        STR("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited");
    text = ask(f, "GET", "/federate?match[]=took%7Bn=%223%22%7D");
    static const char family[] =
        "\n\x04took\x18\x04\""; /* its name, that it is a histogram, a metric of it */
    assert_int_equal(text[0], (int)f->answer.body.used - 1);
    assert_memory_equal(text + 1, family, sizeof family - 1);
    assert_string_equal(f->answer.content_type,
                        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                        "encoding=delimited; escaping=underscores");
}

static void series_without_a_name_are_left_out(void **state)
{
    expect(*state, "/federate?match[]=%7Bjob=%22nameless%22%7D", 200, "");
}

static void bad_selectors_are_told_in_plain_text(void **state)
{
    expect(*state, "/federate?match[]=%7B", 400, "1:2: parse error: unexpected end of input inside braces\n");
}

/* ---- what there is ---- */

static void features_say_what_the_flags_allow(void **state)
{
    struct fixture *f = *state;
    const char *body = ask(f, "GET", "/api/v1/features");
    assert_non_null(strstr(body, "{\"status\":\"success\",\"data\":{\"api\":{\"admin\":false,"));
    assert_non_null(strstr(body, "\"lifecycle\":false,"));
    assert_non_null(strstr(body, "\"smoothed\":false,"));
    assert_non_null(strstr(body, "\"delayed_name_removal\":false,"));
    assert_non_null(strstr(body, "\"type_and_unit_labels\":false,"));
    assert_non_null(strstr(body, "\"promql_functions\":{\"abs\":true,"));
    assert_non_null(strstr(body, "\"info\":false,"));
    assert_non_null(strstr(body, "\"limitk\":false,"));
    assert_non_null(strstr(body, "\"promql_operators\":{\"+\":true,"));
    struct tree *tree;
    assert_int_equal(json_parse(&f->arena, str_of(body), &tree, NULL), 0);
    f->promql.features = promql_features_all;
    f->promql.features.delayed_name_removal = f->promql.features.type_and_unit_labels = true;
    f->service.lifecycle = true;
    body = ask(f, "GET", "/api/v1/features");
    assert_non_null(strstr(body, "\"lifecycle\":true,"));
    assert_non_null(strstr(body, "\"smoothed\":true,"));
    assert_non_null(strstr(body, "\"delayed_name_removal\":true,"));
    assert_non_null(strstr(body, "\"type_and_unit_labels\":true,"));
    assert_non_null(strstr(body, "\"info\":true,"));
    assert_non_null(strstr(body, "\"limitk\":true,"));
}

static void write_config(void *context, struct buf *out)
{
    buf_puts(out, context);
}

static void the_configuration_is_told_if_there_is_one(void **state)
{
    struct fixture *f = *state;
    expect(f, "/api/v1/status/config", 404, "404 page not found\n");
    f->service.parts.write_config = write_config;
    f->service.parts.context = (char *){"global:\n  a: \"<b>\"\n"};
    expect(f, "/api/v1/status/config", 200,
           "{\"status\":\"success\",\"data\":{\"yaml\":\"global:\\n  a: \\\"\\u003cb\\u003e\\\"\\n\"}}");
}

static void alertmanagers_are_told_without_their_passwords(void **state)
{
    struct fixture *f = *state;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const struct labels *first[] = {labels_of(&arena, "__address__", "127.0.0.1:9093", NULL)};
    const struct labels *second[] = {labels_of(&arena, "__address__", "me:a@s3cret@am.example", NULL),
                                     labels_of(&arena, "__address__", "me:s3cret@left.out", NULL)};
    struct relabel_rule rule;
    relabel_rule_init(&rule);
    rule.action = RELABEL_DROP;
    rule.sources = (struct str[]){STR("__address__")};
    rule.source_count = 1;
    rule.regex = STR(".*out");
    const struct forward_group groups[] = {
        {.scheme = STR("http"), .targets = first, .target_count = 1},
        {.scheme = STR("https"),
         .path_prefix = STR("x"),
         .targets = second,
         .target_count = 2,
         .relabel = {.items = &rule, .count = 1}},
    };
    const struct forward_group *const list[] = {&groups[0], &groups[1]};
    const struct forward_options options = {.world = &f->sim.world};
    expect(f, "/api/v1/alertmanagers", 200,
           "{\"status\":\"success\",\"data\":{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}}");
    f->service.parts.forward = forward_open(&options);
    assert_int_equal(
        forward_configure(f->service.parts.forward, &(struct forward_settings){list, 2, NULL, NULL}, NULL),
        0);
    arena_release(&arena);
    expect(
        f, "/api/v1/alertmanagers", 200,
        "{\"status\":\"success\",\"data\":{\"activeAlertmanagers\":[{\"url\":\"http://127.0.0.1:9093/api/v2/"
        "alerts\"},{\"url\":\"https://am.example/x/api/v2/alerts\"}],\"droppedAlertmanagers\":["
        "{\"url\":\"https://left.out/x/api/v2/alerts\"}]}}");
}

static void what_tocsin_does_not_do_is_empty_or_not_there(void **state)
{
    struct fixture *f = *state;
    expect(f, "/api/v1/scrape_pools", 200, "{\"status\":\"success\",\"data\":{\"scrapePools\":[]}}");
    expect(f, "/api/v1/notifications", 200, "{\"status\":\"success\",\"data\":[]}");
    expect(f, "/api/v1/status/walreplay", 200,
           "{\"status\":\"success\",\"data\":{\"min\":0,\"max\":0,\"current\":0}}");
    static const char *const none[] = {"/api/v1/notifications/live", "/api/v1/status/tsdb/blocks",
                                       "/api/v1/read", "/api/v1/targets/relabel_steps",
                                       "/api/v1/openapi.yaml"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        expect(f, none[i], 404, "404 page not found\n");
}

/* ---- pages of other sites ---- */

static void pages_of_other_sites_may_read(void **state)
{
    struct fixture *f = *state;
    (void)ask(f, "GET", "/api/v1/query?query=1");
    assert_string_equal(header(f, "Vary"), "Origin");
    assert_null(header(f, "Access-Control-Allow-Origin"));
    f->origin = STR("http://grafana.example");
    (void)ask(f, "GET", "/api/v1/query?query=(");
    assert_int_equal(f->answer.status, 400);
    assert_string_equal(header(f, "Access-Control-Allow-Origin"), "*");
    assert_string_equal(header(f, "Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
    assert_string_equal(header(f, "Access-Control-Allow-Headers"),
                        "Accept, Authorization, Content-Type, Origin");
    assert_string_equal(header(f, "Access-Control-Expose-Headers"), "Date");
}

static void pages_of_other_sites_may_not_read_the_rest(void **state)
{
    struct fixture *f = *state;
    static const char *const others[] = {"/metrics", "/api/tocsin/v1/status", "/-/healthy"};
    f->origin = STR("http://grafana.example");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)ask(f, "GET", others[i]);
        assert_null(header(f, "Access-Control-Allow-Origin"));
    }
    (void)ask(f, "POST", "/api/v1/write");
    assert_null(header(f, "Access-Control-Allow-Origin"));
}

static void pages_of_other_sites_may_read_alertmanagers_api(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/api/v2/status", "/api/v2/silences", "/api/v2/alerts/groups"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        f->origin = STR("");
        (void)ask(f, "GET", paths[i]);
        assert_null(header(f, "Access-Control-Allow-Origin"));
        assert_string_equal(header(f, "Vary"), "Origin");
        f->origin = STR("http://karma.example");
        (void)ask(f, "GET", paths[i]);
        assert_string_equal(header(f, "Access-Control-Allow-Origin"), "*");
        assert_null(header(f, "Access-Control-Allow-Methods"));
    }
}

static void every_path_of_the_api_has_options(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/api/v1/query", "/api/v1/label/a/values", "/api/v1/nope",
                                        "/api/v1/"};
    f->origin = STR("http://grafana.example");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_string_equal(ask(f, "OPTIONS", paths[i]), "");
        assert_int_equal(f->answer.status, 204);
        assert_string_equal(header(f, "Access-Control-Allow-Origin"), "*");
    }
    (void)ask(f, "OPTIONS", "/api/v2/status");
    assert_int_equal(f->answer.status, 405);
    (void)ask(f, "POST", "/api/v1/rules");
    assert_int_equal(f->answer.status, 405);
    assert_string_equal(header(f, "Allow"), "GET, OPTIONS");
    expect(f, "/api/v1/nope", 404, "404 page not found\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_newest_samples_are_told_as_text),
        TEST(external_labels_are_added_where_there_are_none),
        TEST(histograms_were_left_out_of_federation),
        TEST(names_are_told_as_the_client_takes_them),
        TEST(series_without_a_name_are_left_out),
        TEST(bad_selectors_are_told_in_plain_text),
        TEST(features_say_what_the_flags_allow),
        TEST(the_configuration_is_told_if_there_is_one),
        TEST(alertmanagers_are_told_without_their_passwords),
        TEST(what_tocsin_does_not_do_is_empty_or_not_there),
        TEST(pages_of_other_sites_may_read),
        TEST(pages_of_other_sites_may_not_read_the_rest),
        TEST(pages_of_other_sites_may_read_alertmanagers_api),
        TEST(every_path_of_the_api_has_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
