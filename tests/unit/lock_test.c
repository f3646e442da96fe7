#include "tocsin/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static bool aborts(void (*f)(void))
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        f();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void take_two(enum lock_rank first, enum lock_rank second)
{
    struct lock a, b;
    lock_init(&a, first);
    lock_init(&b, second);
    lock_take(&a);
    lock_take(&b);
    lock_drop(&b);
    lock_drop(&a);
}

static void in_order(void)
{
    take_two(LOCK_generation, LOCK_queue);
}

static void against_the_order(void)
{
    take_two(LOCK_shard, LOCK_generation);
}

static void two_of_a_rank(void)
{
    take_two(LOCK_shard, LOCK_shard);
}

static void test_builds_prove_the_order(void **state)
{
    (void)state;
    assert_false(aborts(in_order));
#ifdef TOCSIN_COSTLY
    assert_true(aborts(against_the_order));
    assert_true(aborts(two_of_a_rank));
#else
    assert_false(aborts(against_the_order));
    assert_false(aborts(two_of_a_rank));
#endif
}

static void a_dropped_lock_may_be_taken_again(void **state)
{
    (void)state;
    struct lock low, high;
    struct rwlock middle;
    lock_init(&high, LOCK_groups);
    lock_init(&low, LOCK_queue);
    rwlock_init(&middle, LOCK_index);
    for (int i = 0; i < 3; i++) {
        lock_take(&low);
        lock_drop(&low);
        lock_take(&high);
        rwlock_read(&middle);
        rwlock_drop(&middle);
        rwlock_write(&middle);
        lock_drop(&high); /* in any order */
        rwlock_drop(&middle);
    }
    lock_release(&high);
    lock_release(&low);
    rwlock_release(&middle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builds_prove_the_order),
        cmocka_unit_test(a_dropped_lock_may_be_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
