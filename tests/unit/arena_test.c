#include "tocsin/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <string.h>

static void gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (size_t size = 0; size < 300; size += 7) {
        unsigned char *p = arena_alloc(&a, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, size);
    }
    arena_release(&a);
}

static void never_passes_its_cap_and_stays_exhausted(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 10000);
    size_t given = 0;
    while (arena_alloc(&a, 100) != NULL)
        given += 100;
    assert_true(given > 8000 && given <= 10000);
    assert_true(a.used_bytes <= 10000);
    assert_true(arena_exhausted(&a));
    assert_null(arena_alloc(&a, 20000));
    arena_clear(&a);
    assert_false(arena_exhausted(&a));
    assert_non_null(arena_alloc(&a, 100));
    arena_release(&a);
    assert_int_equal(a.used_bytes, 0);
}

static void refuses_products_that_overflow(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_null(arena_array(&a, SIZE_MAX / 2, 4));
    assert_true(arena_exhausted(&a));
    arena_clear(&a);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_copy_text(&a, "x", SIZE_MAX));
    arena_release(&a);
}

static void rewinding_forgets_what_came_after_the_mark(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 22);
    char *kept = arena_copy_text(&a, "kept", 4);
    struct arena_mark mark = arena_mark(&a);
    size_t used = a.used_bytes;
    for (int i = 0; i < 1000; i++)
        assert_non_null(arena_alloc(&a, 1000));
    assert_true(a.used_bytes > used);
    arena_rewind(&a, mark);
    assert_int_equal(a.used_bytes, used);
    assert_string_equal(kept, "kept");
    char *again = arena_alloc(&a, 8);
    assert_int_equal(again[0], 0);
    arena_release(&a);
}

static void rewinding_to_an_empty_mark_gives_all_back(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    struct arena_mark mark = arena_mark(&a);
    arena_alloc(&a, 5000);
    arena_rewind(&a, mark);
    assert_int_equal(a.used_bytes, 0);
    arena_release(&a);
}

static void grows_arrays_by_doubling(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    int *items = NULL;
    size_t count = 0, capacity = 0;
    for (int i = 0; i < 1000; i++) {
        ARENA_GROW(&a, items, count, capacity);
        assert_non_null(items);
        items[count++] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    arena_release(&a);
}

static void formats_and_copies(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    assert_string_equal(arena_format(&a, "%s-%d", "a", 7), "a-7");
    int numbers[] = {1, 2, 3};
    int *copy = arena_copy(&a, numbers, 3, sizeof numbers[0]);
    assert_memory_equal(copy, numbers, sizeof numbers);
    assert_non_null(arena_copy(&a, NULL, 0, 4));
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(never_passes_its_cap_and_stays_exhausted),
        cmocka_unit_test(refuses_products_that_overflow),
        cmocka_unit_test(rewinding_forgets_what_came_after_the_mark),
        cmocka_unit_test(rewinding_to_an_empty_mark_gives_all_back),
        cmocka_unit_test(grows_arrays_by_doubling),
        cmocka_unit_test(formats_and_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
