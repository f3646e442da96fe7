#include "sealed_prefix_priv.h"

#include "group_layout_priv.h"
#include "tocsin/check.h"
#include "tocsin/kahan.h"

struct sealed sealed_wide(struct account *account, const struct sample *samples, size_t count)
{
    struct sealed s = {
        .count = (uint16_t)count, .oldest_ms = samples[0].t_ms, .newest_ms = samples[count - 1].t_ms};
    s.packed = wide_pack(account, samples, count, &s.wide_bytes);
    return s;
}

static struct pace pace_at(const struct sealed *s, size_t index)
{
    return (struct pace){(int64_t)((uint64_t)s->oldest_ms + index * s->step_ms), s->step_ms};
}

static struct group_head peek(const struct sealed_walk *w)
{
    return group_peek(w->sealed->packed + w->at, pace_at(w->sealed, w->index));
}

struct sealed_walk sealed_walk_to(const struct sealed *s, size_t index)
{
    struct sealed_walk w = {.sealed = s};
    for (size_t i = 0; i < SEALED_SKIPS && s->skip[i] > 0; i++) {
        size_t begin = (i + 1) * SEALED_SKIP * GROUP_SAMPLES;
        if (begin <= index)
            w = (struct sealed_walk){s, s->skip[i], begin};
    }
    for (; w.index + GROUP_SAMPLES <= index; w.index += GROUP_SAMPLES)
        w.at += group_bytes(s->packed + w.at);
    return w;
}

void sealed_open(const struct sealed_walk *w, struct group_at *g)
{
    group_open(w->sealed->packed + w->at, pace_at(w->sealed, w->index), g);
}

/* *held: bytes that `packed` has now. */
static void append_group(struct account *account, struct sealed *s, size_t *held, const struct point *points,
                         const int64_t *starts, size_t count)
{
    uint8_t group[GROUP_BYTES_MAX] = {0};
    size_t at = s->bytes, bytes = group_pack(points, starts, count, pace_at(s, s->count), group);
    sealed_mark(s, s->count, at);
    s->bytes = (uint16_t)(at + bytes);
    s->packed = account_resize(account, s->packed, *held, sealed_held(s));
    *held = sealed_held(s);
    memcpy(s->packed + at, group, bytes + BITS_SLACK);
    s->count = (uint16_t)(s->count + count);
    s->newest_ms = points[count - 1].t_ms;
}

/* Takes the last group out if it is not full: it will be packed again with what follows. */
static size_t take_short_group(struct sealed *s, struct point *points, int64_t *starts)
{
    if (s->count % GROUP_SAMPLES == 0)
        return 0;
    struct sealed_walk w = sealed_walk_to(s, s->count);
    s->count = (uint16_t)w.index;
    s->bytes = (uint16_t)w.at;
    return group_unpack(s->packed + w.at, pace_at(s, w.index), points, starts);
}

/* Fills a group up. Returns how many of `count` it took. */
static size_t fill(struct point *group, int64_t *group_starts, size_t filled, const struct point *points,
                   const int64_t *starts, size_t count)
{
    size_t more = GROUP_SAMPLES - filled < count ? GROUP_SAMPLES - filled : count;
    memcpy(group + filled, points, more * sizeof *points);
    if (starts != NULL)
        memcpy(group_starts + filled, starts, more * sizeof *starts);
    else
        memset(group_starts + filled, 0, more * sizeof *starts);
    return more;
}

void sealed_append(struct account *account, struct sealed *s, const struct point *points,
                   const int64_t *starts, size_t count)
{
    must(s->count + count <= SEALED_SAMPLES_MAX);
    struct window_summary in = {0};
    size_t held = sealed_held(s);
    if (s->count > 0) {
        sealed_summary(s, WINDOW_ALL, &in);
    } else {
        s->oldest_ms = points[0].t_ms;
        s->step_ms = group_step(points, count < GROUP_SAMPLES ? count : GROUP_SAMPLES);
    }
    struct sealed_prefix prefix;
    bool prefixed = sealed_prefix_take(s, &prefix);
    if (prefixed)
        sealed_prefix_add(&prefix, points, count);
    summary_add(&in, points, count);
    in.has_starts |= starts != NULL;
    struct point group[GROUP_SAMPLES];
    int64_t group_starts[GROUP_SAMPLES];
    size_t filled = take_short_group(s, group, group_starts);
    while (count > 0) {
        size_t more = fill(group, group_starts, filled, points, starts, count);
        append_group(account, s, &held, group, in.has_starts ? group_starts : NULL, filled + more);
        points += more;
        starts += starts != NULL ? more : 0;
        count -= more;
        filled = 0;
    }
    sealed_remember(account, s, &in);
    if (prefixed)
        sealed_prefix_put(account, s, &prefix);
}

size_t sealed_bytes_max(size_t count)
{
    return (count / GROUP_SAMPLES + 1) * GROUP_BYTES_MAX + SEALED_ASIDE_MAX;
}

