/*
 * slots: a hash table of series numbers, eight bytes a slot at a load of one half to three quarters.
 *
 * Each slot keeps 32 bits of the key's hash, its tag: enough to find its place again when the table grows, so that growing never
 * touches a series. Which of the series with a tag is meant, the caller finds out (at most one in some thousands is another one).
 * Guarded by the index lock.
 */
#ifndef TOCSIN_STORE_SLOTS_PRIV_H
#define TOCSIN_STORE_SLOTS_PRIV_H

#include "account_priv.h"
#include "tocsin/mem.h"
#include "tocsin/view.h"

struct slot {
    uint32_t tag;
    series_ref ref; /* 0: free */
};

struct slots {
    struct slot *item;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
    struct account *account;
};

void slots_init(struct slots *s, struct account *account);
void slots_release(struct slots *s);

/* Bytes that adding one may take. */
size_t slots_bytes_max(void);

/* Adds one that is not there; takes one out that is. */
void slots_add(struct slots *s, uint32_t tag, series_ref ref);
void slots_remove(struct slots *s, uint32_t tag, series_ref ref);

/* The series with this tag, one after the other: `for (at = slots_home(s, tag); (ref = slots_next(s, tag, &at)) != 0;)`. */
static inline uint32_t slots_home(const struct slots *s, uint32_t tag)
{
    return tag & (s->capacity - 1);
}

static inline series_ref slots_next(const struct slots *s, uint32_t tag, uint32_t *at)
{
    if (s->capacity == 0)
        return 0;
    for (;;) {
        const struct slot *slot = &s->item[*at];
        *at = (*at + 1) & (s->capacity - 1);
        if (slot->ref == 0 || slot->tag == tag)
            return slot->ref;
    }
}

/* Brings the slot near, so that a look-up soon after does not wait for memory. */
static inline void slots_touch(const struct slots *s, uint32_t tag)
{
    if (s->capacity > 0)
        mem_touch(&s->item[slots_home(s, tag)]);
}

#endif
