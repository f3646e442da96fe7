#include "ruletest_priv.h"

#define NOBODY SIZE_MAX

/* Who has whom so far, and one search for a partner. */
struct pairing {
    size_t n;
    test_fits *fits;
    void *context;
    size_t *owner; /* of each that came: the expected one that has it */
    size_t *asked_by;
    size_t *queue;
};

/* Gives the free one at the end of the way to whoever asked for it, his own to whoever asked for that, and so on. */
static void hand_on(struct pairing *p, size_t got)
{
    while (got != NOBODY) {
        size_t expected = p->asked_by[got], before = NOBODY;
        for (size_t i = 0; i < p->n; i++)
            if (p->owner[i] == expected)
                before = i;
        p->owner[got] = expected;
        got = before;
    }
}

static bool find_partner(struct pairing *p, size_t expected)
{
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < p->n; i++)
        p->asked_by[i] = NOBODY;
    p->queue[tail++] = expected;
    while (head < tail) {
        size_t at = p->queue[head++];
        for (size_t got = 0; got < p->n; got++) {
            if (p->asked_by[got] != NOBODY || !p->fits(p->context, at, got))
                continue;
            p->asked_by[got] = at;
            if (p->owner[got] == NOBODY) {
                hand_on(p, got);
                return true;
            }
            p->queue[tail++] = p->owner[got];
        }
    }
    return false;
}

bool test_pair_up(struct arena *arena, size_t expected, size_t got, test_fits *fits, void *context)
{
    if (expected != got)
        return false;
    struct pairing p = {.n = got, .fits = fits, .context = context};
    p.owner = ARENA_ARRAY(arena, size_t, got);
    p.asked_by = ARENA_ARRAY(arena, size_t, got);
    p.queue = ARENA_ARRAY(arena, size_t, got + 1);
    if (p.owner == NULL || p.asked_by == NULL || p.queue == NULL)
        return false;
    for (size_t i = 0; i < got; i++)
        p.owner[i] = NOBODY;
    for (size_t i = 0; i < expected; i++)
        if (!find_partner(&p, i))
            return false;
    return true;
}

bool test_includes(const struct labels *got, const struct label *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!str_eq(labels_get(got, expected[i].name), expected[i].value))
            return false;
    return true;
}
