#include "../../engine/route/silence_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/limits.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START_NS (INT64_C(1795327200) * NS_PER_S)

struct fixture {
    struct world_sim sim;
    struct state *state;
    struct silences *silences;
    struct arena arena;
    char id[SILENCE_ID_BYTES + 1];
    struct err err;
};

static struct fixture fixture;

static void start(struct fixture *f, int64_t max_silences, int64_t max_bytes)
{
    const struct silences_options options = {&f->sim.world, f->state, max_silences, max_bytes, 0};
    assert_int_equal(silences_open(&options, &f->silences, NULL), 0);
}

static void restart(struct fixture *f)
{
    silences_close(f->silences);
    start(f, 0, 0);
}

static int set_up(void **state)
{
    struct fixture *f = *state = &fixture;
    *f = (struct fixture){0};
    world_sim_init(&f->sim, START_NS, 5);
    arena_init(&f->arena, 8 << 20);
    assert_int_equal(state_open(":memory:", &f->state, NULL), 0);
    start(f, 0, 0);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    silences_close(f->silences);
    state_close(f->state);
    arena_release(&f->arena);
    return 0;
}

static int64_t at(int64_t seconds)
{
    return START_NS + seconds * NS_PER_S;
}

static void turn_to(struct fixture *f, int64_t seconds)
{
    f->sim.now_ns = at(seconds);
}

/* Matchers are not compiled: that is for silences_put to do. */
static struct silence wanted(struct fixture *f, const char *matchers, int64_t from_s, int64_t to_s)
{
    struct silence s = {.starts_ns = at(from_s),
                        .ends_ns = at(to_s),
                        .created_by = STR("me"),
                        .comment = STR("work"),
                        .annotations = labels_empty(&f->arena)};
    struct matcher *ms = NULL;
    assert_int_equal(am_matchers_parse(&f->arena, str_of(matchers), &ms, &s.matcher_count, NULL), 0);
    for (size_t i = 0; i < s.matcher_count; i++) {
        matcher_release(&ms[i]);
        ms[i].regex = NULL;
    }
    s.matchers = ms;
    return s;
}

static int put(struct fixture *f, const char *id, const char *matchers, int64_t from_s, int64_t to_s)
{
    struct silence s = wanted(f, matchers, from_s, to_s);
    s.id = str_of(id);
    return silences_put(f->silences, &s, f->id, &f->err);
}

static char *create(struct fixture *f, const char *matchers, int64_t from_s, int64_t to_s)
{
    if (put(f, NULL, matchers, from_s, to_s) != 0)
        fail_msg("%s", f->err.text);
    return arena_copy_text(&f->arena, f->id, SILENCE_ID_BYTES);
}

/* "active 0 60", in seconds. */
static void expect(struct fixture *f, const char *id, const char *what)
{
    struct silence s;
    char text[128];
    assert_int_equal(silences_find(f->silences, str_of(id), &f->arena, &s), 0);
    snprintf(text, sizeof text, "%s %lld %lld", silence_state_text(s.state),
             (long long)((s.starts_ns - START_NS) / NS_PER_S),
             (long long)((s.ends_ns - START_NS) / NS_PER_S));
    assert_string_equal(text, what);
}

static bool mutes(struct fixture *f, struct silence_hits *hits, const char *name, const char *value)
{
    struct silence_hits fresh = {0};
    const struct labels *ls = labels_of(&f->arena, name, value, NULL);
    bool muted = silences_mute(f->silences, hits != NULL ? hits : &fresh, ls, f->sim.now_ns);
    silence_hits_release(&fresh);
    return muted;
}

/* ---- its life ---- */

