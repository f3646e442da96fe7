#include "tocsin/promql_func.h"

#include <stdlib.h>

/* The words of the table; only here, they are too short to be shared. */
#define NONE PROMQL_NONE
#define SCALAR PROMQL_SCALAR
#define STRING PROMQL_STRING
#define VECTOR PROMQL_VECTOR
#define MATRIX PROMQL_MATRIX

#define ARG_COUNT(...) \
    ((int)(sizeof((enum promql_type[]){NONE, ##__VA_ARGS__}) / sizeof(enum promql_type)) - 1)

static const struct promql_function functions[] = {
#define FUNC(name, returns, variadic, experimental, ...) \
    {#name, FUNC_##name, returns, variadic, experimental, ARG_COUNT(__VA_ARGS__), {__VA_ARGS__}},
#include "tocsin/promql_func_table.h"
#undef FUNC
};

static int compare_name(const void *key, const void *item)
{
    return str_cmp(*(const struct str *)key, str_of(((const struct promql_function *)item)->name));
}

const struct promql_function *promql_function_find(struct str name)
{
    return bsearch(&name, functions, FUNC_COUNT, sizeof functions[0], compare_name);
}
