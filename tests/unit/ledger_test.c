#include "tocsin/ledger.h"

#include "random_help.h"
#include "tocsin/arena.h"
#include "tocsin/check.h"
#include "tocsin/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS LEDGER_DAY_MS
#define MONTH_MS (30 * DAY_MS)

/* 2024-01-01 */
#define NEW_YEAR_MS INT64_C(1704067200000)

static struct ledger_terms terms_of(int64_t slice_ms, enum budgeting budgeting, int64_t numerator,
                                    int64_t denominator)
{
    return (struct ledger_terms){.target = {numerator, denominator},
                                 .slice_target = {99, 100},
                                 .budgeting = budgeting,
                                 .events = true,
                                 .slice_ms = slice_ms,
                                 .meaning = 1};
}

static struct ledger *ledger_with(int64_t slice_ms, enum budgeting budgeting, int64_t numerator,
                                  int64_t denominator)
{
    struct ledger *ledger = ledger_new();
    struct ledger_terms terms = terms_of(slice_ms, budgeting, numerator, denominator);
    ledger_open_epoch(ledger, 1, LEDGER_ALWAYS_MS, &terms);
    return ledger;
}

static void expect_near(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("got %.17g, expected %.17g", got, expected);
}

/* ---- against going through all slices, as a child would ---- */

enum { MODEL_SLICES = 9000, MODEL_OVERLAYS = 6 };

struct model {
    struct ledger_terms terms;
    int64_t base_ms;
    size_t count;
    struct ledger_slice slices[MODEL_SLICES];
    struct ledger_correction corrections[MODEL_OVERLAYS];
    struct maintenance maintenance[MODEL_OVERLAYS];
    struct ledger_overlay overlay;
};

static struct model model;

static enum ledger_change naive_change(int64_t begin_ms)
{
    int64_t end_ms = begin_ms + model.terms.slice_ms;
    enum ledger_change change = CHANGE_NONE;
    for (size_t i = 0; i < model.overlay.maintenance_count; i++) {
        const struct maintenance *m = &model.maintenance[i];
        for (int64_t at = m->start_ms; at < end_ms; at += m->every_ms) {
            if (at + m->length_ms > begin_ms)
                change = CHANGE_MAINTENANCE;
            if (m->every_ms == 0)
                break;
        }
    }
    for (size_t i = 0; i < model.overlay.correction_count; i++)
        if (model.corrections[i].from_ms < end_ms && begin_ms < model.corrections[i].to_ms)
            change = model.corrections[i].change;
    return change;
}

struct naive {
    long double bad, total, shares;
    int64_t weighed, expected, known, excluded, bad_slices, odd;
};

static void naive_slice(struct naive *n, struct ledger_slice s, enum ledger_change change)
{
    n->odd += s.odd;
    if (change == CHANGE_EXCLUDE || change == CHANGE_MAINTENANCE) {
        n->excluded++;
        return;
    }
    n->expected++;
    if (!s.known && change != CHANGE_CHARGE)
        return;
    double bad = change == CHANGE_CHARGE ? s.total : change == CHANGE_FORGIVE ? 0 : s.bad;
    n->known++;
    n->bad += bad;
    n->total += s.total;
    if (change == CHANGE_CHARGE) {
        n->weighed++;
        n->shares += 1;
        n->bad_slices++;
    } else if (s.total > 0) {
        n->weighed++;
        n->shares += (long double)bad / s.total;
        n->bad_slices += (long double)(s.total - bad) * 100 < 99 * (long double)s.total;
    }
}

static struct naive naive_sum(int64_t from_ms, int64_t to_ms)
{
    struct naive n = {0};
    for (size_t i = 0; i < model.count; i++) {
        int64_t begin_ms = model.base_ms + (int64_t)i * model.terms.slice_ms;
        if (begin_ms >= from_ms && begin_ms < to_ms)
            naive_slice(&n, model.slices[i], naive_change(begin_ms));
    }
    return n;
}

static struct ledger_slice random_slice(uint64_t *seed)
{
    static const double scales[] = {1, 10, 1e3, 1e6, 1e9};
    double total = (double)random_below(seed, 1000) * scales[random_below(seed, 5)];
    double bad = random_below(seed, 3) == 0 ? total * (double)random_below(seed, 1000) / 999 : 0;
    switch (random_below(seed, 8)) {
    case 0:
        return (struct ledger_slice){.known = false};
    case 1:
        return ledger_slice_events(bad + total, total + 0.1);
    case 2:
        return ledger_slice_events((double)NAN, total);
    default:
        return ledger_slice_events(random_below(seed, 2) ? bad : floor(bad), total);
    }
}

