#include "promqltest_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/histogram.h"

#include <math.h>

enum { ITEMS_MAX = 1000000 };

struct scanner {
    struct arena *arena;
    struct str rest;
    struct series_line *out;
    struct err *err;
};

static int bad_item(struct scanner *s)
{
    return err_set(s->err, ERR_PARSE, "bad item in series values: \"%.*s\"", STR_ARG(s->rest));
}

static bool at_char(const struct scanner *s, char c)
{
    return s->rest.n > 0 && s->rest.p[0] == c;
}

static void skip(struct scanner *s, size_t n)
{
    s->rest = (struct str){s->rest.p + n, s->rest.n - n};
}

static void skip_space(struct scanner *s)
{
    while (at_char(s, ' ') || at_char(s, '\t'))
        skip(s, 1);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.';
}

/* "xN"; *times stays 0 if there is none. */
static int scan_times(struct scanner *s, size_t *times, bool *given)
{
    *times = 0;
    *given = at_char(s, 'x');
    if (!*given)
        return 0;
    skip(s, 1);
    if (s->rest.n == 0 || !is_digit(s->rest.p[0]))
        return bad_item(s);
    while (s->rest.n > 0 && is_digit(s->rest.p[0])) {
        *times = *times * 10 + (size_t)(s->rest.p[0] - '0');
        if (*times > ITEMS_MAX)
            return err_set(s->err, ERR_LIMIT, "a series repeats a value more than %d times", ITEMS_MAX);
        skip(s, 1);
    }
    return 0;
}

/* The exponent's sign belongs to a number, another one begins the increment. */
static size_t number_length(struct str s)
{
    bool plain = true;
    size_t n = 0;
    while (n < s.n && s.p[n] != 'x') {
        bool exponent = plain && n > 0 && (s.p[n - 1] == 'e' || s.p[n - 1] == 'E');
        bool sign = (s.p[n] == '+' || s.p[n] == '-') && exponent && n + 1 < s.n && is_digit(s.p[n + 1]);
        if (!is_word(s.p[n]) && !sign)
            break;
        plain = plain && (is_digit(s.p[n]) || s.p[n] == '.' || s.p[n] == 'e' || s.p[n] == 'E' || sign);
        n++;
    }
    return n;
}

/* A float, or a duration in seconds; one sign in front. */
static int scan_number(struct scanner *s, double *value)
{
    double sign = at_char(s, '-') ? -1 : 1;
    int64_t ms;
    if (at_char(s, '-') || at_char(s, '+'))
        skip(s, 1);
    struct str text = {s->rest.p, number_length(s->rest)};
    if (text.n == 0)
        return bad_item(s);
    if (duration_parse(text, &ms, NULL) == 0 && !is_digit(text.p[text.n - 1]))
        *value = (double)ms / 1000;
    else if (!go_parse_float(text, value))
        return bad_item(s);
    *value *= sign;
    skip(s, text.n);
    return 0;
}

static int push(struct scanner *s, struct series_item item)
{
    struct series_line *out = s->out;
    if (out->count >= ITEMS_MAX)
        return err_set(s->err, ERR_LIMIT, "a series has more than %d values", ITEMS_MAX);
    ARENA_GROW(s->arena, out->items, out->count, out->capacity);
    if (out->items == NULL)
        return err_set(s->err, ERR_LIMIT, "series values need too much memory");
    out->items[out->count++] = item;
    return 0;
}

static int push_times(struct scanner *s, struct series_item item, size_t times)
{
    for (size_t i = 0; i < times; i++)
        TRY(push(s, item));
    return 0;
}

static int scan_omitted(struct scanner *s)
{
    size_t times;
    bool given;
    skip(s, 1);
    TRY(scan_times(s, &times, &given));
    return push_times(s, (struct series_item){.present = false}, given ? times : 1);
}

static int scan_stale(struct scanner *s)
{
    struct series_item item = {.present = true, .sample = {.value = stale_nan()}};
    size_t times;
    bool given;
    skip(s, 5);
    TRY(scan_times(s, &times, &given));
    return push_times(s, item, given ? times + 1 : 1);
}

static int scan_floats(struct scanner *s)
{
    struct series_item item = {.present = true};
    double step = 0;
    size_t times;
    bool given;
    TRY(scan_number(s, &item.sample.value));
    bool steps = at_char(s, '+') || at_char(s, '-');
    if (steps)
        TRY(scan_number(s, &step));
    TRY(scan_times(s, &times, &given));
    if (steps && !given)
        return bad_item(s);
    for (size_t i = 0; i <= times; i++) {
        TRY(push(s, item));
        /* Added each time, so that rounding gathers as it does in Prometheus; a plain repetition stays bit
         * for bit. */
        if (steps)
            item.sample.value += step;
    }
    return 0;
}

