/*
 * Layout, in bits; number, times, values and starts are those of a group:
 *   number: step of the pace; times; 1 started, then starts
 *   runs of floats or of histograms with one layout: 6 count - 1, 1 histograms, then
 *     values; or layout, 1 one hint for all and 2, else 2 each; columns of values: count, sum, zero count, buckets
 * A layout is the schema, 1 and 64 bits of a zero threshold other than 0, the number of bounds and these as columns; on each
 * side the number of spans, offset and length of each, the number of buckets.
 */
#include "wide_priv.h"

#include "box_priv.h"
#include "group_layout_priv.h"
#include "tocsin/check.h"
#include "tocsin/err.h"
#include "tocsin/mem.h"

enum { HINT_BITS = 2 };

/* ---- writing ---- */

/* Grows ahead of what is written. */
struct writer {
    struct bits_out out;
    size_t capacity;
};

static void make_room(struct writer *w, size_t bytes)
{
    size_t needed = w->out.at / 8 + bytes + BITS_SLACK;
    if (needed <= w->capacity)
        return;
    size_t capacity = needed + needed / 2;
    w->out.bytes = mem_resize(w->out.bytes, 1, capacity);
    memset(w->out.bytes + w->capacity, 0, capacity - w->capacity);
    w->capacity = capacity;
}

static void put_bits(struct writer *w, uint64_t v, unsigned width)
{
    make_room(w, sizeof v);
    bits_put(&w->out, v, width);
}

static void put_number(struct writer *w, uint64_t v)
{
    make_room(w, 2 * sizeof v);
    group_put_number(&w->out, v);
}

static void put_column(struct writer *w, const struct point *points, size_t count)
{
    make_room(w, GROUP_BYTES_MAX);
    group_put_values(&w->out, points, count);
}

static void put_doubles(struct writer *w, const double *v, size_t count)
{
    struct point points[GROUP_SAMPLES];
    for (size_t at = 0; at < count; at += GROUP_SAMPLES) {
        size_t n = count - at < GROUP_SAMPLES ? count - at : GROUP_SAMPLES;
        for (size_t i = 0; i < n; i++)
            points[i].value = v[at + i];
        put_column(w, points, n);
    }
}

static void put_side(struct writer *w, const struct histogram_side *side)
{
    put_number(w, side->span_count);
    for (size_t i = 0; i < side->span_count; i++) {
        put_number(w, bits_fold(side->spans[i].offset));
        put_number(w, side->spans[i].length);
    }
    put_number(w, side->bucket_count);
}

static void put_layout(struct writer *w, const struct histogram *h)
{
    uint64_t threshold = double_bits(h->zero_threshold);
    put_number(w, bits_fold(h->schema));
    put_bits(w, threshold != 0, 1);
    if (threshold != 0)
        put_bits(w, threshold, 64);
    put_number(w, h->custom_count);
    put_doubles(w, h->custom_bounds, h->custom_count);
    put_side(w, &h->positive);
    put_side(w, &h->negative);
}

static void put_hints(struct writer *w, const struct sample *samples, size_t count)
{
    bool one = true;
    for (size_t i = 1; i < count; i++)
        one &= samples[i].histogram->hint == samples[0].histogram->hint;
    put_bits(w, one, 1);
    for (size_t i = 0; i < (one ? 1 : count); i++)
        put_bits(w, samples[i].histogram->hint, HINT_BITS);
}

/* ---- columns: count, sum, zero count, positive and negative buckets ---- */

static size_t column_count(const struct histogram *h)
{
    return 3 + h->positive.bucket_count + h->negative.bucket_count;
}

static double *cell(const struct histogram *h, size_t column)
{
    struct histogram *own = (struct histogram *)h;
    size_t bucket = column - 3, positive = h->positive.bucket_count;
    switch (column) {
    case 0:
        return &own->count;
    case 1:
        return &own->sum;
    case 2:
        return &own->zero_count;
    default:
        return bucket < positive ? &h->positive.buckets[bucket] : &h->negative.buckets[bucket - positive];
    }
}