static void random_overlay(uint64_t *seed)
{
    int64_t span = (int64_t)model.count * model.terms.slice_ms;
    model.overlay = (struct ledger_overlay){.corrections = model.corrections,
                                            .correction_count = random_below(seed, MODEL_OVERLAYS),
                                            .maintenance = model.maintenance,
                                            .maintenance_count = random_below(seed, 3)};
    for (size_t i = 0; i < model.overlay.correction_count; i++) {
        int64_t from = model.base_ms + (int64_t)random_below(seed, (uint64_t)span);
        model.corrections[i] =
            (struct ledger_correction){.change = (enum ledger_change)random_below(seed, CHANGE_MAINTENANCE),
                                       .from_ms = from,
                                       .to_ms = from + 1 + (int64_t)random_below(seed, (uint64_t)span / 4)};
    }
    for (size_t i = 0; i < model.overlay.maintenance_count; i++)
        model.maintenance[i] = (struct maintenance){
            .start_ms = model.base_ms - DAY_MS + (int64_t)random_below(seed, (uint64_t)span),
            .length_ms = 1 + (int64_t)random_below(seed, 3 * HOUR_MS),
            .every_ms = random_below(seed, 3) == 0 ? 0 : HOUR_MS + (int64_t)random_below(seed, 2 * DAY_MS)};
}

static void compare_sums(struct ledger *ledger, int64_t from_ms, int64_t to_ms)
{
    struct ledger_sum sum;
    struct naive n = naive_sum(from_ms, to_ms);
    ledger_sum(ledger, from_ms, to_ms, &sum);
    expect_near(sum.bad, (double)n.bad);
    expect_near(sum.total, (double)n.total);
    expect_near(sum.shares, (double)n.shares);
    assert_int_equal(sum.weighed, n.weighed);
    assert_int_equal(sum.expected, n.expected);
    assert_int_equal(sum.known, n.known);
    assert_int_equal(sum.excluded, n.excluded);
    assert_int_equal(sum.bad_slices, n.bad_slices);
    assert_int_equal(sum.odd, n.odd);
}

static void put_some(struct ledger *ledger, size_t count, uint64_t *seed)
{
    for (size_t k = 0; k < count; k++) {
        size_t i = random_below(seed, model.count);
        model.slices[i] = random_slice(seed);
        ledger_put(ledger, model.base_ms + (int64_t)i * model.terms.slice_ms, model.slices[i]);
    }
}

static void play_model(uint64_t *seed)
{
    static const int64_t lengths[] = {MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, DAY_MS};
    model.terms = terms_of(lengths[random_below(seed, 5)], BUDGET_EVENTS, 999, 1000);
    model.base_ms = (int64_t)random_below(seed, 40) * DAY_MS - 20 * DAY_MS +
                    (int64_t)random_below(seed, 5) * model.terms.slice_ms;
    model.count = 1 + random_below(seed, random_below(seed, 8) == 0 ? MODEL_SLICES : MODEL_SLICES / 30);
    memset(model.slices, 0, sizeof model.slices);
    memset(&model.overlay, 0, sizeof model.overlay);
    struct ledger *ledger = ledger_new();
    ledger_open_epoch(ledger, 1, LEDGER_ALWAYS_MS, &model.terms);
    for (int round = 0; round < 6; round++) {
        int64_t span = (int64_t)model.count * model.terms.slice_ms;
        put_some(ledger, model.count / 2 + 1, seed);
        if (random_below(seed, 2) == 0) {
            random_overlay(seed);
            ledger_lay(ledger, &model.overlay);
        }
        compare_sums(ledger, model.base_ms, model.base_ms + span);
        for (int k = 0; k < 4; k++) {
            int64_t from = model.base_ms + (int64_t)random_below(seed, (uint64_t)span);
            compare_sums(ledger, from,
                         from + (int64_t)random_below(seed, (uint64_t)(model.base_ms + span - from)));
        }
    }
    ledger_free(ledger);
}

static void sums_are_those_of_going_through_all_slices(void **unused)
{
    (void)unused;
    uint64_t seed = 42;
    for (int i = 0; i < 300; i++) /* thirty sums each */
        play_model(&seed);
}

