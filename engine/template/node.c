#include "template_priv.h"

#include "tocsin/gotext.h"

#include <math.h>

void node_position(const struct node *n, int *line, int *column)
{
    *line = 1;
    *column = 0;
    for (size_t i = 0; i < n->pos && i < n->source->text.n; i++) {
        bool newline = n->source->text.p[i] == '\n';
        *line += newline;
        *column = newline ? 0 : *column + 1;
    }
}

static void print_names(struct buf *out, const struct node *n, size_t from)
{
    for (size_t i = from; i < n->name_count; i++) {
        buf_char(out, '.');
        buf_str(out, n->names[i]);
    }
}

static void print_children(struct buf *out, const struct node *n, const char *between)
{
    for (const struct node *c = n->first; c != NULL; c = c->next) {
        if (c != n->first)
            buf_puts(out, between);
        bool parens = n->kind != NODE_PIPE && c->kind == NODE_PIPE;
        buf_puts(out, parens ? "(" : "");
        node_print(out, c);
        buf_puts(out, parens ? ")" : "");
    }
}

static void print_pipe(struct buf *out, const struct node *n)
{
    for (size_t i = 0; i < n->name_count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        buf_str(out, n->names[i]);
    }
    if (n->name_count > 0)
        buf_puts(out, n->assigns ? " = " : " := ");
    print_children(out, n, " | ");
}

static void print_call(struct buf *out, const struct node *n)
{
    buf_puts(out, "{{template ");
    go_quote(out, n->text);
    if (n->pipe != NULL) {
        buf_char(out, ' ');
        print_pipe(out, n->pipe);
    }
    buf_puts(out, "}}");
}

/* Control nodes are never what an error points at, their pipelines are. */
void node_print(struct buf *out, const struct node *n)
{
    switch (n->kind) {
    case NODE_ACTION:
        buf_puts(out, "{{");
        print_pipe(out, n->pipe);
        buf_puts(out, "}}");
        break;
    case NODE_TEMPLATE:
        print_call(out, n);
        break;
    case NODE_ELSE:
        buf_puts(out, "{{else}}");
        break;
    case NODE_END:
        buf_puts(out, "{{end}}");
        break;
    case NODE_PIPE:
        print_pipe(out, n);
        break;
    case NODE_FIELD:
        print_names(out, n, 0);
        break;
    case NODE_VARIABLE:
        buf_str(out, n->names[0]);
        print_names(out, n, 1);
        break;
    case NODE_COMMAND:
    case NODE_CHAIN:
        print_children(out, n, " ");
        print_names(out, n, 0);
        break;
    default:
        buf_str(out, n->text);
        break;
    }
}

/* One rune between quotes; a byte escape such as '\xff' is that number. */
static bool read_char(struct node *n, struct str literal, struct err *err)
{
    struct buf bytes;
    scratch_begin(&bytes);
    bool ok = go_unquote(literal, &bytes) && bytes.used > 0, valid = ok;
    int rune = -1;
    if (ok) {
        size_t length = str_rune(bytes.bytes, bytes.used, &rune);
        rune = rune < 0 ? (unsigned char)bytes.bytes[0] : rune;
        ok = length == bytes.used;
    }
    buf_release(&bytes);
    if (!valid)
        return err_set(err, ERR_PARSE, "invalid syntax") == 0;
    if (!ok)
        return err_set(err, ERR_PARSE, "malformed character constant: %.*s", STR_ARG(literal)) == 0;
    n->is_int = n->is_float = true;
    n->integer = rune;
    n->real = rune;
    n->value = tval_int(rune);
    return true;
}

static bool has_any(struct str s, const char *set)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(set, s.p[i]) != NULL)
            return true;
    return false;
}

static bool number_error(struct str text, const char *what, struct err *err)
{
    struct buf quoted;
    scratch_begin(&quoted);
    go_quote(&quoted, text);
    err_set(err, ERR_PARSE, "%s: %s", what, buf_text(&quoted));
    buf_release(&quoted);
    return false;
}

/* What Go calls an ideal constant: it fits an integer as well as a float parameter if its value does; on its
 * own it is a float if it is written like one. */
bool node_read_number(struct node *n, struct token token, struct err *err)
{
    if (token.kind == TOKEN_CHAR_CONSTANT)
        return read_char(n, token.text, err);
    if (str_ends(token.text, STR("i")))
        return err_set(err, ERR_UNSUPPORTED, "complex constants are not supported: %.*s",
                       STR_ARG(token.text)) == 0;
    if (go_parse_int(token.text, &n->integer)) {
        n->is_int = n->is_float = true;
        n->real = (double)n->integer;
        n->value = tval_int(n->integer);
        return true;
    }
    if (!go_parse_float(token.text, &n->real) || isinf(n->real))
        return number_error(token.text, "illegal number syntax", err);
    if (!has_any(token.text, ".eEpP"))
        return number_error(token.text, "integer overflow", err);
    n->is_float = true;
    n->is_int = fabs(n->real) < 9e18 && n->real == floor(n->real);
    n->integer = n->is_int ? (int64_t)n->real : 0;
    n->value = tval_float(n->real);
    return true;
}
