/*
 * GET /api/tocsin/v1/trail?filter=MATCHER...&fingerprint=&receiver=REGEX&limit=100 (at most 1000): why alerts were told, or not.
 *
 *   {"status":"success","data":{
 *     "since": TIME,                  the trail begins here (the start of the process); of what was before, the notification log alone knows
 *     "now": TIME,
 *     "truncated": false,             more than limit alerts match; firing ones come first
 *     "alerts": [{
 *       "fingerprint": "9f...", "labels": {...},
 *       "state": "firing",            resolved; gone: no longer held
 *       "startsAt": TIME, "endsAt": TIME,
 *       "since": TIME,                of this alert's trail
 *       "verdicts": [{"receiver", "group", "paged": true, "text"}],      one for each receiver and group, in a sentence
 *       "decisions": [{"at": TIME, "what", "text",                       in the order of time; what is not meant is left out:
 *                      "last": TIME, "until": TIME, "by", "causes": [], "receiver", "route", "group", "integration", "number",
 *                      "status": 503, "attempt": 3, "flushes": 2, "detail"}],
 *       "next": [{"at": TIME, "receiver", "group", "text"}]              if nothing changes
 *     }]}}
 *
 * Words of `what` and `by`: tocsin/trail.h. TIME is RFC 3339 in UTC with milliseconds.
 */
#include "api_priv.h"
#include "json_priv.h"
#include "v2_priv.h"

#include "tocsin/router.h"
#include "tocsin/trail.h"

#include <inttypes.h>

/* The router waits as long as it takes to answer. */
enum { TRAIL_ALERTS_DEFAULT = 100, TRAIL_ALERTS_MAX = 1000, LINE_BYTES_MAX = 1 << 17 };

struct asked {
    struct trail_query query;
    struct v2_matchers matchers;
    struct regex *receiver;
};

static bool take_fingerprint(const struct request *request, struct answer *answer, struct trail_query *query)
{
    struct str text = request_param(request, "fingerprint");
    query->by_fingerprint = text.n > 0;
    if (text.n == 0 || trail_fingerprint_parse(text, &query->fingerprint))
        return true;
    prom_bad_param(answer, "fingerprint", "a fingerprint is 16 hexadecimal digits");
    return false;
}

static bool take_receiver(const struct request *request, struct answer *answer, struct asked *asked)
{
    struct err err;
    struct str pattern = request_param(request, "receiver");
    if (pattern.n == 0)
        return true;
    asked->query.receiver = asked->receiver = regex_open(pattern, REGEX_ANCHORED, &err);
    if (asked->receiver != NULL)
        return true;
    prom_bad_param(answer, "receiver", err.text);
    return false;
}

static bool take_query(const struct request *request, struct answer *answer, struct asked *asked)
{
    struct err err;
    if (!prom_limit_param(request, answer, &asked->query.limit))
        return false;
    if (asked->query.limit == 0)
        asked->query.limit = TRAIL_ALERTS_DEFAULT;
    if (asked->query.limit > TRAIL_ALERTS_MAX)
        asked->query.limit = TRAIL_ALERTS_MAX;
    if (v2_take_matchers(request, "filter", &asked->matchers, &err) != 0) {
        prom_bad_param(answer, "filter", err.text);
        return false;
    }
    asked->query.matchers = asked->matchers.items;
    asked->query.matcher_count = asked->matchers.count;
    return take_fingerprint(request, answer, &asked->query) && take_receiver(request, answer, asked);
}

static void put_text(struct buf *out, const char *name, struct str text)
{
    if (text.n == 0)
        return;
    buf_format(out, ",\"%s\":", name);
    json_string(out, text);
}

static void put_time(struct buf *out, const char *name, int64_t at_ns)
{
    if (at_ns == 0)
        return;
    buf_format(out, ",\"%s\":", name);
    v2_time(out, at_ns, 0);
}

static void put_number(struct buf *out, const char *name, int value)
{
    if (value != 0)
        buf_format(out, ",\"%s\":%d", name, value);
}

static void put_causes(struct buf *out, const struct trail_line *line)
{
    if (line->cause_count == 0)
        return;
    buf_puts(out, ",\"causes\":");
    json_strings(out, line->causes, line->cause_count);
}

