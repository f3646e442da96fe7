#include "box_priv.h"
#include "loose_priv.h"
#include "spine_priv.h"
#include "tocsin/check.h"
#include "tocsin/mem.h"

int64_t ring_oldest_ms(const struct ring *r)
{
    return r->spine != NULL ? r->spine->item[0].oldest_ms : block_time(r->open, 0);
}

static bool same_sample(const struct sample *a, const struct sample *b)
{
    if (a->histogram == NULL || b->histogram == NULL)
        return a->histogram == b->histogram && double_bits(a->value) == double_bits(b->value);
    return box_equal(a->histogram, b->histogram);
}

/* ---- what is sealed ---- */

/* Follows every change of it; no two rings ever have the same, but after four thousand million changes. */
static void sealed_changed(const struct ring *r)
{
    static _Atomic uint32_t changes;
    if (r->open != NULL)
        r->open->sealed = atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
}

/* ---- blocks ---- */

/* Puts a roomier (or wider) copy in its place. */
static void widen(struct block **b, size_t capacity, enum block_kind kind, struct account *account)
{
    struct block *copy = block_make(account, capacity, kind);
    block_move(copy, *b, 0);
    copy->sealed = (*b)->sealed;
    block_free(account, *b);
    *b = copy;
}

/* Room for one more, if the block is not of the largest size. */
static void make_room(struct block **b, const struct sample *s, struct account *account)
{
    bool full = (*b)->count == (*b)->capacity;
    enum block_kind kind = block_kind_for(*b, s);
    if (kind < (*b)->kind)
        kind = (*b)->kind;
    if (full || (*b)->kind < kind)
        widen(b, full ? block_capacity_after((*b)->capacity) : (*b)->capacity, kind, account);
}

static void insert(struct block *b, const struct sample *s, struct account *account)
{
    struct sample own = *s;
    if (s->histogram != NULL)
        own.histogram = box_copy(account_take(account, box_bytes(s->histogram)), s->histogram);
    block_insert(b, block_upto(b, s->t_ms), &own);
}

static enum ring_verdict compare(const struct sample *there, const struct sample *s)
{
    return same_sample(there, s) ? RING_SAME : RING_CONFLICT;
}

/* RING_TAKEN: the block has none of this time. */
static enum ring_verdict look(const struct block *b, const struct sample *s)
{
    size_t upto = block_upto(b, s->t_ms);
    if (upto == 0 || block_time(b, upto - 1) != s->t_ms)
        return RING_TAKEN;
    struct sample there = block_get(b, upto - 1);
    return compare(&there, s);
}

/* ---- the end ---- */

static void append_floats(struct account *account, struct sealed *s, const struct block *b)
{
    struct point points[BLOCK_SAMPLES_MAX];
    int64_t starts[BLOCK_SAMPLES_MAX];
    bool started = block_lay_out(b, 0, b->count, points, starts);
    sealed_append(account, s, points, started ? starts : NULL, b->count);
}

static void seal_floats(struct ring *r, const struct block *b, struct account *account)
{
    size_t n = spine_count(r);
    struct sealed *last = n > 0 ? &r->spine->item[n - 1] : NULL;
    if (last == NULL || !sealed_has_room(last, b->count)) {
        struct sealed fresh = {0};
        spine_insert(r, n, &fresh, account);
        last = &r->spine->item[n];
    }
    append_floats(account, last, b);
    spine_grew(r, account);
}

/* Packs them again together with what came before them, as long as that is little. */
static void seal_wide(struct ring *r, const struct block *b, struct account *account)
{
    size_t n = spine_count(r);
    const struct sealed *last = n > 0 ? &r->spine->item[n - 1] : NULL;
    if (last != NULL && sealed_is_wide(last) && last->count + b->count <= WIDE_SAMPLES_MAX) {
        struct loose l = loose_unpack(last, b->count);
        loose_add(&l, block_samples(b), b->count);
        loose_pack(&l, r, n - 1, account);
        return;
    }
    struct sealed wide = sealed_wide(account, block_samples(b), b->count);
    spine_insert(r, n, &wide, account);
}

