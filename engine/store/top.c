/* Which metrics and labels the series go into: the largest of each kind. */
#include "store_priv.h"
#include "tocsin/err.h"

#include <stdlib.h>

enum { TOP_RUN = 4096 /* pairs that are looked at under one hold of the index */ };

/* A pair, or for names the first pair of a name, which stands for it. */
struct candidate {
    uint64_t value;
    pair_id pair;
};

/* The largest so far, the least of them on top. */
struct heap {
    struct candidate *items;
    size_t count, capacity;
};

enum { BY_METRIC, NAMES_BY_VALUES, NAMES_BY_BYTES, BY_PAIR, HEAPS };

static void sift_down(struct heap *h, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < h->count; child++)
            if (h->items[child].value < h->items[least].value)
                least = child;
        if (least == at)
            return;
        struct candidate moved = h->items[at];
        h->items[at] = h->items[least];
        h->items[least] = moved;
        at = least;
    }
}

static void sift_up(struct heap *h, size_t at)
{
    while (at > 0 && h->items[(at - 1) / 2].value > h->items[at].value) {
        struct candidate moved = h->items[at];
        h->items[at] = h->items[(at - 1) / 2];
        h->items[(at - 1) / 2] = moved;
        at = (at - 1) / 2;
    }
}

static void offer(struct heap *h, uint64_t value, pair_id pair)
{
    if (value == 0)
        return;
    if (h->count < h->capacity) {
        h->items[h->count++] = (struct candidate){value, pair};
        sift_up(h, h->count - 1);
    } else if (value > h->items[0].value) {
        h->items[0] = (struct candidate){value, pair};
        sift_down(h, 0);
    }
}

static bool is_metric(const struct pair *pair)
{
    return str_is(pair_name(pair), LABEL_METRIC_NAME);
}

static uint64_t value_of(const struct pair *pair, int kind)
{
    switch (kind) {
    case NAMES_BY_VALUES:
        return pair->name->count;
    case NAMES_BY_BYTES:
        return pair->name->values_bytes;
    default:
        return pair->posted;
    }
}

static void look_at(struct heap *heaps, const struct pair *pair)
{
    for (int kind = 0; kind < HEAPS; kind++) {
        bool wanted = kind == BY_PAIR || (kind == BY_METRIC ? is_metric(pair) : pair->place == 0);
        if (wanted)
            offer(&heaps[kind], value_of(pair, kind), pair->id);
    }
}

/* One run of pairs; false behind the last. */
static bool look_at_run(struct store *s, pair_id from, struct heap *heaps)
{
    rwlock_read(&s->index);
    uint32_t end = s->pairs.count;
    for (pair_id id = from; id < end && id < from + TOP_RUN; id++)
        if (s->pairs.item[id] != NULL)
            look_at(heaps, s->pairs.item[id]);
    rwlock_drop(&s->index);
    return from + TOP_RUN < end;
}

static struct str text_of(const struct pair *pair, int kind, struct arena *arena)
{
    if (kind == BY_METRIC)
        return str_copy(arena, pair_value(pair));
    if (kind != BY_PAIR)
        return str_copy(arena, pair_name(pair));
    const char *text = arena_format(arena, "%.*s=%.*s", STR_ARG(pair_name(pair)), STR_ARG(pair_value(pair)));
    return text != NULL ? str_of(text) : (struct str){0};
}

static int by_value(const void *a, const void *b)
{
    const struct store_top_item *x = a, *y = b;
    return x->value != y->value ? (x->value < y->value) - (x->value > y->value) : str_cmp(x->name, y->name);
}

/* Pairs may have come, gone, or taken another's number since they were looked at: what they are now is told, and each once. */
static int tell(struct store *s, const struct heap *h, int kind, struct arena *arena, struct store_top *out)
{
    out->items = ARENA_ARRAY(arena, struct store_top_item, h->count);
    out->count = 0;
    if (out->items == NULL)
        return ERR_LIMIT;
    rwlock_read(&s->index);
    for (size_t i = 0; i < h->count; i++) {
        const struct pair *pair = s->pairs.item[h->items[i].pair];
        if (pair != NULL && value_of(pair, kind) > 0 && (kind != BY_METRIC || is_metric(pair)))
            out->items[out->count++] =
                (struct store_top_item){text_of(pair, kind, arena), value_of(pair, kind)};
    }
    rwlock_drop(&s->index);
    if (arena_exhausted(arena))
        return ERR_LIMIT;
    if (out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, by_value);
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (kept == 0 || !str_eq(out->items[kept - 1].name, out->items[i].name))
            out->items[kept++] = out->items[i];
    out->count = kept;
    return 0;
}

int store_tops(struct store *s, size_t limit, struct arena *arena, struct store_tops *out)
{
    struct store_top *const tops[HEAPS] = {[BY_METRIC] = &out->metrics,
                                           [NAMES_BY_VALUES] = &out->names_by_values,
                                           [NAMES_BY_BYTES] = &out->names_by_bytes,
                                           [BY_PAIR] = &out->pairs};
    struct heap heaps[HEAPS];
    for (int kind = 0; kind < HEAPS; kind++) {
        heaps[kind] = (struct heap){ARENA_ARRAY(arena, struct candidate, limit), 0, limit};
        if (heaps[kind].items == NULL)
            return ERR_LIMIT;
    }
    for (pair_id from = 0; look_at_run(s, from, heaps); from += TOP_RUN)
        ;
    int rc = 0;
    for (int kind = 0; rc == 0 && kind < HEAPS; kind++)
        rc = tell(s, &heaps[kind], kind, arena, tops[kind]);
    return rc;
}
