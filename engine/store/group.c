#include "group_layout_priv.h"
#include "tocsin/check.h"

#include <math.h>

void group_put_number(struct bits_out *b, uint64_t v)
{
    bits_put(b, v != 0, 1);
    if (v == 0)
        return;
    unsigned below_top = bits_width(v) - 1;
    bits_put(b, below_top, NUMBER_BITS);
    bits_put(b, v & bits_mask(below_top), below_top);
}

/* ---- lists ---- */

/* Numbers from 0 on, and how they are best packed. */
struct list {
    uint64_t item[GROUP_SAMPLES];
    size_t count;
    unsigned width, high_width; /* of the low parts; of the high parts of what is patched */
    size_t patches;
    size_t bits;
};

static size_t width_bits(unsigned width)
{
    return width > 0 ? 1 + NUMBER_BITS : 1;
}

static void list_plan(struct list *l)
{
    unsigned wider[66] = {0}; /* how many are of this width */
    unsigned widest = 0;
    for (size_t i = 0; i < l->count; i++) {
        unsigned width = bits_width(l->item[i]);
        wider[width]++;
        widest = width > widest ? width : widest;
    }
    l->width = widest;
    l->bits = width_bits(widest) + 1 + l->count * widest;
    size_t patches = 0;
    for (unsigned width = widest; width-- > 0;) {
        patches += wider[width + 1];
        if (patches >= GROUP_SAMPLES)
            break;
        size_t bits = width_bits(width) + 1 + COUNT_BITS + NUMBER_BITS + l->count * width +
                      patches * (COUNT_BITS + (widest - width));
        if (bits >= l->bits)
            continue;
        l->bits = bits;
        l->width = width;
        l->patches = patches;
        l->high_width = widest - width;
    }
}

static void put_width(struct bits_out *b, unsigned width)
{
    bits_put(b, width > 0, 1);
    if (width > 0)
        bits_put(b, width - 1, NUMBER_BITS);
}

static void put_patches(struct bits_out *b, const struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        uint64_t high = l->width < 64 ? l->item[i] >> l->width : 0;
        if (high == 0)
            continue;
        bits_put(b, i, COUNT_BITS);
        bits_put(b, high, l->high_width);
    }
}

static void put_list(struct bits_out *b, const struct list *l)
{
    put_width(b, l->width);
    bits_put(b, l->patches > 0, 1);
    if (l->patches > 0) {
        bits_put(b, l->patches, COUNT_BITS);
        bits_put(b, l->high_width - 1, NUMBER_BITS);
    }
    uint64_t mask = bits_mask(l->width);
    for (size_t i = 0; i < l->count && l->width > 0; i++)
        bits_put(b, l->item[i] & mask, l->width);
    if (l->patches > 0)
        put_patches(b, l);
}

static void take_low_parts(struct bits_in *b, unsigned width, uint64_t *item, size_t count)
{
    if (width == 0) {
        memset(item, 0, count * sizeof *item);
        return;
    }
    if (width > WIDTH_IN_WORD) {
        for (size_t i = 0; i < count; i++)
            item[i] = bits_take(b, width);
        return;
    }
    uint64_t mask = bits_mask(width);
    size_t at = b->at;
    for (size_t i = 0; i < count; i++, at += width)
        item[i] = bits_word(b->bytes + at / 8) >> at % 8 & mask;
    b->at = at;
}

static void take_list(struct bits_in *b, uint64_t *item, size_t count)
{
    unsigned width = take_width(b);
    size_t patches = 0;
    unsigned high_width = 0;
    if (bits_take(b, 1) != 0) {
        patches = bits_take(b, COUNT_BITS);
        high_width = (unsigned)bits_take(b, NUMBER_BITS) + 1;
    }
    take_low_parts(b, width, item, count);
    for (size_t i = 0; i < patches; i++) {
        size_t place = bits_take(b, COUNT_BITS);
        item[place] |= bits_take(b, high_width) << width;
    }
}

/* ---- times ---- */

/* Signed numbers as a minimum and a list from there on. */
struct relative {
    int64_t minimum;
    struct list list;
};

