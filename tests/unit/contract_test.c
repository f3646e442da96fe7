#include "tocsin/contract.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, TIERS = 4, NEVER = -1 };

static const int64_t day_ms = 24 * HOUR_MS;

/* ---- the SRE workbook's windows and shares, for any period, without the floor of the default tiers ---- */

static const struct {
    int64_t percent, short_ms, long_ms;
} paces[TIERS] = {{2, 5 * MINUTE_MS, HOUR_MS},
                  {5, 30 * MINUTE_MS, 6 * HOUR_MS},
                  {10, 2 * HOUR_MS, 24 * HOUR_MS},
                  {10, 6 * HOUR_MS, 72 * HOUR_MS}};

static const char *const names[TIERS] = {"page_quick", "page_slow", "ticket_quick", "ticket_slow"};

struct fixture {
    struct arena arena;
    struct objective_tier tiers[TIERS];
    struct objective objective;
};

static void fixture_init(struct fixture *f, int64_t days)
{
    *f = (struct fixture){0};
    arena_init(&f->arena, 1 << 20);
    for (size_t i = 0; i < TIERS; i++) {
        f->tiers[i] = (struct objective_tier){.name = str_of(names[i]),
                                              .class = i < 2 ? TIER_PAGE : TIER_TICKET,
                                              .short_ms = paces[i].short_ms,
                                              .long_ms = paces[i].long_ms};
        assert_int_equal(
            fraction_make(paces[i].percent * days * day_ms, 100 * paces[i].long_ms, &f->tiers[i].factor), 0);
    }
    f->objective = (struct objective){.id = STR("shop-requests"),
                                      .target = {999, 1000},
                                      .period = {.length_ms = days * day_ms},
                                      .tiers = f->tiers,
                                      .tier_count = TIERS};
}

static struct contract_level level_of(struct fixture *f, const struct contract_pace *pace,
                                      struct fraction error)
{
    struct contract_level level;
    struct err err = {0};
    if (contract_level(&f->objective, pace, error, &f->arena, &level, &err) != 0)
        fail_msg("%s", err.text);
    return level;
}

/* ---- when, and until when: computed with exact fractions from t = f*b/e * L and S * (1 - f*b/e) ---- */

struct golden {
    int64_t days;
    struct fraction error;
    int64_t trip_ms[TIERS], reset_ms[TIERS];
};

static const struct golden golden[] = {
    {7, {1, 1}, {12096, 30240, 60480, 60480}, {298992, 1797480, 7194960, 21594960}},
    {7, {3, 20}, {80640, 201600, 403200, 403200}, {293280, 1783200, 7166400, 21566400}},
    {7, {1, 10}, {120960, 302400, 604800, 604800}, {289920, 1774800, 7149600, 21549600}},
    {7, {1, 50}, {604800, 1512000, 3024000, 3024000}, {249600, 1674000, 6948000, 21348000}},
    {7, {1, 100}, {1209600, 3024000, 6048000, 6048000}, {199200, 1548000, 6696000, 21096000}},
    {7, {3, 500}, {2016000, 5040000, 10080000, 10080000}, {132000, 1380000, 6360000, 20760000}},
    {7, {3, 1000}, {-1, 10080000, 20160000, 20160000}, {-1, 960000, 5520000, 19920000}},
    {7, {1, 500}, {-1, 15120000, 30240000, 30240000}, {-1, 540000, 4680000, 19080000}},
    {7, {1, 1000}, {-1, -1, 60480000, 60480000}, {-1, -1, 2160000, 16560000}},
    {28, {1, 1}, {48384, 120960, 241920, 241920}, {295968, 1789920, 7179840, 21579840}},
    {28, {3, 20}, {322560, 806400, 1612800, 1612800}, {273120, 1732800, 7065600, 21465600}},
    {28, {1, 10}, {483840, 1209600, 2419200, 2419200}, {259680, 1699200, 6998400, 21398400}},
    {28, {1, 50}, {2419200, 6048000, 12096000, 12096000}, {98400, 1296000, 6192000, 20592000}},
    {28, {1, 100}, {-1, 12096000, 24192000, 24192000}, {-1, 792000, 5184000, 19584000}},
    {28, {3, 500}, {-1, 20160000, 40320000, 40320000}, {-1, 120000, 3840000, 18240000}},
    {28, {3, 1000}, {-1, -1, 80640000, 80640000}, {-1, -1, 480000, 14880000}},
    {28, {1, 500}, {-1, -1, -1, 120960000}, {-1, -1, -1, 11520000}},
    {28, {1, 1000}, {-1, -1, -1, 241920000}, {-1, -1, -1, 1440000}},
    {30, {1, 1}, {51840, 129600, 259200, 259200}, {295680, 1789200, 7178400, 21578400}},
    {30, {3, 20}, {345600, 864000, 1728000, 1728000}, {271200, 1728000, 7056000, 21456000}},
    {30, {1, 10}, {518400, 1296000, 2592000, 2592000}, {256800, 1692000, 6984000, 21384000}},
    {30, {1, 50}, {2592000, 6480000, 12960000, 12960000}, {84000, 1260000, 6120000, 20520000}},
    {30, {1, 100}, {-1, 12960000, 25920000, 25920000}, {-1, 720000, 5040000, 19440000}},
    {30, {3, 500}, {-1, -1, 43200000, 43200000}, {-1, -1, 3600000, 18000000}},
    {30, {3, 1000}, {-1, -1, -1, 86400000}, {-1, -1, -1, 14400000}},
    {30, {1, 500}, {-1, -1, -1, 129600000}, {-1, -1, -1, 10800000}},
    {30, {1, 1000}, {-1, -1, -1, -1}, {-1, -1, -1, -1}},
    {90, {1, 1}, {155520, 388800, 777600, 777600}, {287040, 1767600, 7135200, 21535200}},
    {90, {3, 20}, {1036800, 2592000, 5184000, 5184000}, {213600, 1584000, 6768000, 21168000}},
    {90, {1, 10}, {1555200, 3888000, 7776000, 7776000}, {170400, 1476000, 6552000, 20952000}},
    {90, {1, 50}, {-1, 19440000, 38880000, 38880000}, {-1, 180000, 3960000, 18360000}},
    {90, {1, 100}, {-1, -1, 77760000, 77760000}, {-1, -1, 720000, 15120000}},
    {90, {3, 500}, {-1, -1, -1, 129600000}, {-1, -1, -1, 10800000}},
    {90, {3, 1000}, {-1, -1, -1, -1}, {-1, -1, -1, -1}},
    {90, {1, 500}, {-1, -1, -1, -1}, {-1, -1, -1, -1}},
    {90, {1, 1000}, {-1, -1, -1, -1}, {-1, -1, -1, -1}},
};

