#include "series_priv.h"

#include "slab_priv.h"
#include "tocsin/check.h"
#include "tocsin/labels.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

void series_table_init(struct series_table *t, size_t series_max, struct account *account)
{
    must(limits.labels_per_series <= UINT8_MAX);
    *t = (struct series_table){.account = account, .next = 1};
    t->segments_max = series_max / SEGMENT_SERIES + 2;
    t->segments = account_take(account, t->segments_max * sizeof *t->segments);
    slots_init(&t->by_labels, account);
    slots_init(&t->by_spelling, account);
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
    slots_release(&t->by_labels);
    slots_release(&t->by_spelling);
}

static uint64_t hash_of(const struct label *label, const struct series_key *like, size_t i)
{
    if (like != NULL && i < like->count && str_eq(like->labels[i].value, label->value) &&
        str_eq(like->labels[i].name, label->name))
        return like->pair_hashes[i];
    return pair_hash(label->name, label->value);
}

struct series_key series_key_make(const struct label *labels, size_t count, const struct series_key *like,
                                  uint64_t *hashes)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_of(&labels[i], like, i);
        hash = hash_mix(hash, hashes[i]);
    }
    return (struct series_key){labels, count, hashes, hash};
}

static uint32_t tag_of(const struct series_key *key)
{
    return (uint32_t)key->hash;
}

static bool pair_is(const struct pair *pair, const struct label *label, uint64_t hash)
{
    return pair->hash == hash && str_eq(pair_value(pair), label->value) &&
           str_eq(pair_name(pair), label->name);
}

static bool series_is(const struct series *s, const struct pairs *pairs, const struct series_key *key)
{
    if (s->pair_count != key->count)
        return false;
    for (size_t i = 0; i < key->count; i++)
        if (!pair_is(pair_at(pairs, s->pairs[i]), &key->labels[i], key->pair_hashes[i]))
            return false;
    return true;
}

series_ref series_find(const struct series_table *t, const struct pairs *pairs, const struct series_key *key)
{
    uint32_t at = slots_home(&t->by_labels, tag_of(key));
    series_ref ref;
    while ((ref = slots_next(&t->by_labels, tag_of(key), &at)) != 0)
        if (series_is(series_at(t, ref), pairs, key))
            break;
    return ref;
}

static series_ref next_slot(struct series_table *t)
{
    series_ref ref = t->next++;
    struct series **segment = &t->segments[ref / SEGMENT_SERIES];
    if (*segment == NULL)
        *segment = account_take_lines(t->account, SEGMENT_SERIES * sizeof(struct series));
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
    size_t bytes = 2 * sizeof(struct series) + 2 * slots_bytes_max();
    for (size_t i = 0; i < key->count; i++)
        bytes += sizeof(pair_id) + pair_bytes_max(&key->labels[i]);
    return bytes;
}

static struct pair *use_pair(const struct series_table *t, struct pairs *pairs, const struct series_key *key,
                             size_t i, series_ref like)
{
    const struct series *neighbour = like != 0 ? series_at(t, like) : NULL;
    if (neighbour != NULL && i < neighbour->pair_count) {
        struct pair *pair = pair_at(pairs, neighbour->pairs[i]);
        if (pair_is(pair, &key->labels[i], key->pair_hashes[i])) {
            pair->uses++;
            return pair;
        }
    }
    return pairs_use(pairs, &key->labels[i], key->pair_hashes[i]);
}

static bool is_typed(const struct label *label)
{
    return str_is(label->name, LABEL_METRIC_TYPE) || str_is(label->name, LABEL_METRIC_UNIT);
}

/* In a free slot, whose turn it keeps. */
static void make(struct series_table *t, struct pairs *pairs, const struct series_key *key, series_ref ref,
                 series_ref like)
{
    struct series *s = series_at(t, ref);
    *s = (struct series){
        .hash_tag = tag_of(key), .pair_count = (uint8_t)key->count, .turn = s->turn, .state = SERIES_LIVING};
    s->pairs = slab_take(t->account->slab, key->count * sizeof *s->pairs);
    for (size_t i = 0; i < key->count; i++) {
        struct pair *pair = use_pair(t, pairs, key, i, like);
        pair_post(pairs, pair, ref);
        s->pairs[i] = pair->id;
        t->any_typed |= is_typed(&key->labels[i]);
    }
    slots_add(&t->by_labels, s->hash_tag, ref);
    t->held++;
    t->living++;
}

series_ref series_add(struct series_table *t, struct pairs *pairs, const struct series_key *key,
                      series_ref like)
{
    series_ref ref = take_slot(t);
    make(t, pairs, key, ref, like);
    return ref;
}

bool series_restore(struct series_table *t, struct pairs *pairs, const struct series_key *key,
                    series_ref like, series_ref ref, uint16_t turn)
{
    if (ref / SEGMENT_SERIES >= t->segments_max)
        return false;
    while (t->next <= ref)
        next_slot(t);
    must(series_at(t, ref)->state == SERIES_FREE);
    series_at(t, ref)->turn = turn;
    make(t, pairs, key, ref, like);
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
    if (s->spelling != 0)
        slots_remove(&t->by_spelling, s->spelling_tag, ref);
    s->spelling = 0;
}

void series_spell(struct series_table *t, series_ref ref, const struct spelling *spelling)
{
    series_ref before = series_spelt(t, spelling);
    if (before == ref)
        return;
    if (before != 0)
        forget_spelling(t, before);
    forget_spelling(t, ref);
    struct series *s = series_at(t, ref);
    s->spelling = spelling->a;
    s->spelling_tag = spelling_tag(spelling);
    slots_add(&t->by_spelling, s->spelling_tag, ref);
}

void series_kill(struct series_table *t, series_ref ref)
{
    struct series *s = series_at(t, ref);
    must(s->state == SERIES_LIVING);
    slots_remove(&t->by_labels, s->hash_tag, ref);
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
    slab_give(t->account->slab, s->pairs, s->pair_count * sizeof *s->pairs);
    s->state = SERIES_FREE;
    give_slot_back(t, ref);
    t->held--;
}
