/* Series of a request become series of a batch: labels checked, samples in order. A bad one is refused alone. */
#include "push_priv.h"
#include "tocsin/limits.h"
#include "tocsin/stat.h"

#include <stdlib.h>

enum { SLICE_SERIES = 256 /* translated and admitted at once, so that memory is needed for these only */ };

/* What became of one series. */
enum fate { FATE_READY, FATE_EMPTY, FATE_REFUSED, FATE_NO_MEMORY };

struct translation {
    struct push *push;
    struct admit_result admitted;
    uint64_t refused_series;
    uint64_t refused_samples; /* of those series, by us; the store counts its own */
};

static struct str text_of(const ProtobufCBinaryData *data)
{
    return (struct str){(const char *)data->data, data->len};
}

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

/* The labels as they came, sorted unless there are too many; texts stay where the request has them. NULL past the arena's cap. */
static struct labels *take_labels(struct arena *arena, const Prometheus__TimeSeries *ts)
{
    struct labels *ls = arena_alloc(arena, sizeof *ls + ts->n_labels * sizeof *ls->item);
    if (ls == NULL)
        return NULL;
    ls->count = ts->n_labels;
    for (size_t i = 0; i < ls->count; i++)
        ls->item[i] = (struct label){text_of(&ts->labels[i]->name), text_of(&ts->labels[i]->value)};
    if (ls->count <= (size_t)limits.labels_per_series)
        sort_labels(ls);
    return ls;
}

static void drop_empty_values(struct labels *ls)
{
    size_t kept = 0;
    for (size_t i = 0; i < ls->count; i++)
        if (ls->item[i].value.n > 0)
            ls->item[kept++] = ls->item[i];
    ls->count = kept;
}

static enum fate refuse(struct translation *t, const Prometheus__TimeSeries *ts, const struct labels *ls,
                        const char *reason)
{
    struct buf *text = &t->push->answer->text;
    buf_puts(text, reason);
    buf_char(text, ' ');
    labels_print(text, ls);
    buf_char(text, '\n');
    t->refused_series++;
    t->refused_samples += ts->n_samples + ts->n_histograms;
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

/* Appends the histograms; one that breaks a rule refuses the series. */
static enum fate take_histograms(struct translation *t, const Prometheus__TimeSeries *ts,
                                 const struct labels *ls, struct sample *to)
{
    struct err err;
    for (size_t i = 0; i < ts->n_histograms; i++) {
        int rc = translate_histogram(&t->push->arena, ts->histograms[i], &to[i], &err);
        if (rc == ERR_LIMIT)
            return FATE_NO_MEMORY;
        if (rc != 0) {
            char *reason = arena_format(&t->push->arena, "%s, series", err.text);
            return reason != NULL ? refuse(t, ts, ls, reason) : FATE_NO_MEMORY;
        }
    }
    return FATE_READY;
}

static enum fate take_samples(struct translation *t, const Prometheus__TimeSeries *ts,
                              const struct labels *ls, struct batch_series *out)
{
    size_t count = ts->n_samples + ts->n_histograms;
    struct sample *samples = ARENA_ARRAY(&t->push->arena, struct sample, count);
    if (samples == NULL)
        return FATE_NO_MEMORY;
    for (size_t i = 0; i < ts->n_samples; i++)
        samples[i] = (struct sample){.t_ms = ts->samples[i]->timestamp, .value = ts->samples[i]->value};
    enum fate fate = take_histograms(t, ts, ls, samples + ts->n_samples);
    sort_samples(samples, count);
    out->samples = samples;
    out->sample_count = count;
    return fate;
}

static enum fate translate(struct translation *t, const Prometheus__TimeSeries *ts, struct batch_series *out)
{
    if (ts->n_samples + ts->n_histograms == 0)
        return FATE_EMPTY;
    struct labels *ls = take_labels(&t->push->arena, ts);
    if (ls == NULL)
        return FATE_NO_MEMORY;
    const char *fault = find_fault(ls);
    if (fault != NULL) {
        stat_add(STAT_push_bad_labels, ts->n_samples + ts->n_histograms);
        return refuse(t, ts, ls, fault);
    }
    drop_empty_values(ls);
    *out = (struct batch_series){.labels = ls->item, .label_count = ls->count};
    return take_samples(t, ts, ls, out);
}

static int admit_slice(struct translation *t, Prometheus__TimeSeries *const *from, size_t count)
{
    struct batch_series series[SLICE_SERIES];
    struct batch batch = {.series = series};
    struct arena_mark mark = arena_mark(&t->push->arena);
    for (size_t i = 0; i < count; i++) {
        enum fate fate = translate(t, from[i], &series[batch.count]);
        if (fate == FATE_NO_MEMORY)
            return push_out_of_memory(t->push);
        batch.count += fate == FATE_READY;
    }
    store_admit(t->push->store, &batch, &t->admitted);
    arena_rewind(&t->push->arena, mark);
    return 0;
}

static int check_counts(struct push *p, const Prometheus__WriteRequest *request)
{
    size_t samples = 0;
    for (size_t i = 0; i < request->n_timeseries; i++)
        samples += request->timeseries[i]->n_samples + request->timeseries[i]->n_histograms;
    if (samples > (size_t)limits.push_samples) {
        limit_hit(LIMIT_push_samples);
        return push_fail(p, 413, "%zu samples in one push, %lld are allowed", samples,
                         (long long)limits.push_samples);
    }
    return 0;
}

/* The answer when all series have been seen. A store at its limit may have room later, so it is not final. */
static int conclude(struct translation *t)
{
    const struct admit_result *r = &t->admitted;
    t->push->answer->appended = r->appended;
    uint64_t refused = 0;
    for (int i = ADMIT_OK + 1; i < ADMIT_REASON_COUNT; i++)
        refused += i == ADMIT_UNREFERENCED ? 0 : r->refused[i];
    if (r->refused[ADMIT_SERIES_LIMIT] + r->refused[ADMIT_MEMORY_LIMIT] > 0)
        return push_fail(t->push, 429, "the store is at its limit");
    if (refused + t->refused_series > 0)
        return push_fail(t->push, 400, "%llu samples refused",
                         (unsigned long long)(refused + t->refused_samples));
    return 0;
}

int push_translate(struct push *p, const Prometheus__WriteRequest *request)
{
    struct translation t = {.push = p, .admitted.detail = &p->answer->text};
    int rc = check_counts(p, request);
    for (size_t i = 0; rc == 0 && i < request->n_timeseries; i += SLICE_SERIES) {
        size_t left = request->n_timeseries - i;
        rc = admit_slice(&t, request->timeseries + i, left < SLICE_SERIES ? left : SLICE_SERIES);
    }
    return rc == 0 ? conclude(&t) : rc;
}
