#include "../../engine/serve/commits_priv.h"

#include "tocsin/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WAITERS = 4, DEADLINE_NS = 1000 };

static struct commits commits;
static struct commit waiter[WAITERS];
static int resumed[WAITERS], order[WAITERS], resumptions;

static void note_resumed(struct commit *c)
{
    resumed[c - waiter]++;
    order[resumptions++] = (int)(c - waiter);
}

static int set_up(void **state)
{
    (void)state;
    commits_open(&commits, note_resumed);
    for (int i = 0; i < WAITERS; i++)
        resumed[i] = 0;
    resumptions = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    commits_close(&commits);
    commits_release(&commits);
    return 0;
}

static bool waits(int i, uint64_t position)
{
    return commits_wait(&commits, &waiter[i], position, DEADLINE_NS + i);
}

static void expect_order(const int *expected, int count)
{
    assert_int_equal(resumptions, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(order[i], expected[i]);
}

static void answers_go_out_when_the_log_has_come_so_far(void **state)
{
    (void)state;
    assert_true(waits(0, 10) && waits(1, 20) && waits(2, 30));
    commits_tell(&commits, 9, true);
    assert_int_equal(resumptions, 0);
    commits_tell(&commits, 20, true);
    expect_order((int[]){0, 1}, 2);
    assert_int_equal(waiter[0].end, COMMIT_DURABLE);
    assert_int_equal(waiter[1].end, COMMIT_DURABLE);
    assert_int_equal(waiter[2].end, COMMIT_WAITS);
    commits_tell(&commits, 1000, true);
    expect_order((int[]){0, 1, 2}, 3);
    assert_int_equal(waiter[2].end, COMMIT_DURABLE);
}

static void pushes_that_end_out_of_turn_are_put_in_order(void **state)
{
    (void)state;
    assert_true(waits(0, 30) && waits(1, 10) && waits(2, 20) && waits(3, 40));
    commits_tell(&commits, 10, true);
    expect_order((int[]){1}, 1);
    commits_tell(&commits, 30, true);
    expect_order((int[]){1, 2, 0}, 3);
    commits_tell(&commits, 40, true);
    expect_order((int[]){1, 2, 0, 3}, 4);
}

/* The round that covers it has ended after its own look at the log, and before it was put on the list. */
static void a_round_that_ends_meanwhile_is_not_missed(void **state)
{
    (void)state;
    commits_tell(&commits, 10, true);
    assert_false(waits(0, 10));
    assert_int_equal(waiter[0].end, COMMIT_DURABLE);
    commits_tell(&commits, 10, true);
    assert_int_equal(resumptions, 0);
}

static void a_failure_lets_all_go_and_who_comes_later_is_judged_anew(void **state)
{
    (void)state;
    assert_true(waits(0, 10) && waits(1, 20));
    commits_tell(&commits, 10, false);
    expect_order((int[]){0, 1}, 2);
    assert_int_equal(waiter[0].end, COMMIT_DURABLE);
    assert_int_equal(waiter[1].end, COMMIT_FAILED);
    assert_true(waits(2, 30));
    commits_tell(&commits, 10, false);
    expect_order((int[]){0, 1, 2}, 3);
    assert_int_equal(waiter[2].end, COMMIT_FAILED);
    assert_true(waits(3, 40));
    commits_tell(&commits, 40, true);
    expect_order((int[]){0, 1, 2, 3}, 4);
    assert_int_equal(waiter[3].end, COMMIT_DURABLE);
}

static void who_waits_too_long_is_let_go_alone(void **state)
{
    (void)state;
    assert_true(waits(0, 10) && waits(1, 20) && waits(2, 30));
    waiter[1].deadline_ns = 5;
    assert_int_equal(commits_expire(&commits, 4), 0);
    assert_int_equal(commits_expire(&commits, 5), 1);
    expect_order((int[]){1}, 1);
    assert_int_equal(waiter[1].end, COMMIT_LATE);
    assert_int_equal(commits_expire(&commits, DEADLINE_NS + WAITERS), 2);
    assert_int_equal(waiter[0].end, COMMIT_LATE);
    assert_int_equal(waiter[2].end, COMMIT_LATE);
    commits_tell(&commits, 30, true);
    assert_int_equal(resumptions, 3);
}

static void closing_lets_all_go_and_nobody_waits_from_then_on(void **state)
{
    (void)state;
    commits_tell(&commits, 5, true);
    assert_true(waits(0, 10) && waits(1, 20));
    commits_close(&commits);
    expect_order((int[]){0, 1}, 2);
    assert_int_equal(waiter[0].end, COMMIT_FAILED);
    assert_int_equal(waiter[1].end, COMMIT_FAILED);
    assert_false(waits(2, 30));
    assert_int_equal(waiter[2].end, COMMIT_FAILED);
    assert_false(waits(3, 5));
    assert_int_equal(waiter[3].end, COMMIT_DURABLE);
}

/* ---- closing while the log's thread is in the middle of its resumptions ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool at_gate, was_resumed, was_overtaken;

static void stop_at_gate(struct commit *c)
{
    atomic_store(&at_gate, true);
    must(pthread_mutex_lock(&gate) == 0);
    must(pthread_mutex_unlock(&gate) == 0);
    note_resumed(c);
    atomic_store(&was_resumed, true);
}

static void *tell(void *context)
{
    (void)context;
    commits_tell(&commits, 10, true);
    return NULL;
}

static void *close_all(void *context)
{
    (void)context;
    commits_close(&commits);
    atomic_store(&was_overtaken, !atomic_load(&was_resumed));
    return NULL;
}

static bool closing_has_begun(void)
{
    lock_take(&commits.lock);
    bool begun = commits.closed;
    lock_drop(&commits.lock);
    return begun;
}

/* The library aborts when it is stopped while a connection is suspended, so closing must not overtake the resumption. */
static void closing_waits_for_resumptions_under_way(void **state)
{
    (void)state;
    pthread_t telling, closing;
    commits.resume = stop_at_gate;
    assert_true(waits(0, 10));
    must(pthread_mutex_lock(&gate) == 0);
    must(pthread_create(&telling, NULL, tell, NULL) == 0);
    while (!atomic_load(&at_gate))
        sched_yield();
    must(pthread_create(&closing, NULL, close_all, NULL) == 0);
    while (!closing_has_begun())
        sched_yield();
    for (int i = 0; i < 1000; i++) /* room for one that would not wait */
        sched_yield();
    must(pthread_mutex_unlock(&gate) == 0);
    must(pthread_join(telling, NULL) == 0);
    must(pthread_join(closing, NULL) == 0);
    assert_false(atomic_load(&was_overtaken));
    assert_int_equal(resumed[0], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(answers_go_out_when_the_log_has_come_so_far),
        TEST(pushes_that_end_out_of_turn_are_put_in_order),
        TEST(a_round_that_ends_meanwhile_is_not_missed),
        TEST(a_failure_lets_all_go_and_who_comes_later_is_judged_anew),
        TEST(who_waits_too_long_is_let_go_alone),
        TEST(closing_lets_all_go_and_nobody_waits_from_then_on),
        TEST(closing_waits_for_resumptions_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
