#include "bucket_priv.h"
#include "call_priv.h"
#include "histogram_stat_priv.h"

#include "tocsin/gotext.h"

#include <math.h>

#define BUCKET_LABEL STR("le")

/* ---- fields of native histograms ---- */

static int spread(struct call *c, const struct histogram *h, double *out)
{
    struct arena *scratch = &c->ev->scratch;
    arena_clear(scratch);
    if (!histogram_stat_variance(scratch, h, out))
        return eval_no_memory(c->ev);
    if (call_id(c) == FUNC_histogram_stddev)
        *out = sqrt(*out);
    return 0;
}

int element_histogram_field(struct call *c, struct cell *cell)
{
    const struct histogram *h = cell->histogram;
    if (cell->kind != CELL_HISTOGRAM) {
        cell->kind = CELL_NONE;
        return 0;
    }
    *cell = (struct cell){.kind = CELL_FLOAT};
    switch (call_id(c)) {
    case FUNC_histogram_count:
        cell->value = h->count;
        return 0;
    case FUNC_histogram_sum:
        cell->value = h->sum;
        return 0;
    case FUNC_histogram_avg:
        cell->value = h->sum / h->count;
        return 0;
    default:
        return spread(c, h, &cell->value);
    }
}

/* ---- classic histograms: series put together by their labels without le ---- */

struct classic_series {
    const struct column *column;
    double upper;
};

struct classic {
    const struct labels *labels;
    struct classic_series *series;
    size_t count, capacity;
    const struct column *native; /* a native histogram of the same labels */
    bool drop_name;

    struct bucket_repair repair; /* over all steps */
    size_t repaired;
    int64_t repaired_first_ms, repaired_last_ms;
};

struct gathering {
    struct call *c;
    const struct expr *arg;
    struct vector input;
    struct label_index index;
    struct classic *items;
    size_t count, capacity;
    struct bucket *buckets; /* as many as any of them may need */
};

static int room_for(struct gathering *k, size_t number)
{
    if (number < k->count)
        return 0;
    ARENA_GROW(k->c->ev->arena, k->items, k->count, k->capacity);
    if (k->items == NULL)
        return eval_no_memory(k->c->ev);
    k->items[k->count++] = (struct classic){.labels = k->index.items[number]};
    return 0;
}

/* Names take part: those of two metrics never make one histogram, even where their names go at once. */
static int find_classic(struct gathering *k, const struct column *column, struct classic **out)
{
    struct evaluation *ev = k->c->ev;
    const struct labels *ls = labels_with(ev->arena, column->labels, BUCKET_LABEL, (struct str){0});
    size_t number;
    TRY(label_index_add(ev, &k->index, ls, &number));
    TRY(room_for(k, number));
    *out = &k->items[number];
    return 0;
}

/* " for metric name ..." if there is a name to tell: with delayed name removal only. */
static const char *name_tail(struct gathering *k, const struct labels *ls)
{
    struct str name = labels_metric(ls);
    const char *tail = "";
    if (name.n > 0 && k->c->ev->q->options.features.delayed_name_removal)
        tail = arena_format(k->c->ev->arena, " for metric name %s", note_quote(k->c->ev, name));
    return tail != NULL ? tail : "";
}

static bool has_kind(const struct call *c, const struct column *column, enum cell_kind kind)
{
    for (size_t step = 0; step < c->grid->count; step++)
        if (column->kinds[step] == kind)
            return true;
    return false;
}

static int add_bucket_series(struct gathering *k, const struct column *column)
{
    struct evaluation *ev = k->c->ev;
    struct str le = labels_get(column->labels, BUCKET_LABEL);
    struct classic *h;
    double upper = NAN;
    if (!go_parse_float(le, &upper))
        return note_add(ev, ANNOTATION_WARNING, k->arg->start,
                        "bucket label \"le\" is missing or has a malformed value of %s%s", note_quote(ev, le),
                        name_tail(k, column->labels));
    TRY(find_classic(k, column, &h));
    ARENA_GROW(ev->arena, h->series, h->count, h->capacity);
    if (h->series == NULL)
        return eval_no_memory(ev);
    h->series[h->count++] = (struct classic_series){column, upper};
    h->drop_name = ev->q->options.features.delayed_name_removal;
    return 0;
}

