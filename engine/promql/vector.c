#include "eval_priv.h"

#include <stdlib.h>

int vector_push(struct evaluation *ev, struct vector *v, struct column *c)
{
    ARENA_GROW(ev->arena, v->items, v->count, v->capacity);
    if (v->items == NULL)
        return eval_no_memory(ev);
    v->items[v->count++] = c;
    return 0;
}

static size_t column_bytes(const struct grid *g)
{
    size_t bytes = sizeof(struct column) + g->count * (sizeof(double) + sizeof(uint8_t));
    return (bytes + _Alignof(struct column) - 1) & ~(_Alignof(struct column) - 1);
}

int vector_reserve(struct evaluation *ev, struct vector *v, const struct grid *g, size_t count)
{
    if (v->capacity < v->count + count) {
        struct column **items = ARENA_ARRAY(ev->arena, struct column *, v->count * 2 + count);
        if (items == NULL)
            return eval_no_memory(ev);
        if (v->count > 0)
            memcpy(items, v->items, v->count * sizeof *items);
        v->items = items;
        v->capacity = v->count * 2 + count;
    }
    v->spare = arena_array(ev->arena, count, column_bytes(g));
    v->spare_count = v->spare != NULL ? count : 0;
    return v->spare != NULL ? 0 : eval_no_memory(ev);
}

static struct column *take_column(struct evaluation *ev, struct vector *v, const struct grid *g)
{
    size_t bytes = column_bytes(g);
    if (v->spare_count == 0)
        return arena_alloc(ev->arena, bytes);
    struct column *c = (struct column *)v->spare;
    v->spare += bytes;
    v->spare_count--;
    return c;
}

int vector_add(struct evaluation *ev, struct vector *v, const struct grid *g, const struct labels *labels,
               bool drop_name, struct column **out)
{
    struct column *c = take_column(ev, v, g);
    if (c == NULL || labels == NULL)
        return eval_no_memory(ev);
    *c = (struct column){.labels = labels, .drop_name = drop_name};
    c->values = (double *)(c + 1);
    c->kinds = (uint8_t *)(c->values + g->count);
    *out = c;
    return vector_push(ev, v, c);
}

bool column_is_empty(const struct column *c, const struct grid *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (c->kinds[i] != CELL_NONE)
            return false;
    return true;
}

void vector_trim(struct vector *v, const struct grid *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->count; i++)
        if (!column_is_empty(v->items[i], g))
            v->items[kept++] = v->items[i];
    v->count = kept;
}

static int compare_columns(const void *a, const void *b)
{
    const struct column *const *x = a, *const *y = b;
    return labels_compare((*x)->labels, (*y)->labels);
}

void vector_sort(struct vector *v)
{
    if (v->count > 1)
        qsort(v->items, v->count, sizeof *v->items, compare_columns);
}

int64_t histogram_bytes(const struct histogram *h)
{
    size_t words = h->positive.span_count + h->negative.span_count + h->positive.bucket_count +
                   h->negative.bucket_count + h->custom_count;
    return (int64_t)(168 + 8 * words);
}

/* Prometheus' measure: the bytes of its histogram with its time, in units of a float with its time. */
static int64_t histogram_weight(const struct histogram *h)
{
    return (histogram_bytes(h) + 8) / 16;
}

int64_t sample_weight(const struct sample *s)
{
    return s->histogram != NULL ? histogram_weight(s->histogram) : 1;
}

int64_t column_weight(const struct column *c, const struct grid *g)
{
    int64_t weight = (int64_t)g->count;
    for (size_t step = 0; c->histograms != NULL && step < g->count; step++)
        if (c->kinds[step] == CELL_HISTOGRAM)
            weight += histogram_weight(c->histograms[step]) - 1;
    return weight;
}

int64_t vector_weight(const struct vector *v, size_t from, const struct grid *g)
{
    int64_t weight = 0;
    for (size_t i = from; i < v->count; i++)
        weight += column_weight(v->items[i], g);
    return weight;
}

struct cell column_get(const struct column *c, size_t step)
{
    return (struct cell){
        .kind = c->kinds[step],
        .value = c->values[step],
        .histogram = c->kinds[step] == CELL_HISTOGRAM ? c->histograms[step] : NULL,
    };
}

