#include "ring_priv.h"

#include "block_priv.h"
#include "box_priv.h"
#include "tocsin/err.h"

int64_t ring_oldest_ms(const struct ring *r)
{
    return block_time(r->first, 0);
}

int64_t ring_newest_ms(const struct ring *r)
{
    return block_time(r->last, (size_t)r->last->count - 1);
}

static void link_after(struct ring *r, struct block *older, struct block *b)
{
    b->older = older;
    b->newer = older != NULL ? older->newer : r->first;
    *(b->older != NULL ? &b->older->newer : &r->first) = b;
    *(b->newer != NULL ? &b->newer->older : &r->last) = b;
}

static void take_out(struct ring *r, struct block *b)
{
    *(b->older != NULL ? &b->older->newer : &r->first) = b->newer;
    *(b->newer != NULL ? &b->newer->older : &r->last) = b->older;
}

/* The block a sample of this time belongs to: the newest that begins at or before it, else the first. */
static struct block *find_block(const struct ring *r, int64_t t_ms)
{
    struct block *b = r->last;
    while (b != NULL && b->older != NULL && t_ms < block_time(b, 0))
        b = b->older;
    return b;
}

static bool same_sample(const struct sample *a, const struct sample *b)
{
    if (a->histogram == NULL || b->histogram == NULL)
        return a->histogram == b->histogram && double_bits(a->value) == double_bits(b->value);
    return box_equal(a->histogram, b->histogram);
}

/* Puts a roomier (or wider) copy in b's place. */
static struct block *replace(struct ring *r, struct block *b, size_t capacity, bool wide,
                             struct account *account)
{
    struct block *copy = block_make(account, capacity, wide);
    link_after(r, b, copy);
    block_move(copy, b, 0);
    take_out(r, b);
    block_free(account, b);
    return copy;
}

static void split(struct ring *r, struct block *b, struct account *account)
{
    struct block *upper = block_make(account, b->capacity, b->wide);
    link_after(r, b, upper);
    block_move(upper, b, b->count / 2);
}

/* Room for one sample behind all others: the last block if it fits, else a larger copy of it or a new one. */
static struct block *room_at_end(struct ring *r, bool wide, struct account *account)
{
    struct block *b = r->last;
    if (b != NULL && b->wide >= wide) {
        if (b->count < b->capacity)
            return b;
        if (b->capacity < BLOCK_SAMPLES_MAX)
            return replace(r, b, (size_t)b->capacity * 2, b->wide, account);
    }
    struct block *fresh = block_make(account, BLOCK_SAMPLES_MIN, wide);
    link_after(r, b, fresh);
    return fresh;
}

/* Room for a sample among others. */
static struct block *room_inside(struct ring *r, int64_t t_ms, bool wide, struct account *account)
{
    struct block *b = find_block(r, t_ms);
    if (b->count == BLOCK_SAMPLES_MAX) {
        split(r, b, account);
        b = find_block(r, t_ms);
    }
    bool full = b->count == b->capacity;
    if (full || b->wide < wide)
        b = replace(r, b, full ? (size_t)b->capacity * 2 : b->capacity, b->wide || wide, account);
    return b;
}

/* What one append may take at most: a block of the largest size twice over, and the box. */
static bool has_room(const struct account *account, const struct sample *s)
{
    size_t bytes = 2 * block_bytes(BLOCK_SAMPLES_MAX, true);
    if (s->histogram != NULL)
        bytes += box_bytes(s->histogram);
    return account_has_room(account, bytes);
}

/* The histogram right before place i of the block, if one is there. */
static const struct histogram *histogram_before(const struct block *b, size_t i)
{
    if (i == 0 && b->older == NULL)
        return NULL;
    struct sample s = i > 0 ? block_get(b, i - 1) : block_get(b->older, (size_t)b->older->count - 1);
    return s.histogram;
}

static struct histogram *own_histogram(const struct block *b, size_t i, const struct histogram *h,
                                       struct account *account)
{
    struct histogram *own = box_copy(account_take(account, box_bytes(h)), h);
    own->hint = histogram_stored_hint(histogram_before(b, i), h);
    return own;
}

