/* Periods: where they begin and end. */
#include "ledger_priv.h"

#include "tocsin/calendar.h"

enum { DAY_S = 86400, MONDAY = 4 /* 1970-01-05, in days since 1970 */ };

static int32_t offset_at(const struct zone *zone, int64_t unix_s)
{
    return zone != NULL ? zone_at(zone, unix_s).offset_s : 0;
}

/* The clocks skip midnight: the day begins with the change. */
static int64_t first_change(const struct zone *zone, int64_t low_s, int64_t high_s)
{
    int32_t before = offset_at(zone, low_s);
    while (high_s - low_s > 1) {
        int64_t middle = low_s + (high_s - low_s) / 2;
        if (offset_at(zone, middle) == before)
            low_s = middle;
        else
            high_s = middle;
    }
    return high_s;
}

/* When a day of the calendar begins there; where midnight comes twice, with the first. */
static int64_t day_begins_s(const struct zone *zone, int64_t day)
{
    int64_t midnight = day * DAY_S;
    int32_t before = offset_at(zone, midnight - DAY_S), after = offset_at(zone, midnight + DAY_S);
    int64_t first = midnight - (before > after ? before : after);
    int64_t second = midnight - (before > after ? after : before);
    if (first + offset_at(zone, first) == midnight)
        return first;
    if (second + offset_at(zone, second) == midnight)
        return second;
    return first_change(zone, midnight - DAY_S, midnight + DAY_S);
}

static int months_of(enum period_unit unit)
{
    return unit == PERIOD_MONTH ? 1 : unit == PERIOD_QUARTER ? 3 : 12;
}

/* The day on which the i-th period since 1970 begins. */
static int64_t first_day(const struct period *period, int64_t i)
{
    int64_t at = i * period->count;
    if (period->unit == PERIOD_DAY)
        return at;
    if (period->unit == PERIOD_WEEK)
        return 7 * at + MONDAY - 7;
    int64_t month = at * months_of(period->unit);
    int64_t years = floor_div(month, 12);
    return days_of(1970 + years, (int)(month - 12 * years) + 1, 1);
}

/* Which one a moment lies in, by what clocks show. */
static int64_t period_index(const struct period *period, const struct zone *zone, int64_t unix_s)
{
    struct civil c;
    civil_of(unix_s, 0, offset_at(zone, unix_s), &c);
    int64_t day = days_of(c.year, c.month, c.day);
    if (period->unit == PERIOD_DAY)
        return floor_div(day, period->count);
    if (period->unit == PERIOD_WEEK)
        return floor_div(day - (MONDAY - 7), 7 * period->count);
    return floor_div((c.year - 1970) * 12 + c.month - 1, months_of(period->unit) * period->count);
}

static int64_t begins_ms(const struct period *period, const struct zone *zone, int64_t index)
{
    return day_begins_s(zone, first_day(period, index)) * 1000;
}

/* Where clocks are set back over midnight, they show the day before once more after the day has begun. */
void period_bounds(const struct period *period, const struct zone *zone, int64_t at_ms, int64_t *from_ms,
                   int64_t *to_ms)
{
    if (period->unit == PERIOD_ROLLING) {
        *from_ms = at_ms - period->length_ms;
        *to_ms = at_ms;
        return;
    }
    must(period->count > 0);
    int64_t index = period_index(period, zone, floor_div(at_ms, 1000));
    while (begins_ms(period, zone, index) > at_ms)
        index--;
    while (begins_ms(period, zone, index + 1) <= at_ms)
        index++;
    *from_ms = begins_ms(period, zone, index);
    *to_ms = begins_ms(period, zone, index + 1);
}

int64_t period_longest_ms(const struct period *period)
{
    static const int64_t days[] = {0, 1, 7, 31, 92, 366};
    if (period->unit == PERIOD_ROLLING)
        return period->length_ms;
    return days[period->unit] * period->count * LEDGER_DAY_MS +
           LEDGER_DAY_MS / 12; /* an hour or two of DST */
}
