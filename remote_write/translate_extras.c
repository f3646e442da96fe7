/*
 * What a push tells beside samples: exemplars and metadata go from its bytes into the store. Their form has been checked.
 *
 * No exemplar fails a push of 1.0, as with Prometheus; the sender of 2.0 is told which were refused.
 */
#include "push_priv.h"
#include "tocsin/extras.h"
#include "tocsin/wire.h"

#include <math.h>
#include <stdlib.h>

/* ---- exemplars ------------------------------------------------------------------------------------------ */

enum { EXEMPLAR_LABELS = 1, EXEMPLAR_VALUE = 2, EXEMPLAR_TIME = 3 }; /* the same in both versions */

static bool is_exemplar_field(const struct push *p, const struct wire_field *f)
{
    enum { V1_EXEMPLARS = 3, V2_EXEMPLARS = 4 };
    return f->number == (p->v2 ? V2_EXEMPLARS : V1_EXEMPLARS);
}

/* 2.0's references, one after the other, however they are packed: those of a series or an exemplar. */
struct ref_walk {
    struct wire fields, packed;
};

static bool next_ref(struct ref_walk *w, uint32_t *ref)
{
    uint64_t value = 0;
    struct wire_field f;
    while (w->packed.at == w->packed.end) {
        if (wire_next(&w->fields, &f) != WIRE_FIELD)
            return false;
        if (f.number == EXEMPLAR_LABELS && f.type == WIRE_BYTES)
            w->packed = wire_of(f.bytes);
        else if (f.number == EXEMPLAR_LABELS) {
            *ref = (uint32_t)f.value;
            return true;
        }
    }
    bool sound = wire_varint(&w->packed, &value);
    *ref = (uint32_t)value;
    return sound;
}

static uint32_t count_refs(struct str message)
{
    struct ref_walk walk = {.fields = wire_of(message)};
    uint32_t count = 0;
    for (uint32_t ref; next_ref(&walk, &ref);)
        count++;
    return count;
}

static uint32_t count_labels(struct str message)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    uint32_t count = 0;
    while (wire_next(&w, &f) == WIRE_FIELD)
        count += f.number == EXEMPLAR_LABELS;
    return count;
}

/* The labels of a series, or of a message that has them where a series has them, sorted and without empty ones.
 * 0, ERR_PARSE with the reason, or ERR_LIMIT (arena). */
static int spell(struct push *p, const struct pushed *from, struct labels **out, struct err *err)
{
    struct labels *written;
    int rc = push_spell(p, from, &written, err);
    if (rc != 0)
        return rc;
    *out = labels_make(&p->arena, written->item, written->count);
    return *out != NULL ? 0 : ERR_LIMIT;
}

static int take_labels(struct push *p, struct str message, struct exemplar *to, struct err *err)
{
    struct labels *ls = NULL;
    uint32_t count = p->v2 ? count_refs(message) : count_labels(message);
    uint32_t most = p->v2 ? 2 * EXEMPLAR_RUNES_MAX : EXEMPLAR_RUNES_MAX;
    if (count > most)
        return err_set(err, ERR_PARSE, "more than %d labels", EXEMPLAR_RUNES_MAX);
    int rc = spell(p, &(struct pushed){.body = message, .label_count = count}, &ls, err);
    for (size_t i = 0; rc == 0 && i < ls->count; i++)
        if (!label_name_is_valid(ls->item[i].name) || !str_is_utf8(ls->item[i].value))
            rc = err_set(err, ERR_PARSE, "invalid label name or value");
    to->labels = ls;
    return rc;
}

static int take_exemplar(struct push *p, struct str message, struct exemplar *to, struct err *err)
{
    struct wire w = wire_of(message);
    struct wire_field f;
    *to = (struct exemplar){0};
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == EXEMPLAR_VALUE)
            to->value = double_from_bits(f.value);
        else if (f.number == EXEMPLAR_TIME)
            to->t_ms = (int64_t)f.value;
    return take_labels(p, message, to, err);
}

/* As the store wants those of one time: by value (NaN first), then by the hash of their labels. */
static int in_order(const void *a, const void *b)
{
    const struct exemplar *x = a, *y = b;
    if (x->t_ms != y->t_ms)
        return x->t_ms > y->t_ms ? 1 : -1;
    if (isnan(x->value) || isnan(y->value))
        return !isnan(x->value) - !isnan(y->value);
    if (x->value != y->value)
        return x->value > y->value ? 1 : -1;
    return (x->labels->hash > y->labels->hash) - (x->labels->hash < y->labels->hash);
}

/* The exemplars of one series on their way. */
struct delivery {
    struct push *push;
    const struct pushed *from;
    struct labels *owner; /* the series' labels, once somebody wants them */
    struct exemplar *exemplars;
    size_t count;
};

static int find_owner(struct delivery *d)
{
    struct err err;
    if (d->owner != NULL)
        return 0;
    return spell(d->push, d->from, &d->owner, &err) == 0 ? 0 : ERR_LIMIT;
}

/* A line for 2.0's sender; `why` may be empty. */
static int tell(struct delivery *d, const char *what, const char *why)
{
    struct buf *text = &d->push->answer->text;
    if (!d->push->v2)
        return 0;
    if (find_owner(d) != 0)
        return ERR_LIMIT;
    buf_format(text, "%s for series ", what);
    labels_print(text, d->owner);
    buf_format(text, "%s%s\n", *why != '\0' ? ": " : "", why);
    return 0;
}

