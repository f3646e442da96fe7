/*
 * promql_lex_priv: the text of an expression as tokens, one at a time.
 *
 * The lexer knows three modes, because Prometheus' does and its messages follow from them: inside braces, inside
 * brackets (before and after the first number), and everywhere else. It also counts parentheses, so "unclosed left
 * parenthesis" is said at the end of the text, before the grammar complains of anything else.
 */
#ifndef TOCSIN_PROMQL_LEX_PRIV_H
#define TOCSIN_PROMQL_LEX_PRIV_H

#include "tocsin/err.h"
#include "tocsin/promql_ast.h"

enum token_kind {
    TOKEN_END,
    TOKEN_BAD, /* the lexer refused the text: lexer.error says why */
    TOKEN_IDENTIFIER,
    TOKEN_METRIC, /* an identifier with a colon */
    TOKEN_NUMBER,
    TOKEN_DURATION,
    TOKEN_STRING,
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_ASSIGN, /* = */
    TOKEN_OP,     /* binary operators, != included */
    TOKEN_REGEX,  /* =~ */
    TOKEN_NOT_REGEX,
    TOKEN_AT,
    TOKEN_AGGREGATE,
    TOKEN_OFFSET,
    TOKEN_ANCHORED,
    TOKEN_SMOOTHED,
    TOKEN_BY,
    TOKEN_WITHOUT,
    TOKEN_ON,
    TOKEN_IGNORING,
    TOKEN_GROUP_LEFT,
    TOKEN_GROUP_RIGHT,
    TOKEN_BOOL,
    TOKEN_FILL,
    TOKEN_FILL_LEFT,
    TOKEN_FILL_RIGHT,
    TOKEN_START,
    TOKEN_FINISH, /* end */
    TOKEN_STEP,
    TOKEN_RANGE,
    TOKEN_MIN_OF,
    TOKEN_MAX_OF
};

struct token {
    enum token_kind kind;
    struct str text;
    size_t start;
    int value; /* TOKEN_OP: enum promql_op; TOKEN_AGGREGATE: enum promql_aggregate */
};

struct lexer {
    struct str text;
    size_t pos;
    size_t parens; /* open ones */
    bool braces, brackets;
    bool colon;         /* the ':' of this pair of brackets was seen */
    bool before_number; /* in brackets, no number so far: only a duration may start here */
    bool number_seen;   /* in any brackets */
    struct err error;
    size_t error_start;
};

void lex_init(struct lexer *l, struct str text);

/* The next token. After TOKEN_BAD or TOKEN_END the lexer must not be asked again. */
struct token lex_next(struct lexer *l);

/* How errors name a token: `identifier "x"`, `<op:+>`, `end of input`. */
void lex_describe(struct buf *out, struct token t);

/* Between the files of the lexer only. */

/* The byte at pos + ahead as 0..255, or -1 at the end. */
int lex_peek(const struct lexer *l, size_t ahead);
struct token lex_emit(const struct lexer *l, size_t start, enum token_kind kind);
struct token lex_fail(struct lexer *l, size_t start, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* `what: 'c'tail` about the rune at pos. */
struct token lex_fail_rune(struct lexer *l, size_t start, size_t at, const char *what, const char *tail);
struct token lex_number(struct lexer *l);
struct token lex_string(struct lexer *l);
struct token lex_braces(struct lexer *l);
struct token lex_before_number(struct lexer *l);
/* The word at pos as an identifier, a metric name or a keyword. */
struct token lex_word(struct lexer *l);
/* In brackets: step, range, min_of, max_of; TOKEN_BAD (nothing consumed, no error set) if it is another word. */
struct token lex_duration_word(struct lexer *l);
void lex_skip_space(struct lexer *l);
bool lex_is_letter(int c); /* [a-zA-Z_] */
bool lex_is_digit(int c);

#endif
