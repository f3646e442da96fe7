#include "backlog_priv.h"

#include "tocsin/histogram.h"
#include "tocsin/mem.h"

enum { PIECE_ITEMS = 500 };

struct line {
    size_t refs, bytes;
    struct labels *labels;
};

struct piece {
    struct piece *next;
    size_t from, end; /* the items in use */
    struct queued items[PIECE_ITEMS];
};

void backlog_init(struct backlog *b)
{
    *b = (struct backlog){0};
    map_init(&b->lines);
}

void backlog_release(struct backlog *b)
{
    struct queued q;
    while (backlog_take(b, &q))
        backlog_let_go(b, &q);
    map_release(&b->lines);
}

/* ---- series ---- */

struct line_key {
    const struct label *labels;
    size_t count;
};

static bool is_line_of(const void *item, const void *key)
{
    const struct labels *ls = ((const struct line *)item)->labels;
    const struct line_key *k = key;
    if (ls->count != k->count)
        return false;
    for (size_t i = 0; i < ls->count; i++)
        if (!str_eq(ls->item[i].name, k->labels[i].name) || !str_eq(ls->item[i].value, k->labels[i].value))
            return false;
    return true;
}

static struct labels *copy_labels(const struct line_key *key, uint64_t hash, size_t *bytes)
{
    struct labels *borrowed = mem_new(1, sizeof *borrowed + key->count * sizeof *borrowed->item);
    borrowed->hash = hash;
    borrowed->count = key->count;
    *bytes = sizeof *borrowed + key->count * sizeof *borrowed->item;
    for (size_t i = 0; i < key->count; i++) {
        borrowed->item[i] = key->labels[i];
        *bytes += key->labels[i].name.n + key->labels[i].value.n + 2;
    }
    struct labels *own = labels_copy_heap(borrowed);
    mem_free(borrowed);
    return own;
}

static struct line *line_of(struct backlog *b, const struct label *labels, size_t count)
{
    struct line_key key = {labels, count};
    uint64_t hash = labels_hash(labels, count);
    struct line *line = map_find(&b->lines, hash, is_line_of, &key);
    if (line == NULL) {
        line = MEM_NEW(struct line);
        line->labels = copy_labels(&key, hash, &line->bytes);
        line->bytes += sizeof *line;
        map_add(&b->lines, hash, line);
        b->bytes += line->bytes;
    }
    line->refs++;
    return line;
}

static void line_drop(struct backlog *b, struct line *line)
{
    if (--line->refs > 0)
        return;
    map_remove(&b->lines, line->labels->hash, line);
    b->bytes -= line->bytes;
    mem_free(line->labels);
    mem_free(line);
}

/* ---- histograms, each one block of memory ---- */

static size_t side_bytes(const struct histogram_side *side)
{
    return side->span_count * sizeof *side->spans + side->bucket_count * sizeof *side->buckets;
}

static size_t histogram_bytes(const struct histogram *h)
{
    if (h == NULL)
        return 0;
    return sizeof *h + side_bytes(&h->positive) + side_bytes(&h->negative) +
           h->custom_count * sizeof *h->custom_bounds;
}

/* Copies there, and moves the place on; every part is a multiple of eight bytes. */
static void *move_in(char **at, const void *from, size_t bytes)
{
    void *to = *at;
    if (bytes > 0)
        memcpy(to, from, bytes);
    *at += bytes;
    return to;
}

static void move_in_side(char **at, struct histogram_side *side)
{
    side->buckets = move_in(at, side->buckets, side->bucket_count * sizeof *side->buckets);
    side->spans = move_in(at, side->spans, side->span_count * sizeof *side->spans);
}

static const struct histogram *copy_histogram(const struct histogram *h)
{
    if (h == NULL)
        return NULL;
    char *at = mem_new(histogram_bytes(h), 1);
    struct histogram *copy = move_in(&at, h, sizeof *h);
    copy->custom_bounds = move_in(&at, h->custom_bounds, h->custom_count * sizeof *h->custom_bounds);
    move_in_side(&at, &copy->positive);
    move_in_side(&at, &copy->negative);
    return copy;
}

/* ---- samples ---- */

static size_t own_bytes(const struct sample *sample)
{
    return sizeof(struct queued) + histogram_bytes(sample->histogram);
}

enum sample_kind queued_kind(const struct queued *q)
{
    return q->sample.histogram != NULL ? KIND_HISTOGRAM : KIND_FLOAT;
}

const struct labels *queued_labels(const struct queued *q)
{
    return q->line->labels;
}

size_t queued_bytes(const struct queued *q)
{
    return q->line->bytes + own_bytes(&q->sample);
}

static struct piece *room(struct backlog *b)
{
    if (b->last != NULL && b->last->end < PIECE_ITEMS)
        return b->last;
    struct piece *piece = MEM_NEW(struct piece);
    if (b->last != NULL)
        b->last->next = piece;
    else
        b->first = piece;
    b->last = piece;
    return piece;
}

void backlog_add(struct backlog *b, const struct label *labels, size_t label_count,
                 const struct sample *sample)
{
    struct piece *piece = room(b);
    struct queued *q = &piece->items[piece->end++];
    *q = (struct queued){line_of(b, labels, label_count), *sample};
    q->sample.histogram = copy_histogram(sample->histogram);
    b->bytes += own_bytes(&q->sample);
    b->pending[queued_kind(q)]++;
    b->count++;
}

bool backlog_take(struct backlog *b, struct queued *out)
{
    struct piece *piece = b->first;
    if (piece == NULL)
        return false;
    *out = piece->items[piece->from++];
    b->count--;
    if (piece->from < piece->end)
        return true;
    b->first = piece->next;
    if (b->first == NULL)
        b->last = NULL;
    mem_free(piece);
    return true;
}

void backlog_let_go(struct backlog *b, const struct queued *q)
{
    b->bytes -= own_bytes(&q->sample);
    b->pending[queued_kind(q)]--;
    mem_free((void *)(uintptr_t)q->sample.histogram);
    line_drop(b, q->line);
}
