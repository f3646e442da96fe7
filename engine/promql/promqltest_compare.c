#include "promqltest_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/histogram.h"
#include "tocsin/regex.h"

#include <float.h>
#include <math.h>

enum { TEXT_MAX = 800 };

bool almost_equal(double a, double b)
{
    if (is_stale_nan(a) || is_stale_nan(b))
        return is_stale_nan(a) && is_stale_nan(b);
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (a == b)
        return true;
    double sum = fabs(a) + fabs(b), diff = fabs(a - b);
    if (a == 0 || b == 0 || sum < DBL_MIN)
        return diff < 1e-6 * DBL_MIN;
    return diff / fmin(sum, DBL_MAX) < 1e-6;
}

/* ---- histograms ---- */

static bool same_side(const struct histogram_side *a, const struct histogram_side *b)
{
    struct histogram_walk x = {.side = a}, y = {.side = b};
    for (;;) {
        bool more = histogram_next(&x);
        if (more != histogram_next(&y))
            return false;
        if (!more)
            return true;
        if (x.index != y.index || !almost_equal(x.count, y.count))
            return false;
    }
}

static bool same_compact(const struct histogram *a, const struct histogram *b)
{
    return a->schema == b->schema && almost_equal(a->count, b->count) && almost_equal(a->sum, b->sum) &&
           a->zero_threshold == b->zero_threshold && almost_equal(a->zero_count, b->zero_count) &&
           histogram_same_bounds(a, b) && same_side(&a->positive, &b->positive) &&
           same_side(&a->negative, &b->negative);
}

static bool same_histogram(const struct series_item *want, const struct histogram *got)
{
    struct arena arena;
    arena_init(&arena, 1 << 24);
    const struct histogram *a = histogram_compact(&arena, want->sample.histogram);
    const struct histogram *b = histogram_compact(&arena, got);
    bool same = a != NULL && b != NULL && same_compact(a, b);
    arena_release(&arena);
    return same && (!want->hint_given || want->sample.histogram->hint == got->hint);
}

static bool same_point(const struct series_item *want, const struct promql_point *got)
{
    if ((want->sample.histogram != NULL) != (got->histogram != NULL))
        return false;
    if (got->histogram != NULL)
        return same_histogram(want, got->histogram);
    return almost_equal(want->sample.value, got->value);
}

/* ---- what to say ---- */

static void print_value(struct buf *out, double value, const struct histogram *h)
{
    if (h != NULL)
        histogram_print_test(out, h);
    else
        go_float(out, value, 'g', -1);
}

static int differ(const struct labels *labels, const struct series_item *want, const struct promql_point *got,
                  struct err *err)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_puts(&text, "expected ");
    print_value(&text, want->sample.value, want->sample.histogram);
    buf_puts(&text, " for ");
    labels_print(&text, labels);
    buf_format(&text, " at %lld, got ", (long long)got->t_ms);
    print_value(&text, got->value, got->histogram);
    int code = err_set(err, ERR_EXEC, "%s", buf_text(&text));
    buf_release(&text);
    return code;
}

static int about(const char *what, const struct labels *labels, struct err *err)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    labels_print(&text, labels);
    int code = err_set(err, ERR_EXEC, "%s %s", what, buf_text(&text));
    buf_release(&text);
    return code;
}

/* ---- series ---- */

static const struct series_line *find_wanted(const struct expectation *x, const struct labels *labels,
                                             size_t *at)
{
    for (*at = 0; *at < x->series_count; ++*at)
        if (labels_equal(x->series[*at].labels, labels))
            return &x->series[*at];
    return NULL;
}

static const struct promql_series *find_got(const struct promql_result *r, const struct labels *labels)
{
    for (size_t i = 0; i < r->count; i++)
        if (labels_equal(r->series[i].labels, labels))
            return &r->series[i];
    return NULL;
}

static int find_missing(const struct expectation *x, const struct promql_result *r, struct err *err)
{
    for (size_t i = 0; i < x->series_count; i++)
        if (find_got(r, x->series[i].labels) == NULL)
            return about("expected series is missing:", x->series[i].labels, err);
    return 0;
}

static int compare_vector(const struct expectation *x, const struct promql_result *r, struct err *err)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct promql_series *got = &r->series[i];
        size_t at;
        const struct series_line *want = find_wanted(x, got->labels, &at);
        if (want == NULL)
            return about("unexpected series:", got->labels, err);
        if (x->ordered && at != i)
            return about("series is not at its expected place:", got->labels, err);
        if (want->count != 1 || !want->items[0].present)
            return err_set(err, ERR_PARSE, "an instant vector needs exactly one value per expected series");
        if (!same_point(&want->items[0], &got->points[0]))
            return differ(got->labels, &want->items[0], &got->points[0], err);
    }
    return find_missing(x, r, err);
}

static int compare_series(const struct series_line *want, const struct promql_series *got, int64_t from_ms,
                          int64_t step_ms, struct err *err)
{
    size_t next = 0;
    for (size_t i = 0; i < want->count; i++) {
        int64_t t = from_ms + (int64_t)i * step_ms;
        bool there = next < got->count && got->points[next].t_ms == t;
        if (there != want->items[i].present)
            return about(there ? "unexpected point in series" : "missing point in series", got->labels, err);
        if (there && !same_point(&want->items[i], &got->points[next]))
            return differ(got->labels, &want->items[i], &got->points[next], err);
        next += there;
    }
    return next == got->count ? 0 : about("too many points in series", got->labels, err);
}

static bool wants_points(const struct series_line *want)
{
    for (size_t i = 0; i < want->count; i++)
        if (want->items[i].present)
            return true;
    return false;
}

