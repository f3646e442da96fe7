#include "block_priv.h"

#include "box_priv.h"
#include "tocsin/check.h"

size_t block_bytes(size_t capacity, enum block_kind kind)
{
    size_t each = kind >= BLOCK_STARTS ? sizeof(struct sample) : sizeof(struct point);
    return sizeof(struct block) + (kind == BLOCK_STARTED ? sizeof(int64_t) : 0) + capacity * each;
}

struct block *block_make(struct account *account, size_t capacity, enum block_kind kind)
{
    must(capacity <= BLOCK_SAMPLES_MAX);
    struct block *b = account_take(account, block_bytes(capacity, kind));
    b->capacity = (uint16_t)capacity;
    b->kind = (uint8_t)kind;
    return b;
}

void block_free(struct account *account, struct block *b)
{
    for (size_t i = 0; b->kind == BLOCK_MIXED && i < b->count; i++) {
        struct histogram *h = (struct histogram *)block_samples(b)[i].histogram;
        if (h != NULL)
            account_give(account, h, box_bytes(h));
    }
    account_give(account, b, block_bytes(b->capacity, b->kind));
}

struct sample block_get(const struct block *b, size_t i)
{
    if (block_is_wide(b))
        return block_samples(b)[i];
    struct point p = block_points(b)[i];
    return (struct sample){.t_ms = p.t_ms, .start_ms = block_common_start(b), .value = p.value};
}

void block_lay_out(const struct block *b, struct block_floats *out)
{
    for (size_t i = 0; i < b->count; i++) {
        struct sample s = block_get(b, i);
        out->points[i] = (struct point){s.t_ms, s.value};
        out->starts[i] = s.start_ms;
    }
}

static void put(struct block *b, size_t i, const struct sample *s)
{
    if (block_is_wide(b)) {
        block_samples(b)[i] = *s;
        return;
    }
    if (b->kind == BLOCK_STARTED)
        *block_start(b) = s->start_ms;
    block_points(b)[i] = (struct point){s->t_ms, s->value};
}

size_t block_upto(const struct block *b, int64_t t_ms)
{
    size_t low = 0;
    size_t high = b->count;
    if (high > 0 && block_time(b, high - 1) <= t_ms) /* nearly always */
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (block_time(b, middle) <= t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void block_insert(struct block *b, size_t i, const struct sample *s)
{
    must(b->count < b->capacity && b->kind >= block_kind_for(b, s));
    size_t behind = (size_t)b->count - i;
    if (block_is_wide(b))
        memmove(block_samples(b) + i + 1, block_samples(b) + i, behind * sizeof(struct sample));
    else
        memmove(block_points(b) + i + 1, block_points(b) + i, behind * sizeof(struct point));
    put(b, i, s);
    b->count++;
}

static void copy_points(struct block *to, const struct block *from, size_t i, size_t n)
{
    if (to->kind == BLOCK_STARTED)
        *block_start(to) = *block_start(from);
    memcpy(block_points(to) + to->count, block_points(from) + i, n * sizeof(struct point));
}

void block_move(struct block *to, struct block *from, size_t i)
{
    size_t n = (size_t)from->count - i;
    must(to->count + n <= to->capacity && (to->kind == from->kind || block_is_wide(to)));
    if (to->kind == from->kind && !block_is_wide(to))
        copy_points(to, from, i, n);
    for (size_t k = 0; k < n && block_is_wide(to); k++)
        block_samples(to)[to->count + k] = block_get(from, i + k);
    to->count = (uint16_t)(to->count + n);
    from->count = (uint16_t)i;
}
