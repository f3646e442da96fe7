#include "api_priv.h"
#include "info_priv.h"
#include "json_priv.h"

#include "tocsin/duration.h"
#include "tocsin/incident.h"
#include "tocsin/stat.h"
#include "tocsin/tree.h"

#include <inttypes.h>

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

void api_runtimeinfo(struct request *request, struct answer *answer)
{
    const struct serve_parts *parts = &request->service->parts;
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_puts(out, "{\"startTime\":");
    json_go_time(out, parts->started_ns);
    text_member(out, "CWD", "");
    buf_puts(out, ",\"serverTime\":");
    json_go_time(out, parts->world->wall_ns(parts->world));
    buf_format(
        out, ",\"reloadConfigSuccess\":%s,\"lastConfigTime\":", stat_get(STAT_reload_ok) ? "true" : "false");
    json_go_time(out, (int64_t)stat_get(STAT_reload_seconds) * NS_PER_S);
    buf_puts(out, ",\"corruptionCount\":0,\"goroutineCount\":0,\"GOMAXPROCS\":0,\"GOMEMLIMIT\":0");
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
    int64_t lookback_ms = promql != NULL && promql->lookback_ms > 0 ? promql->lookback_ms : 300000;
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

/* Their URLs may be secret. */
void api_alertmanagers(struct request *request, struct answer *answer)
{
    (void)request;
    prom_begin(answer);
    buf_puts(&answer->body, "{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}");
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
