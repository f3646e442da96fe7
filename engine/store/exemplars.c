#include "exemplars_priv.h"

#include "tocsin/limits.h"
#include "tocsin/stat.h"

#include <math.h>

void exemplars_init(struct exemplars *x, struct account *account)
{
    *x = (struct exemplars){.account = account};
    lock_init(&x->lock, LOCK_exemplars);
    map_init(&x->by_series);
}

/* ---- the series that have some -------------------------------------------------------------------------- */

static uint64_t hash_ref(series_ref ref)
{
    return hash_mix(0, ref);
}

static bool is_series(const void *item, const void *key)
{
    return ((const struct exemplar_series *)item)->ref == *(const series_ref *)key;
}

static struct exemplar_series *find_series(const struct exemplars *x, series_ref ref)
{
    return map_find(&x->by_series, hash_ref(ref), is_series, &ref);
}

static struct exemplar_series *add_series(struct exemplars *x, series_ref ref)
{
    struct exemplar_series *series = account_take(x->account, sizeof *series);
    series->ref = ref;
    account_map_add(x->account, &x->by_series, hash_ref(ref), series);
    return series;
}

static void remove_series(struct exemplars *x, struct exemplar_series *series)
{
    map_remove(&x->by_series, hash_ref(series->ref), series);
    account_give(x->account, series, sizeof *series);
}

/* ---- one exemplar in its two lists ---------------------------------------------------------------------- */

static size_t bytes_of(const struct exemplar *e)
{
    const struct labels *ls = e->labels;
    size_t bytes = sizeof(struct kept_exemplar) + sizeof *ls + ls->count * sizeof *ls->item;
    for (size_t i = 0; i < ls->count; i++)
        bytes += ls->item[i].name.n + ls->item[i].value.n;
    return bytes;
}

static struct kept_exemplar *copy_in(struct exemplars *x, const struct exemplar *e)
{
    size_t bytes = bytes_of(e);
    struct kept_exemplar *kept = account_take(x->account, bytes);
    struct labels *ls = (struct labels *)(kept + 1);
    char *text = (char *)&ls->item[e->labels->count];
    kept->bytes = bytes;
    kept->what = *e;
    kept->what.labels = ls;
    ls->hash = e->labels->hash;
    ls->count = e->labels->count;
    for (size_t i = 0; i < ls->count; i++) {
        ls->item[i].name = text_put(&text, e->labels->item[i].name);
        ls->item[i].value = text_put(&text, e->labels->item[i].value);
    }
    return kept;
}

/* The link that leads to the newest one of that time or older. */
static struct kept_exemplar **place_of(struct exemplar_series *series, int64_t t_ms)
{
    struct kept_exemplar **at = &series->newest;
    while (*at != NULL && (*at)->what.t_ms > t_ms)
        at = &(*at)->older;
    return at;
}

static void join(struct exemplars *x, struct exemplar_series *series, struct kept_exemplar *kept)
{
    struct kept_exemplar **at = place_of(series, kept->what.t_ms);
    kept->older = *at;
    *at = kept;
    kept->series = series;
    series->count++;
    kept->before = x->last;
    *(x->last != NULL ? &x->last->after : &x->first) = kept;
    x->last = kept;
    x->count++;
}

/* Frees one, and its series with the last one. */
static void drop(struct exemplars *x, struct kept_exemplar *kept)
{
    struct exemplar_series *series = kept->series;
    struct kept_exemplar **at = &series->newest;
    while (*at != kept)
        at = &(*at)->older;
    *at = kept->older;
    if (--series->count == 0)
        remove_series(x, series);
    *(kept->before != NULL ? &kept->before->after : &x->first) = kept->after;
    *(kept->after != NULL ? &kept->after->before : &x->last) = kept->before;
    x->count--;
    account_give(x->account, kept, kept->bytes);
}

static struct kept_exemplar *oldest_of(const struct exemplar_series *series)
{
    struct kept_exemplar *kept = series->newest;
    while (kept->older != NULL)
        kept = kept->older;
    return kept;
}

void exemplars_release(struct exemplars *x)
{
    while (x->first != NULL)
        drop(x, x->first);
    account_map_release(x->account, &x->by_series);
    lock_release(&x->lock);
}

/* ---- the way in ----------------------------------------------------------------------------------------- */

static bool same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Those of one time are in order of their values, then of their labels' hashes: so those of several buckets of one native
 * histogram get in, and coming again they do not. */
