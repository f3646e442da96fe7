/*
 * GET /api/tocsin/v1/slos?id=ID&time=TIME: what is left of the budgets. Without id: of all objectives, in the order of their files.
 *
 *   {"status":"success","data":{"now": TIME, "slos": [{
 *     "id", "service", "name", "objective": 0.999, "budgeting": "events",    events, slices, ratios
 *     "epoch": 1,                       grows when the objective changes
 *     "upto": TIME, "settled": TIME,    slices that end before were looked at; and stay as they are
 *     "error",                          why the last look failed
 *     "groups": [{
 *       "labels": {...}, "standing": "known",                                known, partial, unknown: then what is not known is left out
 *       "from": TIME, "to": TIME,       of the period
 *       "coverage", "periodCoverage",   shares of its slices that are known
 *       "sli", "allowed", "spent", "consumed", "remaining", "exhausted",
 *       "forecast",                     what will remain at the period's end
 *       "exhaustedInSeconds",           if the last day goes on; not there: not before the period ends
 *       "events": {"good", "bad"},      where events are counted
 *       "windows": [{"window": "5m", "errorRatio", "burn", "exhaustedInSeconds"}]}],
 *     "corrections": [{"id", "change", "from": TIME, "to": TIME, "at": TIME, "author", "reason"}]}]}}
 *
 * TIME is RFC 3339 in UTC with milliseconds; the parameter is Prometheus' kind of time, a past one.
 */
#include "api_priv.h"
#include "json_priv.h"
#include "v2_priv.h"

#include "tocsin/budget.h"
#include "tocsin/duration.h"
#include "tocsin/gotext.h"

#include <inttypes.h>
#include <math.h>

/* ---- pieces ---- */

static void put_text(struct buf *out, const char *name, struct str text)
{
    buf_format(out, ",\"%s\":", name);
    json_string(out, text);
}

static void put_time(struct buf *out, const char *name, int64_t at_ms)
{
    buf_format(out, ",\"%s\":", name);
    v2_time(out, at_ms * NS_PER_MS, 0);
}

/* What is no number is left out. */
static void put_number(struct buf *out, const char *name, double value)
{
    if (!isfinite(value))
        return;
    buf_format(out, ",\"%s\":", name);
    go_float_json(out, value);
}

static void put_seconds(struct buf *out, const char *name, int64_t ms)
{
    if (ms >= 0)
        put_number(out, name, (double)ms / 1000);
}

/* ---- one group ---- */

static const char *standing_name(enum budget_standing standing)
{
    return standing == BUDGET_KNOWN ? "known" : standing == BUDGET_PARTIAL ? "partial" : "unknown";
}

static void put_window(struct buf *out, const struct ledger_window *window)
{
    struct buf length;
    buf_init(&length, 64);
    duration_print(&length, window->length_ms);
    buf_puts(out, "{\"window\":");
    json_string(out, buf_slice(&length));
    buf_release(&length);
    if (window->known) {
        put_number(out, "errorRatio", window->error_ratio);
        put_number(out, "burn", window->burn);
        put_seconds(out, "exhaustedInSeconds", window->exhausted_in_ms);
    }
    buf_char(out, '}');
}

static void put_figures(struct buf *out, const struct ledger_figures *f)
{
    put_number(out, "sli", f->sli);
    put_number(out, "allowed", f->allowed);
    put_number(out, "spent", f->spent);
    if (f->tells_remaining) {
        put_number(out, "consumed", f->consumed);
        put_number(out, "remaining", f->remaining);
        put_number(out, "forecast", f->forecast);
    }
    buf_format(out, ",\"exhausted\":%s", f->exhausted ? "true" : "false");
    put_seconds(out, "exhaustedInSeconds", f->exhausted_in_ms);
}

