#include "tocsin/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/check.h"
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void memory_is_zeroed_and_never_null(void **state)
{
    (void)state;
    int *p = MEM_ARRAY(int, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    mem_free(p);
    p = mem_new(0, 0);
    assert_non_null(p);
    mem_free(p);
    mem_free(NULL);
}

static void arrays_grow(void **state)
{
    (void)state;
    int *items = NULL;
    size_t count = 0, capacity = 0;
    for (int i = 0; i < 100; i++) {
        MEM_GROW(items, count, capacity);
        items[count++] = i;
    }
    assert_int_equal(items[99], 99);
    assert_true(capacity >= 100);
    mem_free(items);
}

static void copied_text_ends_in_nul(void **state)
{
    (void)state;
    char *copy = mem_copy_text("abcd", 3);
    assert_string_equal(copy, "abc");
    mem_free(copy);
    copy = mem_copy_text(NULL, 0);
    assert_string_equal(copy, "");
    mem_free(copy);
}

static void pages_begin_where_they_are_wanted_and_can_be_forgotten(void **state)
{
    (void)state;
    enum { BYTES = 64 << 10, ALIGNMENT = 32 << 10 };
    for (int i = 0; i < 10; i++) {
        char *p = mem_map(BYTES, ALIGNMENT);
        assert_int_equal((uintptr_t)p % ALIGNMENT, 0);
        for (size_t at = 0; at < BYTES; at++) {
            assert_int_equal(p[at], 0);
            p[at] = 'x';
        }
        mem_forget(p, BYTES / 2);
        assert_int_equal(p[BYTES / 2 - 1], 0);
        assert_int_equal(p[BYTES / 2], 'x');
        mem_unmap(p, BYTES);
    }
}

/* Runs f in a child whose standard error is closed; true if it ended by SIGABRT. */
static int aborts(void (*f)(void))
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

static void ask_for_an_overflow(void)
{
    mem_free(mem_resize(NULL, SIZE_MAX / 2, 16));
}

static void break_a_promise(void)
{
    int two = 2;
    must(two == 3);
}

static void keep_a_promise(void)
{
    int two = 2;
    must(two == 2);
}

static void what_cannot_happen_ends_the_process(void **state)
{
    (void)state;
    assert_true(aborts(ask_for_an_overflow));
    assert_true(aborts(break_a_promise));
    assert_false(aborts(keep_a_promise));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(arrays_grow),
        cmocka_unit_test(copied_text_ends_in_nul),
        cmocka_unit_test(pages_begin_where_they_are_wanted_and_can_be_forgotten),
        cmocka_unit_test(what_cannot_happen_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