static void put_histograms(struct writer *w, const struct sample *samples, size_t count)
{
    struct point points[GROUP_SAMPLES];
    put_layout(w, samples[0].histogram);
    put_hints(w, samples, count);
    for (size_t column = 0; column < column_count(samples[0].histogram); column++) {
        for (size_t i = 0; i < count; i++)
            points[i].value = *cell(samples[i].histogram, column);
        put_column(w, points, count);
    }
}

static void put_floats(struct writer *w, const struct sample *samples, size_t count)
{
    struct point points[GROUP_SAMPLES];
    for (size_t i = 0; i < count; i++)
        points[i].value = samples[i].value;
    put_column(w, points, count);
}

/* ---- packing ---- */

/* How many samples from the first on are one run. */
static size_t run_length(const struct sample *samples, size_t count)
{
    const struct histogram *first = samples[0].histogram;
    size_t n = 1;
    while (n < count && (samples[n].histogram == NULL) == (first == NULL) &&
           (first == NULL || box_same_layout(first, samples[n].histogram)))
        n++;
    return n;
}

static void put_all_times(struct writer *w, const struct sample *samples, size_t count)
{
    struct point points[GROUP_SAMPLES] = {0};
    int64_t starts[GROUP_SAMPLES], any = 0;
    for (size_t i = 0; i < count; i++) {
        points[i].t_ms = samples[i].t_ms;
        any |= starts[i] = samples[i].start_ms;
    }
    struct pace pace = {samples[0].t_ms, group_step(points, count)};
    put_number(w, pace.step_ms);
    make_room(w, 2 * GROUP_BYTES_MAX);
    group_put_times(&w->out, points, count, pace);
    put_bits(w, any != 0, 1);
    if (any != 0)
        group_put_starts(&w->out, starts, count, pace);
}

uint8_t *wide_pack(struct account *account, const struct sample *samples, size_t count, uint32_t *bytes)
{
    struct writer w = {.capacity = 0};
    must(count > 0 && count <= WIDE_SAMPLES_MAX);
    put_all_times(&w, samples, count);
    for (size_t n, i = 0; i < count; i += n) {
        n = run_length(samples + i, count - i);
        put_bits(&w, n - 1, COUNT_BITS);
        put_bits(&w, samples[i].histogram != NULL, 1);
        if (samples[i].histogram != NULL)
            put_histograms(&w, samples + i, n);
        else
            put_floats(&w, samples + i, n);
    }
    make_room(&w, 1);
    *bytes = (uint32_t)((w.out.at + 7) / 8 + BITS_SLACK);
    uint8_t *packed = account_take(account, *bytes);
    memcpy(packed, w.out.bytes, *bytes);
    mem_free(w.out.bytes);
    return packed;
}

/* ---- unpacking ---- */

struct reader {
    struct bits_in in;
    struct pace pace;
    size_t count; /* of all samples */
    size_t at, from, to;
    struct arena *arena;
    struct sample *out; /* those from `from` on */
};

static bool take_doubles(struct reader *r, double **out, size_t count)
{
    struct point points[GROUP_SAMPLES];
    if (count == 0)
        return true;
    *out = ARENA_ARRAY(r->arena, double, count);
    for (size_t at = 0; *out != NULL && at < count; at += GROUP_SAMPLES) {
        size_t n = count - at < GROUP_SAMPLES ? count - at : GROUP_SAMPLES;
        group_take_values(&r->in, points, n);
        for (size_t i = 0; i < n; i++)
            (*out)[at + i] = points[i].value;
    }
    return *out != NULL;
}

static bool take_side(struct reader *r, struct histogram_side *side)
{
    side->span_count = take_number(&r->in);
    if (side->span_count > 0)
        side->spans = ARENA_ARRAY(r->arena, struct histogram_span, side->span_count);
    if (side->span_count > 0 && side->spans == NULL)
        return false;
    for (size_t i = 0; i < side->span_count; i++) {
        side->spans[i].offset = (int32_t)bits_unfold(take_number(&r->in));
        side->spans[i].length = (uint32_t)take_number(&r->in);
    }
    side->bucket_count = take_number(&r->in);
    return true;
}

