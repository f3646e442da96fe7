#include "store_help.h"

#include "tocsin/limits.h"

static struct standing *stand(struct bench *b, const struct matcher *ms, size_t n, int64_t reach_ms)
{
    struct standing *out = NULL;
    assert_int_equal(store_stand(b->store, ms, n, reach_ms, &out, NULL), 0);
    return out;
}

static const struct labels *request(struct bench *b, const char *service, const char *code)
{
    return labels_of(&b->arena, "__name__", "requests", "code", code, "service", service, NULL);
}

static void a_selector_finds_what_is_there_and_what_comes(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    struct matcher ms[] = {bench_matcher("__name__", MATCH_EQUAL, "requests"),
                           bench_matcher("code", MATCH_REGEX, "2..|3..")};
    struct standing *standing = stand(&b, ms, 2, MINUTE_MS);
    assert_int_equal(standing_count(b.store, standing), 1);
    bench_push(&b, request(&b, "web", "500"), START_MS, 1);
    bench_push(&b, request(&b, "db", "301"), START_MS, 1);
    bench_push(&b, request(&b, "db", "301"), START_MS + 1, 1);
    assert_int_equal(standing_count(b.store, standing), 2);
    struct view *v = view_open(b.store);
    struct series_set set;
    assert_int_equal(view_standing(v, standing, &b.arena, &set), 0);
    assert_int_equal(set.count, 2);
    for (size_t i = 0; i < set.count; i++)
        assert_false(str_is(labels_get(view_labels(v, set.refs[i]), STR("code")), "500"));
    view_close(v);
    store_unstand(b.store, standing);
    matcher_release(&ms[1]);
    bench_close(&b);
}

static void a_selector_without_an_equality_sees_every_series(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    struct matcher m = bench_matcher("code", MATCH_NOT_EQUAL, "");
    struct matcher absent = bench_matcher("code", MATCH_EQUAL, "");
    struct standing *has = stand(&b, &m, 1, MINUTE_MS);
    struct standing *lacks = stand(&b, &absent, 1, MINUTE_MS);
    struct standing *all = stand(&b, NULL, 0, MINUTE_MS);
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    bench_push(&b, labels_of(&b.arena, "__name__", "up", NULL), START_MS, 1);
    assert_int_equal(standing_count(b.store, has), 1);
    assert_int_equal(standing_count(b.store, lacks), 1);
    assert_int_equal(standing_count(b.store, all), 2);
    store_unstand(b.store, has);
    store_unstand(b.store, lacks);
    store_unstand(b.store, all);
    bench_close(&b);
}

static void equal_selectors_share_one_list(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    struct matcher m = bench_matcher("service", MATCH_EQUAL, "web");
    struct standing *one = stand(&b, &m, 1, MINUTE_MS);
    struct standing *two = stand(&b, &m, 1, HOUR_MS);
    assert_int_equal(bench_figures(&b).standing, 1);
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    store_unstand(b.store, one);
    assert_int_equal(standing_count(b.store, two), 1);
    store_unstand(b.store, two);
    assert_int_equal(bench_figures(&b).standing, 0);
    bench_close(&b);
}

/* True if the only series still has samples after so long. */
static bool kept_after(struct bench *b, int64_t after_ms)
{
    bench_at(b, START_MS + after_ms);
    store_retire(b->store);
    return bench_figures(b).samples > 0;
}

static void samples_stay_as_long_as_the_longest_reach_asks(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    struct matcher m = bench_matcher("service", MATCH_EQUAL, "web");
    struct standing *day = stand(&b, &m, 1, 24 * HOUR_MS);
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    struct standing *hour = stand(&b, &m, 1, HOUR_MS);
    assert_true(kept_after(&b, 23 * HOUR_MS));
    store_unstand(b.store, day);
    assert_false(kept_after(&b, 23 * HOUR_MS));
    bench_at(&b, START_MS);
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    assert_true(kept_after(&b, HOUR_MS));
    assert_false(kept_after(&b, HOUR_MS + 6 * MINUTE_MS));
    store_unstand(b.store, hour);
    bench_close(&b);
}

static void another_selector_over_the_same_series_keeps_its_reach(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){.idle_keep_ms = MINUTE_MS});
    struct matcher web = bench_matcher("service", MATCH_EQUAL, "web");
    struct matcher ok = bench_matcher("code", MATCH_EQUAL, "200");
    struct standing *day = stand(&b, &web, 1, 24 * HOUR_MS);
    struct standing *hour = stand(&b, &ok, 1, HOUR_MS);
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    store_unstand(b.store, day);
    assert_true(kept_after(&b, HOUR_MS));
    store_unstand(b.store, hour);
    assert_false(kept_after(&b, HOUR_MS));
    bench_close(&b);
}