/* A native histogram belongs to the classic one whose labels, but for le, are its own. */
static int add_native_series(struct gathering *k, const struct column *column)
{
    struct evaluation *ev = k->c->ev;
    size_t number;
    TRY(label_index_add(ev, &k->index, column->labels, &number));
    TRY(room_for(k, number));
    if (k->items[number].native != NULL)
        return eval_fail(ev, ERR_EXEC, "vector cannot contain metrics with the same labelset");
    k->items[number].native = column;
    k->items[number].drop_name = ev->q->options.features.delayed_name_removal;
    return 0;
}

static int gather(struct gathering *k)
{
    struct call *c = k->c;
    TRY(eval_vector(c->ev, k->arg, c->grid, &k->input));
    for (size_t i = 0; i < k->input.count; i++)
        if (has_kind(c, k->input.items[i], CELL_FLOAT))
            TRY(add_bucket_series(k, k->input.items[i]));
    for (size_t i = 0; i < k->input.count; i++)
        if (has_kind(c, k->input.items[i], CELL_HISTOGRAM))
            TRY(add_native_series(k, k->input.items[i]));
    k->buckets = ARENA_ARRAY(c->ev->arena, struct bucket, k->input.count);
    return k->buckets != NULL ? 0 : eval_no_memory(c->ev);
}

/* One histogram at one step: classic buckets, or a native histogram, or neither. */
struct reading {
    size_t count; /* of k->buckets */
    const struct histogram *native;
};

static int read_step(struct gathering *k, const struct classic *h, size_t step, struct reading *r)
{
    *r = (struct reading){0};
    for (size_t i = 0; i < h->count; i++) {
        const struct column *column = h->series[i].column;
        if (column->kinds[step] == CELL_FLOAT)
            k->buckets[r->count++] = (struct bucket){h->series[i].upper, column->values[step]};
    }
    if (h->native == NULL || h->native->kinds[step] != CELL_HISTOGRAM)
        return 0;
    if (r->count == 0) {
        r->native = h->native->histograms[step];
        return 0;
    }
    *r = (struct reading){0};
    return note_add(k->c->ev, ANNOTATION_WARNING, k->arg->start,
                    "vector contains a mix of classic and native histograms%s",
                    name_tail(k, h->native->labels));
}

static bool is_read(const struct reading *r)
{
    return r->count > 0 || r->native != NULL;
}

static void add_repair(struct classic *h, const struct bucket_repair *r, int64_t t_ms)
{
    if (!r->forced)
        return;
    if (h->repaired == 0) {
        h->repair = *r;
        h->repaired_first_ms = t_ms;
    }
    h->repair.from = fmin(h->repair.from, r->from);
    h->repair.to = fmax(h->repair.to, r->to);
    h->repair.max_diff = fmax(h->repair.max_diff, r->max_diff);
    h->repaired_last_ms = t_ms;
    h->repaired++;
}

static int tell_repair(struct gathering *k, struct classic *h)
{
    struct buf text;
    if (h->repaired == 0)
        return 0;
    buf_init(&text, 4096);
    buf_puts(&text, "input to histogram_quantile needed to be fixed for monotonicity (see "
                    "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)");
    buf_puts(&text, name_tail(k, h->labels));
    buf_puts(&text, ", from buckets ");
    go_float(&text, h->repair.from, 'g', -1);
    buf_puts(&text, " to ");
    go_float(&text, h->repair.to, 'g', -1);
    buf_puts(&text, ", with a max diff of ");
    go_float(&text, h->repair.max_diff, 'g', 2);
    buf_format(&text, ", over %zu samples from ", h->repaired);
    go_time_rfc3339(&text, h->repaired_first_ms * NS_PER_MS, -1);
    buf_puts(&text, " to ");
    go_time_rfc3339(&text, h->repaired_last_ms * NS_PER_MS, -1);
    int code = note_add(k->c->ev, ANNOTATION_INFO, k->arg->start, "%s", buf_text(&text));
    buf_release(&text);
    return code;
}

