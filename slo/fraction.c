/* Exact fractions, for what stands in files as decimals. */
#include "tocsin/objective.h"

#include <inttypes.h>

static __int128 greatest_divisor(__int128 a, __int128 b)
{
    a = a < 0 ? -a : a;
    while (b != 0) {
        __int128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static int reduce(__int128 numerator, __int128 denominator, struct fraction *out)
{
    if (denominator < 0) {
        numerator = -numerator;
        denominator = -denominator;
    }
    if (denominator == 0)
        return ERR_LIMIT;
    __int128 divisor = greatest_divisor(numerator, denominator);
    numerator /= divisor;
    denominator /= divisor;
    if (numerator > INT64_MAX || numerator < -INT64_MAX || denominator > INT64_MAX)
        return ERR_LIMIT;
    *out = (struct fraction){(int64_t)numerator, (int64_t)denominator};
    return 0;
}

int fraction_make(int64_t numerator, int64_t denominator, struct fraction *out)
{
    return reduce(numerator, denominator, out);
}

int fraction_multiply(struct fraction a, struct fraction b, struct fraction *out)
{
    return reduce((__int128)a.numerator * b.numerator, (__int128)a.denominator * b.denominator, out);
}

int fraction_subtract(struct fraction a, struct fraction b, struct fraction *out)
{
    __int128 left = (__int128)a.numerator * b.denominator, right = (__int128)b.numerator * a.denominator,
             difference;
    if (__builtin_sub_overflow(left, right, &difference))
        return ERR_LIMIT;
    return reduce(difference, (__int128)a.denominator * b.denominator, out);
}

double fraction_value(struct fraction f)
{
    return (double)f.numerator / (double)f.denominator;
}

/* ---- decimals ---- */

enum { DIGITS_MAX = 18 }; /* as many as 64 bits hold */

struct decimal {
    int64_t digits;
    int significant; /* without leading zeros */
    int scale;       /* value = digits * 10^-scale */
};

/* False at anything that is no digit and no single point, or if there are too many. */
static bool read_digits(struct str s, size_t *at, struct decimal *d)
{
    bool point = false, any = false;
    for (; *at < s.n && s.p[*at] != 'e' && s.p[*at] != 'E'; (*at)++) {
        char c = s.p[*at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || d->significant == DIGITS_MAX)
            return false;
        any = true;
        d->digits = d->digits * 10 + (c - '0');
        d->significant += d->digits > 0;
        d->scale += point;
    }
    return any && d->scale <= DIGITS_MAX;
}

static bool read_exponent(struct str s, size_t at, struct decimal *d)
{
    int exponent = 0;
    if (at == s.n)
        return true;
    bool negative = at + 1 < s.n && s.p[at + 1] == '-';
    size_t i = at + 1 + (at + 1 < s.n && (s.p[at + 1] == '-' || s.p[at + 1] == '+'));
    if (i == s.n || s.n - i > 2)
        return false;
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        exponent = exponent * 10 + (s.p[i] - '0');
    }
    d->scale += negative ? exponent : -exponent;
    return d->scale <= DIGITS_MAX && d->scale >= -DIGITS_MAX;
}

static int64_t power_of_ten(int n)
{
    int64_t power = 1;
    while (n-- > 0)
        power *= 10;
    return power;
}

int fraction_parse(struct str decimal, struct fraction *out, struct err *err)
{
    struct decimal d = {0};
    bool negative = decimal.n > 0 && decimal.p[0] == '-';
    size_t at = negative ? 1 : 0;
    struct fraction scale = {1, 1};
    if (!read_digits(decimal, &at, &d) || !read_exponent(decimal, at, &d))
        return err_set(err, ERR_PARSE, "\"%.*s\" is no decimal number of at most %d digits", STR_ARG(decimal),
                       DIGITS_MAX);
    fraction_make(d.scale < 0 ? power_of_ten(-d.scale) : 1, d.scale > 0 ? power_of_ten(d.scale) : 1, &scale);
    struct fraction whole = {negative ? -d.digits : d.digits, 1};
    if (fraction_multiply(whole, scale, out) != 0)
        return err_set(err, ERR_PARSE, "\"%.*s\" is too large a number", STR_ARG(decimal));
    return 0;
}
