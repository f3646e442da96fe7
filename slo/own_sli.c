/* What is counted: the forms of `sli`, each turned into queries. */
#include "own_priv.h"

#include "tocsin/gotext.h"

#include <stddef.h>

/* ---- selectors and queries ---- */

/* The key in front, because several stand in one place. */
static void fail(struct strict *s, const struct tree *node, const struct err *why)
{
    strict_fail(s, node, "%.*s: %s", STR_ARG(node->key->text), why->text);
}

static bool read_selector(struct strict *s, const struct tree *node, struct slo_selector *out)
{
    struct str text = STR("");
    struct err why;
    strict_text(s, node, &text);
    if (strict_sound(s) && slo_selector_parse(s->arena, text, out, &why) != 0)
        fail(s, node, &why);
    return strict_sound(s);
}

static struct str sum_of(struct strict *s, const struct tree *node, const char *function,
                         const struct objective *o)
{
    struct slo_selector selector;
    return read_selector(s, node, &selector) ? slo_sum(s->arena, &selector, function, o) : STR("");
}

static struct str read_query(struct strict *s, const struct tree *node)
{
    struct str text = STR("");
    strict_text(s, node, &text);
    return str_trim(text);
}

/* Looks at a query of the indicator; node: where the file has it, or what it was made of. */
static void look(struct strict *s, const struct tree *node, struct str query, struct slo_look *out)
{
    struct err why;
    *out = (struct slo_look){0};
    if (strict_sound(s) && slo_query_look(s->arena, query, out, &why) != 0)
        fail(s, node, &why);
}

static void ask_for_window(struct strict *s, const struct tree *node, const struct slo_look *look)
{
    if (strict_sound(s) && !look->uses_window)
        strict_fail(s, node, "%.*s must have {{.window}} where its range stands, as in rate(x[{{.window}}])",
                    STR_ARG(node->key->text));
}

static void fit(struct strict *s, const struct tree *node, struct objective *o,
                const struct slo_look *counted, const struct slo_look *total)
{
    struct err why;
    if (strict_sound(s) && objective_fit_grouping(o, counted, total, &why) != 0)
        fail(s, node, &why);
}

/* Takes both queries, which the file has at these nodes or which were made of them. */
static void take_events(struct strict *s, const struct tree *node, const struct tree *total_node,
                        struct objective *o)
{
    struct slo_look counted, total;
    look(s, node, o->indicator.counted, &counted);
    look(s, total_node, o->indicator.total, &total);
    ask_for_window(s, node, &counted);
    ask_for_window(s, total_node, &total);
    fit(s, node, o, &counted, &total);
}

/* ---- counters ---- */

static void take_counters(struct strict *s, const struct tree *node, const struct tree *total,
                          struct objective *o)
{
    o->indicator.kind = str_is(node->key->text, "good") ? INDICATOR_GOOD : INDICATOR_BAD;
    o->indicator.exact = true;
    o->indicator.counted = sum_of(s, node, "increase", o);
    o->indicator.total = sum_of(s, total, "increase", o);
    take_events(s, node, total, o);
}

static void take_queries(struct strict *s, const struct tree *node, const struct tree *total,
                         struct objective *o)
{
    o->indicator.kind = str_is(node->key->text, "good_query") ? INDICATOR_GOOD : INDICATOR_BAD;
    o->indicator.counted = read_query(s, node);
    o->indicator.total = read_query(s, total);
    take_events(s, node, total, o);
}

/* The samples of a gauge are the events. */
static void take_probe(struct strict *s, const struct tree *node, const struct tree *total,
                       struct objective *o)
{
    (void)total;
    o->indicator.kind = INDICATOR_GOOD;
    o->indicator.counted = sum_of(s, node, "sum_over_time", o);
    o->indicator.total = sum_of(s, node, "count_over_time", o);
    take_events(s, node, node, o);
}

static void take_ratio(struct strict *s, const struct tree *node, const struct tree *total,
                       struct objective *o)
{
    struct slo_look counted;
    (void)total;
    o->indicator.kind = INDICATOR_RATIO;
    o->indicator.counted = read_query(s, node);
    look(s, node, o->indicator.counted, &counted);
    ask_for_window(s, node, &counted);
    fit(s, node, o, &counted, NULL);
}

/* ---- values ---- */

struct threshold {
    const struct tree *query;
    struct strict_scalar op, value;
};

static const struct strict_field threshold_fields[] = {
    {"query", own_node, offsetof(struct threshold, query)},
    {"op", strict_scalar, offsetof(struct threshold, op)},
    {"value", strict_scalar, offsetof(struct threshold, value)},
    {NULL, NULL, 0},
};

