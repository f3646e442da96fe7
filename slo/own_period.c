/* Over which time an objective holds, and which times do not count. */
#include "own_priv.h"

#include "tocsin/gotext.h"

#include <stddef.h>

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

/* ---- window ---- */

struct calendar {
    struct strict_scalar unit, zone;
    int64_t count;
};

static const struct strict_field calendar_fields[] = {
    {"calendar", strict_scalar, offsetof(struct calendar, unit)},
    {"count", strict_i64, offsetof(struct calendar, count)},
    {"time_zone", strict_scalar, offsetof(struct calendar, zone)},
    {NULL, NULL, 0},
};

static bool read_unit(struct str text, struct period *period)
{
    static const struct {
        const char *name;
        enum period_unit unit;
        int64_t days;
    } units[] = {{"day", PERIOD_DAY, 1},
                 {"week", PERIOD_WEEK, 7},
                 {"month", PERIOD_MONTH, 30},
                 {"quarter", PERIOD_QUARTER, 90},
                 {"year", PERIOD_YEAR, 365}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!str_is(text, units[i].name))
            continue;
        period->unit = units[i].unit;
        period->length_ms = units[i].days * day_ms;
        return true;
    }
    return false;
}

static void take_calendar(struct strict *s, const struct tree *node, const struct calendar *c,
                          struct period *out)
{
    enum { COUNT_MAX = 100 };
    struct err why;
    if (c->unit.node == NULL || !read_unit(c->unit.text, out)) {
        strict_fail(s, c->unit.node != NULL ? c->unit.node : node,
                    "a window of the calendar is {calendar: day, week, month, quarter or year}");
        return;
    }
    if (c->count < 1 || c->count > COUNT_MAX)
        strict_fail(s, node, "count must be from 1 to %d", COUNT_MAX);
    out->count = c->count;
    out->zone = c->zone.text;
    if (strict_sound(s) && objective_zone_check(s->context, out->zone, &why) != 0)
        strict_fail(s, c->zone.node, "time_zone: %s", why.text);
}

void own_window(struct strict *s, const struct tree *node, struct objective *o)
{
    struct calendar c = {.count = 1};
    if (node == NULL)
        return;
    if (node->kind != TREE_MAP)
        strict_duration_ms(s, node, &o->period.length_ms);
    else if (own_struct(s, node, "window", calendar_fields, &c))
        take_calendar(s, node, &c, &o->period);
    o->period.length_ms *= o->period.count;
}

/* ---- maintenance ---- */

struct times {
    struct maintenance maintenance;
    struct strict_scalar start;
};

static const struct strict_field maintenance_fields[] = {
    {"start", strict_scalar, offsetof(struct times, start)},
    {"length", strict_duration_ms, offsetof(struct times, maintenance.length_ms)},
    {"every", strict_duration_ms, offsetof(struct times, maintenance.every_ms)},
    {"reason", strict_text, offsetof(struct times, maintenance.reason)},
    {NULL, NULL, 0},
};

static void check_times(struct strict *s, const struct tree *node, struct times *t)
{
    struct maintenance *m = &t->maintenance;
    int64_t ns = 0;
    if (t->start.node == NULL || !go_parse_rfc3339(t->start.text, &ns) || ns == INT64_MIN || ns == INT64_MAX)
        strict_fail(s, t->start.node != NULL ? t->start.node : node,
                    "maintenance needs a start such as 2026-01-31T22:00:00Z");
    else if (m->length_ms <= 0)
        strict_fail(s, node, "maintenance needs a length such as 2h");
    else if (m->every_ms != 0 && m->every_ms <= m->length_ms)
        strict_fail(s, node, "maintenance that comes every so often must be shorter than that");
    m->start_ms = ns / NS_PER_MS;
}

static void read_times(struct strict *s, const struct tree *node, void *target)
{
    struct times t = {0};
    if (own_struct(s, node, "maintenance", maintenance_fields, &t))
        check_times(s, node, &t);
    *(struct maintenance *)target = t.maintenance;
}

void own_maintenance(struct strict *s, const struct tree *node, struct objective *o)
{
    struct strict_list list = {0};
    if (node == NULL)
        return;
    strict_list(s, node, "[]maintenance", sizeof(struct maintenance), read_times, &list);
    o->maintenance = list.items;
    o->maintenance_count = list.count;
}
