/*
 * Which series pass a list of matchers: the shortest posting list that must hold them all, then the other
 * matchers one by one. A regular expression is asked once per value of its label, not once per series.
 */
#include "store_priv.h"
#include "tocsin/err.h"

enum answer { UNASKED, YES, NO };

struct filter {
    const struct matcher *matcher;
    const struct label_name *name; /* NULL: no series has such a label */
    const struct pair *wanted;     /* of an equality with a value */
    uint8_t *answers;              /* else: by place of the value among the name's */
    bool passes_absent;
};

struct selection {
    const struct store *store;
    struct filter *filters;
    size_t count;
    struct arena *arena;
    series_ref *refs;
    size_t found, capacity;
};

/* True if the filter can pass nothing at all. */
static bool filter_init(struct selection *sel, struct filter *f, const struct matcher *m)
{
    const struct pairs *pairs = &sel->store->pairs;
    *f = (struct filter){
        .matcher = m, .name = pairs_find_name(pairs, m->name), .passes_absent = matcher_matches_empty(m)};
    if (m->op == MATCH_EQUAL && m->value.n > 0) {
        f->wanted = pairs_find(pairs, m->name, m->value, pair_hash(m->name, m->value));
        return f->wanted == NULL;
    }
    if (f->name == NULL)
        return !f->passes_absent;
    f->answers = arena_alloc(sel->arena, f->name->count);
    return false;
}

static bool ask(const struct filter *f, const struct pair *pair)
{
    uint8_t *answer = &f->answers[pair->place];
    if (*answer == UNASKED)
        *answer = matcher_matches(f->matcher, pair_value(pair)) ? YES : NO;
    return *answer == YES;
}

static bool filter_passes(const struct selection *sel, const struct filter *f, const struct series *series)
{
    const struct pairs *pairs = &sel->store->pairs;
    for (size_t i = 0; i < series->pair_count; i++) {
        const struct pair *pair = pair_at(pairs, series->pairs[i]);
        if (pair->name == f->name)
            return f->wanted != NULL ? pair == f->wanted : ask(f, pair);
    }
    return f->passes_absent;
}

static bool add_if_passing(struct selection *sel, series_ref ref)
{
    const struct series *series = series_at(&sel->store->series, ref);
    if (series->state != SERIES_LIVING)
        return true;
    for (size_t i = 0; i < sel->count; i++)
        if (!filter_passes(sel, &sel->filters[i], series))
            return true;
    ARENA_GROW(sel->arena, sel->refs, sel->found, sel->capacity);
    if (sel->refs == NULL)
        return false;
    sel->refs[sel->found++] = ref;
    return true;
}

static bool walk_pair(struct selection *sel, const struct pair *pair)
{
    for (uint32_t i = 0; i < pair->posted; i++)
        if (!add_if_passing(sel, pair->postings[i]))
            return false;
    return true;
}

static bool walk_name(struct selection *sel, const struct filter *f)
{
    for (uint32_t i = 0; i < f->name->count; i++) {
        const struct pair *pair = pair_at(&sel->store->pairs, f->name->values[i]);
        if (ask(f, pair) && !walk_pair(sel, pair))
            return false;
    }
    return true;
}

static bool walk_all(struct selection *sel)
{
    for (series_ref ref = 1; ref < sel->store->series.next; ref++)
        if (!add_if_passing(sel, ref))
            return false;
    return true;
}

/* How many series a filter that no absent label passes leaves at most. */
static size_t filter_cost(const struct selection *sel, const struct filter *f)
{
    if (f->wanted != NULL)
        return f->wanted->posted;
    size_t n = 0;
    for (uint32_t i = 0; i < f->name->count; i++) {
        const struct pair *pair = pair_at(&sel->store->pairs, f->name->values[i]);
        n += ask(f, pair) ? pair->posted : 0;
    }
    return n;
}

/* The filter to start from: the cheapest equality; without any the cheapest that needs the label; else NULL.
 */
static const struct filter *pick_start(const struct selection *sel)
{
    const struct filter *best = NULL;
    size_t best_cost = SIZE_MAX;
    for (int equality = 1; equality >= 0 && best == NULL; equality--)
        for (size_t i = 0; i < sel->count; i++) {
            const struct filter *f = &sel->filters[i];
            if (f->passes_absent || (f->wanted != NULL) != (equality == 1))
                continue;
            size_t cost = filter_cost(sel, f);
            if (cost < best_cost) {
                best = f;
                best_cost = cost;
            }
        }
    return best;
}

static bool walk(struct selection *sel)
{
    const struct filter *start = pick_start(sel);
    if (start == NULL)
        return walk_all(sel);
    return start->wanted != NULL ? walk_pair(sel, start->wanted) : walk_name(sel, start);
}

int select_series(const struct store *s, const struct matcher *matchers, size_t count, struct arena *arena,
                  struct series_set *out)
{
    struct selection sel = {.store = s, .arena = arena, .count = count};
    *out = (struct series_set){0};
    sel.filters = ARENA_ARRAY(arena, struct filter, count);
    if (sel.filters == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++)
        if (filter_init(&sel, &sel.filters[i], &matchers[i]))
            return 0;
    if (arena_exhausted(arena) || !walk(&sel))
        return ERR_LIMIT;
    *out = (struct series_set){.refs = sel.refs, .count = sel.found};
    return 0;
}
