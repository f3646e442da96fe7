#include "template_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>

static const struct tval_type type_sample = {.go_name = "*template.sample"};
static const struct tval_type type_query_result = {.go_name = "template.queryResult"};

struct tval template_sample(struct arena *arena, struct tval labels, struct tval value)
{
    struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, 2);
    struct tval *values = ARENA_ARRAY(arena, struct tval, 2);
    if (fields == NULL || values == NULL)
        return tval_nil();
    values[0] = labels;
    values[1] = value;
    fields[0] = (struct tval_field){.name = STR("Labels"), .value = &values[0]};
    fields[1] = (struct tval_field){.name = STR("Value"), .value = &values[1]};
    return tval_object(&type_sample, fields, 2);
}

struct tval template_query_result(struct tval *samples, size_t count)
{
    struct tval v = tval_list(samples, count);
    v.type = &type_query_result;
    return v;
}

static int fail_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "out of memory for one template");
}

/* ---- query results ---- */

static int call_first(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)run;
    (void)count;
    if (args[0].list.count == 0)
        return err_set(err, ERR_EXEC, "first() called on vector with no elements");
    *out = args[0].list.items[0];
    return 0;
}

static struct str sample_label(const struct tval *sample, struct str name)
{
    const struct tval *labels = tval_get(sample, STR("Labels"));
    const struct tval *value = labels != NULL ? tval_get(labels, name) : NULL;
    return value != NULL && value->kind == TVAL_TEXT ? value->text : STR("");
}

static int call_label(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = tval_text(sample_label(&args[1], args[0].text));
    return 0;
}

static int call_strvalue(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                         struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = tval_text(sample_label(&args[0], STR("__value__")));
    return 0;
}

static int call_value(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    const struct tval *value = tval_get(&args[0], STR("Value"));
    *out = value != NULL ? *value : tval_nil();
    return 0;
}

/* Merges two sorted halves of `from` into `to`: stable, and without a global to hold the label's name. */
static void merge_by_label(struct str label, const struct tval *from, struct tval *to, size_t half,
                           size_t count)
{
    size_t a = 0, b = half;
    for (size_t i = 0; i < count; i++) {
        bool left = b >= count ||
                    (a < half && str_cmp(sample_label(&from[a], label), sample_label(&from[b], label)) <= 0);
        to[i] = left ? from[a++] : from[b++];
    }
}

static void sort_by_label(struct str label, struct tval *items, struct tval *room, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t i = 0; i < count; i += 2 * width) {
            size_t n = count - i < 2 * width ? count - i : 2 * width;
            merge_by_label(label, items + i, room + i, width < n ? width : n, n);
        }
        memcpy(items, room, count * sizeof *items);
    }
}

static int call_sort_by_label(struct template_run *run, const struct tval *args, size_t count,
                              struct tval *out, struct err *err)
{
    (void)count;
    size_t n = args[1].list.count;
    struct tval *sorted = arena_copy(template_arena(run), args[1].list.items, n, sizeof *sorted);
    struct tval *room = ARENA_ARRAY(template_arena(run), struct tval, n);
    if (sorted == NULL || room == NULL)
        return fail_memory(err);
    sort_by_label(args[0].text, sorted, room, n);
    *out = template_query_result(sorted, n);
    return 0;
}

/* arg0, arg1, ...: for handing several values to a {{template}}. */
static int call_args(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                     struct err *err)
{
    struct arena *arena = template_arena(run);
    struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, count);
    struct tval *values = arena_copy(arena, args, count, sizeof *values);
    if (fields == NULL || values == NULL)
        return fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        const char *name = arena_format(arena, "arg%zu", i);
        if (name == NULL)
            return fail_memory(err);
        struct tval_field field = {.name = str_of(name), .value = &values[i]};
        size_t at = i; /* a map is sorted: arg10 comes before arg2 */
        for (; at > 0 && str_cmp(fields[at - 1].name, field.name) > 0; at--)
            fields[at] = fields[at - 1];
        fields[at] = field;
    }
    *out = tval_map(fields, count, TVAL_NIL);
    return 0;
}

/* ---- texts ---- */

static int call_title(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    text_title(&text, args[0].text, false);
    return scratch_end(run, &text, out, err);
}

static int call_url_query_escape(struct template_run *run, const struct tval *args, size_t count,
                                 struct tval *out, struct err *err)
{
    (void)count;
    struct buf text;
    scratch_begin(&text);
    url_query_escape(&text, args[0].text);
    return scratch_end(run, &text, out, err);
}

