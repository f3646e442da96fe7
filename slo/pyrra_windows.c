/* Pyrra's windows: those of 28 days, scaled. */
#include "pyrra_priv.h"

#include <stdlib.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, MINUTES_OF_28_DAYS = 28 * 24 * 60 };

#define NS_PER_MS INT64_C(1000000)
#define DAY_MS (INT64_C(24) * 60 * MINUTE_MS)

/* In minutes at 28 days. */
static const struct base {
    int short_min, long_min, for_min, factor;
} bases[PYRRA_TIERS] = {
    {5, 60, 2, 14},
    {30, 6 * 60, 15, 7},
    {2 * 60, 24 * 60, 60, 2},
    {6 * 60, 4 * 24 * 60, 3 * 60, 1},
};

static int64_t round_to_minute(int64_t ns)
{
    int64_t minute = MINUTE_MS * NS_PER_MS, rest = ns % minute;
    return (rest + rest < minute ? ns - rest : ns - rest + minute) / NS_PER_MS;
}

/* In whole nanoseconds, as Pyrra computes: which way a half is rounded is seen in names of series. */
static int64_t scale(int64_t period_ms, int minutes)
{
    return round_to_minute(period_ms * NS_PER_MS / (MINUTES_OF_28_DAYS / minutes));
}

void pyrra_windows(int64_t period_ms, struct pyrra_window out[PYRRA_TIERS])
{
    for (size_t i = 0; i < PYRRA_TIERS; i++)
        out[i] = (struct pyrra_window){
            .short_ms = scale(period_ms, bases[i].short_min),
            .long_ms = scale(period_ms, bases[i].long_min),
            .for_ms = scale(period_ms, bases[i].for_min),
            .factor = bases[i].factor,
        };
}

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

size_t pyrra_ranges(int64_t period_ms, int64_t ranges[PYRRA_RANGES_MAX])
{
    struct pyrra_window windows[PYRRA_TIERS];
    size_t count = 0;
    pyrra_windows(period_ms, windows);
    for (size_t i = 0; i < PYRRA_RANGES_MAX; i++)
        ranges[i] = i % 2 == 0 ? windows[i / 2].short_ms : windows[i / 2].long_ms;
    qsort(ranges, PYRRA_RANGES_MAX, sizeof *ranges, by_length);
    for (size_t i = 0; i < PYRRA_RANGES_MAX; i++)
        if (i == 0 || ranges[i] != ranges[count - 1])
            ranges[count++] = ranges[i];
    return count;
}

int64_t pyrra_exhaustion_ms(int64_t period_ms, int factor)
{
    return period_ms / SECOND_MS / factor * SECOND_MS;
}

int64_t pyrra_absent_for_ms(const struct pyrra_objective *objective)
{
    struct pyrra_window windows[PYRRA_TIERS];
    pyrra_windows(objective->window_ms, windows);
    double limit = windows[0].factor * (1 - objective->target);
    int64_t seconds = (int64_t)(limit * ((double)windows[0].long_ms / SECOND_MS));
    return round_to_minute((seconds * SECOND_MS + windows[0].for_ms) * NS_PER_MS);
}

/* Half a minute more for each week, from one week to eight. */
int64_t pyrra_increase_interval_ms(int64_t period_ms)
{
    int64_t weeks = period_ms / (7 * DAY_MS);
    return (weeks < 7 ? weeks + 1 : 8) * 30 * SECOND_MS;
}
