#include "tocsin/confidence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- against sums of every single term, in long double ---- */

enum { COUNT = 1 << 20 };

static long double terms[COUNT + 1];

/* All probabilities of n events, each from the one before: an error of some 1e-19 a step. */
static void sum_exactly(int64_t n, long double p)
{
    terms[0] = powl(1 - p, (long double)n);
    for (int64_t k = 0; k < n; k++)
        terms[k + 1] = terms[k] * (long double)(n - k) / (long double)(k + 1) * (p / (1 - p));
}

/* From the smallest terms on. */
static long double exact_tail(int64_t at_least, int64_t n)
{
    long double sum = 0;
    for (int64_t k = n; k >= at_least; k--)
        sum += terms[k];
    return sum;
}

static double off(double value, long double exact)
{
    return exact == 0 ? fabs(value) : (double)fabsl(((long double)value - exact) / exact);
}

static void assert_tails(int64_t n, double p, double *worst)
{
    int64_t step = n / 97 + 1;
    sum_exactly(n, p);
    for (int64_t k = 0; k <= n; k += k < 300 ? 1 : step) {
        long double exact = exact_tail(k, n);
        if (exact < 1e-290L)
            break;
        double wrong = off(confidence_tail(k, n, p), exact);
        if (wrong > *worst)
            *worst = wrong;
        if (wrong > 1e-10)
            fail_msg("P(X >= %lld) of %lld with %g: %.17g, should be %.17Lg", (long long)k, (long long)n, p,
                     confidence_tail(k, n, p), exact);
    }
}

static void test_tails_are_right_to_ten_digits(void **state)
{
    static const double ratios[] = {1e-6, 1e-4, 0.001, 0.0144, 0.1, 0.3, 0.5, 0.9, 0.999};
    static const int64_t counts[] = {1, 2, 3, 7, 15, 16, 17, 60, 1000, 4096};
    double worst = 0;
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t j = 0; j < sizeof ratios / sizeof *ratios; j++)
            assert_tails(counts[i], ratios[j], &worst);
    print_message("    worst: %.1e\n", worst);
}

static void assert_tails_near(int64_t n, double p, double *worst)
{
    double mean = (double)n * p, wide = sqrt(mean * (1 - p));
    sum_exactly(n, p);
    for (double z = -6; z <= 8; z++) {
        int64_t k = (int64_t)(mean + z * wide);
        double wrong = off(confidence_tail(k, n, p), exact_tail(k, n));
        *worst = wrong > *worst ? wrong : *worst;
        if (wrong > 1e-10)
            fail_msg("P(X >= %lld) of %lld with %g is off by %g", (long long)k, (long long)n, p, wrong);
    }
}

static void test_tails_of_a_million_events_are_right_to_ten_digits(void **state)
{
    double worst = 0;
    (void)state;
    assert_tails_near(COUNT, 0.001, &worst);
    assert_tails_near(COUNT, 0.005, &worst);
    assert_tails_near(COUNT / 8, 0.02, &worst);
    print_message("    worst: %.1e\n", worst);
}

static void test_the_ends_of_the_range(void **state)
{
    (void)state;
    assert_true(confidence_tail(0, 10, 0.1) == 1);
    assert_true(confidence_tail(-3, 10, 0.1) == 1);
    assert_true(confidence_tail(11, 10, 0.1) == 0);
    assert_true(confidence_tail(1, 10, 0) == 0);
    assert_true(confidence_tail(10, 10, 1) == 1);
    assert_true(confidence_tail(1, 0, 0.5) == 0);
    assert_true(fabs(confidence_tail(10, 10, 0.1) / 1e-10 - 1) < 1e-12);
    assert_true(confidence_tail(1000000000, 2000000000, 0.5) > 0.5);
    assert_true(confidence_tail(1000500000, 2000000000, 0.5) < 0.5);
}

/* ---- bounds ---- */

