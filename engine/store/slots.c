#include "slots_priv.h"

#include "tocsin/check.h"

enum { CAPACITY_MIN = 64 };

void slots_init(struct slots *s, struct account *account)
{
    *s = (struct slots){.account = account};
}

void slots_release(struct slots *s)
{
    account_give(s->account, s->item, s->capacity * sizeof *s->item);
    slots_init(s, s->account);
}

size_t slots_bytes_max(void)
{
    return 4 * sizeof(struct slot); /* doubling shared out over those that caused it */
}

static void place(struct slots *s, struct slot slot)
{
    uint32_t i = slots_home(s, slot.tag);
    while (s->item[i].ref != 0)
        i = (i + 1) & (s->capacity - 1);
    s->item[i] = slot;
}

static void grow(struct slots *s)
{
    struct slot *old = s->item;
    uint32_t old_capacity = s->capacity;
    s->capacity = old_capacity > 0 ? old_capacity * 2 : CAPACITY_MIN;
    s->item = account_take(s->account, s->capacity * sizeof *s->item);
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old[i].ref != 0)
            place(s, old[i]);
    account_give(s->account, old, old_capacity * sizeof *old);
}

void slots_add(struct slots *s, uint32_t tag, series_ref ref)
{
    if (s->count + 1 > s->capacity / 4 * 3)
        grow(s);
    place(s, (struct slot){tag, ref});
    s->count++;
}

/* Moves back what was pushed over the hole, so that no tombstones are needed. */
static void close_gap(struct slots *s, uint32_t hole)
{
    uint32_t mask = s->capacity - 1;
    for (uint32_t i = (hole + 1) & mask; s->item[i].ref != 0; i = (i + 1) & mask) {
        uint32_t home = slots_home(s, s->item[i].tag);
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        s->item[hole] = s->item[i];
        hole = i;
    }
    s->item[hole] = (struct slot){0};
}

void slots_remove(struct slots *s, uint32_t tag, series_ref ref)
{
    uint32_t i = slots_home(s, tag);
    while (s->item[i].ref != ref) {
        must(s->item[i].ref != 0);
        i = (i + 1) & (s->capacity - 1);
    }
    close_gap(s, i);
    s->count--;
}
