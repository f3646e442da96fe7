/* Dead series and dropped labels wait here until no view is left that may have shown them. */
#include "store_priv.h"
#include "tocsin/mem.h"
#include "view_priv.h"

uint64_t limbo_epoch(struct store *s)
{
    lock_take(&s->views);
    uint64_t epoch = ++s->epoch;
    lock_drop(&s->views);
    return epoch;
}

void limbo_put(struct store *s, uint64_t epoch, series_ref series, struct labels *shown)
{
    struct limbo *l = &s->limbo;
    MEM_GROW(l->items, l->count, l->capacity);
    l->items[l->count++] = (struct limbo_item){epoch, series, shown};
}

static uint64_t oldest_open_epoch(struct store *s)
{
    uint64_t oldest = UINT64_MAX;
    lock_take(&s->views);
    for (const struct view *v = s->open_views; v != NULL; v = v->next)
        oldest = v->epoch < oldest ? v->epoch : oldest;
    lock_drop(&s->views);
    return oldest;
}

static void reclaim(struct store *s, const struct limbo_item *item)
{
    if (item->shown != NULL)
        account_give(&s->account, item->shown, view_labels_bytes(item->shown->count));
    if (item->series == 0)
        return;
    rwlock_write(&s->index);
    atomic_fetch_sub(&s->identities.item[series_at(&s->series, item->series)->identity].series, 1);
    series_free(&s->series, &s->pairs, item->series);
    rwlock_drop(&s->index);
}

void limbo_reclaim(struct store *s)
{
    struct limbo *l = &s->limbo;
    uint64_t oldest = oldest_open_epoch(s);
    size_t done = 0;
    while (done < l->count && l->items[done].epoch <= oldest)
        reclaim(s, &l->items[done++]);
    if (done == 0)
        return;
    l->count -= done;
    memmove(l->items, l->items + done, l->count * sizeof *l->items);
}