static void test_the_bound_is_where_the_tail_is_alpha(void **state)
{
    static const double alphas[] = {0.5, 0.05, 0.001, 1e-7, 1e-12};
    static const int64_t cases[][2] = {{1, 10},           {2, 10},      {5, 10},         {9, 10},
                                       {1, 1000000},      {144, 10000}, {7200, 7200000}, {999, 1000},
                                       {500000, 1000000}, {20, 20}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t j = 0; j < sizeof alphas / sizeof *alphas; j++) {
            double bound = confidence_lower(cases[i][0], cases[i][1], alphas[j]);
            double tail = confidence_tail(cases[i][0], cases[i][1], bound);
            if (fabs(tail / alphas[j] - 1) > 1e-9)
                fail_msg("%lld of %lld at %g: %.17g, whose tail is %.17g", (long long)cases[i][0],
                         (long long)cases[i][1], alphas[j], bound, tail);
        }
    }
    assert_true(confidence_lower(0, 10, 0.05) == 0);
    /* one of one at 5 %: 0.05; one of n: 1 - 0.95^(1/n) */
    assert_true(fabs(confidence_lower(1, 1, 0.05) - 0.05) < 1e-15);
    assert_true(fabs(confidence_lower(1, 10, 0.05) / 0.005116196891823743 - 1) < 1e-12);
}

static void test_a_guard_fires_where_the_bound_is_over_the_limit(void **state)
{
    (void)state;
    for (int64_t total = 1; total < 400; total += 7) {
        for (int64_t bad = 0; bad <= total; bad++) {
            bool over = confidence_lower(bad, total, 1e-4) > 0.0144;
            if (guard_fires(bad, total, 0.0144, 1e-4) != over)
                fail_msg("%lld of %lld: the bound is %g", (long long)bad, (long long)total,
                         confidence_lower(bad, total, 1e-4));
        }
    }
    assert_false(guard_fires(0, 0, 0.0144, 0.05));
    assert_false(guard_fires(5, 0, 0.0144, 0.05));
    assert_true(guard_fires(50, 10, 0.0144, 0.05)); /* more bad ones than there are: all of them */
}

static void test_the_least_number_of_bad_events_never_falls_with_more_events(void **state)
{
    int64_t before = 0;
    (void)state;
    for (int64_t total = 1; total < 3000; total++) {
        int64_t least = guard_bad_min(total, 0.006, 1e-6);
        assert_true(least >= before);
        if (least <= total)
            assert_true(guard_fires(least, total, 0.006, 1e-6));
        assert_false(guard_fires(least - 1, total, 0.006, 1e-6));
        before = least;
    }
    assert_int_equal(guard_bad_min(2, 0.006, 1e-6), 3); /* not even both */
    assert_int_equal(guard_bad_min(0, 0.006, 1e-6), 1);
}

/* ---- the plan ---- */

static struct objective_tier tiers[] = {
    {.name = {"page_quick", 10},
     .class = TIER_PAGE,
     .short_ms = 300000,
     .long_ms = 3600000,
     .factor = {72, 5}},
    {.name = {"page_slow", 9},
     .class = TIER_PAGE,
     .short_ms = 1800000,
     .long_ms = 21600000,
     .factor = {6, 1}},
    {.name = {"ticket", 6},
     .class = TIER_TICKET,
     .short_ms = 21600000,
     .long_ms = 259200000,
     .factor = {1, 1}},
};

static struct objective objective = {.id = {"shop", 4},
                                     .target = {999, 1000},
                                     .period = {.length_ms = INT64_C(30) * 86400000},
                                     .tiers = tiers,
                                     .tier_count = 3,
                                     .guard = {.false_page_rate = 0.05}};

static struct guard_plan plan_of(enum tier_class class, double events)
{
    struct guard_plan plan;
    struct err err = {0};
    if (guard_plan_make(&objective, class, 30000, events, &plan, &err) != 0)
        fail_msg("%s", err.text);
    return plan;
}

static void test_the_rate_is_spent_once(void **state)
{
    struct guard_plan plan = plan_of(TIER_PAGE, 7200);
    (void)state;
    assert_true(plan.looks == 2 * 86400);
    double spent = plan.look_alpha * plan.looks;
    assert_int_equal(plan.test_count, 3);
    for (size_t i = 0; i < plan.test_count; i++)
        spent += 7200 * plan.tests[i].ratio * exp(-plan.tests[i].height);
    assert_true(fabs(spent - 0.05) < 1e-12);
    assert_true(fabs(plan.tests[0].ratio - 0.9) < 1e-15);
    assert_true(fabs(plan.tests[1].ratio - 0.0144) < 1e-15);
    /* A ticket at the budget's pace asks for no more than the budget: there is no trickle to tell from it. */
    assert_int_equal(plan_of(TIER_TICKET, 7200).test_count, 1);
}