static void relate(struct relative *r, const int64_t *item, size_t count)
{
    r->minimum = count > 0 ? item[0] : 0;
    for (size_t i = 1; i < count; i++)
        r->minimum = item[i] < r->minimum ? item[i] : r->minimum;
    r->list = (struct list){.count = count};
    for (size_t i = 0; i < count; i++)
        r->list.item[i] = (uint64_t)item[i] - (uint64_t)r->minimum;
}

static bool keeps_pace(const struct point *points, size_t count, struct pace pace)
{
    for (size_t i = 0; i < count; i++)
        if (points[i].t_ms != on_pace(pace, i))
            return false;
    return true;
}

static void plan_off_pace(struct relative *r, const struct point *points, size_t count, struct pace pace)
{
    int64_t offset[GROUP_SAMPLES] = {0};
    for (size_t i = 1; i < count; i++)
        offset[i - 1] = less(points[i].t_ms, on_pace(pace, i));
    relate(r, offset, count - 1);
    list_plan(&r->list);
}

static void plan_intervals(struct relative *r, const struct point *points, size_t count)
{
    int64_t interval[GROUP_SAMPLES] = {0};
    for (size_t i = 1; i < count; i++)
        interval[i - 1] = less(points[i].t_ms, points[i - 1].t_ms);
    relate(r, interval, count - 1);
    list_plan(&r->list);
}

/* So few a sample that looking for fewer does not pay. */
enum { FEW_TIME_BITS = 2 };

void group_put_times(struct bits_out *b, const struct point *points, size_t count, struct pace pace)
{
    if (keeps_pace(points, count, pace)) {
        bits_put(b, ON_PACE, KIND_BITS);
        return;
    }
    struct relative off_pace, intervals;
    plan_off_pace(&off_pace, points, count, pace);
    bool by_pace = off_pace.list.bits <= FEW_TIME_BITS * count;
    if (!by_pace) {
        plan_intervals(&intervals, points, count);
        by_pace = off_pace.list.bits <= intervals.list.bits;
    }
    const struct relative *r = by_pace ? &off_pace : &intervals;
    bits_put(b, by_pace ? OFF_PACE : INTERVALS, KIND_BITS);
    group_put_number(b, bits_fold(less(points[0].t_ms, pace.start_ms)));
    group_put_number(b, bits_fold(r->minimum));
    put_list(b, &r->list);
}

/* Returns whether start times stand at the end. */
bool group_take_times(struct bits_in *b, struct point *points, size_t count, struct pace pace)
{
    bool started;
    enum time_kind kind = take_time_kind(b, &started);
    if (kind == ON_PACE) {
        for (size_t i = 0; i < count; i++)
            points[i].t_ms = on_pace(pace, i);
        return started;
    }
    uint64_t item[GROUP_SAMPLES];
    points[0].t_ms = plus(pace.start_ms, bits_unfold(take_number(b)));
    int64_t minimum = bits_unfold(take_number(b));
    take_list(b, item, count - 1);
    for (size_t i = 1; i < count; i++) {
        int64_t from = kind == OFF_PACE ? on_pace(pace, i) : points[i - 1].t_ms;
        points[i].t_ms = plus(from, plus(minimum, (int64_t)item[i - 1]));
    }
    return started;
}

/* A vote in which a majority survives whatever the order. */
uint32_t group_step(const struct point *points, size_t count)
{
    int64_t step = 0;
    size_t votes = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t interval = less(points[i].t_ms, points[i - 1].t_ms);
        if (votes == 0)
            step = interval;
        votes = interval == step ? votes + 1 : votes - 1;
    }
    return step > 0 && step <= UINT32_MAX ? (uint32_t)step : 0;
}

/* ---- values ---- */

/* Values as whole numbers; an odd one repeats its neighbour here. */
struct whole {
    enum value_kind kind;
    unsigned digits;
    int64_t item[GROUP_SAMPLES];
    uint64_t odd; /* a bit for each */
};

static bool to_whole(double v, unsigned digits, int64_t *m)
{
    double scaled = v * power_of_ten[digits];
    if (!(fabs(scaled) <= 0x1p53))
        return false;
    *m = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    return double_bits(from_whole(*m, digits)) == double_bits(v);
}

