#include "tocsin/calendar.h"
#include "zone_priv.h"

/* ---- reading ---- */

static bool take(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static bool take_number(struct str *s, int low, int high, int *value)
{
    size_t n = 0;
    *value = 0;
    while (n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9')
        *value = *value * 10 + s->p[n++] - '0';
    *s = (struct str){s->p + n, s->n - n};
    return n > 0 && *value >= low && *value <= high;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* CET, or <+0330>. */
static bool take_name(struct str *s, struct str *name)
{
    bool quoted = take(s, '<');
    size_t n = 0;
    while (n < s->n && (quoted ? s->p[n] != '>' : is_letter(s->p[n])))
        n++;
    *name = (struct str){s->p, n};
    *s = (struct str){s->p + n, s->n - n};
    return n > 0 && (!quoted || take(s, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct str *s, int hours_max, int32_t *seconds)
{
    bool negative = take(s, '-');
    int hours, minutes = 0, rest = 0;
    if (!negative)
        take(s, '+');
    if (!take_number(s, 0, hours_max, &hours))
        return false;
    if (take(s, ':') && !take_number(s, 0, 59, &minutes))
        return false;
    if (take(s, ':') && !take_number(s, 0, 59, &rest))
        return false;
    *seconds = (negative ? -1 : 1) * (hours * 3600 + minutes * 60 + rest);
    return true;
}

static bool take_day(struct str *s, struct zone_change *change)
{
    if (take(s, 'M')) {
        change->kind = ZONE_DAY_MONTH;
        return take_number(s, 1, 12, &change->month) && take(s, '.') && take_number(s, 1, 5, &change->week) &&
               take(s, '.') && take_number(s, 0, 6, &change->day);
    }
    bool julian = take(s, 'J');
    change->kind = julian ? ZONE_DAY_JULIAN : ZONE_DAY_OF_YEAR;
    return take_number(s, julian ? 1 : 0, 365, &change->day);
}

static bool take_change(struct str *s, struct zone_change *change)
{
    change->time_s = 2 * 3600;
    return take(s, ',') && take_day(s, change) && (!take(s, '/') || take_time(s, 167, &change->time_s));
}

/* What a POSIX text calls an offset counts to the west. */
static bool take_offset(struct str *s, int32_t *offset_s)
{
    int32_t west_s;
    if (!take_time(s, 24, &west_s))
        return false;
    *offset_s = -west_s;
    return true;
}

bool zone_rule_parse(struct str text, struct zone_rule *rule)
{
    *rule = (struct zone_rule){.known = true};
    if (!take_name(&text, &rule->standard.name) || !take_offset(&text, &rule->standard.offset_s))
        return false;
    if (text.n == 0)
        return true;
    rule->has_summer = true;
    if (!take_name(&text, &rule->summer.name))
        return false;
    rule->summer.offset_s = rule->standard.offset_s + 3600;
    if (text.n > 0 && text.p[0] != ',' && !take_offset(&text, &rule->summer.offset_s))
        return false;
    return take_change(&text, &rule->begins) && take_change(&text, &rule->ends) && text.n == 0;
}

/* ---- using ---- */

/* The week'th such weekday of the month; the fifth is the last. */
static int64_t month_day(const struct zone_change *change, int64_t year)
{
    int64_t first = days_of(year, change->month, 1);
    int64_t weekday = ((first % 7) + 11) % 7;
    int64_t day = (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
    while (day >= days_in_month(year, change->month))
        day -= 7;
    return first + day;
}

static int64_t day_of(const struct zone_change *change, int64_t year)
{
    int64_t first = days_of(year, 1, 1);
    if (change->kind == ZONE_DAY_MONTH)
        return month_day(change, year);
    if (change->kind == ZONE_DAY_OF_YEAR)
        return first + change->day;
    bool behind_leap_day = change->day > 59 && days_in_month(year, 2) == 29;
    return first + change->day - 1 + behind_leap_day;
}

static int64_t moment_of(const struct zone_change *change, int64_t year, int32_t offset_s)
{
    return day_of(change, year) * 86400 + change->time_s - offset_s;
}

struct zone_time zone_rule_at(const struct zone_rule *rule, int64_t unix_s)
{
    struct civil c;
    if (!rule->has_summer)
        return rule->standard;
    civil_of(unix_s, 0, rule->standard.offset_s, &c);
    int64_t begins = moment_of(&rule->begins, c.year, rule->standard.offset_s);
    int64_t ends = moment_of(&rule->ends, c.year, rule->summer.offset_s);
    bool summer = begins < ends ? unix_s >= begins && unix_s < ends : unix_s >= begins || unix_s < ends;
    return summer ? rule->summer : rule->standard;
}
