/*
 * promql_ast: the tree of an expression. Built by promql_parse.h, read by the printer, the planner and the evaluator.
 *
 * All nodes live in the arena given to the parser, except compiled regexes, which the tree owns: call promql_free.
 * Positions are byte offsets into the text, start inclusive, end exclusive. No tree is higher than PROMQL_HEIGHT_MAX, so
 * functions over trees may recurse.
 */
#ifndef TOCSIN_PROMQL_AST_H
#define TOCSIN_PROMQL_AST_H

#include "tocsin/matcher.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nesting is bounded by limits.query_depth; a chain (a or b or c ...) is a tree too, and may be longer. */
enum { PROMQL_HEIGHT_MAX = 1024 };

enum promql_type { PROMQL_NONE, PROMQL_SCALAR, PROMQL_STRING, PROMQL_VECTOR, PROMQL_MATRIX };

enum expr_kind {
    EXPR_NUMBER,
    EXPR_STRING,
    EXPR_PAREN,
    EXPR_UNARY,
    EXPR_BINARY,
    EXPR_AGGREGATE,
    EXPR_CALL,
    EXPR_SELECTOR, /* instant vector selector, or, with is_range, a range vector selector */
    EXPR_SUBQUERY
};

enum promql_op {
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_POW,
    OP_ATAN2,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_TRIM_UPPER, /* </ */
    OP_TRIM_LOWER, /* >/ */
    OP_AND,
    OP_OR,
    OP_UNLESS
};

enum promql_aggregate {
    AGG_SUM,
    AGG_AVG,
    AGG_MIN,
    AGG_MAX,
    AGG_GROUP,
    AGG_COUNT,
    AGG_STDDEV,
    AGG_STDVAR,
    AGG_TOPK,
    AGG_BOTTOMK,
    AGG_QUANTILE,
    AGG_COUNT_VALUES,
    AGG_LIMITK,
    AGG_LIMIT_RATIO
};

/* A duration as written: a literal, or (Prometheus 3.14) an expression over literals, step(), range(). Its position is
 * what Prometheus' run-time errors name: from the first operand to the last, without parentheses around them. */
enum duration_kind {
    DUR_LITERAL,
    DUR_UNARY,
    DUR_BINARY,
    DUR_STEP,
    DUR_RANGE,
    DUR_MIN_OF,
    DUR_MAX_OF,
    DUR_PAREN
};

struct duration_expr {
    enum duration_kind kind;
    size_t start, end;
    double seconds;                     /* DUR_LITERAL */
    bool written_as_duration;           /* DUR_LITERAL: "5m" rather than "300" */
    enum promql_op op;                  /* DUR_BINARY, DUR_UNARY (OP_SUB or OP_ADD) */
    struct duration_expr *left, *right; /* unary and paren use left */
    unsigned height;                    /* 1: a leaf */
};

enum at_kind { AT_NONE, AT_TIME, AT_START, AT_END };
enum range_modifier { RANGE_PLAIN, RANGE_ANCHORED, RANGE_SMOOTHED };

/* @ and offset, shared by selectors and subqueries. */
struct time_shift {
    enum at_kind at;
    int64_t at_ms;                /* AT_TIME */
    struct duration_expr *offset; /* NULL: none */
};

struct expr;

struct expr_list {
    struct expr **items;
    size_t count;
};

struct name_list {
    struct str *items;
    size_t count;
};

enum match_card { CARD_ONE_TO_ONE, CARD_MANY_TO_ONE, CARD_ONE_TO_MANY, CARD_MANY_TO_MANY };

struct vector_matching {
    enum match_card card;
    bool on;                  /* on(...); else ignoring(...) */
    struct name_list labels;  /* of on/ignoring */
    struct name_list include; /* of group_left/group_right */
    bool fill_left_given, fill_right_given;
    double fill_left, fill_right;
};

struct promql_function; /* promql_func.h */

struct expr {
    enum expr_kind kind;
    enum promql_type type; /* set by the checker */
    size_t start, end;
    unsigned height; /* 1: a leaf; durations count */
    size_t plan_id;  /* the planner's number of this node */
    union {
        struct {
            double value;
            bool is_duration; /* written as 5m; printed so again */
        } number;
        struct {
            struct str text;
        } string;
        struct {
            struct expr *inner;
        } paren;
        struct {
            bool negate;
            struct expr *inner;
        } unary;
        struct {
            enum promql_op op;
            size_t op_start; /* position of the operator */
            bool return_bool;
            struct expr *left, *right;
            struct vector_matching *matching; /* NULL unless both sides are vectors */
        } binary;
        struct {
            enum promql_aggregate op;
            bool without;
            bool grouped; /* by/without was written */
            struct name_list labels;
            struct expr *param; /* NULL if none */
            struct expr *inner;
        } aggregate;
        struct {
            const struct promql_function *function;
            struct expr_list args;
        } call;
        struct {
            struct str name;          /* in front of the braces; empty if none */
            struct matcher *matchers; /* __name__ included, in written order */
            size_t matcher_count;
            struct time_shift shift;
            enum range_modifier modifier;
            bool is_range;
            struct duration_expr *range; /* is_range */
        } selector;
        struct {
            struct expr *inner;
            struct duration_expr *range;
            struct duration_expr *step; /* NULL: the default */
            struct time_shift shift;
        } subquery;
    };
};

#endif
