/* An account with what rings take their blocks from. */
#ifndef TOCSIN_TESTS_ACCOUNT_HELP_H
#define TOCSIN_TESTS_ACCOUNT_HELP_H

#include "../../engine/store/slab_priv.h"

struct counted {
    struct account account;
    struct slab slab;
};

static inline void counted_open(struct counted *c)
{
    *c = (struct counted){0};
    slab_init(&c->slab, &c->account);
    c->account.slab = &c->slab;
}

/* What is in use, without spare chunks. */
static inline int64_t counted_bytes(struct counted *c)
{
    slab_trim(&c->slab);
    return c->account.bytes;
}

static inline void counted_close(struct counted *c)
{
    slab_release(&c->slab);
}

#endif
