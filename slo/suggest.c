/* What a history says about objectives. */
#include "tocsin/suggest.h"

#include <stdlib.h>

static const struct fraction usual[] = {
    {99999, 100000}, {9999, 10000}, {9995, 10000}, {999, 1000}, {998, 1000}, {995, 1000}, {99, 100},
    {98, 100},       {97, 100},     {95, 100},     {90, 100},   {75, 100},   {50, 100},
};

struct fraction suggest_target(double achievable)
{
    struct fraction target = {0, 1};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (fraction_value(usual[i]) <= achievable) {
            fraction_make(usual[i].numerator, usual[i].denominator, &target);
            break;
        }
    }
    return target;
}

/* ---- rolling windows ---- */

/* Sums over the last `length` slices. Counts are whole numbers, so adding and taking away leaves no rest. */
struct rolling {
    size_t length, filled;
    double bad, total;
};

static void roll(struct rolling *r, const struct suggest_history *history, size_t at)
{
    r->bad += history->slices[at].bad;
    r->total += history->slices[at].total;
    if (r->filled < r->length) {
        r->filled++;
        return;
    }
    r->bad -= history->slices[at - r->length].bad;
    r->total -= history->slices[at - r->length].total;
}

static size_t slices_of(const struct suggest_history *history, int64_t window_ms)
{
    int64_t slices = history->slice_ms > 0 ? window_ms / history->slice_ms : 0;
    return slices > 0 ? (size_t)slices : 1;
}

/* ---- what would have been met ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t shares_of(const struct suggest_history *history, size_t length, double *shares)
{
    struct rolling window = {.length = length};
    size_t n = 0;
    for (size_t i = 0; i < history->count; i++) {
        roll(&window, history, i);
        if (window.filled == length && window.total > 0)
            shares[n++] = 1 - window.bad / window.total;
    }
    return n;
}

int suggest_achievable(const struct suggest_history *history, int64_t window_ms, struct arena *arena,
                       double *out, struct err *err)
{
    if (history->slice_ms <= 0 || window_ms < history->slice_ms)
        return err_set(err, ERR_ARG, "a window must be as long as a slice, or longer");
    size_t length = slices_of(history, window_ms);
    if (length > history->count)
        return err_set(err, ERR_NOT_FOUND, "the history is shorter than one window");
    double *shares = ARENA_ARRAY(arena, double, history->count - length + 1);
    if (shares == NULL)
        return err_set(err, ERR_LIMIT, "the history is too long");
    size_t n = shares_of(history, length, shares);
    if (n == 0)
        return err_set(err, ERR_NOT_FOUND, "no window of the history has an event");
    qsort(shares, n, sizeof *shares, ascending);
    *out = shares[(n * 5 + 99) / 100 - 1];
    return 0;
}

/* ---- what would have fired ---- */

struct watch {
    const struct objective_tier *tier;
    struct fraction limit;
    struct rolling short_window, long_window;
    int64_t pending_ms; /* since the condition holds; -1: it does not */
};

static bool is_over(const struct rolling *window, struct fraction limit)
{
    return window->filled == window->length &&
           window->bad * (double)limit.denominator > window->total * (double)limit.numerator;
}

static bool watch_step(struct watch *watch, const struct suggest_history *history, size_t at)
{
    int64_t now_ms = (int64_t)at * history->slice_ms;
    roll(&watch->short_window, history, at);
    roll(&watch->long_window, history, at);
    if (!is_over(&watch->short_window, watch->limit) || !is_over(&watch->long_window, watch->limit)) {
        watch->pending_ms = -1;
        return false;
    }
    if (watch->pending_ms < 0)
        watch->pending_ms = now_ms;
    return now_ms - watch->pending_ms >= watch->tier->for_ms;
}

static void run(const struct suggest_history *history, struct watch *watches, size_t count,
                struct suggest_outcome *out)
{
    bool fired[2] = {false, false};
    for (size_t at = 0; at < history->count; at++) {
        bool fires[2] = {false, false};
        for (size_t i = 0; i < count; i++)
            if (watch_step(&watches[i], history, at))
                fires[watches[i].tier->class] = true;
        out->pages += fires[TIER_PAGE] && !fired[TIER_PAGE];
        out->tickets += fires[TIER_TICKET] && !fired[TIER_TICKET];
        memcpy(fired, fires, sizeof fired);
    }
}

static double burn_of(const struct suggest_history *history, struct fraction budget)
{
    struct rolling whole = {.length = history->count};
    for (size_t i = 0; i < history->count; i++)
        roll(&whole, history, i);
    return whole.bad > 0 ? whole.bad / whole.total / fraction_value(budget) : 0;
}

int suggest_outcome(const struct suggest_history *history, const struct objective_tier *tiers,
                    size_t tier_count, struct fraction target, struct suggest_outcome *out, struct err *err)
{
    struct watch watches[SUGGEST_TIERS_MAX];
    struct fraction budget = {0, 1};
    if (tier_count > SUGGEST_TIERS_MAX || history->slice_ms <= 0)
        return err_set(err, ERR_ARG, "at most %d tiers can be tried, on slices of some length",
                       SUGGEST_TIERS_MAX);
    int rc = fraction_subtract((struct fraction){1, 1}, target, &budget);
    for (size_t i = 0; rc == 0 && i < tier_count; i++) {
        watches[i] = (struct watch){.tier = &tiers[i],
                                    .short_window = {.length = slices_of(history, tiers[i].short_ms)},
                                    .long_window = {.length = slices_of(history, tiers[i].long_ms)},
                                    .pending_ms = -1};
        rc = fraction_multiply(budget, tiers[i].factor, &watches[i].limit);
    }
    if (rc != 0)
        return err_set(err, rc, "the target or a factor has too many digits to reckon with");
    *out = (struct suggest_outcome){.target = target, .burn = burn_of(history, budget)};
    run(history, watches, tier_count, out);
    return 0;
}
