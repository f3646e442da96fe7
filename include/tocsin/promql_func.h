/*
 * promql_func: the table of functions: names and signatures, as the checker and the evaluator see them.
 */
#ifndef TOCSIN_PROMQL_FUNC_H
#define TOCSIN_PROMQL_FUNC_H

#include "tocsin/promql_ast.h"

enum { PROMQL_ARGS_MAX = 13 };

enum promql_func_id {
#define FUNC(name, ...) FUNC_##name,
#include "tocsin/promql_func_table.h"
#undef FUNC
    FUNC_COUNT
};

struct promql_function {
    const char *name;
    enum promql_func_id id;
    enum promql_type returns;
    int variadic; /* 0: exactly arg_count; n > 0: the last n are optional; -1: the last repeats freely (0 or more) */
    bool experimental;
    int arg_count;
    enum promql_type args[PROMQL_ARGS_MAX];
};

/* NULL if there is none. Names are case-sensitive. */
const struct promql_function *promql_function_find(struct str name);

#endif
