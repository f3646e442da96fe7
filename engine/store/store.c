#include "tocsin/store.h"

#include "log_priv.h"
#include "store_priv.h"
#include "tocsin/check.h"
#include "tocsin/mem.h"

enum { IDLE_KEEP_MS = 15 * 60 * 1000, EVALUATION_LAG_MS = 5 * 60 * 1000 };

static struct store_options checked(const struct store_options *options)
{
    struct store_options o = *options;
    must(o.retention_ms >= 0 && o.idle_keep_ms >= 0 && o.out_of_order_ms >= 0);
    if (o.idle_keep_ms == 0)
        o.idle_keep_ms = IDLE_KEEP_MS;
    return o;
}

struct store *store_open(const struct store_options *options, struct world *world)
{
    struct store *s = MEM_NEW(struct store);
    s->world = world;
    s->options = checked(options);
    lock_init(&s->keeper, LOCK_keeper);
    rwlock_init(&s->index, LOCK_index);
    for (int i = 0; i < SHARDS; i++)
        lock_init(&s->shards[i], LOCK_shard);
    lock_init(&s->views, LOCK_views);
    slab_init(&s->slab, &s->account);
    s->account.slab = &s->slab;
    pairs_init(&s->pairs, &s->account);
    series_table_init(&s->series, (size_t)limits.series, &s->account);
    selectors_init(&s->selectors, &s->account);
    identities_init(&s->identities, &s->account);
    exemplars_init(&s->exemplars, &s->account);
    families_init(&s->families, &s->account);
    atomic_init(&s->oldest_ms, INT64_MAX);
    atomic_init(&s->newest_ms, INT64_MIN);
    return s;
}

void store_trim(struct store *s)
{
    slab_trim(&s->slab);
}

void store_close(struct store *s)
{
    must(s->open_views == NULL);
    log_close(s->log);
    limbo_reclaim(s);
    mem_free(s->limbo.items);
    families_release(&s->families);
    exemplars_release(&s->exemplars);
    selectors_release(&s->selectors);
    identities_release(&s->identities);
    series_table_release(&s->series, &s->pairs);
    pairs_release(&s->pairs);
    slab_release(&s->slab);
    costly(s->account.bytes == 0);
    lock_release(&s->views);
    for (int i = 0; i < SHARDS; i++)
        lock_release(&s->shards[i]);
    rwlock_release(&s->index);
    lock_release(&s->keeper);
    mem_free(s);
}

void store_configure(struct store *s, const struct store_options *options)
{
    rwlock_write(&s->index);
    s->options = checked(options);
    rwlock_drop(&s->index);
}

/* A slot may be evaluated some time after its moment, so what it looks back on is kept that much longer. */
int64_t store_keep_ms(const struct store *s, int64_t reach_ms)
{
    if (s->options.retention_ms > 0)
        return s->options.retention_ms;
    int64_t keep = reach_ms > 0 ? minus_ms(reach_ms, -EVALUATION_LAG_MS) : 0;
    return keep > s->options.idle_keep_ms ? keep : s->options.idle_keep_ms;
}

void store_series_labels(const struct store *s, const struct series *series, struct label *out)
{
    for (size_t i = 0; i < series->pair_count; i++) {
        const struct pair *pair = pair_at(&s->pairs, series->pairs[i]);
        out[i] = (struct label){pair_name(pair), pair_value(pair)};
    }
}

void store_figures(struct store *s, struct store_figures *out)
{
    *out = (struct store_figures){
        .samples = atomic_load_explicit(&s->samples, memory_order_relaxed),
        .bytes = (uint64_t)atomic_load_explicit(&s->account.bytes, memory_order_relaxed),
    };
    if (out->samples > 0) {
        out->oldest_ms = atomic_load_explicit(&s->oldest_ms, memory_order_relaxed);
        out->newest_ms = atomic_load_explicit(&s->newest_ms, memory_order_relaxed);
    }
    rwlock_read(&s->index);
    out->series = s->series.living;
    out->standing = s->selectors.by_text.count;
    out->pairs = s->pairs.count - s->pairs.unused_count;
    out->text_bytes = s->pairs.text_bytes;
    rwlock_drop(&s->index);
}