static void a_new_silence_gets_a_random_uuid_and_begins_now(void **state)
{
    struct fixture *f = *state;
    turn_to(f, 10);
    const char *id = create(f, "a=b", 0, 60);
    for (int i = 0; i < SILENCE_ID_BYTES; i++)
        assert_true(strchr("\10\15\22\27", i) != NULL && i > 0 ? id[i] == '-'
                                                               : isxdigit((unsigned char)id[i]));
    assert_int_equal(id[14], '4');
    assert_non_null(strchr("89ab", id[19]));
    expect(f, id, "active 10 60");
    assert_string_not_equal(id, create(f, "a=b", 0, 60));
}

static void states_follow_the_clock_and_the_end_belongs_to_it(void **state)
{
    struct fixture *f = *state;
    const char *id = create(f, "a=b", 10, 20);
    expect(f, id, "pending 10 20");
    assert_false(mutes(f, NULL, "a", "b"));
    turn_to(f, 10);
    expect(f, id, "active 10 20");
    assert_true(mutes(f, NULL, "a", "b"));
    turn_to(f, 20);
    assert_true(mutes(f, NULL, "a", "b"));
    f->sim.now_ns++;
    expect(f, id, "expired 10 20");
    assert_false(mutes(f, NULL, "a", "b"));
}

static void an_active_one_changes_its_end_in_place(void **state)
{
    struct fixture *f = *state;
    const char *id = create(f, "a=b,c=~d", 0, 60);
    turn_to(f, 5);
    assert_int_equal(put(f, id, "a=b,c=~d", 0, 30), 0);
    assert_string_equal(f->id, id);
    expect(f, id, "active 0 30");
}

static void another_start_or_other_matchers_make_a_new_one(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *matchers;
        int64_t from_s;
    } changes[] = {{"a=b", -5}, {"a=c", 0}, {"a=~b", 0}, {"a=b,c=d", 0}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        turn_to(f, 0);
        const char *id = create(f, "a=b", 0, 60);
        turn_to(f, 7);
        assert_int_equal(put(f, id, changes[i].matchers, changes[i].from_s, 50), 0);
        assert_string_not_equal(f->id, id);
        expect(f, f->id, "active 7 50");
        f->sim.now_ns++;
        expect(f, id, "expired 0 7");
    }
}

static void a_pending_one_may_move_but_not_into_the_past(void **state)
{
    struct fixture *f = *state;
    const char *id = create(f, "a=b", 10, 60);
    assert_int_equal(put(f, id, "a=b", 20, 40), 0);
    assert_string_equal(f->id, id);
    expect(f, id, "pending 20 40");
    turn_to(f, 5);
    assert_int_equal(put(f, id, "a=b", 4, 40), 0);
    assert_string_not_equal(f->id, id);
    expect(f, f->id, "active 5 40");
    f->sim.now_ns++;
    expect(f, id, "expired 5 5");
}

static void an_expired_one_is_made_anew(void **state)
{
    struct fixture *f = *state;
    const char *id = create(f, "a=b", 0, 10);
    turn_to(f, 20);
    assert_int_equal(put(f, id, "a=b", 0, 60), 0);
    assert_string_not_equal(f->id, id);
    expect(f, f->id, "active 20 60");
    expect(f, id, "expired 0 10");
}

static void expiring_ends_it_now_and_once(void **state)
{
    struct fixture *f = *state;
    const char *active = create(f, "a=b", 0, 60), *pending = create(f, "a=b", 30, 60);
    turn_to(f, 5);
    assert_int_equal(silences_expire(f->silences, str_of(active), NULL), 0);
    assert_int_equal(silences_expire(f->silences, str_of(pending), NULL), 0);
    turn_to(f, 6);
    expect(f, active, "expired 0 5");
    expect(f, pending, "expired 5 5");
    assert_int_equal(silences_expire(f->silences, str_of(active), NULL), 0);
    expect(f, active, "expired 0 5");
    assert_int_equal(silences_expire(f->silences, STR("nobody"), &f->err), ERR_NOT_FOUND);
    assert_string_equal(f->err.text, "silence not found");
    assert_int_equal(put(f, "6fa459ea-ee8a-4ca4-894e-db77e160355e", "a=b", 0, 60), ERR_NOT_FOUND);
}

