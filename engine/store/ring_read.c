/* Reading: copies of samples. */
#include "box_priv.h"
#include "spine_priv.h"
#include "tocsin/err.h"

struct reading {
    int64_t after_ms, upto_ms;
    struct arena *arena;
    struct sample *samples;
    size_t count;
};

static size_t block_count_within(const struct block *b, int64_t after_ms, int64_t upto_ms)
{
    return block_upto(b, upto_ms) - block_upto(b, after_ms);
}

/* At least as many as there are. */
static size_t count_about(const struct ring *r, int64_t after_ms, int64_t upto_ms)
{
    size_t n = r->open != NULL ? block_count_within(r->open, after_ms, upto_ms) : 0;
    size_t end;
    for (size_t i = spine_within(r, after_ms, upto_ms, &end); i < end; i++) {
        const struct sealed *s = &r->spine->item[i];
        n += sealed_is_wide(s) ? s->count : sealed_count_about(s, after_ms, upto_ms);
    }
    return n;
}

/* Gives a copied-out sample its own histogram. False past the arena's cap. */
static bool own_box(struct sample *s, struct arena *arena)
{
    if (s->histogram == NULL)
        return true;
    void *memory = arena_alloc(arena, box_bytes(s->histogram));
    s->histogram = memory != NULL ? box_copy(memory, s->histogram) : NULL;
    return memory != NULL;
}

static bool read_block(struct reading *to, const struct block *b)
{
    size_t end = block_upto(b, to->upto_ms);
    for (size_t i = block_upto(b, to->after_ms); i < end; i++) {
        struct sample *s = &to->samples[to->count++];
        *s = block_get(b, i);
        if (!own_box(s, to->arena))
            return false;
    }
    return true;
}

/* How many samples of a wide stretch are at or before t_ms. */
static size_t wide_upto(const struct sealed *s, int64_t t_ms)
{
    int64_t times[WIDE_SAMPLES_MAX];
    size_t n = s->count;
    wide_times(s->packed, s->oldest_ms, n, times);
    while (n > 0 && times[n - 1] > t_ms)
        n--;
    return n;
}

static bool read_wide(struct reading *to, const struct sealed *s)
{
    size_t from = wide_upto(s, to->after_ms), end = wide_upto(s, to->upto_ms);
    struct sample *out = to->samples + to->count;
    to->count += end - from;
    return wide_unpack(s->packed, s->oldest_ms, s->count, from, end, to->arena, out) == 0;
}

static void read_packed(struct reading *to, const struct sealed *s)
{
    struct point points[GROUP_SAMPLES];
    int64_t starts[GROUP_SAMPLES];
    struct sealed_walk w = sealed_walk(s, to->after_ms);
    for (size_t n; (n = sealed_next(&w, points, starts)) > 0;)
        for (size_t i = 0; i < n; i++) {
            if (points[i].t_ms > to->upto_ms)
                return;
            if (points[i].t_ms > to->after_ms)
                to->samples[to->count++] =
                    (struct sample){.t_ms = points[i].t_ms, .start_ms = starts[i], .value = points[i].value};
        }
}

static bool read_all(struct reading *to, const struct ring *r)
{
    size_t end;
    for (size_t i = spine_within(r, to->after_ms, to->upto_ms, &end); i < end; i++) {
        const struct sealed *s = &r->spine->item[i];
        if (!sealed_is_wide(s))
            read_packed(to, s);
        else if (!read_wide(to, s))
            return false;
    }
    return r->open == NULL || read_block(to, r->open);
}

int ring_read(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample **samples, size_t *count)
{
    struct reading to = {.after_ms = after_ms, .upto_ms = upto_ms, .arena = arena};
    bool any = after_ms < upto_ms;
    to.samples = ARENA_ARRAY(arena, struct sample, any ? count_about(r, after_ms, upto_ms) : 0);
    bool read = to.samples != NULL && (!any || read_all(&to, r));
    *samples = to.samples;
    *count = to.count;
    return read ? 0 : ERR_LIMIT;
}

/* The newest at or before t_ms, which is not before the item begins. */
static struct sample packed_last(const struct sealed *s, int64_t t_ms)
{
    struct sealed_place p;
    sealed_upto(s, t_ms, (enum window_wish)0, &p);
    int64_t start_ms = s->has_starts ? sealed_start(s, p.index) : 0;
    return (struct sample){.t_ms = p.found.point.t_ms, .start_ms = start_ms, .value = p.found.point.value};
}

/* The newest at or before t_ms in what is sealed: 1, 0 or ERR_LIMIT. */
static int last_sealed(const struct ring *r, int64_t t_ms, struct arena *arena, struct sample *out)
{
    size_t i = spine_upto(r, t_ms);
    if (i == 0)
        return 0;
    const struct sealed *s = &r->spine->item[i - 1];
    if (!sealed_is_wide(s)) {
        *out = packed_last(s, t_ms);
        return 1;
    }
    size_t end = wide_upto(s, t_ms);
    int rc = wide_unpack(s->packed, s->oldest_ms, s->count, end - 1, end, arena, out);
    return rc < 0 ? rc : 1;
}

int ring_last(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample *out)
{
    size_t upto = r->open != NULL ? block_upto(r->open, upto_ms) : 0;
    if (upto == 0) {
        int rc = last_sealed(r, upto_ms, arena, out);
        return rc == 1 && out->t_ms <= after_ms ? 0 : rc;
    }
    *out = block_get(r->open, upto - 1);
    if (out->t_ms <= after_ms)
        return 0;
    return own_box(out, arena) ? 1 : ERR_LIMIT;
}

/* The time of the newest at or before t_ms, which is not before the item begins. */
static int64_t sealed_last_ms(const struct sealed *s, int64_t t_ms)
{
    int64_t times[WIDE_SAMPLES_MAX];
    if (s->newest_ms <= t_ms)
        return s->newest_ms;
    if (!sealed_is_wide(s)) {
        struct sealed_place p;
        sealed_upto(s, t_ms, (enum window_wish)0, &p);
        return p.found.point.t_ms;
    }
    wide_times(s->packed, s->oldest_ms, s->count, times);
    return times[wide_upto(s, t_ms) - 1];
}

bool ring_lives(const struct ring *r, int64_t from_ms, int64_t upto_ms)
{
    size_t upto = r->open != NULL ? block_upto(r->open, upto_ms) : 0;
    if (upto > 0)
        return block_time(r->open, upto - 1) >= from_ms;
    size_t i = spine_upto(r, upto_ms);
    return i > 0 && sealed_last_ms(&r->spine->item[i - 1], upto_ms) >= from_ms;
}
