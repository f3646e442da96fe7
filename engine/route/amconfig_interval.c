#include "amconfig_priv.h"

const char *const am_weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
                                   "thursday", "friday", "saturday"};
static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                     "july",    "august",   "september", "october", "november", "december"};

/* One end of a range to a number; false: it has complained. */
typedef bool read_end(struct strict *s, const struct tree *node, struct str text, int64_t *value);

static bool read_range(struct strict *s, const struct tree *node, read_end *read, struct am_range *range)
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

static bool find_name(const char *const *names, size_t count, struct str text, int64_t first, int64_t *value)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq_nocase(text, str_of(names[i]))) {
            *value = (int64_t)i + first;
            return true;
        }
    }
    return false;
}

static bool read_number(struct strict *s, const struct tree *node, struct str text, int64_t *value)
{
    long long number = 0;
    if (!str_to_i64(text, &number))
        strict_fail(s, node, "strconv.Atoi: parsing \"%.*s\": invalid syntax", STR_ARG(text));
    *value = number;
    return !strict_stopped(s);
}

static bool weekday_end(struct strict *s, const struct tree *node, struct str text, int64_t *value)
{
    if (!find_name(am_weekdays, 7, text, 0, value))
        strict_fail(s, node, "%.*s is not a valid weekday", STR_ARG(text));
    return !strict_stopped(s);
}

static bool month_end(struct strict *s, const struct tree *node, struct str text, int64_t *value)
{
    long long number = 0;
    if (find_name(months, 12, text, 1, value))
        return true;
    if (!str_to_i64(text, &number))
        strict_fail(s, node, "%.*s is not a valid month", STR_ARG(text));
    *value = number;
    return !strict_stopped(s);
}

static bool day_end(struct strict *s, const struct tree *node, struct str text, int64_t *value)
{
    if (!read_number(s, node, text, value))
        return false;
    if (*value == 0 || *value < -31 || *value > 31)
        strict_fail(s, node, "%lld is not a valid day of the month: out of range", (long long)*value);
    return !strict_stopped(s);
}

/* Readers of one range; target: struct am_range. A null is from 0 to 0 in Alertmanager: Sunday, and else never. */

static void take_weekdays(struct strict *s, const struct tree *node, void *target)
{
    struct am_range *range = target;
    if (!tree_is_null(node) && read_range(s, node, weekday_end, range) && range->begin > range->end)
        strict_fail(s, node, "start day cannot be before end day");
}

/* Judged as in the shortest month, where -1 is the 28th. */
static void take_days(struct strict *s, const struct tree *node, void *target)
{
    struct am_range *range = target;
    if (tree_is_null(node) || !read_range(s, node, day_end, range))
        return;
    int64_t begin = range->begin < 0 ? 29 + range->begin : range->begin;
    int64_t end = range->end < 0 ? 29 + range->end : range->end;
    if (range->begin < 0 && range->end > 0)
        strict_fail(s, node, "end day must be negative if start day is negative");
    else if (begin > end)
        strict_fail(s, node, "end day %lld is always before start day %lld", (long long)range->end,
                    (long long)range->begin);
}

static void take_months(struct strict *s, const struct tree *node, void *target)
{
    struct am_range *range = target;
    if (tree_is_null(node) || !read_range(s, node, month_end, range) || range->begin <= range->end)
        return;
    bool named = range->begin >= 1 && range->begin <= 12 && range->end >= 1;
    if (named)
        strict_fail(s, node, "end month %s is before start month %s", months[range->end - 1],
                    months[range->begin - 1]);
    else
        strict_fail(s, node, "end month %lld is before start month %lld", (long long)range->end,
                    (long long)range->begin);
}