/* ---- what is refused ---- */

static void silences_that_match_everything_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"a=\"\"", "a=~\".*\"", "a=~\"|x\",b=\"\""};
    static const char *const good[] = {"a!=b", "a!~\"b\"", "a=\"\",b=c", "a=~\".+\"", "a!=\"\""};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(put(f, NULL, bad[i], 0, 60), ERR_PARSE);
        assert_string_equal(f->err.text, "invalid silence: matcher set 0: at least one matcher must not "
                                         "match the empty string");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        (void)create(f, good[i], 0, 60);
}

static void expect_refusal(struct fixture *f, struct matcher m, const char *text)
{
    struct silence s = wanted(f, "a=b", 0, 60);
    s.matchers = &m;
    s.matcher_count = 1;
    assert_int_equal(silences_put(f->silences, &s, f->id, &f->err), ERR_PARSE);
    assert_memory_equal(f->err.text, text, strlen(text));
}

static void bad_matchers_are_refused_in_alertmanagers_words(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f, (struct matcher){MATCH_EQUAL, STR(""), STR("x"), NULL},
                   "invalid silence: invalid label matcher 0 in set 0: invalid label name \"\"");
    expect_refusal(f, (struct matcher){MATCH_EQUAL, STR("a"), STR("\xff"), NULL},
                   "invalid silence: invalid label matcher 0 in set 0: invalid label value \"\\xff\"");
    expect_refusal(f, (struct matcher){MATCH_REGEX, STR("a"), STR("("), NULL},
                   "invalid silence: invalid label matcher 0 in set 0: invalid regular expression \"(\": "
                   "error parsing regexp: missing closing ): `");
    struct silence s = wanted(f, "", 0, 60);
    assert_int_equal(silences_put(f->silences, &s, f->id, &f->err), ERR_PARSE);
    assert_string_equal(f->err.text, "invalid silence: matcher set 0 is empty");
    s = wanted(f, "a=b", 60, 50);
    assert_int_equal(silences_put(f->silences, &s, f->id, &f->err), ERR_PARSE);
    assert_string_equal(f->err.text, "invalid silence: end time must not be before start time");
}

static void their_number_is_bounded_expired_ones_included(void **state)
{
    struct fixture *f = *state;
    silences_close(f->silences);
    start(f, 2, 0);
    const char *one = create(f, "a=b", 0, 60);
    (void)create(f, "a=b", 0, 60);
    assert_int_equal(silences_expire(f->silences, str_of(one), NULL), 0);
    turn_to(f, 5);
    assert_int_equal(put(f, NULL, "a=b", 0, 60), ERR_LIMIT);
    assert_string_equal(f->err.text, "exceeded maximum number of silences: 2 (limit: 2)");
    silences_collect(f->silences, at(10) + SILENCE_RETENTION_NS);
    assert_int_equal(put(f, NULL, "a=b", 0, 60), 0);
}

static void their_size_is_bounded(void **state)
{
    struct fixture *f = *state;
    silences_close(f->silences);
    start(
        f, 0,
        92); /* the message of such a silence: 38 + 3 * 8 + 4 + 6 + 10 bytes, two in front, and eight behind */
    (void)create(f, "a=b", 0, 60);
    assert_int_equal(put(f, NULL, "a=~b", 0, 60), ERR_LIMIT);
    assert_string_equal(f->err.text, "silence exceeded maximum size: 94 bytes (limit: 92 bytes)");
}

/* ---- lists ---- */

static void expect_list(struct fixture *f, const struct silence_filter *filter, const char *seconds)
{
    struct silence *list;
    size_t count;
    char text[256] = "";
    assert_int_equal(silences_list(f->silences, filter, &f->arena, &list, &count), 0);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%c%lld-%lld", i > 0 ? " " : "",
                 *silence_state_text(list[i].state), (long long)((list[i].starts_ns - START_NS) / NS_PER_S),
                 (long long)((list[i].ends_ns - START_NS) / NS_PER_S));
    assert_string_equal(text, seconds);
}

