#include "loose_priv.h"
#include "tocsin/histogram.h"

/* The last sample of a block before t_ms, if there is one. */
static const struct histogram *last_before(const struct block *b, int64_t t_ms)
{
    size_t n = block_upto(b, t_ms - 1);
    return n > 0 ? block_get(b, n - 1).histogram : NULL;
}

static enum histogram_hint hint_after_wide(const struct sealed *before, const struct sample *s)
{
    struct loose l = loose_unpack(before, 0);
    size_t n = loose_upto(&l, s->t_ms - 1);
    enum histogram_hint hint = histogram_stored_hint(n > 0 ? l.samples[n - 1].histogram : NULL, s->histogram);
    loose_release(&l);
    return hint;
}

enum histogram_hint ring_hint(const struct ring *r, const struct sample *s)
{
    if (s->t_ms > INT64_MIN && r->open != NULL && block_time(r->open, 0) < s->t_ms)
        return histogram_stored_hint(last_before(r->open, s->t_ms), s->histogram);
    size_t n = s->t_ms > INT64_MIN ? spine_upto(r, s->t_ms - 1) : 0;
    if (n > 0 && sealed_is_wide(&r->spine->item[n - 1]))
        return hint_after_wide(&r->spine->item[n - 1], s);
    return histogram_stored_hint(NULL, s->histogram);
}

/* True if the sample had a hint to forget. */
static bool forget(const struct sample *s)
{
    struct histogram *h = (struct histogram *)s->histogram;
    bool known = h != NULL && h->hint == HINT_NOT_RESET;
    if (known)
        h->hint = HINT_UNKNOWN;
    return known;
}

static void forget_in_wide(struct ring *r, size_t i, int64_t t_ms, struct account *account)
{
    struct loose l = loose_unpack(&r->spine->item[i], 0);
    if (forget(&l.samples[loose_upto(&l, t_ms)]))
        loose_pack(&l, r, i, account);
    else
        loose_release(&l);
}

/* The first stretch that reaches beyond t_ms, or how many there are: none does. */
static size_t stretch_after(const struct ring *r, int64_t t_ms)
{
    size_t n = spine_count(r);
    size_t i = n > 0 ? spine_upto(r, t_ms) : 0;
    for (i -= i > 0; i < n; i++)
        if (r->spine->item[i].newest_ms > t_ms)
            return i;
    return n;
}

void ring_forget_hint_after(struct ring *r, int64_t t_ms, struct account *account)
{
    size_t i = stretch_after(r, t_ms);
    if (i < spine_count(r)) {
        if (sealed_is_wide(&r->spine->item[i]))
            forget_in_wide(r, i, t_ms, account);
        return;
    }
    size_t at = r->open != NULL ? block_upto(r->open, t_ms) : 0;
    if (r->open != NULL && at < r->open->count) {
        struct sample after = block_get(r->open, at);
        forget(&after);
    }
}
