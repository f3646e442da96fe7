#include "tocsin/amconfig.h"

#include "tocsin/gotext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct amconfig *load(const char *specs)
{
    char text[1024];
    struct amconfig *config;
    struct err err = {0};
    snprintf(text, sizeof text,
             "route: {receiver: a, routes: [{matchers: [x=y], mute_time_intervals: [n]}]}\n"
             "receivers: [{name: a}]\n"
             "time_intervals: [{name: n, time_intervals: %s}]\n",
             specs);
    if (amconfig_parse(world_real(), str_of(text), STR("."), &config, &err) != 0)
        fail_msg("%s: %s", specs, err.text);
    return config;
}

static size_t holds(const char *specs, const char *time)
{
    int64_t unix_ns;
    assert_true(go_parse_rfc3339(str_of(time), &unix_ns));
    struct amconfig *config = load(specs);
    const struct am_intervals *mute = &config->root.routes[0].mute;
    assert_int_equal(mute->count, 1);
    size_t count = am_interval_holds(mute->items[0], unix_ns / NS_PER_S);
    amconfig_free(config);
    return count;
}

struct row {
    const char *specs, *time;
    size_t holds;
};

/* 2026-11-22 is a Sunday. */
static const struct row rows[] = {
    {"[{}]", "2026-11-22T06:00:00Z", 1},
    {"[]", "2026-11-22T06:00:00Z", 0},
    {"[{times: []}]", "2026-11-22T06:00:00Z", 0},
    {"[{times: ~}]", "2026-11-22T06:00:00Z", 1},
    {"[{weekdays: [~]}]", "2026-11-22T06:00:00Z", 1}, /* a null is 0: Sunday */
    {"[{weekdays: [~]}]", "2026-11-23T06:00:00Z", 0},
    {"[{times: [~]}]", "2026-11-22T00:00:00Z", 0},
    {"[{days_of_month: [~]}]", "2026-11-30T06:00:00Z", 0},
    {"[{months: [~]}, {years: [~]}]", "2026-01-01T06:00:00Z", 0},
    {"[{}, {weekdays: [sunday]}, {weekdays: [monday]}]", "2026-11-22T06:00:00Z", 2},
    {"[{times: [{start_time: '06:00', end_time: '07:00'}]}]", "2026-11-22T06:00:00Z", 1},
    {"[{times: [{start_time: '06:00', end_time: '07:00'}]}]", "2026-11-22T05:59:59Z", 0},
    {"[{times: [{start_time: '06:00', end_time: '07:00'}]}]", "2026-11-22T06:59:59Z", 1},
    {"[{times: [{start_time: '06:00', end_time: '07:00'}]}]", "2026-11-22T07:00:00Z", 0},
    {"[{times: [{start_time: '23:00', end_time: '24:00'}]}]", "2026-11-22T23:59:59Z", 1},
    {"[{times: [{start_time: '01:00', end_time: '02:00'}, {start_time: '06:00', end_time: '07:00'}]}]",
     "2026-11-22T06:30:00Z", 1},
    {"[{weekdays: ['monday:friday', Sunday]}]", "2026-11-22T06:00:00Z", 1},
    {"[{weekdays: ['monday:friday']}]", "2026-11-22T06:00:00Z", 0},
    {"[{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}]",
     "2026-11-23T09:00:00Z", 1},
    {"[{weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}]",
     "2026-11-22T09:00:00Z", 0},
    {"[{days_of_month: ['1:5']}]", "2026-11-05T00:00:00Z", 1},
    {"[{days_of_month: ['1:5']}]", "2026-11-06T00:00:00Z", 0},
    {"[{days_of_month: ['-1']}]", "2026-02-28T12:00:00Z", 1},
    {"[{days_of_month: ['-1']}]", "2028-02-28T12:00:00Z", 0},
    {"[{days_of_month: ['-1']}]", "2028-02-29T12:00:00Z", 1},
    {"[{days_of_month: ['-3:-1']}]", "2026-11-28T12:00:00Z", 1},
    {"[{days_of_month: ['-3:-1']}]", "2026-11-27T12:00:00Z", 0},
    {"[{days_of_month: ['31']}]", "2026-11-30T12:00:00Z", 0},
    {"[{days_of_month: ['25:31']}]", "2026-11-30T12:00:00Z", 1},
    {"[{days_of_month: ['-31:-1']}]", "2026-02-01T12:00:00Z", 1},
    {"[{days_of_month: ['10:-10']}]", "2026-11-21T12:00:00Z", 1},
    {"[{days_of_month: ['10:-10']}]", "2026-11-22T12:00:00Z", 0},
    {"[{months: ['october:december']}]", "2026-11-22T12:00:00Z", 1},
    {"[{months: ['1:10', december]}]", "2026-11-22T12:00:00Z", 0},
    {"[{months: ['13']}]", "2026-11-22T12:00:00Z", 0},
    {"[{years: ['2026']}]", "2026-11-22T12:00:00Z", 1},
    {"[{years: ['2020:2025', '2027']}]", "2026-11-22T12:00:00Z", 0},
    /* Berlin: +01:00, from March 29 +02:00; the hour from 02:00 does not exist on that day and 02:00 is twice on October 25. */
    {"[{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}]", "2026-03-28T01:30:00Z",
     1},
    {"[{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}]", "2026-03-29T01:30:00Z",
     0},
    {"[{times: [{start_time: '03:00', end_time: '04:00'}], location: Europe/Berlin}]", "2026-03-29T01:00:00Z",
     1},
    {"[{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}]", "2026-10-25T00:30:00Z",
     1},
    {"[{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}]", "2026-10-25T01:30:00Z",
     1},
    {"[{weekdays: [monday], location: Europe/Berlin}]", "2026-11-22T23:30:00Z", 1},
    {"[{days_of_month: ['-1'], location: America/New_York}]", "2026-12-01T04:30:00Z", 1},
    {"[{years: ['2027'], location: Asia/Tokyo}]", "2026-12-31T15:00:00Z", 1},
};

static void every_row_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t got = holds(rows[i].specs, rows[i].time);
        if (got != rows[i].holds)
            fail_msg("%s at %s: %zu", rows[i].specs, rows[i].time, got);
    }
}

static void routes_know_their_intervals_and_do_not_inherit_them(void **state)
{
    (void)state;
    struct amconfig *config;
    assert_int_equal(
        amconfig_parse(world_real(),
                       STR("route: {receiver: a, routes: [{matchers: [x=y], mute_time_intervals: [n, m], "
                           "active_time_intervals: [m], routes: [{matchers: [z=z]}]}]}\n"
                           "receivers: [{name: a}]\n"
                           "time_intervals: [{name: n}]\nmute_time_intervals: [{name: m}]\n"),
                       STR("."), &config, NULL),
        0);
    const struct am_route *route = &config->root.routes[0];
    assert_int_equal(route->mute.count, 2);
    assert_true(str_is(route->mute.items[1]->name, "m"));
    assert_int_equal(route->active.count, 1);
    assert_int_equal(route->routes[0].mute.count + route->routes[0].active.count, 0);
    assert_non_null(strstr(config->original.p, "    mute_time_intervals:\n    - \"n\"\n    - m\n"
                                               "    active_time_intervals:\n    - m\n    continue: false\n"));
    amconfig_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_holds),
        cmocka_unit_test(routes_know_their_intervals_and_do_not_inherit_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
