/*
 * Made-up months of an objective of 99.9 % over 30 days, whose events fail independently of each other: with exactly the budget's share,
 * any page is false, and an objective may bring no more of them than it states, at any traffic; in an outage the page must come all the same.
 *
 * TOCSIN_MONTHS=10000 guard_months_test plays so many months of each traffic and total outages of few events (300 and 10,000 unless
 * said otherwise, three seconds; 10,000 months take two minutes).
 */
#include "tocsin/confidence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SLOT_MS = 30 * 1000,
    SLOTS_HOUR = 120,
    MONTH_SLOTS = 30 * 24 * SLOTS_HOUR,
    WARM_SLOTS = 6 * SLOTS_HOUR,
    TIERS = 2
};

static const double budget = 0.001, false_page_rate = 0.05;

/* ---- numbers of events in a slot ---- */

static uint64_t seed;

static double uniform(void)
{
    seed += 0x9e3779b97f4a7c15u;
    uint64_t z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Poisson's distribution, looked up: the first k whose sum is over a uniform number, with a table of where to begin. */
enum { POISSON_MAX = 512, GUIDES = 1024 };

struct poisson {
    double sums[POISSON_MAX];
    int guides[GUIDES];
};

static void poisson_init(struct poisson *p, double mean)
{
    double term = exp(-mean), sum = 0;
    for (int k = 0; k < POISSON_MAX; k++, term *= mean / k)
        p->sums[k] = sum += term;
    p->sums[POISSON_MAX - 1] = 2;
    for (int i = 0, k = 0; i < GUIDES; i++) {
        while (p->sums[k] <= (double)i / GUIDES)
            k++;
        p->guides[i] = k;
    }
}

static int poisson(const struct poisson *p)
{
    double u = uniform();
    int k = p->guides[(int)(u * GUIDES)];
    while (p->sums[k] <= u)
        k++;
    return k;
}

/* Bad and good events are independent of each other, as parts of one stream. */
struct traffic {
    struct poisson bad, good;
};

static void traffic_init(struct traffic *t, double per_hour, double error)
{
    poisson_init(&t->bad, per_hour / SLOTS_HOUR * error);
    poisson_init(&t->good, per_hour / SLOTS_HOUR * (1 - error));
}

/* ---- one objective, as the engine would evaluate it ---- */

static struct objective_tier tiers[TIERS] = {
    {.class = TIER_PAGE, .short_ms = 10 * SLOT_MS, .long_ms = SLOTS_HOUR * SLOT_MS, .factor = {72, 5}},
    {.class = TIER_PAGE, .short_ms = 60 * SLOT_MS, .long_ms = 6 * SLOTS_HOUR * SLOT_MS, .factor = {6, 1}},
};

static const struct objective objective = {.id = {"made-up", 7},
                                           .target = {999, 1000},
                                           .period = {.length_ms = (int64_t)MONTH_SLOTS * SLOT_MS},
                                           .tiers = tiers,
                                           .tier_count = TIERS,
                                           .guard = {.false_page_rate = 0.05}};

/* Running sums, so that a window is a difference. */
struct month {
    int32_t bad[WARM_SLOTS + MONTH_SLOTS + 1], all[WARM_SLOTS + MONTH_SLOTS + 1];
    int slots;
    struct guard_plan plan;
    struct guard_weights weights;
};

static struct month month;

static void month_init(double per_hour)
{
    struct err err = {0};
    month.slots = 0;
    month.weights = (struct guard_weights){0};
    if (guard_plan_make(&objective, TIER_PAGE, SLOT_MS, per_hour * 720, &month.plan, &err) != 0)
        fail_msg("%s", err.text);
}

static void month_step(const struct traffic *traffic)
{
    int at = month.slots++, bad = poisson(&traffic->bad), good = poisson(&traffic->good);
    month.bad[at + 1] = month.bad[at] + bad;
    month.all[at + 1] = month.all[at] + bad + good;
    guard_count(&month.plan, &month.weights, bad, good);
}

static bool window(int slots, double limit, int64_t *bad, int64_t *all)
{
    *bad = month.bad[month.slots] - month.bad[month.slots - slots];
    *all = month.all[month.slots] - month.all[month.slots - slots];
    return (double)*bad > limit * (double)*all;
}

static bool tier_is_over(const struct objective_tier *tier, bool guarded)
{
    int64_t bad, all;
    double limit = fraction_value(tier->factor) * budget;
    if (!window((int)(tier->short_ms / SLOT_MS), limit, &bad, &all) ||
        !window((int)(tier->long_ms / SLOT_MS), limit, &bad, &all))
        return false;
    return !guarded || guard_agrees(&month.plan, &month.weights, bad, all, limit);
}

static bool is_paging(bool guarded)
{
    return tier_is_over(&tiers[0], guarded) || tier_is_over(&tiers[1], guarded);
}

/* ---- false pages ---- */

static int turns(int unless_said)
{
    const char *asked = getenv("TOCSIN_MONTHS");
    return asked != NULL ? atoi(asked) : unless_said;
}

struct pages {
    int plain, guarded;
};

static void warm_up(const struct traffic *traffic)
{
    while (month.slots < WARM_SLOTS)
        month_step(traffic);
}

static void play_month(const struct traffic *traffic, struct pages *pages)
{
    bool plain = false, guarded = false;
    warm_up(traffic);
    for (int i = 0; i < MONTH_SLOTS; i++) {
        month_step(traffic);
        bool plain_now = is_paging(false), guarded_now = plain_now && is_paging(true);
        pages->plain += plain_now && !plain;
        pages->guarded += guarded_now && !guarded;
        plain = plain_now;
        guarded = guarded_now;
    }
}

static struct pages play_months(double per_hour, int months)
{
    struct traffic traffic;
    struct pages pages = {0};
    traffic_init(&traffic, per_hour, budget);
    seed = (uint64_t)per_hour;
    for (int i = 0; i < months; i++) {
        month_init(per_hour);
        play_month(&traffic, &pages);
    }
    print_message("    %.0f an hour: %.4f false pages a month; without a guard %.3f\n", per_hour,
                  (double)pages.guarded / months, (double)pages.plain / months);
    return pages;
}

static void test_false_pages_are_no_more_than_stated(void **state)
{
    static const double traffics[] = {10, 100, 1000, 10000};
    int months = turns(300);
    (void)state;
    for (size_t i = 0; i < sizeof traffics / sizeof *traffics; i++) {
        struct pages pages = play_months(traffics[i], months);
        assert_true(pages.guarded <= false_page_rate * months);
        if (traffics[i] <= 10)
            assert_true(pages.plain > months);
    }
}

/* ---- real ones ---- */

/* The slot, from 1, in which a page comes after the errors began; a beginning within a slot is one at its end. 0: none in time. */
static int slots_to_page(double per_hour, const struct traffic *healthy, const struct traffic *outage,
                         bool guarded, int slots)
{
    month_init(per_hour);
    warm_up(healthy);
    for (int i = 1; i <= slots; i++) {
        month_step(outage);
        if (is_paging(guarded))
            return i;
    }
    return 0;
}

static void test_a_total_outage_of_few_events_pages_within_half_an_hour(void **state)
{
    struct traffic healthy, outage;
    int outages = turns(10000), paged = 0;
    (void)state;
    traffic_init(&healthy, 10, budget);
    traffic_init(&outage, 10, 1);
    seed = 30;
    for (int i = 0; i < outages; i++)
        paged += slots_to_page(10, &healthy, &outage, true, SLOTS_HOUR / 2 - 1) > 0;
    print_message("    %.2f %% of total outages at 10 an hour page within 30 minutes\n",
                  100. * paged / outages);
    assert_true(paged >= 0.95 * outages);
}

static void assert_as_soon(const struct traffic *healthy, double error, int outages)
{
    struct traffic outage;
    int later = 0;
    traffic_init(&outage, 10000, error);
    for (int i = 0; i < outages; i++) {
        seed = (uint64_t)i;
        int plain = slots_to_page(10000, healthy, &outage, false, 7 * SLOTS_HOUR);
        seed = (uint64_t)i;
        int guarded = slots_to_page(10000, healthy, &outage, true, 7 * SLOTS_HOUR);
        assert_true(plain > 0 && guarded > 0 && guarded <= plain + 1);
        later += guarded > plain;
    }
    print_message("    %d of %d outages of %g %% at 10,000 an hour page an evaluation later\n", later,
                  outages, 100 * error);
}

static void test_of_many_events_a_guard_costs_no_more_than_one_evaluation(void **state)
{
    static const double levels[] = {1, 0.1, 0.02, 0.008};
    struct traffic healthy;
    (void)state;
    traffic_init(&healthy, 10000, budget);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        assert_as_soon(&healthy, levels[i], turns(3000) / 10);
}

/* Two of a hundred fail at a hundred an hour: plain tiers page within the hour, or for a single event; the budget of the month is gone after a
 * day and a half. */
static void test_a_trickle_pages_long_before_the_budget_is_gone(void **state)
{
    struct traffic healthy, trickle;
    int trickles = turns(3000) / 30, sum = 0;
    (void)state;
    traffic_init(&healthy, 100, budget);
    traffic_init(&trickle, 100, 0.02);
    seed = 100;
    for (int i = 0; i < trickles; i++) {
        int slots = slots_to_page(100, &healthy, &trickle, true, 36 * SLOTS_HOUR);
        assert_true(slots > 0);
        sum += slots;
    }
    print_message("    2 %% of errors at 100 an hour page after %.1f hours\n",
                  (double)sum / trickles / SLOTS_HOUR);
    assert_true(sum < 8 * SLOTS_HOUR * trickles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_false_pages_are_no_more_than_stated),
        cmocka_unit_test(test_a_total_outage_of_few_events_pages_within_half_an_hour),
        cmocka_unit_test(test_of_many_events_a_guard_costs_no_more_than_one_evaluation),
        cmocka_unit_test(test_a_trickle_pages_long_before_the_budget_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