static bool is_out_of_order(const struct exemplar *newest, const struct exemplar *e, int64_t window_ms)
{
    int64_t behind_ms;
    if (__builtin_sub_overflow(newest->t_ms, e->t_ms, &behind_ms))
        return newest->t_ms > e->t_ms;
    if (behind_ms != 0)
        return behind_ms > 0 && behind_ms >= window_ms;
    return e->value < newest->value || (e->value == newest->value && e->labels->hash < newest->labels->hash);
}

static bool is_same(const struct exemplar *a, const struct exemplar *b)
{
    return a->t_ms == b->t_ms && same_value(a->value, b->value) && labels_equal(a->labels, b->labels);
}

/* One that comes late and finds another of its time there is taken for that one. */
static bool came_before(struct exemplar_series *series, int64_t t_ms)
{
    const struct kept_exemplar *kept = *place_of(series, t_ms);
    return kept != NULL && kept != series->newest && kept->what.t_ms == t_ms;
}

static bool has_room(const struct exemplars *x, const struct exemplar *e)
{
    enum { SLOTS = 4 /* doubling, shared out over those that caused it */ };
    size_t bytes = bytes_of(e) + sizeof(struct exemplar_series) + SLOTS * sizeof(struct map_slot);
    if (account_has_room(x->account, bytes))
        return true;
    limit_hit(LIMIT_store_bytes);
    return false;
}

static void keep(struct exemplars *x, struct exemplar_series *series, const struct exemplar *e)
{
    join(x, series, copy_in(x, e));
    stat_add(STAT_exemplars_appended, 1);
    if (series->count > limits.exemplars_per_series)
        drop(x, oldest_of(series));
    if (x->count <= (uint64_t)limits.exemplars)
        return;
    drop(x, x->first);
    limit_hit(LIMIT_exemplars);
}

static enum exemplar_reason add(struct exemplars *x, series_ref ref, const struct exemplar *e,
                                int64_t window_ms)
{
    struct exemplar_series *series = find_series(x, ref);
    if (series != NULL && is_same(&series->newest->what, e))
        return EXEMPLAR_OK;
    if (series != NULL && is_out_of_order(&series->newest->what, e, window_ms)) {
        stat_add(STAT_exemplars_out_of_order, 1);
        return EXEMPLAR_OUT_OF_ORDER;
    }
    if (series != NULL && came_before(series, e->t_ms))
        return EXEMPLAR_OK;
    if (!has_room(x, e))
        return EXEMPLAR_MEMORY_LIMIT;
    keep(x, series != NULL ? series : add_series(x, ref), e);
    return EXEMPLAR_OK;
}

enum exemplar_reason exemplars_add(struct exemplars *x, series_ref ref, const struct exemplar *e,
                                   int64_t window_ms)
{
    lock_take(&x->lock);
    enum exemplar_reason reason = add(x, ref, e, window_ms);
    lock_drop(&x->lock);
    return reason;
}

void exemplars_forget(struct exemplars *x, series_ref ref)
{
    lock_take(&x->lock);
    struct exemplar_series *series = find_series(x, ref);
    for (uint32_t left = series != NULL ? series->count : 0; left > 0; left--)
        drop(x, series->newest);
    lock_drop(&x->lock);
}

/* ---- the way out ---------------------------------------------------------------------------------------- */

static int copy_run(const struct kept_exemplar *newest, size_t count, struct arena *arena,
                    struct exemplar_run *out)
{
    struct exemplar *to = ARENA_ARRAY(arena, struct exemplar, count);
    if (to == NULL)
        return ERR_LIMIT;
    for (size_t i = count; i-- > 0; newest = newest->older) {
        to[i] = newest->what;
        to[i].labels = labels_copy(arena, newest->what.labels);
        if (to[i].labels == NULL)
            return ERR_LIMIT;
    }
    *out = (struct exemplar_run){to, count};
    return 0;
}

int exemplars_read(struct exemplars *x, series_ref ref, int64_t from_ms, int64_t upto_ms, struct arena *arena,
                   struct exemplar_run *out)
{
    *out = (struct exemplar_run){0};
    lock_take(&x->lock);
    struct exemplar_series *series = find_series(x, ref);
    const struct kept_exemplar *newest = series != NULL ? *place_of(series, upto_ms) : NULL;
    size_t count = 0;
    for (const struct kept_exemplar *kept = newest; kept != NULL && kept->what.t_ms >= from_ms;
         kept = kept->older)
        count++;
    int rc = count > 0 ? copy_run(newest, count, arena, out) : 0;
    lock_drop(&x->lock);
    return rc;
}
