#include "record_priv.h"

#include "tocsin/err.h"
#include "tocsin/histogram.h"
#include "varint_priv.h"

#include <math.h>

/*
 * Layout. An item begins with a byte for its kind. A number is a varint (seven bits a byte, lowest first); one that may be
 * negative is folded (bits_fold). An id is the distance of its number from that of the id before it, folded, and one bit that
 * says whether the turn differs and follows. A time is its distance from the time before it.
 *
 *   WIDE      id, time, a byte of flags, [time less start time,] value or histogram
 *   histogram schema, count, sum, zero threshold, zero count, list of bounds, positive side, negative side
 *   side      number of spans, offset and length of each, list of buckets
 *   list      count * 2 + whole, then the intervals of whole numbers, or eight bytes each
 */
enum item_kind { ITEM_SERIES = 1, ITEM_FLOATS, ITEM_WIDE, ITEM_SEALED, ITEM_END };
enum { FLAG_HINT = 3, FLAG_HISTOGRAM = 4, FLAG_START = 8, FLAG_ALL = 15 };
enum {
    COUNT_BYTES = 2,
    LENGTH_BYTES = 4,
    ID_BYTES_MAX = 8,
    FLOAT_BYTES_MAX = ID_BYTES_MAX + VARINT_BYTES_MAX + 8,
    SPAN_BYTES_MAX = 10,
    ROOM_BYTES = 4096
};

void record_init(struct record *r, size_t bytes_max)
{
    *r = (struct record){0};
    buf_init(&r->bytes, bytes_max);
}

void record_release(struct record *r)
{
    buf_release(&r->bytes);
    record_init(r, r->bytes.max_bytes);
}

void record_clear(struct record *r)
{
    buf_clear(&r->bytes);
    r->count_at = 0;
    r->last = (struct series_id){0};
    r->last_ms = 0;
}

/* ---- writing: room is reserved once an item, then bytes are laid down ---- */

static inline char *put_bytes(char *to, const void *from, size_t n)
{
    if (n > 0)
        memcpy(to, from, n);
    return to + n;
}

static inline char *put_double(char *to, double v)
{
    uint64_t bits = htole64(double_bits(v));
    return put_bytes(to, &bits, sizeof bits);
}

static inline char *put_id(struct record *r, char *to, struct series_id id)
{
    bool other_turn = id.turn != r->last.turn;
    to = varint_put(to, bits_fold((int64_t)id.ref - (int64_t)r->last.ref) << 1 | other_turn);
    if (other_turn)
        to = varint_put(to, id.turn);
    r->last = id;
    return to;
}

static inline char *put_time(struct record *r, char *to, int64_t t_ms)
{
    to = varint_put_signed(to, (int64_t)((uint64_t)t_ms - (uint64_t)r->last_ms));
    r->last_ms = t_ms;
    return to;
}

static inline void commit(struct record *r, const char *from, const char *to)
{
    buf_commit(&r->bytes, (size_t)(to - from));
}

/* NULL: it would be too long. Any other item ends an open FLOATS. */
static char *begin(struct record *r, enum item_kind kind, size_t bytes)
{
    r->count_at = 0;
    char *to = buf_reserve(&r->bytes, 1 + bytes);
    if (to != NULL)
        *to = (char)kind;
    return to;
}

void record_series(struct record *r, struct series_id id, const struct label *labels, size_t count)
{
    size_t bytes = ID_BYTES_MAX + VARINT_BYTES_MAX;
    for (size_t i = 0; i < count; i++)
        bytes += 2 * VARINT_BYTES_MAX + labels[i].name.n + labels[i].value.n;
    char *from = begin(r, ITEM_SERIES, bytes);
    if (from == NULL)
        return;
    char *to = varint_put(put_id(r, from + 1, id), count);
    for (size_t i = 0; i < count; i++) {
        to = put_bytes(varint_put(to, labels[i].name.n), labels[i].name.p, labels[i].name.n);
        to = put_bytes(varint_put(to, labels[i].value.n), labels[i].value.p, labels[i].value.n);
    }
    commit(r, from, to);
}

/* ---- floats ---- */

static bool open_floats(struct record *r)
{
    char *from = begin(r, ITEM_FLOATS, COUNT_BYTES);
    if (from == NULL)
        return false;
    memset(from + 1, 0, COUNT_BYTES);
    buf_commit(&r->bytes, 1 + COUNT_BYTES);
    r->count_at = r->bytes.used - COUNT_BYTES;
    return true;
}

