/*
 * What the files of this folder share: tokens, the tree of a parsed text, one run.
 *
 * lex -> parse -> exec; value, printf, builtin and time know nothing about the tree.
 */
#ifndef TOCSIN_TEMPLATE_PRIV_H
#define TOCSIN_TEMPLATE_PRIV_H

#include "tocsin/template.h"
#include "tocsin/unicode.h"

/* One text given to template_parse: what positions in errors refer to. */
struct source {
    struct str name, text;
};

enum token_kind {
    TOKEN_ERROR,
    TOKEN_EOF,
    TOKEN_TEXT,
    TOKEN_LEFT,  /* {{ */
    TOKEN_RIGHT, /* }} */
    TOKEN_BOOL,
    TOKEN_CHAR, /* any other printable ASCII, such as the comma */
    TOKEN_CHAR_CONSTANT,
    TOKEN_ASSIGN,
    TOKEN_DECLARE,
    TOKEN_FIELD,
    TOKEN_IDENTIFIER,
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_NUMBER,
    TOKEN_PIPE,
    TOKEN_RAW_STRING,
    TOKEN_STRING,
    TOKEN_VARIABLE,
    TOKEN_KEYWORD, /* from here on: keywords, which errors show as <word> */
    TOKEN_BLOCK,
    TOKEN_BREAK,
    TOKEN_CONTINUE,
    TOKEN_DOT,
    TOKEN_DEFINE,
    TOKEN_ELSE,
    TOKEN_END,
    TOKEN_IF,
    TOKEN_NIL,
    TOKEN_RANGE,
    TOKEN_TEMPLATE,
    TOKEN_WITH
};

struct token {
    enum token_kind kind;
    bool spaced; /* white space stands before it, inside an action */
    size_t pos;
    int line;
    struct str text; /* TOKEN_ERROR: what is wrong */
};

struct lexer {
    struct arena *arena; /* for error texts */
    struct str text;
    size_t pos;
    int line;
    int parens;
    bool inside;    /* an action */
    bool trim_next; /* the action before ended in -}} */
    bool failed;
};

void lexer_init(struct lexer *lx, struct arena *arena, struct str text);

/* After TOKEN_ERROR and TOKEN_EOF it answers TOKEN_EOF for ever. */
struct token lexer_next(struct lexer *lx);

enum node_kind {
    NODE_LIST,
    NODE_TEXT,
    NODE_ACTION,
    NODE_IF,
    NODE_WITH,
    NODE_RANGE,
    NODE_TEMPLATE,
    NODE_BREAK,
    NODE_CONTINUE,
    NODE_ELSE, /* only between the functions of the parser */
    NODE_END,
    NODE_PIPE,
    NODE_COMMAND,
    NODE_DOT,
    NODE_NIL,
    NODE_BOOL,
    NODE_NUMBER,
    NODE_STRING,
    NODE_FIELD,
    NODE_VARIABLE,
    NODE_CHAIN,
    NODE_IDENTIFIER
};

struct node {
    enum node_kind kind;
    const struct source *source;
    size_t pos;
    struct node *next;

    struct str text; /* text, identifier, literal as written, name of a called template */
    struct node *first,
        *last; /* children of a list, commands of a pipe, operands of a command, inside of a chain */
    size_t count;

    struct str
        *names; /* field .A.B: A, B; variable $x.A: $x, A; chain: what follows; pipe: declared variables */
    size_t name_count, name_capacity;
    bool assigns; /* pipe: = rather than := */

    struct node *pipe, *body, *other; /* control nodes, actions and template calls */

    const struct template_function *function; /* identifier: NULL is what the set has under that name */
    const struct definition *callee;          /* template call: NULL is what the set has under that name */

    struct tval value;     /* of a literal */
    bool is_int, is_float; /* a number that may stand for either */
    int64_t integer;
    double real;
};

/* As Go writes the node in an error: `.Labels.job`, `index .M "a"`. */
void node_print(struct buf *out, const struct node *n);

/* Reads a number or character constant into the node. False with a text in *err. */
bool node_read_number(struct node *n, struct token token, struct err *err);

struct definition {
    struct str name;
    struct node *root;
};

struct template_set {
    struct arena *arena;
    const struct template_function *const *tables;
    size_t table_count;
    struct definition *definitions;
    size_t count, capacity;
    struct html_variant *variants; /* what template_escape_html made of the definitions */
};

/* Nothing but blanks and definitions: it replaces no other definition. */
bool definition_is_empty(const struct definition *d);
const struct template_function *set_function(const struct template_set *set, struct str name);
const struct definition *set_find(const struct template_set *set, struct str name);

/* What template_escape_html made of it; NULL: nothing yet. */
const struct definition *set_find_html(const struct template_set *set, struct str name);

extern const struct template_function builtin_functions[];

/* Not plain functions: the executor does what they stand for. */
tval_function builtin_and, builtin_or, builtin_call;

/* value: Go's types, truth, order. */
const char *value_type_name(const struct tval *v);
bool value_goes_into(const struct tval *v, struct str type);
struct tval value_nil_as(struct str type); /* an empty list where the type is one, else nil */
size_t signature_count(const char *signature, bool *variadic); /* of what must be given */
struct str signature_type(const char *signature, size_t i);
const struct template_function *value_method(const struct tval *v, struct str name);
struct tval value_int_of(const struct tval_type *type, int64_t v);
int value_equal(const struct tval *a, const struct tval *b, bool *equal, struct err *err);
int value_less(const struct tval *a, const struct tval *b, bool *less, struct err *err);

extern const struct tval_type type_int64, type_uint8, type_strings;

/* printf: fmt.Fprintf, Fprint, Fprintln. */
void print_format(struct buf *out, struct str format, const struct tval *args, size_t count);
void print_plain(struct buf *out, const struct tval *args, size_t count);
void print_line(struct buf *out, const struct tval *args, size_t count);
void print_rune(struct buf *out, int64_t rune);

/* Texts that functions build: begin, write, end. The end copies it into the run's arena; ERR_LIMIT past a
 * cap. */
void scratch_begin(struct buf *b);
int scratch_end(struct template_run *run, struct buf *b, struct tval *out, struct err *err);

/* time: Go's layouts, and the methods of time.Time and time.Duration. */
extern const struct template_function time_methods[], duration_methods[];
void time_format(struct buf *out, const struct tval *t, struct str layout);
void time_print(struct buf *out, const struct tval *t);
void time_print_go(struct buf *out, const struct tval *t); /* as Go's source would make it */
int time_parse(struct str layout, struct str text, struct tval *out, struct err *err);

/* What safeHtml and safeUrl return. */
extern const struct tval_type type_html, type_url;

/* Line from 1 and byte column from 0 of a place in its source. */
void node_position(const struct node *n, int *line, int *column);

/* title: the first letter of every word large; all others small, or as they are. */
void text_title(struct buf *out, struct str s, bool lower_rest);

/* Parts that both function tables use. */
void url_query_escape(struct buf *out, struct str s);
tval_function call_to_upper, call_to_lower, call_match, call_re_replace_all, call_safe_html;
void humanize_duration(struct buf *out, double seconds);

#endif
