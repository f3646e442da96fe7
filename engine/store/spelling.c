#include "spelling_priv.h"

#include "tocsin/check.h"

enum { CAPACITY_MIN = 64 };

void spellings_init(struct spellings *s, struct account *account)
{
    *s = (struct spellings){.account = account};
}

void spellings_release(struct spellings *s)
{
    account_give(s->account, s->slots, s->capacity * sizeof *s->slots);
    spellings_init(s, s->account);
}

static uint32_t check_of(const struct spelling *spelling)
{
    return (uint32_t)spelling->b;
}

series_ref spellings_find(const struct spellings *s, const struct spelling *spelling)
{
    if (s->capacity == 0)
        return 0;
    uint32_t mask = s->capacity - 1;
    for (uint32_t i = (uint32_t)spelling->a & mask; s->slots[i].ref != 0; i = (i + 1) & mask)
        if (s->slots[i].hash == spelling->a && s->slots[i].check == check_of(spelling))
            return s->slots[i].ref;
    return 0;
}

static void place(struct spellings *s, const struct spelling_slot *slot)
{
    uint32_t mask = s->capacity - 1;
    uint32_t i = (uint32_t)slot->hash & mask;
    while (s->slots[i].ref != 0)
        i = (i + 1) & mask;
    s->slots[i] = *slot;
}

static void grow(struct spellings *s)
{
    struct spelling_slot *old = s->slots;
    uint32_t old_capacity = s->capacity;
    s->capacity = old_capacity > 0 ? old_capacity * 2 : CAPACITY_MIN;
    s->slots = account_take(s->account, s->capacity * sizeof *s->slots);
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old[i].ref != 0)
            place(s, &old[i]);
    account_give(s->account, old, old_capacity * sizeof *old);
}

size_t spellings_bytes_max(void)
{
    return 4 * sizeof(struct spelling_slot); /* doubling shared out over those that caused it */
}

void spellings_add(struct spellings *s, const struct spelling *spelling, series_ref ref)
{
    if (s->count + 1 > s->capacity / 4 * 3)
        grow(s);
    place(s, &(struct spelling_slot){spelling->a, check_of(spelling), ref});
    s->count++;
}

/* Closes the gap by moving back what was pushed over it, so that no tombstones are needed. */
static void close_gap(struct spellings *s, uint32_t hole)
{
    uint32_t mask = s->capacity - 1;
    for (uint32_t i = (hole + 1) & mask; s->slots[i].ref != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)s->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        s->slots[hole] = s->slots[i];
        hole = i;
    }
    s->slots[hole] = (struct spelling_slot){0};
}

void spellings_remove(struct spellings *s, uint64_t hash, series_ref ref)
{
    uint32_t mask = s->capacity - 1;
    uint32_t i = (uint32_t)hash & mask;
    while (s->slots[i].ref != ref || s->slots[i].hash != hash) {
        must(s->slots[i].ref != 0);
        i = (i + 1) & mask;
    }
    close_gap(s, i);
    s->count--;
}
