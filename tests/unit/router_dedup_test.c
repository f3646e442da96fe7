#include "../../engine/route/dedup_priv.h"

#include "router_sim.h"

/* The table of decisions, one row each: what was told, what is now, what follows. */

enum { A = 1, B = 2, C = 3 };

struct row {
    const char *name;
    bool told;
    uint64_t told_firing[3], told_resolved[3];
    int64_t told_s; /* when; the tick is at 100, the repeat interval is 50 */
    uint64_t firing[3], resolved[3];
    bool send_resolved;
    enum dedup_reason expected;
};

static const struct row rows[] = {
    {.name = "nothing told, nothing fires", .resolved = {A}, .send_resolved = true, .expected = DEDUP_NONE},
    {.name = "nothing told, one fires", .firing = {A}, .expected = DEDUP_FIRST},
    {.name = "another fires",
     .told = true,
     .told_firing = {A},
     .told_s = 99,
     .firing = {A, B},
     .expected = DEDUP_NEW_ALERTS},
    {.name = "one fires after all were told as resolved",
     .told = true,
     .told_resolved = {A},
     .told_s = 99,
     .firing = {A},
     .expected = DEDUP_FIRST},
    {.name = "all resolved, wanted",
     .told = true,
     .told_firing = {A},
     .told_s = 99,
     .resolved = {A},
     .send_resolved = true,
     .expected = DEDUP_ALL_RESOLVED},
    {.name = "all resolved, not wanted",
     .told = true,
     .told_firing = {A},
     .told_s = 99,
     .resolved = {A},
     .expected = DEDUP_ALL_RESOLVED},
    {.name = "all resolved, told already",
     .told = true,
     .told_resolved = {A},
     .told_s = 0,
     .resolved = {A},
     .send_resolved = true,
     .expected = DEDUP_NONE},
    {.name = "one of two resolved, wanted",
     .told = true,
     .told_firing = {A, B},
     .told_s = 99,
     .firing = {A},
     .resolved = {B},
     .send_resolved = true,
     .expected = DEDUP_SOME_RESOLVED},
    {.name = "one of two resolved, not wanted",
     .told = true,
     .told_firing = {A, B},
     .told_s = 99,
     .firing = {A},
     .resolved = {B},
     .expected = DEDUP_NONE},
    {.name = "one of two resolved, told already",
     .told = true,
     .told_firing = {A},
     .told_resolved = {B},
     .told_s = 99,
     .firing = {A},
     .resolved = {B},
     .send_resolved = true,
     .expected = DEDUP_NONE},
    {.name = "the repeat interval has not quite passed",
     .told = true,
     .told_firing = {A},
     .told_s = 50,
     .firing = {A},
     .expected = DEDUP_NONE},
    {.name = "the repeat interval has passed",
     .told = true,
     .told_firing = {A},
     .told_s = 49,
     .firing = {A},
     .expected = DEDUP_REPEAT},
    {.name = "new alerts speak before the repeat",
     .told = true,
     .told_firing = {A},
     .told_s = 1,
     .firing = {A, C},
     .expected = DEDUP_NEW_ALERTS},
    {.name = "what may have been told is told again",
     .told = true,
     .told_firing = {A, B},
     .told_s = 0,
     .firing = {A},
     .expected = DEDUP_FIRST},
    {.name = "the end of what may have been told is told",
     .told = true,
     .told_firing = {A},
     .told_s = 0,
     .resolved = {A},
     .send_resolved = true,
     .expected = DEDUP_ALL_RESOLVED},
    {.name = "a smaller set that fires says nothing",
     .told = true,
     .told_firing = {A, B, C},
     .told_s = 99,
     .firing = {B},
     .send_resolved = true,
     .expected = DEDUP_NONE},
};

static struct hash_set set_of(uint64_t *items)
{
    struct hash_set set = {.items = items};
    while (set.count < 3 && items[set.count] != 0)
        set.count++;
    hash_set_sort(&set);
    return set;
}

static void every_row_of_the_table_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct row row = rows[i];
        struct dedup_told told = {
            .firing = set_of(row.told_firing), .resolved = set_of(row.told_resolved), .sent_ns = row.told_s};
        struct hash_set firing = set_of(row.firing), resolved = set_of(row.resolved);
        enum dedup_reason got =
            dedup_decide(row.told ? &told : NULL, &firing, &resolved, row.send_resolved, 100, 50);
        if (got != row.expected)
            fail_msg("%s: %.*s", row.name, STR_ARG(dedup_reason_text(got)));
    }
}