static int scan_histogram(struct scanner *s, struct series_item *item)
{
    struct histogram *h;
    size_t used;
    TRY(histogram_parse(s->arena, s->rest, &used, &h, &item->hint_given, s->err));
    if (!histogram_schema_is_valid(h->schema))
        return err_set(s->err, ERR_PARSE, "histogram has an invalid schema, got %d", h->schema);
    item->present = true;
    item->sample.histogram = h;
    skip(s, used);
    return 0;
}

/* The base plus (or minus) the increment, at the base's resolution; the hint is the increment's. */
static int step_histogram(struct scanner *s, const struct histogram *step, bool minus,
                          const struct histogram **base)
{
    struct histogram_remarks remarks = {0};
    if ((*base)->schema > step->schema)
        return err_set(s->err, ERR_PARSE, "the increment of a histogram has a coarser schema than its base");
    int code = histogram_add(s->arena, *base, step, minus ? -1 : 1, base, &remarks);
    if (code == HISTOGRAMS_INCOMPATIBLE)
        return err_set(s->err, ERR_PARSE, "the increment of a histogram has other buckets than its base");
    if (code == 0)
        *base = histogram_with_hint(s->arena, *base, step->hint);
    if (code != 0 || *base == NULL)
        return err_set(s->err, ERR_LIMIT, "series values need too much memory");
    return 0;
}

static int scan_histograms(struct scanner *s)
{
    struct series_item item = {0}, step = {0};
    size_t times;
    bool given, minus = false, steps;
    TRY(scan_histogram(s, &item));
    steps = at_char(s, '+') || at_char(s, '-');
    if (steps) {
        minus = at_char(s, '-');
        skip(s, 1);
        TRY(scan_histogram(s, &step));
    }
    TRY(scan_times(s, &times, &given));
    if (steps && !given)
        return bad_item(s);
    for (size_t i = 0; i <= times; i++) {
        TRY(push(s, item));
        if (!steps)
            continue;
        TRY(step_histogram(s, step.sample.histogram, minus, &item.sample.histogram));
        item.hint_given = step.hint_given;
    }
    return 0;
}

static int scan_item(struct scanner *s)
{
    if (at_char(s, '_'))
        return scan_omitted(s);
    if (str_starts(s->rest, STR("stale")))
        return scan_stale(s);
    if (str_starts(s->rest, STR("{{")))
        return scan_histograms(s);
    return scan_floats(s);
}

int series_values_parse(struct arena *arena, struct str values, struct series_line *out, struct err *err)
{
    struct scanner s = {.arena = arena, .rest = values, .out = out, .err = err};
    skip_space(&s);
    while (s.rest.n > 0) {
        TRY(scan_item(&s));
        if (s.rest.n > 0 && !at_char(&s, ' ') && !at_char(&s, '\t'))
            return bad_item(&s);
        skip_space(&s);
    }
    return 0;
}

int series_line_parse(struct arena *arena, struct str line, struct series_line *out, struct err *err)
{
    struct labels *labels;
    size_t used;
    TRY(promql_parse_metric(arena, line, &labels, &used, err));
    out->labels = labels;
    struct str rest = {line.p + used, line.n - used};
    out->starts = str_starts(rest, STR("@st"));
    if (out->starts)
        rest = (struct str){rest.p + 3, rest.n - 3};
    return series_values_parse(arena, rest, out, err);
}

static int copy_samples(struct arena *arena, const struct series_line *line, int64_t start_ms,
                        int64_t step_ms, struct sample **samples, size_t *count)
{
    *count = 0;
    *samples = ARENA_ARRAY(arena, struct sample, line->count);
    if (*samples == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < line->count; i++) {
        if (!line->items[i].present)
            continue;
        struct sample *s = &(*samples)[(*count)++];
        *s = line->items[i].sample;
        s->t_ms = start_ms + (int64_t)i * step_ms;
    }
    return 0;
}

int promqltest_series(struct arena *arena, struct str metric, struct str values, int64_t start_ms,
                      int64_t step_ms, struct labels **labels, struct sample **samples, size_t *count,
                      struct err *err)
{
    struct series_line line = {0};
    size_t used;
    TRY(promql_parse_metric(arena, metric, labels, &used, err));
    if (str_trim((struct str){metric.p + used, metric.n - used}).n > 0)
        return err_set(err, ERR_PARSE, "unexpected text after series \"%.*s\"", STR_ARG(metric));
    TRY(series_values_parse(arena, values, &line, err));
    if (copy_samples(arena, &line, start_ms, step_ms, samples, count) != 0)
        return err_set(err, ERR_LIMIT, "series values need too much memory");
    return 0;
}
