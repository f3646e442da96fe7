/* OpenSLO's durations and time windows. */
#include "openslo_priv.h"

#include "tocsin/calendar.h"

#include <stddef.h>
#include <stdio.h>

enum { MINUTE_MS = 60 * 1000 };
static const int64_t hour_ms = INT64_C(60) * MINUTE_MS, day_ms = INT64_C(24) * 60 * MINUTE_MS;

/* ---- durations ---- */

static int64_t unit_ms(char unit)
{
    switch (unit) {
    case 'm':
        return MINUTE_MS;
    case 'h':
        return hour_ms;
    case 'd':
        return day_ms;
    case 'w':
        return 7 * day_ms;
    case 'M':
        return 30 * day_ms;
    case 'Q':
        return 90 * day_ms;
    case 'Y':
        return 365 * day_ms;
    default:
        return 0;
    }
}

static bool parse_duration(struct str text, struct openslo_duration *out)
{
    enum { COUNT_MAX = 1000000 };
    long long count;
    if (text.n < 2 || text.p[0] == '-' || text.p[0] == '+' ||
        !str_to_i64((struct str){text.p, text.n - 1}, &count) || count < 0 || count > COUNT_MAX)
        return false;
    out->count = count;
    out->unit = text.p[text.n - 1];
    out->ms = count * unit_ms(out->unit);
    return unit_ms(out->unit) > 0;
}

void openslo_duration(struct strict *s, const struct tree *node, void *target)
{
    struct openslo_duration *duration = target;
    struct str text = STR("");
    duration->node = node;
    strict_text(s, node, &text);
    if (strict_sound(s) && !parse_duration(text, duration))
        strict_fail(
            s, node,
            "%.*s: \"%.*s\" is no duration: a whole number and one of m (minutes), h, d, w, M (months), "
            "Q, Y, such as 30d",
            STR_ARG(node->key->text), STR_ARG(text));
}

/* ---- windows ---- */

struct calendar {
    const struct tree *node;
    struct strict_scalar start, zone;
};

struct window {
    struct openslo_duration duration;
    struct strict_scalar rolling_node;
    bool rolling;
    struct calendar calendar;
};

static const struct strict_field calendar_fields[] = {
    {"startTime", strict_scalar, offsetof(struct calendar, start)},
    {"timeZone", strict_scalar, offsetof(struct calendar, zone)},
    {NULL, NULL, 0},
};

static void read_calendar(struct strict *s, const struct tree *node, void *target)
{
    struct calendar *calendar = target;
    calendar->node = node;
    strict_struct(s, node, "v1.Calendar", calendar_fields, calendar);
}

static void read_rolling(struct strict *s, const struct tree *node, void *target)
{
    struct window *window = target;
    window->rolling_node.node = node;
    strict_bool(s, node, &window->rolling);
}

static const struct strict_field window_fields[] = {
    {"duration", openslo_duration, offsetof(struct window, duration)},
    {"isRolling", read_rolling, 0},
    {"calendar", read_calendar, offsetof(struct window, calendar)},
    {NULL, NULL, 0},
};

static bool read_unit(char unit, enum period_unit *out)
{
    static const char letters[] = "dwMQY";
    static const enum period_unit units[] = {PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER,
                                             PERIOD_YEAR};
    const char *at = memchr(letters, unit, sizeof letters - 1);
    if (at != NULL)
        *out = units[at - letters];
    return at != NULL;
}

/* The start of a unit as calendars have it: ours begin nowhere else. */
static bool begins_unit(enum period_unit unit, int year, int month, int day)
{
    switch (unit) {
    case PERIOD_WEEK:
        return ((days_of(year, month, day) + 3) % 7 + 7) % 7 == 0; /* 1970-01-01 was a Thursday */
    case PERIOD_MONTH:
        return day == 1;
    case PERIOD_QUARTER:
        return day == 1 && month % 3 == 1;
    case PERIOD_YEAR:
        return day == 1 && month == 1;
    default:
        return true;
    }
}

static void check_start(struct strict *s, const struct tree *node, struct str text, enum period_unit unit)
{
    int year, month, day, hour, minute, second, used = 0;
    const char *kept = arena_copy_text(s->arena, text.p, text.n);
    if (kept == NULL)
        return;
    if (sscanf(kept, "%4d-%2d-%2d %2d:%2d:%2d%n", &year, &month, &day, &hour, &minute, &second, &used) != 6 ||
        (size_t)used != text.n || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        strict_fail(s, node, "startTime must be a time such as 2026-01-01 00:00:00");
    else if (hour != 0 || minute != 0 || second != 0 || !begins_unit(unit, year, month, day))
        strict_unsupported(
            s, node,
            "startTime %s: windows begin with the day, on Mondays, on the first of the month, the "
            "quarter or the year, and not at other times",
            kept);
}

static void take_calendar(struct strict *s, const struct window *w, struct objective *o)
{
    const struct calendar *c = &w->calendar;
    struct err why;
    if (!read_unit(w->duration.unit, &o->period.unit)) {
        strict_fail(
            s, w->duration.node,
            "a window of the calendar lasts days (d), weeks (w), months (M), quarters (Q) or years (Y)");
        return;
    }
    if (w->duration.count != 1)
        strict_unsupported(s, w->duration.node,
                           "a window of several units of the calendar is not supported, because nothing says "
                           "which of them it begins with; take one, or a rolling window");
    o->period.zone = c->zone.text;
    if (c->start.node != NULL)
        check_start(s, c->start.node, c->start.text, o->period.unit);
    if (strict_sound(s) &&
        objective_zone_check(((struct openslo_file *)s->context)->set, c->zone.text, &why) != 0)
        strict_fail(s, c->zone.node, "timeZone: %s", why.text);
}

static void take_window(struct strict *s, const struct tree *node, const struct window *w,
                        struct objective *o)
{
    bool calendar = w->calendar.node != NULL;
    if (w->duration.node == NULL || w->duration.count == 0)
        strict_fail(s, node, "timeWindow needs a duration, such as 28d");
    else if (w->duration.unit == 'm')
        strict_fail(s, w->duration.node, "timeWindow: %lldm are minutes; months are written M, as in %lldM",
                    (long long)w->duration.count, (long long)w->duration.count);
    else if (calendar && w->rolling)
        strict_fail(s, node, "timeWindow is either rolling (isRolling: true) or of the calendar");
    else if (!calendar && w->rolling_node.node != NULL && !w->rolling)
        strict_fail(s, node, "timeWindow that does not roll needs a calendar with startTime and timeZone");
    if (!strict_sound(s))
        return;
    o->period.length_ms = w->duration.ms;
    if (calendar)
        take_calendar(s, w, o);
}

void openslo_window(struct strict *s, const struct tree *node, struct objective *o)
{
    struct window w = {0};
    if (node == NULL)
        return;
    if (node->kind != TREE_LIST || node->count != 1)
        strict_fail(s, node, "timeWindow must be a list of one window");
    else if (strict_struct(s, node->first, "v1.TimeWindow", window_fields, &w))
        take_window(s, node->first, &w, o);
}
