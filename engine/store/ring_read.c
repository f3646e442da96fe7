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
        n += sealed_is_wide(s) ? block_count_within(s->wide, after_ms, upto_ms)
                               : sealed_count_about(s, after_ms, upto_ms);
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
        else if (!read_block(to, s->wide))
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
    struct sealed_place p = sealed_upto(s, t_ms);
    int64_t start_ms = s->in.has_starts ? sealed_start(s, p.index) : 0;
    return (struct sample){.t_ms = p.point.t_ms, .start_ms = start_ms, .value = p.point.value};
}

bool ring_find_last(const struct ring *r, int64_t t_ms, struct sample *out)
{
    size_t upto = r->open != NULL ? block_upto(r->open, t_ms) : 0;
    if (upto > 0) {
        *out = block_get(r->open, upto - 1);
        return true;
    }
    size_t i = spine_upto(r, t_ms);
    if (i == 0)
        return false;
    const struct sealed *s = &r->spine->item[i - 1];
    *out = sealed_is_wide(s) ? block_get(s->wide, block_upto(s->wide, t_ms) - 1) : packed_last(s, t_ms);
    return true;
}

int ring_last(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample *out)
{
    if (!ring_find_last(r, upto_ms, out) || out->t_ms <= after_ms)
        return 0;
    return own_box(out, arena) ? 1 : ERR_LIMIT;
}
