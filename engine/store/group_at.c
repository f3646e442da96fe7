/* One sample of a group, or what some of them add up to, without unpacking it. */
#include "group_layout_priv.h"

static struct group_list step_over_list(struct bits_in *b, size_t count)
{
    struct group_list l = {.bytes = b->bytes, .width = take_width(b)};
    if (bits_take(b, 1) != 0) {
        l.patches = bits_take(b, COUNT_BITS);
        l.high_width = (unsigned)bits_take(b, NUMBER_BITS) + 1;
    }
    l.low_at = b->at;
    l.high_at = l.low_at + count * l.width;
    b->at = l.high_at + l.patches * (COUNT_BITS + l.high_width);
    return l;
}

struct patch {
    size_t place;
    uint64_t high;
};

/* Both numbers at once, if they fit: this is done for every patch of a list, whichever item is wanted. */
static struct patch take_patch(struct bits_in *b, unsigned high_width)
{
    if (COUNT_BITS + high_width > WIDTH_IN_WORD) {
        size_t place = bits_take(b, COUNT_BITS);
        return (struct patch){place, bits_take(b, high_width)};
    }
    uint64_t both = bits_word(b->bytes + b->at / 8) >> b->at % 8;
    b->at += COUNT_BITS + high_width;
    return (struct patch){both & bits_mask(COUNT_BITS), both >> COUNT_BITS & bits_mask(high_width)};
}

/* What is patched into the items from `from` on and before `to`. */
static uint64_t patched(const struct group_list *l, size_t from, size_t to)
{
    struct bits_in b = {l->bytes, l->high_at};
    uint64_t sum = 0;
    for (size_t k = 0; k < l->patches; k++) {
        struct patch p = take_patch(&b, l->high_width);
        sum += p.place >= from && p.place < to ? p.high << l->width : 0;
    }
    return sum;
}

/* Whole ones of a width, wherever in its first byte a word begins: 57 bits. Dividing takes longer than reading some. */
static const uint8_t items_in_word[WIDTH_IN_WORD + 1] = {
    0, 57, 28, 19, 14, 11, 9, 8, 7, 6, 5, 5, 4, 4, 4, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    1, 1,  1,  1,  1,  1,  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};

/* Of the low parts of the items from `from` on and before `to`. */
static uint64_t low_sum(const struct group_list *l, size_t from, size_t to)
{
    uint64_t sum = 0, mask = bits_mask(l->width);
    struct bits_in b = {l->bytes, l->low_at + from * l->width};
    if (l->width == 0)
        return sum;
    for (size_t i = from; i < to && l->width > WIDTH_IN_WORD; i++)
        sum += bits_take(&b, l->width);
    if (l->width > WIDTH_IN_WORD)
        return sum;
    size_t in_word = items_in_word[l->width];
    for (size_t i = from, at = b.at; i < to; i += in_word, at += in_word * l->width) {
        uint64_t word = bits_word(b.bytes + at / 8) >> at % 8;
        size_t n = to - i < in_word ? to - i : in_word;
        for (; n > 0; n--, word >>= l->width)
            sum += word & mask;
    }
    return sum;
}

static uint64_t list_sum(const struct group_list *l, size_t from, size_t to)
{
    return low_sum(l, from, to) + (l->patches > 0 ? patched(l, from, to) : 0);
}

void group_open(const uint8_t *in, struct pace pace, struct group_at *g)
{
    struct bits_in b = {in, LENGTH_BITS};
    bool started;
    g->in = in;
    g->pace = pace;
    g->count = take_count(&b);
    g->first_ms = pace.start_ms;
    g->kind = (int)take_time_kind(&b, &started);
    if (g->kind != ON_PACE) {
        g->first_ms = plus(pace.start_ms, bits_unfold(take_number(&b)));
        g->minimum_ms = bits_unfold(take_number(&b));
        g->times = step_over_list(&b, g->count - 1);
    }
    g->values_at = b.at;
}

