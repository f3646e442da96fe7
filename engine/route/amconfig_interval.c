#include "amconfig_priv.h"

#include <stdio.h>

static const char *const weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};
static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                     "july",    "august",   "september", "october", "november", "december"};

/* One end of a range to a number; false: it has complained. */
typedef bool read_end(struct strict *s, const struct tree *node, struct str text, long long *value);

struct range {
    long long begin, end;
};

static bool read_range(struct strict *s, const struct tree *node, read_end *read, struct range *range)
{
    struct str rest;
    strict_text(s, node, &rest);
    struct str text = rest, begin = str_cut(&rest, ':'), end = begin;
    if (rest.p != NULL) {
        end = str_cut(&rest, ':');
        if (rest.p != NULL) {
            strict_fail(s, node, "couldn't parse range %.*s, invalid format", STR_ARG(text));
            return false;
        }
    }
    return read(s, node, begin, &range->begin) && read(s, node, end, &range->end);
}

static bool find_name(const char *const *names, size_t count, struct str text, long long first,
                      long long *value)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_nocase(text, str_of(names[i]))) {
            *value = (long long)i + first;
            return true;
        }
    }
    return false;
}

static bool read_number(struct strict *s, const struct tree *node, struct str text, long long *value)
{
    if (!str_to_i64(text, value))
        strict_fail(s, node, "strconv.Atoi: parsing \"%.*s\": invalid syntax", STR_ARG(text));
    return !strict_stopped(s);
}

static bool weekday_end(struct strict *s, const struct tree *node, struct str text, long long *value)
{
    if (!find_name(weekdays, 7, text, 0, value))
        strict_fail(s, node, "%.*s is not a valid weekday", STR_ARG(text));
    return !strict_stopped(s);
}

static bool month_end(struct strict *s, const struct tree *node, struct str text, long long *value)
{
    if (!find_name(months, 12, text, 1, value) && !str_to_i64(text, value))
        strict_fail(s, node, "%.*s is not a valid month", STR_ARG(text));
    return !strict_stopped(s);
}

static bool day_end(struct strict *s, const struct tree *node, struct str text, long long *value)
{
    if (!read_number(s, node, text, value))
        return false;
    if (*value == 0 || *value < -31 || *value > 31)
        strict_fail(s, node, "%lld is not a valid day of the month: out of range", *value);
    return !strict_stopped(s);
}

static void check_weekday(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    struct range range;
    if (read_range(s, node, weekday_end, &range) && range.begin > range.end)
        strict_fail(s, node, "start day cannot be before end day");
}

/* Judged as in the shortest month, where -1 is the 28th. */
static void check_day(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    struct range range;
    if (!read_range(s, node, day_end, &range))
        return;
    long long begin = range.begin < 0 ? 29 + range.begin : range.begin;
    long long end = range.end < 0 ? 29 + range.end : range.end;
    if (range.begin < 0 && range.end > 0)
        strict_fail(s, node, "end day must be negative if start day is negative");
    else if (begin > end)
        strict_fail(s, node, "end day %lld is always before start day %lld", range.end, range.begin);
}

static void check_month(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    struct range range;
    if (!read_range(s, node, month_end, &range) || range.begin <= range.end)
        return;
    bool named = range.begin >= 1 && range.begin <= 12 && range.end >= 1;
    if (named)
        strict_fail(s, node, "end month %s is before start month %s", months[range.end - 1],
                    months[range.begin - 1]);
    else
        strict_fail(s, node, "end month %lld is before start month %lld", range.end, range.begin);
}