/* A year of large and small numbers: the order of additions would show. */
static void a_long_sum_loses_nothing(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 999, 1000);
    struct ledger_sum sum;
    int64_t slices = 366 * 288;
    for (int64_t i = 0; i < slices; i++)
        ledger_put(ledger, NEW_YEAR_MS + i * 5 * MINUTE_MS,
                   ledger_slice_events(0.1, i % 2 == 0 ? 1e12 : 0.3));
    ledger_sum(ledger, NEW_YEAR_MS, NEW_YEAR_MS + 366 * DAY_MS, &sum);
    assert_true(sum.known == slices && fabs(sum.bad - 0.1 * (double)slices) < 1e-9);
    assert_true(fabs(sum.total - ((double)slices / 2 * 1e12 + (double)slices / 2 * 0.3)) <= 8);
    ledger_free(ledger);
}

/* ---- what cannot be ---- */

static void what_cannot_be_is_put_right_and_counted(void **unused)
{
    (void)unused;
    struct ledger_slice s = ledger_slice_events(7, 5);
    assert_true(s.known && s.odd && s.bad == 5 && s.total == 5);
    s = ledger_slice_events(-1, 5);
    assert_true(s.known && s.odd && s.bad == 0 && s.total == 5);
    s = ledger_slice_events(1, 0);
    assert_true(s.known && s.odd && s.bad == 0 && s.total == 0);
    s = ledger_slice_events(0, -1);
    assert_true(!s.known && s.odd);
    s = ledger_slice_share((double)NAN);
    assert_true(!s.known && !s.odd);
    s = ledger_slice_share(HUGE_VAL);
    assert_true(!s.known && s.odd);
    s = ledger_slice_share(1.5);
    assert_true(s.known && s.odd && s.bad == 1);
    s = ledger_slice_verdict(true);
    assert_true(s.known && !s.odd && s.bad == 1 && s.total == 1);
}

/* ---- bytes ---- */

static void encode(struct ledger *ledger, int64_t day, struct buf *out)
{
    buf_init(out, 1 << 20);
    ledger_day_encode(ledger, 1, day, out);
}

static void random_day(struct ledger *ledger, uint64_t *seed, int64_t slice_ms)
{
    for (int64_t i = 0; i < DAY_MS / slice_ms; i++)
        if (random_below(seed, 3) > 0)
            ledger_put(ledger, NEW_YEAR_MS + i * slice_ms, random_slice(seed));
}

static void days_come_back_from_bytes_as_they_were(void **unused)
{
    (void)unused;
    uint64_t seed = 7;
    int64_t day = NEW_YEAR_MS / DAY_MS;
    for (int round = 0; round < 500; round++) {
        int64_t slice_ms = round % 2 == 0 ? 5 * MINUTE_MS : HOUR_MS;
        struct ledger *from = ledger_with(slice_ms, BUDGET_EVENTS, 1, 2);
        struct ledger *to = ledger_with(slice_ms, BUDGET_EVENTS, 1, 2);
        struct buf bytes, again;
        random_day(from, &seed, slice_ms);
        encode(from, day, &bytes);
        assert_int_equal(ledger_day_decode(to, 1, day, buf_slice(&bytes)), 0);
        assert_int_equal(ledger_began_ms(to), ledger_began_ms(from));
        for (int64_t i = 0; i < DAY_MS / slice_ms; i++) {
            struct ledger_slice a = ledger_get(from, NEW_YEAR_MS + i * slice_ms);
            struct ledger_slice b = ledger_get(to, NEW_YEAR_MS + i * slice_ms);
            assert_true(a.bad == b.bad && a.total == b.total && a.known == b.known && a.odd == b.odd);
        }
        encode(to, day, &again);
        assert_true(str_eq(buf_slice(&bytes), buf_slice(&again)));
        buf_release(&bytes);
        buf_release(&again);
        ledger_free(from);
        ledger_free(to);
    }
}