static void lists_are_in_alertmanagers_order_and_can_be_narrowed(void **state)
{
    struct fixture *f = *state;
    static const int64_t spans[][2] = {{0, 5}, {0, 8}, {0, 60}, {0, 50}, {30, 40}, {20, 90}};
    for (size_t i = 0; i < 6; i++)
        (void)create(f, i % 2 == 0 ? "a=b" : "a=~b,c!=d", spans[i][0], spans[i][1]);
    turn_to(f, 10);
    struct silence_filter filter = {.states = {true, true, true}};
    expect_list(f, &filter, "a0-50 a0-60 p20-90 p30-40 e0-8 e0-5");
    filter.states[SILENCE_EXPIRED] = false;
    expect_list(f, &filter, "a0-50 a0-60 p20-90 p30-40");
    const struct matcher regex = {MATCH_REGEX, STR("a"), STR("b"), NULL};
    filter.matchers = &regex;
    filter.matcher_count = 1;
    expect_list(f, &filter, "a0-50 p20-90");
}

/* ---- memory and disk ---- */

static void they_survive_a_restart(void **state)
{
    struct fixture *f = *state;
    const char *one = create(f, "a=~\"b|c\"", 0, 60), *two = create(f, "x=y", 30, 60);
    turn_to(f, 5);
    assert_int_equal(put(f, one, "a=~\"b|c\"", 0, 40), 0);
    assert_int_equal(put(f, two, "x=z", 30, 60), 0);
    restart(f);
    f->sim.now_ns++;
    expect(f, one, "active 0 40");
    expect(f, two, "expired 5 5");
    expect(f, f->id, "pending 30 60");
    assert_true(mutes(f, NULL, "a", "c"));
    assert_false(mutes(f, NULL, "a", "cc"));
}

static void old_ones_go_from_memory_and_disk(void **state)
{
    struct fixture *f = *state;
    struct silence_hits hits = {0};
    struct silence s;
    const char *old = create(f, "a=b", 0, 10), *young = create(f, "a=b", 0, 20);
    assert_true(mutes(f, &hits, "a", "b"));
    silences_collect(f->silences, at(10) + SILENCE_RETENTION_NS);
    assert_int_equal(silences_find(f->silences, str_of(old), &f->arena, &s), 0);
    silences_collect(f->silences, at(11) + SILENCE_RETENTION_NS);
    assert_int_equal(silences_find(f->silences, str_of(old), &f->arena, &s), ERR_NOT_FOUND);
    assert_int_equal(silences_find(f->silences, str_of(young), &f->arena, &s), 0);
    assert_true(mutes(f, &hits, "a", "b"));
    restart(f);
    assert_int_equal(silences_find(f->silences, str_of(old), &f->arena, &s), ERR_NOT_FOUND);
    silence_hits_release(&hits);
}

/* ---- matching ---- */

static void an_alert_meets_those_that_came_since(void **state)
{
    struct fixture *f = *state;
    struct silence_hits hits = {0};
    assert_false(mutes(f, &hits, "a", "b"));
    const char *id = create(f, "a=b", 0, 60);
    assert_true(mutes(f, &hits, "a", "b"));
    assert_int_equal(silences_expire(f->silences, str_of(id), NULL), 0);
    f->sim.now_ns++;
    assert_false(mutes(f, &hits, "a", "b"));
    (void)create(f, "a!=c", 0, 60);
    assert_true(mutes(f, &hits, "a", "b"));
    assert_int_equal(hits.count, 2);
    silence_hits_release(&hits);
}

static void note_id(void *context, struct str id)
{
    buf_str(context, id);
}

