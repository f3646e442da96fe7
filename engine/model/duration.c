#include "tocsin/duration.h"

#include "tocsin/gotext.h"

#include <stdbool.h>

enum { ERROR_TEXT_BYTES = 512 };

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {
    {"y", INT64_C(365) * 86400000},
    {"w", 7 * 86400000},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

enum { UNITS = sizeof units / sizeof units[0] };

static const int64_t MS_MAX = INT64_MAX / 1000000; /* Go counts nanoseconds */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int refuse(struct err *err, struct str text)
{
    struct buf quoted;
    buf_init(&quoted, ERROR_TEXT_BYTES);
    go_quote(&quoted, text);
    err_set(err, ERR_PARSE, "not a valid duration string: %s", buf_text(&quoted));
    buf_release(&quoted);
    return ERR_PARSE;
}

/* Reads the unit at *text that stands at `from` or later in the table; -1: none does. */
static int take_unit(struct str *text, int from)
{
    size_t n = 0;
    while (n < text->n && !is_digit(text->p[n]))
        n++;
    for (int i = from; i < UNITS; i++) {
        if (!str_is((struct str){text->p, n}, units[i].name))
            continue;
        text->p += n;
        text->n -= n;
        return i;
    }
    return -1;
}

/* Reads digits; a number too large for any unit is -1, which the caller reports once the grammar is checked.
 */
static int64_t take_number(struct str *text)
{
    int64_t v = 0;
    for (; text->n > 0 && is_digit(text->p[0]); text->p++, text->n--)
        if (v >= 0)
            v = v > MS_MAX / 10 ? -1 : v * 10 + (text->p[0] - '0');
    return v;
}

int duration_parse(struct str text, int64_t *ms, struct err *err)
{
    if (text.n == 0)
        return err_set(err, ERR_PARSE, "empty duration string");
    if (str_is(text, "0")) {
        *ms = 0;
        return 0;
    }
    struct str rest = text;
    int64_t sum = 0;
    bool fits = true;
    for (int from = 0; rest.n > 0;) {
        if (!is_digit(rest.p[0]))
            return refuse(err, text);
        int64_t n = take_number(&rest);
        int unit = take_unit(&rest, from);
        if (unit < 0)
            return refuse(err, text);
        from = unit + 1;
        fits = fits && n >= 0 && n <= (MS_MAX - sum) / units[unit].ms;
        sum += fits ? n * units[unit].ms : 0;
    }
    if (!fits)
        return err_set(err, ERR_PARSE, "duration out of range");
    *ms = sum;
    return 0;
}

void duration_print(struct buf *out, int64_t ms)
{
    if (ms == 0) {
        buf_puts(out, "0s");
        return;
    }
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    if (ms < 0)
        buf_char(out, '-');
    for (int i = 0; i < UNITS; i++) {
        uint64_t unit = (uint64_t)units[i].ms;
        bool must_divide = unit >= 7 * 86400000u; /* 366d is not 1y1d */
        if (left < unit || (must_divide && left % unit != 0))
            continue;
        buf_format(out, "%llu%s", (unsigned long long)(left / unit), units[i].name);
        left %= unit;
    }
}