static void check_year(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    struct range range;
    if (read_range(s, node, read_number, &range) && range.begin > range.end)
        strict_fail(s, node, "end year %lld is before start year %lld", range.end, range.begin);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_clock(struct strict *s, const struct tree *node, struct str t, int *minutes)
{
    bool shaped = t.n == 5 && is_digit(t.p[0]) && is_digit(t.p[1]) && t.p[2] == ':' && is_digit(t.p[3]) &&
                  is_digit(t.p[4]);
    int hour = shaped ? (t.p[0] - '0') * 10 + t.p[1] - '0' : 99;
    int minute = shaped ? (t.p[3] - '0') * 10 + t.p[4] - '0' : 99;
    *minutes = hour * 60 + minute;
    if (minute > 59 || *minutes > 24 * 60)
        strict_fail(s, node, "couldn't parse timestamp %.*s, invalid format", STR_ARG(t));
    return !strict_stopped(s);
}

struct clock_range {
    struct str start, end;
};

static void check_times(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    static const struct strict_field keys[] = {
        {"start_time", strict_text, offsetof(struct clock_range, start)},
        {"end_time", strict_text, offsetof(struct clock_range, end)},
        {NULL, NULL, 0},
    };
    struct clock_range range = {0};
    if (!strict_struct(s, node, "timeinterval.yamlTimeRange", keys, &range))
        return;
    int start, end;
    if (range.start.n == 0 || range.end.n == 0)
        strict_fail(s, node, "both start and end times must be provided");
    else if (read_clock(s, node, range.start, &start) && read_clock(s, node, range.end, &end) && start >= end)
        strict_fail(s, node, "start time cannot be equal or greater than end time");
}

/* A name from the system's time zone folder; never a path out of it. */
static void check_location(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    struct world *world = ((struct am_reader *)s->context)->world;
    struct str name;
    strict_text(s, node, &name);
    if (name.n == 0 || str_is(name, "UTC") || str_is(name, "Local"))
        return;
    char path[256];
    int n = snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    struct buf zone;
    buf_init(&zone, 1 << 20);
    bool odd = n < 0 || (size_t)n >= sizeof path || name.p[0] == '/' || strstr(path, "..") != NULL ||
               strlen(path) != (size_t)n;
    if (odd || world->read_file(world, path, &zone, NULL) != 0)
        strict_fail(s, node, "unknown time zone %.*s", STR_ARG(name));
    buf_release(&zone);
}

/* Lists whose items are only judged: targets of no use. */
#define CHECK_LIST(name, check, type)                                         \
    static void name(struct strict *s, const struct tree *node, void *target) \
    {                                                                         \
        (void)target;                                                         \
        struct strict_list list;                                              \
        strict_list(s, node, type, 1, check, &list);                          \
    }
CHECK_LIST(read_times, check_times, "[]timeinterval.TimeRange")
CHECK_LIST(read_weekdays, check_weekday, "[]timeinterval.WeekdayRange")
CHECK_LIST(read_days, check_day, "[]timeinterval.DayOfMonthRange")
CHECK_LIST(read_months, check_month, "[]timeinterval.MonthRange")
CHECK_LIST(read_years, check_year, "[]timeinterval.YearRange")

static void check_spec(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field keys[] = {
        {"times", read_times, 0},
        {"weekdays", read_weekdays, 0},
        {"days_of_month", read_days, 0},
        {"months", read_months, 0},
        {"years", read_years, 0},
        {"location", check_location, 0},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "timeinterval.TimeInterval", keys, target);
}
CHECK_LIST(read_specs, check_spec, "[]timeinterval.TimeInterval")

static void read_interval(struct am_reader *r, const struct tree *node, bool mute)
{
    static const struct strict_field keys[] = {
        {"name", strict_text, offsetof(struct am_interval, name)},
        {"time_intervals", read_specs, 0},
        {NULL, NULL, 0},
    };
    struct am_interval interval = {.mute = mute};
    if (!strict_struct(&r->strict, node, "config.plain", keys, &interval))
        return;
    if (interval.name.n == 0)
        strict_fail(&r->strict, node, "missing name in %stime interval", mute ? "mute " : "");
    ARENA_GROW(&r->config->arena, r->intervals, r->interval_count, r->interval_capacity);
    if (r->intervals != NULL)
        r->intervals[r->interval_count++] = interval;
}

static void read_intervals(struct am_reader *r, const struct tree *node, bool mute)
{
    struct strict *s = &r->strict;
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_LIST) {
        strict_mismatch(s, node, mute ? "[]config.MuteTimeInterval" : "[]config.TimeInterval");
        return;
    }
    for (const struct tree *child = node->first; child != NULL && !strict_stopped(s); child = child->next)
        read_interval(r, child, mute);
}

void am_read_mute_time_intervals(struct strict *s, const struct tree *node, void *target)
{
    (void)s;
    read_intervals(target, node, true);
}

void am_read_time_intervals(struct strict *s, const struct tree *node, void *target)
{
    (void)s;
    read_intervals(target, node, false);
}

bool am_interval_known(const struct am_reader *r, struct str name)
{
    for (size_t i = 0; i < r->interval_count; i++) {
        if (str_eq(r->intervals[i].name, name))
            return true;
    }
    return false;
}

/* The deprecated list is judged first, so a clash between the two is told of the newer one. */
void am_check_intervals(struct am_reader *r)
{
    for (size_t i = 0; i < r->interval_count; i++) {
        for (size_t k = 0; k < r->interval_count; k++) {
            const struct am_interval *a = &r->intervals[i], *b = &r->intervals[k];
            bool earlier = a->mute == b->mute ? k < i : b->mute;
            if (earlier && str_eq(a->name, b->name)) {
                strict_fail(&r->strict, NULL, "%stime interval \"%.*s\" is not unique",
                            a->mute ? "mute " : "", STR_ARG(a->name));
                return;
            }
        }
    }
}
