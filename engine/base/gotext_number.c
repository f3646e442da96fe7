#include "gotext_priv.h"
#include "tocsin/gotext.h"
#include "tocsin/mem.h"

#include <math.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
}

static bool has_sign(struct str s)
{
    return s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
}

static struct str skip(struct str s, size_t n)
{
    return (struct str){s.p + n, s.n - n};
}

static bool is_prefix(struct str s)
{
    return s.n >= 2 && s.p[0] == '0' && strchr("xXoObB", s.p[1]) != NULL && s.p[1] != '\0';
}

bool underscores_fit(struct str s)
{
    s = skip(s, has_sign(s));
    bool after_digit = false, hex = false;
    if (is_prefix(s)) {
        hex = (s.p[1] | 0x20) == 'x';
        s = skip(s, 2);
        after_digit = true;
    }
    for (size_t i = 0; i < s.n; i++) {
        bool digit = is_digit(s.p[i]) || (hex && digit_value(s.p[i]) < 16);
        if (s.p[i] == '_') {
            bool before_digit =
                i + 1 < s.n && (is_digit(s.p[i + 1]) || (hex && digit_value(s.p[i + 1]) < 16));
            if (!after_digit || !before_digit)
                return false;
        }
        after_digit = digit;
    }
    return true;
}

static bool parse_special(struct str s, double *v)
{
    if (str_eq_nocase(s, STR("nan"))) {
        *v = NAN;
        return true;
    }
    bool negative = s.n > 0 && s.p[0] == '-';
    s = skip(s, has_sign(s));
    if (!str_eq_nocase(s, STR("inf")) && !str_eq_nocase(s, STR("infinity")))
        return false;
    *v = negative ? -INFINITY : INFINITY;
    return true;
}

static size_t count_digits(struct str *s, int base)
{
    size_t n = 0;
    for (; s->n > 0 && (digit_value(s->p[0]) < base || s->p[0] == '_'); *s = skip(*s, 1))
        n += s->p[0] != '_';
    return n;
}

/* sign, digits with at most one point, exponent: decimal or hex (which must have its exponent). */
static bool is_float(struct str s)
{
    s = skip(s, has_sign(s));
    int base = s.n >= 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x' ? 16 : 10;
    s = skip(s, base == 16 ? 2 : 0);
    size_t mantissa = count_digits(&s, base);
    if (s.n > 0 && s.p[0] == '.') {
        s = skip(s, 1);
        mantissa += count_digits(&s, base);
    }
    if (mantissa == 0)
        return false;
    if (s.n == 0)
        return base == 10;
    if ((s.p[0] | 0x20) != (base == 16 ? 'p' : 'e'))
        return false;
    s = skip(s, 1);
    s = skip(s, has_sign(s));
    return s.n > 0 && is_digit(s.p[0]) && count_digits(&s, 10) > 0 && s.n == 0;
}

bool go_parse_float(struct str s, double *v)
{
    if (parse_special(s, v))
        return true;
    if (!is_float(s) || !underscores_fit(s))
        return false;
    char small[64];
    char *clean = s.n < sizeof small ? small : mem_new(s.n + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            clean[n++] = s.p[i];
    clean[n] = '\0';
    *v = strtod(clean, NULL);
    if (clean != small)
        mem_free(clean);
    return isfinite(*v);
}

static struct str take_base(struct str s, int *base)
{
    *base = 10;
    if (!is_prefix(s)) {
        bool octal = s.n > 1 && s.p[0] == '0';
        *base = octal ? 8 : 10;
        return skip(s, octal);
    }
    char c = (char)(s.p[1] | 0x20);
    *base = c == 'x' ? 16 : c == 'o' ? 8 : 2;
    return skip(s, 2);
}

bool go_parse_int(struct str s, int64_t *v)
{
    if (!underscores_fit(s))
        return false;
    bool negative = s.n > 0 && s.p[0] == '-';
    int base;
    s = take_base(skip(s, has_sign(s)), &base);
    int64_t sum = 0; /* built downwards, since INT64_MIN has no positive twin */
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '_')
            continue;
        int digit = digit_value(s.p[i]);
        if (digit >= base || __builtin_mul_overflow(sum, base, &sum) ||
            __builtin_sub_overflow(sum, digit, &sum))
            return false;
    }
    if (s.n == 0 || (!negative && sum == INT64_MIN))
        return false;
    *v = negative ? sum : -sum;
    return true;
}