static void take_years(struct strict *s, const struct tree *node, void *target)
{
    struct am_range *range = target;
    if (!tree_is_null(node) && read_range(s, node, read_number, range) && range->begin > range->end)
        strict_fail(s, node, "end year %lld is before start year %lld", (long long)range->end,
                    (long long)range->begin);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_clock(struct strict *s, const struct tree *node, struct str t, int64_t *minutes)
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

static void take_times(struct strict *s, const struct tree *node, void *target)
{
    struct am_range *minutes = target;
    static const struct strict_field keys[] = {
        {"start_time", strict_text, offsetof(struct clock_range, start)},
        {"end_time", strict_text, offsetof(struct clock_range, end)},
        {NULL, NULL, 0},
    };
    struct clock_range range = {0};
    if (tree_is_null(node) || !strict_struct(s, node, "timeinterval.yamlTimeRange", keys, &range))
        return;
    if (range.start.n == 0 || range.end.n == 0)
        strict_fail(s, node, "both start and end times must be provided");
    else if (read_clock(s, node, range.start, &minutes->begin) &&
             read_clock(s, node, range.end, &minutes->end) && minutes->begin >= minutes->end)
        strict_fail(s, node, "start time cannot be equal or greater than end time");
}

static void take_location(struct strict *s, const struct tree *node, void *target)
{
    struct world *world = ((struct am_reader *)s->context)->world;
    struct am_time_spec *spec = target;
    struct err why;
    strict_text(s, node, &spec->location);
    int rc = zone_load(world, s->arena, spec->location, &spec->zone, &why);
    if (rc != 0 && rc != ERR_LIMIT)
        strict_fail(s, node, "unknown time zone %.*s", STR_ARG(spec->location));
}

static void read_ranges(struct strict *s, const struct tree *node, const char *go_type, strict_read *read,
                        struct am_ranges *out)
{
    struct strict_list list = {0};
    strict_list(s, node, go_type, sizeof(struct am_range), read, &list);
    *out = (struct am_ranges){list.items, list.count, !tree_is_null(node)};
}

#define RANGES(name, take, type)                                              \
    static void name(struct strict *s, const struct tree *node, void *target) \
    {                                                                         \
        read_ranges(s, node, type, take, target);                             \
    }
RANGES(read_times, take_times, "[]timeinterval.TimeRange")
RANGES(read_weekdays, take_weekdays, "[]timeinterval.WeekdayRange")
RANGES(read_days, take_days, "[]timeinterval.DayOfMonthRange")
RANGES(read_months, take_months, "[]timeinterval.MonthRange")
RANGES(read_years, take_years, "[]timeinterval.YearRange")

static void take_spec(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field keys[] = {
        {"times", read_times, offsetof(struct am_time_spec, minutes)},
        {"weekdays", read_weekdays, offsetof(struct am_time_spec, weekdays)},
        {"days_of_month", read_days, offsetof(struct am_time_spec, days)},
        {"months", read_months, offsetof(struct am_time_spec, months)},
        {"years", read_years, offsetof(struct am_time_spec, years)},
        {"location", take_location, 0},
        {NULL, NULL, 0},
    };
    struct am_time_spec *spec = target;
    strict_struct(s, node, "timeinterval.TimeInterval", keys, spec);
    if (spec->zone == NULL)
        zone_load(((struct am_reader *)s->context)->world, s->arena, STR("UTC"), &spec->zone, NULL);
}

static void read_specs(struct strict *s, const struct tree *node, void *target)
{
    struct am_interval *interval = target;
    struct strict_list list = {0};
    strict_list(s, node, "[]timeinterval.TimeInterval", sizeof(struct am_time_spec), take_spec, &list);
    interval->specs = list.items;
    interval->spec_count = list.count;
}

static void read_interval(struct am_reader *r, const struct tree *node, bool mute)
{
    static const struct strict_field keys[] = {
        {"name", strict_text, offsetof(struct am_interval, name)},
        {"time_intervals", read_specs, 0},
        {NULL, NULL, 0},
    };
    struct interval_draft draft = {.mute = mute};
    if (!strict_struct(&r->strict, node, "config.plain", keys, &draft.interval))
        return;
    if (draft.interval.name.n == 0)
        strict_fail(&r->strict, node, "missing name in %stime interval", mute ? "mute " : "");
    ARENA_GROW(&r->config->arena, r->intervals, r->interval_count, r->interval_capacity);
    if (r->intervals != NULL)
        r->intervals[r->interval_count++] = draft;
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

const struct am_interval *am_interval_find(const struct am_reader *r, struct str name)
{
    for (size_t i = 0; i < r->interval_count; i++) {
        if (str_eq(r->intervals[i].interval.name, name))
            return &r->intervals[i].interval;
    }
    return NULL;
}

/* The deprecated list is judged first, so a clash between the two is told of the newer one. */
void am_check_intervals(struct am_reader *r)
{
    for (size_t i = 0; i < r->interval_count; i++) {
        for (size_t k = 0; k < r->interval_count; k++) {
            const struct interval_draft *a = &r->intervals[i], *b = &r->intervals[k];
            bool earlier = a->mute == b->mute ? k < i : b->mute;
            if (earlier && str_eq(a->interval.name, b->interval.name)) {
                strict_fail(&r->strict, NULL, "%stime interval \"%.*s\" is not unique",
                            a->mute ? "mute " : "", STR_ARG(a->interval.name));
                return;
            }
        }
    }
}
