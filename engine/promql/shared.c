#include "shared_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

enum { SHARED_BYTES_MAX = 16 << 20 };

/* One element of an instant vector at one step. */
struct element {
    const struct labels *labels;
    bool drop_name;
    struct cell cell;
};

struct value {
    uint64_t round; /* it was computed in; 0: never */
    const struct element *elements;
    size_t count;
    struct notes notes;
    int64_t held; /* at once, while it was computed */
};

struct promql_shared {
    struct arena arena; /* of the values */
    uint64_t round;     /* what may have changed since is not taken from an earlier one */
    int64_t t_ms;
    struct value *values; /* by number, from 1 on */
};

struct promql_shared *promql_shared_open(size_t parts, int64_t t_ms)
{
    if (parts == 0)
        return NULL;
    struct promql_shared *shared = MEM_NEW(struct promql_shared);
    arena_init(&shared->arena, SHARED_BYTES_MAX);
    shared->values = MEM_ARRAY(struct value, parts);
    shared->round = 1;
    shared->t_ms = t_ms;
    return shared;
}

void promql_shared_close(struct promql_shared *shared)
{
    if (shared == NULL)
        return;
    arena_release(&shared->arena);
    mem_free(shared->values);
    mem_free(shared);
}

void promql_shared_forget(struct promql_shared *shared)
{
    if (shared != NULL)
        shared->round++;
}

/* Who counts what is looked at wants to see it looked at. */
struct promql_shared *shared_begin(const struct promql *q, struct promql_shared *shared, int64_t t_ms)
{
    if (shared == NULL || q->options.stats)
        return NULL;
    must(shared->t_ms == t_ms);
    return shared;
}

static bool keep_elements(struct arena *arena, const struct vector *v, struct value *value)
{
    struct element *elements = ARENA_ARRAY(arena, struct element, v->count);
    if (elements == NULL)
        return false;
    for (size_t i = 0; i < v->count; i++) {
        struct element *e = &elements[i];
        *e = (struct element){labels_copy(arena, v->items[i]->labels), v->items[i]->drop_name,
                              column_get(v->items[i], 0)};
        if (e->cell.histogram != NULL &&
            (e->cell.histogram = histogram_copy(arena, e->cell.histogram)) == NULL)
            return false;
        if (e->labels == NULL)
            return false;
    }
    value->elements = elements;
    value->count = v->count;
    return true;
}

/* What there is no room for is computed again. */
static void keep(struct evaluation *ev, const struct expr *e, const struct vector *v, const struct notes *own,
                 int64_t held)
{
    struct promql_shared *shared = ev->shared;
    struct value value = {.round = shared->round, .held = held};
    struct arena_mark mark = arena_mark(&shared->arena);
    if (keep_elements(&shared->arena, v, &value) && notes_keep(ev, e, own, &shared->arena, &value.notes))
        shared->values[plan_node(ev->q, e)->part - 1] = value;
    else
        arena_rewind(&shared->arena, mark);
}

/* Its annotations and what it holds are seen apart meanwhile. */
static int compute(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    struct notes before = ev->notes, own;
    int64_t samples = ev->samples, most = ev->samples_most;
    ev->notes = (struct notes){0};
    ev->samples_most = samples;
    TRY(eval_afresh(ev, e, g, out));
    own = ev->notes;
    ev->notes = before;
    keep(ev, e, out, &own, ev->samples_most - samples);
    if (most > ev->samples_most)
        ev->samples_most = most;
    return notes_join(ev, &own);
}

static int take(struct evaluation *ev, const struct value *value, const struct grid *g, struct vector *out)
{
    struct column *c;
    int64_t samples = ev->samples;
    TRY(eval_hold(ev, value->held)); /* what would be too much when computed is too much */
    ev->samples = samples;
    TRY(vector_reserve(ev, out, g, value->count));
    for (size_t i = 0; i < value->count; i++) {
        const struct element *e = &value->elements[i];
        TRY(vector_add(ev, out, g, e->labels, e->drop_name, &c));
        TRY(column_set(ev, c, g, 0, &e->cell));
    }
    return eval_hold(ev, vector_weight(out, 0, g));
}

int shared_vector(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out)
{
    const struct plan_node *node = plan_node(ev->q, e);
    const struct value *value = &ev->shared->values[node->part - 1];
    bool stands = value->round == ev->shared->round || (value->round > 0 && !node->part_changes);
    if (!stands)
        return compute(ev, e, g, out);
    TRY(take(ev, value, g, out));
    return notes_repeat(ev, e, &value->notes);
}