static void assert_golden(const struct golden *g)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    fixture_init(&f, g->days);
    struct contract_level level = level_of(&f, &at_once, g->error);
    for (size_t i = 0; i < TIERS; i++) {
        const struct contract_tier *tier = &level.tiers[i];
        int64_t trip_ms = tier->fires ? tier->trip_ms : NEVER,
                reset_ms = tier->fires ? tier->reset_ms : NEVER;
        if (trip_ms != g->trip_ms[i] || reset_ms != g->reset_ms[i])
            fail_msg("%d days, %g, %s: trips after %lld, resets after %lld", (int)g->days,
                     fraction_value(g->error), names[i], (long long)trip_ms, (long long)reset_ms);
        if (tier->fires && g->error.numerator == g->error.denominator)
            assert_int_equal(tier->told_ms, tier->trip_ms);
    }
    arena_release(&f.arena);
}

static void test_levels_trip_and_reset_as_the_workbook_reckons(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
        assert_golden(&golden[i]);
}

static void test_what_is_equal_to_a_limit_does_not_fire(void **state)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    (void)state;
    fixture_init(&f, 30);
    assert_false(level_of(&f, &at_once, (struct fraction){6, 1000}).tiers[1].fires);
    assert_true(level_of(&f, &at_once, (struct fraction){6000000001, 1000000000000}).tiers[1].fires);
    f.objective.target = (struct fraction){9999, 10000};
    assert_false(level_of(&f, &at_once, (struct fraction){6, 10000}).tiers[1].fires);
    arena_release(&f.arena);
}

static void test_the_machinery_comes_on_top(void **state)
{
    struct fixture f;
    struct contract_pace pace = {
        .scrape_ms = 15 * SECOND_MS, .interval_ms = 30 * SECOND_MS, .group_wait_ms = 10 * SECOND_MS};
    (void)state;
    fixture_init(&f, 30);
    f.tiers[0].for_ms = 2 * MINUTE_MS + 1;
    struct contract_level level = level_of(&f, &pace, (struct fraction){1, 1});
    /* 51.84 s + a scrape + an evaluation + `for` up to the next evaluation + group_wait */
    assert_int_equal(level.tiers[0].told_ms, 51840 + 15000 + 30000 + 150000 + 10000);
    assert_int_equal(level.tiers[1].told_ms, 129600 + 55000);
    assert_int_equal(level.first[TIER_PAGE], 1); /* quick is slower, for its `for` */
    assert_int_equal(level.first[TIER_TICKET], 2);
    assert_int_equal(level.over_ms[TIER_PAGE], 1789200 + 45000);
    assert_int_equal(level.gone_ms, 43.2 * MINUTE_MS);
    assert_true(fabs(level.burn - 1000) < 1e-9);
    assert_true(fabs(level.tiers[1].spent - 184.6 / (43.2 * 60)) < 1e-12);
    arena_release(&f.arena);
}

