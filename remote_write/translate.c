/* Series of a request become series of a batch: labels checked, samples in order. A bad one is refused alone. */
#include "push_priv.h"
#include "tocsin/limits.h"
#include "tocsin/stat.h"
#include "tocsin/wire.h"

#include <stdlib.h>

/* What became of one series. */
enum fate { FATE_READY, FATE_EMPTY, FATE_REFUSED, FATE_NO_MEMORY };

/* What becomes of a run: translated, then admitted in order. */
struct slice {
    struct batch_series series[RUN_SERIES_MAX];
    struct spelling spellings[RUN_SERIES_MAX];
    const struct pushed *from[RUN_SERIES_MAX];
    size_t count;
    size_t unknown[RUN_SERIES_MAX]; /* places of those that the store does not know by their spellings */
};

struct translation {
    struct push *push;
    struct slice slice; /* the one at hand */
    struct admit_result admitted;
    uint64_t refused_series;
    uint64_t refused_samples; /* of those series, by us; the store counts its own */
    uint64_t offered_floats, offered_histograms;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static void sort_labels(struct labels *ls)
{
    for (size_t i = 1; i < ls->count; i++)
        if (str_cmp(ls->item[i - 1].name, ls->item[i].name) > 0) {
            qsort(ls->item, ls->count, sizeof *ls->item, by_name);
            return;
        }
}

/* The labels as they came, sorted unless there are too many; texts stay where the request has them. Else the reason: ERR_PARSE,
 * or ERR_LIMIT past the arena's cap. */
static int take_labels(struct push *p, const struct pushed *from, struct labels **out, struct err *err)
{
    int rc = push_spell(p, from, out, err);
    if (rc == 0 && (*out)->count <= (size_t)limits.labels_per_series)
        sort_labels(*out);
    return rc;
}

static void drop_empty_values(struct labels *ls)
{
    size_t kept = 0;
    for (size_t i = 0; i < ls->count; i++)
        if (ls->item[i].value.n > 0)
            ls->item[kept++] = ls->item[i];
    ls->count = kept;
}

/* Adds a line; labels may be NULL. */
static void tell(struct translation *t, const char *reason, const struct labels *ls)
{
    struct buf *text = &t->push->answer->text;
    buf_puts(text, reason);
    if (ls != NULL) {
        buf_char(text, ' ');
        labels_print(text, ls);
    }
    buf_char(text, '\n');
}

static enum fate refuse(struct translation *t, const struct pushed *s, const char *reason,
                        const struct labels *ls)
{
    tell(t, reason, ls);
    t->refused_series++;
    t->refused_samples += s->float_count + s->histogram_count;
    return FATE_REFUSED;
}

static bool label_is_too_long(const struct label *l)
{
    if (l->name.n > (size_t)limits.label_name_bytes)
        limit_hit(LIMIT_label_name_bytes);
    else if (l->value.n > (size_t)limits.label_value_bytes)
        limit_hit(LIMIT_label_value_bytes);
    else
        return false;
    return true;
}

/* The rule that the sorted labels break, in Prometheus' words where it has some; NULL if they are fine. */
static const char *find_fault(const struct labels *ls)
{
    if (ls->count > (size_t)limits.labels_per_series) {
        limit_hit(LIMIT_labels_per_series);
        return "too many labels, got";
    }
    for (size_t i = 0; i < ls->count; i++) {
        const struct label *l = &ls->item[i];
        if (label_is_too_long(l))
            return "label name or value too long, got";
        if (!label_name_is_valid(l->name) || !str_is_utf8(l->value))
            return "invalid metric name or labels, got";
        if (i > 0 && str_eq(ls->item[i - 1].name, l->name))
            return "invalid labels for series, duplicated label name, labels";
    }
    if (labels_get(ls, STR(LABEL_METRIC_NAME)).n == 0)
        return "invalid metric name or labels, got";
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const struct sample *)a)->t_ms;
    int64_t y = ((const struct sample *)b)->t_ms;
    return (x > y) - (x < y);
}

static void sort_samples(struct sample *samples, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (samples[i - 1].t_ms > samples[i].t_ms) {
            qsort(samples, count, sizeof *samples, by_time);
            return;
        }
}

