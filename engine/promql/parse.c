#include "promql_parse_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

const struct promql_features promql_features_default = {.duration_expressions = true};
const struct promql_features promql_features_all = {
    .experimental_functions = true,
    .extended_range_selectors = true,
    .binop_fill_modifiers = true,
    .duration_expressions = true,
};

enum { UNEXPECTED_BYTES = 512 };

static void fail_at(struct parser *p, int code, size_t at, const char *format, va_list args)
{
    if (p->code != 0)
        return;
    p->code = code;
    err_vset(p->err, code, format, args);
    if (p->lexer.text.n == 0) {
        err_prefix(p->err, "unknown position: parse error: ");
        return;
    }
    int line = 1, column = 1;
    for (size_t i = 0; i < at && i < p->lexer.text.n; i++) {
        bool breaks = p->lexer.text.p[i] == '\n';
        line += breaks;
        column = breaks ? 1 : column + 1;
    }
    err_prefix(p->err, "%d:%d: parse error: ", line, column);
    if (p->err != NULL) {
        p->err->line = line;
        p->err->column = column;
    }
}

bool parse_fail(struct parser *p, size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_at(p, ERR_PARSE, at, format, args);
    va_end(args);
    return false;
}

const char *parse_quote(struct parser *p, struct str text)
{
    struct buf quoted;
    buf_init(&quoted, ERR_TEXT_MAX);
    go_quote(&quoted, text);
    const char *copy = arena_copy_text(p->arena, buf_text(&quoted), quoted.used);
    buf_release(&quoted);
    return copy != NULL ? copy : "\"\"";
}

bool parse_limit(struct parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail_at(p, ERR_LIMIT, p->end, format, args);
    va_end(args);
    return false;
}

bool parse_unexpected_in(struct parser *p, struct context context)
{
    struct token t = parse_peek(p);
    if (p->code != 0)
        return false;
    struct buf text;
    buf_init(&text, UNEXPECTED_BYTES);
    lex_describe(&text, t);
    if (context.where != NULL)
        buf_format(&text, " in %s", context.where);
    if (context.what != NULL)
        buf_format(&text, ", expected %s", context.what);
    parse_fail(p, t.start, "unexpected %s", buf_text(&text));
    buf_release(&text);
    return false;
}

bool parse_unexpected(struct parser *p)
{
    return parse_unexpected_in(p, p->context);
}

struct token parse_peek(struct parser *p)
{
    if (p->has_ahead || p->code != 0)
        return p->code != 0 ? (struct token){.kind = TOKEN_BAD} : p->ahead;
    p->ahead = lex_next(&p->lexer);
    p->has_ahead = true;
    if (p->ahead.kind == TOKEN_BAD)
        parse_fail(p, p->lexer.error_start, "%s", p->lexer.error.text);
    return p->ahead;
}

struct token parse_take(struct parser *p)
{
    struct token t = parse_peek(p);
    if (t.kind != TOKEN_BAD && t.kind != TOKEN_END) {
        p->has_ahead = false;
        p->end = t.start + t.text.n;
    }
    return t;
}

bool parse_accept(struct parser *p, enum token_kind kind)
{
    if (parse_peek(p).kind != kind)
        return false;
    parse_take(p);
    return true;
}

bool parse_expect(struct parser *p, enum token_kind kind)
{
    return parse_accept(p, kind) || parse_unexpected(p);
}

bool parse_enter(struct parser *p)
{
    if (p->depth >= limits.query_depth) {
        limit_hit(LIMIT_query_depth);
        return parse_limit(p, "expression is nested deeper than %lld levels", (long long)limits.query_depth);
    }
    p->depth++;
    return true;
}

void parse_leave(struct parser *p)
{
    p->depth--;
}

void *parse_node(struct parser *p, size_t size)
{
    void *node = NULL;
    if (p->code != 0)
        return NULL;
    if (p->nodes++ >= limits.query_nodes) {
        limit_hit(LIMIT_query_nodes);
        parse_limit(p, "expression has more than %lld parts", (long long)limits.query_nodes);
    } else if ((node = arena_alloc(p->arena, size)) == NULL) {
        parse_limit(p, "expression needs more memory than allowed");
    }
    return node;
}

struct expr *parse_expr_node(struct parser *p, enum expr_kind kind, size_t start)
{
    struct expr *e = parse_node(p, sizeof *e);
    if (e == NULL)
        return NULL;
    e->kind = kind;
    e->start = start;
    e->end = p->end;
    e->height = 1;
    return e;
}

bool parse_height(struct parser *p, size_t height)
{
    return height <= PROMQL_HEIGHT_MAX ||
           parse_limit(p, "expression has more than %d levels", PROMQL_HEIGHT_MAX);
}

void parser_init(struct parser *p, struct arena *arena, struct str text, struct err *err)
{
    *p = (struct parser){.arena = arena, .features = &promql_features_default, .err = err};
    lex_init(&p->lexer, text);
    if (text.n > (size_t)limits.query_text_bytes) {
        limit_hit(LIMIT_query_text_bytes);
        parse_limit(p, "expression is longer than %lld bytes", (long long)limits.query_text_bytes);
    }
}

int parser_finish(struct parser *p)
{
    for (size_t i = 0; p->code != 0 && i < p->regex_count; i++)
        regex_free(p->regexes[i]);
    return p->code;
}

static struct expr *parse_whole(struct parser *p)
{
    if (parse_peek(p).kind == TOKEN_END) {
        parse_fail(p, 0, "no expression found in input");
        return NULL;
    }
    struct expr *e = parse_expr(p);
    if (e != NULL && parse_peek(p).kind != TOKEN_END)
        parse_unexpected(p);
    return e;
}

int promql_parse(struct arena *arena, struct str text, const struct promql_features *features,
                 struct expr **out, struct err *err)
{
    struct parser p;
    parser_init(&p, arena, text, err);
    p.features = features;
    struct expr *e = parse_whole(&p);
    if (p.code == 0)
        check_expr(&p, e);
    *out = p.code == 0 ? e : NULL;
    return parser_finish(&p);
}

/* A selector and nothing else: other tokens that an expression may have are as unexpected as any. */
static struct expr *parse_only_selector(struct parser *p)
{
    struct token t = parse_peek(p);
    struct str name = {0};
    if (parse_is_metric_name(t))
        name = parse_take(p).text;
    else if (t.kind != TOKEN_LEFT_BRACE) {
        parse_unexpected(p);
        return NULL;
    }
    struct expr *e = parse_selector(p, name, t.start);
    if (e != NULL && parse_peek(p).kind != TOKEN_END)
        parse_unexpected(p);
    return e;
}

int promql_parse_matchers(struct arena *arena, struct str text, struct matcher **matchers, size_t *count,
                          struct err *err)
{
    struct parser p;
    parser_init(&p, arena, text, err);
    struct expr *e = parse_only_selector(&p);
    *matchers = p.code == 0 ? e->selector.matchers : NULL;
    *count = p.code == 0 ? e->selector.matcher_count : 0;
    return parser_finish(&p);
}