void sealed_free(struct account *account, struct sealed *s)
{
    account_give(account, s->packed, sealed_is_wide(s) ? s->wide_bytes : sealed_held(s));
}

size_t sealed_cut(struct account *account, struct sealed *s, size_t index, const struct point *points)
{
    struct sealed_walk w = sealed_walk_to(s, index);
    struct window_summary in = {.has_starts = s->has_starts};
    struct sealed_prefix prefix;
    size_t held = sealed_held(s);
    if (w.index == 0) {
        sealed_free(account, s);
        *s = (struct sealed){0};
        return 0;
    }
    sealed_prefix_take(s, &prefix);
    s->bytes = (uint16_t)w.at;
    s->count = (uint16_t)w.index;
    s->packed = account_resize(account, s->packed, held, sealed_held(s));
    for (size_t i = 0; i < SEALED_SKIPS; i++)
        s->skip[i] = s->skip[i] < w.at ? s->skip[i] : 0;
    s->newest_ms = points[w.index - 1].t_ms;
    summary_add(&in, points, w.index);
    sealed_remember(account, s, &in);
    return w.index;
}

/* The last group to skip to that begins at or before after_ms, or the first one. */
static struct sealed_walk skip(const struct sealed *s, int64_t after_ms)
{
    struct sealed_walk w = {.sealed = s};
    for (size_t i = SEALED_SKIPS; i > 0; i--) {
        w.at = s->skip[i - 1];
        w.index = i * SEALED_SKIP * GROUP_SAMPLES;
        if (w.at > 0 && peek(&w).first_ms <= after_ms)
            return w;
    }
    return (struct sealed_walk){.sealed = s};
}

/* To the group of after_ms if samples came at the pace, which is mostly the right one: heads are not read on the way. */
static struct sealed_walk guess(const struct sealed *s, int64_t after_ms)
{
    uint64_t since = (uint64_t)after_ms - (uint64_t)s->oldest_ms;
    uint64_t index = s->step_ms > 0 ? since / s->step_ms : 0;
    return sealed_walk_to(s, index < s->count ? index : s->count - (size_t)1);
}

/* The group of the last sample at or before a time, and how many of it are. */
struct found {
    struct sealed_walk at;
    struct group_at group;
    size_t upto;
};

static void open_at(struct sealed_walk w, int64_t t_ms, struct found *f)
{
    f->at = w;
    sealed_open(&w, &f->group);
    f->upto = group_upto(&f->group, t_ms);
}

static bool next_group(const struct found *f, struct sealed_walk *next)
{
    *next =
        (struct sealed_walk){f->at.sealed, f->at.at + group_bytes(f->group.in), f->at.index + f->group.count};
    return next->at < next->sealed->bytes;
}

/* The first group, and none of it, if all samples are later. */
static void find(const struct sealed *s, int64_t t_ms, struct found *f)
{
    open_at(t_ms < s->oldest_ms ? (struct sealed_walk){.sealed = s} : guess(s, t_ms), t_ms, f);
    if (f->upto == 0)
        open_at(skip(s, t_ms), t_ms, f);
    for (struct sealed_walk w; f->upto == f->group.count && next_group(f, &w);) {
        struct found next;
        open_at(w, t_ms, &next);
        if (next.upto == 0)
            return;
        *f = next;
    }
}

struct sealed_walk sealed_walk(const struct sealed *s, int64_t after_ms)
{
    struct found f;
    find(s, after_ms, &f);
    return f.at;
}

size_t sealed_next(struct sealed_walk *w, struct point *points, int64_t *starts)
{
    if (w->at == w->sealed->bytes)
        return 0;
    const uint8_t *group = w->sealed->packed + w->at;
    size_t count = group_unpack(group, pace_at(w->sealed, w->index), points, starts);
    w->at += group_bytes(group);
    w->index += count;
    return count;
}

static void place(const struct found *f, size_t i, enum window_wish wish, struct sealed_place *p)
{
    group_find(&f->group, i, (wish & WINDOW_SUM) != 0, &p->found);
    p->index = f->at.index + i;
}

void sealed_after(const struct sealed *s, int64_t t_ms, enum window_wish wish, struct sealed_place *p)
{
    struct found f;
    struct sealed_walk w;
    find(s, t_ms, &f);
    if (f.upto == f.group.count) { /* it is the first one of the next group */
        must(next_group(&f, &w));
        open_at(w, t_ms, &f);
    }
    place(&f, f.upto, wish, p);
}

void sealed_upto(const struct sealed *s, int64_t t_ms, enum window_wish wish, struct sealed_place *p)
{
    struct found f;
    find(s, t_ms, &f);
    place(&f, f.upto - 1, wish, p);
}

int64_t sealed_start(const struct sealed *s, size_t index)
{
    struct point points[GROUP_SAMPLES];
    int64_t starts[GROUP_SAMPLES];
    struct sealed_walk w = sealed_walk_to(s, index);
    sealed_next(&w, points, starts);
    return starts[index % GROUP_SAMPLES];
}

