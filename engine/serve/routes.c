#include "api_priv.h"
#include "json_priv.h"
#include "tocsin/tree.h"
#include "v2_priv.h"

#define GET_POST (HTTP_GET | HTTP_POST)
#define NO_BODY LIMIT_COUNT
#define API ROUTE_CORS
#define FORM_API (ROUTE_CORS | ROUTE_FORM)
#define QUERY_API (FORM_API | ROUTE_READY | ROUTE_SLOW | ROUTE_QUERY)

static const struct route routes[] = {
    {"/api/v1/write", HTTP_POST, api_write, ROUTE_PUSH | ROUTE_READY, LIMIT_push_body_bytes},

    {"/api/v1/query", GET_POST, api_query, QUERY_API, LIMIT_form_bytes},
    {"/api/v1/query_range", GET_POST, api_query_range, QUERY_API, LIMIT_form_bytes},
    {"/api/v1/query_exemplars", GET_POST, api_exemplars, FORM_API | ROUTE_READY | ROUTE_SLOW,
     LIMIT_form_bytes},
    {"/api/v1/format_query", GET_POST, api_format_query, FORM_API | ROUTE_SLOW, LIMIT_form_bytes},
    {"/api/v1/parse_query", GET_POST, api_parse_query, FORM_API | ROUTE_SLOW, LIMIT_form_bytes},
    {"/api/v1/labels", GET_POST, api_labels, FORM_API | ROUTE_READY | ROUTE_SLOW, LIMIT_form_bytes},
    {"/api/v1/label/*/values", HTTP_GET, api_label_values, API | ROUTE_READY | ROUTE_SLOW, NO_BODY},
    {"/api/v1/series", GET_POST, api_series, FORM_API | ROUTE_READY | ROUTE_SLOW, LIMIT_form_bytes},
    {"/api/v1/metadata", HTTP_GET, api_metadata, API | ROUTE_READY, NO_BODY},
    {"/api/v1/rules", HTTP_GET, api_rules, API | ROUTE_READY, NO_BODY},
    {"/api/v1/alerts", HTTP_GET, api_rule_alerts, API | ROUTE_READY, NO_BODY},
    {"/api/v1/targets", HTTP_GET, api_targets, API, NO_BODY},
    {"/api/v1/targets/metadata", HTTP_GET, api_target_metadata, API, NO_BODY},
    {"/api/v1/scrape_pools", HTTP_GET, api_scrape_pools, API, NO_BODY},
    {"/api/v1/alertmanagers", HTTP_GET, api_alertmanagers, API, NO_BODY},
    {"/api/v1/features", HTTP_GET, api_features, API, NO_BODY},
    {"/api/v1/notifications", HTTP_GET, api_notifications, API, NO_BODY},
    {"/api/v1/status/buildinfo", HTTP_GET, api_buildinfo, API, NO_BODY},
    {"/api/v1/status/runtimeinfo", HTTP_GET, api_runtimeinfo, API, NO_BODY},
    {"/api/v1/status/flags", HTTP_GET, api_flags, API, NO_BODY},
    {"/api/v1/status/config", HTTP_GET, api_config, API, NO_BODY},
    {"/api/v1/status/walreplay", HTTP_GET, api_walreplay, API, NO_BODY},
    {"/api/v1/status/tsdb", HTTP_GET, api_tsdb, API | ROUTE_READY | ROUTE_SLOW, NO_BODY},
    {"/api/v1/alerts", HTTP_POST, v1_gone, ROUTE_OPEN, NO_BODY},
    {"/api/v1/status", HTTP_GET, v1_gone, ROUTE_OPEN, NO_BODY},
    {"/api/v1/receivers", HTTP_GET, v1_gone, ROUTE_OPEN, NO_BODY},
    {"/api/v1/silences", GET_POST, v1_gone, ROUTE_OPEN, NO_BODY},
    {"/api/v1/silence/*", HTTP_GET | HTTP_DELETE, v1_gone, ROUTE_OPEN, NO_BODY},
    {"/api/v1/**", HTTP_OPTIONS, api_options, API, NO_BODY},
    {"/federate", HTTP_GET, api_federate, ROUTE_READY | ROUTE_SLOW, NO_BODY},

    {"/api/v2/status", HTTP_GET, v2_status, ROUTE_OPEN, NO_BODY},
    {"/api/v2/receivers", HTTP_GET, v2_receivers, ROUTE_OPEN, NO_BODY},
    {"/api/v2/alerts", HTTP_GET, v2_alerts, ROUTE_OPEN, NO_BODY},
    {"/api/v2/alerts", HTTP_POST, v2_post_alerts, ROUTE_JSON | ROUTE_OPEN, LIMIT_json_bytes},
    {"/api/v2/alerts/groups", HTTP_GET, v2_alert_groups, ROUTE_OPEN, NO_BODY},
    {"/api/v2/silences", HTTP_GET, v2_silences, ROUTE_OPEN, NO_BODY},
    {"/api/v2/silences", HTTP_POST, v2_post_silence, ROUTE_JSON | ROUTE_OPEN, LIMIT_json_bytes},
    {"/api/v2/silence/*", HTTP_GET, v2_silence, ROUTE_OPEN, NO_BODY},
    {"/api/v2/silence/*", HTTP_DELETE, v2_expire_silence, ROUTE_OPEN, NO_BODY},

    {"/api/tocsin/v1/status", HTTP_GET, tocsin_status, 0, NO_BODY},
    {"/api/tocsin/v1/rules", HTTP_GET, tocsin_rules, ROUTE_READY, NO_BODY},
    {"/api/tocsin/v1/incidents", HTTP_GET, tocsin_incidents, 0, NO_BODY},
    {"/api/tocsin/v1/trail", HTTP_GET, tocsin_trail, 0, NO_BODY},
    {"/api/tocsin/v1/slos", HTTP_GET, tocsin_slos, ROUTE_READY, NO_BODY},
    {"/api/tocsin/v1/cardinality", HTTP_GET, tocsin_cardinality, ROUTE_READY, NO_BODY},

    {"/page", HTTP_POST, tocsin_page, 0, LIMIT_json_bytes},

    {"/metrics", HTTP_GET, admin_metrics, 0, NO_BODY},
    {"/-/healthy", HTTP_GET | HTTP_HEAD, admin_healthy, 0, NO_BODY},
    {"/-/ready", HTTP_GET | HTTP_HEAD, admin_ready, 0, NO_BODY},
    {"/-/reload", HTTP_POST | HTTP_PUT, admin_reload, 0, LIMIT_form_bytes},
    {"/", HTTP_GET, admin_index, 0, NO_BODY},
};

enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

const struct route *route_table(size_t *count)
{
    *count = ROUTE_COUNT;
    return routes;
}

int64_t route_body_max(const struct route *route)
{
    switch (route->body_limit) {
    case LIMIT_push_body_bytes:
        return limits.push_body_bytes;
    case LIMIT_json_bytes:
        return limits.json_bytes;
    case LIMIT_form_bytes:
        return limits.form_bytes;
    default:
        return 0;
    }
}

static bool path_matches(struct str pattern, struct str path, struct str *wildcard)
{
    while (pattern.p != NULL && path.p != NULL) {
        struct str want = str_cut(&pattern, '/'), have = str_cut(&path, '/');
        if (str_is(want, "**"))
            return true;
        if (str_is(want, "*") && have.n > 0)
            *wildcard = have;
        else if (!str_eq(want, have))
            return false;
    }
    return pattern.p == NULL && path.p == NULL;
}

static bool is_alertmanager(struct str path)
{
    return str_starts(path, STR("/api/v2/"));
}

static void answer_not_found(const struct request *request, struct answer *answer)
{
    answer_text(answer, 404, "404 page not found\n");
    if (!is_alertmanager(request->target.path))
        return;
    struct buf message;
    buf_init(&message, request->target.path.n + 64);
    buf_format(&message, "path %.*s was not found", STR_ARG(request->target.path));
    buf_clear(&answer->body);
    answer->content_type = "application/json";
    buf_puts(&answer->body, "{\"code\":404,\"message\":");
    json_string(&answer->body, buf_slice(&message));
    buf_puts(&answer->body, "}\n");
    buf_release(&message);
}

