#include "api_priv.h"
#include "info_priv.h"
#include "json_priv.h"

#include "tocsin/duration.h"
#include "tocsin/forward.h"
#include "tocsin/incident.h"
#include "tocsin/stat.h"
#include "tocsin/store.h"
#include "tocsin/tree.h"

#include <inttypes.h>
#include <unistd.h>

static void text_member(struct buf *out, const char *name, const char *text)
{
    buf_format(out, "%s\"%s\":", out->bytes[out->used - 1] == '{' ? "" : ",", name);
    json_string(out, str_of(text));
}

void api_buildinfo(struct request *request, struct answer *answer)
{
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_char(out, '{');
    text_member(out, "version", PROM_VERSION);
    text_member(out, "revision", arena_format(request->arena, "tocsin %s", request->service->parts.version));
    text_member(out, "branch", "");
    text_member(out, "buildUser", "");
    text_member(out, "buildDate", "");
    text_member(out, "goVersion", "");
    buf_char(out, '}');
    prom_end(answer);
}

/* Empty if the system does not tell. */
static const char *host_name(struct arena *arena)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0)
        return "";
    const char *kept = arena_copy_text(arena, name, strlen(name));
    return kept != NULL ? kept : "";
}

static uint64_t damaged_places(const struct serve_parts *parts)
{
    struct store_log_figures log;
    return parts->store != NULL && store_log_figures(parts->store, &log) ? log.damaged : 0;
}

void api_runtimeinfo(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_puts(out, "{\"startTime\":");
    json_go_time(out, parts->started_ns);
    text_member(out, "CWD", "");
    text_member(out, "hostname", host_name(request->arena));
    buf_puts(out, ",\"serverTime\":");
    json_go_time(out, parts->world->wall_ns(parts->world));
    buf_format(
        out, ",\"reloadConfigSuccess\":%s,\"lastConfigTime\":", stat_get(STAT_reload_ok) ? "true" : "false");
    json_go_time(out, (int64_t)stat_get(STAT_reload_seconds) * NS_PER_S);
    buf_format(out, ",\"corruptionCount\":%" PRIu64 ",\"goroutineCount\":0,\"GOMAXPROCS\":0,\"GOMEMLIMIT\":0",
               damaged_places(parts));
    text_member(out, "GOGC", "");
    text_member(out, "GODEBUG", "");
    text_member(out, "storageRetention", "");
    buf_char(out, '}');
    prom_end(answer);
}

static void duration_member(struct buf *out, const char *name, int64_t ms)
{
    struct buf text;
    buf_init(&text, 64);
    duration_print(&text, ms);
    text_member(out, name, buf_text(&text));
    buf_release(&text);
}

void api_flags(struct request *request, struct answer *answer)
{
    const struct promql_options *promql = request->service->parts.promql;
    int64_t lookback_ms =
        promql != NULL && promql->lookback_ms > 0 ? promql->lookback_ms : PROMQL_LOOKBACK_MS;
    struct buf *out = &answer->body;
    prom_begin(answer);
    const char *features = request->service->parts.features;
    buf_char(out, '{');
    text_member(out, "enable-feature", features != NULL ? features : "");
    duration_member(out, "query.lookback-delta", lookback_ms);
    text_member(out, "query.max-concurrency",
                arena_format(request->arena, "%" PRId64, limits.queries_concurrent));
    text_member(out, "query.max-samples", arena_format(request->arena, "%" PRId64, limits.query_samples));
    duration_member(out, "query.timeout", limits.query_timeout_ms);
    text_member(out, "web.enable-lifecycle", request->service->lifecycle ? "true" : "false");
    buf_char(out, '}');
    prom_end(answer);
}

/* Nothing is scraped. */
void api_targets(struct request *request, struct answer *answer)
{
    (void)request;
    prom_begin(answer);
    buf_puts(&answer->body, "{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":{}}");
    prom_end(answer);
}

void api_target_metadata(struct request *request, struct answer *answer)
{
    (void)request;
    prom_begin(answer);
    buf_puts(&answer->body, "[]");
    prom_end(answer);
}

void api_scrape_pools(struct request *request, struct answer *answer)
{
    (void)request;
    prom_begin(answer);
    buf_puts(&answer->body, "{\"scrapePools\":[]}");
    prom_end(answer);
}

/* Nothing is told this way: what goes wrong is in the log, in metrics, and in runtimeinfo. */
void api_notifications(struct request *request, struct answer *answer)
{
    (void)request;
    prom_begin(answer);
    buf_puts(&answer->body, "[]");
    prom_end(answer);
}

void api_options(struct request *request, struct answer *answer)
{
    (void)request;
    answer_text(answer, 204, "");
}