/* False if too many are odd. */
static bool try_digits(struct whole *w, const struct point *points, size_t count, unsigned digits)
{
    w->kind = digits == 0 ? WHOLE : DECIMAL;
    w->digits = digits;
    w->odd = 0;
    for (size_t i = 0; i < count; i++) {
        if (to_whole(points[i].value, digits, &w->item[i]))
            continue;
        w->odd |= UINT64_C(1) << i;
        if (__builtin_popcountll(w->odd) > ODD_MAX)
            return false;
    }
    return ~w->odd << (GROUP_SAMPLES - count) != 0;
}

/* How many decimals the first value has that is not whole; DIGITS_MAX + 1: none that fit. */
static unsigned find_digits(const struct point *points, size_t count)
{
    int64_t m;
    size_t i = 0;
    while (i < count && (!isfinite(points[i].value) || to_whole(points[i].value, 0, &m)))
        i++;
    unsigned digits = 1;
    while (digits <= DIGITS_MAX && i < count && !to_whole(points[i].value, digits, &m))
        digits++;
    return digits;
}

static void fill_odd(struct whole *w, size_t count)
{
    size_t known = (size_t)__builtin_ctzll(~w->odd);
    for (size_t i = 0; i < count; i++) {
        if ((w->odd >> i & 1) != 0)
            w->item[i] = w->item[known];
        else
            known = i;
    }
}

static void make_whole(struct whole *w, const struct point *points, size_t count)
{
    if (try_digits(w, points, count, 0)) {
        fill_odd(w, count);
        return;
    }
    unsigned digits = find_digits(points, count);
    if (digits <= DIGITS_MAX && try_digits(w, points, count, digits)) {
        fill_odd(w, count);
        return;
    }
    w->kind = BITS;
    w->odd = 0;
    for (size_t i = 0; i < count; i++)
        w->item[i] = (int64_t)double_bits(points[i].value);
}

static void put_odd(struct bits_out *b, const struct point *points, uint64_t odd)
{
    bits_put(b, odd != 0, 1);
    if (odd == 0)
        return;
    bits_put(b, (uint64_t)__builtin_popcountll(odd), COUNT_BITS);
    for (; odd != 0; odd &= odd - 1) {
        size_t i = (size_t)__builtin_ctzll(odd);
        bits_put(b, i, COUNT_BITS);
        bits_put(b, double_bits(points[i].value), 64);
    }
}

/* Trailing zeros that all have in common are left out. */
static void put_shifted(struct bits_out *b, struct list *l)
{
    uint64_t any = 0;
    for (size_t i = 0; i < l->count; i++)
        any |= l->item[i];
    unsigned shift = any != 0 ? (unsigned)__builtin_ctzll(any) : 0;
    bits_put(b, shift > 0, 1);
    if (shift > 0)
        bits_put(b, shift, SHIFT_BITS);
    for (size_t i = 0; i < l->count; i++)
        l->item[i] >>= shift;
    list_plan(l);
    put_list(b, l);
}

void group_put_values(struct bits_out *b, const struct point *points, size_t count)
{
    struct whole w;
    struct relative r;
    int64_t interval[GROUP_SAMPLES];
    bool constant = true;
    make_whole(&w, points, count);
    bits_put(b, w.kind, KIND_BITS);
    if (w.kind == DECIMAL)
        bits_put(b, w.digits, DIGITS_BITS);
    group_put_number(b, bits_fold(w.item[0]));
    for (size_t i = 1; i < count; i++) {
        interval[i - 1] = less(w.item[i], w.item[i - 1]);
        constant &= interval[i - 1] == 0;
    }
    bits_put(b, constant, 1);
    if (!constant) {
        relate(&r, interval, count - 1);
        group_put_number(b, bits_fold(r.minimum));
        put_shifted(b, &r.list);
    }
    put_odd(b, points, w.odd);
}