static bool read_compare(struct str op, enum indicator_compare *out)
{
    static const char *const ops[] = {[COMPARE_LESS] = "<",
                                      [COMPARE_LESS_EQUAL] = "<=",
                                      [COMPARE_GREATER] = ">",
                                      [COMPARE_GREATER_EQUAL] = ">="};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        *out = (enum indicator_compare)i;
        if (str_is(op, ops[i]))
            return true;
    }
    return false;
}

static void take_comparison(struct strict *s, const struct tree *node, const struct threshold *t,
                            struct objective *o)
{
    if (t->query == NULL || t->op.node == NULL || t->value.node == NULL)
        strict_fail(s, node,
                    "threshold needs query, op and value, as in {query: queue_length, op: '<', value: 100}");
    else if (!read_compare(t->op.text, &o->indicator.compare))
        strict_fail(s, t->op.node, "op must be '<', '<=', '>' or '>=' in quotes, not \"%.*s\"",
                    STR_ARG(t->op.text));
    else if (tree_f64(t->value.node, &o->indicator.threshold) != 0 ||
             o->indicator.threshold != o->indicator.threshold)
        strict_fail(s, t->value.node, "value must be a number, not \"%.*s\"", STR_ARG(t->value.text));
}

static void take_threshold(struct strict *s, const struct tree *node, const struct tree *total,
                           struct objective *o)
{
    struct threshold t = {0};
    struct slo_look counted;
    (void)total;
    o->indicator.kind = INDICATOR_THRESHOLD;
    if (!own_struct(s, node, "threshold", threshold_fields, &t))
        return;
    take_comparison(s, node, &t, o);
    if (!strict_sound(s))
        return;
    o->indicator.counted = read_query(s, t.query);
    look(s, t.query, o->indicator.counted, &counted);
    fit(s, t.query, o, &counted, NULL);
}

/* ---- latency ---- */

struct latency {
    const struct tree *histogram, *total;
    struct strict_scalar under;
    bool native;
};

static const struct strict_field latency_fields[] = {
    {"histogram", own_node, offsetof(struct latency, histogram)},
    {"under", strict_scalar, offsetof(struct latency, under)},
    {"native", strict_bool, offsetof(struct latency, native)},
    {"total", own_node, offsetof(struct latency, total)},
    {NULL, NULL, 0},
};

/* The bound as a histogram of seconds has it, "0.3" of 300ms; a bare number is the bound of whatever unit. Empty: it is neither. */
static struct str bound_of(struct strict *s, const struct strict_scalar *under)
{
    struct strict_duration duration = {0};
    struct buf text;
    double bound;
    if (tree_f64(under->node, &bound) != 0) {
        strict_duration(s, under->node, &duration);
        bound = (double)duration.ms / 1000;
    }
    if (strict_sound(s) && !(bound > 0 && bound < 1e300))
        strict_fail(s, under->node, "under must be more than nothing");
    buf_init(&text, 64);
    go_float(&text, bound, 'g', -1);
    struct str kept = str_copy(s->arena, buf_slice(&text));
    buf_release(&text);
    return kept;
}

/* Prometheus 3 writes the bound 1 as "1.0", older ones as the client did: "1". */
static struct str le_matcher(struct arena *arena, struct str bound)
{
    bool whole = memchr(bound.p, '.', bound.n) == NULL && memchr(bound.p, 'e', bound.n) == NULL;
    return str_of(
        arena_format(arena, whole ? "le=~\"%.*s(\\\\.0)?\"" : "le=\"%.*s\"", (int)bound.n, bound.p));
}

static void take_buckets(struct strict *s, const struct latency *l, const struct slo_selector *buckets,
                         struct str bound, struct objective *o)
{
    struct slo_selector good =
        slo_selector_with(s->arena, buckets, buckets->name, le_matcher(s->arena, bound));
    struct str base = {buckets->name.p, buckets->name.n - (sizeof "_bucket" - 1)};
    struct str count = str_of(arena_format(s->arena, "%.*s_count", STR_ARG(base)));
    struct slo_selector all = slo_selector_with(s->arena, buckets, count, STR(""));
    o->indicator.exact = true;
    o->indicator.counted = slo_sum(s->arena, &good, "increase", o);
    o->indicator.total =
        l->total != NULL ? sum_of(s, l->total, "increase", o) : slo_sum(s->arena, &all, "increase", o);
}

