#include "series_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

void series_table_init(struct series_table *t, size_t series_max, struct account *account)
{
    *t = (struct series_table){.account = account, .next = 1};
    t->segments_max = series_max / SEGMENT_SERIES + 2;
    t->segments = account_take(account, t->segments_max * sizeof *t->segments);
    spellings_init(&t->spellings, account);
}

static void release_shown(struct series_table *t, struct series *s)
{
    struct labels *shown = atomic_exchange_explicit(&s->shown, NULL, memory_order_acq_rel);
    if (shown != NULL)
        account_give(t->account, shown, sizeof *shown + shown->count * sizeof *shown->item);
}

void series_table_release(struct series_table *t, struct pairs *pairs)
{
    for (series_ref ref = 1; ref < t->next; ref++)
        if (series_at(t, ref)->state != SERIES_FREE)
            series_free(t, pairs, ref);
    for (size_t i = 0; i < t->segments_max; i++)
        account_give(t->account, t->segments[i], SEGMENT_SERIES * sizeof(struct series));
    account_give(t->account, t->segments, t->segments_max * sizeof *t->segments);
    account_give(t->account, t->slots, t->capacity * sizeof *t->slots);
    spellings_release(&t->spellings);
}

struct series_key series_key_make(const struct label *labels, size_t count, uint64_t *hashes)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        hashes[i] = pair_hash(labels[i].name, labels[i].value);
        hash = hash_mix(hash, hashes[i]);
    }
    return (struct series_key){labels, count, hashes, hash};
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static bool series_is(const struct series *s, const struct pairs *pairs, const struct series_key *key)
{
    if (s->hash != key->hash || s->pair_count != key->count)
        return false;
    for (size_t i = 0; i < key->count; i++) {
        const struct pair *pair = pair_at(pairs, s->pairs[i]);
        if (!str_eq(pair_value(pair), key->labels[i].value) || !str_eq(pair_name(pair), key->labels[i].name))
            return false;
    }
    return true;
}

series_ref series_find(const struct series_table *t, const struct pairs *pairs, const struct series_key *key)
{
    if (t->capacity == 0)
        return 0;
    uint32_t mask = t->capacity - 1;
    for (uint32_t i = (uint32_t)key->hash & mask; t->slots[i].ref != 0; i = (i + 1) & mask)
        if (t->slots[i].tag == tag_of(key->hash) && series_is(series_at(t, t->slots[i].ref), pairs, key))
            return t->slots[i].ref;
    return 0;
}

static void place(struct series_table *t, uint64_t hash, series_ref ref)
{
    uint32_t mask = t->capacity - 1;
    uint32_t i = (uint32_t)hash & mask;
    while (t->slots[i].ref != 0)
        i = (i + 1) & mask;
    t->slots[i] = (struct series_slot){tag_of(hash), ref};
}

static void grow(struct series_table *t)
{
    struct series_slot *old = t->slots;
    uint32_t old_capacity = t->capacity;
    t->capacity = old_capacity > 0 ? old_capacity * 2 : 64;
    t->slots = account_take(t->account, t->capacity * sizeof *t->slots);
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old[i].ref != 0)
            place(t, series_at(t, old[i].ref)->hash, old[i].ref);
    account_give(t->account, old, old_capacity * sizeof *old);
}

/* Closes the gap by moving back what was pushed over it, so that no tombstones are needed. */
static void unplace(struct series_table *t, uint64_t hash, series_ref ref)
{
    uint32_t mask = t->capacity - 1;
    uint32_t hole = (uint32_t)hash & mask;
    while (t->slots[hole].ref != ref)
        hole = (hole + 1) & mask;
    for (uint32_t i = (hole + 1) & mask; t->slots[i].ref != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)series_at(t, t->slots[i].ref)->hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        t->slots[hole] = t->slots[i];
        hole = i;
    }
    t->slots[hole] = (struct series_slot){0};
}

static series_ref next_slot(struct series_table *t)
{
    series_ref ref = t->next++;
    struct series **segment = &t->segments[ref / SEGMENT_SERIES];
    if (*segment == NULL)
        *segment = account_take(t->account, SEGMENT_SERIES * sizeof(struct series));
    return ref;
}

