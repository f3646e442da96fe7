#include "exposition_priv.h"

#include "tocsin/gotext.h"

/* ---- negotiation ----------------------------------------------------------------------------------------- */

static const char *const escapings[] = {[ESCAPE_UNDERSCORES] = "underscores",
                                        [ESCAPE_DOTS] = "dots",
                                        [ESCAPE_VALUES] = "values",
                                        [ESCAPE_NOTHING] = "allow-utf-8"};

/* One clause of Accept. */
struct clause {
    struct str type, version, proto, encoding, escaping;
    double weight;
};

static void take_parameter(struct clause *c, struct str parameter)
{
    struct str value = parameter, name = str_trim(str_cut(&value, '='));
    if (value.p == NULL)
        return;
    struct str *const to = str_is(name, "version")    ? &c->version
                           : str_is(name, "proto")    ? &c->proto
                           : str_is(name, "encoding") ? &c->encoding
                           : str_is(name, "escaping") ? &c->escaping
                                                      : NULL;
    if (to != NULL)
        *to = str_trim(value);
    else if (str_is(name, "q") && !go_parse_float(value, &c->weight))
        c->weight = 0;
}

static struct clause read_clause(struct str text)
{
    struct clause c = {.type = str_trim(str_cut(&text, ';')), .weight = 1};
    while (text.p != NULL)
        take_parameter(&c, str_cut(&text, ';'));
    return c;
}

enum { CLAUSES_MAX = 32 };

/* The heavier first, else as they were written. Nobody sends as many as are left out. */
static size_t read_clauses(struct str accept, struct clause clauses[CLAUSES_MAX])
{
    size_t count = 0;
    while (accept.p != NULL && count < CLAUSES_MAX) {
        struct clause c = read_clause(str_cut(&accept, ','));
        size_t at = count++;
        for (; at > 0 && clauses[at - 1].weight < c.weight; at--)
            clauses[at] = clauses[at - 1];
        clauses[at] = c;
    }
    return count;
}

static bool is_delimited(const struct clause *c)
{
    return str_is(c->type, "application/vnd.google.protobuf") &&
           str_is(c->proto, "io.prometheus.client.MetricFamily") && str_is(c->encoding, "delimited");
}

static bool is_text(const struct clause *c)
{
    return str_is(c->type, "text/plain") && (c->version.n == 0 || str_is(c->version, "0.0.4"));
}

/* What a clause says of escaping holds for those behind it, too. */
struct exposition exposition_of(struct str accept)
{
    struct exposition x = {.escaping = ESCAPE_UNDERSCORES};
    struct clause clauses[CLAUSES_MAX];
    size_t count = read_clauses(accept, clauses);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof escapings / sizeof *escapings; k++)
            if (str_is(clauses[i].escaping, escapings[k]))
                x.escaping = (enum escaping)k;
        x.protobuf = is_delimited(&clauses[i]);
        if (x.protobuf || is_text(&clauses[i]))
            break;
    }
    return x;
}

const char *exposition_content_type(const struct exposition *x)
{
#define TEXT "text/plain; version=0.0.4; charset=utf-8; escaping="
#define PROTOBUF                                                                                     \
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; " \
    "escaping="
    static const char *const types[][2] = {
        [ESCAPE_UNDERSCORES] = {TEXT "underscores", PROTOBUF "underscores"},
        [ESCAPE_DOTS] = {TEXT "dots", PROTOBUF "dots"},
        [ESCAPE_VALUES] = {TEXT "values", PROTOBUF "values"},
        [ESCAPE_NOTHING] = {TEXT "allow-utf-8", PROTOBUF "allow-utf-8"}};
    return types[x->escaping][x->protobuf];
}

bool exposition_can_tell(const struct exposition *x, const struct exposed *e)
{
    return x->protobuf || e->histogram == NULL || histogram_is_custom(e->histogram);
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static bool is_classic_byte(char c, bool first, bool metric)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (metric && c == ':');
    return letter || (!first && c >= '0' && c <= '9');
}

bool exposition_is_classic(struct str name, bool metric)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_classic_byte(name.p[i], i == 0, metric))
            return false;
    return name.n > 0;
}

/* A character that a classic name may not have, or that the escaping itself uses. */
static void escape_rune(const struct exposition *x, struct buf *out, int rune)
{
    if (x->escaping == ESCAPE_UNDERSCORES)
        buf_char(out, '_');
    else if (rune == '_' || (x->escaping == ESCAPE_DOTS && rune != '.'))
        buf_puts(out, "__");
    else if (x->escaping == ESCAPE_DOTS)
        buf_puts(out, "_dot_");
    else
        buf_format(out, "_%x_", (unsigned)rune);
}

void exposition_escape(const struct exposition *x, struct buf *out, struct str name, bool metric)
{
    if (x->escaping == ESCAPE_NOTHING || exposition_is_classic(name, metric)) {
        buf_str(out, name);
        return;
    }
    if (x->escaping == ESCAPE_VALUES)
        buf_puts(out, "U__");
    for (size_t i = 0; i < name.n;) {
        int rune;
        size_t n = str_rune(name.p + i, name.n - i, &rune);
        if (name.p[i] != '_' && is_classic_byte(name.p[i], i == 0, metric))
            buf_char(out, name.p[i]);
        else
            escape_rune(x, out, rune);
        i += n;
    }
}

/* ---- what both forms tell -------------------------------------------------------------------------------- */

void exposition_labels(const struct exposed_family *f, const struct exposed *e, exposition_label *add,
                       void *context)
{
    for (size_t i = 0; i < e->labels->count; i++)
        if (!str_is(e->labels->item[i].name, LABEL_METRIC_NAME))
            add(context, e->labels->item[i].name, e->labels->item[i].value);
    for (size_t i = 0; i < f->extra_count; i++)
        if (!labels_has(e->labels, f->extra[i].name))
            add(context, f->extra[i].name, f->extra[i].value);
}

void exposition_classic(const struct histogram *h, exposition_bucket *add, void *context)
{
    struct histogram_walk w = {.side = &h->positive};
    bool any = histogram_next(&w);
    double count = 0;
    for (size_t i = 0; i < h->custom_count; i++) {
        for (; any && w.index <= (int64_t)i; any = histogram_next(&w))
            count += w.count;
        add(context, h->custom_bounds[i], count);
    }
}