static int make_link(struct template_run *run, struct str expression, const char *tab, struct tval *out,
                     struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    buf_puts(&text, "/graph?g0.expr=");
    url_query_escape(&text, expression);
    buf_format(&text, "&g0.tab=%s", tab);
    return scratch_end(run, &text, out, err);
}

static int call_graph_link(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)count;
    return make_link(run, args[0].text, "0", out, err);
}

static int call_table_link(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)count;
    return make_link(run, args[0].text, "1", out, err);
}

/* host:port, [host]:port as Go's net.SplitHostPort takes them. False: it is no such thing. */
static bool split_port(struct str s, struct str *host, struct str *port)
{
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    *port = (struct str){s.p + colon, s.n - colon};
    *host = (struct str){s.p, colon - 1};
    if (s.p[0] == '[') {
        size_t close = str_find_char(s, ']');
        if (close + 1 != colon - 1)
            return false;
        *host = (struct str){s.p + 1, close - 1};
    } else if (str_find_char(*host, ':') < host->n) {
        return false;
    }
    struct str inner = {host->p, host->n};
    return str_find_char(inner, '[') == inner.n && str_find_char(inner, ']') == inner.n &&
           str_find_char(*port, '[') == port->n && str_find_char(*port, ']') == port->n;
}

static int call_strip_port(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                           struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    struct str host, port;
    *out = split_port(args[0].text, &host, &port) ? tval_text(host) : args[0];
    return 0;
}