static void seal_open(struct ring *r, struct account *account)
{
    struct block *b = r->open;
    r->open = NULL;
    if (b->kind == BLOCK_MIXED)
        seal_wide(r, b, account);
    else
        seal_floats(r, b, account);
    block_free(account, b);
}

/* Floats that came before a histogram are packed, not kept beside it. */
static bool must_be_sealed(const struct block *b, const struct sample *s)
{
    return b != NULL && (block_is_full(b) || (s->histogram != NULL && b->kind != BLOCK_MIXED));
}

/* Makes room for one behind all others. */
static void room_at_end(struct ring *r, const struct sample *s, struct account *account)
{
    if (must_be_sealed(r->open, s))
        seal_open(r, account);
    if (r->open != NULL) {
        make_room(&r->open, s, account);
        return;
    }
    r->open = block_make(account, r->spine == NULL ? BLOCK_SAMPLES_MIN : BLOCK_SAMPLES_NEXT,
                         block_kind_for(NULL, s));
    sealed_changed(r);
}

/* Makes room for one before the newest, which stays open. */
static void room_inside(struct ring *r, const struct sample *s, struct account *account)
{
    if (block_is_full(r->open)) {
        struct block *newer = block_make(account, BLOCK_SAMPLES_MAX, r->open->kind);
        block_move(newer, r->open, r->open->count / 2);
        seal_open(r, account);
        r->open = newer;
        sealed_changed(r);
    }
    make_room(&r->open, s, account);
}

/* What an append into the open block may take at most. */
static size_t open_bytes_max(const struct ring *r, const struct sample *s)
{
    size_t bytes = block_bytes(BLOCK_SAMPLES_MAX, BLOCK_MIXED);
    if (must_be_sealed(r->open, s))
        bytes += spine_bytes_more(r) + sealed_bytes_max(BLOCK_SAMPLES_MAX);
    return bytes;
}

/* ---- late samples ---- */

/* What was packed, with room for one more. */
struct unpacked {
    size_t count;
    struct point *points;
    int64_t *starts;
};

static struct unpacked unpack(const struct sealed *s)
{
    struct unpacked u = {s->count, MEM_ARRAY(struct point, s->count + (size_t)1),
                         MEM_ARRAY(int64_t, s->count + (size_t)1)};
    sealed_unpack(s, u.points, u.starts);
    return u;
}

static void release(struct unpacked *u)
{
    mem_free(u->points);
    mem_free(u->starts);
}

/* Packs samples from <= i < to behind what is there. */
static void pack(struct account *account, struct sealed *s, const struct unpacked *u, size_t from, size_t to)
{
    int64_t any = 0;
    for (size_t i = from; i < to; i++)
        any |= u->starts[i];
    sealed_append(account, s, u->points + from, any != 0 ? u->starts + from : NULL, to - from);
}

/* Packs samples in place of item i, where those before `changed` are the same: in two halves if they are too many for
 * one. */
static void repack(struct ring *r, size_t i, const struct unpacked *u, size_t count, size_t changed,
                   struct account *account)
{
    struct sealed upper = {0}, *lower = &r->spine->item[i];
    size_t first = count > SEALED_SAMPLES_MAX ? count / 2 / GROUP_SAMPLES * GROUP_SAMPLES : count;
    size_t kept = sealed_cut(account, lower, changed < first ? changed : first, u->points);
    pack(account, lower, u, kept, first);
    spine_changed(r, i, account);
    if (first == count)
        return;
    pack(account, &upper, u, first, count);
    spine_insert(r, i + 1, &upper, account);
}

static size_t points_upto(const struct unpacked *u, int64_t t_ms)
{
    size_t n = u->count;
    while (n > 0 && u->points[n - 1].t_ms > t_ms)
        n--;
    return n;
}

