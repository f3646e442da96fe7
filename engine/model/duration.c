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

static int refuse_unit(struct err *err, struct str unit, struct str text)
{
    struct buf quoted;
    buf_init(&quoted, ERROR_TEXT_BYTES);
    go_quote(&quoted, unit);
    buf_puts(&quoted, " in duration ");
    go_quote(&quoted, text);
    err_set(err, ERR_PARSE, "unknown unit %s", buf_text(&quoted));
    buf_release(&quoted);
    return ERR_PARSE;
}

/* Cuts what is no digit off the front of *text. */
static struct str take_unit(struct str *text)
{
    struct str unit = {text->p, 0};
    while (unit.n < text->n && !is_digit(text->p[unit.n]))
        unit.n++;
    text->p += unit.n;
    text->n -= unit.n;
    return unit;
}

/* Place in the table; UNITS: there is none. */
static int find_unit(struct str name)
{
    int i = 0;
    while (i < UNITS && !str_is(name, units[i].name))
        i++;
    return i;
}

/* Cuts digits off the front of *text. False if there are none, or more than 64 bits hold. */
static bool take_number(struct str *text, uint64_t *v)
{
    *v = 0;
    bool any = false;
    for (; text->n > 0 && is_digit(text->p[0]); text->p++, text->n--) {
        any = true;
        if (__builtin_mul_overflow(*v, 10u, v) || __builtin_add_overflow(*v, (uint64_t)(text->p[0] - '0'), v))
            return false;
    }
    return any;
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
        uint64_t n;
        if (!take_number(&rest, &n) || rest.n == 0)
            return refuse(err, text);
        struct str name = take_unit(&rest);
        int unit = find_unit(name);
        if (unit == UNITS)
            return refuse_unit(err, name, text);
        if (unit < from)
            return refuse(err, text);
        from = unit + 1;
        fits = fits && n <= (uint64_t)((MS_MAX - sum) / units[unit].ms);
        sum += fits ? (int64_t)n * units[unit].ms : 0;
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
