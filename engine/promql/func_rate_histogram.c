#include "between_priv.h"
#include "call_priv.h"

#include "tocsin/check.h"

/* The counter family, sums and averages over native histograms. */

static int warn(struct call *c, const char *text)
{
    return note_add(c->ev, ANNOTATION_WARNING, call_range_start(c), "%s%s", text,
                    note_quote(c->ev, labels_metric(c->labels)));
}

static int warn_schemas(struct call *c)
{
    return note_mixed_schemas(c->ev, call_range_start(c), c->labels);
}

static bool mixes_schemas(const struct sample_span *s, size_t from)
{
    for (size_t i = from + 1; i < s->count; i++)
        if (histogram_is_custom(s->samples[i].histogram) != histogram_is_custom(s->samples[from].histogram))
            return true;
    return false;
}

static bool is_gauge(const struct sample *s)
{
    return s->histogram->hint == HINT_GAUGE;
}

/* Is it a gauge where a counter is wanted, or the other way round? */
static int doubt_kind(struct call *c, const struct sample_span *s, bool counter)
{
    bool first = is_gauge(&s->samples[0]), last = is_gauge(&s->samples[s->count - 1]);
    for (size_t i = 0; counter && i < s->count; i++)
        if (is_gauge(&s->samples[i]))
            return warn(c, "this native histogram metric is not a counter: ");
    if (!counter && !(first && last))
        return warn(c, "this native histogram metric is not a gauge: ");
    return 0;
}

static int tell_reconciled(struct call *c, const struct histogram_remarks *remarks, const char *during)
{
    if (!remarks->reconciled)
        return 0;
    return note_add(c->ev, ANNOTATION_INFO, call_range_start(c),
                    "mismatched custom buckets were reconciled during %s", during);
}

static bool began_anew(const struct call *c, const struct sample *before, const struct sample *now)
{
    return reset_by_start(c, before, now) || histogram_is_reset(before->histogram, now->histogram);
}

/* A first sample that is reset away does not count, not even for its kind of buckets. */
static size_t first_that_counts(const struct call *c, const struct sample_span *s)
{
    bool counter = call_id(c) != FUNC_delta && call_id(c) != FUNC_idelta;
    return counter && s->count > 1 && began_anew(c, &s->samples[0], &s->samples[1]);
}

/* Nothing, in the shape of h. */
static const struct histogram *empty_like(struct arena *arena, const struct histogram *h)
{
    struct histogram *copy = histogram_copy(arena, h);
    if (copy == NULL)
        return NULL;
    copy->count = copy->sum = copy->zero_count = 0;
    copy->positive = copy->negative = (struct histogram_side){0};
    return copy;
}

static int add(struct call *c, const struct histogram **sum, const struct histogram *h, double sign,
               struct histogram_remarks *remarks)
{
    int code = histogram_add(&c->ev->scratch, *sum, h, sign, sum, remarks);
    must(code != HISTOGRAMS_INCOMPATIBLE);
    return code != 0 ? eval_no_memory(c->ev) : 0;
}

/* last - first, with what was there before each reset added. The first sample counts as nothing if it was
 * reset away. */
static int increase_of(struct call *c, const struct sample_span *s, bool counter,
                       const struct histogram **out, struct histogram_remarks *remarks)
{
    const struct histogram *first = s->samples[0].histogram;
    size_t skip_first = first_that_counts(c, s);
    if (skip_first > 0)
        first = empty_like(&c->ev->scratch, s->samples[1].histogram);
    if (first == NULL)
        return eval_no_memory(c->ev);
    *out = s->samples[s->count - 1].histogram;
    TRY(add(c, out, first, -1, remarks));
    for (size_t i = 1 + skip_first; counter && i < s->count; i++)
        if (began_anew(c, &s->samples[i - 1], &s->samples[i]))
            TRY(add(c, out, s->samples[i - 1].histogram, 1, remarks));
    return 0;
}

static int finish(struct call *c, const struct histogram *h, struct cell *out)
{
    h = h != NULL ? histogram_with_hint(&c->ev->scratch, h, HINT_GAUGE) : NULL;
    out->kind = CELL_HISTOGRAM;
    out->histogram = h != NULL ? histogram_compact(c->ev->arena, h) : NULL;
    return out->histogram != NULL ? 0 : eval_no_memory(c->ev);
}

static int rate_of(struct call *c, const struct window *w, struct cell *out)
{
    const struct sample_span *s = &w->histograms;
    bool counter = call_id(c) != FUNC_delta;
    struct histogram_remarks remarks = {0};
    const struct histogram *h, *first = s->samples[0].histogram;
    TRY(increase_of(c, s, counter, &h, &remarks));
    struct extrapolation x = {.first = first->count, .increase = h->count};
    if (!extrapolate(c, w, s, &x))
        return 0;
    TRY(doubt_kind(c, s, counter));
    TRY(tell_reconciled(c, &remarks, "subtraction"));
    if (x.from_start)
        TRY(add(c, &h, first, 1, &remarks));
    return finish(c, histogram_multiply(&c->ev->scratch, h, x.factor), out);
}

int window_rate_histograms(struct call *c, const struct window *w, struct cell *out)
{
    struct arena_mark mark = arena_mark(&c->ev->scratch);
    if (mixes_schemas(&w->histograms, first_that_counts(c, &w->histograms)))
        return warn_schemas(c);
    int code = rate_of(c, w, out);
    arena_rewind(&c->ev->scratch, mark);
    return code;
}