static int64_t time_at(const struct group_at *g, size_t i)
{
    if (i == 0)
        return g->first_ms;
    if (g->kind == ON_PACE)
        return on_pace(g->pace, i);
    if (g->kind == OFF_PACE)
        return plus(on_pace(g->pace, i), plus(g->minimum_ms, (int64_t)list_sum(&g->times, i - 1, i)));
    return plus(g->first_ms, (int64_t)(i * (uint64_t)g->minimum_ms + list_sum(&g->times, 0, i)));
}

/* Where t_ms would be if samples came at the pace. */
static size_t guess_place(const struct group_at *g, int64_t t_ms)
{
    uint64_t since = (uint64_t)t_ms - (uint64_t)g->first_ms;
    uint64_t place = g->pace.step_ms > 0 ? since / g->pace.step_ms : 0;
    return place < g->count ? place : g->count - 1;
}

/* True if sample i is at or before t_ms and the next one after it however late each is: most times fall far from those
 * of the samples, and which of them are late need not be read then. */
static bool is_between(const struct group_at *g, size_t i, int64_t t_ms)
{
    enum { PLAIN = 40 }; /* bits: far from any overflow */
    unsigned high_width = g->times.patches > 0 ? g->times.high_width : 0;
    if (i == 0 || i + 1 == g->count || g->times.width + high_width > PLAIN)
        return false;
    int64_t latest_ms = (int64_t)bits_mask(g->times.width + high_width);
    int64_t late_ms = less(less(t_ms, on_pace(g->pace, i)), g->minimum_ms);
    return late_ms >= latest_ms && late_ms < (int64_t)g->pace.step_ms;
}

static size_t upto_by_intervals(const struct group_at *g, int64_t t_ms)
{
    size_t i = 0;
    for (int64_t at_ms = g->first_ms; at_ms <= t_ms; i++) {
        if (i + 1 == g->count)
            return g->count;
        at_ms = plus(at_ms, plus(g->minimum_ms, (int64_t)list_sum(&g->times, i, i + 1)));
    }
    return i;
}

size_t group_upto(const struct group_at *g, int64_t t_ms)
{
    if (t_ms < g->first_ms)
        return 0;
    if (g->kind == INTERVALS)
        return upto_by_intervals(g, t_ms);
    size_t i = guess_place(g, t_ms);
    if (g->kind == OFF_PACE && is_between(g, i, t_ms))
        return i + 1;
    while (time_at(g, i) > t_ms)
        i--;
    while (i + 1 < g->count && time_at(g, i + 1) <= t_ms)
        i++;
    return i + 1;
}

/* ---- values ---- */

void group_values(const struct group_at *g, struct group_values *v)
{
    struct bits_in b = {g->in, g->values_at};
    struct value_head h = take_value_head(&b);
    v->in = g->in;
    v->first = h.first;
    v->minimum = h.minimum;
    v->kind = (int)h.kind;
    v->digits = h.digits;
    v->shift = h.shift;
    v->constant = h.constant;
    if (!h.constant)
        v->list = step_over_list(&b, g->count - 1);
    v->odd = bits_take(&b, 1) != 0;
    v->odd_at = b.at;
}

static bool find_odd(const struct group_values *v, size_t i, double *value)
{
    struct bits_in b = {v->in, v->odd_at};
    for (size_t odd = bits_take(&b, COUNT_BITS); odd > 0; odd--) {
        size_t place = bits_take(&b, COUNT_BITS);
        uint64_t bits = bits_take(&b, 64);
        if (place != i)
            continue;
        *value = double_from_bits(bits);
        return true;
    }
    return false;
}

double group_value(const struct group_values *v, size_t i)
{
    int64_t m = v->first;
    double odd;
    if (v->odd && find_odd(v, i, &odd))
        return odd;
    if (!v->constant)
        m = plus(m, (int64_t)(i * (uint64_t)v->minimum + (list_sum(&v->list, 0, i) << v->shift)));
    return v->kind == BITS ? double_from_bits((uint64_t)m) : from_whole(m, v->digits);
}

/* ---- what some of them come to: an interval counts as often as samples follow it ---- */

struct within {
    uint64_t sum, within; /* each once; as often as samples follow it */
};