int column_set(struct evaluation *ev, struct column *c, const struct grid *g, size_t step,
               const struct cell *cell)
{
    if (cell->kind == CELL_HISTOGRAM) {
        if (c->histograms == NULL)
            c->histograms = ARENA_ARRAY(ev->arena, const struct histogram *, g->count);
        if (c->histograms == NULL)
            return eval_no_memory(ev);
        c->histograms[step] = cell->histogram;
    }
    c->kinds[step] = (uint8_t)cell->kind;
    c->values[step] = cell->value;
    return 0;
}

const struct labels *labels_without_metadata(struct arena *arena, const struct labels *ls)
{
    static const struct str metadata[] = {
        {LABEL_METRIC_NAME, sizeof LABEL_METRIC_NAME - 1},
        {LABEL_METRIC_TYPE, sizeof LABEL_METRIC_TYPE - 1},
        {LABEL_METRIC_UNIT, sizeof LABEL_METRIC_UNIT - 1},
    };
    return labels_drop(arena, ls, metadata, sizeof metadata / sizeof *metadata);
}

struct str labels_metric(const struct labels *ls)
{
    return labels_get(ls, STR(LABEL_METRIC_NAME));
}

int eval_drop_names(struct evaluation *ev, struct vector *v, const struct grid *g)
{
    if (ev->q->options.features.delayed_name_removal) {
        for (size_t i = 0; i < v->count; i++)
            v->items[i]->drop_name = true;
        return 0;
    }
    for (size_t i = 0; i < v->count; i++) {
        v->items[i]->labels = labels_without_metadata(ev->arena, v->items[i]->labels);
        if (v->items[i]->labels == NULL)
            return eval_no_memory(ev);
    }
    return vector_merge_equal(ev, v, g);
}

static int merge_column(struct evaluation *ev, struct column *into, const struct column *from,
                        const struct grid *g)
{
    for (size_t step = 0; step < g->count; step++) {
        if (from->kinds[step] == CELL_NONE)
            continue;
        if (into->kinds[step] != CELL_NONE)
            return eval_fail(ev, ERR_EXEC, "vector cannot contain metrics with the same labelset");
        struct cell cell = column_get(from, step);
        TRY(column_set(ev, into, g, step, &cell));
    }
    into->drop_name |= from->drop_name;
    return 0;
}

int vector_merge_equal(struct evaluation *ev, struct vector *v, const struct grid *g)
{
    struct label_index index = {0};
    size_t kept = 0;
    for (size_t i = 0; i < v->count; i++) {
        size_t number;
        TRY(label_index_add(ev, &index, v->items[i]->labels, &number));
        if (number < kept)
            TRY(merge_column(ev, v->items[number], v->items[i], g));
        else
            v->items[kept++] = v->items[i];
    }
    v->count = kept;
    return 0;
}

static size_t find_slot(const struct label_index *index, const struct labels *ls)
{
    size_t mask = index->slot_count - 1;
    size_t at = (size_t)ls->hash & mask;
    while (index->slots[at] != 0 && !labels_equal(index->items[index->slots[at] - 1], ls))
        at = (at + 1) & mask;
    return at;
}

static int grow_index(struct evaluation *ev, struct label_index *index)
{
    index->slot_count = index->slot_count == 0 ? 64 : index->slot_count * 4;
    index->slots = ARENA_ARRAY(ev->arena, uint32_t, index->slot_count);
    if (index->slots == NULL)
        return eval_no_memory(ev);
    for (size_t i = 0; i < index->count; i++)
        index->slots[find_slot(index, index->items[i])] = (uint32_t)(i + 1);
    return 0;
}

int label_index_add(struct evaluation *ev, struct label_index *index, const struct labels *ls, size_t *number)
{
    if (ls == NULL)
        return eval_no_memory(ev);
    if (index->count * 2 >= index->slot_count)
        TRY(grow_index(ev, index));
    size_t at = find_slot(index, ls);
    if (index->slots[at] == 0) {
        ARENA_GROW(ev->arena, index->items, index->count, index->capacity);
        if (index->items == NULL)
            return eval_no_memory(ev);
        index->items[index->count++] = ls;
        index->slots[at] = (uint32_t)index->count;
    }
    *number = index->slots[at] - 1;
    return 0;
}

size_t label_index_find(const struct label_index *index, const struct labels *ls)
{
    if (index->slot_count == 0)
        return SIZE_MAX;
    uint32_t slot = index->slots[find_slot(index, ls)];
    return slot == 0 ? SIZE_MAX : slot - 1;
}
