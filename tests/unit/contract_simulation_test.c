/*
 * Contracts against a simulation that knows none of their formulas: counters that are sampled, windows from the first sample in them to the
 * last one, evaluations at slots, `for`, group_wait. All in whole milliseconds and whole events, so equal is equal.
 *
 * TOCSIN_TURNS=100000 contract_simulation_test plays so many outages (10,000 unless said otherwise; about a second).
 */
#include "tocsin/contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, TURNS = 10000, TIERS = 3 };

static const int64_t never = -1;

/* ---- made-up outages ---- */

static uint64_t seed;

static int64_t pick(int64_t low, int64_t high)
{
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return low + (int64_t)((z ^ (z >> 31)) % (uint64_t)(high - low + 1));
}

struct outage {
    struct objective objective;
    struct objective_tier tiers[TIERS];
    struct contract_pace pace;
    struct fraction error;
    int64_t slot_ms, sample_ms, slice_ms; /* the first ones after the errors began; a slice's end */
};

static void pick_tier(struct objective_tier *tier)
{
    *tier =
        (struct objective_tier){.name = STR("tier"), .class = (enum tier_class)pick(TIER_PAGE, TIER_TICKET)};
    tier->long_ms = pick(6, 240) * MINUTE_MS;
    tier->short_ms = tier->long_ms / pick(2, 15) / (10 * SECOND_MS) * (10 * SECOND_MS);
    if (tier->short_ms < 3 * MINUTE_MS)
        tier->short_ms = 3 * MINUTE_MS;
    tier->for_ms = pick(0, 2) == 0 ? pick(0, 600) * SECOND_MS : 0;
    assert_int_equal(fraction_make(pick(8, 400), 10, &tier->factor), 0);
}

/* One level in four is exactly a tier's limit, which must not fire it. */
static void pick_error(struct outage *o)
{
    const struct objective_tier *tier = &o->tiers[pick(0, TIERS - 1)];
    struct fraction limit;
    assert_int_equal(contract_limit(&o->objective, tier, &limit), 0);
    if (pick(0, 3) == 0 && limit.numerator <= limit.denominator)
        o->error = limit;
    else
        assert_int_equal(fraction_make(pick(1, 2000), 2000, &o->error), 0);
}

static void pick_outage(struct outage *o)
{
    static const struct fraction targets[] = {{9, 10},     {95, 100},   {99, 100},
                                              {995, 1000}, {999, 1000}, {9999, 10000}};
    *o = (struct outage){.objective = {.id = STR("made-up"), .tiers = o->tiers, .tier_count = TIERS}};
    o->objective.target = targets[pick(0, 5)];
    o->objective.period.length_ms = pick(7, 90) * 24 * 60 * MINUTE_MS;
    for (size_t i = 0; i < TIERS; i++)
        pick_tier(&o->tiers[i]);
    pick_error(o);
    o->pace.interval_ms = pick(2, 24) * 5 * SECOND_MS;
    o->pace.scrape_ms = pick(0, 1) * pick(1, 12) * 5 * SECOND_MS; /* 0: samples come all the time */
    o->pace.group_wait_ms = pick(0, 30) * SECOND_MS;
    o->slot_ms = pick(0, o->pace.interval_ms - 1);
    o->sample_ms = o->pace.scrape_ms > 0 ? pick(0, o->pace.scrape_ms - 1) : 0;
}

/* The same by slices of a minute, whose windows are whole slices. */
static void slice(struct outage *o)
{
    struct objective *objective = &o->objective;
    objective->budgeting = pick(0, 1) == 0 ? BUDGET_SLICES : BUDGET_RATIOS;
    objective->slice_ms = MINUTE_MS;
    objective->slice_target = (struct fraction){pick(80, 99), 100};
    for (size_t i = 0; i < TIERS; i++)
        o->tiers[i].short_ms -= o->tiers[i].short_ms % MINUTE_MS;
    if (pick(0, 9) == 0) /* at a slice's target exactly: still good */
        assert_int_equal(fraction_subtract((struct fraction){1, 1}, objective->slice_target, &o->error), 0);
    o->pace.scrape_ms = 0;
    o->slice_ms = pick(1, MINUTE_MS);
}

/* ---- what happens ---- */