static void test_two_failures_in_a_row_are_evidence_at_ten_an_hour(void **state)
{
    struct guard_plan plan = plan_of(TIER_PAGE, 7200);
    struct guard_weights weights = {0};
    (void)state;
    guard_count(&plan, &weights, 0, 500);
    guard_count(&plan, &weights, 1, 0);
    assert_false(guard_goes_on(&plan, &weights));
    guard_count(&plan, &weights, 1, 0);
    assert_true(guard_goes_on(&plan, &weights));

    weights = (struct guard_weights){0};
    guard_count(&plan, &weights, 1, 0);
    guard_count(&plan, &weights, 0, 1);
    guard_count(&plan, &weights, 1, 0);
    assert_false(guard_goes_on(&plan, &weights));
}

/* Two of a hundred fail, at ten an hour: no hour has enough of them, and in a week the budget of five months is gone. */
static void test_a_trickle_is_found_within_two_days(void **state)
{
    struct guard_plan plan = plan_of(TIER_PAGE, 7200);
    struct guard_weights weights = {0};
    int hours = 0;
    (void)state;
    for (; !guard_goes_on(&plan, &weights) && hours < 1000; hours++)
        guard_count(&plan, &weights, hours % 5 == 4, hours % 5 == 4 ? 9 : 10);
    assert_in_range(hours, 10, 48);
}

static void test_an_outage_does_not_linger(void **state)
{
    struct guard_plan plan = plan_of(TIER_PAGE, 7200);
    struct guard_weights weights = {0};
    int good = 0;
    (void)state;
    guard_count(&plan, &weights, 100000, 0);
    while (guard_goes_on(&plan, &weights)) {
        guard_count(&plan, &weights, 0, 1);
        good++;
    }
    assert_in_range(good, 1, 360); /* events: a day and a half at ten an hour */
}

static void refuse(const struct objective *wrong, int64_t interval_ms, double events, int code)
{
    struct guard_plan plan;
    struct err err = {0};
    assert_int_equal(guard_plan_make(wrong, TIER_PAGE, interval_ms, events, &plan, &err), code);
    assert_true(err.text[0] != '\0');
}

static void test_a_plan_needs_a_rate_a_budget_and_events(void **state)
{
    struct objective wrong = objective;
    struct objective_tier many[GUARD_TESTS_MAX];
    (void)state;
    refuse(&objective, 0, 7200, ERR_ARG);
    refuse(&objective, 30000, 0, ERR_ARG);
    refuse(&objective, 30000, NAN, ERR_ARG);
    wrong.guard.false_page_rate = 0;
    refuse(&wrong, 30000, 7200, ERR_ARG);
    wrong.guard.false_page_rate = 1;
    refuse(&wrong, 30000, 7200, ERR_ARG);
    wrong = objective;
    wrong.target = (struct fraction){1, 1};
    refuse(&wrong, 30000, 7200, ERR_ARG);
    for (size_t i = 0; i < GUARD_TESTS_MAX; i++)
        many[i] = tiers[0];
    wrong = objective;
    wrong.tiers = many;
    wrong.tier_count = GUARD_TESTS_MAX;
    refuse(&wrong, 30000, 7200, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tails_are_right_to_ten_digits),
        cmocka_unit_test(test_tails_of_a_million_events_are_right_to_ten_digits),
        cmocka_unit_test(test_the_ends_of_the_range),
        cmocka_unit_test(test_the_bound_is_where_the_tail_is_alpha),
        cmocka_unit_test(test_a_guard_fires_where_the_bound_is_over_the_limit),
        cmocka_unit_test(test_the_least_number_of_bad_events_never_falls_with_more_events),
        cmocka_unit_test(test_the_rate_is_spent_once),
        cmocka_unit_test(test_two_failures_in_a_row_are_evidence_at_ten_an_hour),
        cmocka_unit_test(test_a_trickle_is_found_within_two_days),
        cmocka_unit_test(test_an_outage_does_not_linger),
        cmocka_unit_test(test_a_plan_needs_a_rate_a_budget_and_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