/* A late histogram goes between the two halves of the stretch it falls into. */
static void part_and_insert(struct ring *r, size_t i, const struct sample *s, const struct unpacked *u,
                            size_t at, struct account *account)
{
    struct sealed upper = {0}, wide = sealed_wide(account, s, 1);
    if (at > 0) {
        repack(r, i, u, at, at, account);
        spine_insert(r, ++i, &wide, account);
    } else {
        sealed_free(account, &r->spine->item[i]);
        r->spine->item[i] = wide;
        spine_changed(r, i, account);
    }
    if (at == u->count)
        return;
    pack(account, &upper, u, at, u->count);
    spine_insert(r, i + 1, &upper, account);
}

static enum ring_verdict insert_packed(struct ring *r, size_t i, const struct sample *s,
                                       struct account *account)
{
    struct unpacked u = unpack(&r->spine->item[i]);
    size_t at = points_upto(&u, s->t_ms), behind = u.count - at;
    enum ring_verdict verdict = RING_TAKEN;
    if (at > 0 && u.points[at - 1].t_ms == s->t_ms) {
        struct sample there = {.t_ms = s->t_ms, .value = u.points[at - 1].value};
        verdict = compare(&there, s);
    } else if (s->histogram != NULL) {
        part_and_insert(r, i, s, &u, at, account);
    } else {
        memmove(u.points + at + 1, u.points + at, behind * sizeof *u.points);
        memmove(u.starts + at + 1, u.starts + at, behind * sizeof *u.starts);
        u.points[at] = (struct point){s->t_ms, s->value};
        u.starts[at] = s->start_ms;
        repack(r, i, &u, u.count + 1, at, account);
    }
    release(&u);
    return verdict;
}

static enum ring_verdict insert_wide(struct ring *r, size_t i, const struct sample *s,
                                     struct account *account)
{
    struct loose l = loose_unpack(&r->spine->item[i], 1);
    size_t at = loose_upto(&l, s->t_ms);
    if (at > 0 && l.samples[at - 1].t_ms == s->t_ms) {
        enum ring_verdict verdict = compare(&l.samples[at - 1], s);
        loose_release(&l);
        return verdict;
    }
    loose_insert(&l, at, s);
    loose_pack(&l, r, i, account);
    return RING_TAKEN;
}

static enum ring_verdict append_late(struct ring *r, const struct sample *s, struct account *account)
{
    size_t i = spine_upto(r, s->t_ms);
    i -= i > 0;
    sealed_changed(r);
    if (sealed_is_wide(&r->spine->item[i]))
        return insert_wide(r, i, s, account);
    return insert_packed(r, i, s, account);
}

static size_t late_bytes_max(const struct ring *r)
{
    return sealed_bytes_max(SEALED_SAMPLES_MAX) + 3 * spine_bytes_more(r) +
           2 * block_bytes(BLOCK_SAMPLES_MAX, BLOCK_MIXED);
}

/* ---- appending ---- */

static bool has_room(const struct account *account, const struct sample *s, size_t bytes)
{
    return account_has_room(account, bytes + (s->histogram != NULL ? box_bytes(s->histogram) : 0));
}

static bool is_newest(const struct ring *r, int64_t t_ms)
{
    return r->open == NULL || t_ms > ring_newest_ms(r);
}

/* The spine is not touched for what is newest: it is seldom near. */
static bool is_late(const struct ring *r, int64_t t_ms)
{
    return !is_newest(r, t_ms) && r->spine != NULL && t_ms <= r->spine->item[r->spine->count - 1].newest_ms;
}

