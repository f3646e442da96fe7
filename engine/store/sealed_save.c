/* A packed stretch as bytes for a snapshot: what cannot be told from the groups, then the groups as they are. */
#include "sealed_priv.h"
#include "tocsin/err.h"
#include "varint_priv.h"

size_t sealed_save_bytes_max(const struct sealed *s)
{
    return 3 * VARINT_BYTES_MAX + s->bytes;
}

size_t sealed_save(const struct sealed *s, char *to)
{
    char *at = varint_put(varint_put(varint_put_signed(to, s->oldest_ms), s->step_ms), s->count);
    memcpy(at, s->packed, s->bytes);
    return (size_t)(at - to) + s->bytes;
}

/* Looks at each group before it is unpacked, then at what came out of it, and sums it up. */
static bool prove(struct sealed *s, struct window_summary *in)
{
    struct point points[GROUP_SAMPLES];
    struct sealed_walk w = {.sealed = s};
    int64_t before_ms = 0;
    while (w.at < s->bytes) {
        if (w.index % GROUP_SAMPLES != 0 || w.index >= s->count ||
            !group_is_sound(s->packed + w.at, s->bytes - w.at))
            return false;
        sealed_mark(s, w.index, w.at);
        in->has_starts |= group_peek(s->packed + w.at, (struct pace){0}).started;
        size_t first = w.index, n = sealed_next(&w, points, NULL);
        for (size_t i = 0; i < n; i++) {
            if (first + i == 0 ? points[i].t_ms != s->oldest_ms : points[i].t_ms <= before_ms)
                return false;
            before_ms = points[i].t_ms;
        }
        summary_add(in, points, n);
    }
    s->newest_ms = before_ms;
    return w.index == s->count;
}

int sealed_load(struct account *account, struct str saved, struct sealed *out)
{
    struct taking t = taking_of(saved);
    struct window_summary in = {0};
    struct sealed s = {.oldest_ms = take_signed(&t)};
    s.step_ms = (uint32_t)take_upto(&t, UINT32_MAX);
    s.count = (uint16_t)take_upto(&t, SEALED_SAMPLES_MAX);
    s.bytes = (uint16_t)taking_left(&t);
    if (t.bad || s.count == 0 || s.bytes == 0 || taking_left(&t) > sealed_bytes_max(s.count))
        return ERR_CORRUPT;
    if (!account_has_room(account, sealed_held(&s) + SEALED_ASIDE_MAX))
        return ERR_FULL;
    s.packed = account_take(account, sealed_held(&s));
    memcpy(s.packed, t.at, s.bytes);
    if (!prove(&s, &in)) {
        sealed_free(account, &s);
        return ERR_CORRUPT;
    }
    sealed_remember(account, &s, &in);
    *out = s;
    return 0;
}