/* Labels for the store: checked, sorted, without empty values. */
static enum fate spell(struct translation *t, const struct pushed *s, struct labels **out)
{
    struct err err;
    int rc = take_labels(t->push, s, out, &err);
    if (rc == ERR_LIMIT || !push_settle(t->push))
        return FATE_NO_MEMORY;
    const char *fault = rc == 0 ? find_fault(*out) : NULL;
    if (rc == 0 && fault == NULL) {
        drop_empty_values(*out);
        return FATE_READY;
    }
    stat_add(STAT_push_bad_labels, s->float_count + s->histogram_count);
    if (rc == 0)
        return refuse(t, s, fault, *out);
    const char *reason = arena_format(&t->push->arena, "parsing labels for series: %s", err.text);
    return reason != NULL ? refuse(t, s, reason, NULL) : FATE_NO_MEMORY;
}

/* Refuses a series for something else than its labels, unless those are bad as well. */
static enum fate spell_and_refuse(struct translation *t, const struct pushed *s, const char *reason)
{
    struct labels *ls;
    enum fate fate = spell(t, s, &ls);
    return fate == FATE_READY ? refuse(t, s, reason, ls) : fate;
}

static bool is_histogram_field(const struct push *p, const struct wire_field *f)
{
    enum { V1_HISTOGRAMS = 4, V2_HISTOGRAMS = 3 };
    return f->number == (p->v2 ? V2_HISTOGRAMS : V1_HISTOGRAMS);
}

/* Behind the floats come the histograms; one that breaks a rule refuses the series. */
static enum fate take_histograms(struct translation *t, const struct pushed *s)
{
    struct push *p = t->push;
    struct sample *to = s->samples + s->float_count;
    struct wire w = wire_of(s->body);
    struct wire_field f;
    struct err err;
    while (to < s->samples + s->float_count + s->histogram_count && wire_next(&w, &f) == WIRE_FIELD) {
        if (!is_histogram_field(p, &f))
            continue;
        int rc = translate_histogram(&p->arena, f.bytes, p->v2, to++, &err);
        if (rc == ERR_LIMIT || !push_settle(p))
            return FATE_NO_MEMORY;
        if (rc != 0) {
            const char *reason = arena_format(&p->arena, "%s, series", err.text);
            return reason != NULL ? spell_and_refuse(t, s, reason) : FATE_NO_MEMORY;
        }
    }
    return FATE_READY;
}

static bool refers_outside(const struct push *p, uint32_t ref)
{
    return ref != 0 && ref >= p->symbol_count;
}

/* All but the labels, which a known series does not need. */
static enum fate translate(struct translation *t, const struct pushed *s, struct batch_series *out)
{
    size_t count = (size_t)s->float_count + s->histogram_count;
    /* Prometheus sends exemplars in series of their own. */
    bool empty = count == 0 && s->exemplar_count == 0;
    if (empty && !t->push->v2)
        return FATE_EMPTY;
    if (empty)
        return spell_and_refuse(t, s, "TimeSeries must contain at least one sample or histogram for series");
    if (refers_outside(t->push, s->help_ref) || refers_outside(t->push, s->unit_ref))
        return spell_and_refuse(t, s, "metadata refers outside of the symbols table, series");
    enum fate fate = s->histogram_count > 0 ? take_histograms(t, s) : FATE_READY;
    sort_samples(s->samples, count);
    *out = (struct batch_series){.samples = s->samples, .sample_count = count};
    return fate;
}

/* ---- one run: translated, then admitted in order -------------------------------------------------------- */

static uint64_t refused_by_store(const struct admit_result *r)
{
    uint64_t refused = 0;
    for (int i = ADMIT_OK + 1; i < ADMIT_REASON_COUNT; i++)
        refused += i == ADMIT_UNREFERENCED ? 0 : r->refused[i];
    return refused;
}

/* Counts what a series has offered to the store, and hands on what came with it. */
static enum fate note_offered(struct translation *t, const struct pushed *s)
{
    t->offered_floats += s->float_count;
    t->offered_histograms += s->histogram_count;
    if (!pushed_has_extras(s))
        return FATE_READY;
    return push_series_extras(t->push, s) == 0 ? FATE_READY : FATE_NO_MEMORY;
}

/* Moves one that the store does not know to the place `to`, with its labels. */
static enum fate spell_unknown(struct translation *t, size_t from, size_t to)
{
    struct slice *slice = &t->slice;
    struct labels *ls;
    enum fate fate = spell(t, slice->from[from], &ls);
    if (fate != FATE_READY)
        return fate;
    slice->from[to] = slice->from[from];
    slice->spellings[to] = slice->spellings[from];
    slice->series[to] = slice->series[from];
    slice->series[to].labels = ls->item;
    slice->series[to].label_count = ls->count;
    return fate;
}

