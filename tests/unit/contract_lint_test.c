#include "tocsin/contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, TIERS_MAX = 4 };

static const int64_t day_ms = 24 * HOUR_MS;

/* An objective of which nothing is to be said; each test breaks one thing. */
struct fixture {
    struct arena arena;
    struct objective_tier *tiers;
    struct objective objective;
    struct contract_pace pace;
    struct contract_finding *found;
    size_t count;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    arena_init(&f->arena, 1 << 20);
    f->tiers = objective_tiers_default(&f->arena, 30 * day_ms);
    f->objective = (struct objective){.id = STR("shop-requests"),
                                      .owner = STR("shop"),
                                      .runbook = STR("http://runbooks/shop"),
                                      .target = {999, 1000},
                                      .period = {.length_ms = 30 * day_ms},
                                      .tiers = f->tiers,
                                      .tier_count = TIERS_MAX};
    f->pace = (struct contract_pace){.scrape_ms = 15 * SECOND_MS,
                                     .interval_ms = 30 * SECOND_MS,
                                     .group_wait_ms = 30 * SECOND_MS,
                                     .retention_ms = 4 * day_ms,
                                     .events_per_hour = 1000};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->arena);
    test_free(f);
    return 0;
}

static void look(struct fixture *f)
{
    struct err err = {0};
    if (contract_lints(&f->objective, &f->pace, &f->arena, &f->found, &f->count, &err) != 0)
        fail_msg("%s", err.text);
}

static const struct contract_finding *finding(const struct fixture *f, enum contract_lint lint)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->found[i].lint == lint)
            return &f->found[i];
    return NULL;
}

static void assert_silent(struct fixture *f, enum contract_lint lint)
{
    look(f);
    const struct contract_finding *found = finding(f, lint);
    if (found != NULL)
        fail_msg("%s: %.*s", contract_lint_name(lint), STR_ARG(found->text));
}

static void assert_sound(struct fixture *f)
{
    look(f);
    if (f->count > 0)
        fail_msg("%s: %.*s", contract_lint_name(f->found[0].lint), STR_ARG(f->found[0].text));
}

/* `tier`: NULL of the objective as a whole. */
static void assert_told(struct fixture *f, enum contract_lint lint, const char *tier, const char *words)
{
    look(f);
    const struct contract_finding *found = finding(f, lint);
    if (found == NULL)
        fail_msg("no %s", contract_lint_name(lint));
    if (tier == NULL)
        assert_null(found->tier);
    else
        assert_true(str_is(found->tier->name, tier));
    char text[1024];
    snprintf(text, sizeof text, "%.*s", STR_ARG(found->text));
    if (strstr(text, words) == NULL)
        fail_msg("%s: %s", contract_lint_name(lint), text);
}

static void test_of_a_sound_objective_nothing_is_said(void **state)
{
    assert_sound(*state);
}

/* ---- known bad ones ---- */

static void test_ninety_per_cent_with_a_factor_of_14(void **state)
{
    struct fixture *f = *state;
    f->objective.target = (struct fraction){9, 10};
    assert_told(f, CONTRACT_TIER_NEVER, "page_quick",
                "cannot fire: 14.4 times a budget of 10 % is 144 % of all events, and never are more bad "
                "than all; take a factor under 10");
    f->objective.target = (struct fraction){931, 1000}; /* 14.4 * 6.9 % = 99.36 % */
    assert_silent(f, CONTRACT_TIER_NEVER);
    f->objective.target = (struct fraction){67, 72}; /* exactly 100 % */
    assert_told(f, CONTRACT_TIER_NEVER, "page_quick", "cannot fire");
}

static void test_the_slow_ticket_of_28_days_in_sloth(void **state)
{
    struct fixture *f = *state;
    f->objective.period.length_ms = 28 * day_ms;
    f->tiers[3].factor = (struct fraction){14, 15};
    assert_told(f, CONTRACT_TIER_UNDER_PACE, "ticket_slow",
                "fires at 0.933333 times the budget's pace, while the objective is met; take a factor of 1 "
                "or more, so at least 10.7143 % of "
                "the budget in 3d");
    f->tiers[3].factor = (struct fraction){1, 1};
    assert_silent(f, CONTRACT_TIER_UNDER_PACE);
}

static void tier(struct fixture *f, size_t at, int64_t short_min, int64_t long_min, int64_t for_min,
                 int64_t factor)
{
    f->tiers[at].short_ms = short_min * MINUTE_MS;
    f->tiers[at].long_ms = long_min * MINUTE_MS;
    f->tiers[at].for_ms = for_min * MINUTE_MS;
    f->tiers[at].factor = (struct fraction){factor, 1};
}