static enum ring_verdict place(struct ring *r, const struct sample *s, struct account *account)
{
    if (is_late(r, s->t_ms))
        return has_room(account, s, late_bytes_max(r)) ? append_late(r, s, account) : RING_FULL;
    bool newest = is_newest(r, s->t_ms);
    if (newest && r->open != NULL && block_append(r->open, s))
        return RING_TAKEN;
    enum ring_verdict verdict = newest ? RING_TAKEN : look(r->open, s);
    if (verdict != RING_TAKEN)
        return verdict;
    if (!has_room(account, s, open_bytes_max(r, s)))
        return RING_FULL;
    if (newest) {
        room_at_end(r, s, account);
    } else {
        room_inside(r, s, account);
        if (is_late(r, s->t_ms)) /* for the half of the open block that has just been sealed */
            return append_late(r, s, account);
    }
    insert(r->open, s, account);
    return RING_TAKEN;
}

/* With the hint that the store decides. */
static enum ring_verdict place_histogram(struct ring *r, const struct sample *s, struct account *account)
{
    struct histogram hinted = *s->histogram;
    struct sample own = *s;
    hinted.hint = ring_hint(r, s);
    own.histogram = &hinted;
    return place(r, &own, account);
}

enum ring_verdict ring_append(struct ring *r, const struct sample *s, struct account *account)
{
    bool among = r->open != NULL && s->t_ms < ring_newest_ms(r);
    enum ring_verdict verdict = s->histogram != NULL ? place_histogram(r, s, account) : place(r, s, account);
    if (verdict == RING_TAKEN && among)
        ring_forget_hint_after(r, s->t_ms, account);
    return verdict;
}

bool ring_has(const struct ring *r, const struct sample *s)
{
    struct arena arena;
    struct sample there;
    arena_init(&arena, SIZE_MAX); /* for one histogram that has been taken in before */
    bool has = ring_last(r, INT64_MIN, s->t_ms, &arena, &there) == 1 && there.t_ms == s->t_ms &&
               same_sample(&there, s);
    arena_release(&arena);
    return has;
}

/* ---- bringing back ---- */

bool ring_ends_before(const struct ring *r, int64_t t_ms)
{
    size_t n = spine_count(r);
    return r->open != NULL ? t_ms > ring_newest_ms(r) : n == 0 || t_ms > r->spine->item[n - 1].newest_ms;
}

enum ring_verdict ring_restore(struct ring *r, const struct sample *s, struct account *account)
{
    return place(r, s, account);
}

enum ring_verdict ring_restore_sealed(struct ring *r, const struct sealed *s, struct account *account)
{
    must(ring_ends_before(r, s->oldest_ms));
    if (!account_has_room(account, 2 * spine_bytes_more(r) + sealed_bytes_max(BLOCK_SAMPLES_MAX)))
        return RING_FULL;
    if (r->open != NULL)
        seal_open(r, account);
    spine_insert(r, spine_count(r), s, account);
    return RING_TAKEN;
}

/* ---- dropping ---- */

static size_t drop_sealed(struct ring *r, int64_t before_ms, struct account *account)
{
    size_t n = 0, samples = 0;
    for (; n < spine_count(r) && r->spine->item[n].newest_ms < before_ms; n++) {
        samples += r->spine->item[n].count;
        sealed_free(account, &r->spine->item[n]);
    }
    spine_drop(r, n, account);
    return samples;
}

static size_t drop_open(struct ring *r, struct account *account)
{
    size_t n = r->open->count;
    block_free(account, r->open);
    r->open = NULL;
    return n;
}

size_t ring_drop_before(struct ring *r, int64_t before_ms, struct account *account)
{
    size_t n = drop_sealed(r, before_ms, account);
    if (n > 0)
        sealed_changed(r);
    if (r->open != NULL && ring_newest_ms(r) < before_ms)
        n += drop_open(r, account);
    return n;
}

size_t ring_clear(struct ring *r, struct account *account)
{
    size_t n = 0;
    for (size_t i = 0; i < spine_count(r); i++) {
        n += r->spine->item[i].count;
        sealed_free(account, &r->spine->item[i]);
    }
    spine_drop(r, spine_count(r), account);
    return n + (r->open != NULL ? drop_open(r, account) : 0);
}