static void a_flipped_bit_is_found(void **unused)
{
    (void)unused;
    uint64_t seed = 9;
    int64_t day = NEW_YEAR_MS / DAY_MS;
    struct ledger *ledger = ledger_with(HOUR_MS, BUDGET_EVENTS, 1, 2);
    struct buf bytes;
    random_day(ledger, &seed, HOUR_MS);
    encode(ledger, day, &bytes);
    for (size_t bit = 0; bit < 8 * bytes.used; bit++) {
        bytes.bytes[bit / 8] = (char)(bytes.bytes[bit / 8] ^ (1 << bit % 8));
        assert_int_equal(ledger_day_decode(ledger, 1, day, buf_slice(&bytes)), ERR_CORRUPT);
        bytes.bytes[bit / 8] = (char)(bytes.bytes[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(ledger_day_decode(ledger, 2, day, buf_slice(&bytes)), ERR_NOT_FOUND);
    assert_int_equal(ledger_day_decode(ledger, 1, day, buf_slice(&bytes)), 0);
    buf_release(&bytes);
    ledger_free(ledger);
}

static void a_day_of_traffic_takes_few_bytes(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 1, 2);
    struct buf bytes;
    for (int64_t i = 0; i < 288; i++)
        ledger_put(ledger, NEW_YEAR_MS + i * 5 * MINUTE_MS,
                   ledger_slice_events((double)(i % 3), 30000 + (double)i));
    encode(ledger, NEW_YEAR_MS / DAY_MS, &bytes);
    assert_int_equal(bytes.used, 8 + 1 + 288 * (1 + 1 + 3) - 0);
    buf_release(&bytes);
    ledger_free(ledger);
}

static void terms_come_back_from_bytes(void **unused)
{
    (void)unused;
    struct ledger_terms terms = terms_of(5 * MINUTE_MS, BUDGET_RATIOS, 9995, 10000), back;
    struct buf bytes;
    buf_init(&bytes, LEDGER_TERMS_BYTES);
    ledger_terms_encode(&terms, &bytes);
    assert_int_equal(bytes.used, LEDGER_TERMS_BYTES);
    assert_int_equal(ledger_terms_decode(buf_slice(&bytes), &back), 0);
    assert_true(ledger_terms_equal(&terms, &back));
    bytes.bytes[8 * 5] = 7; /* no slice divides a day like that */
    assert_int_equal(ledger_terms_decode(buf_slice(&bytes), &back), ERR_CORRUPT);
    assert_int_equal(ledger_terms_decode((struct str){bytes.bytes, 12}, &back), ERR_CORRUPT);
    buf_release(&bytes);
}

/* ---- periods ---- */

static const struct zone *zone_named(struct arena *arena, const char *name)
{
    const struct zone *zone;
    struct err err = {0};
    if (zone_load(world_real(), arena, str_of(name), &zone, &err) != 0)
        fail_msg("%s", err.text);
    return zone;
}

static void expect_period(const struct zone *zone, enum period_unit unit, int64_t count, int64_t at_s,
                          int64_t from_s, int64_t to_s)
{
    struct period period = {.unit = unit, .count = count};
    int64_t from_ms, to_ms;
    period_bounds(&period, zone, at_s * 1000 + 500, &from_ms, &to_ms);
    assert_int_equal(from_ms, from_s * 1000);
    assert_int_equal(to_ms, to_s * 1000);
    assert_true(to_ms - from_ms <= period_longest_ms(&period));
}

static void periods_follow_the_calendar_of_their_zone(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    const struct zone *berlin = zone_named(&arena, "Europe/Berlin");
    /* 2024-03-31: 23 hours; 2024-10-27: 25 */
    expect_period(berlin, PERIOD_DAY, 1, 1711886400, 1711839600, 1711922400);
    expect_period(berlin, PERIOD_DAY, 1, 1730030400, 1729980000, 1730070000);
    /* March 2024, an hour short; October, an hour long */
    expect_period(berlin, PERIOD_MONTH, 1, 1711000000, 1709247600, 1711922400);
    expect_period(berlin, PERIOD_MONTH, 1, 1729000000, 1727733600, 1730415600);
    /* February of a leap year and of none, UTC */
    expect_period(NULL, PERIOD_MONTH, 1, 1708000000, 1706745600, 1709251200);
    expect_period(NULL, PERIOD_MONTH, 1, 1676000000, 1675209600, 1677628800);
    /* the week of Wednesday 2024-05-15; the second quarter; 2024, 366 days */
    expect_period(NULL, PERIOD_WEEK, 1, 1715774400, 1715558400, 1716163200);
    expect_period(NULL, PERIOD_QUARTER, 1, 1715774400, 1711929600, 1719792000);
    expect_period(NULL, PERIOD_YEAR, 1, 1715774400, 1704067200, 1735689600);
    /* three months are quarters; before 1970 */
    expect_period(NULL, PERIOD_MONTH, 3, 1715774400, 1711929600, 1719792000);
    expect_period(NULL, PERIOD_MONTH, 1, -1, -2678400, 0);
    arena_release(&arena);
}

/* Days of which midnight is skipped (2024-03-10 in Havana, 2024-04-26 in Cairo) or comes twice (2024-11-03 in Havana). */
static void days_begin_where_clocks_skip_or_repeat_midnight(void **unused)
{
    (void)unused;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    const struct zone *havana = zone_named(&arena, "America/Havana");
    const struct zone *cairo = zone_named(&arena, "Africa/Cairo");
    expect_period(havana, PERIOD_DAY, 1, 1710082800, 1710046800, 1710129600);
    expect_period(havana, PERIOD_DAY, 1, 1730646000, 1730606400, 1730696400);
    expect_period(cairo, PERIOD_DAY, 1, 1714132800, 1714082400, 1714165200);
    arena_release(&arena);
}

static void periods_follow_each_other_without_gap(void **unused)
{
    (void)unused;
    static const char *const names[] = {"Europe/Berlin",  "America/Havana",  "Africa/Cairo",
                                        "Asia/Kathmandu", "Atlantic/Azores", "Asia/Beirut",
                                        "Pacific/Apia",   "America/New_York"};
    uint64_t seed = 3;
    struct arena arena;
    arena_init(&arena, 16 << 20);
    const struct zone *zones[8];
    for (size_t i = 0; i < 8; i++)
        zones[i] = zone_named(&arena, names[i]);
    for (int i = 0; i < 20000; i++) {
        const struct zone *zone = zones[random_below(&seed, 8)];
        struct period period = {.unit = (enum period_unit)(PERIOD_DAY + random_below(&seed, 5)),
                                .count = 1 + (int64_t)random_below(&seed, 3)};
        int64_t at_ms = (int64_t)random_below(&seed, INT64_C(2000000000) * 1000), from, to, next_from,
                next_to;
        period_bounds(&period, zone, at_ms, &from, &to);
        assert_true(from <= at_ms && at_ms < to && to - from <= period_longest_ms(&period));
        period_bounds(&period, zone, to, &next_from, &next_to);
        assert_int_equal(next_from, to);
        period_bounds(&period, zone, to - 1, &next_from, &next_to);
        assert_true(next_from == from && next_to == to);
    }
    arena_release(&arena);
}

/* ---- figures ---- */

static const struct period rolling = {.unit = PERIOD_ROLLING, .length_ms = MONTH_MS, .count = 1};

static void fill(struct ledger *ledger, int64_t from_ms, int64_t to_ms, double bad, double total)
{
    struct ledger_epoch_view epoch;
    assert_true(ledger_epoch_at(ledger, 0, &epoch));
    for (int64_t at = from_ms; at < to_ms; at += epoch.terms->slice_ms)
        ledger_put(ledger, at, ledger_slice_events(bad, total));
}

static void a_budget_without_data_is_unknown(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 999, 1000);
    struct ledger_window window = {.length_ms = HOUR_MS};
    struct ledger_figures f;
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, &window, 1, &f);
    assert_true(f.standing == BUDGET_UNKNOWN && !f.tells_remaining && !window.known && !f.exhausted);
    assert_true(f.coverage == 0 && f.remaining == 0);
    fill(ledger, NEW_YEAR_MS - MONTH_MS, NEW_YEAR_MS, 0, 0); /* slices, and no events */
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, &window, 1, &f);
    assert_true(f.standing == BUDGET_UNKNOWN && f.coverage == 1 && !f.tells_remaining);
    ledger_free(ledger);
}