static int native_quantile(struct gathering *k, const struct classic *h, const struct histogram *native,
                           double phi, double *out)
{
    struct evaluation *ev = k->c->ev;
    enum nan_effect effect = NAN_NONE;
    arena_clear(&ev->scratch);
    if (!histogram_stat_quantile(&ev->scratch, native, phi, out, &effect))
        return eval_no_memory(ev);
    if (effect == NAN_NONE)
        return 0;
    return note_add(ev, ANNOTATION_INFO, k->arg->start,
                    "input to histogram_quantile has NaN observations, result is %s%s",
                    effect == NAN_RESULT ? "NaN" : "skewed higher", name_tail(k, h->labels));
}

static int quantile_of(struct gathering *k, struct classic *h, const struct reading *r, double phi,
                       size_t step, bool tell, double *out)
{
    struct bucket_repair repair = {0};
    if (r->native != NULL)
        return native_quantile(k, h, r->native, phi, out);
    *out = bucket_quantile(phi, k->buckets, r->count, &repair);
    if (tell)
        add_repair(h, &repair, grid_at(k->c->grid, step));
    return 0;
}

static int quantile_column(struct gathering *k, struct classic *h, const double *phi, struct column *out)
{
    struct reading r = {0};
    for (size_t step = 0; step < k->c->grid->count; step++) {
        double value = NAN;
        TRY(read_step(k, h, step, &r));
        if (!is_read(&r))
            continue;
        TRY(quantile_of(k, h, &r, phi[step], step, true, &value));
        column_set_float(out, step, value);
    }
    return 0;
}

static int warn_quantiles(struct call *c, size_t param, const struct expr *e)
{
    for (size_t step = 0; step < c->grid->count; step++) {
        double phi = c->params[param][step];
        if (isnan(phi) || phi < 0 || phi > 1)
            TRY(note_add(c->ev, ANNOTATION_WARNING, e->start,
                         "quantile value should be between 0 and 1, got %s", note_float(c->ev, phi)));
    }
    return 0;
}

static int finish(struct gathering *k, struct vector *out)
{
    for (size_t i = 0; i < k->count; i++)
        TRY(tell_repair(k, &k->items[i]));
    vector_trim(out, k->c->grid);
    return 0;
}

static int finish_unnamed(struct gathering *k, struct vector *out)
{
    TRY(finish(k, out));
    return eval_drop_names(k->c->ev, out, k->c->grid);
}

int call_histogram_quantile(struct call *c, struct vector *out)
{
    struct gathering k = {.c = c, .arg = call_arg(c, 1)};
    struct column *column;
    TRY(warn_quantiles(c, 0, call_arg(c, 0)));
    TRY(gather(&k));
    for (size_t i = 0; i < k.count; i++) {
        TRY(vector_add(c->ev, out, c->grid, k.items[i].labels, k.items[i].drop_name, &column));
        TRY(quantile_column(&k, &k.items[i], c->params[0], column));
    }
    return finish_unnamed(&k, out);
}