static int compare_matrix(const struct expectation *x, const struct promql_result *r, int64_t from_ms,
                          int64_t step_ms, struct err *err)
{
    size_t at;
    for (size_t i = 0; i < r->count; i++) {
        const struct series_line *want = find_wanted(x, r->series[i].labels, &at);
        if (want == NULL)
            return about("unexpected series:", r->series[i].labels, err);
        TRY(compare_series(want, &r->series[i], from_ms, step_ms, err));
        if (i > 0 && labels_compare(r->series[i - 1].labels, r->series[i].labels) >= 0)
            return about("matrix is not sorted at", r->series[i].labels, err);
    }
    for (size_t i = 0; i < x->series_count; i++)
        if (wants_points(&x->series[i]) && find_got(r, x->series[i].labels) == NULL)
            return about("expected series is missing:", x->series[i].labels, err);
    return 0;
}

static int compare_scalar(const struct expectation *x, const struct promql_result *r, struct err *err)
{
    if (r->type != PROMQL_SCALAR)
        return err_set(err, ERR_EXEC, "expected a scalar, got %s", promql_type_name(r->type));
    if (almost_equal(x->scalar, r->scalar))
        return 0;
    struct series_item want = {.sample.value = x->scalar};
    struct promql_point got = {.t_ms = r->t_ms, .value = r->scalar};
    struct labels none = {0};
    return differ(&none, &want, &got, err);
}

int compare_instant(const struct eval_command *c, const struct promql_result *r, struct err *err)
{
    const struct expectation *x = &c->expect;
    if (x->is_scalar)
        return compare_scalar(x, r, err);
    if (x->is_string != (r->type == PROMQL_STRING) || x->is_window != (r->type == PROMQL_MATRIX) ||
        r->type == PROMQL_SCALAR)
        return err_set(err, ERR_EXEC, "unexpected type of result: %s", promql_type_name(r->type));
    if (x->is_string)
        return str_eq(x->string, r->string) ? 0 : err_set(err, ERR_EXEC, "expected another string");
    if (x->is_window)
        return compare_matrix(x, r, x->from_ms, x->step_ms, err);
    return compare_vector(x, r, err);
}

int compare_range(const struct eval_command *c, const struct promql_result *r, struct err *err)
{
    return compare_matrix(&c->expect, r, c->from_ms, c->step_ms, err);
}

/* ---- annotations and errors ---- */

static bool line_matches(const struct expect_line *line, struct str text)
{
    if (line->how == EXPECT_ANY)
        return true;
    if (line->how == EXPECT_MESSAGE)
        return str_eq(line->text, text);
    struct regex *re = regex_open(line->text, REGEX_SEARCH, NULL);
    bool match = re != NULL && regex_match(re, text);
    regex_free(re);
    return match;
}

/* Whole, or without its position: tests up to those of the release 3.14.0 know of none. */
static bool note_matches(const struct expect_line *line, struct str text)
{
    size_t end = text.n;
    while (end > 0 && text.p[end - 1] != '(')
        end--;
    return line_matches(line, text) ||
           (end > 0 && line_matches(line, str_trim((struct str){text.p, end - 1})));
}

static bool any_note_matches(const struct expect_line *line, const struct promql_result *r,
                             enum annotation_kind kind)
{
    for (size_t i = 0; i < r->annotation_count; i++)
        if (r->annotations[i].kind == kind && note_matches(line, r->annotations[i].text))
            return true;
    return false;
}

static bool any_line_matches(const struct expectation *x, enum expect_what what, struct str text)
{
    for (size_t i = 0; i < x->line_count; i++)
        if (x->lines[i].what == what && note_matches(&x->lines[i], text))
            return true;
    return false;
}

static bool has_line(const struct expectation *x, enum expect_what what)
{
    for (size_t i = 0; i < x->line_count; i++)
        if (x->lines[i].what == what)
            return true;
    return false;
}

static int compare_kind(const struct expectation *x, const struct promql_result *r, enum annotation_kind kind,
                        enum expect_what some, enum expect_what none, struct err *err)
{
    const char *name = kind == ANNOTATION_WARNING ? "warning" : "info";
    for (size_t i = 0; i < x->line_count; i++)
        if (x->lines[i].what == some && !any_note_matches(&x->lines[i], r, kind))
            return err_set(err, ERR_EXEC, "expected %s is missing: %.*s", name, STR_ARG(x->lines[i].text));
    for (size_t i = 0; i < r->annotation_count; i++) {
        struct str text = r->annotations[i].text;
        if (r->annotations[i].kind != kind)
            continue;
        if (has_line(x, none) || (has_line(x, some) && !any_line_matches(x, some, text)))
            return err_set(err, ERR_EXEC, "unexpected %s: %.*s", name, STR_ARG(text));
    }
    return 0;
}

int compare_notes(const struct eval_command *c, const struct promql_result *r, struct err *err)
{
    TRY(compare_kind(&c->expect, r, ANNOTATION_WARNING, EXPECT_WARN, EXPECT_NO_WARN, err));
    return compare_kind(&c->expect, r, ANNOTATION_INFO, EXPECT_INFO, EXPECT_NO_INFO, err);
}

int compare_failure(const struct eval_command *c, const struct err *failure, struct err *err)
{
    for (size_t i = 0; i < c->expect.line_count; i++)
        if (c->expect.lines[i].what == EXPECT_FAIL &&
            !line_matches(&c->expect.lines[i], str_of(failure->text)))
            return err_set(err, ERR_EXEC, "failed for another reason: %.500s", failure->text);
    return 0;
}
