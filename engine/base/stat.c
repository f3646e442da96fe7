#include "tocsin/stat.h"

#include "tocsin/gotext.h"

#include <stdatomic.h>

static atomic_uint_fast64_t values[STAT_COUNT];

static const struct {
    const char *metric, *type, *help;
} about[STAT_COUNT] = {
#define STAT(name, metric, type, help) {metric, #type, help},
    STAT_TABLE(STAT)
#undef STAT
};

void stat_add(enum stat_id id, uint64_t n)
{
    atomic_fetch_add_explicit(&values[id], n, memory_order_relaxed);
}

void stat_set(enum stat_id id, uint64_t value)
{
    atomic_store_explicit(&values[id], value, memory_order_relaxed);
}

uint64_t stat_get(enum stat_id id)
{
    return atomic_load_explicit(&values[id], memory_order_relaxed);
}

/* The text format's escapes; a quote needs one only inside a label value. */
static void escape(struct buf *out, struct str s, bool quoted)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\n')
            buf_puts(out, "\\n");
        else if (c == '\\' || (quoted && c == '"'))
            buf_format(out, "\\%c", c);
        else
            buf_char(out, c);
    }
}

static void write_head(struct buf *out, struct str name, const char *type, const char *help)
{
    buf_format(out, "# HELP %.*s ", STR_ARG(name));
    escape(out, str_of(help), false);
    buf_format(out, "\n# TYPE %.*s %s\n", STR_ARG(name), type);
}

void stat_head(struct buf *out, const char *name, const char *type, const char *help)
{
    write_head(out, str_of(name), type, help);
}

void stat_sample(struct buf *out, const char *name, const char *labels, double value)
{
    buf_puts(out, name);
    if (labels != NULL && labels[0] != '\0')
        buf_format(out, "{%s}", labels);
    buf_char(out, ' ');
    go_float(out, value, 'g', -1);
    buf_char(out, '\n');
}

void stat_label(struct buf *labels, const char *name, struct str value)
{
    if (labels->used > 0)
        buf_char(labels, ',');
    buf_format(labels, "%s=\"", name);
    escape(labels, value, true);
    buf_char(labels, '"');
}

static struct str family(int i)
{
    struct str metric = str_of(about[i].metric);
    return str_cut(&metric, '{');
}

void stat_write_metrics(struct buf *out)
{
    for (int i = 0; i < STAT_COUNT; i++) {
        if (i == 0 || !str_eq(family(i), family(i - 1)))
            write_head(out, family(i), about[i].type, about[i].help);
        buf_format(out, "%s %llu\n", about[i].metric, (unsigned long long)stat_get((enum stat_id)i));
    }
}