static void all_that_are_active_are_named(void **state)
{
    struct fixture *f = *state;
    struct silence_hits hits = {0};
    struct buf got, want;
    buf_init(&got, 4096);
    buf_init(&want, 4096);
    buf_puts(&want, create(f, "a=b", 0, 60));
    (void)create(f, "a=b", 30, 60);
    (void)create(f, "a=b,c=d", 0, 60);
    buf_puts(&want, create(f, "c=\"\"  ,a=~\"[ab]\"", 0, 60));
    silences_each(f->silences, &hits, labels_of(&f->arena, "a", "b", NULL), f->sim.now_ns, note_id, &got);
    assert_string_equal(buf_text(&got), buf_text(&want));
    buf_release(&got);
    buf_release(&want);
    silence_hits_release(&hits);
}

/* Silences that ask for another value of a label are never looked at. */
static void an_index_finds_what_looking_at_all_finds(void **state)
{
    struct fixture *f = *state;
    char text[64];
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text,
                 i % 3 == 0   ? "a=~\"v%d|w\""
                 : i % 3 == 1 ? "a=v%d"
                              : "b!=x,a=v%d",
                 i % 50);
        (void)create(f, text, 0, 60);
    }
    for (int i = 0; i < 60; i++) {
        struct silence_hits hits = {0};
        size_t count = 0;
        snprintf(text, sizeof text, "v%d", i);
        const struct labels *ls = labels_of(&f->arena, "a", text, "b", i % 2 == 0 ? "x" : "y", NULL);
        (void)silences_mute(f->silences, &hits, ls, f->sim.now_ns);
        const struct held *held;
        for (size_t k = 0; (held = map_next(&f->silences->held, &k)) != NULL;)
            count += held_matches(held, ls);
        assert_int_equal(hits.count, count);
        silence_hits_release(&hits);
    }
}

enum { CHANGES = 200 };

static void *change(void *context)
{
    struct fixture *f = context;
    static const struct matcher m = {MATCH_EQUAL, {"a", 1}, {"b", 1}, NULL};
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct silence s = {.matchers = &m,
                        .matcher_count = 1,
                        .starts_ns = at(0),
                        .ends_ns = at(60),
                        .annotations = labels_empty(&arena)};
    for (int i = 0; i < CHANGES; i++) {
        char id[SILENCE_ID_BYTES + 1];
        s.id = (struct str){0};
        assert_int_equal(silences_put(f->silences, &s, id, NULL), 0);
        s.id = str_of(id);
        s.comment = STR("changed");
        assert_int_equal(silences_put(f->silences, &s, id, NULL), 0);
        assert_int_equal(silences_expire(f->silences, str_of(id), NULL), 0);
    }
    arena_release(&arena);
    return NULL;
}

static void changes_from_many_threads_are_all_there(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[3];
    struct silence_hits hits = {0};
    struct silence *list;
    size_t count = 0;
    const struct silence_filter all = {.states = {true, true, true}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change, f), 0);
    for (int i = 0; i < CHANGES; i++) {
        (void)mutes(f, &hits, "a", "b");
        if (i % 50 == 0) {
            silences_collect(f->silences, f->sim.now_ns);
            assert_int_equal(silences_list(f->silences, &all, &f->arena, &list, &count), 0);
        }
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)mutes(f, &hits, "a", "b");
    assert_int_equal(hits.count, 3 * CHANGES);
    silence_hits_release(&hits);
    restart(f);
    assert_int_equal(silences_list(f->silences, &all, &f->arena, &list, &count), 0);
    assert_int_equal(count, 3 * CHANGES);
}

/* ---- with its alerts ---- */

static char *create_bound(struct fixture *f, const char *matchers, const char *until)
{
    struct silence s = wanted(f, matchers, 0, 3600);
    s.annotations = labels_of(&f->arena, "tocsin_until", until, NULL);
    assert_int_equal(silences_put(f->silences, &s, f->id, &f->err), 0);
    return arena_copy_text(&f->arena, f->id, SILENCE_ID_BYTES);
}