static uint16_t float_count(const struct record *r)
{
    uint16_t count;
    memcpy(&count, r->bytes.bytes + r->count_at, sizeof count);
    return le16toh(count);
}

/* Room for one, from a larger piece that was reserved before: this is done once for every sample that comes in. */
static inline char *float_room(struct record *r)
{
    struct buf *b = &r->bytes;
    if (r->room_until < b->used + FLOAT_BYTES_MAX) {
        size_t left = b->max_bytes - b->used;
        size_t more = left < FLOAT_BYTES_MAX ? FLOAT_BYTES_MAX : left < ROOM_BYTES ? left : ROOM_BYTES;
        if (buf_reserve(b, more) == NULL)
            return NULL;
        r->room_until = b->used + more;
    }
    return b->bytes + b->used;
}

static inline void put_float(struct record *r, struct series_id id, const struct sample *s)
{
    bool open = r->count_at > 0 && float_count(r) < UINT16_MAX;
    if (!open && !open_floats(r))
        return;
    char *from = float_room(r);
    if (from == NULL)
        return;
    char *to = put_double(put_time(r, put_id(r, from, id), s->t_ms), s->value);
    *to = '\0';
    r->bytes.used += (size_t)(to - from);
    uint16_t count = htole16((uint16_t)(float_count(r) + 1));
    memcpy(r->bytes.bytes + r->count_at, &count, sizeof count);
}

/* ---- wide samples ---- */

/* A number that an integer gives back to the bit. */
static bool is_whole(double v)
{
    return fabs(v) <= 0x1p53 && double_bits((double)(int64_t)v) == double_bits(v);
}

static size_t list_bytes_max(size_t count)
{
    return VARINT_BYTES_MAX + count * sizeof(double);
}

static char *put_list(char *to, const double *item, size_t count)
{
    bool whole = true;
    for (size_t i = 0; i < count && whole; i++)
        whole = is_whole(item[i]);
    to = varint_put(to, (uint64_t)count << 1 | whole);
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        if (!whole) {
            to = put_double(to, item[i]);
            continue;
        }
        to = varint_put_signed(to, (int64_t)item[i] - before);
        before = (int64_t)item[i];
    }
    return to;
}

static size_t side_bytes_max(const struct histogram_side *side)
{
    return VARINT_BYTES_MAX + side->span_count * SPAN_BYTES_MAX + list_bytes_max(side->bucket_count);
}

static char *put_side(char *to, const struct histogram_side *side)
{
    to = varint_put(to, side->span_count);
    for (size_t i = 0; i < side->span_count; i++)
        to = varint_put(varint_put_signed(to, side->spans[i].offset), side->spans[i].length);
    return put_list(to, side->buckets, side->bucket_count);
}

static size_t histogram_bytes_max(const struct histogram *h)
{
    return VARINT_BYTES_MAX + 4 * sizeof(double) + list_bytes_max(h->custom_count) +
           side_bytes_max(&h->positive) + side_bytes_max(&h->negative);
}

static char *put_histogram(char *to, const struct histogram *h)
{
    to = put_double(put_double(varint_put_signed(to, h->schema), h->count), h->sum);
    to = put_double(put_double(to, h->zero_threshold), h->zero_count);
    to = put_list(to, h->custom_bounds, h->custom_count);
    return put_side(put_side(to, &h->positive), &h->negative);
}

static void put_wide(struct record *r, struct series_id id, const struct sample *s)
{
    const struct histogram *h = s->histogram;
    size_t bytes = FLOAT_BYTES_MAX + 1 + VARINT_BYTES_MAX;
    char *from = begin(r, ITEM_WIDE, bytes + (h != NULL ? histogram_bytes_max(h) : 0));
    if (from == NULL)
        return;
    char *to = put_time(r, put_id(r, from + 1, id), s->t_ms);
    *to++ = (char)((h != NULL ? FLAG_HISTOGRAM | (int)h->hint : 0) | (s->start_ms != 0 ? FLAG_START : 0));
    if (s->start_ms != 0)
        to = varint_put_signed(to, (int64_t)((uint64_t)s->t_ms - (uint64_t)s->start_ms));
    commit(r, from, h != NULL ? put_histogram(to, h) : put_double(to, s->value));
}

void record_sample(struct record *r, struct series_id id, const struct sample *s)
{
    if (sample_is_wide(s))
        put_wide(r, id, s);
    else
        put_float(r, id, s);
}