static void unreferenced_samples_are_kept_briefly(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    assert_true(kept_after(&b, 15 * MINUTE_MS));
    assert_false(kept_after(&b, 15 * MINUTE_MS + 1));
    bench_close(&b);
}

static void dead_series_leave_the_lists(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    struct matcher m = bench_matcher("service", MATCH_EQUAL, "web");
    struct standing *standing = stand(&b, &m, 1, MINUTE_MS);
    for (int i = 0; i < 20; i++) {
        bench_at(&b, START_MS + i * MINUTE_MS);
        bench_push(&b, request(&b, "web", arena_format(&b.arena, "%d", i)), START_MS + i * MINUTE_MS, 1);
    }
    assert_int_equal(standing_count(b.store, standing), 20);
    bench_at(&b, START_MS + 25 * MINUTE_MS);
    store_retire(b.store);
    assert_int_equal(standing_count(b.store, standing), 10);
    store_unstand(b.store, standing);
    bench_close(&b);
}

static void too_many_selectors_are_refused_with_the_reason(void **state)
{
    (void)state;
    struct limits before = limits;
    limits.standing_selectors = 1;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    struct matcher one = bench_matcher("a", MATCH_EQUAL, "1");
    struct matcher two = bench_matcher("a", MATCH_EQUAL, "2");
    struct standing *standing = stand(&b, &one, 1, MINUTE_MS);
    struct standing *refused;
    struct err err = {0};
    assert_int_equal(store_stand(b.store, &two, 1, MINUTE_MS, &refused, &err), ERR_LIMIT);
    assert_string_equal(err.text, "too many selectors in rules (limit standing_selectors: 1)");
    assert_int_equal(bench_figures(&b).standing, 1);
    store_unstand(b.store, standing);
    bench_close(&b);
    limits = before;
}

/* Selectors that share all labels but one must find their series through that one, whichever it is. */
static void each_of_many_selectors_gets_its_own_series(void **state)
{
    (void)state;
    enum { MANY = 500 };
    struct bench b;
    struct standing *by_service[MANY], *by_name[MANY];
    bench_open(&b, (struct store_options){0});
    for (int i = 0; i < MANY; i++) {
        const char *text = arena_format(&b.arena, "n%d", i);
        struct matcher service[] = {bench_matcher("__name__", MATCH_EQUAL, "requests"),
                                    bench_matcher("service", MATCH_EQUAL, text)};
        struct matcher name[] = {bench_matcher("__name__", MATCH_EQUAL, text),
                                 bench_matcher("job", MATCH_EQUAL, "api")};
        by_service[i] = stand(&b, service, 2, MINUTE_MS);
        by_name[i] = stand(&b, name, 2, MINUTE_MS);
    }
    for (int i = 0; i < MANY; i++) {
        const char *text = arena_format(&b.arena, "n%d", i);
        bench_push(&b, request(&b, text, "200"), START_MS, 1);
        bench_push(&b, labels_of(&b.arena, "__name__", text, "job", "api", NULL), START_MS, 1);
        bench_push(&b, labels_of(&b.arena, "__name__", text, "job", "db", NULL), START_MS, 1);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(standing_count(b.store, by_service[i]), 1);
        assert_int_equal(standing_count(b.store, by_name[i]), 1);
        store_unstand(b.store, by_service[i]);
        store_unstand(b.store, by_name[i]);
    }
    assert_int_equal(bench_figures(&b).standing, 0);
    bench_close(&b);
}

static void closing_the_store_releases_selectors_that_still_stand(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (struct store_options){0});
    struct matcher m = bench_matcher("service", MATCH_REGEX, "web.*");
    stand(&b, &m, 1, HOUR_MS);
    stand(&b, &m, 1, MINUTE_MS);
    assert_int_equal(bench_figures(&b).standing, 1);
    matcher_release(&m);
    bench_push(&b, request(&b, "web", "200"), START_MS, 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_selector_finds_what_is_there_and_what_comes),
        cmocka_unit_test(a_selector_without_an_equality_sees_every_series),
        cmocka_unit_test(equal_selectors_share_one_list),
        cmocka_unit_test(samples_stay_as_long_as_the_longest_reach_asks),
        cmocka_unit_test(another_selector_over_the_same_series_keeps_its_reach),
        cmocka_unit_test(unreferenced_samples_are_kept_briefly),
        cmocka_unit_test(dead_series_leave_the_lists),
        cmocka_unit_test(too_many_selectors_are_refused_with_the_reason),
        cmocka_unit_test(each_of_many_selectors_gets_its_own_series),
        cmocka_unit_test(closing_the_store_releases_selectors_that_still_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