/* Spans and bounds are shared by all histograms of the run. False past the arena's cap. */
static bool take_layout(struct reader *r, struct histogram *layout)
{
    layout->schema = (int32_t)bits_unfold(take_number(&r->in));
    if (bits_take(&r->in, 1) != 0)
        layout->zero_threshold = double_from_bits(bits_take(&r->in, 64));
    layout->custom_count = take_number(&r->in);
    return take_doubles(r, &layout->custom_bounds, layout->custom_count) && take_side(r, &layout->positive) &&
           take_side(r, &layout->negative);
}

static bool own_buckets(struct arena *arena, struct histogram_side *side)
{
    if (side->bucket_count > 0)
        side->buckets = ARENA_ARRAY(arena, double, side->bucket_count);
    return side->bucket_count == 0 || side->buckets != NULL;
}

/* A histogram of this layout, still empty; NULL past the arena's cap. */
static struct histogram *begin(struct arena *arena, const struct histogram *layout)
{
    struct histogram *h = arena_copy(arena, layout, 1, sizeof *layout);
    return h != NULL && own_buckets(arena, &h->positive) && own_buckets(arena, &h->negative) ? h : NULL;
}

static bool is_wanted(const struct reader *r, size_t i)
{
    return i >= r->from && i < r->to;
}

static void take_hints(struct reader *r, struct histogram *const *h, size_t count)
{
    bool one = bits_take(&r->in, 1) != 0;
    uint64_t hint = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !one)
            hint = bits_take(&r->in, HINT_BITS);
        if (h[i] != NULL)
            h[i]->hint = (enum histogram_hint)hint;
    }
}

static bool take_histograms(struct reader *r, size_t count)
{
    struct histogram layout = {0}, *h[GROUP_SAMPLES] = {0};
    struct point points[GROUP_SAMPLES];
    if (!take_layout(r, &layout))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(r, r->at + i))
            continue;
        h[i] = begin(r->arena, &layout);
        if (h[i] == NULL)
            return false;
        r->out[r->at + i - r->from].histogram = h[i];
    }
    take_hints(r, h, count);
    for (size_t column = 0; column < column_count(&layout); column++) {
        group_take_values(&r->in, points, count);
        for (size_t i = 0; i < count; i++)
            if (h[i] != NULL)
                *cell(h[i], column) = points[i].value;
    }
    return true;
}

static void take_floats(struct reader *r, size_t count)
{
    struct point points[GROUP_SAMPLES];
    group_take_values(&r->in, points, count);
    for (size_t i = 0; i < count; i++)
        if (is_wanted(r, r->at + i))
            r->out[r->at + i - r->from].value = points[i].value;
}

static void take_times(struct reader *r, struct point *points)
{
    r->pace.step_ms = (uint32_t)take_number(&r->in);
    group_take_times(&r->in, points, r->count, r->pace);
}

static void take_all_times(struct reader *r)
{
    struct point points[GROUP_SAMPLES];
    int64_t starts[GROUP_SAMPLES] = {0};
    take_times(r, points);
    if (bits_take(&r->in, 1) != 0)
        group_take_starts(&r->in, starts, r->count, r->pace);
    for (size_t i = r->from; i < r->to; i++)
        r->out[i - r->from] = (struct sample){.t_ms = points[i].t_ms, .start_ms = starts[i]};
}

void wide_times(const uint8_t *in, int64_t oldest_ms, size_t count, int64_t *times)
{
    struct reader r = {.in = {in, 0}, .pace = {.start_ms = oldest_ms}, .count = count};
    struct point points[GROUP_SAMPLES];
    take_times(&r, points);
    for (size_t i = 0; i < count; i++)
        times[i] = points[i].t_ms;
}

int wide_unpack(const uint8_t *in, int64_t oldest_ms, size_t count, size_t from, size_t to,
                struct arena *arena, struct sample *out)
{
    struct reader r = {.in = {in, 0},
                       .pace = {.start_ms = oldest_ms},
                       .count = count,
                       .from = from,
                       .to = to,
                       .arena = arena,
                       .out = out};
    must(to <= count);
    take_all_times(&r);
    while (r.at < to) {
        size_t n = bits_take(&r.in, COUNT_BITS) + 1;
        if (bits_take(&r.in, 1) == 0)
            take_floats(&r, n);
        else if (!take_histograms(&r, n))
            return ERR_LIMIT;
        r.at += n;
    }
    return 0;
}