static void test_nobody_is_told_of_errors_within_the_budget(void **state)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    (void)state;
    fixture_init(&f, 30);
    struct contract_level level = level_of(&f, &at_once, (struct fraction){2, 1000});
    assert_int_equal(level.first[TIER_PAGE], CONTRACT_NOBODY);
    assert_int_equal(level.first[TIER_TICKET], 3);
    level = level_of(&f, &at_once, (struct fraction){1, 2000});
    assert_int_equal(level.first[TIER_TICKET], CONTRACT_NOBODY);
    assert_int_equal(level.gone_ms, 60 * day_ms);
    arena_release(&f.arena);
}

/* ---- slices ---- */

static void test_slices_count_as_a_whole(void **state)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    (void)state;
    fixture_init(&f, 30);
    f.objective.budgeting = BUDGET_SLICES;
    f.objective.slice_ms = MINUTE_MS;
    f.objective.slice_target = (struct fraction){95, 100};
    f.objective.target = (struct fraction){99, 100};
    /* 5 % of errors leave each slice good, however long. */
    assert_false(level_of(&f, &at_once, (struct fraction){5, 100}).tiers[0].fires);
    /* 14.4 % of 60 slices are 8.64: the ninth bad one trips it. At 10 % the first slice is good if less than half of it is hit. */
    assert_int_equal(level_of(&f, &at_once, (struct fraction){10, 100}).tiers[0].trip_ms,
                     9 * MINUTE_MS + 30 * SECOND_MS);
    assert_int_equal(level_of(&f, &at_once, (struct fraction){1, 1}).tiers[0].trip_ms,
                     9 * MINUTE_MS + 3 * SECOND_MS);
    /* 0.72 of 5 slices: all five must be good again, and the one in which it ended is not. */
    assert_int_equal(level_of(&f, &at_once, (struct fraction){1, 1}).tiers[0].reset_ms, 6 * MINUTE_MS);
    arena_release(&f.arena);
}

static void test_of_a_threshold_the_level_is_the_share_of_slices(void **state)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    (void)state;
    fixture_init(&f, 30);
    f.objective.budgeting = BUDGET_SLICES;
    f.objective.slice_ms = MINUTE_MS;
    f.objective.indicator.kind = INDICATOR_THRESHOLD;
    f.objective.target = (struct fraction){99, 100};
    assert_int_equal(level_of(&f, &at_once, (struct fraction){1, 1}).tiers[0].trip_ms, 9 * MINUTE_MS);
    assert_int_equal(level_of(&f, &at_once, (struct fraction){1, 2}).tiers[0].trip_ms, 18 * MINUTE_MS);
    assert_false(level_of(&f, &at_once, (struct fraction){144, 1000}).tiers[0].fires);
    arena_release(&f.arena);
}

static void test_means_of_slices_are_seen_a_slice_later(void **state)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    (void)state;
    fixture_init(&f, 30);
    f.objective.budgeting = BUDGET_RATIOS;
    f.objective.slice_ms = MINUTE_MS;
    assert_int_equal(level_of(&f, &at_once, (struct fraction){1, 1}).tiers[0].trip_ms, 51840 + MINUTE_MS);
    assert_int_equal(level_of(&f, &at_once, (struct fraction){1, 1}).tiers[0].reset_ms, 295680 + MINUTE_MS);
    arena_release(&f.arena);
}

/* ---- few events, nonsense, print ---- */

static void test_so_many_events_leave_room_for_a_bad_one(void **state)
{
    (void)state;
    assert_int_equal(contract_events_min((struct fraction){144, 10000}, 1), 70);
    assert_int_equal(contract_events_min((struct fraction){6, 1000}, 1), 167);
    assert_int_equal(contract_events_min((struct fraction){144, 10000}, 5), 348);
    assert_int_equal(contract_events_min((struct fraction){1, 100}, 1), 100); /* equal is not over */
    assert_int_equal(contract_events_min((struct fraction){0, 1}, 1), INT64_MAX);
}