static int fraction_of(struct gathering *k, const struct classic *h, const struct reading *r, size_t step,
                       double *out)
{
    struct call *c = k->c;
    double lower = c->params[0][step], upper = c->params[1][step];
    bool has_nan = false;
    if (r->native == NULL) {
        *out = bucket_fraction(lower, upper, k->buckets, r->count);
        return 0;
    }
    arena_clear(&c->ev->scratch);
    if (!histogram_stat_fraction(&c->ev->scratch, r->native, lower, upper, out, &has_nan))
        return eval_no_memory(c->ev);
    if (!has_nan)
        return 0;
    return note_add(
        c->ev, ANNOTATION_INFO, k->arg->start,
        "input to histogram_fraction has NaN observations, which are excluded from all fractions%s",
        name_tail(k, h->labels));
}

int call_histogram_fraction(struct call *c, struct vector *out)
{
    struct gathering k = {.c = c, .arg = call_arg(c, 2)};
    struct column *column;
    struct reading r = {0};
    double value = NAN;
    TRY(gather(&k));
    for (size_t i = 0; i < k.count; i++) {
        TRY(vector_add(c->ev, out, c->grid, k.items[i].labels, k.items[i].drop_name, &column));
        for (size_t step = 0; step < c->grid->count; step++) {
            TRY(read_step(&k, &k.items[i], step, &r));
            if (!is_read(&r))
                continue;
            TRY(fraction_of(&k, &k.items[i], &r, step, &value));
            column_set_float(column, step, value);
        }
    }
    return finish_unnamed(&k, out);
}

/* ---- histogram_quantiles: one series for each quantile ---- */

/* OpenMetrics' canonical floats: an integer is written with ".0". */
static struct str quantile_text(struct call *c, double phi)
{
    struct buf text;
    buf_init(&text, 512);
    go_float(&text, phi, 'g', -1);
    if (isfinite(phi) && memchr(buf_text(&text), '.', text.used) == NULL &&
        memchr(buf_text(&text), 'e', text.used) == NULL)
        buf_puts(&text, ".0");
    struct str copy = str_copy(c->ev->arena, buf_slice(&text));
    buf_release(&text);
    return copy;
}

/* A quantile may change from step to step, and with it the label. */
static int quantile_cell(struct gathering *k, struct label_index *index, struct classic *h, size_t param,
                         size_t step, struct vector *out)
{
    struct call *c = k->c;
    struct str name = eval_string(call_arg(c, 1));
    struct reading r = {0};
    struct column *column;
    size_t number;
    double phi = c->params[param][step], value = NAN;
    TRY(read_step(k, h, step, &r));
    if (!is_read(&r))
        return 0;
    const struct labels *ls = h->labels;
    if (!c->ev->q->options.features.delayed_name_removal)
        ls = labels_without_metadata(c->ev->arena, ls);
    if (ls != NULL)
        ls = labels_with(c->ev->arena, ls, name, quantile_text(c, phi));
    TRY(label_index_add(c->ev, index, ls, &number));
    if (number == out->count)
        TRY(vector_add(c->ev, out, c->grid, ls, h->drop_name, &column));
    column = out->items[number];
    if (column->kinds[step] != CELL_NONE)
        return eval_fail(c->ev, ERR_EXEC, "vector cannot contain metrics with the same labelset");
    TRY(quantile_of(k, h, &r, phi, step, param == 0, &value));
    column_set_float(column, step, value);
    return 0;
}

int call_histogram_quantiles(struct call *c, struct vector *out)
{
    struct gathering k = {.c = c, .arg = call_arg(c, 0)};
    struct label_index index = {0};
    struct str name = eval_string(call_arg(c, 1));
    if (!label_name_is_valid(name))
        return eval_fail(c->ev, ERR_EXEC, "invalid label name %s", note_quote(c->ev, name));
    for (size_t p = 0; p < c->param_count; p++)
        TRY(warn_quantiles(c, p, call_arg(c, p + 2)));
    TRY(gather(&k));
    for (size_t i = 0; i < k.count; i++)
        for (size_t p = 0; p < c->param_count; p++)
            for (size_t step = 0; step < c->grid->count; step++)
                TRY(quantile_cell(&k, &index, &k.items[i], p, step, out));
    return finish(&k, out);
}