static struct batch batch_of(const struct translation *t)
{
    return (struct batch){.series = t->slice.series,
                          .count = t->slice.count,
                          .spellings = t->slice.spellings,
                          .identity = t->push->identity};
}

/* All of a slice but the first `left_out` of the unknown. */
static enum fate note_all_but(struct translation *t, size_t left_out)
{
    const struct slice *slice = &t->slice;
    size_t next = 0;
    for (size_t i = 0; i < slice->count; i++) {
        if (next < left_out && slice->unknown[next] == i)
            next++;
        else if (note_offered(t, slice->from[i]) == FATE_NO_MEMORY)
            return FATE_NO_MEMORY;
    }
    return FATE_READY;
}

static int admit_slice(struct translation *t)
{
    struct slice *slice = &t->slice;
    struct batch all = batch_of(t);
    size_t unknown_count = store_admit_known(t->push->store, &all, &t->admitted, slice->unknown);
    if (note_all_but(t, unknown_count) == FATE_NO_MEMORY)
        return push_out_of_memory(t->push);
    if (unknown_count == 0)
        return 0;
    slice->count = 0;
    for (size_t i = 0; i < unknown_count; i++) {
        enum fate fate = spell_unknown(t, slice->unknown[i], slice->count);
        if (fate == FATE_NO_MEMORY)
            return push_out_of_memory(t->push);
        slice->count += fate == FATE_READY;
    }
    struct batch unknown = batch_of(t);
    store_admit(t->push->store, &unknown, &t->admitted);
    return note_all_but(t, 0) == FATE_NO_MEMORY ? push_out_of_memory(t->push) : 0;
}

static int translate_run(struct translation *t, const struct pushed_run *run)
{
    struct slice *slice = &t->slice;
    slice->count = 0;
    struct arena_mark mark = arena_mark(&t->push->arena);
    for (size_t i = 0; i < run->count; i++) {
        const struct pushed *from = &run->series[i];
        enum fate fate = translate(t, from, &slice->series[slice->count]);
        if (fate == FATE_NO_MEMORY)
            return push_out_of_memory(t->push);
        slice->from[slice->count] = from;
        slice->spellings[slice->count] = from->spelling;
        slice->count += fate == FATE_READY;
    }
    int rc = admit_slice(t);
    arena_rewind(&t->push->arena, mark);
    push_settle(t->push);
    return rc;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void count_written(struct translation *t)
{
    struct intake_answer *answer = t->push->answer;
    uint64_t histograms = t->admitted.refused_histograms;
    answer->appended = t->admitted.appended;
    answer->logged = t->admitted.logged;
    t->push->unlogged = t->admitted.unlogged;
    answer->written_samples = minus(t->offered_floats, refused_by_store(&t->admitted) - histograms);
    answer->written_histograms = minus(t->offered_histograms, histograms);
    answer->written_exemplars = t->push->written_exemplars;
}

/* The answer when all series have been seen. A store at its limit may have room later, so it is not final. */
static int conclude(struct translation *t)
{
    const struct admit_result *r = &t->admitted;
    uint64_t refused = refused_by_store(r);
    if (r->refused[ADMIT_SERIES_LIMIT] + r->refused[ADMIT_MEMORY_LIMIT] > 0)
        return push_fail(t->push, 429, "the store is at its limit");
    if (r->refused[ADMIT_IDENTITY_LIMIT] > 0)
        return push_fail(t->push, 429, "the sender is at its limit of series");
    if (refused + t->refused_series > 0)
        return push_fail(t->push, 400, "%llu samples refused",
                         (unsigned long long)(refused + t->refused_samples));
    if (t->push->v2 && t->push->refused_exemplars > 0)
        return push_fail(t->push, 400, "%llu exemplars refused",
                         (unsigned long long)t->push->refused_exemplars);
    return 0;
}

int push_translate(struct push *p)
{
    struct translation t = {.push = p, .admitted.detail = &p->answer->text};
    int rc = 0;
    for (const struct pushed_run *run = p->first_run; rc == 0 && run != NULL; run = run->next)
        rc = translate_run(&t, run);
    if (rc == 0 && p->has_metadata)
        push_families(p);
    count_written(&t);
    return rc == 0 ? conclude(&t) : rc;
}
