#include "tocsin/calendar.h"
#include "tocsin/gotext.h"

#include <limits.h>
#include <time.h>

static const int64_t NS = 1000000000;

static void put_digits(char *to, int count, int64_t number)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
}

/* By hand: notifications hold two times for each alert, and printf takes longer than all the rest of one. The years of 64 bits of ns have
 * four digits. */
static void put_second(struct buf *out, int64_t unix_s)
{
    struct civil t;
    char text[] = "0000-00-00T00:00:00";
    civil_of(unix_s, 0, 0, &t);
    put_digits(text, 4, t.year);
    put_digits(text + 5, 2, t.month);
    put_digits(text + 8, 2, t.day);
    put_digits(text + 11, 2, t.hour);
    put_digits(text + 14, 2, t.minute);
    put_digits(text + 17, 2, t.second);
    buf_add(out, text, sizeof text - 1);
}

void go_time_rfc3339(struct buf *out, int64_t unix_ns, int decimals)
{
    int64_t fraction = unix_ns % NS, seconds = unix_ns / NS;
    if (fraction < 0) {
        fraction += NS;
        seconds--;
    }
    put_second(out, seconds);
    char digits[10];
    for (int i = 8; i >= 0; i--, fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    size_t n = decimals < 0 ? 9 : decimals > 9 ? 9 : (size_t)decimals;
    while (decimals < 0 && n > 0 && digits[n - 1] == '0')
        n--;
    if (n > 0)
        buf_char(out, '.');
    buf_add(out, digits, n);
    buf_char(out, 'Z');
}

static bool take_char(struct str *s, const char *any)
{
    if (s->n == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool take_number(struct str *s, size_t digits, int low, int high, int *value)
{
    *value = 0;
    if (s->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    s->p += digits;
    s->n -= digits;
    return *value >= low && *value <= high;
}

static int days_in(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date_and_time(struct str *s, struct tm *t)
{
    int year, month, day;
    if (!take_number(s, 4, 0, 9999, &year) || !take_char(s, "-") || !take_number(s, 2, 1, 12, &month) ||
        !take_char(s, "-") || !take_number(s, 2, 1, days_in(month, year), &day) || !take_char(s, "T"))
        return false;
    *t = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return take_number(s, 2, 0, 23, &t->tm_hour) && take_char(s, ":") &&
           take_number(s, 2, 0, 59, &t->tm_min) && take_char(s, ":") && take_number(s, 2, 0, 59, &t->tm_sec);
}

static bool take_fraction(struct str *s, int64_t *ns)
{
    *ns = 0;
    if (!take_char(s, ".,"))
        return true;
    int64_t unit = NS / 10;
    size_t n = 0;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++, unit /= 10)
        *ns += unit * (s->p[n] - '0');
    s->p += n;
    s->n -= n;
    return n > 0;
}

static bool take_zone(struct str *s, int *seconds)
{
    *seconds = 0;
    if (take_char(s, "Z"))
        return true;
    bool west = s->n > 0 && s->p[0] == '-';
    int hours, minutes;
    if (!take_char(s, "+-") || !take_number(s, 2, 0, 23, &hours) || !take_char(s, ":") ||
        !take_number(s, 2, 0, 59, &minutes))
        return false;
    *seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

bool go_parse_rfc3339(struct str s, int64_t *unix_ns)
{
    struct tm t;
    int64_t fraction;
    int zone;
    if (!take_date_and_time(&s, &t) || !take_fraction(&s, &fraction) || !take_zone(&s, &zone) || s.n > 0)
        return false;
    int64_t days = days_of(t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
    int64_t seconds = days * 86400 + t.tm_hour * 3600 + t.tm_min * 60 + t.tm_sec - zone;
    if (__builtin_mul_overflow(seconds, NS, unix_ns) || __builtin_add_overflow(*unix_ns, fraction, unix_ns))
        *unix_ns = seconds < 0 ? INT64_MIN : INT64_MAX;
    return true;
}