/* "GET, POST" of a set of methods. */
static const char *allow_text(struct arena *arena, unsigned methods)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
    const char *text = "";
    for (unsigned i = 0; i < 6; i++)
        if ((methods & (1U << i)) != 0 && text != NULL)
            text = arena_format(arena, "%s%s%s", text, *text != '\0' ? ", " : "", names[i]);
    return text != NULL ? text : "";
}

static void answer_wrong_method(const struct request *request, unsigned allowed, struct answer *answer)
{
    answer_text(answer, 405, "Method Not Allowed\n");
    if (is_alertmanager(request->target.path)) {
        buf_clear(&answer->body);
        answer->content_type = "application/json";
        buf_puts(&answer->body, "{\"code\":405,\"message\":\"method is not allowed here\"}\n");
    }
    answer_header(answer, "Allow", allow_text(request->arena, allowed));
}

/* What stands for anything says nothing of whether a path is there. */
static bool is_catch_all(const struct route *route)
{
    return str_ends(str_of(route->path), STR("/**"));
}

/* False: the path is not below the prefix, and the answer says so, or where to go. */
static bool strip_prefix(struct request *request, struct answer *answer)
{
    struct str prefix = request->service->prefix, path = request->target.path;
    if (str_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/')) {
        struct str rest = {path.p + prefix.n, path.n - prefix.n};
        request->target.path = rest.n > 0 ? rest : STR("/");
        return true;
    }
    if (str_is(path, "/")) {
        answer_text(answer, 302, "");
        answer_header(answer, "Location", prefix.p);
    } else {
        answer_not_found(request, answer);
    }
    return false;
}

const struct route *route_find(struct request *request, struct answer *answer)
{
    unsigned allowed = 0, always = 0;
    if (request->service->prefix.n > 0 && !strip_prefix(request, answer))
        return NULL;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_matches(str_of(routes[i].path), request->target.path, &request->wildcard))
            continue;
        if ((routes[i].methods & request->method) != 0)
            return &routes[i];
        *(is_catch_all(&routes[i]) ? &always : &allowed) |= routes[i].methods;
    }
    if (allowed != 0)
        answer_wrong_method(request, allowed | always, answer);
    else
        answer_not_found(request, answer);
    return NULL;
}

/* Media type without parameters. */
static bool type_is(struct str content_type, const char *type)
{
    return str_eq_nocase(str_trim(str_cut(&content_type, ';')), str_of(type));
}

static bool is_ready(const struct service *service)
{
    const struct serve_parts *parts = &service->parts;
    return parts->ready == NULL || parts->ready(parts->context);
}

/* Remote write in block snappy; anything else is refused before the body is read (Prometheus 3.14). */
static const char *push_refusal(const struct request *request)
{
    struct str encoding = str_trim(request->content_encoding);
    if (encoding.n > 0 && !str_eq_nocase(encoding, STR("snappy")))
        return "unsupported Content-Encoding: only snappy is taken\n";
    if (push_protocol_of(request->content_type) == PUSH_UNKNOWN)
        return "unsupported Content-Type: only application/x-protobuf with proto=prometheus.WriteRequest "
               "(1.0) or "
               "proto=io.prometheus.write.v2.Request (2.0) is taken\n";
    return NULL;
}

/* What says nothing counts as bytes of any kind. */
static void refuse_media_type(struct str content_type, struct answer *answer)
{
    struct str type = str_trim(str_cut(&content_type, ';'));
    if (type.n == 0)
        type = STR("application/octet-stream");
    v2_schema_error(answer, 415, 415, "unsupported media type \"%.*s\", only [application/json] are allowed",
                    STR_ARG(type));
}