/* 99.9 % over 30 days: after 29 days without errors, an hour of nothing else. */
static void an_outage_burns_as_the_workbook_says(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 999, 1000);
    struct ledger_window windows[] = {{.length_ms = HOUR_MS}, {.length_ms = 6 * HOUR_MS}};
    struct ledger_figures f;
    int64_t at_ms = NEW_YEAR_MS;
    fill(ledger, at_ms - MONTH_MS, at_ms, 0, 100);
    ledger_figures(ledger, &rolling, NULL, at_ms, windows, 2, &f);
    assert_true(f.standing == BUDGET_KNOWN && f.remaining == 1 && f.exhausted_in_ms == -1 && f.sli == 1);
    expect_near(f.allowed, 864);
    fill(ledger, at_ms - 5 * MINUTE_MS, at_ms, 100, 100);
    ledger_figures(ledger, &rolling, NULL, at_ms, windows, 2, &f);
    expect_near(f.consumed, 100. / 864);
    expect_near(windows[0].error_ratio, 1. / 12);
    expect_near(windows[0].burn, 1000. / 12);
    expect_near(windows[1].burn, 1000. / 72);
    /* left are 764 events; 100 an hour, or 100 in 6 hours */
    assert_int_equal(windows[0].exhausted_in_ms / MINUTE_MS, 458);
    assert_int_equal(windows[1].exhausted_in_ms / MINUTE_MS, 2750);
    expect_near(f.pace_burn, 1000. / 288);
    expect_near(f.forecast, 1 - 1000. / 288);
    fill(ledger, at_ms - HOUR_MS, at_ms, 100, 100);
    ledger_figures(ledger, &rolling, NULL, at_ms, windows, 2, &f);
    expect_near(windows[0].burn, 1000);
    expect_near(f.remaining, 1 - 1200. / 864);
    assert_true(f.exhausted && f.exhausted_in_ms == 0);
    ledger_free(ledger);
}

