#include "promql_lex_priv.h"

/* What counts as a number is wider than what has a value: "1e" and "0x_" are refused only when they are read, with
 * another message. Durations are tried when the number fails, from where it failed. */

static bool next_is(const struct lexer *l, const char *set)
{
    int c = lex_peek(l, 0);
    return c > 0 && strchr(set, c) != NULL;
}

static bool take_one(struct lexer *l, const char *set)
{
    if (!next_is(l, set))
        return false;
    l->pos++;
    return true;
}

static bool next_is_word(const struct lexer *l)
{
    return lex_is_letter(lex_peek(l, 0)) || lex_is_digit(lex_peek(l, 0));
}

struct number_shape {
    const char *digits;
    bool hex, dot, exponent;
};

/* One '.', 'e' or '_' and what must not follow it. False: the number ends here, with an error unless it is a
 * duration. */
static bool take_mark(struct lexer *l, struct number_shape *shape)
{
    if (take_one(l, ".")) {
        bool again = shape->dot;
        shape->dot = true;
        return !again && !take_one(l, "_.") && !shape->hex;
    }
    if (take_one(l, "eE")) {
        bool again = shape->exponent;
        shape->exponent = true;
        if (again)
            return false;
        take_one(l, "+-");
    } else {
        l->pos++;
    }
    return !take_one(l, "._eE") && lex_peek(l, 0) >= 0;
}

static struct number_shape take_prefix(struct lexer *l)
{
    struct number_shape shape = {.digits = "0123456789"};
    if (take_one(l, "0") && take_one(l, "xX")) {
        take_one(l, "_");
        shape.digits = "0123456789abcdefABCDEF";
        shape.hex = true;
    }
    return shape;
}

static bool scan_number(struct lexer *l)
{
    struct number_shape shape = take_prefix(l);
    take_one(l, ".");
    take_one(l, shape.digits);
    while (next_is(l, "._eE") || next_is(l, shape.digits)) {
        if (next_is(l, "._eE") && !take_mark(l, &shape))
            return false;
        while (next_is(l, shape.digits)) /* an e among hex digits is a digit */
            l->pos++;
    }
    return !next_is_word(l);
}

/* From the first unit on; years can only come first. */
static bool scan_duration(struct lexer *l)
{
    for (const char *units = "smhdwy";; units = "smhdw") {
        if (!take_one(l, units))
            return false;
        take_one(l, "s");
        if (!lex_is_digit(lex_peek(l, 0)))
            break;
        while (lex_is_digit(lex_peek(l, 0)))
            l->pos++;
    }
    if (!next_is_word(l))
        return true;
    l->pos++;
    return false;
}

struct token lex_number(struct lexer *l)
{
    size_t start = l->pos;
    if (scan_number(l))
        return lex_emit(l, start, TOKEN_NUMBER);
    if (scan_duration(l))
        return lex_emit(l, start, TOKEN_DURATION);
    return lex_fail(l, start, "bad number or duration syntax: \"%.*s\"", (int)(l->pos - start),
                    l->text.p + start);
}
