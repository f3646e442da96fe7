/* The text format. */
#include "exposition_priv.h"
#include "tocsin/gotext.h"

#include <math.h>

/* One line as it is being written. */
struct line {
    const struct exposition *x;
    const struct exposed_family *family;
    const struct exposed *sample;
    struct buf *out;
    bool first; /* no label yet */
};

static void escape_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\n')
            buf_puts(out, "\\n");
        else if (s.p[i] == '\\' || s.p[i] == '"')
            buf_format(out, "\\%c", s.p[i]);
        else
            buf_char(out, s.p[i]);
}

static bool is_quoted(const struct exposition *x, struct str name, bool metric)
{
    return x->escaping == ESCAPE_NOTHING && !exposition_is_classic(name, metric);
}

/* suffix: of a metric's name. */
static void name_text(const struct exposition *x, struct buf *out, struct str name, const char *suffix,
                      bool metric)
{
    if (!is_quoted(x, name, metric)) {
        exposition_escape(x, out, name, metric);
        buf_puts(out, suffix);
        return;
    }
    buf_char(out, '"');
    escape_text(out, name);
    buf_puts(out, suffix);
    buf_char(out, '"');
}

static void label_text(void *context, struct str name, struct str value)
{
    struct line *line = context;
    buf_char(line->out, line->first ? '{' : ',');
    line->first = false;
    name_text(line->x, line->out, name, "", false);
    buf_puts(line->out, "=\"");
    escape_text(line->out, value);
    buf_char(line->out, '"');
}

/* bound: of a bucket; NULL: it is none. */
static void write_line(struct line *line, const char *suffix, const double *bound, double value)
{
    struct buf *out = line->out;
    struct str metric = exposed_metric(line->sample);
    bool inside = is_quoted(line->x, metric, true);
    line->first = !inside;
    if (inside)
        buf_char(out, '{');
    name_text(line->x, out, metric, suffix, true);
    exposition_labels(line->family, line->sample, label_text, line);
    if (bound != NULL) {
        buf_puts(out, line->first ? "{le=\"" : ",le=\"");
        go_float(out, *bound, 'g', -1);
        buf_char(out, '"');
        line->first = false;
    }
    buf_puts(out, line->first ? " " : "} ");
    go_float(out, value, 'g', -1);
    buf_char(out, ' ');
    buf_i64(out, line->sample->t_ms);
    buf_char(out, '\n');
}

static void write_bucket(void *context, double upper_bound, double count)
{
    write_line(context, "_bucket", &upper_bound, count);
}

static void write_histogram(struct line *line, const struct histogram *h)
{
    exposition_classic(h, write_bucket, line);
    write_bucket(line, INFINITY, h->count);
    write_line(line, "_sum", NULL, h->sum);
    write_line(line, "_count", NULL, h->count);
}

void exposition_text(const struct exposition *x, struct buf *out, const struct exposed_family *f)
{
    buf_puts(out, "# TYPE ");
    name_text(x, out, exposed_metric(&f->items[0]), "", true);
    buf_puts(out, f->items[0].histogram != NULL ? " histogram\n" : " untyped\n");
    for (size_t i = 0; i < f->count; i++) {
        struct line line = {.x = x, .family = f, .sample = &f->items[i], .out = out};
        if (f->items[i].histogram != NULL)
            write_histogram(&line, f->items[i].histogram);
        else
            write_line(&line, "", NULL, f->items[i].value);
    }
}