/* From full, a total outage exhausts 30 days' budget of 99.9 % in 43.2 minutes. */
static void a_full_budget_lasts_as_long_as_it_should(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(MINUTE_MS, BUDGET_RATIOS, 999, 1000);
    struct ledger_window window = {.length_ms = MINUTE_MS};
    struct ledger_figures f;
    fill(ledger, NEW_YEAR_MS - MONTH_MS, NEW_YEAR_MS, 0, 100);
    fill(ledger, NEW_YEAR_MS - MINUTE_MS, NEW_YEAR_MS, 100, 100);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, &window, 1, &f);
    expect_near(window.burn, 1000);
    expect_near(f.allowed, 43.2);
    assert_int_equal(window.exhausted_in_ms, 42.2 * 60000);
    ledger_free(ledger);
}

static void slices_are_rounded_down(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(MINUTE_MS, BUDGET_SLICES, 999, 1000);
    struct ledger_figures f;
    fill(ledger, NEW_YEAR_MS - MONTH_MS, NEW_YEAR_MS, 1, 100); /* just good enough */
    fill(ledger, NEW_YEAR_MS - 43 * MINUTE_MS, NEW_YEAR_MS, 2, 100);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &f);
    assert_true(f.allowed == 43 && f.spent == 43 && f.exhausted && f.remaining == 0);
    ledger_free(ledger);
    ledger = ledger_with(HOUR_MS, BUDGET_SLICES, 9, 10); /* 0.1 * 720 is not 71.99 */
    fill(ledger, NEW_YEAR_MS - MONTH_MS, NEW_YEAR_MS, 0, 1);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &f);
    assert_true(f.allowed == 72);
    ledger_free(ledger);
}

static void a_target_of_one_hundred_percent_divides_by_nothing(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 1, 1);
    struct ledger_window window = {.length_ms = HOUR_MS};
    struct ledger_figures f;
    fill(ledger, NEW_YEAR_MS - MONTH_MS, NEW_YEAR_MS, 0, 10);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, &window, 1, &f);
    assert_true(f.remaining == 1 && f.allowed == 0 && !f.exhausted && f.forecast == 1 && window.burn == 0);
    fill(ledger, NEW_YEAR_MS - HOUR_MS, NEW_YEAR_MS, 1, 10);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, &window, 1, &f);
    assert_true(f.remaining == 0 && f.exhausted && f.exhausted_in_ms == 0 && window.burn == 0);
    expect_near(window.error_ratio, 0.1);
    assert_true(isfinite(f.forecast) && isfinite(f.consumed));
    ledger_free(ledger);
}

static void missing_slices_show_in_the_coverage(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 999, 1000);
    struct ledger_figures f;
    int64_t from_ms = NEW_YEAR_MS - MONTH_MS;
    for (int64_t i = 0; i < 8640; i++)
        if (i == 0 || i % 125 != 0) /* 69 of them: 0.8 % */
            ledger_put(ledger, from_ms + i * 5 * MINUTE_MS, ledger_slice_events(0, 10));
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &f);
    assert_int_equal(f.sum.known, 8571);
    assert_int_equal(lround(f.coverage * 1000), 992);
    assert_true(f.coverage == f.period_coverage && f.standing == BUDGET_KNOWN && f.remaining == 1);
    ledger_free(ledger);
}

static void little_history_does_not_say_that_all_is_left(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 999, 1000);
    struct ledger_figures f;
    fill(ledger, NEW_YEAR_MS - 14 * DAY_MS, NEW_YEAR_MS, 0, 10);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &f);
    assert_true(f.standing == BUDGET_PARTIAL && !f.tells_remaining && f.coverage == 1);
    expect_near(f.period_coverage, 14. / 30);
    fill(ledger, NEW_YEAR_MS - HOUR_MS, NEW_YEAR_MS, 1, 10);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &f);
    assert_true(f.standing == BUDGET_PARTIAL && f.tells_remaining && f.remaining < 1);
    ledger_free(ledger);
}