/* ---- anchored and smoothed: between the values at both edges ---- */

static int edge_of(struct call *c, const struct sample *a, const struct sample *b, int64_t t_ms,
                   const struct histogram **out, struct histogram_remarks *remarks)
{
    bool counter = call_id(c) != FUNC_delta;
    int code = between_histograms(&c->ev->scratch, a, b, t_ms, counter, out, remarks);
    must(code != HISTOGRAMS_INCOMPATIBLE);
    return code != 0 ? eval_no_memory(c->ev) : 0;
}

static int extended_increase(struct call *c, const struct window *w, const struct extended_range *x,
                             const struct histogram **out, struct histogram_remarks *remarks)
{
    const struct histogram *left = x->first->histogram;
    *out = x->last->histogram;
    if (x->left_between)
        TRY(edge_of(c, x->first, x->first + 1, w->start_ms, &left, remarks));
    if (x->right_between)
        TRY(edge_of(c, x->last - 1, x->last, w->end_ms, out, remarks));
    TRY(add(c, out, left, -1, remarks));
    /* A reset between first and the next sample is in the left edge already. */
    for (const struct sample *s = x->first + 1 + x->left_between; call_id(c) != FUNC_delta && s <= x->last;
         s++)
        if (began_anew(c, s - 1, s))
            TRY(add(c, out, s[-1].histogram, 1, remarks));
    return 0;
}

static int extended_rate(struct call *c, const struct window *w, const struct extended_range *x,
                         struct cell *out)
{
    const struct sample_span taken = {x->first, (size_t)(x->last - x->first) + 1};
    struct histogram_remarks remarks = {0};
    const struct histogram *h;
    if (mixes_schemas(&taken, 0))
        return warn_schemas(c);
    TRY(doubt_kind(c, &taken, call_id(c) != FUNC_delta));
    TRY(extended_increase(c, w, x, &h, &remarks));
    TRY(tell_reconciled(c, &remarks, "subtraction"));
    if (call_id(c) == FUNC_rate)
        h = histogram_divide(&c->ev->scratch, h, (double)w->range_ms / 1000);
    return finish(c, h, out);
}

int window_extended_histograms(struct call *c, const struct window *w, const struct extended_range *x,
                               struct cell *out)
{
    struct arena_mark mark = arena_mark(&c->ev->scratch);
    int code = extended_rate(c, w, x, out);
    arena_rewind(&c->ev->scratch, mark);
    return code;
}

/* ---- the last two samples ---- */

static int step_of(struct call *c, const struct sample_span *two, double divisor, struct cell *out)
{
    const struct sample *before = &two->samples[0], *now = &two->samples[1];
    bool counter = call_id(c) == FUNC_irate;
    struct histogram_remarks remarks = {0};
    const struct histogram *h = now->histogram;
    TRY(doubt_kind(c, two, counter));
    if (!counter || !began_anew(c, before, now))
        TRY(add(c, &h, before->histogram, -1, &remarks));
    TRY(tell_reconciled(c, &remarks, "subtraction"));
    return finish(c, histogram_divide(&c->ev->scratch, h, divisor), out);
}

int window_step_histograms(struct call *c, const struct sample_span *two, double divisor, struct cell *out)
{
    struct arena_mark mark = arena_mark(&c->ev->scratch);
    if (mixes_schemas(two, first_that_counts(c, two)))
        return warn_schemas(c);
    int code = step_of(c, two, divisor, out);
    arena_rewind(&c->ev->scratch, mark);
    return code;
}

/* ---- sums ---- */

/* An average adds up parts, so that it does not overflow where the sum would. */
static int total_of(struct call *c, const struct sample_span *s, const struct histogram **out,
                    struct histogram_remarks *remarks)
{
    struct arena *scratch = &c->ev->scratch;
    struct histogram_total *total = NULL;
    for (size_t i = 0; i < s->count; i++) {
        const struct histogram *h = s->samples[i].histogram;
        if (call_id(c) == FUNC_avg_over_time)
            h = histogram_divide(scratch, h, (double)s->count);
        if (h == NULL || histogram_total_add(scratch, &total, h, remarks) != 0)
            return eval_no_memory(c->ev);
    }
    *out = histogram_total_finish(scratch, total);
    return *out != NULL ? 0 : eval_no_memory(c->ev);
}

static int sum_of(struct call *c, const struct sample_span *s, struct cell *out)
{
    const struct histogram *sum;
    struct histogram_remarks remarks = {0};
    TRY(total_of(c, s, &sum, &remarks));
    if (remarks.conflict)
        TRY(note_add(c->ev, ANNOTATION_WARNING, call_range_start(c),
                     "conflicting counter resets during histogram aggregation"));
    TRY(tell_reconciled(c, &remarks, "aggregation"));
    out->kind = CELL_HISTOGRAM;
    out->histogram = histogram_copy(c->ev->arena, sum);
    return out->histogram != NULL ? 0 : eval_no_memory(c->ev);
}

int window_sum_histograms(struct call *c, const struct window *w, struct cell *out)
{
    struct arena_mark mark = arena_mark(&c->ev->scratch);
    if (mixes_schemas(&w->histograms, 0))
        return warn_schemas(c);
    int code = sum_of(c, &w->histograms, out);
    arena_rewind(&c->ev->scratch, mark);
    return code;
}
