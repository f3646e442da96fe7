/* Label names and values that occur: of all series, or of those that a query's matchers select. */
#include "store_priv.h"
#include "tocsin/err.h"
#include "view_priv.h"

#include <stdlib.h>

struct texts {
    struct arena *arena;
    struct str *items;
    size_t count, capacity;
};

static int add(struct texts *t, struct str text)
{
    ARENA_GROW(t->arena, t->items, t->count, t->capacity);
    if (t->items == NULL)
        return ERR_LIMIT;
    struct str copy = str_copy(t->arena, text);
    t->items[t->count++] = copy;
    return copy.p != NULL ? 0 : ERR_LIMIT;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Of which series. */
struct asked {
    struct view *view;
    const struct label_query *query;
    bool any_time; /* no sample of the store is outside of what is asked for */
};

static struct asked begin(struct view *v, const struct label_query *query)
{
    bool any_time = query->from_ms <= atomic_load(&v->store->oldest_ms) &&
                    query->upto_ms >= atomic_load(&v->store->newest_ms);
    return (struct asked){.view = v, .query = query, .any_time = any_time};
}

static bool lives(const struct asked *a, series_ref ref)
{
    return a->any_time || view_lives(a->view, ref, a->query->from_ms, a->query->upto_ms);
}

/* ---- of all series: mostly the first one of a value will do ----------------------------------------------- */

static bool pair_lives(const struct asked *a, const struct pair *pair)
{
    const struct series_table *table = &a->view->store->series;
    if (a->any_time)
        return pair->posted > 0;
    for (uint32_t i = 0; i < pair->posted; i++)
        if (series_at(table, pair->postings[i])->state == SERIES_LIVING && lives(a, pair->postings[i]))
            return true;
    return false;
}

static bool name_lives(const struct asked *a, const struct label_name *name)
{
    for (uint32_t i = 0; i < name->count; i++)
        if (pair_lives(a, pair_at(&a->view->store->pairs, name->values[i])))
            return true;
    return false;
}

static int all_names(const struct asked *a, struct texts *t)
{
    const struct label_name *name;
    for (size_t at = 0; (name = map_next(&a->view->store->pairs.names, &at)) != NULL;)
        if (name_lives(a, name) && add(t, (struct str){name->text, name->text_bytes}) != 0)
            return ERR_LIMIT;
    return 0;
}

static int all_values(const struct asked *a, const struct label_name *name, struct texts *t)
{
    for (uint32_t i = 0; i < name->count; i++) {
        const struct pair *pair = pair_at(&a->view->store->pairs, name->values[i]);
        if (pair_lives(a, pair) && add(t, pair_value(pair)) != 0)
            return ERR_LIMIT;
    }
    return 0;
}

/* ---- of those that matchers select ------------------------------------------------------------------------ */

/* Marks the pairs of the selected series in `seen`, a byte for each pair. */
static int mark_selected(const struct asked *a, const struct matcher_list *list, struct arena *arena,
                         uint8_t *seen)
{
    struct series_set set;
    int rc = select_series(a->view->store, list->matchers, list->count, arena, &set);
    for (size_t i = 0; rc == 0 && i < set.count; i++) {
        const struct series *series = series_at(&a->view->store->series, set.refs[i]);
        bool alive = lives(a, set.refs[i]);
        for (size_t k = 0; alive && k < series->pair_count; k++)
            seen[series->pairs[k]] = 1;
    }
    return rc;
}

static int mark_all_selected(const struct asked *a, struct arena *arena, uint8_t **seen)
{
    *seen = arena_alloc(arena, a->view->store->pairs.count);
    int rc = *seen != NULL ? 0 : ERR_LIMIT;
    for (size_t i = 0; rc == 0 && i < a->query->count; i++)
        rc = mark_selected(a, &a->query->lists[i], arena, *seen);
    return rc;
}

static int selected_values(const struct store *s, const struct label_name *name, const uint8_t *seen,
                           struct texts *t)
{
    for (uint32_t i = 0; i < name->count; i++)
        if (seen[name->values[i]] && add(t, pair_value(pair_at(&s->pairs, name->values[i]))) != 0)
            return ERR_LIMIT;
    return 0;
}

static int selected_names(const struct store *s, const uint8_t *seen, struct texts *t)
{
    const struct label_name *name;
    for (size_t at = 0; (name = map_next(&s->pairs.names, &at)) != NULL;) {
        uint32_t i = 0;
        while (i < name->count && !seen[name->values[i]])
            i++;
        if (i < name->count && add(t, (struct str){name->text, name->text_bytes}) != 0)
            return ERR_LIMIT;
    }
    return 0;
}

static int hand_out(struct texts *t, int rc, struct str **texts, size_t *count)
{
    if (rc == 0 && t->count > 0)
        qsort(t->items, t->count, sizeof *t->items, by_text);
    *texts = t->items;
    *count = rc == 0 ? t->count : 0;
    return rc;
}

int view_label_names(struct view *v, const struct label_query *query, struct arena *arena, struct str **names,
                     size_t *name_count)
{
    struct store *s = v->store;
    struct texts t = {.arena = arena};
    struct asked a = begin(v, query);
    uint8_t *seen = NULL;
    rwlock_read(&s->index);
    int rc = query->count > 0 ? mark_all_selected(&a, arena, &seen) : 0;
    if (rc == 0)
        rc = query->count > 0 ? selected_names(s, seen, &t) : all_names(&a, &t);
    rwlock_drop(&s->index);
    return hand_out(&t, rc, names, name_count);
}

int view_label_values(struct view *v, struct str name, const struct label_query *query, struct arena *arena,
                      struct str **values, size_t *value_count)
{
    struct store *s = v->store;
    struct texts t = {.arena = arena};
    struct asked a = begin(v, query);
    uint8_t *seen = NULL;
    rwlock_read(&s->index);
    const struct label_name *known = pairs_find_name(&s->pairs, name);
    int rc = query->count > 0 ? mark_all_selected(&a, arena, &seen) : 0;
    if (rc == 0 && known != NULL)
        rc = query->count > 0 ? selected_values(s, known, seen, &t) : all_values(&a, known, &t);
    rwlock_drop(&s->index);
    return hand_out(&t, rc, values, value_count);
}
