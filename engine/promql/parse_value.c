#include "promql_parse_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"

#include <math.h>
#include <stdlib.h>

bool parse_string(struct parser *p, struct token t, struct str *out)
{
    struct buf value;
    buf_init(&value, t.text.n + 1);
    bool sound = go_unquote(t.text, &value) && !buf_overflow(&value);
    *out = str_copy(p->arena, buf_slice(&value));
    buf_release(&value);
    if (!sound)
        return parse_fail(p, t.start, "error unquoting string %.*s", STR_ARG(t.text));
    return out->p != NULL || parse_limit(p, "expression needs more memory than allowed");
}

static bool parse_float(struct parser *p, struct token t, double *out)
{
    char *digits = arena_alloc(p->arena, t.text.n + 1);
    if (digits == NULL)
        return parse_limit(p, "expression needs more memory than allowed");
    size_t n = 0;
    for (size_t i = 0; i < t.text.n; i++) /* the lexer lets '_' stand only between digits or, wrongly, last */
        if (t.text.p[i] != '_' || i + 1 == t.text.n)
            digits[n++] = t.text.p[i];
    if (go_parse_float((struct str){digits, n}, out))
        return true;
    char *end;
    bool huge = isinf(strtod(digits, &end)) && *end == '\0';
    const char *why = huge ? "value out of range" : "invalid syntax";
    return parse_fail(p, t.start, "error parsing number: strconv.ParseFloat: parsing \"%.*s\": %s",
                      STR_ARG(t.text), why);
}

/* Whole seconds and the rest apart, as Go adds them up. */
static double seconds_of_ms(int64_t ms)
{
    return (double)(ms / 1000) + (double)(ms % 1000 * 1000000) / 1e9;
}

bool parse_number(struct parser *p, struct token t, double *out)
{
    int64_t whole;
    if (t.kind == TOKEN_DURATION) {
        struct err why = {0};
        if (duration_parse(t.text, &whole, &why) != 0)
            return parse_fail(p, t.start, "%s", why.text);
        *out = seconds_of_ms(whole);
        return true;
    }
    if (go_parse_int(t.text, &whole)) {
        *out = (double)whole;
        return true;
    }
    return parse_float(p, t, out);
}
