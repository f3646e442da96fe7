/* Pieces of memory from chunks: they never overlap, stand side by side, and what is no longer needed is given back. */
#include "../../engine/store/slab_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "random_help.h"
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

struct piece {
    unsigned char *p;
    size_t bytes;
    unsigned char fill;
};

static void fill(struct piece *piece, struct slab *s, size_t bytes, unsigned char with)
{
    *piece = (struct piece){slab_take(s, bytes), bytes, with};
    memset(piece->p, with, bytes);
}

/* What was written is still there. */
static bool is_whole(const struct piece *piece)
{
    for (size_t i = 0; i < piece->bytes; i++)
        if (piece->p[i] != piece->fill)
            return false;
    return true;
}

enum { PIECES = 2000, ROUNDS = 60000 };

static void pieces_of_many_sizes_never_overlap(void **state)
{
    (void)state;
    static struct piece pieces[PIECES];
    struct account account = {0};
    struct slab s;
    uint64_t random = 7;
    slab_init(&s, &account);
    for (int round = 0; round < ROUNDS; round++) {
        struct piece *at = &pieces[random_below(&random, PIECES)];
        if (at->p != NULL) {
            assert_true(is_whole(at));
            slab_give(&s, at->p, at->bytes);
            at->p = NULL;
        } else {
            fill(at, &s, random_below(&random, SLAB_BYTES_MAX + 100), (unsigned char)round);
            assert_int_equal((uintptr_t)at->p % SLAB_UNIT_BYTES, 0);
        }
        if (round % 1000 == 0)
            slab_trim(&s);
    }
    for (size_t i = 0; i < PIECES; i++)
        if (pieces[i].p != NULL) {
            assert_true(is_whole(&pieces[i]));
            slab_give(&s, pieces[i].p, pieces[i].bytes);
        }
    slab_release(&s);
    assert_int_equal(account.bytes, 0);
}

/* As the open blocks of a fleet do: all take the next size, and give back the one before. */
static void sizes_share_chunks_by_turns(void **state)
{
    (void)state;
    static const size_t sizes[] = {160, 288, 416, 544};
    enum { TURNS = 4, FLEET = 3000 };
    static struct piece fleet[FLEET];
    struct account account = {0};
    struct slab s;
    slab_init(&s, &account);
    for (int turn = 0; turn < 5 * TURNS; turn++)
        for (size_t i = 0; i < FLEET; i++) {
            struct piece before = fleet[i];
            fill(&fleet[i], &s, sizes[turn % TURNS], (unsigned char)turn);
            if (before.p != NULL)
                slab_give(&s, before.p, before.bytes);
        }
    int64_t most = account.bytes;
    assert_true(most < (int64_t)FLEET * 544 * 11 / 10); /* not what all sizes take together */
    slab_trim(&s);
    assert_true(account.bytes < (int64_t)FLEET * 544 * 11 / 10);
    for (size_t i = 0; i < FLEET; i++)
        slab_give(&s, fleet[i].p, fleet[i].bytes);
    assert_true(account.bytes > 0); /* spare */
    slab_trim(&s);
    assert_int_equal(account.bytes, 0);
    slab_release(&s);
}

static void neighbours_stand_side_by_side(void **state)
{
    (void)state;
    enum { NEIGHBOURS = 100, BYTES = 160 };
    struct piece piece[NEIGHBOURS], other[NEIGHBOURS];
    struct account account = {0};
    struct slab s;
    slab_init(&s, &account);
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        fill(&piece[i], &s, BYTES, 1);
        fill(&other[i], &s, 288, 2);
        if (i > 0)
            assert_int_equal(piece[i].p - piece[i - 1].p, BYTES);
    }
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        slab_give(&s, piece[i].p, BYTES);
        slab_give(&s, other[i].p, 288);
    }
    slab_release(&s);
}

/* ---- many threads ---- */

static void *take_and_give(void *context)
{
    struct piece mine[50] = {{0}};
    for (unsigned round = 0; round < 20000; round++) {
        struct piece *at = &mine[round * 7 % 50];
        if (at->p != NULL) {
            if (!is_whole(at))
                return context;
            slab_give(context, at->p, at->bytes);
        }
        fill(at, context, 16 + round % 500, (unsigned char)round);
    }
    for (size_t i = 0; i < 50; i++)
        if (mine[i].p != NULL)
            slab_give(context, mine[i].p, mine[i].bytes);
    return NULL;
}

static void many_threads_may_use_it(void **state)
{
    (void)state;
    struct account account = {0};
    struct slab s;
    pthread_t threads[3];
    slab_init(&s, &account);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &s), 0);
    for (int i = 0; i < 100; i++)
        slab_trim(&s);
    for (size_t i = 0; i < 3; i++) {
        void *broken;
        assert_int_equal(pthread_join(threads[i], &broken), 0);
        assert_null(broken);
    }
    slab_release(&s);
    assert_int_equal(account.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_many_sizes_never_overlap),
        cmocka_unit_test(sizes_share_chunks_by_turns),
        cmocka_unit_test(neighbours_stand_side_by_side),
        cmocka_unit_test(many_threads_may_use_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
