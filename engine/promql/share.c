/* Which parts several expressions have in common. */
#include "plan_priv.h"

#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/promql_func.h"

/* What is known of a part at once. */
struct contents {
    uint64_t hash;           /* of most of it: equal parts have the same */
    bool selector, computed; /* one, and one that something is computed of */
    bool info;               /* what info() reads is not told by its selectors */
};

/* A part as it was found first. */
struct candidate {
    struct search *search;
    struct promql *q;
    const struct expr *e;
};

struct search {
    struct map candidates; /* of struct candidate */
    struct arena arena;
    struct buf texts[2];       /* of two that may be equal */
    struct contents *contents; /* of the nodes of the expression at hand */
    promql_is_written *is_written;
    void *context;
    uint32_t parts;
};

/* ---- what is worth it ---- */

static uint64_t text_hash(struct str s)
{
    return hash_bytes(s.p, s.n);
}

static uint64_t duration_hash(const struct duration_expr *d)
{
    return d != NULL && d->kind == DUR_LITERAL ? hash_bytes(&d->seconds, sizeof d->seconds) : d != NULL;
}

/* Their order says nothing. */
static uint64_t matchers_hash(const struct expr *selector)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < selector->selector.matcher_count; i++) {
        const struct matcher *m = &selector->selector.matchers[i];
        sum += hash_mix(hash_mix(text_hash(m->name), m->op), text_hash(m->value));
    }
    return sum;
}

static uint64_t own_hash(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_NUMBER:
        return hash_bytes(&e->number.value, sizeof e->number.value);
    case EXPR_STRING:
        return text_hash(e->string.text);
    case EXPR_SELECTOR:
        return hash_mix(hash_mix(matchers_hash(e), duration_hash(e->selector.range)),
                        duration_hash(e->selector.shift.offset));
    case EXPR_SUBQUERY:
        return duration_hash(e->subquery.range);
    case EXPR_AGGREGATE:
        return e->aggregate.op;
    case EXPR_CALL:
        return e->call.function->id;
    case EXPR_BINARY:
        return e->binary.op;
    case EXPR_PAREN:
    case EXPR_UNARY:
        break;
    }
    return 0;
}

static void look_into(struct search *s, const struct expr *e)
{
    struct contents *all = &s->contents[e->plan_id];
    *all = (struct contents){hash_mix(own_hash(e), e->kind), .selector = e->kind == EXPR_SELECTOR};
    for (size_t i = 0; promql_child(e, i) != NULL; i++) {
        look_into(s, promql_child(e, i));
        const struct contents *below = &s->contents[promql_child(e, i)->plan_id];
        all->hash = hash_mix(all->hash, below->hash);
        all->selector |= below->selector;
        all->computed |= below->computed;
        all->info |= below->info;
    }
    all->computed |= all->selector && (e->kind == EXPR_AGGREGATE || e->kind == EXPR_CALL);
    all->info |= e->kind == EXPR_CALL && e->call.function->id == FUNC_info;
}

/* What an aggregation adds up without making a vector of it (labels_unseen) is never asked for as one. */
static bool is_dear(const struct search *s, const struct promql *q, const struct expr *e)
{
    const struct contents *contents = &s->contents[e->plan_id];
    return (e->kind == EXPR_BINARY || e->kind == EXPR_AGGREGATE || e->kind == EXPR_CALL) &&
           e->type == PROMQL_VECTOR && !plan_node(q, e)->labels_unseen && contents->computed &&
           !contents->info;
}

/* ---- what is the same ---- */

/* Whether they have the same shape, and are asked for the same: what stands around a part may look at less of it. */
static bool is_read_alike(const struct promql *q, const struct expr *e, const struct promql *r,
                          const struct expr *f)
{
    const struct plan_node *a = plan_node(q, e), *b = plan_node(r, f);
    if (e->kind != f->kind || a->name_unseen != b->name_unseen || a->labels_unseen != b->labels_unseen ||
        a->detect_resets != b->detect_resets)
        return false;
    for (size_t i = 0;; i++) {
        const struct expr *x = promql_child(e, i), *y = promql_child(f, i);
        if (x == NULL || y == NULL)
            return x == y;
        if (!is_read_alike(q, x, r, y))
            return false;
    }
}

static bool is_same(const void *item, const void *key)
{
    const struct candidate *a = item, *b = key;
    struct buf *x = &b->search->texts[0], *y = &b->search->texts[1];
    if (!is_read_alike(a->q, a->e, b->q, b->e))
        return false;
    buf_clear(x);
    buf_clear(y);
    promql_print(x, a->e);
    promql_print(y, b->e);
    return !buf_overflow(x) && str_eq(buf_slice(x), buf_slice(y));
}

static bool may_change(const struct search *s, const struct promql *q, const struct expr *e)
{
    const struct str metric = plan_node(q, e)->metric;
    if (e->kind == EXPR_SELECTOR && (metric.n == 0 || s->is_written(s->context, metric)))
        return true;
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        if (may_change(s, q, promql_child(e, i)))
            return true;
    return false;
}

static void number(const struct candidate *c, uint32_t part, bool changes)
{
    struct plan_node *node = &c->q->nodes[c->e->plan_id];
    node->part = part;
    node->part_changes = changes;
}

/* Whether it stood somewhere before. */
static bool is_repeated(struct search *s, struct promql *q, const struct expr *e)
{
    const struct candidate own = {s, q, e};
    uint64_t hash = s->contents[e->plan_id].hash;
    const struct candidate *first = map_find(&s->candidates, hash, is_same, &own);
    if (first == NULL) {
        struct candidate *copy = arena_copy(&s->arena, &own, 1, sizeof own);
        if (copy != NULL) /* or it is found no second time */
            map_add(&s->candidates, hash, copy);
        return false;
    }
    const struct plan_node *node = plan_node(first->q, first->e);
    if (node->part == 0)
        number(first, ++s->parts, may_change(s, q, e));
    number(&own, node->part, node->part_changes);
    return true;
}

/* Below a part that is repeated nothing is evaluated again; below a subquery it is evaluated at other times. */
static void find_parts(struct search *s, struct promql *q, const struct expr *e)
{
    if (e->kind == EXPR_SUBQUERY || (is_dear(s, q, e) && is_repeated(s, q, e)))
        return;
    for (size_t i = 0; promql_child(e, i) != NULL; i++)
        find_parts(s, q, promql_child(e, i));
}

size_t promql_share(struct promql *const *queries, size_t count, promql_is_written *is_written, void *context)
{
    struct search s = {.is_written = is_written, .context = context};
    map_init(&s.candidates);
    arena_init(&s.arena, (size_t)limits.query_arena_bytes);
    buf_init(&s.texts[0], (size_t)limits.query_text_bytes);
    buf_init(&s.texts[1], (size_t)limits.query_text_bytes);
    for (size_t i = 0; i < count; i++) {
        s.contents = MEM_ARRAY(struct contents, queries[i]->node_count);
        look_into(&s, queries[i]->root);
        find_parts(&s, queries[i], queries[i]->root);
        mem_free(s.contents);
    }
    buf_release(&s.texts[0]);
    buf_release(&s.texts[1]);
    arena_release(&s.arena);
    map_release(&s.candidates);
    return s.parts;
}