static int64_t down_to_step(int64_t n, int64_t step)
{
    int64_t rest = n % step;
    return n - (rest < 0 ? rest + step : rest);
}

/* The newest sample at or before a time. */
static int64_t sample_at(const struct outage *o, int64_t ms)
{
    return o->pace.scrape_ms > 0 ? down_to_step(ms - o->sample_ms, o->pace.scrape_ms) + o->sample_ms : ms;
}

/* A window is open at its beginning. */
static int64_t sample_after(const struct outage *o, int64_t ms)
{
    return o->pace.scrape_ms > 0 ? sample_at(o, ms) + o->pace.scrape_ms : ms;
}

/* Bad events up to a time, a million of them times the error's numerator a millisecond while the errors last. */
static int64_t bad_at(int64_t ms, int64_t end_ms)
{
    return ms <= 0 ? 0 : ms < end_ms ? ms : end_ms;
}

static bool window_over(const struct outage *o, int64_t now_ms, int64_t length_ms, int64_t end_ms,
                        struct fraction limit)
{
    int64_t last = sample_at(o, now_ms), first = sample_after(o, now_ms - length_ms);
    __int128 bad = (__int128)(bad_at(last, end_ms) - bad_at(first, end_ms)) * o->error.numerator;
    __int128 all = (__int128)(last - first) * o->error.denominator;
    return last > first && bad * limit.denominator > all * limit.numerator;
}

/* The bad part of one slice of a minute, in milliseconds times the error's denominator. */
static int64_t slice_bad(const struct outage *o, int64_t slice_end_ms, int64_t end_ms)
{
    return (bad_at(slice_end_ms, end_ms) - bad_at(slice_end_ms - MINUTE_MS, end_ms)) * o->error.numerator;
}

static int64_t slice_weight(const struct outage *o, int64_t bad)
{
    const struct fraction target = o->objective.slice_target;
    int64_t whole = MINUTE_MS * o->error.denominator;
    if (o->objective.budgeting == BUDGET_RATIOS)
        return bad;
    return bad * target.denominator > whole * (target.denominator - target.numerator) ? whole : 0;
}

/* Over the slices that have ended. */
static bool slices_over(const struct outage *o, int64_t now_ms, int64_t length_ms, int64_t end_ms,
                        struct fraction limit)
{
    int64_t last = down_to_step(now_ms - o->slice_ms, MINUTE_MS) + o->slice_ms;
    __int128 bad = 0, all = (__int128)length_ms * o->error.denominator;
    for (int64_t at = last; at > last - length_ms && at > 0; at -= MINUTE_MS)
        bad += slice_weight(o, slice_bad(o, at, end_ms));
    return bad * limit.denominator > all * limit.numerator;
}

static bool is_over(const struct outage *o, int64_t now_ms, int64_t length_ms, int64_t end_ms,
                    struct fraction limit)
{
    if (o->objective.budgeting == BUDGET_EVENTS)
        return window_over(o, now_ms, length_ms, end_ms, limit);
    return slices_over(o, now_ms, length_ms, end_ms, limit);
}

static bool holds(const struct outage *o, const struct objective_tier *tier, int64_t now_ms, int64_t end_ms)
{
    /* factor * (1 - target), as a reader would write it down */
    struct fraction limit;
    const struct fraction target = o->objective.target;
    assert_int_equal(fraction_make(tier->factor.numerator * (target.denominator - target.numerator),
                                   tier->factor.denominator * target.denominator, &limit),
                     0);
    return is_over(o, now_ms, tier->long_ms, end_ms, limit) &&
           is_over(o, now_ms, tier->short_ms, end_ms, limit);
}

/* When the notification leaves; the errors go on for longer than any window and `for`. */
static int64_t simulate_page(const struct outage *o, const struct objective_tier *tier)
{
    int64_t last_ms = 2 * tier->long_ms + tier->for_ms + 20 * MINUTE_MS, active_ms = never;
    for (int64_t now_ms = o->slot_ms; now_ms <= last_ms; now_ms += o->pace.interval_ms) {
        if (!holds(o, tier, now_ms, INT64_MAX))
            active_ms = never;
        else if (active_ms == never)
            active_ms = now_ms;
        if (active_ms != never && now_ms - active_ms >= tier->for_ms)
            return now_ms + o->pace.group_wait_ms;
    }
    return never;
}