/* February of a leap year, four days in: 400 events a day; what is to come counts as much. */
static void a_calendar_month_allows_what_it_will_have_seen(void **unused)
{
    (void)unused;
    static const struct period month = {.unit = PERIOD_MONTH, .length_ms = MONTH_MS, .count = 1};
    struct ledger *ledger = ledger_with(HOUR_MS, BUDGET_EVENTS, 99, 100);
    struct ledger_figures f;
    int64_t from_ms = NEW_YEAR_MS + 31 * DAY_MS, at_ms = from_ms + 4 * DAY_MS;
    fill(ledger, from_ms - 40 * DAY_MS, at_ms, 0, 100);
    fill(ledger, at_ms - DAY_MS, at_ms, 10, 100);
    ledger_figures(ledger, &month, NULL, at_ms, NULL, 0, &f);
    assert_true(f.from_ms == from_ms && f.to_ms == from_ms + 29 * DAY_MS);
    expect_near(f.allowed, 29 * 24);
    expect_near(f.spent, 240);
    expect_near(f.remaining, 1 - 240. / (29 * 24));
    expect_near(f.forecast, 1 - (240. + 25 * 240) / (29 * 24));
    assert_int_equal(f.exhausted_in_ms, (29 * 24 - 240) / 10. * (double)HOUR_MS);
    ledger_figures(ledger, &month, NULL, from_ms, NULL, 0, &f); /* the last moment of January */
    assert_true(f.to_ms == from_ms && f.from_ms == NEW_YEAR_MS && f.remaining == 1);
    ledger_free(ledger);
}

/* ---- epochs ---- */

static void what_came_before_a_change_keeps_its_target(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(HOUR_MS, BUDGET_EVENTS, 9, 10);
    struct ledger_terms stricter = terms_of(5 * MINUTE_MS, BUDGET_EVENTS, 99, 100);
    struct ledger_figures f;
    int64_t change_ms = NEW_YEAR_MS - 10 * DAY_MS;
    fill(ledger, NEW_YEAR_MS - MONTH_MS, change_ms, 0, 120);
    ledger_open_epoch(ledger, 2, change_ms, &stricter);
    for (int64_t at = change_ms; at < NEW_YEAR_MS; at += 5 * MINUTE_MS)
        ledger_put(ledger, at, ledger_slice_events(0, 10));
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &f);
    expect_near(f.allowed, 20 * 24 * 120 * 0.1 + 10 * 24 * 120 * 0.01);
    assert_int_equal(f.sum.expected, 20 * 24 + 10 * 288);
    assert_int_equal(f.sum.known, f.sum.expected);
    ledger_figures(ledger, &rolling, NULL, change_ms, NULL, 0, &f);
    expect_near(f.allowed, 20 * 24 * 120 * 0.1);
    ledger_free(ledger);
}

static void an_epoch_counted_otherwise_begins_the_period_anew(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(HOUR_MS, BUDGET_EVENTS, 9, 10);
    struct ledger_terms other = terms_of(HOUR_MS, BUDGET_SLICES, 9, 10);
    struct ledger_figures f;
    fill(ledger, NEW_YEAR_MS - MONTH_MS, NEW_YEAR_MS, 100, 100);
    ledger_open_epoch(ledger, 2, NEW_YEAR_MS - DAY_MS, &other);
    fill(ledger, NEW_YEAR_MS - DAY_MS, NEW_YEAR_MS, 0, 100);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &f);
    assert_true(f.spent == 0 && f.allowed == 2 && f.sum.expected == 24);
    ledger_free(ledger);
}

static void an_epoch_at_the_same_place_takes_its_place(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(HOUR_MS, BUDGET_EVENTS, 9, 10);
    struct ledger_terms other = terms_of(HOUR_MS, BUDGET_SLICES, 9, 10);
    struct ledger_epoch_view view;
    ledger_open_epoch(ledger, 2, NEW_YEAR_MS, &other);
    ledger_put(ledger, NEW_YEAR_MS, ledger_slice_events(1, 1));
    other.target.numerator = 8;
    ledger_open_epoch(ledger, 3, NEW_YEAR_MS, &other);
    assert_false(ledger_get(ledger, NEW_YEAR_MS).known);
    assert_true(ledger_began_ms(ledger) == INT64_MAX);
    assert_true(ledger_epoch_at(ledger, 1, &view) && view.number == 3 && view.terms->target.numerator == 8);
    assert_false(ledger_epoch_at(ledger, 2, &view));
    ledger_free(ledger);
}

