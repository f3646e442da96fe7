#include "tocsin/gotext.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A finite number as 0.DIGITS * 10^point. */
struct decimal {
    char digits[24];
    int count;
    int point;
};

static void trim(struct decimal *d)
{
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
}

/* The nearest decimal of `count` digits. */
static void round_to(struct decimal *d, double v, int count)
{
    char text[40];
    snprintf(text, sizeof text, "%.*e", count - 1, v);
    d->count = 0;
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p != '.')
            d->digits[d->count++] = *p;
    d->point = atoi(p + 1) + 1;
    trim(d);
}

static double value_of(const struct decimal *d)
{
    char text[40];
    snprintf(text, sizeof text, "0.%.*se%d", d->count, d->digits, d->point);
    return strtod(text, NULL);
}

/* Below a power of two doubles lie closer than above it, so the digits that read back may be one step above
 * the nearest ones. */
static bool next_up_reads_back(struct decimal *d, double v, int count)
{
    int exponent;
    if (frexp(v, &exponent) != 0.5)
        return false;
    while (d->count < count)
        d->digits[d->count++] = '0';
    if (d->digits[count - 1] == '9')
        return false; /* a carry would have given fewer digits, and those were tried */
    d->digits[d->count - 1]++;
    return value_of(d) == v;
}

/* Any decimal of up to DBL_DIG digits survives a normal double, so the search starts there. */
static void shortest(struct decimal *d, double v)
{
    enum { DIGITS_MAX = 17 };
    for (int count = v < DBL_MIN ? 1 : DBL_DIG; count < DIGITS_MAX; count++) {
        round_to(d, v, count);
        if (value_of(d) == v)
            return;
        if (next_up_reads_back(d, v, count))
            return;
    }
    round_to(d, v, DIGITS_MAX);
}

static void shortest_of_integer(struct decimal *d, uint64_t v)
{
    d->count = snprintf(d->digits, sizeof d->digits, "%llu", (unsigned long long)v);
    d->point = d->count;
    trim(d);
}

static void print_plain(struct buf *out, const struct decimal *d)
{
    if (d->point <= 0) {
        buf_puts(out, "0.");
        buf_repeat(out, '0', (size_t)-d->point);
        buf_add(out, d->digits, (size_t)d->count);
        return;
    }
    int whole = d->point < d->count ? d->point : d->count;
    buf_add(out, d->digits, (size_t)whole);
    buf_repeat(out, '0', (size_t)(d->point - whole));
    if (whole < d->count) {
        buf_char(out, '.');
        buf_add(out, d->digits + whole, (size_t)(d->count - whole));
    }
}

static void print_exponent(struct buf *out, const struct decimal *d, char e)
{
    buf_char(out, d->digits[0]);
    if (d->count > 1) {
        buf_char(out, '.');
        buf_add(out, d->digits + 1, (size_t)d->count - 1);
    }
    int exponent = d->point - 1;
    buf_format(out, "%c%c%02d", e, exponent < 0 ? '-' : '+', abs(exponent));
}

static void print_shortest(struct buf *out, double v, char form)
{
    struct decimal d = {.digits = "0", .count = 1, .point = 1};
    double size = fabs(v);
    if (signbit(v))
        buf_char(out, '-');
    if (size >= 1 && size < 9007199254740992.0 && size == floor(size))
        shortest_of_integer(&d, (uint64_t)size);
    else if (size > 0)
        shortest(&d, size);
    bool general = form == 'g' || form == 'G';
    int exponent = d.point - 1;
    if (form == 'f' || (general && exponent >= -4 && exponent < 6))
        print_plain(out, &d);
    else
        print_exponent(out, &d, form == 'E' || form == 'G' ? 'E' : 'e');
}

static bool print_special(struct buf *out, double v)
{
    if (isnan(v))
        buf_puts(out, "NaN");
    else if (isinf(v))
        buf_puts(out, v > 0 ? "+Inf" : "-Inf");
    return !isfinite(v);
}

void go_float(struct buf *out, double v, char form, int precision)
{
    if (print_special(out, v))
        return;
    if (precision < 0) {
        print_shortest(out, v, form);
        return;
    }
    const char format[] = {'%', '.', '*', form, '\0'};
    char small[64];
    int n = snprintf(small, sizeof small, format, precision, v);
    if (n < (int)sizeof small) {
        buf_add(out, small, (size_t)n);
        return;
    }
    char *to = buf_reserve(out, (size_t)n);
    if (to == NULL)
        return;
    snprintf(to, (size_t)n + 1, format, precision, v);
    buf_commit(out, (size_t)n);
}

void go_float_json(struct buf *out, double v)
{
    double size = fabs(v);
    bool tiny = size != 0 && size < 1e-6;
    go_float(out, v, tiny || size >= 1e21 ? 'e' : 'f', -1);
}