static bool refuse_type(const struct route *route, const struct request *request, struct answer *answer)
{
    const char *why = (route->flags & ROUTE_PUSH) != 0 ? push_refusal(request) : NULL;
    if (why != NULL)
        answer_text(answer, 415, why);
    else if ((route->flags & ROUTE_JSON) != 0 && !type_is(request->content_type, "application/json"))
        refuse_media_type(request->content_type, answer);
    else
        return false;
    return true;
}

static bool refuse_unready(const struct route *route, const struct request *request, struct answer *answer)
{
    if ((route->flags & ROUTE_READY) == 0 || is_ready(request->service))
        return false;
    answer_text(answer, 503, "Service Unavailable\n");
    answer_header(answer, "Retry-After", "5");
    return true;
}

void route_note_refusal(const struct route *route, const struct request *request, struct answer *answer)
{
    if ((route->flags & ROUTE_PUSH) != 0)
        push_confirm_nothing(request, answer);
}

bool route_refuses(const struct route *route, const struct request *request, struct answer *answer)
{
    if (!refuse_unready(route, request, answer) && !refuse_type(route, request, answer))
        return false;
    route_note_refusal(route, request, answer);
    return true;
}

static bool merge_form(const struct route *route, struct request *request, struct answer *answer)
{
    if ((route->flags & ROUTE_FORM) == 0 || request->method != HTTP_POST ||
        !type_is(request->content_type, "application/x-www-form-urlencoded"))
        return true;
    struct err err;
    if (target_add_form(request->arena, request->body, &request->target, &err) == 0)
        return true;
    answer->content_type = "application/json";
    answer->status = 400;
    buf_puts(&answer->body, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":");
    json_string(&answer->body, str_of(err.text));
    buf_puts(&answer->body, "}");
    return false;
}

/* As Prometheus answers with its default --web.cors.origin. */
static void allow_other_sites(const struct request *request, struct answer *answer)
{
    answer_header(answer, "Vary", "Origin");
    if (request->origin.n == 0)
        return;
    answer_header(answer, "Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin");
    answer_header(answer, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    answer_header(answer, "Access-Control-Allow-Origin", "*");
    answer_header(answer, "Access-Control-Expose-Headers", "Date");
}

/* As Alertmanager answers on its API. What changes something is refused to pages of other sites before it comes here. */
static void note_openness(const struct request *request, struct answer *answer)
{
    answer_header(answer, "Vary", "Origin");
    if (request->origin.n > 0)
        answer_header(answer, "Access-Control-Allow-Origin", "*");
}

bool route_prepare(const struct route *route, struct request *request, struct answer *answer)
{
    if ((route->flags & ROUTE_OPEN) != 0)
        note_openness(request, answer);
    if ((route->flags & ROUTE_CORS) != 0)
        allow_other_sites(request, answer);
    return merge_form(route, request, answer);
}

void route_handle(const struct route *route, struct request *request, struct answer *answer)
{
    route->handle(request, answer);
    answer_check_size(answer);
}

void route_run(const struct route *route, struct request *request, struct answer *answer)
{
    if (route_prepare(route, request, answer))
        route_handle(route, request, answer);
}

/* In the words of Prometheus 2; since it tells of the queue no longer, it answers 422 and what Go says. */
void route_refuse_waiting(const struct route *route, struct answer *answer)
{
    if ((route->flags & ROUTE_CORS) != 0)
        prom_error(answer, PROM_TIMEOUT, "query timed out in query queue");
    else
        answer_text(answer, 503, "query timed out in query queue\n");
}

void route_dispatch(struct request *request, struct answer *answer)
{
    const struct route *route = route_find(request, answer);
    if (route != NULL && !route_refuses(route, request, answer))
        route_run(route, request, answer);
}
