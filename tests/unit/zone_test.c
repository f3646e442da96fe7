#include "tocsin/calendar.h"
#include "tocsin/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const struct zone *load(struct arena *arena, const char *name)
{
    const struct zone *zone;
    struct err err = {0};
    if (zone_load(world_real(), arena, str_of(name), &zone, &err) != 0)
        fail_msg("%s: %s", name, err.text);
    return zone;
}

static void use_zone(const char *name)
{
    assert_int_equal(setenv("TZ", name, 1), 0);
    tzset();
}

static void compare(const struct zone *zone, const char *name, int64_t unix_s)
{
    time_t at = (time_t)unix_s;
    struct tm tm;
    assert_non_null(localtime_r(&at, &tm));
    struct zone_time t = zone_at(zone, unix_s);
    if (t.offset_s != tm.tm_gmtoff || !str_is(t.name, tm.tm_zone))
        fail_msg("%s at %lld: %d %.*s, but the C library says %ld %s", name, (long long)unix_s, t.offset_s,
                 STR_ARG(t.name), tm.tm_gmtoff, tm.tm_zone);
}

/* Every five hours and a bit from 1970 to 2100; the files list changes up to 2037, then their rule counts. */
static void offsets_are_those_of_the_c_library(void **state)
{
    (void)state;
    static const char *const names[] = {
        "UTC",          "Europe/Berlin",     "America/New_York", "Australia/Lord_Howe", "America/Santiago",
        "Asia/Kolkata", "Africa/Casablanca", "Pacific/Apia"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        const struct zone *zone = load(&arena, names[i]);
        use_zone(names[i]);
        for (int64_t at = 0; at < INT64_C(4102444800); at += 18301)
            compare(zone, names[i], at);
        arena_release(&arena);
    }
}

static void a_change_takes_place_at_its_second(void **state)
{
    (void)state;
    static const int64_t changes[] = {1774745999, 1774746000, 1792889999, 1792890000, /* 2026, listed */
                                      2531955599, 2531955600, 2550704399, 2550704400 /* 2050, by the rule */};
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct zone *zone = load(&arena, "Europe/Berlin");
    use_zone("Europe/Berlin");
    for (size_t i = 0; i < 8; i++)
        compare(zone, "Europe/Berlin", changes[i]);
    assert_int_equal(zone_at(zone, 1774745999).offset_s, 3600);
    assert_int_equal(zone_at(zone, 1774746000).offset_s, 7200);
    arena_release(&arena);
}

static void local_is_what_the_environment_says(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    use_zone("Asia/Kolkata");
    assert_int_equal(zone_at(load(&arena, "Local"), 0).offset_s, 19800);
    use_zone(":Asia/Tokyo");
    assert_int_equal(zone_at(load(&arena, "Local"), 0).offset_s, 32400);
    use_zone("");
    assert_int_equal(zone_at(load(&arena, "Local"), 0).offset_s, 0);
    assert_int_equal(zone_at(load(&arena, ""), 0).offset_s, 0);
    arena_release(&arena);
}

static void names_lead_nowhere_else(void **state)
{
    (void)state;
    static const char *const names[] = {"Nowhere/Land", "/etc/passwd", "../../../etc/passwd",
                                        "Europe/../../../../etc/passwd", "Europe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct arena arena;
        struct err err = {0};
        const struct zone *zone;
        arena_init(&arena, 1 << 20);
        assert_int_equal(zone_load(world_real(), &arena, str_of(names[i]), &zone, &err), ERR_NOT_FOUND);
        assert_memory_equal(err.text, "unknown time zone ", 18);
        arena_release(&arena);
    }
}

/* A file that is cut anywhere is refused or, behind its last list, has lost its rule alone. */
static void a_file_that_is_cut_is_refused(void **state)
{
    (void)state;
    struct buf file;
    buf_init(&file, 1 << 20);
    assert_int_equal(world_real()->read_file(world_real(), "/usr/share/zoneinfo/Europe/Berlin", &file, NULL),
                     0);
    for (size_t n = 0; n < file.used; n++) {
        struct arena arena;
        const struct zone *zone;
        arena_init(&arena, 1 << 20);
        assert_int_equal(zone_parse(&arena, (struct str){file.bytes, n}, &zone, NULL), ERR_PARSE);
        arena_release(&arena);
    }
    buf_release(&file);
}

static void the_calendar_goes_both_ways(void **state)
{
    (void)state;
    for (int64_t day = -800000; day < 800000; day += 13) {
        struct civil c;
        civil_of(day * 86400 + 86399, 0, 0, &c);
        assert_int_equal(days_of(c.year, c.month, c.day), day);
        assert_true(c.day <= days_in_month(c.year, c.month));
        assert_int_equal(c.hour * 3600 + c.minute * 60 + c.second, 86399);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_the_c_library),
        cmocka_unit_test(a_change_takes_place_at_its_second),
        cmocka_unit_test(local_is_what_the_environment_says),
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(a_file_that_is_cut_is_refused),
        cmocka_unit_test(the_calendar_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
