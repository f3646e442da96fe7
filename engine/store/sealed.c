#include "sealed_priv.h"

#include "tocsin/check.h"

struct sealed sealed_of_block(struct block *wide)
{
    return (struct sealed){.wide = wide,
                           .count = wide->count,
                           .oldest_ms = block_time(wide, 0),
                           .newest_ms = block_time(wide, (size_t)wide->count - 1)};
}

static struct pace pace_at(const struct sealed *s, size_t index)
{
    return (struct pace){(int64_t)((uint64_t)s->oldest_ms + index * s->step_ms), s->step_ms};
}

static size_t with_slack(size_t bytes)
{
    return bytes > 0 ? bytes + BITS_SLACK : 0;
}

/* *held: bytes that `packed` has now. */
static void append_group(struct account *account, struct sealed *s, size_t *held, const struct point *points,
                         size_t count)
{
    uint8_t group[GROUP_BYTES_MAX] = {0};
    size_t bytes = group_pack(points, count, pace_at(s, s->count), group);
    size_t wanted = with_slack(s->bytes + bytes);
    s->packed = account_resize(account, s->packed, *held, wanted);
    *held = wanted;
    memcpy(s->packed + s->bytes, group, with_slack(bytes));
    s->last_at = s->bytes;
    s->bytes += (uint32_t)bytes;
    s->count += (uint32_t)count;
    s->newest_ms = points[count - 1].t_ms;
}

/* Takes the last group out if it is not full: it will be packed again with what follows. */
static size_t take_short_group(struct sealed *s, struct point *points)
{
    uint32_t count = s->count % GROUP_SAMPLES;
    if (count == 0)
        return 0;
    s->count -= count;
    s->bytes = s->last_at;
    return group_unpack(s->packed + s->last_at, pace_at(s, s->count), points);
}

void sealed_append(struct account *account, struct sealed *s, const struct point *points, size_t count)
{
    must(s->count + count <= SEALED_SAMPLES_MAX);
    if (s->count == 0) {
        s->oldest_ms = points[0].t_ms;
        s->step_ms = group_step(points, count < GROUP_SAMPLES ? count : GROUP_SAMPLES);
    }
    summary_add(&s->in, points, count);
    struct point group[GROUP_SAMPLES];
    size_t held = with_slack(s->bytes);
    size_t filled = take_short_group(s, group);
    while (count > 0) {
        size_t more = GROUP_SAMPLES - filled < count ? GROUP_SAMPLES - filled : count;
        memcpy(group + filled, points, more * sizeof *points);
        append_group(account, s, &held, group, filled + more);
        points += more;
        count -= more;
        filled = 0;
    }
}

size_t sealed_bytes_max(size_t count)
{
    return (count / GROUP_SAMPLES + 1) * GROUP_BYTES_MAX;
}

void sealed_free(struct account *account, struct sealed *s)
{
    if (sealed_is_wide(s))
        block_free(account, s->wide);
    else
        account_give(account, s->packed, with_slack(s->bytes));
}

static struct group_head peek(const struct sealed_walk *w)
{
    return group_peek(w->sealed->packed + w->at, pace_at(w->sealed, w->index));
}

size_t sealed_cut(struct account *account, struct sealed *s, size_t index, const struct point *points)
{
    struct sealed_walk w = {.sealed = s};
    while (w.index + GROUP_SAMPLES <= index) {
        w.at += peek(&w).bytes;
        w.index += GROUP_SAMPLES;
    }
    if (w.index == 0) {
        sealed_free(account, s);
        *s = (struct sealed){0};
        return 0;
    }
    s->packed = account_resize(account, s->packed, with_slack(s->bytes), with_slack(w.at));
    s->bytes = (uint32_t)w.at;
    s->count = (uint32_t)w.index;
    s->newest_ms = points[w.index - 1].t_ms;
    s->in = (struct window_summary){0};
    summary_add(&s->in, points, w.index);
    return w.index;
}

/* Steps over a group if the next one begins at or before after_ms. */
static bool skip(struct sealed_walk *w, int64_t after_ms)
{
    struct group_head head = peek(w);
    struct sealed_walk next = {w->sealed, w->at + head.bytes, w->index + head.count};
    if (next.at == w->sealed->bytes || peek(&next).first_ms > after_ms)
        return false;
    *w = next;
    return true;
}

struct sealed_walk sealed_walk(const struct sealed *s, int64_t after_ms)
{
    struct sealed_walk w = {.sealed = s};
    while (after_ms >= s->oldest_ms && skip(&w, after_ms))
        ;
    return w;
}

size_t sealed_next(struct sealed_walk *w, struct point *points)
{
    if (w->at == w->sealed->bytes)
        return 0;
    const uint8_t *group = w->sealed->packed + w->at;
    size_t count = group_unpack(group, pace_at(w->sealed, w->index), points);
    w->at += peek(w).bytes;
    w->index += count;
    return count;
}

size_t sealed_count_about(const struct sealed *s, int64_t after_ms, int64_t upto_ms)
{
    if (after_ms < s->oldest_ms && upto_ms >= s->newest_ms)
        return s->count;
    struct sealed_walk w = sealed_walk(s, after_ms);
    size_t first = w.index;
    while (w.at < s->bytes) {
        struct group_head head = peek(&w);
        if (head.first_ms > upto_ms)
            break;
        w.at += head.bytes;
        w.index += head.count;
    }
    return w.index - first;
}

void sealed_unpack(const struct sealed *s, struct point *points)
{
    struct sealed_walk w = {.sealed = s};
    struct point group[GROUP_SAMPLES];
    for (size_t n, at = 0; (n = sealed_next(&w, group)) > 0; at += n)
        memcpy(points + at, group, n * sizeof *points);
}