/* Not exact: what lies in the bucket that the bound cuts is guessed from its width. */
static void take_native(struct strict *s, const struct latency *l, const struct slo_selector *histogram,
                        struct str bound, struct objective *o)
{
    struct str sum = slo_sum(s->arena, histogram, "increase", o);
    o->indicator.counted =
        str_of(arena_format(s->arena, "histogram_fraction(0, %.*s, %.*s) * histogram_count(%.*s)",
                            STR_ARG(bound), STR_ARG(sum), STR_ARG(sum)));
    o->indicator.total = l->total != NULL
                             ? sum_of(s, l->total, "increase", o)
                             : str_of(arena_format(s->arena, "histogram_count(%.*s)", STR_ARG(sum)));
}

static void check_histogram(struct strict *s, const struct latency *l, const struct slo_selector *histogram)
{
    bool buckets = str_ends(histogram->name, STR("_bucket"));
    if (histogram->has_le)
        strict_fail(s, l->histogram, "histogram must not select by le: `under` says which bucket counts");
    else if (!buckets && !l->native)
        strict_fail(
            s, l->histogram,
            "histogram must be the selector of the _bucket series, or stand with `native: true` if it "
            "is a native histogram");
    else if (buckets && l->native)
        strict_fail(s, l->histogram,
                    "a native histogram has no _bucket series: leave out _bucket, or `native: true`");
}

static void take_latency(struct strict *s, const struct tree *node, const struct tree *total,
                         struct objective *o)
{
    struct latency l = {0};
    struct slo_selector histogram;
    (void)total;
    if (!own_struct(s, node, "latency", latency_fields, &l))
        return;
    if (l.histogram == NULL || l.under.node == NULL) {
        strict_fail(
            s, node,
            "latency needs histogram and under, as in {histogram: http_seconds_bucket, under: 300ms}");
        return;
    }
    o->indicator.kind = INDICATOR_GOOD;
    struct str bound = bound_of(s, &l.under);
    if (!read_selector(s, l.histogram, &histogram))
        return;
    check_histogram(s, &l, &histogram);
    if (!strict_sound(s))
        return;
    (l.native ? take_native : take_buckets)(s, &l, &histogram, bound, o);
    take_events(s, l.histogram, l.total != NULL ? l.total : l.histogram, o);
}

/* ---- which of them it is ---- */

struct form {
    const char *key, *total; /* total: the key that must stand beside it; NULL: none may */
    void (*take)(struct strict *s, const struct tree *node, const struct tree *total, struct objective *o);
};

static const struct form forms[] = {
    {"good", "total", take_counters},
    {"bad", "total", take_counters},
    {"good_query", "total_query", take_queries},
    {"error_query", "total_query", take_queries},
    {"error_ratio", NULL, take_ratio},
    {"latency", NULL, take_latency},
    {"threshold", NULL, take_threshold},
    {"probe", NULL, take_probe},
};

static const struct strict_field sli_fields[] = {
    {"good", strict_skip, 0},
    {"bad", strict_skip, 0},
    {"total", strict_skip, 0},
    {"good_query", strict_skip, 0},
    {"error_query", strict_skip, 0},
    {"total_query", strict_skip, 0},
    {"error_ratio", strict_skip, 0},
    {"latency", strict_skip, 0},
    {"threshold", strict_skip, 0},
    {"probe", strict_skip, 0},
    {NULL, NULL, 0},
};

/* NULL: there is none, or there are several. */
static const struct form *form_of(const struct tree *node)
{
    const struct form *found = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (tree_get(node, forms[i].key) == NULL)
            continue;
        if (found != NULL)
            return NULL;
        found = &forms[i];
    }
    return found;
}

static bool is_alone(const struct tree *node, const struct form *form)
{
    size_t total = form->total != NULL && tree_get(node, form->total) != NULL;
    return node->count == 1 + total;
}

void own_sli(struct strict *s, const struct tree *node, struct objective *o)
{
    if (!own_struct(s, node, "sli", sli_fields, o))
        return;
    const struct form *form = form_of(node);
    if (form == NULL || !is_alone(node, form)) {
        strict_fail(s, node,
                    "sli must be one of: good or bad with total (counters), good_query or error_query with "
                    "total_query, error_ratio, latency, threshold, probe");
        return;
    }
    const struct tree *total = form->total != NULL ? tree_get(node, form->total) : NULL;
    if (form->total != NULL && total == NULL)
        strict_fail(s, node, "sli: %s needs %s beside it", form->key, form->total);
    else
        form->take(s, tree_get(node, form->key), total, o);
}