/* The next sample has a new predecessor: what was known of the old one is no longer true. */
static void forget_hint_after(struct block *b, size_t i)
{
    if (i == b->count && b->newer == NULL)
        return;
    struct sample s = i < b->count ? block_get(b, i) : block_get(b->newer, 0);
    if (s.histogram != NULL && s.histogram->hint == HINT_NOT_RESET)
        ((struct histogram *)s.histogram)->hint = HINT_UNKNOWN;
}

static void insert(struct block *b, const struct sample *s, struct account *account)
{
    struct sample own = *s;
    size_t i = block_upto(b, s->t_ms);
    if (s->histogram != NULL)
        own.histogram = own_histogram(b, i, s->histogram, account);
    forget_hint_after(b, i);
    block_insert(b, i, &own);
}

static enum ring_verdict append_inside(struct ring *r, const struct sample *s, struct account *account)
{
    const struct block *b = find_block(r, s->t_ms);
    size_t upto = block_upto(b, s->t_ms);
    if (upto > 0 && block_time(b, upto - 1) == s->t_ms) {
        struct sample there = block_get(b, upto - 1);
        return same_sample(&there, s) ? RING_SAME : RING_CONFLICT;
    }
    if (!has_room(account, s))
        return RING_FULL;
    insert(room_inside(r, s->t_ms, sample_is_wide(s), account), s, account);
    return RING_TAKEN;
}

enum ring_verdict ring_append(struct ring *r, const struct sample *s, struct account *account)
{
    if (!ring_empty(r) && s->t_ms <= ring_newest_ms(r))
        return append_inside(r, s, account);
    if (!has_room(account, s))
        return RING_FULL;
    insert(room_at_end(r, sample_is_wide(s), account), s, account);
    return RING_TAKEN;
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

static size_t count_window(const struct ring *r, int64_t after_ms, int64_t upto_ms,
                           const struct block **first)
{
    size_t n = 0;
    *first = NULL;
    for (const struct block *b = r->last; b != NULL; b = b->older) {
        size_t from = block_upto(b, after_ms);
        size_t to = block_upto(b, upto_ms);
        if (to > from) {
            n += to - from;
            *first = b;
        }
        if (from > 0)
            break;
    }
    return n;
}

int ring_read(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample **samples, size_t *count)
{
    const struct block *b = NULL;
    size_t n = after_ms < upto_ms ? count_window(r, after_ms, upto_ms, &b) : 0;
    *samples = ARENA_ARRAY(arena, struct sample, n);
    *count = 0;
    if (*samples == NULL)
        return ERR_LIMIT;
    for (; *count < n; b = b->newer)
        for (size_t i = block_upto(b, after_ms); i < b->count && *count < n; i++) {
            struct sample *s = &(*samples)[(*count)++];
            *s = block_get(b, i);
            if (!own_box(s, arena))
                return ERR_LIMIT;
        }
    return 0;
}

int ring_last(const struct ring *r, int64_t after_ms, int64_t upto_ms, struct arena *arena,
              struct sample *out)
{
    const struct block *b = find_block(r, upto_ms);
    size_t upto = b != NULL ? block_upto(b, upto_ms) : 0;
    if (upto == 0 || block_time(b, upto - 1) <= after_ms)
        return 0;
    *out = block_get(b, upto - 1);
    return own_box(out, arena) ? 1 : ERR_LIMIT;
}

static size_t drop_first(struct ring *r, struct account *account)
{
    struct block *b = r->first;
    size_t n = b->count;
    take_out(r, b);
    block_free(account, b);
    return n;
}

size_t ring_drop_before(struct ring *r, int64_t before_ms, struct account *account)
{
    size_t n = 0;
    while (r->first != NULL && block_time(r->first, (size_t)r->first->count - 1) < before_ms)
        n += drop_first(r, account);
    return n;
}

size_t ring_clear(struct ring *r, struct account *account)
{
    size_t n = 0;
    while (r->first != NULL)
        n += drop_first(r, account);
    return n;
}
