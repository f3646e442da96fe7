#include "dedup_priv.h"

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

struct str dedup_reason_text(enum dedup_reason reason)
{
    static const char *const texts[] = {"none",
                                        "first notification",
                                        "new alerts added",
                                        "some alerts resolved",
                                        "all alerts resolved",
                                        "repeat interval elapsed"};
    return str_of(texts[reason]);
}

enum dedup_reason dedup_decide(const struct dedup_told *told, const struct hash_set *firing,
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
