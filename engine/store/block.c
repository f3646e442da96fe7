#include "block_priv.h"

#include "box_priv.h"
#include "slab_priv.h"
#include "tocsin/check.h"

size_t block_bytes(size_t capacity, enum block_kind kind)
{
    switch (kind) {
    case BLOCK_WHOLE:
        return sizeof(struct block) + sizeof(struct block_base) + capacity * sizeof(struct block_whole);
    case BLOCK_POINTS:
        return sizeof(struct block) + capacity * sizeof(struct point);
    default:
        return sizeof(struct block) + capacity * sizeof(struct sample);
    }
}

struct block *block_make(struct account *account, size_t capacity, enum block_kind kind)
{
    must(capacity <= BLOCK_SAMPLES_MAX);
    struct block *b = slab_take(account->slab, block_bytes(capacity, kind));
    *b = (struct block){.capacity = (uint8_t)capacity, .kind = (uint8_t)kind};
    return b;
}

void block_free(struct account *account, struct block *b)
{
    for (size_t i = 0; b->kind == BLOCK_MIXED && i < b->count; i++) {
        struct histogram *h = (struct histogram *)block_samples(b)[i].histogram;
        if (h != NULL)
            account_give(account, h, box_bytes(h));
    }
    slab_give(account->slab, b, block_bytes(b->capacity, b->kind));
}

struct sample block_get(const struct block *b, size_t i)
{
    if (block_is_wide(b))
        return block_samples(b)[i];
    struct point p = b->kind == BLOCK_WHOLE ? block_whole_point(b, i) : block_points(b)[i];
    return (struct sample){.t_ms = p.t_ms, .start_ms = b->start_ms, .value = p.value};
}

bool block_lay_out(const struct block *b, size_t from, size_t to, struct point *points, int64_t *starts)
{
    int64_t any = 0;
    for (size_t i = from; i < to; i++) {
        struct sample s = block_get(b, i);
        points[i - from] = (struct point){s.t_ms, s.value};
        if (starts != NULL)
            starts[i - from] = s.start_ms;
        any |= s.start_ms;
    }
    return any != 0;
}

size_t block_upto(const struct block *b, int64_t t_ms)
{
    size_t low = 0;
    size_t high = b->count;
    if (high > 0 && block_time(b, high - 1) <= t_ms) /* nearly always */
        return high;
    if (high > 0 && block_time(b, 0) > t_ms) /* all windows but the shortest */
        return 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (block_time(b, middle) <= t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- kinds ---- */

/* Below it every whole number is a double of its own, and what is 32 bits away from it as well. */
static const double WHOLE_MAX = 0x1p52;

static bool is_whole(double v, int64_t *whole)
{
    if (!(v < WHOLE_MAX && v > -WHOLE_MAX))
        return false;
    *whole = (int64_t)v;
    return double_bits((double)*whole) == double_bits(v); /* not so for -0 */
}

static bool is_near(int64_t a, int64_t b)
{
    int64_t more;
    return !__builtin_sub_overflow(a, b, &more) && more == (int32_t)more;
}

/* False if it is no whole number near the base. */
static bool to_whole(const struct block *b, const struct sample *s, struct block_whole *out)
{
    const struct block_base *base = block_base(b);
    int64_t whole;
    if (!is_whole(s->value, &whole) || !is_near(whole, base->value) || !is_near(s->t_ms, base->t_ms))
        return false;
    *out = (struct block_whole){(int32_t)(s->t_ms - base->t_ms), (int32_t)(whole - base->value)};
    return true;
}

enum block_kind block_kind_for(const struct block *b, const struct sample *s)
{
    struct block_whole near;
    int64_t whole;
    if (s->histogram != NULL)
        return BLOCK_MIXED;
    if (b == NULL || b->count == 0)
        return is_whole(s->value, &whole) ? BLOCK_WHOLE : BLOCK_POINTS;
    if (block_is_wide(b))
        return (enum block_kind)b->kind;
    if (s->start_ms != b->start_ms)
        return BLOCK_STARTS;
    return b->kind == BLOCK_WHOLE && to_whole(b, s, &near) ? BLOCK_WHOLE : BLOCK_POINTS;
}

/* ---- putting ---- */

/* What the first sample settles for those that follow. */
static void begin(struct block *b, const struct sample *s)
{
    b->start_ms = s->start_ms;
    if (b->kind == BLOCK_WHOLE)
        *block_base(b) = (struct block_base){s->t_ms, (int64_t)s->value};
}

/* What has been put before so many others. */
static bool falls_at(const struct block *b, size_t i, size_t behind)
{
    const struct block_whole *whole = block_wholes(b) + i;
    return (i > 0 && whole[0].value < whole[-1].value) || (behind > 0 && whole[1].value < whole[0].value);
}

bool block_append(struct block *b, const struct sample *s)
{
    struct block_whole *whole = &block_wholes(b)[b->count];
    if (b->count == b->capacity || s->histogram != NULL)
        return false;
    if (b->kind == BLOCK_WHOLE && b->count > 0) {
        if (s->start_ms != b->start_ms || !to_whole(b, s, whole))
            return false;
        b->falls |= whole[0].value < whole[-1].value;
        b->count++;
        return true;
    }
    if (block_kind_for(b, s) > b->kind)
        return false;
    block_insert(b, b->count, s);
    return true;
}

void block_insert(struct block *b, size_t i, const struct sample *s)
{
    must(b->count < b->capacity && b->kind >= block_kind_for(b, s));
    size_t behind = (size_t)b->count - i;
    if (b->count == 0)
        begin(b, s);
    switch (b->kind) {
    case BLOCK_WHOLE:
        memmove(block_wholes(b) + i + 1, block_wholes(b) + i, behind * sizeof(struct block_whole));
        must(to_whole(b, s, &block_wholes(b)[i]));
        b->falls |= falls_at(b, i, behind);
        break;
    case BLOCK_POINTS:
        memmove(block_points(b) + i + 1, block_points(b) + i, behind * sizeof(struct point));
        block_points(b)[i] = (struct point){s->t_ms, s->value};
        break;
    default:
        memmove(block_samples(b) + i + 1, block_samples(b) + i, behind * sizeof(struct sample));
        block_samples(b)[i] = *s;
    }
    b->count++;
}

/* A base need not be the first sample's: here it is taken along. */
static void copy(struct block *to, const struct block *from, size_t i, size_t n)
{
    size_t head = block_bytes(0, from->kind), each = block_sample_bytes(from);
    uint8_t capacity = to->capacity;
    memcpy(to, from, head);
    memcpy((char *)to + head, (const char *)from + head + i * each, n * each);
    to->capacity = capacity;
    to->count = (uint8_t)n;
}

void block_move(struct block *to, struct block *from, size_t i)
{
    size_t n = (size_t)from->count - i;
    must(to->count == 0 && n <= to->capacity && to->kind >= from->kind);
    if (to->kind == from->kind)
        copy(to, from, i, n);
    for (size_t k = to->count; k < n; k++) {
        struct sample s = block_get(from, i + k);
        block_insert(to, k, &s);
    }
    from->count = (uint8_t)i;
}