/* One look, at which an alert a=VALUE fires, or none. */
static bool look(struct fixture *f, const char *value)
{
    struct silence_hits hits = {0};
    if (!silences_bound_begin(f->silences, f->sim.now_ns))
        return false;
    if (value != NULL)
        silences_bound_meet(f->silences, &hits, labels_of(&f->arena, "a", value, NULL), f->sim.now_ns);
    silence_hits_release(&hits);
    silences_bound_end(f->silences, f->sim.now_ns);
    f->sim.now_ns += NS_PER_S;
    return true;
}

static void one_that_is_bound_ends_when_its_alerts_have(void **state)
{
    struct fixture *f = *state;
    create(f, "a=b", 0, 3600);
    create_bound(f, "a=b", "somebody comes");
    assert_false(look(f, "b"));
    char *bound = create_bound(f, "a=b", "resolved");
    assert_true(look(f, NULL));
    assert_true(look(f, "other"));
    expect(f, bound, "active 0 3600"); /* it has met none */
    assert_true(look(f, "b"));
    assert_true(look(f, "b"));
    expect(f, bound, "active 0 3600");
    assert_true(look(f, "other"));
    expect(f, bound, "expired 0 4");
    assert_false(look(f, "b"));
    restart(f);
    expect(f, bound, "expired 0 4");
}

static void after_a_restart_one_that_is_bound_waits_for_news(void **state)
{
    struct fixture *f = *state;
    char *gone = create_bound(f, "a=b", "resolved"), *fires = create_bound(f, "a=c", "resolved");
    restart(f);
    f->sim.now_ns = START_NS + 299 * NS_PER_S;
    assert_true(look(f, "c"));
    expect(f, gone, "active 0 3600");
    assert_true(look(f, "c"));
    expect(f, gone, "expired 0 300");
    expect(f, fires, "active 0 3600");
}

static void one_that_becomes_bound_has_met_nobody_yet(void **state)
{
    struct fixture *f = *state;
    char *id = create(f, "a=b", 0, 3600);
    create_bound(f, "x=y", "resolved");
    assert_true(look(f, "b"));
    struct silence s = wanted(f, "a=b", 0, 3600);
    s.id = str_of(id);
    s.annotations = labels_of(&f->arena, "tocsin_until", "resolved", NULL);
    assert_int_equal(silences_put(f->silences, &s, f->id, &f->err), 0);
    assert_string_equal(f->id, id);
    assert_true(look(f, NULL));
    expect(f, id, "active 0 3600");
    assert_true(look(f, "b"));
    assert_true(look(f, NULL));
    expect(f, id, "expired 0 3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_silence_gets_a_random_uuid_and_begins_now),
        TEST(states_follow_the_clock_and_the_end_belongs_to_it),
        TEST(an_active_one_changes_its_end_in_place),
        TEST(another_start_or_other_matchers_make_a_new_one),
        TEST(a_pending_one_may_move_but_not_into_the_past),
        TEST(an_expired_one_is_made_anew),
        TEST(expiring_ends_it_now_and_once),
        TEST(silences_that_match_everything_are_refused),
        TEST(bad_matchers_are_refused_in_alertmanagers_words),
        TEST(their_number_is_bounded_expired_ones_included),
        TEST(their_size_is_bounded),
        TEST(lists_are_in_alertmanagers_order_and_can_be_narrowed),
        TEST(they_survive_a_restart),
        TEST(old_ones_go_from_memory_and_disk),
        TEST(an_alert_meets_those_that_came_since),
        TEST(all_that_are_active_are_named),
        TEST(an_index_finds_what_looking_at_all_finds),
        TEST(changes_from_many_threads_are_all_there),
        TEST(one_that_is_bound_ends_when_its_alerts_have),
        TEST(after_a_restart_one_that_is_bound_waits_for_news),
        TEST(one_that_becomes_bound_has_met_nobody_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