static void test_pyrras_week_with_a_scrape_a_minute(void **state)
{
    struct fixture *f = *state;
    f->objective.period.length_ms = 7 * day_ms;
    tier(f, 0, 1, 15, 1, 14);
    tier(f, 1, 8, 90, 4, 7);
    tier(f, 2, 30, 360, 15, 2);
    tier(f, 3, 90, 1440, 45, 1);
    f->pace.scrape_ms = MINUTE_MS;
    assert_told(f, CONTRACT_SHORT_SCRAPES, "page_quick",
                "has a short window (1m) that may hold less than two samples, and then nothing is known of "
                "it; scrape every 30s, or "
                "take at least 2m");
    f->pace.scrape_ms = 30 * SECOND_MS;
    assert_silent(f, CONTRACT_SHORT_SCRAPES);
}

static void test_pyrras_half_day(void **state)
{
    struct fixture *f = *state;
    f->objective.period.length_ms = day_ms / 2;
    tier(f, 0, 0, 1, 0, 14);
    tier(f, 1, 1, 6, 0, 7);
    tier(f, 2, 2, 26, 1, 2);
    tier(f, 3, 6, 103, 3, 1);
    assert_told(f, CONTRACT_WINDOW_EMPTY, "page_quick", "has a window of 0s");
    tier(f, 0, 1, 6, 0, 14);
    assert_silent(f, CONTRACT_WINDOW_EMPTY);
}

static void test_one_burn_rate_of_36(void **state)
{
    struct fixture *f = *state;
    f->tiers[0].factor = (struct fraction){36, 1};
    f->objective.tier_count = 1;
    assert_told(f, CONTRACT_HOLE, NULL,
                "errors of 0.1 % to 3.6 % (1 to 36 times the budget's pace) spend the whole budget, in 20h "
                "at the fastest, and nobody is told; "
                "add a tier with a factor of 1, over 3d");
    f->tiers[0].factor = (struct fraction){1, 1};
    assert_silent(f, CONTRACT_HOLE);
}

/* ---- the others ---- */

static void test_without_a_tier_that_fires_all_is_a_hole(void **state)
{
    struct fixture *f = *state;
    f->objective.tier_count = 0;
    assert_told(f, CONTRACT_HOLE, NULL, "no level of errors is told to anybody");
    f->objective.tier_count = 1;
    f->objective.target = (struct fraction){9, 10};
    assert_told(f, CONTRACT_HOLE, NULL, "no level of errors is told to anybody");
    f->objective.tier_count = TIERS_MAX;
    assert_silent(f, CONTRACT_HOLE);
}

/* The workbook's approach 3: an hour of `for` is longer than the budget of 99.9 % lasts. */
static void test_told_after_the_budget_is_gone(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < TIERS_MAX; i++)
        f->tiers[i].for_ms = HOUR_MS;
    assert_told(f, CONTRACT_LATE, NULL,
                "in a total outage the budget is gone after 43m12s, and nobody is told before 1h2m6s840ms");
    f->tiers[2].for_ms = 30 * MINUTE_MS;
    assert_silent(f, CONTRACT_LATE);
}

static void test_windows_longer_than_samples_are_kept(void **state)
{
    struct fixture *f = *state;
    f->pace.retention_ms = 3 * day_ms - 1;
    assert_told(f, CONTRACT_RETENTION, "ticket_slow",
                "looks at 3d, but samples are kept for 2d23h59m59s999ms only");
    f->pace.retention_ms = 3 * day_ms;
    assert_silent(f, CONTRACT_RETENTION);
    f->pace.retention_ms = 0; /* not known */
    assert_silent(f, CONTRACT_RETENTION);
}

static void test_short_windows_that_are_not_short(void **state)
{
    struct fixture *f = *state;
    f->tiers[0].short_ms = HOUR_MS;
    assert_told(f, CONTRACT_SHORT_NOT_SHORTER, "page_quick",
                "has a short window (1h) that is no shorter than its long one (1h), so the alert outlasts "
                "its errors by all of it; take a "
                "twelfth, 5m");
    assert_silent(f, CONTRACT_SHORT_WIDE);
    f->tiers[0].short_ms = 10 * MINUTE_MS + 1;
    assert_told(f, CONTRACT_SHORT_WIDE, "page_quick", "over a sixth of its long one (1h)");
    assert_silent(f, CONTRACT_SHORT_NOT_SHORTER);
    f->tiers[0].short_ms = 10 * MINUTE_MS;
    assert_sound(f);
}

static void test_windows_longer_than_the_period(void **state)
{
    struct fixture *f = *state;
    f->objective.period.length_ms = 3 * day_ms - 1;
    assert_told(f, CONTRACT_OVER_PERIOD, "ticket_slow",
                "looks at 3d, which is longer than the period of 2d23h59m59s999ms");
    f->objective.period.length_ms = 3 * day_ms;
    assert_silent(f, CONTRACT_OVER_PERIOD);
}

