/* Counters, gauges and histograms that are named by a selector alone, and the queries around them. */
#include "slo_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

/* What would begin an action of a template is spelt as an action that prints it. */
static void add_literal(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '{' || i + 1 == text.n || text.p[i + 1] != '{') {
            buf_char(out, text.p[i]);
            continue;
        }
        buf_puts(out, "{{\"{{\"}}");
        i++;
    }
}

static struct str keep(struct arena *arena, struct buf *text)
{
    struct str kept = buf_overflow(text) ? STR("") : str_copy(arena, buf_slice(text));
    buf_release(text);
    return kept;
}

/* ---- reading ---- */

static bool is_plain(const struct expr *e)
{
    return e->kind == EXPR_SELECTOR && !e->selector.is_range && e->selector.modifier == RANGE_PLAIN &&
           e->selector.shift.at == AT_NONE && e->selector.shift.offset == NULL;
}

static bool is_name(const struct matcher *m)
{
    return m->op == MATCH_EQUAL && str_is(m->name, LABEL_METRIC_NAME);
}

static void take(struct arena *arena, const struct expr *e, struct slo_selector *out)
{
    struct buf plain, text;
    buf_init(&plain, (size_t)limits.query_text_bytes);
    buf_init(&text, (size_t)limits.query_text_bytes);
    for (size_t i = 0; i < e->selector.matcher_count; i++) {
        const struct matcher *m = &e->selector.matchers[i];
        out->has_le |= str_is(m->name, "le");
        if (is_name(m) && out->name.n == 0) {
            out->name = str_copy(arena, m->value);
            continue;
        }
        buf_puts(&plain, plain.used > 0 ? "," : "");
        matcher_print(&plain, m);
    }
    add_literal(&text, buf_slice(&plain));
    out->matchers = keep(arena, &text);
    buf_release(&plain);
}

int slo_selector_parse(struct arena *arena, struct str text, struct slo_selector *out, struct err *err)
{
    struct expr *e;
    *out = (struct slo_selector){0};
    int rc = promql_parse(arena, text, &promql_features_default, &e, err);
    if (rc != 0)
        return rc;
    if (is_plain(e))
        take(arena, e, out);
    else
        rc =
            err_set(err, ERR_PARSE,
                    "must be a plain selector such as http_requests_total{code=\"500\"}, without a range, an "
                    "offset or a function: those are put around it");
    promql_free(e);
    return rc;
}

/* ---- writing ---- */

struct slo_selector slo_selector_with(struct arena *arena, const struct slo_selector *of, struct str name,
                                      struct str matcher)
{
    struct slo_selector out = *of;
    out.name = name;
    if (matcher.n > 0)
        out.matchers = str_of(arena_format(arena, "%.*s%s%.*s", STR_ARG(of->matchers),
                                           of->matchers.n > 0 ? "," : "", STR_ARG(matcher)));
    return out;
}

static void add_quoted(struct buf *out, struct str text)
{
    struct buf quoted;
    buf_init(&quoted, (size_t)limits.query_text_bytes);
    go_quote(&quoted, text);
    add_literal(out, buf_slice(&quoted));
    buf_release(&quoted);
}

static void add_selector(struct buf *out, const struct slo_selector *of)
{
    bool in_front = metric_name_is_classic(of->name);
    if (in_front)
        buf_str(out, of->name);
    if (in_front && of->matchers.n == 0)
        return;
    buf_char(out, '{');
    if (!in_front && of->name.n > 0)
        add_quoted(out, of->name);
    if (!in_front && of->name.n > 0 && of->matchers.n > 0)
        buf_char(out, ',');
    buf_str(out, of->matchers);
    buf_char(out, '}');
}

static void add_grouping(struct buf *out, const struct objective *o)
{
    for (size_t i = 0; i < o->by_count; i++) {
        buf_puts(out, i == 0 ? " by (" : ", ");
        if (label_name_is_classic(o->by[i]))
            buf_str(out, o->by[i]);
        else
            add_quoted(out, o->by[i]);
    }
    buf_puts(out, o->by_count > 0 ? ") " : "");
}

struct str slo_sum(struct arena *arena, const struct slo_selector *of, const char *function,
                   const struct objective *o)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    buf_puts(&text, "sum");
    add_grouping(&text, o);
    buf_format(&text, "(%s(", function);
    add_selector(&text, of);
    buf_puts(&text, "[{{.window}}]))");
    return keep(arena, &text);
}