static bool is_ip(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (s.n >= sizeof text)
        return false;
    snprintf(text, sizeof text, "%.*s", STR_ARG(s));
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static int call_strip_domain(struct template_run *run, const struct tval *args, size_t count,
                             struct tval *out, struct err *err)
{
    (void)count;
    struct str host, port;
    if (!split_port(args[0].text, &host, &port)) {
        host = args[0].text;
        port = STR("");
    }
    *out = args[0];
    if (is_ip(host))
        return 0;
    struct buf text;
    scratch_begin(&text);
    buf_add(&text, host.p, str_find_char(host, '.'));
    if (port.n > 0) {
        buf_char(&text, ':');
        buf_str(&text, port);
    }
    return scratch_end(run, &text, out, err);
}

/* ---- numbers ---- */

static void add_rounded(struct buf *out, double v, const char *unit)
{
    go_float(out, v, 'g', 4);
    buf_puts(out, unit);
}

static bool is_finite(double v)
{
    return !isnan(v) && !isinf(v);
}

static void humanize(struct buf *out, double v)
{
    static const char *const large[] = {"", "k", "M", "G", "T", "P", "E", "Z", "Y"};
    static const char *const small[] = {"", "m", "u", "n", "p", "f", "a", "z", "y"};
    size_t i = 0;
    if (v == 0 || !is_finite(v)) {
        add_rounded(out, v, "");
    } else if (fabs(v) >= 1) {
        for (; fabs(v) >= 1000 && i < 8; i++)
            v /= 1000;
        add_rounded(out, v, large[i]);
    } else {
        for (; fabs(v) < 1 && i < 8; i++)
            v *= 1000;
        add_rounded(out, v, small[i]);
    }
}

static void humanize_1024(struct buf *out, double v)
{
    static const char *const units[] = {"", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
    size_t i = 0;
    if (is_finite(v))
        for (; fabs(v) >= 1024 && i < 8; i++)
            v /= 1024;
    add_rounded(out, v, units[i]);
}

static void humanize_percentage(struct buf *out, double v)
{
    add_rounded(out, v * 100, "%");
}

static int format_number(struct template_run *run, const struct tval *v, struct tval *out, struct err *err,
                         void print(struct buf *, double))
{
    double number;
    int rc = tval_to_float(v, &number, err);
    if (rc != 0)
        return rc;
    struct buf text;
    scratch_begin(&text);
    print(&text, number);
    return scratch_end(run, &text, out, err);
}

static int call_humanize(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                         struct err *err)
{
    (void)count;
    return format_number(run, &args[0], out, err, humanize);
}

static int call_humanize_1024(struct template_run *run, const struct tval *args, size_t count,
                              struct tval *out, struct err *err)
{
    (void)count;
    return format_number(run, &args[0], out, err, humanize_1024);
}

static int call_humanize_duration(struct template_run *run, const struct tval *args, size_t count,
                                  struct tval *out, struct err *err)
{
    (void)count;
    return format_number(run, &args[0], out, err, humanize_duration);
}

static int call_humanize_percentage(struct template_run *run, const struct tval *args, size_t count,
                                    struct tval *out, struct err *err)
{
    (void)count;
    return format_number(run, &args[0], out, err, humanize_percentage);
}

/* What int64 nanoseconds reach, cut to the milliseconds of Prometheus' own times. */
static int read_time(double seconds, struct tval *out, struct err *err)
{
    double ns = seconds * 1e9;
    if (!is_finite(seconds))
        return err_set(err, ERR_EXEC, "value is NaN or Inf");
    if (ns >= -9223372036854775808.0 && ns < 9223372036854775808.0) {
        *out = tval_time((int64_t)ns / 1000000 * 1000000);
        return 0;
    }
    struct buf text;
    scratch_begin(&text);
    go_float(&text, seconds, 'g', -1);
    err_set(err, ERR_EXEC, "%s cannot be represented as a nanoseconds timestamp since it overflows int64",
            buf_text(&text));
    buf_release(&text);
    return ERR_EXEC;
}

static int call_to_time(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                        struct err *err)
{
    (void)run;
    (void)count;
    double seconds;
    int rc = tval_to_float(&args[0], &seconds, err);
    return rc != 0 ? rc : read_time(seconds, out, err);
}

static int call_humanize_timestamp(struct template_run *run, const struct tval *args, size_t count,
                                   struct tval *out, struct err *err)
{
    (void)count;
    double seconds;
    struct tval t;
    int rc = tval_to_float(&args[0], &seconds, err);
    bool finite = rc == 0 && is_finite(seconds);
    if (finite)
        rc = read_time(seconds, &t, err);
    if (rc != 0)
        return rc;
    struct buf text;
    scratch_begin(&text);
    if (finite)
        time_print(&text, &t);
    else
        add_rounded(&text, seconds, "");
    return scratch_end(run, &text, out, err);
}

static int call_to_duration(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                            struct err *err)
{
    (void)run;
    (void)count;
    double seconds;
    int rc = tval_to_float(&args[0], &seconds, err);
    if (rc != 0)
        return rc;
    double ns = seconds * 1e9;
    if (!(fabs(ns) < 9.2e18))
        return err_set(err, ERR_EXEC, "duration out of range");
    *out = tval_duration((int64_t)ns);
    return 0;
}

static int call_parse_duration(struct template_run *run, const struct tval *args, size_t count,
                               struct tval *out, struct err *err)
{
    (void)run;
    (void)count;
    struct str text = args[0].text;
    bool negative = str_starts(text, STR("-"));
    int64_t ms;
    int rc = duration_parse((struct str){text.p + negative, text.n - negative}, &ms, err);
    if (rc != 0)
        return rc;
    double seconds = (double)ms / 1000;
    *out = tval_float(negative ? -seconds : seconds);
    return 0;
}

const struct template_function template_prometheus_functions[] = {
    {"args", call_args, "...any"},
    {"first", call_first, "template.queryResult"},
    {"graphLink", call_graph_link, "string"},
    {"humanize", call_humanize, "any"},
    {"humanize1024", call_humanize_1024, "any"},
    {"humanizeDuration", call_humanize_duration, "any"},
    {"humanizePercentage", call_humanize_percentage, "any"},
    {"humanizeTimestamp", call_humanize_timestamp, "any"},
    {"label", call_label, "string *template.sample"},
    {"match", call_match, "string string"},
    {"parseDuration", call_parse_duration, "string"},
    {"reReplaceAll", call_re_replace_all, "string string string"},
    {"safeHtml", call_safe_html, "string"},
    {"sortByLabel", call_sort_by_label, "string template.queryResult"},
    {"stripDomain", call_strip_domain, "string"},
    {"stripPort", call_strip_port, "string"},
    {"strvalue", call_strvalue, "*template.sample"},
    {"tableLink", call_table_link, "string"},
    {"title", call_title, "string"},
    {"toDuration", call_to_duration, "any"},
    {"toLower", call_to_lower, "string"},
    {"toTime", call_to_time, "any"},
    {"toUpper", call_to_upper, "string"},
    {"urlQueryEscape", call_url_query_escape, "string"},
    {"value", call_value, "*template.sample"},
    {NULL, NULL, NULL},
};