static void test_what_is_no_level_or_beyond_reckoning_is_refused(void **state)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    struct contract_level level;
    struct err err = {0};
    (void)state;
    fixture_init(&f, 30);
    assert_int_equal(contract_level(&f.objective, &at_once, (struct fraction){0, 1}, &f.arena, &level, &err),
                     ERR_ARG);
    assert_int_equal(
        contract_level(&f.objective, &at_once, (struct fraction){11, 10}, &f.arena, &level, &err), ERR_ARG);
    f.objective.budgeting = BUDGET_SLICES;
    assert_int_equal(contract_level(&f.objective, &at_once, (struct fraction){1, 1}, &f.arena, &level, &err),
                     ERR_ARG);
    f.objective.slice_ms = INT64_MAX / 4;
    f.objective.indicator.kind = INDICATOR_THRESHOLD;
    f.objective.target = (struct fraction){1, 1};
    assert_int_equal(
        contract_level(&f.objective, &at_once, (struct fraction){1, 1000000000}, &f.arena, &level, &err), 0);
    f.objective.budgeting = BUDGET_EVENTS;
    f.objective.target = (struct fraction){999999999999999999, 1000000000000000000};
    f.tiers[0].factor = (struct fraction){999999999999999989, 1000000000000000000};
    assert_int_equal(contract_level(&f.objective, &at_once, (struct fraction){1, 1}, &f.arena, &level, &err),
                     ERR_LIMIT);
    arena_release(&f.arena);
}

static void test_a_target_of_all_fires_for_any_error(void **state)
{
    struct fixture f;
    struct contract_pace at_once = {0};
    (void)state;
    fixture_init(&f, 30);
    f.objective.target = (struct fraction){1, 1};
    struct contract_level level = level_of(&f, &at_once, (struct fraction){1, 1000000});
    assert_true(level.tiers[0].fires);
    assert_int_equal(level.tiers[0].trip_ms, 0);
    assert_int_equal(level.gone_ms, 0);
    assert_true(isinf(level.burn));
    arena_release(&f.arena);
}

static const char table[] =
    "shop-requests: 99.9% over 30d\n"
    "from good health, at worst, with samples every 15s, evaluations every 30s, group_wait 30s\n"
    "errors   burn      budget gone   page after                spent   ticket after              spent   "
    "page "
    "over\n";

static void test_the_table_names_levels_tiers_and_budget(void **state)
{
    struct fixture f;
    struct contract_pace pace = {
        .scrape_ms = 15 * SECOND_MS, .interval_ms = 30 * SECOND_MS, .group_wait_ms = 30 * SECOND_MS};
    struct buf out;
    struct err err = {0};
    (void)state;
    fixture_init(&f, 30);
    buf_init(&out, 1 << 16);
    assert_int_equal(contract_print(&f.objective, &pace, &out, &err), 0);
    if (strncmp(buf_text(&out), table, sizeof table - 1) != 0)
        fail_msg("%s", buf_text(&out));
    /* 51.84 s + 15 s + 30 s + 30 s, and that many of 43.2 min */
    assert_non_null(
        strstr(buf_text(&out), "\n100%     1000x     43m12s        2m7s page_quick           4.89%   "));
    assert_non_null(strstr(buf_text(&out),
                           "\n0.2%     2x        15d           -                                 1d12h1m15s "
                           "ticket_slow"));
    assert_non_null(
        strstr(buf_text(&out), "\n0.1%     1x        30d           -                                 -"));
    assert_null(strstr(buf_text(&out), "\n0.06%"));
    assert_non_null(
        strstr(buf_text(&out),
               "\npage_quick: over 1.44% in 1h and 5m; one bad event among fewer than 70 is enough\n"));
    buf_release(&out);
    buf_init(&out, 100);
    assert_int_equal(contract_print(&f.objective, &pace, &out, &err), ERR_LIMIT);
    buf_release(&out);
    arena_release(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_trip_and_reset_as_the_workbook_reckons),
        cmocka_unit_test(test_what_is_equal_to_a_limit_does_not_fire),
        cmocka_unit_test(test_the_machinery_comes_on_top),
        cmocka_unit_test(test_nobody_is_told_of_errors_within_the_budget),
        cmocka_unit_test(test_slices_count_as_a_whole),
        cmocka_unit_test(test_of_a_threshold_the_level_is_the_share_of_slices),
        cmocka_unit_test(test_means_of_slices_are_seen_a_slice_later),
        cmocka_unit_test(test_so_many_events_leave_room_for_a_bad_one),
        cmocka_unit_test(test_what_is_no_level_or_beyond_reckoning_is_refused),
        cmocka_unit_test(test_a_target_of_all_fires_for_any_error),
        cmocka_unit_test(test_the_table_names_levels_tiers_and_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