/* How long after the errors' end, at end_ms, the alert is over. */
static int64_t simulate_reset(const struct outage *o, const struct objective_tier *tier, int64_t end_ms)
{
    int64_t now_ms = o->slot_ms;
    while (now_ms < end_ms)
        now_ms += o->pace.interval_ms;
    while (holds(o, tier, now_ms, end_ms))
        now_ms += o->pace.interval_ms;
    return now_ms - end_ms;
}

/* ---- the property ---- */

/* Told at worst, so never later; and sooner by what the slots, samples and slices may have spared: an evaluation; a scrape, and one more for the
 * scrape by which the samples of a window span less than it; the slice in which the errors begin or end, and the rest of one before it counts. */
static void assert_near(const struct outage *o, int64_t turn, const char *what, int64_t told_ms,
                        int64_t happened_ms)
{
    int64_t slack_ms = o->pace.interval_ms + 2 * o->pace.scrape_ms + 2 * o->objective.slice_ms;
    if (happened_ms > told_ms || happened_ms < told_ms - slack_ms)
        fail_msg("turn %lld: %s after %lld ms, and %lld are promised (interval %lld, scrape %lld)",
                 (long long)turn, what, (long long)happened_ms, (long long)told_ms,
                 (long long)o->pace.interval_ms, (long long)o->pace.scrape_ms);
}

struct tally {
    int64_t fired, silent, closest_ms;
};

static void play_tier(const struct outage *o, int64_t turn, const struct objective_tier *tier,
                      const struct contract_tier *promised, struct tally *tally)
{
    int64_t page_ms = simulate_page(o, tier);
    if (promised->fires != (page_ms != never))
        fail_msg("turn %lld: promised %d, happened %lld", (long long)turn, promised->fires,
                 (long long)page_ms);
    if (!promised->fires) {
        tally->silent++;
        return;
    }
    tally->fired++;
    assert_near(o, turn, "told", promised->told_ms, page_ms);
    assert_near(o, turn, "over", promised->reset_ms, simulate_reset(o, tier, page_ms + tier->long_ms));
    if (promised->told_ms - page_ms < tally->closest_ms)
        tally->closest_ms = promised->told_ms - page_ms;
}

static void play(int64_t turn, bool sliced, struct arena *arena, struct tally *tally)
{
    struct outage o;
    struct contract_level level;
    struct err err = {0};
    pick_outage(&o);
    if (sliced)
        slice(&o);
    if (contract_level(&o.objective, &o.pace, o.error, arena, &level, &err) != 0)
        fail_msg("turn %lld: %s", (long long)turn, err.text);
    for (size_t i = 0; i < TIERS; i++)
        play_tier(&o, turn, &o.tiers[i], &level.tiers[i], tally);
    arena_clear(arena);
}

static int64_t turns(int64_t unless_said)
{
    const char *asked = getenv("TOCSIN_TURNS");
    return asked != NULL ? atoll(asked) : unless_said;
}

/* Both must have happened, and the worst case be one: some outage came within five seconds of it. */
static void play_all(int64_t count, bool sliced)
{
    struct tally tally = {.closest_ms = INT64_MAX};
    struct arena arena;
    arena_init(&arena, 1 << 16);
    seed = 20261123;
    for (int64_t turn = 0; turn < count; turn++)
        play(turn, sliced, &arena, &tally);
    arena_release(&arena);
    assert_true(tally.fired > count / 4 && tally.silent > count / 4);
    assert_true(tally.closest_ms < 5 * SECOND_MS);
    print_message("    %lld fired, %lld did not; the closest to its worst case by %lld ms\n",
                  (long long)tally.fired, (long long)tally.silent, (long long)tally.closest_ms);
}

static void test_outages_are_told_when_the_contract_says(void **state)
{
    (void)state;
    play_all(turns(TURNS), false);
}

static void test_outages_that_spend_slices_are_too(void **state)
{
    (void)state;
    play_all(turns(TURNS) / 5, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outages_are_told_when_the_contract_says),
        cmocka_unit_test(test_outages_that_spend_slices_are_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