static void put_decision(struct buf *out, const struct trail_line *line, int64_t now_ns)
{
    struct buf text;
    buf_init(&text, LINE_BYTES_MAX);
    trail_line_print(&text, line, now_ns);
    buf_puts(out, "{\"at\":");
    v2_time(out, line->at_ns, 0);
    put_text(out, "what", str_of(line->what));
    put_text(out, "text", buf_slice(&text));
    put_time(out, "last", line->last_ns);
    put_time(out, "until", line->until_ns);
    put_text(out, "by", str_of(line->by != NULL ? line->by : ""));
    put_causes(out, line);
    put_text(out, "receiver", line->receiver);
    put_text(out, "route", line->route);
    put_text(out, "group", line->group);
    if (line->integration != NULL) {
        put_text(out, "integration", str_of(line->integration));
        buf_format(out, ",\"number\":%" PRIu32, line->number);
    }
    put_number(out, "status", line->status);
    put_number(out, "attempt", line->attempt);
    put_number(out, "flushes", line->flushes > 1 ? (int)line->flushes : 0);
    put_text(out, "detail", line->detail);
    buf_char(out, '}');
    buf_release(&text);
}

static void put_verdict(struct buf *out, const struct trail_verdict *verdict)
{
    buf_format(out, "{\"paged\":%s", verdict->paged ? "true" : "false");
    put_text(out, "receiver", verdict->receiver);
    put_text(out, "group", verdict->group);
    put_text(out, "text", verdict->text);
    buf_char(out, '}');
}

static void put_next(struct buf *out, const struct trail_next *next)
{
    buf_puts(out, "{\"at\":");
    v2_time(out, next->at_ns, 0);
    put_text(out, "receiver", next->receiver);
    put_text(out, "group", next->group);
    put_text(out, "text", next->text);
    buf_char(out, '}');
}

static void put_alert(struct buf *out, const struct trail_alert *alert, int64_t now_ns)
{
    buf_format(out, "{\"fingerprint\":\"%016" PRIx64 "\",\"labels\":", alert->fingerprint);
    labels_print_json(out, alert->labels);
    put_text(out, "state", str_of(alert->state));
    put_time(out, "startsAt", alert->starts_ns);
    put_time(out, "endsAt", alert->ends_ns);
    put_time(out, "since", alert->since_ns);
    buf_puts(out, ",\"verdicts\":[");
    for (size_t i = 0; i < alert->verdict_count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_verdict(out, &alert->verdicts[i]);
    }
    buf_puts(out, "],\"decisions\":[");
    for (size_t i = 0; i < alert->line_count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_decision(out, &alert->lines[i], now_ns);
    }
    buf_puts(out, "],\"next\":[");
    for (size_t i = 0; i < alert->next_count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_next(out, &alert->next[i]);
    }
    buf_puts(out, "]}");
}

static void put_answer(struct answer *answer, const struct trail_answer *trail)
{
    struct buf *out = &answer->body;
    prom_begin(answer);
    buf_puts(out, "{\"since\":");
    v2_time(out, trail->since_ns, 0);
    put_time(out, "now", trail->now_ns);
    buf_format(out, ",\"truncated\":%s,\"alerts\":[", trail->truncated ? "true" : "false");
    for (size_t i = 0; i < trail->count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_alert(out, &trail->alerts[i], trail->now_ns);
    }
    buf_puts(out, "]}");
    prom_end(answer);
}

void tocsin_trail(struct request *request, struct answer *answer)
{
    struct asked asked = {0};
    struct trail_answer trail;
    struct router *router = request->service->parts.router;
    if (router == NULL) {
        answer_text(answer, 404, "this process routes no alerts\n");
        return;
    }
    if (take_query(request, answer, &asked)) {
        if (router_trail(router, &asked.query, request->arena, &trail) == 0)
            put_answer(answer, &trail);
        else
            prom_error(answer, PROM_INTERNAL,
                       "the trail does not fit the memory of one request: ask for less");
    }
    v2_release_matchers(&asked.matchers);
    if (asked.receiver != NULL)
        regex_free(asked.receiver);
}