void record_sealed(struct record *r, struct series_id id, const struct sealed *s)
{
    char *from = begin(r, ITEM_SEALED, ID_BYTES_MAX + LENGTH_BYTES + sealed_save_bytes_max(s));
    if (from == NULL)
        return;
    char *at = put_id(r, from + 1, id);
    size_t bytes = sealed_save(s, at + LENGTH_BYTES);
    uint32_t length = htole32((uint32_t)bytes);
    commit(r, from, put_bytes(at, &length, sizeof length) + bytes);
}

void record_end(struct record *r, uint64_t series, uint64_t samples, int64_t begun_ms)
{
    char *from = begin(r, ITEM_END, 3 * VARINT_BYTES_MAX);
    if (from != NULL)
        commit(r, from, varint_put_signed(varint_put(varint_put(from + 1, series), samples), begun_ms));
}

/* ---- reading ---- */

struct reader {
    struct taking from;
    struct series_id last;
    int64_t last_ms;
    const struct record_sink *sink;
    struct arena *arena;
    bool full; /* the arena is */
};

static struct series_id take_id(struct reader *r)
{
    uint64_t head = take_varint(&r->from);
    int64_t ref = (int64_t)((uint64_t)r->last.ref + (uint64_t)bits_unfold(head >> 1));
    r->from.bad = r->from.bad || ref <= 0 || ref > UINT32_MAX;
    r->last.ref = (uint32_t)ref;
    if ((head & 1) != 0)
        r->last.turn = (uint16_t)take_upto(&r->from, UINT16_MAX);
    return r->last;
}

static int64_t take_time(struct reader *r)
{
    r->last_ms = (int64_t)((uint64_t)r->last_ms + (uint64_t)take_signed(&r->from));
    return r->last_ms;
}

/* Room for as many as the bytes that are left can hold, if each has at least `bytes` of them. */
static void *room_for(struct reader *r, uint64_t count, size_t bytes, size_t size)
{
    r->from.bad = r->from.bad || count > taking_left(&r->from) / bytes;
    void *room = r->from.bad ? NULL : arena_array(r->arena, count, size);
    r->full = r->full || (!r->from.bad && room == NULL);
    return room;
}

static bool is_sound(const struct reader *r)
{
    return !r->from.bad && !r->full;
}

static int verdict(const struct reader *r)
{
    return r->from.bad ? ERR_PARSE : r->full ? ERR_LIMIT : 0;
}

/* As everywhere in the store: sorted, unique, without empty values. */
static bool in_order(const struct label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (labels[i].value.n == 0 || (i > 0 && str_cmp(labels[i - 1].name, labels[i].name) >= 0))
            return false;
    return true;
}

static int walk_series(struct reader *r)
{
    struct series_id id = take_id(r);
    size_t count = take_upto(&r->from, UINT8_MAX);
    struct label *labels = room_for(r, count, 2, sizeof *labels);
    for (size_t i = 0; i < count && is_sound(r); i++) {
        labels[i].name = take_bytes(&r->from, take_varint(&r->from));
        labels[i].value = take_bytes(&r->from, take_varint(&r->from));
    }
    if (!is_sound(r))
        return verdict(r);
    return in_order(labels, count) ? r->sink->series(r->sink->context, id, labels, count) : ERR_PARSE;
}

static int walk_floats(struct reader *r)
{
    uint16_t count = 0;
    struct str head = take_bytes(&r->from, COUNT_BYTES);
    if (head.n > 0)
        memcpy(&count, head.p, COUNT_BYTES);
    int rc = verdict(r);
    for (count = le16toh(count); rc == 0 && count > 0; count--) {
        struct series_id id = take_id(r);
        struct sample s = {.t_ms = take_time(r)};
        s.value = take_double(&r->from);
        rc = r->from.bad ? ERR_PARSE : r->sink->sample(r->sink->context, id, &s);
    }
    return rc;
}

static double *take_list(struct reader *r, size_t *count)
{
    uint64_t head = take_varint(&r->from);
    bool whole = (head & 1) != 0;
    double *item = room_for(r, head >> 1, whole ? 1 : sizeof *item, sizeof *item);
    uint64_t sum = 0;
    *count = is_sound(r) ? head >> 1 : 0;
    for (size_t i = 0; i < *count; i++) {
        if (whole)
            sum += (uint64_t)take_signed(&r->from);
        item[i] = whole ? (double)(int64_t)sum : take_double(&r->from);
    }
    return *count > 0 ? item : NULL;
}

