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
    size_t in_word =
        (WIDTH_IN_WORD + 1) / l->width; /* whole ones, wherever in its first byte a word begins */
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

struct point group_point(const struct group_at *g, size_t i)
{
    struct bits_in b = {g->in, g->values_at};
    struct value_head h = take_value_head(&b);
    int64_t m = h.first;
    if (!h.constant) {
        struct group_list l = step_over_list(&b, g->count - 1);
        m = plus(m, (int64_t)(i * (uint64_t)h.minimum + (list_sum(&l, 0, i) << h.shift)));
    }
    struct point p = {time_at(g, i), value_of(&h, m)};
    if (bits_take(&b, 1) == 0)
        return p;
    for (size_t odd = bits_take(&b, COUNT_BITS); odd > 0; odd--) {
        size_t place = bits_take(&b, COUNT_BITS);
        uint64_t bits = bits_take(&b, 64);
        if (place == i)
            p.value = double_from_bits(bits);
    }
    return p;
}

/* Intervals before and within a part, by which its sum is told: those before it count in full, the k-th within it as
 * often as samples follow. */
struct parted {
    size_t from, to;
    uint64_t before, within;
};

static void part_low(struct parted *p, const struct group_list *l)
{
    uint64_t sum = 0, within = 0, mask = bits_mask(l->width);
    size_t in_word = l->width > 0 ? (WIDTH_IN_WORD + 1) / l->width : 0, end = p->to - 1;
    p->before = low_sum(l, 0, p->from);
    if (l->width > WIDTH_IN_WORD)
        for (size_t i = p->from; i < end; i++)
            within += sum += low_sum(l, i, i + 1);
    else if (l->width > 0)
        for (size_t i = p->from; i < end; i += in_word) {
            size_t at = l->low_at + i * l->width, n = end - i < in_word ? end - i : in_word;
            for (uint64_t word = bits_word(l->bytes + at / 8) >> at % 8; n > 0; n--, word >>= l->width)
                within += sum += word & mask;
        }
    p->within = within;
}

static void part_high(struct parted *p, const struct group_list *l)
{
    struct bits_in b = {l->bytes, l->high_at};
    for (size_t k = 0; k < l->patches; k++) {
        struct patch at = take_patch(&b, l->high_width);
        uint64_t high = at.high << l->width;
        if (at.place < p->from)
            p->before += high;
        else if (at.place + 1 < p->to)
            p->within += high * (p->to - 1 - at.place);
    }
}

bool group_whole_sum(const struct group_at *g, size_t from, size_t to, int64_t *sum)
{
    struct bits_in b = {g->in, g->values_at};
    struct value_head h = take_value_head(&b);
    struct parted p = {.from = from, .to = to};
    if (h.kind != WHOLE)
        return false;
    if (!h.constant) {
        struct group_list l = step_over_list(&b, g->count - 1);
        part_low(&p, &l);
        part_high(&p, &l);
    }
    if (bits_take(&b, 1) != 0)
        return false;
    uint64_t n = to - from, minimum = (uint64_t)h.minimum;
    uint64_t first = (uint64_t)h.first + from * minimum + (p.before << h.shift);
    *sum = (int64_t)(n * first + n * (n - 1) / 2 * minimum + (p.within << h.shift));
    return true;
}