static void what_is_owed_or_was_missed_is_told_when_it_has_ended(void **state)
{
    (void)state;
    uint64_t one[] = {1}, two[] = {2}, three[] = {3};
    struct hash_set a = {one, 1}, b = {two, 1}, c = {three, 1}, none = {0};
    struct dedup_told told = {.owed = a, .missed = b, .sent_ns = 90};
    assert_int_equal(dedup_decide(&told, &none, &a, true, 100, 50), DEDUP_ALL_RESOLVED);
    assert_int_equal(dedup_decide(&told, &none, &b, false, 100, 50), DEDUP_LATE);
    assert_int_equal(dedup_decide(&told, &none, &c, true, 100, 50), DEDUP_NONE);
    assert_int_equal(dedup_decide(&told, &a, &none, true, 100, 50), DEDUP_FIRST);
    told.firing = told.resolved = c;
    assert_int_equal(dedup_decide(&told, &c, &a, false, 100, 50), DEDUP_SOME_RESOLVED);
    assert_int_equal(dedup_decide(&told, &c, &b, false, 100, 50), DEDUP_LATE);
    assert_int_equal(dedup_decide(&told, &c, &none, false, 100, 50), DEDUP_NONE);
}

static void sets_can_be_reckoned_with(void **state)
{
    (void)state;
    uint64_t some[] = {1, 3, 5}, others[] = {3, 4};
    struct hash_set a = {some, 3}, b = {others, 2};
    struct hash_set join = hash_set_join(&a, &b), meet = hash_set_meet(&a, &b), less = hash_set_minus(&a, &b);
    assert_memory_equal(join.items, ((uint64_t[]){1, 3, 4, 5}), 32);
    assert_int_equal(join.count, 4);
    assert_true(meet.count == 1 && meet.items[0] == 3);
    assert_true(less.count == 2 && less.items[0] == 1 && less.items[1] == 5);
    hash_set_free(&join);
    join = hash_set_copy(&a);
    assert_true(join.count == 3 && hash_set_within(&a, &join));
    hash_set_free(&join);
    hash_set_free(&meet);
    hash_set_free(&less);
}

static void sets_are_sorted_and_without_repeats(void **state)
{
    (void)state;
    uint64_t items[] = {5, 1, 5, 3, 1};
    struct hash_set set = {items, 5}, none = {NULL, 0};
    hash_set_sort(&set);
    hash_set_sort(&none);
    assert_int_equal(set.count, 3);
    assert_true(hash_set_has(&set, 1) && hash_set_has(&set, 3) && hash_set_has(&set, 5));
    assert_false(hash_set_has(&set, 2) || hash_set_has(&none, 1));
    assert_true(hash_set_within(&none, &set));
    assert_false(hash_set_within(&set, &none));
}

static struct sim sim;

static void without_send_resolved_a_return_is_a_page_and_an_end_is_not(void **state)
{
    (void)state;
    sim_open(&sim, "route: {receiver: a, group_wait: 1s, group_interval: 10s}\n"
                   "receivers: [{name: a, webhook_configs: [{url: http://h, send_resolved: false}]}]");
    sim_fire(&sim, "n=1");
    sim_fire(&sim, "n=2");
    sim_until(&sim, 5000);
    sim_resolve(&sim, "n=1", 0);
    sim_until(&sim, 12000);
    sim_fire(&sim, "n=1");
    sim_until(&sim, 25000);
    sim_expect(&sim, "1000 h first notification: +1 +2\n"
                     "21000 h new alerts added: +1 +2\n");
    sim_resolve(&sim, "n=1", 12000);
    sim_resolve(&sim, "n=2", 0);
    sim_forget(&sim);
    sim_until(&sim, 100000);
    sim_expect(&sim, "");
    assert_string_equal(buf_text(&sim.pages), "31000 unsent a 0 0 f0 r0 all alerts resolved\n");
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_holds),
        cmocka_unit_test(what_is_owed_or_was_missed_is_told_when_it_has_ended),
        cmocka_unit_test(sets_can_be_reckoned_with),
        cmocka_unit_test(sets_are_sorted_and_without_repeats),
        cmocka_unit_test(without_send_resolved_a_return_is_a_page_and_an_end_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
