/*
 * promql_parse_priv: what the files of the parser share.
 *
 * Recursive descent with one token of lookahead that is read only when it is needed: whether the lexer or the grammar
 * complains first decides which message a user sees. The first failure sticks (parser.code); after it every
 * function returns NULL or false, and parse_fail changes nothing.
 */
#ifndef TOCSIN_PROMQL_PARSE_PRIV_H
#define TOCSIN_PROMQL_PARSE_PRIV_H

#include "promql_lex_priv.h"

#include "tocsin/arena.h"
#include "tocsin/promql_func.h"
#include "tocsin/promql_parse.h"

/* What an unexpected token is unexpected in: "... in `where`, expected `what`". Both may be NULL. */
struct context {
    const char *where, *what;
};

struct parser {
    struct lexer lexer;
    struct token ahead;
    bool has_ahead;
    size_t end; /* of the token taken last */
    struct context context;
    struct arena *arena;
    const struct promql_features *features;
    struct err *err;
    int code;
    int64_t depth, nodes;
    struct regex **regexes; /* freed if the parse fails; the tree owns them otherwise */
    size_t regex_count, regex_capacity;
};

void parser_init(struct parser *p, struct arena *arena, struct str text, struct err *err);
/* Frees the regexes after a failure. Returns p->code. */
int parser_finish(struct parser *p);

struct token parse_peek(struct parser *p);
struct token parse_take(struct parser *p);
/* Takes the next token if it is of this kind. */
bool parse_accept(struct parser *p, enum token_kind kind);
bool parse_expect(struct parser *p, enum token_kind kind);

/* All return false, so that `return parse_fail(...)` is the idiom. */
bool parse_fail(struct parser *p, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* text in Go's quotes, for a message. */
const char *parse_quote(struct parser *p, struct str text);
bool parse_limit(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool parse_unexpected(struct parser *p);
bool parse_unexpected_in(struct parser *p, struct context context);
/* False and ERR_LIMIT if p stands too deep; each true must be followed by parse_leave. */
bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);

/* Zeroed memory for one more part of the expression; NULL and ERR_LIMIT past a limit. */
void *parse_node(struct parser *p, size_t size);
struct expr *parse_expr_node(struct parser *p, enum expr_kind kind, size_t start);
/* True if a tree of this height is allowed. */
bool parse_height(struct parser *p, size_t height);

/* The value of a string token. */
bool parse_string(struct parser *p, struct token t, struct str *out);
/* The value of a number or duration token, in seconds. */
bool parse_number(struct parser *p, struct token t, double *out);

struct expr *parse_expr(struct parser *p);
/* Tokens that may stand as a metric's name: identifiers and nearly every keyword. */
bool parse_is_metric_name(struct token t);
/* name{...}, name, {...}; name may be the empty slice, taken already. */
struct expr *parse_selector(struct parser *p, struct str name, size_t start);
bool parse_grouping(struct parser *p, struct name_list *out);
/* True if an expression may start with this token. */
bool parse_starts_expr(struct token t);
struct expr *parse_aggregate(struct parser *p, struct token op);
struct expr *parse_call(struct parser *p, struct token name);
/* ( items ), the opening parenthesis included. */
bool parse_arguments(struct parser *p, struct expr_list *out);
/* What may follow an operator: bool, on, group_left, fill. */
bool parse_binary_modifiers(struct parser *p, struct expr *e);
/* After the operand e: [5m], [5m:1m], offset, @, anchored, smoothed, as many as there are. */
struct expr *parse_postfix(struct parser *p, struct expr *e);
struct duration_expr *parse_duration(struct parser *p);
/* What offset takes: one term with at most one sign; all of it after a parenthesis or two signs. */
struct duration_expr *parse_offset_duration(struct parser *p);
/* True, or an error, if a literal d is not a duration greater than zero. */
bool parse_positive(struct parser *p, const struct duration_expr *d);

/* check.c: types, once the syntax is clean. Fails through p. */
bool check_expr(struct parser *p, struct expr *e);

#endif