static int decode_exemplars(struct delivery *d)
{
    struct wire w = wire_of(d->from->body);
    struct wire_field f;
    struct err err = {.code = 0}, fault = {.code = 0};
    uint32_t left = d->from->exemplar_count;
    d->exemplars = ARENA_ARRAY(&d->push->arena, struct exemplar, left);
    if (d->exemplars == NULL)
        return ERR_LIMIT;
    while (left > 0 && wire_next(&w, &f) == WIRE_FIELD) {
        if (!is_exemplar_field(d->push, &f))
            continue;
        left--;
        int rc = take_exemplar(d->push, f.bytes, &d->exemplars[d->count], &err);
        if (rc == ERR_LIMIT)
            return rc;
        d->count += rc == 0;
        d->push->refused_exemplars += rc != 0;
        if (rc != 0 && fault.code == 0)
            fault = err;
    }
    return fault.code != 0 ? tell(d, "parsing exemplar", fault.text) : 0;
}

static int offer(struct delivery *d, struct exemplar_result *result)
{
    struct store *store = d->push->store;
    if (store_exemplars_known(store, &d->from->spelling, d->exemplars, d->count, result))
        return 0;
    if (find_owner(d) != 0)
        return ERR_LIMIT;
    store_exemplars(store, d->owner->item, d->owner->count, d->exemplars, d->count, result);
    return 0;
}

static const char *refusal_of(const struct delivery *d, enum exemplar_reason reason)
{
    if (reason == EXEMPLAR_NO_SERIES && d->from->float_count + d->from->histogram_count == 0)
        return "TimeSeries must contain at least one sample or histogram";
    return exemplar_reason_text(reason);
}

static int deliver(struct delivery *d)
{
    struct exemplar_result result = {0};
    int rc = decode_exemplars(d);
    if (rc != 0 || d->count == 0)
        return rc;
    qsort(d->exemplars, d->count, sizeof *d->exemplars, in_order);
    rc = offer(d, &result);
    d->push->written_exemplars += result.done;
    d->push->refused_exemplars += result.refused;
    if (rc == 0 && result.first != EXEMPLAR_OK)
        rc = tell(d, refusal_of(d, result.first), "");
    return rc;
}

static int push_exemplars(struct push *p, const struct pushed *s)
{
    struct delivery d = {.push = p, .from = s};
    struct arena_mark mark = arena_mark(&p->arena);
    int rc = deliver(&d);
    if (!push_settle(p))
        rc = ERR_LIMIT;
    arena_rewind(&p->arena, mark);
    push_settle(p);
    return rc;
}

/* ---- metadata ------------------------------------------------------------------------------------------- */

static enum metadata_type type_of(uint64_t number)
{
    return number < METADATA_TYPE_COUNT ? (enum metadata_type)number : METADATA_UNKNOWN;
}

/* The reference to the name of a series. */
static bool find_name(const struct push *p, const struct pushed *s, uint32_t *value)
{
    struct ref_walk walk = {.fields = wire_of(s->body)};
    for (uint32_t name; next_ref(&walk, &name) && next_ref(&walk, value);)
        if (str_is(p->symbols[name].text, LABEL_METRIC_NAME))
            return true;
    return false;
}

/* The family's name: a classic histogram's or summary's series have endings of their own. */
static struct str family_of(struct str name, enum metadata_type type)
{
    static const char *const endings[METADATA_TYPE_COUNT][4] = {
        [METADATA_HISTOGRAM] = {"_bucket", "_count", "_sum"},
        [METADATA_GAUGE_HISTOGRAM] = {"_bucket", "_gcount", "_gsum"},
        [METADATA_SUMMARY] = {"_count", "_sum"},
    };
    for (size_t i = 0; endings[type][i] != NULL; i++) {
        struct str ending = str_of(endings[type][i]);
        if (name.n > ending.n && str_ends(name, ending))
            return (struct str){name.p, name.n - ending.n};
    }
    return name;
}

static bool was_told(struct push *p, const struct told *now)
{
    struct told *before = &p->told[now->name_ref % TOLD];
    bool same = memcmp(before, now, sizeof *now) == 0;
    *before = *now;
    return same;
}

/* The labels of the series have been found good, so its references lead somewhere. */
static void push_meaning(struct push *p, const struct pushed *s)
{
    struct told now = {.help_ref = s->help_ref,
                       .unit_ref = s->unit_ref,
                       .type = s->metadata_type,
                       .histograms = s->histogram_count > 0};
    if (!find_name(p, s, &now.name_ref) || was_told(p, &now))
        return;
    enum metadata_type type = type_of(now.type);
    struct str name = p->symbols[now.name_ref].text;
    store_note_metadata(p->store, &(struct metadata){.family = now.histograms ? name : family_of(name, type),
                                                     .type = type,
                                                     .help = p->symbols[now.help_ref].text,
                                                     .unit = p->symbols[now.unit_ref].text});
}

int push_series_extras(struct push *p, const struct pushed *s)
{
    if ((s->metadata_type | s->help_ref | s->unit_ref) != 0)
        push_meaning(p, s);
    return s->exemplar_count > 0 ? push_exemplars(p, s) : 0;
}

static void push_family(struct push *p, struct str message)
{
    enum { TYPE = 1, FAMILY = 2, HELP = 4, UNIT = 5 };
    struct metadata m = {.type = METADATA_UNKNOWN};
    struct wire w = wire_of(message);
    struct wire_field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == TYPE)
            m.type = type_of(f.value);
        else if (f.number == FAMILY)
            m.family = f.bytes;
        else if (f.number == HELP)
            m.help = f.bytes;
        else if (f.number == UNIT)
            m.unit = f.bytes;
    store_note_metadata(p->store, &m);
}

void push_families(struct push *p)
{
    enum { METADATA = 3 };
    struct wire w = wire_of((struct str){p->decoded, p->decoded_bytes});
    struct wire_field f;
    while (wire_next(&w, &f) == WIRE_FIELD)
        if (f.number == METADATA)
            push_family(p, f.bytes);
}
