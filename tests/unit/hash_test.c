#include "tocsin/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

struct thing {
    int key;
};

static bool is_thing(const void *item, const void *key)
{
    return ((const struct thing *)item)->key == *(const int *)key;
}

static void the_stable_hash_is_xxh64_with_seed_0(void **state)
{
    (void)state;
    assert_true(hash_stable("", 0) == UINT64_C(0xef46db3751d8e999));
    assert_true(hash_stable("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
}

static void the_table_hash_follows_its_seed(void **state)
{
    (void)state;
    hash_seed(1);
    uint64_t one = hash_bytes("abc", 3);
    hash_seed(2);
    assert_true(hash_bytes("abc", 3) != one);
    hash_seed(1);
    assert_true(hash_bytes("abc", 3) == one);
    assert_true(hash_mix(1, 2) != hash_mix(2, 1) || hash_mix(1, 2) != hash_mix(1, 3));
}

/* All items share few hashes, so that runs are long and gaps must be closed correctly. */
static void the_wide_hash_follows_its_seed_in_both_halves(void **state)
{
    (void)state;
    hash_seed(1);
    struct hash128 one = hash_wide("abc", 3), same = hash_wide("abc", 3), other = hash_wide("abd", 3);
    hash_seed(2);
    struct hash128 seeded = hash_wide("abc", 3);
    assert_true(one.low == same.low && one.high == same.high);
    assert_true(one.low != other.low && one.high != other.high);
    assert_true(one.low != seeded.low && one.high != seeded.high);
}

static void finds_and_removes_under_heavy_collision(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static struct thing things[COUNT];
    struct map m;
    map_init(&m);
    for (int i = 0; i < COUNT; i++) {
        things[i].key = i;
        map_add(&m, (uint64_t)(i % 7) + 1020, &things[i]);
    }
    for (int i = 0; i < COUNT; i += 3)
        assert_true(map_remove(&m, (uint64_t)(i % 7) + 1020, &things[i]));
    for (int i = 0; i < COUNT; i++) {
        struct thing *found = map_find(&m, (uint64_t)(i % 7) + 1020, is_thing, &i);
        if (i % 3 == 0)
            assert_null(found);
        else
            assert_ptr_equal(found, &things[i]);
    }
    assert_false(map_remove(&m, 1020, &things[0]));
    assert_int_equal(m.count, COUNT - (COUNT + 2) / 3);
    map_release(&m);
}

static void iterates_over_each_item_once(void **state)
{
    (void)state;
    struct thing things[40];
    bool seen[40] = {false};
    struct map m;
    map_init(&m);
    for (int i = 0; i < 40; i++) {
        things[i].key = i;
        map_add(&m, hash_stable(&i, sizeof i), &things[i]);
    }
    const struct thing *item;
    size_t count = 0;
    for (size_t at = 0; (item = map_next(&m, &at)) != NULL; count++) {
        assert_false(seen[item->key]);
        seen[item->key] = true;
    }
    assert_int_equal(count, 40);
    map_clear(&m);
    assert_int_equal(m.count, 0);
    size_t at = 0;
    assert_null(map_next(&m, &at));
    map_release(&m);
}

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct map m;
    int key = 1;
    map_init(&m);
    assert_null(map_find(&m, 1, is_thing, &key));
    assert_false(map_remove(&m, 1, &key));
    map_clear(&m);
    map_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stable_hash_is_xxh64_with_seed_0),
        cmocka_unit_test(the_table_hash_follows_its_seed),
        cmocka_unit_test(the_wide_hash_follows_its_seed_in_both_halves),
        cmocka_unit_test(finds_and_removes_under_heavy_collision),
        cmocka_unit_test(iterates_over_each_item_once),
        cmocka_unit_test(an_empty_map_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
