#include "dedup_priv.h"

#include "tocsin/mem.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void hash_set_sort(struct hash_set *set)
{
    if (set->count == 0)
        return;
    qsort(set->items, set->count, sizeof *set->items, by_value);
    size_t kept = 1;
    for (size_t i = 1; i < set->count; i++) {
        if (set->items[i] != set->items[kept - 1])
            set->items[kept++] = set->items[i];
    }
    set->count = kept;
}

bool hash_set_has(const struct hash_set *set, uint64_t hash)
{
    return set->count > 0 && bsearch(&hash, set->items, set->count, sizeof *set->items, by_value) != NULL;
}

bool hash_set_within(const struct hash_set *part, const struct hash_set *whole)
{
    for (size_t i = 0; i < part->count; i++) {
        if (!hash_set_has(whole, part->items[i]))
            return false;
    }
    return true;
}

static struct hash_set empty_set(size_t capacity)
{
    return (struct hash_set){.items = MEM_ARRAY(uint64_t, capacity + 1)};
}

struct hash_set hash_set_copy(const struct hash_set *set)
{
    return hash_set_join(set, &(struct hash_set){0});
}

struct hash_set hash_set_join(const struct hash_set *a, const struct hash_set *b)
{
    struct hash_set join = empty_set(a->count + b->count);
    for (size_t i = 0; i < a->count; i++)
        join.items[join.count++] = a->items[i];
    for (size_t i = 0; i < b->count; i++)
        join.items[join.count++] = b->items[i];
    hash_set_sort(&join);
    return join;
}

static struct hash_set filter(const struct hash_set *from, const struct hash_set *by, bool in)
{
    struct hash_set left = empty_set(from->count);
    for (size_t i = 0; i < from->count; i++) {
        if (hash_set_has(by, from->items[i]) == in)
            left.items[left.count++] = from->items[i];
    }
    return left;
}

struct hash_set hash_set_meet(const struct hash_set *a, const struct hash_set *b)
{
    return filter(a, b, true);
}

struct hash_set hash_set_minus(const struct hash_set *from, const struct hash_set *what)
{
    return filter(from, what, false);
}

void hash_set_free(struct hash_set *set)
{
    mem_free(set->items);
    *set = (struct hash_set){0};
}

struct str dedup_reason_text(enum dedup_reason reason)
{
    static const char *const texts[] = {"none",
                                        "first notification",
                                        "new alerts added",
                                        "some alerts resolved",
                                        "all alerts resolved",
                                        "repeat interval elapsed",
                                        "fired and resolved during an outage"};
    return str_of(texts[reason]);
}

static bool share_one(const struct hash_set *a, const struct hash_set *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (hash_set_has(b, a->items[i]))
            return true;
    }
    return false;
}

/* As Alertmanager does. */
static enum dedup_reason decide(const struct dedup_told *told, const struct hash_set *firing,
                                const struct hash_set *resolved, bool send_resolved, int64_t tick_ns,
                                int64_t repeat_ns)
{
    if (told == NULL)
        return firing->count > 0 ? DEDUP_FIRST : DEDUP_NONE;
    if (!hash_set_within(firing, &told->firing))
        return told->firing.count == 0 ? DEDUP_FIRST : DEDUP_NEW_ALERTS;
    if (firing->count == 0)
        return told->firing.count > 0 ? DEDUP_ALL_RESOLVED : DEDUP_NONE;
    if (told->sent_ns == 0)
        return DEDUP_FIRST;
    if (send_resolved && !hash_set_within(resolved, &told->resolved))
        return DEDUP_SOME_RESOLVED;
    return told->sent_ns < tick_ns - repeat_ns ? DEDUP_REPEAT : DEDUP_NONE;
}

enum dedup_reason dedup_decide(const struct dedup_told *told, const struct hash_set *firing,
                               const struct hash_set *resolved, bool send_resolved, int64_t tick_ns,
                               int64_t repeat_ns)
{
    enum dedup_reason reason = decide(told, firing, resolved, send_resolved, tick_ns, repeat_ns);
    if (reason != DEDUP_NONE || told == NULL)
        return reason;
    if (share_one(resolved, &told->owed))
        return firing->count > 0 ? DEDUP_SOME_RESOLVED : DEDUP_ALL_RESOLVED;
    return share_one(resolved, &told->missed) ? DEDUP_LATE : DEDUP_NONE;
}