static void add_double(struct window_summary *sum, double v)
{
    struct kahan k = {sum->sum, sum->rest};
    kahan_add(&k, v);
    sum->sum = k.sum;
    sum->rest = k.rest;
}

static void add_unpacked(struct window_summary *sum, const struct group_at *g, size_t from, size_t to)
{
    struct point points[GROUP_SAMPLES];
    struct window_summary part = {0};
    group_unpack(g->in, g->pace, points, NULL);
    summary_add_wished(&part, points + from, to - from, WINDOW_SUM);
    add_double(sum, part.sum);
    sum->rest += part.rest;
    sum->has_nan |= part.has_nan;
    sum->has_inf |= part.has_inf;
    sum->has_huge |= part.has_huge;
}

/* Samples from <= i < to of one group. */
static void add_group(struct window_summary *sum, const struct sealed_walk *w, size_t from, size_t to)
{
    struct group_at g;
    struct group_values v;
    int64_t whole;
    sealed_open(w, &g);
    group_values(&g, &v);
    if (group_whole_sum(&v, from, group_value(&v, from), to, &whole))
        summary_add_whole(sum, whole);
    else
        add_unpacked(sum, &g, from, to);
}

static void add_part(struct window_summary *sum, const struct sealed *s, size_t from, size_t to)
{
    struct sealed_walk w = sealed_walk_to(s, from);
    for (size_t i = from; i < to; i = w.index) {
        size_t end = w.index + GROUP_SAMPLES; /* or more than the last one has */
        add_group(sum, &w, i - w.index, (end < to ? end : to) - w.index);
        w.at += group_bytes(s->packed + w.at);
        w.index = end;
    }
}

/* All less what is outside. Both are known to about twice the digits of a double, so that this is as good as adding up
 * unless next to nothing remains; false then. */
static bool subtract(const struct sealed *s, size_t from, size_t to, struct window_summary *out)
{
    struct window_summary outside = {0}, in;
    sealed_summary(s, WINDOW_ALL, &in);
    double largest = fmax(fabs(in.min), fabs(in.max));
    if (in.has_nan || in.has_inf || in.has_huge)
        return false;
    add_part(&outside, s, 0, from);
    add_part(&outside, s, to, s->count);
    *out = (struct window_summary){.sum = in.sum, .rest = in.rest};
    add_double(out, -outside.sum);
    out->rest -= outside.rest;
    return fabs(out->sum + out->rest) * 0x1p30 > largest * s->count;
}

static bool sum_in_group(const struct sealed_place *first, const struct sealed_place *last, int64_t *sum)
{
    if (!first->found.summed || !last->found.summed ||
        first->index / GROUP_SAMPLES != last->index / GROUP_SAMPLES)
        return false;
    *sum = last->found.sum - first->found.sum + (int64_t)first->found.point.value;
    return true;
}

void sealed_sum(const struct sealed *s, const struct sealed_place *first, const struct sealed_place *last,
                struct window_summary *out)
{
    size_t from = first->index, to = last->index + 1;
    int64_t whole = 0;
    *out = (struct window_summary){0};
    if (sum_in_group(first, last, &whole) || sealed_prefix_sum(s, first, last, &whole)) {
        summary_add_whole(out, whole);
        return;
    }
    if (to - from > s->count / 2 && subtract(s, from, to, out))
        return;
    *out = (struct window_summary){0};
    add_part(out, s, from, to);
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

void sealed_unpack(const struct sealed *s, struct point *points, int64_t *starts)
{
    struct sealed_walk w = {.sealed = s};
    struct point group[GROUP_SAMPLES];
    int64_t group_starts[GROUP_SAMPLES];
    for (size_t n, at = 0; (n = sealed_next(&w, group, group_starts)) > 0; at += n) {
        memcpy(points + at, group, n * sizeof *points);
        if (starts != NULL)
            memcpy(starts + at, group_starts, n * sizeof *starts);
    }
}

/* From the group to skip to up to the one that t_ms is in if all are as large; the heads of those in between are read, too. */
void sealed_touch_at(const struct sealed *s, int64_t t_ms, enum window_wish wish)
{
    enum { MOST = 1024 };
    double length_ms = (double)((uint64_t)s->newest_ms - (uint64_t)s->oldest_ms) + 1;
    double part = (double)((uint64_t)t_ms - (uint64_t)s->oldest_ms) / length_ms;
    size_t at = (size_t)(part * s->bytes), from = 0, end = at + 2 * MEM_LINE_BYTES;
    end = end < s->bytes ? end : s->bytes;
    for (size_t i = 0; i < SEALED_SKIPS && s->skip[i] > 0; i++) {
        mem_touch(s->packed + s->skip[i]);
        from = s->skip[i] < at ? s->skip[i] : from;
    }
    from = from + MOST < end ? end - MOST : from;
    mem_touch_all(s->packed + from, end - from);
    if ((wish & (WINDOW_SUM | WINDOW_CHANGES)) != 0 && (s->aside & SEALED_PREFIX) != 0)
        mem_touch(sealed_prefix_at(s));
}
