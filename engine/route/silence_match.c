#include "silence_priv.h"

#include "tocsin/mem.h"

static uint64_t pair_hash(struct str name, struct str value)
{
    return hash_mix(hash_bytes(name.p, name.n), hash_bytes(value.p, value.n));
}

static bool has_hash(const void *item, const void *key)
{
    return ((const struct bin *)item)->hash == *(const uint64_t *)key;
}

static struct bin *find_bin(const struct silence_index *index, uint64_t hash)
{
    return map_find(&index->bins, hash, has_hash, &hash);
}

/* The matcher that the fewest others share says where to look; NULL: none asks for a value. */
static const struct matcher *rarest(const struct silence_index *index, const struct held *held)
{
    const struct matcher *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < held->matcher_count && least > 0; i++) {
        const struct matcher *m = &held->matchers[i];
        if (m->op != MATCH_EQUAL || m->value.n == 0)
            continue;
        const struct bin *bin = find_bin(index, pair_hash(m->name, m->value));
        size_t count = bin != NULL ? bin->count : 0;
        if (count < least) {
            least = count;
            best = m;
        }
    }
    return best;
}

static struct bin *bin_for(struct silence_index *index, const struct held *held)
{
    const struct matcher *m = rarest(index, held);
    if (m == NULL)
        return &index->loose;
    uint64_t hash = pair_hash(m->name, m->value);
    struct bin *bin = find_bin(index, hash);
    if (bin == NULL) {
        bin = MEM_NEW(struct bin);
        bin->hash = hash;
        map_add(&index->bins, hash, bin);
    }
    return bin;
}

void silence_index_add(struct silence_index *index, struct held *held)
{
    struct bin *bin = bin_for(index, held);
    MEM_GROW(bin->items, bin->count, bin->capacity);
    bin->items[bin->count++] = held;
}

void silence_index_release(struct silence_index *index)
{
    struct bin *bin;
    for (size_t at = 0; (bin = map_next(&index->bins, &at)) != NULL;) {
        mem_free(bin->items);
        mem_free(bin);
    }
    map_release(&index->bins);
    mem_free(index->loose.items);
    *index = (struct silence_index){0};
}

void silence_hits_release(struct silence_hits *hits)
{
    mem_free(hits->items);
    *hits = (struct silence_hits){0};
}

static void look_in(const struct bin *bin, struct silence_hits *hits, const struct labels *ls)
{
    for (size_t i = bin->count; i > 0 && bin->items[i - 1]->order > hits->seen; i--) {
        if (!held_matches(bin->items[i - 1], ls))
            continue;
        MEM_GROW(hits->items, hits->count, hits->capacity);
        hits->items[hits->count++] = bin->items[i - 1];
    }
}

void silences_meet(const struct silences *silences, struct silence_hits *hits, const struct labels *ls)
{
    if (hits->era != silences->era) {
        hits->count = 0;
        hits->seen = 0;
        hits->era = silences->era;
    }
    if (hits->seen == silences->last_order)
        return;
    for (size_t i = 0; i < ls->count; i++) {
        const struct bin *bin = find_bin(&silences->index, pair_hash(ls->item[i].name, ls->item[i].value));
        if (bin != NULL)
            look_in(bin, hits, ls);
    }
    look_in(&silences->index.loose, hits, ls);
    hits->seen = silences->last_order;
}

bool silences_mute(struct silences *silences, struct silence_hits *hits, const struct labels *ls,
                   int64_t now_ns)
{
    bool muted = false;
    lock_take(&silences->lock);
    silences_meet(silences, hits, ls);
    silences->queries++;
    for (size_t i = 0; i < hits->count && !muted; i++)
        muted = held_state(hits->items[i], now_ns) == SILENCE_ACTIVE;
    lock_drop(&silences->lock);
    return muted;
}

void silences_each(struct silences *silences, struct silence_hits *hits, const struct labels *ls,
                   int64_t now_ns, void (*found)(void *context, struct str id), void *context)
{
    lock_take(&silences->lock);
    silences_meet(silences, hits, ls);
    silences->queries++;
    for (size_t i = 0; i < hits->count; i++) {
        if (held_state(hits->items[i], now_ns) == SILENCE_ACTIVE)
            found(context, (struct str){hits->items[i]->id, SILENCE_ID_BYTES});
    }
    lock_drop(&silences->lock);
}
