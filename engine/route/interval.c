#include "tocsin/amconfig.h"
#include "tocsin/calendar.h"

static bool in_ranges(const struct am_ranges *ranges, int64_t value)
{
    for (size_t i = 0; i < ranges->count; i++) {
        if (value >= ranges->items[i].begin && value <= ranges->items[i].end)
            return true;
    }
    return !ranges->given;
}

static bool in_times(const struct am_ranges *minutes, int64_t minute)
{
    for (size_t i = 0; i < minutes->count; i++) {
        if (minute >= minutes->items[i].begin && minute < minutes->items[i].end)
            return true;
    }
    return !minutes->given;
}

static int64_t clamp(int64_t day, int64_t days)
{
    return day > days ? days : day < -days ? -days : day;
}

/* A range is cut to the month; one that begins behind its end has no day in it. */
static bool in_days(const struct am_ranges *ranges, const struct civil *c)
{
    int64_t days = days_in_month(c->year, c->month);
    for (size_t i = 0; i < ranges->count; i++) {
        int64_t begin = ranges->items[i].begin, end = ranges->items[i].end;
        begin = begin < 0 ? days + begin + 1 : begin;
        end = end < 0 ? days + end + 1 : end;
        if (begin <= days && c->day >= clamp(begin, days) && c->day <= clamp(end, days))
            return true;
    }
    return !ranges->given;
}

static bool spec_holds(const struct am_time_spec *spec, int64_t unix_s)
{
    struct civil c;
    civil_of(unix_s, 0, zone_at(spec->zone, unix_s).offset_s, &c);
    return in_times(&spec->minutes, c.hour * 60 + c.minute) && in_ranges(&spec->weekdays, c.weekday) &&
           in_days(&spec->days, &c) && in_ranges(&spec->months, c.month) && in_ranges(&spec->years, c.year);
}

size_t am_interval_holds(const struct am_interval *interval, int64_t unix_s)
{
    size_t count = 0;
    for (size_t i = 0; i < interval->spec_count; i++)
        count += spec_holds(&interval->specs[i], unix_s);
    return count;
}