static series_ref take_slot(struct series_table *t)
{
    series_ref ref = t->free;
    if (ref == 0)
        return next_slot(t);
    t->free = series_at(t, ref)->next_free;
    return ref;
}

/* A number whose turns are used up is not given out again: number and turn together never mean two series. */
static void give_slot_back(struct series_table *t, series_ref ref)
{
    struct series *s = series_at(t, ref);
    if (s->turn == UINT16_MAX)
        return;
    s->turn++;
    s->next_free = t->free;
    t->free = ref;
}

bool series_room(const struct series_table *t)
{
    return t->free != 0 || t->next / SEGMENT_SERIES < t->segments_max;
}

size_t series_bytes_max(const struct series_key *key)
{
    size_t bytes = 2 * sizeof(struct series) + 4 * sizeof(struct series_slot) + spellings_bytes_max();
    for (size_t i = 0; i < key->count; i++)
        bytes += sizeof(pair_id) + pair_bytes_max(&key->labels[i]);
    return bytes;
}

static void make(struct series_table *t, struct pairs *pairs, const struct series_key *key, series_ref ref,
                 uint16_t turn)
{
    if ((t->living + 1) / 3 >= t->capacity / 4)
        grow(t);
    struct series *s = series_at(t, ref);
    *s = (struct series){
        .hash = key->hash, .pair_count = (uint16_t)key->count, .turn = turn, .state = SERIES_LIVING};
    s->pairs = account_take(t->account, key->count * sizeof *s->pairs);
    for (size_t i = 0; i < key->count; i++) {
        struct pair *pair = pairs_use(pairs, &key->labels[i], key->pair_hashes[i]);
        pair_post(pairs, pair, ref);
        s->pairs[i] = pair->id;
    }
    place(t, key->hash, ref);
    t->held++;
    t->living++;
}

series_ref series_add(struct series_table *t, struct pairs *pairs, const struct series_key *key)
{
    series_ref ref = take_slot(t);
    make(t, pairs, key, ref, series_at(t, ref)->turn);
    return ref;
}

bool series_restore(struct series_table *t, struct pairs *pairs, const struct series_key *key, series_ref ref,
                    uint16_t turn)
{
    if (ref / SEGMENT_SERIES >= t->segments_max)
        return false;
    while (t->next <= ref)
        next_slot(t);
    must(series_at(t, ref)->state == SERIES_FREE);
    make(t, pairs, key, ref, turn);
    return true;
}

void series_restored(struct series_table *t)
{
    t->free = 0;
    for (series_ref ref = t->next - 1; ref > 0; ref--)
        if (series_at(t, ref)->state == SERIES_FREE && series_at(t, ref)->turn < UINT16_MAX) {
            series_at(t, ref)->next_free = t->free;
            t->free = ref;
        }
}

static void forget_spelling(struct series_table *t, series_ref ref)
{
    struct series *s = series_at(t, ref);
    if (s->spelt)
        spellings_remove(&t->spellings, s->spelling, ref);
    s->spelt = false;
}

void series_spell(struct series_table *t, series_ref ref, const struct spelling *spelling)
{
    series_ref before = spellings_find(&t->spellings, spelling);
    if (before == ref)
        return;
    if (before != 0)
        forget_spelling(t, before);
    forget_spelling(t, ref);
    spellings_add(&t->spellings, spelling, ref);
    series_at(t, ref)->spelling = spelling->a;
    series_at(t, ref)->spelt = true;
}

void series_kill(struct series_table *t, series_ref ref)
{
    struct series *s = series_at(t, ref);
    must(s->state == SERIES_LIVING);
    unplace(t, s->hash, ref);
    forget_spelling(t, ref);
    s->state = SERIES_DEAD;
    t->living--;
}

void series_free(struct series_table *t, struct pairs *pairs, series_ref ref)
{
    struct series *s = series_at(t, ref);
    if (s->state == SERIES_LIVING)
        series_kill(t, ref);
    ring_clear(&s->ring, t->account);
    release_shown(t, s);
    for (size_t i = 0; i < s->pair_count; i++)
        pairs_leave(pairs, s->pairs[i]);
    account_give(t->account, s->pairs, s->pair_count * sizeof *s->pairs);
    s->state = SERIES_FREE;
    give_slot_back(t, ref);
    t->held--;
}
