/* Any request to every handler, on a small store, ruler and router: an answer that says it is JSON is JSON. */
#include "../../engine/serve/http_priv.h"
#include "tocsin/check.h"
#include "tocsin/extras.h"
#include "tocsin/histogram.h"
#include "tocsin/mem.h"
#include "tocsin/router.h"
#include "tocsin/ruler.h"
#include "tocsin/store.h"
#include "tocsin/tree.h"

#include <stdlib.h>

static const int64_t NOW_MS = INT64_C(1435781451781);

static struct world_sim sim;
static struct service service;
static struct promql_options promql;

static void drop_event(void *context, struct alert_event *event)
{
    (void)context;
    mem_free(event);
}

static void add_histograms(struct store *store, struct arena *arena)
{
    double buckets[] = {1, 2}, bounds[] = {0.5};
    struct histogram_span span = {0, 2};
    struct histogram h = {.schema = 1, .count = 3, .sum = 4, .positive = {&span, 1, buckets, 2}};
    for (int i = 0; i < 2; i++) {
        const struct labels *ls = labels_of(arena, "__name__", "took", "job", i == 0 ? "a" : "b", NULL);
        const struct sample sample = {.t_ms = NOW_MS, .histogram = &h};
        const struct batch_series series = {ls->item, ls->count, &sample, 1};
        struct admit_result result = {0};
        store_admit(store, &(struct batch){.series = &series, .count = 1}, &result);
        h.schema = HISTOGRAM_CUSTOM;
        h.custom_bounds = bounds;
        h.custom_count = 1;
    }
}

static void fill_store(struct store *store)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    add_histograms(store, &arena);
    for (int i = 4; i >= 0; i--) {
        const struct labels *ls = labels_of(&arena, "__name__", "up", "job", "a", NULL);
        const struct sample sample = {.t_ms = NOW_MS - i * 15000, .value = i};
        const struct batch_series series = {ls->item, ls->count, &sample, 1};
        const struct batch batch = {.series = &series, .count = 1};
        struct admit_result result = {0};
        store_admit(store, &batch, &result);
        const struct exemplar e = {labels_of(&arena, "trace_id", "\"\n\x01<", NULL), i, NOW_MS - i * 15000};
        struct exemplar_result told = {0};
        store_exemplars(store, ls->item, ls->count, &e, 1, &told);
    }
    store_note_metadata(store, &(struct metadata){STR("up"), METADATA_GAUGE, STR("\xff\n\""), STR("\x01")});
    arena_release(&arena);
}

static void write_config(void *context, struct buf *out)
{
    (void)context;
    buf_puts(out, "global:\n");
}

static void load_rules(struct ruler *ruler)
{
    struct rule_set *set = rule_set_new();
    struct buf errors;
    buf_init(&errors, 4096);
    must(rulefile_parse(
             set, STR("r.yml"),
             STR("groups: [{name: g, rules: [{alert: A, expr: up > 0}, {record: r, expr: up}]}, {name: h, "
                 "rules: [{record: s, expr: up}]}]"),
             &promql_features_default, &errors) == 0);
    buf_release(&errors);
    must(ruler_load(ruler, set, NULL) == 0);
}

/* The store hides some of its pointers from whoever looks for leaks at the end. */
static void close_parts(void)
{
    ruler_close(service.parts.ruler);
    store_close(service.parts.store);
}

static void open_parts(void)
{
    limits.query_points = 50;
    limits.query_samples = 2000;
    limits.query_arena_bytes = 8 << 20;
    limits.json_bytes = 1 << 20;
    world_sim_init(&sim, NOW_MS * NS_PER_MS, 1);
    promql = (struct promql_options){.features = promql_features_all, .world = &sim.world};
    const struct store_options options = {.retention_ms = INT64_C(86400000)};
    struct store *store = store_open(&options, &sim.world);
    fill_store(store);
    const struct ruler_options ruler = {
        .world = &sim.world, .store = store, .promql = promql, .emit = drop_event};
    service.parts = (struct serve_parts){.world = &sim.world,
                                         .store = store,
                                         .ruler = ruler_open(&ruler),
                                         .promql = &promql,
                                         .write_config = write_config,
                                         .version = "fuzz",
                                         .started_ns = 1};
    load_rules(service.parts.ruler);
    must(atexit(close_parts) == 0);
}

static struct router *open_router(void)
{
    struct amconfig *config;
    must(amconfig_parse(&sim.world, STR("route: {receiver: h, group_by: [a]}\nreceivers: [{name: h}]\n"),
                        STR("."), &config, NULL) == 0);
    const struct router_options options = {.world = &sim.world, .external_url = STR("http://t")};
    struct router *router;
    must(router_open(&options, config, &router, NULL) == 0);
    return router;
}

static void check_answer(const struct answer *answer)
{
    must(answer->status >= 200 && answer->status < 600);
    struct str body = buf_slice(&answer->body);
    if (!str_is(str_of(answer->content_type), "application/json") || body.n == 0 || !str_is_utf8(body))
        return;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct tree *root;
    /* A JSON string alone is Alertmanager's way to refuse. */
    must(body.p[0] == '"' || json_parse(&arena, body, &root, NULL) != ERR_PARSE);
    arena_release(&arena);
}

static void ask(unsigned method, struct str target, struct str body)
{
    struct arena arena;
    struct answer answer;
    arena_init(&arena, 8 << 20);
    answer_init(&answer);
    struct request request = {.service = &service,
                              .method = method,
                              .body = body,
                              .origin = STR("http://o"),
                              .accept = method == HTTP_GET ? body : STR(""),
                              .arena = &arena};
    if (target_refusal(target) == NULL && target_parse(&arena, target, &request.target, NULL) == 0) {
        bool json = str_starts(request.target.path, STR("/api/v2/"));
        request.content_type = json ? STR("application/json") : STR("application/x-www-form-urlencoded");
        route_dispatch(&request, &answer);
        check_answer(&answer);
    }
    answer_release(&answer);
    arena_release(&arena);
}

/* First line: method and target; then the body, or of a GET what it accepts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (service.parts.store == NULL)
        open_parts();
    struct str body = {(const char *)data, size};
    struct str target = str_cut(&body, '\n');
    struct str method = str_cut(&target, ' ');
    if (str_starts(target, STR("/metrics")))
        return 0;
    service.parts.router = open_router();
    ask(http_method_of(method), target, body);
    ask(HTTP_GET, STR("/api/v2/silences"), STR(""));
    ask(HTTP_GET, STR("/api/v2/alerts"), STR(""));
    ask(HTTP_GET, STR("/api/v2/alerts/groups"), STR(""));
    router_close(service.parts.router);
    return 0;
}
