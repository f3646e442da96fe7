/* Every text stands once, in a table in front; series refer to it by number. */
#include "tocsin/encode.h"

#include "encode_priv.h"
#include "tocsin/err.h"
#include "tocsin/hash.h"
#include "tocsin/wire.h"

struct symbol {
    struct str text;
    uint32_t ref;
};

/* One series with the references of its labels: name, value, name, value, ... */
struct referring {
    const struct batch_series *series;
    const uint32_t *refs;
};

struct request {
    const struct referring *series;
    size_t count;
    struct symbol **symbols; /* by their references; the first is the empty text */
    size_t symbol_count, symbol_capacity;
    struct map by_text;
};

static bool is_text(const void *item, const void *key)
{
    return str_eq(((const struct symbol *)item)->text, *(const struct str *)key);
}

/* False past the arena's cap. */
static bool refer(struct arena *arena, struct request *r, struct str text, uint32_t *ref)
{
    uint64_t hash = hash_bytes(text.p, text.n);
    struct symbol *symbol = map_find(&r->by_text, hash, is_text, &text);
    if (symbol == NULL) {
        symbol = ARENA_NEW(arena, struct symbol);
        ARENA_GROW(arena, r->symbols, r->symbol_count, r->symbol_capacity);
        if (symbol == NULL || r->symbols == NULL)
            return false;
        *symbol = (struct symbol){text, (uint32_t)r->symbol_count};
        r->symbols[r->symbol_count++] = symbol;
        map_add(&r->by_text, hash, symbol);
    }
    *ref = symbol->ref;
    return true;
}

static bool refer_labels(struct arena *arena, struct request *r, const struct batch_series *series,
                         struct referring *to)
{
    uint32_t *refs = ARENA_ARRAY(arena, uint32_t, 2 * series->label_count);
    bool fits = refs != NULL;
    for (size_t i = 0; fits && i < series->label_count; i++)
        fits = refer(arena, r, series->labels[i].name, &refs[2 * i]) &&
               refer(arena, r, series->labels[i].value, &refs[2 * i + 1]);
    *to = (struct referring){series, refs};
    return fits;
}

static bool make_request(struct arena *arena, const struct batch *batch, struct request *r)
{
    uint32_t first;
    struct referring *all = ARENA_ARRAY(arena, struct referring, batch->count);
    bool fits = all != NULL && refer(arena, r, STR(""), &first);
    for (size_t i = 0; fits && i < batch->count; i++)
        fits = refer_labels(arena, r, &batch->series[i], &all[i]);
    r->series = all;
    r->count = batch->count;
    return fits;
}

static void put_refs(struct sink *s, const void *from)
{
    const struct referring *series = from;
    for (size_t i = 2 * series->series->label_count; i-- > 0;)
        put_varint(s, series->refs[i]);
}

static void put_series(struct sink *s, const void *from)
{
    enum { LABELS_REFS = 1, SAMPLES = 2, HISTOGRAMS = 3 };
    const struct batch_series *series = ((const struct referring *)from)->series;
    for (size_t i = series->sample_count; i-- > 0;) {
        const struct sample *sample = &series->samples[i];
        if (sample->histogram != NULL)
            put_nested(s, HISTOGRAMS, put_histogram_v2, sample);
        else
            put_nested(s, SAMPLES, put_float_v2, sample);
    }
    put_nested(s, LABELS_REFS, put_refs, from);
}

static void put_request(struct sink *s, const void *from)
{
    enum { SYMBOLS = 4, SERIES = 5 };
    const struct request *r = from;
    for (size_t i = r->count; i-- > 0;)
        put_nested(s, SERIES, put_series, &r->series[i]);
    for (size_t i = r->symbol_count; i-- > 0;)
        put_bytes(s, SYMBOLS, r->symbols[i]->text.p, r->symbols[i]->text.n);
}

int encode_push_v2(struct arena *arena, const struct batch *batch, struct str *body)
{
    struct request r = {0};
    map_init(&r.by_text);
    int rc = make_request(arena, batch, &r) ? encode_message(arena, put_request, &r, body) : ERR_LIMIT;
    map_release(&r.by_text);
    return rc;
}