static struct within low_within(const struct group_list *l, size_t from, size_t end)
{
    uint64_t sum = 0, within = 0, mask = bits_mask(l->width);
    if (l->width > WIDTH_IN_WORD)
        for (size_t i = from; i < end; i++)
            within += sum += low_sum(l, i, i + 1);
    else if (l->width > 0)
        for (size_t i = from, in_word = items_in_word[l->width]; i < end; i += in_word) {
            size_t at = l->low_at + i * l->width, n = end - i < in_word ? end - i : in_word;
            for (uint64_t word = bits_word(l->bytes + at / 8) >> at % 8; n > 0; n--, word >>= l->width)
                within += sum += word & mask;
        }
    return (struct within){sum, within};
}

static struct within list_within(const struct group_list *l, size_t from, size_t end)
{
    struct within w = low_within(l, from, end);
    struct bits_in b = {l->bytes, l->high_at};
    for (size_t k = 0; k < l->patches; k++) {
        struct patch at = take_patch(&b, l->high_width);
        uint64_t high = at.place >= from && at.place < end ? at.high << l->width : 0;
        w.sum += high;
        w.within += high * (end - at.place);
    }
    return w;
}

static int64_t sum_of(const struct group_values *v, uint64_t first, uint64_t count, uint64_t within)
{
    return (int64_t)(count * first + count * (count - 1) / 2 * (uint64_t)v->minimum + (within << v->shift));
}

bool group_whole_sum(const struct group_values *v, size_t from, double first, size_t to, int64_t *sum)
{
    if (v->kind != WHOLE || v->odd)
        return false;
    struct within w = v->constant ? (struct within){0} : list_within(&v->list, from, to - 1);
    *sum = sum_of(v, (uint64_t)(int64_t)first, to - from, w.within);
    return true;
}

static double whole_upto(const struct group_values *v, size_t i, int64_t *sum)
{
    struct within w = v->constant ? (struct within){0} : list_within(&v->list, 0, i);
    *sum = sum_of(v, (uint64_t)v->first, i + 1, w.within);
    return (double)(int64_t)((uint64_t)v->first + i * (uint64_t)v->minimum + (w.sum << v->shift));
}

void group_find(const struct group_at *g, size_t i, bool sums, struct group_found *f)
{
    group_values(g, &f->values);
    f->summed = sums && f->values.kind == WHOLE && !f->values.odd;
    f->point.t_ms = time_at(g, i);
    f->point.value = f->summed ? whole_upto(&f->values, i, &f->sum) : group_value(&f->values, i);
}

/* How many of the items from <= i < to have this low part. */
static uint64_t count_low(const struct group_list *l, size_t from, size_t to, uint64_t low)
{
    uint64_t count = 0, mask = bits_mask(l->width);
    for (size_t i = from, at = l->low_at + from * l->width; i < to; i++, at += l->width)
        count += (bits_word(l->bytes + at / 8) >> at % 8 & mask) == low;
    return count;
}

static uint64_t count_patched(const struct group_list *l, size_t from, size_t to, uint64_t low)
{
    struct bits_in b = {l->bytes, l->high_at};
    uint64_t count = 0;
    for (size_t k = 0; k < l->patches; k++) {
        size_t place = take_patch(&b, l->high_width).place;
        count += place >= from && place < to ? count_low(l, place, place + 1, low) : 0;
    }
    return count;
}

/* What is patched has high bits, and numbers that are not the same stand for values that are not. An item stands for no change if it
 * makes up for the minimum: that is less than what is patched stands for, where it is below 0, or 0, which is not patched. */
bool group_changes(const struct group_values *v, size_t from, size_t to, uint64_t *changes)
{
    const struct group_list *l = &v->list;
    uint64_t same = (0 - (uint64_t)v->minimum) >> v->shift;
    *changes = v->constant ? 0 : to - from - 1;
    if (v->kind == BITS || v->odd)
        return false;
    if (v->constant || v->minimum > 0 || same << v->shift != 0 - (uint64_t)v->minimum)
        return true;
    if (l->width > WIDTH_IN_WORD || same > bits_mask(l->width))
        return false;
    *changes -= count_low(l, from, to - 1, same) - count_patched(l, from, to - 1, same);
    return true;
}