/* ---- corrections ---- */

static void a_correction_changes_the_budget_by_its_slices(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(5 * MINUTE_MS, BUDGET_EVENTS, 99, 100);
    struct ledger_correction list[3] = {
        {.change = CHANGE_EXCLUDE, .from_ms = NEW_YEAR_MS - HOUR_MS + 1, .to_ms = NEW_YEAR_MS}};
    struct ledger_overlay overlay = {.corrections = list, .correction_count = 1};
    struct ledger_figures before, after;
    fill(ledger, NEW_YEAR_MS - MONTH_MS, NEW_YEAR_MS, 1, 10);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &before);
    ledger_lay(ledger, &overlay);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &after);
    expect_near(before.spent - after.spent, 12);
    expect_near(before.allowed - after.allowed, 1.2);
    assert_true(after.sum.excluded == 12 && after.coverage == 1);
    assert_true(ledger_get(ledger, NEW_YEAR_MS - HOUR_MS).bad == 1);
    assert_int_equal(ledger_change_at(ledger, NEW_YEAR_MS - HOUR_MS), CHANGE_EXCLUDE);
    list[1] = (struct ledger_correction){
        .change = CHANGE_CHARGE, .from_ms = NEW_YEAR_MS - 5 * MINUTE_MS, .to_ms = NEW_YEAR_MS};
    list[2] = (struct ledger_correction){
        .change = CHANGE_NONE, .from_ms = NEW_YEAR_MS - HOUR_MS, .to_ms = NEW_YEAR_MS - 50 * MINUTE_MS};
    overlay.correction_count = 3;
    ledger_lay(ledger, &overlay);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &after);
    expect_near(before.spent - after.spent, 12 - 10 - 2);
    ledger_lay(ledger, NULL);
    ledger_figures(ledger, &rolling, NULL, NEW_YEAR_MS, NULL, 0, &after);
    assert_true(after.spent == before.spent && after.allowed == before.allowed);
    ledger_free(ledger);
}

static void old_days_go(void **unused)
{
    (void)unused;
    struct ledger *ledger = ledger_with(HOUR_MS, BUDGET_EVENTS, 99, 100);
    struct ledger_sum sum;
    fill(ledger, NEW_YEAR_MS, NEW_YEAR_MS + 10 * DAY_MS, 1, 10);
    assert_int_equal(ledger_slices_held(ledger), 240);
    ledger_expire(ledger, NEW_YEAR_MS + 3 * DAY_MS + HOUR_MS);
    assert_int_equal(ledger_slices_held(ledger), 168);
    assert_int_equal(ledger_began_ms(ledger), NEW_YEAR_MS + 3 * DAY_MS);
    ledger_sum(ledger, NEW_YEAR_MS, NEW_YEAR_MS + 10 * DAY_MS, &sum);
    assert_int_equal(sum.known, 168);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_going_through_all_slices),
        cmocka_unit_test(a_long_sum_loses_nothing),
        cmocka_unit_test(what_cannot_be_is_put_right_and_counted),
        cmocka_unit_test(days_come_back_from_bytes_as_they_were),
        cmocka_unit_test(a_flipped_bit_is_found),
        cmocka_unit_test(a_day_of_traffic_takes_few_bytes),
        cmocka_unit_test(terms_come_back_from_bytes),
        cmocka_unit_test(periods_follow_the_calendar_of_their_zone),
        cmocka_unit_test(days_begin_where_clocks_skip_or_repeat_midnight),
        cmocka_unit_test(periods_follow_each_other_without_gap),
        cmocka_unit_test(a_budget_without_data_is_unknown),
        cmocka_unit_test(an_outage_burns_as_the_workbook_says),
        cmocka_unit_test(a_full_budget_lasts_as_long_as_it_should),
        cmocka_unit_test(slices_are_rounded_down),
        cmocka_unit_test(a_target_of_one_hundred_percent_divides_by_nothing),
        cmocka_unit_test(missing_slices_show_in_the_coverage),
        cmocka_unit_test(little_history_does_not_say_that_all_is_left),
        cmocka_unit_test(a_calendar_month_allows_what_it_will_have_seen),
        cmocka_unit_test(what_came_before_a_change_keeps_its_target),
        cmocka_unit_test(an_epoch_counted_otherwise_begins_the_period_anew),
        cmocka_unit_test(an_epoch_at_the_same_place_takes_its_place),
        cmocka_unit_test(a_correction_changes_the_budget_by_its_slices),
        cmocka_unit_test(old_days_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
