/* Where a time is in a spine: samples mostly come at one pace, so that a guess is near. */
#include "spine_priv.h"

/* Where the one that begins at or before t_ms would be if all were as long; the first begins before, the last after
 * it. */
static size_t guess(const struct spine *s, int64_t t_ms)
{
    double from = (double)s->item[0].oldest_ms, to = (double)s->item[s->count - 1].oldest_ms;
    return (size_t)(((double)t_ms - from) / (to - from) * (double)(s->count - 1));
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many items begin at or before t_ms: from low to high. */
static size_t halve(const struct spine *s, size_t low, size_t high, int64_t t_ms)
{
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->item[middle].oldest_ms <= t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t spine_upto(const struct ring *r, int64_t t_ms)
{
    const struct spine *s = r->spine;
    if (s == NULL || s->item[0].oldest_ms > t_ms)
        return 0;
    if (s->item[s->count - 1].oldest_ms <= t_ms)
        return s->count;
    size_t low = 1, high = s->count - 1; /* the answer is one of them, or in between */
    size_t probe = least(guess(s, t_ms), high - (high > low));
    bool upward = s->item[probe].oldest_ms <= t_ms;
    for (size_t stride = 1; low < high; stride *= 2) {
        if (s->item[probe].oldest_ms <= t_ms)
            low = probe + 1;
        else
            high = probe;
        if ((s->item[probe].oldest_ms <= t_ms) != upward)
            break;
        if (upward)
            probe = least(probe + stride, high - 1);
        else
            probe = high - low > stride ? high - stride : low;
    }
    return halve(s, low, high, t_ms);
}

size_t spine_within(const struct ring *r, int64_t after_ms, int64_t upto_ms, size_t *end)
{
    size_t i = spine_upto(r, after_ms);
    *end = spine_upto(r, upto_ms);
    if (i > 0 && r->spine->item[i - 1].newest_ms > after_ms)
        i--;
    return i;
}

void spine_touch_last(const struct spine *s)
{
    spine_touch_item(s, s->count - 1);
}

void spine_touch_guess(const struct spine *s, int64_t t_ms)
{
    if (s->item[0].oldest_ms <= t_ms && s->item[s->count - 1].oldest_ms > t_ms)
        spine_touch_item(s, guess(s, t_ms));
}
