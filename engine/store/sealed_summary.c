/*
 * What the samples of a stretch come to, kept in few bytes: what differs from what a counter would have stands behind
 * the groups, part by part.
 */
#include "sealed_prefix_priv.h"
#include "tocsin/sample.h"

struct falls {
    struct sealed_bounds bounds;
    double correction;
    uint32_t resets;
    bool has_nan, has_inf, has_huge, whole_resets;
};

struct stale {
    int64_t first_ms, last_ms;
    uint64_t count;
};

_Static_assert(sizeof(double) == SEALED_LOSS_BYTES && sizeof(struct falls) == SEALED_FALLS_BYTES &&
                   sizeof(struct stale) == SEALED_STALE_BYTES,
               "as counted");

size_t sealed_held(const struct sealed *s)
{
    if (s->bytes == 0)
        return 0;
    size_t bytes = s->bytes + BITS_SLACK + sealed_aside_bytes(s);
    return bytes + ((s->aside & SEALED_PREFIX) != 0 ? sealed_prefix_bytes(s) : 0);
}

static bool same(double a, double b)
{
    return double_bits(a) == double_bits(b);
}

/* The item alone would say the same. Where no value falls the first one is the least; but a zero at the end may have
 * met one of the other sign before, which is the greatest then. */
static bool never_falls(const struct window_summary *in)
{
    return in->resets == 0 && same(in->max, in->last) && !in->has_nan && !in->has_inf && !in->has_huge &&
           in->whole_resets;
}

static bool has_stale(const struct sealed *s, const struct window_summary *in)
{
    return in->count != s->count || in->first_ms != s->oldest_ms || in->last_ms != s->newest_ms;
}

static uint8_t *aside(const struct sealed *s)
{
    return s->packed + s->bytes + BITS_SLACK;
}

static uint8_t *put(uint8_t *at, const void *part, size_t bytes)
{
    memcpy(at, part, bytes);
    return at + bytes;
}

static const uint8_t *take(const uint8_t *at, void *part, size_t bytes)
{
    memcpy(part, at, bytes);
    return at + bytes;
}

static void put_aside(const struct sealed *s, const struct window_summary *in)
{
    struct falls falls = {{in->min, in->max}, in->correction, in->resets,      in->has_nan,
                          in->has_inf,        in->has_huge,   in->whole_resets};
    struct stale stale = {in->first_ms, in->last_ms, in->count};
    uint8_t *at = aside(s);
    if ((s->aside & SEALED_LOSS) != 0)
        at = put(at, &in->rest, sizeof in->rest);
    if ((s->aside & SEALED_FALLS) != 0)
        at = put(at, &falls, sizeof falls);
    if ((s->aside & SEALED_STALE) != 0)
        put(at, &stale, sizeof stale);
}

static void set_falls(struct window_summary *in, const struct falls *falls)
{
    in->min = falls->bounds.min;
    in->max = falls->bounds.max;
    in->correction = falls->correction;
    in->resets = falls->resets;
    in->has_nan = falls->has_nan;
    in->has_inf = falls->has_inf;
    in->has_huge = falls->has_huge;
    in->whole_resets = falls->whole_resets;
}

static void set_stale(struct window_summary *in, const struct stale *stale)
{
    in->first_ms = stale->first_ms;
    in->last_ms = stale->last_ms;
    in->count = (uint32_t)stale->count;
}

void sealed_take_aside(const struct sealed *s, struct window_summary *in)
{
    struct falls falls;
    struct stale stale;
    const uint8_t *at = aside(s);
    if ((s->aside & SEALED_LOSS) != 0)
        at = take(at, &in->rest, sizeof in->rest);
    if ((s->aside & SEALED_FALLS) != 0) {
        at = take(at, &falls, sizeof falls);
        set_falls(in, &falls);
    }
    if ((s->aside & SEALED_STALE) != 0) {
        take(at, &stale, sizeof stale);
        set_stale(in, &stale);
    }
}

void sealed_touch_aside(const struct sealed *s)
{
    mem_touch_all(aside(s), sealed_aside_bytes(s));
}

void sealed_remember(struct account *account, struct sealed *s, const struct window_summary *in)
{
    size_t held = sealed_held(s);
    s->first = in->first;
    s->last = in->last;
    s->sum = in->sum;
    s->changes = in->changes & SEALED_CHANGES_MASK;
    s->has_starts = in->has_starts;
    s->aside = (same(in->rest, 0) ? 0 : SEALED_LOSS) | (never_falls(in) ? 0 : SEALED_FALLS) |
               (has_stale(s, in) ? SEALED_STALE : 0);
    if (sealed_held(s) != held)
        s->packed = account_resize(account, s->packed, held, sealed_held(s));
    put_aside(s, in);
}