/* A user and a password, which may hold an @ as well, in front of the host are nobody's business here. */
static void url_member(struct buf *out, struct str url)
{
    size_t start = str_find_char(url, ':') + 3;
    struct str rest = start <= url.n ? (struct str){url.p + start, url.n - start} : url;
    struct str authority = {rest.p, str_find_char(rest, '/')};
    struct str host = authority;
    struct buf told;
    buf_init(&told, url.n + 1);
    while (str_find_char(host, '@') < host.n)
        (void)str_cut(&host, '@');
    buf_add(&told, url.p, url.n - rest.n);
    buf_str(&told, host);
    buf_add(&told, rest.p + authority.n, rest.n - authority.n);
    buf_puts(out, "{\"url\":");
    json_string(out, buf_slice(&told));
    buf_char(out, '}');
    buf_release(&told);
}

static void url_members(struct buf *out, const struct strict_texts *urls)
{
    for (size_t i = 0; i < urls->count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        url_member(out, urls->items[i]);
    }
}

/* Those that alerts are forwarded to, and those that relabelling left out. */
void api_alertmanagers(struct request *request, struct answer *answer)
{
    struct forward *forward = request->service->parts.forward;
    struct buf *out = &answer->body;
    struct strict_texts active = {0}, dropped = {0};
    if (forward != NULL && forward_urls(forward, request->arena, &active, &dropped) != 0) {
        prom_error(answer, PROM_INTERNAL, "the result does not fit limits.query_arena_bytes");
        return;
    }
    prom_begin(answer);
    buf_puts(out, "{\"activeAlertmanagers\":[");
    url_members(out, &active);
    buf_puts(out, "],\"droppedAlertmanagers\":[");
    url_members(out, &dropped);
    buf_puts(out, "]}");
    prom_end(answer);
}

void api_config(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    struct buf yaml;
    if (parts->write_config == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    buf_init(&yaml, answer->body.max_bytes);
    parts->write_config(parts->context, &yaml);
    prom_begin(answer);
    buf_puts(&answer->body, "{\"yaml\":");
    json_string(&answer->body, buf_slice(&yaml));
    buf_char(&answer->body, '}');
    prom_end(answer);
    answer->body.overflow |= buf_overflow(&yaml);
    buf_release(&yaml);
}

/* Requests are taken when all of the log has been read: where reading began, and that it is at its end. */
void api_walreplay(struct request *request, struct answer *answer)
{
    const struct store *store = request->service->parts.store;
    struct store_log_figures log = {0};
    if (store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    if (!store_log_figures(store, &log) || log.read_last < log.read_first)
        log.read_first = log.read_last = 0;
    prom_begin(answer);
    buf_format(&answer->body, "{\"min\":%" PRIu32 ",\"max\":%" PRIu32 ",\"current\":%" PRIu32 "}",
               log.read_first, log.read_last, log.read_last);
    prom_end(answer);
}

static void store_members(struct buf *out, struct store *store)
{
    struct store_figures figures;
    store_figures(store, &figures);
    buf_format(out,
               ",\"series\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"storeBytes\":%" PRIu64
               ",\"standingSelectors\":%" PRIu64,
               figures.series, figures.samples, figures.bytes, figures.standing);
    buf_puts(out, ",\"oldestSample\":");
    json_seconds(out, figures.oldest_ms);
    buf_puts(out, ",\"newestSample\":");
    json_seconds(out, figures.newest_ms);
}

void tocsin_status(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_char(out, '{');
    text_member(out, "version", parts->version);
    buf_puts(out, ",\"startTime\":");
    json_go_time(out, parts->started_ns);
    buf_format(out, ",\"ready\":%s", parts->ready == NULL || parts->ready(parts->context) ? "true" : "false");
    if (parts->store != NULL)
        store_members(out, parts->store);
    if (parts->incidents != NULL)
        buf_format(out, ",\"openIncidents\":%zu", incidents_open_count(parts->incidents));
    buf_char(out, '}');
    prom_end(answer);
}

enum { INCIDENTS_TOLD = 100, INCIDENTS_TOLD_MAX = 10000 };

void tocsin_incidents(struct request *request, struct answer *answer)
{
    struct incidents *incidents = request->service->parts.incidents;
    if (incidents == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return;
    }
    size_t limit = 0;
    if (!prom_limit_param(request, answer, &limit))
        return;
    if (limit == 0)
        limit = INCIDENTS_TOLD;
    struct err err;
    prom_begin(answer);
    if (incidents_write_json(incidents, limit < INCIDENTS_TOLD_MAX ? limit : INCIDENTS_TOLD_MAX,
                             &answer->body, &err) != 0) {
        prom_failed(answer, &err);
        return;
    }
    prom_end(answer);
}