static void put_group(struct buf *out, const struct budget_group *group, bool events)
{
    const struct ledger_figures *f = &group->figures;
    buf_puts(out, "{\"labels\":");
    labels_print_json(out, group->labels);
    put_text(out, "standing", str_of(standing_name(f->standing)));
    put_time(out, "from", f->from_ms);
    put_time(out, "to", f->to_ms);
    put_number(out, "coverage", f->coverage);
    put_number(out, "periodCoverage", f->period_coverage);
    if (f->standing != BUDGET_UNKNOWN)
        put_figures(out, f);
    if (events && f->standing != BUDGET_UNKNOWN) {
        buf_puts(out, ",\"events\":{\"good\":");
        go_float_json(out, f->sum.total - f->sum.bad);
        buf_puts(out, ",\"bad\":");
        go_float_json(out, f->sum.bad);
        buf_char(out, '}');
    }
    buf_puts(out, ",\"windows\":[");
    for (size_t i = 0; i < group->window_count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_window(out, &group->windows[i]);
    }
    buf_puts(out, "]}");
}

/* ---- one objective ---- */

static const char *budgeting_name(enum budgeting budgeting)
{
    return budgeting == BUDGET_EVENTS ? "events" : budgeting == BUDGET_SLICES ? "slices" : "ratios";
}

static const char *change_name(enum ledger_change change)
{
    static const char *const names[] = {[CHANGE_NONE] = "none",
                                        [CHANGE_EXCLUDE] = "exclude",
                                        [CHANGE_FORGIVE] = "forgive",
                                        [CHANGE_CHARGE] = "charge",
                                        [CHANGE_MAINTENANCE] = "maintenance"};
    return names[change];
}

static void put_correction(struct buf *out, const struct ledger_correction *correction)
{
    buf_format(out, "{\"id\":%" PRId64, correction->id);
    put_text(out, "change", str_of(change_name(correction->change)));
    put_time(out, "from", correction->from_ms);
    put_time(out, "to", correction->to_ms);
    put_time(out, "at", correction->at_ms);
    put_text(out, "author", correction->author);
    put_text(out, "reason", correction->reason);
    buf_char(out, '}');
}

static void put_report(struct buf *out, const struct budget_report *report)
{
    buf_puts(out, "{\"id\":");
    json_string(out, report->objective);
    put_text(out, "service", report->service);
    put_text(out, "name", report->name);
    put_number(out, "objective", fraction_value(report->target));
    put_text(out, "budgeting", str_of(budgeting_name(report->budgeting)));
    buf_format(out, ",\"epoch\":%" PRIu32, report->epoch);
    put_time(out, "upto", report->next_ms);
    put_time(out, "settled", report->settled_ms);
    if (report->error.n > 0)
        put_text(out, "error", report->error);
    buf_puts(out, ",\"groups\":[");
    for (size_t i = 0; i < report->group_count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_group(out, &report->groups[i], report->counts_events);
    }
    buf_puts(out, "],\"corrections\":[");
    for (size_t i = 0; i < report->correction_count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        put_correction(out, &report->corrections[i]);
    }
    buf_puts(out, "]}");
}

/* ---- the answer ---- */

static void put_answer(struct request *request, struct answer *answer, const struct budget_report *reports,
                       size_t count, struct str id)
{
    struct world *world = request->service->parts.world;
    struct buf *out = &answer->body;
    bool any = false;
    prom_begin(answer);
    buf_puts(out, "{\"now\":");
    v2_time(out, world->wall_ns(world), 0);
    buf_puts(out, ",\"slos\":[");
    for (size_t i = 0; i < count; i++) {
        if (id.n > 0 && !str_eq(id, reports[i].objective))
            continue;
        buf_puts(out, any ? "," : "");
        put_report(out, &reports[i]);
        any = true;
    }
    buf_puts(out, "]}");
    prom_end(answer);
    if (id.n > 0 && !any)
        answer_text(answer, 404, "there is no such objective: /api/tocsin/v1/slos tells their ids\n");
}

void tocsin_slos(struct request *request, struct answer *answer)
{
    struct budgets *budgets = request->service->parts.budgets;
    struct budget_report *reports;
    size_t count;
    int64_t at_ms = INT64_MAX;
    if (budgets == NULL) {
        answer_text(answer, 404, "this process keeps no budgets\n");
        return;
    }
    if (!prom_time_param(request, answer, "time", false, &at_ms))
        return;
    if (budgets_report(budgets, at_ms, request->arena, &reports, &count) == 0)
        put_answer(request, answer, reports, count, request_param(request, "id"));
    else
        prom_error(answer, PROM_INTERNAL, "the budgets do not fit the memory of one request");
}