void group_take_values(struct bits_in *b, struct point *points, size_t count)
{
    uint64_t item[GROUP_SAMPLES];
    struct value_head h = take_value_head(b);
    if (h.constant)
        memset(item, 0, sizeof item);
    else
        take_list(b, item, count - 1);
    int64_t m = h.first;
    points[0].value = value_of(&h, m);
    for (size_t i = 1; i < count; i++) {
        m = plus(m, plus(h.minimum, (int64_t)(item[i - 1] << h.shift)));
        points[i].value = value_of(&h, m);
    }
    if (bits_take(b, 1) == 0)
        return;
    for (size_t odd = bits_take(b, COUNT_BITS); odd > 0; odd--) {
        size_t place = bits_take(b, COUNT_BITS);
        points[place].value = double_from_bits(bits_take(b, 64));
    }
}

/* ---- start times ---- */

static bool any_start(const int64_t *starts, size_t count)
{
    int64_t any = 0;
    for (size_t i = 0; starts != NULL && i < count; i++)
        any |= starts[i];
    return any != 0;
}

void group_put_starts(struct bits_out *b, const int64_t *starts, size_t count, struct pace pace)
{
    struct relative r;
    int64_t interval[GROUP_SAMPLES];
    bool constant = true;
    group_put_number(b, bits_fold(less(starts[0], pace.start_ms)));
    for (size_t i = 1; i < count; i++) {
        interval[i - 1] = less(starts[i], starts[i - 1]);
        constant &= interval[i - 1] == 0;
    }
    bits_put(b, constant, 1);
    if (constant)
        return;
    relate(&r, interval, count - 1);
    list_plan(&r.list);
    group_put_number(b, bits_fold(r.minimum));
    put_list(b, &r.list);
}

void group_take_starts(struct bits_in *b, int64_t *starts, size_t count, struct pace pace)
{
    uint64_t item[GROUP_SAMPLES];
    starts[0] = plus(pace.start_ms, bits_unfold(take_number(b)));
    if (bits_take(b, 1) != 0) {
        for (size_t i = 1; i < count; i++)
            starts[i] = starts[0];
        return;
    }
    int64_t minimum = bits_unfold(take_number(b));
    take_list(b, item, count - 1);
    for (size_t i = 1; i < count; i++)
        starts[i] = plus(starts[i - 1], plus(minimum, (int64_t)item[i - 1]));
}

/* ---- groups ---- */

size_t group_pack(const struct point *points, const int64_t *starts, size_t count, struct pace pace,
                  uint8_t *out)
{
    bool started = any_start(starts, count);
    must(count > 0 && count <= GROUP_SAMPLES);
    struct bits_out b = {out, LENGTH_BITS};
    bits_put(&b, count < GROUP_SAMPLES, 1);
    if (count < GROUP_SAMPLES)
        bits_put(&b, count - 1, COUNT_BITS);
    if (started)
        bits_put(&b, STARTED, KIND_BITS);
    group_put_times(&b, points, count, pace);
    group_put_values(&b, points, count);
    if (started)
        group_put_starts(&b, starts, count, pace);
    size_t bytes = (b.at + 7) / 8;
    must(bytes + BITS_SLACK <= GROUP_BYTES_MAX);
    struct bits_out length = {out, 0};
    bits_put(&length, bytes, LENGTH_BITS);
    return bytes;
}

size_t group_unpack(const uint8_t *in, struct pace pace, struct point *points, int64_t *starts)
{
    struct bits_in b = {in, LENGTH_BITS};
    size_t count = take_count(&b);
    bool started = group_take_times(&b, points, count, pace);
    group_take_values(&b, points, count);
    if (starts != NULL && started)
        group_take_starts(&b, starts, count, pace);
    else if (starts != NULL)
        memset(starts, 0, count * sizeof *starts);
    return count;
}

struct group_head group_peek(const uint8_t *in, struct pace pace)
{
    struct bits_in b = {in, 0};
    struct group_head head = {.bytes = bits_take(&b, LENGTH_BITS), .first_ms = pace.start_ms};
    head.count = take_count(&b);
    if (take_time_kind(&b, &head.started) != ON_PACE)
        head.first_ms = plus(pace.start_ms, bits_unfold(take_number(&b)));
    return head;
}
