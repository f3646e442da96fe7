#include "tocsin/duration.h"

#include <stdbool.h>

enum { ERROR_TEXT_BYTES = 512 };

static const struct unit {
    const char *name;
    uint64_t ns;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xC2\xB5s", 1000}, /* micro sign */
    {"\xCE\xBCs", 1000}, /* Greek mu */
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", UINT64_C(60) * 1000000000},
    {"h", UINT64_C(3600) * 1000000000},
};

enum { UNITS = sizeof units / sizeof units[0] };

static const uint64_t NS_MAX = UINT64_C(1) << 63; /* the magnitude of the lowest int64 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The time package's own quoting: every byte outside printable ASCII as \xHH. */
static void quote(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' || c >= 0x80)
            buf_format(out, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            buf_format(out, "\\%c", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static int refuse(struct err *err, struct str text, const char *what, struct str unit)
{
    struct buf b;
    buf_init(&b, ERROR_TEXT_BYTES);
    buf_format(&b, "time: %s", what);
    if (unit.n > 0) {
        quote(&b, unit);
        buf_puts(&b, " in duration");
    }
    buf_char(&b, ' ');
    quote(&b, text);
    err_set(err, ERR_PARSE, "%s", buf_text(&b));
    buf_release(&b);
    return ERR_PARSE;
}

/* One "12.5" of a duration: whole + fraction / scale. */
struct amount {
    uint64_t whole, fraction;
    double scale;
    bool digits;
};

static bool take_amount(struct str *s, struct amount *a)
{
    *a = (struct amount){.scale = 1};
    for (; s->n > 0 && is_digit(s->p[0]); s->p++, s->n--) {
        if (a->whole > NS_MAX / 10)
            return false;
        a->whole = a->whole * 10 + (uint64_t)(s->p[0] - '0');
        if (a->whole > NS_MAX)
            return false;
        a->digits = true;
    }
    if (s->n == 0 || s->p[0] != '.')
        return true;
    s->p++;
    s->n--;
    bool full = false; /* digits beyond what an int64 holds change nothing any more */
    for (; s->n > 0 && is_digit(s->p[0]); s->p++, s->n--) {
        a->digits = true;
        full = full || a->fraction > (NS_MAX - 10) / 10;
        if (full)
            continue;
        a->fraction = a->fraction * 10 + (uint64_t)(s->p[0] - '0');
        a->scale *= 10;
    }
    return true;
}

static struct str take_unit(struct str *s)
{
    size_t n = 0;
    while (n < s->n && s->p[n] != '.' && !is_digit(s->p[n]))
        n++;
    struct str unit = {s->p, n};
    s->p += n;
    s->n -= n;
    return unit;
}

static uint64_t unit_ns(struct str name)
{
    for (int i = 0; i < UNITS; i++)
        if (str_is(name, units[i].name))
            return units[i].ns;
    return 0;
}

static bool add_amount(uint64_t *sum, const struct amount *a, uint64_t unit)
{
    uint64_t ns;
    if (__builtin_mul_overflow(a->whole, unit, &ns) || ns > NS_MAX)
        return false;
    if (a->fraction > 0)
        ns += (uint64_t)((double)a->fraction * ((double)unit / a->scale));
    *sum += ns; /* both are at most 2^63 */
    return ns <= NS_MAX && *sum <= NS_MAX && *sum >= ns;
}

static int parse_sum(struct str text, struct str rest, uint64_t *sum, struct err *err)
{
    const struct str none = {NULL, 0};
    while (rest.n > 0) {
        struct amount a;
        if (!take_amount(&rest, &a) || !a.digits)
            return refuse(err, text, "invalid duration", none);
        struct str unit = take_unit(&rest);
        if (unit.n == 0)
            return refuse(err, text, "missing unit in duration", none);
        uint64_t ns = unit_ns(unit);
        if (ns == 0)
            return refuse(err, text, "unknown unit ", unit);
        if (!add_amount(sum, &a, ns))
            return refuse(err, text, "invalid duration", none);
    }
    return 0;
}

int go_duration_parse(struct str text, int64_t *ns, struct err *err)
{
    struct str rest = text;
    bool negative = rest.n > 0 && rest.p[0] == '-';
    if (rest.n > 0 && (rest.p[0] == '-' || rest.p[0] == '+')) {
        rest.p++;
        rest.n--;
    }
    if (str_is(rest, "0")) {
        *ns = 0;
        return 0;
    }
    if (rest.n == 0)
        return refuse(err, text, "invalid duration", rest);
    uint64_t sum = 0;
    int rc = parse_sum(text, rest, &sum, err);
    if (rc != 0)
        return rc;
    if (!negative && sum == NS_MAX)
        return refuse(err, text, "invalid duration", (struct str){NULL, 0});
    *ns = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return 0;
}

/* whole.fraction without trailing zeros, where one whole is `unit` ns (a power of ten). */
static void print_decimal(struct buf *out, uint64_t ns, uint64_t unit)
{
    buf_format(out, "%llu", (unsigned long long)(ns / unit));
    uint64_t left = ns % unit;
    if (left > 0)
        buf_char(out, '.');
    while (left > 0) {
        unit /= 10;
        buf_char(out, (char)('0' + left / unit));
        left %= unit;
    }
}

void go_duration_print(struct buf *out, int64_t ns)
{
    const uint64_t second = 1000000000;
    uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        buf_char(out, '-');
    if (left > 0 && left < second) {
        uint64_t unit = left < 1000 ? 1 : left < 1000000 ? 1000 : 1000000;
        print_decimal(out, left, unit);
        buf_puts(out, unit == 1 ? "ns" : unit == 1000 ? "\xC2\xB5s" : "ms");
        return;
    }
    uint64_t minutes = left / second / 60;
    if (minutes >= 60)
        buf_format(out, "%lluh", (unsigned long long)(minutes / 60));
    if (minutes > 0)
        buf_format(out, "%llum", (unsigned long long)(minutes % 60));
    print_decimal(out, left % (60 * second), second);
    buf_char(out, 's');
}