static struct histogram_side take_side(struct reader *r)
{
    struct histogram_side side = {.span_count = take_varint(&r->from)};
    side.spans = room_for(r, side.span_count, 2, sizeof *side.spans);
    int64_t end = 0;
    uint64_t buckets = 0;
    for (size_t i = 0; i < side.span_count && is_sound(r); i++) {
        int64_t offset = take_signed(&r->from);
        uint32_t length = (uint32_t)take_upto(&r->from, INT32_MAX);
        r->from.bad = r->from.bad || offset < INT32_MIN || offset > INT32_MAX;
        end += offset + length;
        r->from.bad = r->from.bad || end < INT32_MIN || end > INT32_MAX;
        side.spans[i] = (struct histogram_span){(int32_t)offset, length};
        buckets += length;
    }
    side.buckets = take_list(r, &side.bucket_count);
    r->from.bad = r->from.bad || buckets != side.bucket_count;
    if (side.span_count == 0)
        side.spans = NULL;
    return side;
}

static struct histogram *take_histogram(struct reader *r, enum histogram_hint hint)
{
    struct histogram *h = ARENA_NEW(r->arena, struct histogram);
    r->full = r->full || h == NULL;
    if (!is_sound(r))
        return NULL;
    int64_t schema = take_signed(&r->from);
    h->schema = (int32_t)schema;
    r->from.bad = r->from.bad || h->schema != schema || !histogram_schema_is_valid(h->schema);
    h->hint = hint;
    h->count = take_double(&r->from);
    h->sum = take_double(&r->from);
    h->zero_threshold = take_double(&r->from);
    h->zero_count = take_double(&r->from);
    h->custom_bounds = take_list(r, &h->custom_count);
    h->positive = take_side(r);
    h->negative = take_side(r);
    return h;
}

static int walk_wide(struct reader *r)
{
    struct series_id id = take_id(r);
    struct sample s = {.t_ms = take_time(r)};
    uint8_t flags = take_byte(&r->from);
    r->from.bad = r->from.bad || flags > FLAG_ALL;
    if ((flags & FLAG_START) != 0)
        s.start_ms = (int64_t)((uint64_t)s.t_ms - (uint64_t)take_signed(&r->from));
    if ((flags & FLAG_HISTOGRAM) != 0)
        s.histogram = take_histogram(r, (enum histogram_hint)(flags & FLAG_HINT));
    else
        s.value = take_double(&r->from);
    return is_sound(r) ? r->sink->sample(r->sink->context, id, &s) : verdict(r);
}

static int walk_sealed(struct reader *r)
{
    struct series_id id = take_id(r);
    uint32_t length = 0;
    struct str head = take_bytes(&r->from, LENGTH_BYTES);
    if (head.n > 0)
        memcpy(&length, head.p, LENGTH_BYTES);
    struct str saved = take_bytes(&r->from, le32toh(length));
    return is_sound(r) ? r->sink->sealed(r->sink->context, id, saved) : verdict(r);
}

static int walk_end(struct reader *r)
{
    uint64_t series = take_varint(&r->from);
    uint64_t samples = take_varint(&r->from);
    int64_t begun_ms = take_signed(&r->from);
    return is_sound(r) ? r->sink->end(r->sink->context, series, samples, begun_ms) : verdict(r);
}

static int walk_item(struct reader *r)
{
    switch (take_byte(&r->from)) {
    case ITEM_SERIES:
        return walk_series(r);
    case ITEM_FLOATS:
        return walk_floats(r);
    case ITEM_WIDE:
        return walk_wide(r);
    case ITEM_SEALED:
        return walk_sealed(r);
    case ITEM_END:
        return walk_end(r);
    default:
        return ERR_PARSE;
    }
}

static void count_bytes(struct record_bytes *to, char kind, size_t bytes)
{
    uint64_t *const by_kind[] = {&to->rest, &to->series, &to->floats, &to->wide, &to->sealed, &to->rest};
    *by_kind[kind >= ITEM_SERIES && kind <= ITEM_END ? kind : 0] += bytes;
}

int record_walk(struct str bytes, const struct record_sink *sink, struct arena *arena)
{
    struct reader r = {.from = taking_of(bytes), .sink = sink, .arena = arena};
    struct arena_mark mark = arena_mark(arena);
    int rc = 0;
    while (rc == 0 && r.from.at < r.from.end) {
        const char *from = r.from.at;
        rc = walk_item(&r);
        arena_rewind(arena, mark);
        if (sink->bytes != NULL)
            count_bytes(sink->bytes, *from, (size_t)(r.from.at - from));
    }
    return rc;
}

bool record_is_end(struct str bytes)
{
    struct taking t = taking_of(bytes);
    bool is_end = take_byte(&t) == ITEM_END;
    take_varint(&t);
    take_varint(&t);
    take_signed(&t);
    return is_end && !t.bad && taking_left(&t) == 0;
}
