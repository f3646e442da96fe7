#include "memo_priv.h"

#include "tocsin/mem.h"

/* Several times what the rules of one objective ask for (some 150 windows), and still within a processor's second cache. */
enum { PLACES_BITS = 9, PLACES = 1 << PLACES_BITS };

struct remembered {
    struct memo_key key;
    struct window_summary summary;
};

struct memo {
    uint64_t round; /* what was put in an earlier one is forgotten */
    uint64_t put_in[PLACES];
    struct remembered *item; /* undefined where nothing was put: most groups fill a few places */
};

struct memo *memo_open(void)
{
    struct memo *memo = MEM_NEW(struct memo);
    memo->item = mem_resize(NULL, PLACES, sizeof *memo->item);
    memo->round = 1;
    return memo;
}

void memo_close(struct memo *memo)
{
    if (memo == NULL)
        return;
    mem_free(memo->item);
    mem_free(memo);
}

static size_t place_of(const struct memo_key *key)
{
    uint64_t times = (uint64_t)key->after_ms * 0x9E3779B97F4A7C15u + (uint64_t)key->upto_ms;
    uint64_t what = (uint64_t)key->series << 4 | (uint64_t)key->wish;
    return (size_t)((times ^ what) * 0xD6E8FEB86659FD93u >> (64 - PLACES_BITS));
}

static bool is_same(const struct memo_key *a, const struct memo_key *b)
{
    return a->series == b->series && a->after_ms == b->after_ms && a->upto_ms == b->upto_ms &&
           a->wish == b->wish;
}

const struct window_summary *memo_find(const struct memo *memo, const struct memo_key *key)
{
    size_t i = place_of(key);
    return memo->put_in[i] == memo->round && is_same(&memo->item[i].key, key) ? &memo->item[i].summary : NULL;
}

void memo_put(struct memo *memo, const struct memo_key *key, const struct window_summary *summary)
{
    size_t i = place_of(key);
    memo->put_in[i] = memo->round;
    memo->item[i] = (struct remembered){*key, *summary};
}

void memo_forget(struct memo *memo)
{
    memo->round++;
}