static void test_a_target_of_all(void **state)
{
    struct fixture *f = *state;
    f->objective.target = (struct fraction){1, 1};
    assert_told(f, CONTRACT_NO_BUDGET, NULL, "any single error fires every tier");
    assert_int_equal(f->count, 1);
    f->objective.target = (struct fraction){999999, 1000000};
    assert_silent(f, CONTRACT_NO_BUDGET);
}

static void test_short_windows_of_few_slices(void **state)
{
    struct fixture *f = *state;
    f->objective.budgeting = BUDGET_SLICES;
    f->objective.slice_target = (struct fraction){99, 100};
    f->objective.slice_ms = MINUTE_MS;
    f->objective.target = (struct fraction){99, 100};
    assert_told(f, CONTRACT_FEW_SLICES, "page_quick", "has a short window (5m) of fewer than 12 slices");
    f->tiers[0].short_ms = 12 * MINUTE_MS;
    f->tiers[0].long_ms = 144 * MINUTE_MS;
    assert_silent(f, CONTRACT_FEW_SLICES);
    f->tiers[0].short_ms = 5 * MINUTE_MS;
    f->objective.budgeting = BUDGET_EVENTS;
    assert_silent(f, CONTRACT_FEW_SLICES);
}

static void test_events_so_few_that_one_pages(void **state)
{
    struct fixture *f = *state;
    f->pace.events_per_hour = 69;
    assert_told(f, CONTRACT_FEW_EVENTS, "page_quick",
                "pages for a single bad event: 1h holds about 69 events, and with fewer than 70 one is over "
                "the limit");
    f->pace.events_per_hour = 70; /* 28 for the slow one: the quick one decides */
    assert_sound(f);
    f->pace.events_per_hour = 10;
    f->objective.guard.bad_min = 2;
    assert_sound(f);
    f->objective.guard = (struct objective_guard){.false_page_rate = 0.05};
    assert_sound(f);
    f->objective.guard = (struct objective_guard){.total_min = 167};
    assert_sound(f);
    f->objective.guard = (struct objective_guard){.total_min = 166};
    assert_told(f, CONTRACT_FEW_EVENTS, "page_slow", "with fewer than 167");
}

static void test_owner_and_runbook_are_missed_mildly(void **state)
{
    struct fixture *f = *state;
    f->objective.owner = STR("");
    f->objective.runbook = STR("");
    assert_told(f, CONTRACT_NO_OWNER, NULL, "nobody owns it");
    assert_told(f, CONTRACT_NO_RUNBOOK, NULL, "link a runbook");
    assert_int_equal(f->count, 2);
    assert_int_equal(contract_lint_weight(CONTRACT_NO_OWNER), CONTRACT_HINT);
    assert_int_equal(contract_lint_weight(CONTRACT_TIER_NEVER), CONTRACT_ERROR);
}

static void test_each_lint_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < CONTRACT_LINT_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(contract_lint_name((enum contract_lint)i),
                                    contract_lint_name((enum contract_lint)j));
}

static void test_what_cannot_be_reckoned_with_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct arena small;
    f->tiers[0].short_ms = HOUR_MS;
    arena_init(&small, 600);
    assert_int_equal(contract_lints(&f->objective, &f->pace, &small, &f->found, &f->count, &err), ERR_LIMIT);
    arena_release(&small);
    f->objective.target = (struct fraction){999999999999999999, 1000000000000000000};
    f->tiers[0].factor = (struct fraction){999999999999999989, 1000000000000000000};
    assert_int_equal(contract_lints(&f->objective, &f->pace, &f->arena, &f->found, &f->count, &err),
                     ERR_LIMIT);
    assert_non_null(strstr(err.text, "shop-requests: "));
}

#define LINT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINT_TEST(test_of_a_sound_objective_nothing_is_said),
        LINT_TEST(test_ninety_per_cent_with_a_factor_of_14),
        LINT_TEST(test_the_slow_ticket_of_28_days_in_sloth),
        LINT_TEST(test_pyrras_week_with_a_scrape_a_minute),
        LINT_TEST(test_pyrras_half_day),
        LINT_TEST(test_one_burn_rate_of_36),
        LINT_TEST(test_without_a_tier_that_fires_all_is_a_hole),
        LINT_TEST(test_told_after_the_budget_is_gone),
        LINT_TEST(test_windows_longer_than_samples_are_kept),
        LINT_TEST(test_short_windows_that_are_not_short),
        LINT_TEST(test_windows_longer_than_the_period),
        LINT_TEST(test_a_target_of_all),
        LINT_TEST(test_short_windows_of_few_slices),
        LINT_TEST(test_events_so_few_that_one_pages),
        LINT_TEST(test_owner_and_runbook_are_missed_mildly),
        LINT_TEST(test_each_lint_has_its_own_name),
        LINT_TEST(test_what_cannot_be_reckoned_with_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
