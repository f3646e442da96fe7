#include "spine_priv.h"
#include "tocsin/histogram.h"

/* The last sample of a wide block before t_ms, if there is one. */
static const struct histogram *last_before(const struct block *b, int64_t t_ms)
{
    size_t n = block_upto(b, t_ms - 1);
    return n > 0 ? block_get(b, n - 1).histogram : NULL;
}

const struct histogram *ring_histogram_before(const struct ring *r, int64_t t_ms)
{
    if (t_ms == INT64_MIN)
        return NULL;
    if (r->open != NULL && block_time(r->open, 0) < t_ms)
        return last_before(r->open, t_ms);
    size_t n = spine_upto(r, t_ms - 1);
    if (n == 0 || !sealed_is_wide(&r->spine->item[n - 1]))
        return NULL;
    return last_before(r->spine->item[n - 1].wide, t_ms);
}

static void forget(const struct block *b, size_t i)
{
    struct histogram *h = (struct histogram *)block_get(b, i).histogram;
    if (h != NULL && h->hint == HINT_NOT_RESET)
        h->hint = HINT_UNKNOWN;
}

/* The first stretch that reaches beyond t_ms; NULL: none does. */
static const struct sealed *stretch_after(const struct ring *r, int64_t t_ms)
{
    size_t n = spine_count(r);
    size_t i = n > 0 ? spine_upto(r, t_ms) : 0;
    for (i -= i > 0; i < n; i++)
        if (r->spine->item[i].newest_ms > t_ms)
            return &r->spine->item[i];
    return NULL;
}

void ring_forget_hint_after(struct ring *r, int64_t t_ms)
{
    const struct sealed *s = stretch_after(r, t_ms);
    if (s != NULL && !sealed_is_wide(s))
        return;
    const struct block *b = s != NULL ? s->wide : r->open;
    size_t i = b != NULL ? block_upto(b, t_ms) : 0;
    if (b != NULL && i < b->count)
        forget(b, i);
}
