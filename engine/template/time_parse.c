#include "template_priv.h"
#include "time_priv.h"

#include "tocsin/gotext.h"

/* A text being read along a layout. */
struct reader {
    struct str layout, text; /* whole, for errors */
    struct str rest;
    struct civil c;
    bool pm, pm_seen, utc;
    int32_t offset_s;
    bool has_offset;
    struct str zone;
    int32_t zone_offset_s; /* of the zone's name */
    int year_day;          /* this, c.month and c.day: -1 until they are read */
    const char *range;     /* what has been read but lies out of its range */
};

static int fail(const struct reader *r, struct str element, struct err *err)
{
    struct tval args[] = {tval_text(r->text), tval_text(r->layout), tval_text(r->rest), tval_text(element)};
    struct buf text;
    scratch_begin(&text);
    print_format(&text, STR("parsing time %q as %q: cannot parse %q as %q"), args, 4);
    err_set(err, ERR_EXEC, "%s", buf_text(&text));
    buf_release(&text);
    return ERR_EXEC;
}

static int fail_with(const struct reader *r, const char *what, struct err *err)
{
    struct buf quoted;
    scratch_begin(&quoted);
    go_quote(&quoted, r->text);
    err_set(err, ERR_EXEC, "parsing time %s: %s", buf_text(&quoted), what);
    buf_release(&quoted);
    return ERR_EXEC;
}

static void skip(struct reader *r, size_t n)
{
    r->rest = (struct str){r->rest.p + n, r->rest.n - n};
}

static bool digit_at(const struct reader *r, size_t i)
{
    return i < r->rest.n && r->rest.p[i] >= '0' && r->rest.p[i] <= '9';
}

/* least..most digits. */
static bool read_number(struct reader *r, size_t least, size_t most, int *value)
{
    size_t n = 0;
    *value = 0;
    for (; n < most && digit_at(r, n); n++)
        *value = *value * 10 + (r->rest.p[n] - '0');
    if (n < least)
        return false;
    skip(r, n);
    return true;
}

/* The same, of something that lies within bounds whatever the rest says. */
static bool read_within(struct reader *r, size_t least, int from, int to, const char *what, int *value)
{
    if (!read_number(r, least, 2, value))
        return false;
    if (*value < from || *value > to)
        r->range = what;
    return true;
}

static bool read_name(struct reader *r, const char *const *names, int count, bool shortened, int *which)
{
    for (int i = 0; i < count; i++) {
        struct str name = str_of(names[i]);
        name.n = shortened ? 3 : name.n;
        if (r->rest.n >= name.n && str_eq_nocase((struct str){r->rest.p, name.n}, name)) {
            skip(r, name.n);
            *which = i;
            return true;
        }
    }
    return false;
}

static bool read_month(struct reader *r, bool shortened)
{
    int which;
    bool ok = read_name(r, month_names, 12, shortened, &which);
    if (ok)
        r->c.month = which + 1;
    return ok;
}

static bool read_pm(struct reader *r, const char *am, const char *pm)
{
    bool is_pm = str_starts(r->rest, str_of(pm));
    if (!is_pm && !str_starts(r->rest, str_of(am)))
        return false;
    r->pm = is_pm;
    r->pm_seen = true;
    skip(r, 2);
    return true;
}

/* Go takes a sign for the first of the two digits. */
static bool read_year_short(struct reader *r)
{
    bool has_sign = r->rest.n > 0 && (r->rest.p[0] == '-' || r->rest.p[0] == '+');
    int sign = has_sign && r->rest.p[0] == '-' ? -1 : 1, year;
    size_t digits = has_sign ? 1 : 2;
    skip(r, has_sign);
    if (!read_number(r, digits, digits, &year))
        return false;
    year *= sign;
    r->c.year = year >= 69 ? year + 1900 : year + 2000;
    return true;
}

static bool read_year(struct reader *r)
{
    int year;
    if (!read_number(r, 4, 4, &year))
        return false;
    r->c.year = year;
    return true;
}

static bool read_fraction(struct reader *r, size_t digits)
{
    int32_t unit = 100000000;
    r->c.ns = 0;
    for (size_t i = 1; i <= digits; i++, unit /= 10) {
        if (!digit_at(r, i))
            return false;
        r->c.ns += (r->rest.p[i] - '0') * unit;
    }
    skip(r, digits + 1);
    return true;
}

static size_t count_fraction(const struct reader *r)
{
    if (r->rest.n < 2 || (r->rest.p[0] != '.' && r->rest.p[0] != ','))
        return 0;
    size_t n = 0;
    while (digit_at(r, n + 1))
        n++;
    return n;
}

/* Seconds may carry a fraction that the layout does not mention. */
static bool read_second(struct reader *r, size_t least, struct str layout_rest)
{
    if (!read_within(r, least, 0, 59, "second", &r->c.second))
        return false;
    if (r->range != NULL)
        return true;
    struct chunk after = layout_next(&layout_rest);
    bool expected =
        after.before.n == 0 && (after.kind == CHUNK_FRACTION_ZERO || after.kind == CHUNK_FRACTION_NINE);
    size_t digits = count_fraction(r);
    return expected || digits == 0 || read_fraction(r, digits);
}

static bool read_offset(struct reader *r, struct str form)
{
    if (form.p[0] == 'Z' && str_starts(r->rest, STR("Z"))) {
        skip(r, 1);
        r->utc = true;
        return true;
    }
    if (r->rest.n == 0)
        return false;
    char mark = r->rest.p[0];
    int sign = mark == '-' ? -1 : 1, part[3] = {0};
    skip(r, 1);
    bool colon = str_find_char(form, ':') < form.n;
    size_t parts = (form.n - 1 - (colon ? (form.n > 6 ? 2 : 1) : 0)) / 2;
    for (size_t i = 0; i < parts; i++) {
        if (i > 0 && colon) {
            if (!str_starts(r->rest, STR(":")))
                return false;
            skip(r, 1);
        }
        if (!read_number(r, 2, 2, &part[i]))
            return false;
    }
    r->offset_s = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    r->has_offset = true;
    r->range = part[2] > 60   ? "time zone offset second"
               : part[1] > 60 ? "time zone offset minute"
               : part[0] > 24 ? "time zone offset hour"
                              : NULL;
    return mark == '+' || mark == '-';
}

/* +3, -11: how long it is, or 0. */
static size_t signed_hours(struct str s, int *hours)
{
    size_t i = 1;
    int value = 0;
    if (s.n == 0 || (s.p[0] != '+' && s.p[0] != '-'))
        return 0;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        value = value > 23 ? value : value * 10 + s.p[i] - '0';
    *hours = s.p[0] == '-' ? -value : value;
    return i > 1 && value <= 23 ? i : 0;
}

/* How many capital letters of s are the name of a zone: three, four or five with a T at the end, and what breaks that rule. */
static size_t zone_letters(struct str s)
{
    size_t n = 0;
    if (str_starts(s, STR("ChST")) || str_starts(s, STR("MeST")) || str_starts(s, STR("WITA")))
        return 4;
    while (n < s.n && n < 6 && s.p[n] >= 'A' && s.p[n] <= 'Z')
        n++;
    return n == 3 || ((n == 4 || n == 5) && s.p[n - 1] == 'T') ? n : 0;
}

/* Only UTC, and GMT with hours, say what they mean. */
static bool read_zone(struct reader *r)
{
    int hours = 0;
    size_t n = 0;
    if (str_starts(r->rest, STR("UTC"))) {
        r->utc = true;
        skip(r, 3);
        return true;
    }
    if (r->rest.n < 3)
        return false;
    if (str_starts(r->rest, STR("GMT"))) {
        n = 3 + signed_hours((struct str){r->rest.p + 3, r->rest.n - 3}, &hours);
        r->zone_offset_s = n > 3 ? hours * 3600 : 0;
    } else {
        n = signed_hours(r->rest, &hours);
        n = n > 0 ? n : zone_letters(r->rest);
        r->zone_offset_s = 0;
    }
    r->zone = (struct str){r->rest.p, n};
    skip(r, n);
    return n > 0;
}

static void skip_blank(struct reader *r)
{
    if (str_starts(r->rest, STR(" ")))
        skip(r, 1);
}

static bool read_chunk(struct reader *r, const struct chunk *chunk, struct str layout_rest)
{
    int ignored;
    switch (chunk->kind) {
    case CHUNK_MONTH_LONG:
        return read_month(r, false);
    case CHUNK_MONTH:
        return read_month(r, true);
    case CHUNK_MONTH_NUMBER:
        return read_within(r, 1, 1, 12, "month", &r->c.month);
    case CHUNK_MONTH_ZERO:
        return read_within(r, 2, 1, 12, "month", &r->c.month);
    case CHUNK_WEEKDAY_LONG:
        return read_name(r, weekday_names, 7, false, &ignored);
    case CHUNK_WEEKDAY:
        return read_name(r, weekday_names, 7, true, &ignored);
    case CHUNK_DAY_BLANK:
        skip_blank(r);
        return read_number(r, 1, 2, &r->c.day);
    case CHUNK_DAY:
        return read_number(r, 1, 2, &r->c.day);
    case CHUNK_DAY_ZERO:
        return read_number(r, 2, 2, &r->c.day);
    case CHUNK_YEAR_DAY_BLANK:
        skip_blank(r);
        skip_blank(r);
        return read_number(r, 1, 3, &r->year_day);
    case CHUNK_YEAR_DAY_ZERO:
        return read_number(r, 3, 3, &r->year_day);
    case CHUNK_HOUR:
        return read_within(r, 1, 0, 23, "hour", &r->c.hour);
    case CHUNK_HOUR12:
        return read_within(r, 1, 0, 12, "hour", &r->c.hour);
    case CHUNK_HOUR12_ZERO:
        return read_within(r, 2, 0, 12, "hour", &r->c.hour);
    case CHUNK_MINUTE:
        return read_within(r, 1, 0, 59, "minute", &r->c.minute);
    case CHUNK_MINUTE_ZERO:
        return read_within(r, 2, 0, 59, "minute", &r->c.minute);
    case CHUNK_SECOND:
        return read_second(r, 1, layout_rest);
    case CHUNK_SECOND_ZERO:
        return read_second(r, 2, layout_rest);
    case CHUNK_YEAR:
        return read_year(r);
    case CHUNK_YEAR_SHORT:
        return read_year_short(r);
    case CHUNK_PM_UPPER:
        return read_pm(r, "AM", "PM");
    case CHUNK_PM_LOWER:
        return read_pm(r, "am", "pm");
    case CHUNK_ZONE_NAME:
        return read_zone(r);
    case CHUNK_OFFSET:
        return read_offset(r, chunk->text);
    case CHUNK_FRACTION_ZERO:
        return r->rest.n > 0 && (r->rest.p[0] == '.' || r->rest.p[0] == ',') &&
               read_fraction(r, chunk->text.n - 1);
    case CHUNK_FRACTION_NINE:
        return count_fraction(r) == 0 || read_fraction(r, count_fraction(r));
    default:
        return true;
    }
}

/* Layout text has to stand there as it is; a run of blanks matches any number of them. */
static bool read_plain(struct reader *r, struct str plain)
{
    for (size_t i = 0; i < plain.n; i++) {
        if (plain.p[i] == ' ') {
            if (r->rest.n > 0 && r->rest.p[0] != ' ')
                return false;
            while (i + 1 < plain.n && plain.p[i + 1] == ' ')
                i++;
            while (r->rest.n > 0 && r->rest.p[0] == ' ')
                skip(r, 1);
            continue;
        }
        if (r->rest.n == 0 || r->rest.p[0] != plain.p[i])
            return false;
        skip(r, 1);
    }
    return true;
}

/* Month and day from the day of the year, which must not say otherwise than those that were read. */
static const char *apply_year_day(struct reader *r)
{
    struct civil *c = &r->c, of_day;
    int leap = days_in_month(c->year, 2) == 29;
    if (r->year_day < 1 || r->year_day > 365 + leap)
        return "day-of-year out of range";
    civil_of((days_of(c->year, 1, 1) + r->year_day - 1) * 86400, 0, 0, &of_day);
    if (c->month >= 0 && c->month != of_day.month)
        return "day-of-year does not match month";
    if (c->day >= 0 && c->day != of_day.day)
        return "day-of-year does not match day";
    c->month = of_day.month;
    c->day = of_day.day;
    return NULL;
}

static const char *check_date(struct reader *r)
{
    const char *trouble = r->year_day >= 0 ? apply_year_day(r) : NULL;
    if (trouble != NULL)
        return trouble;
    if (r->c.month < 0)
        r->c.month = 1;
    if (r->c.day < 0)
        r->c.day = 1;
    return r->c.day < 1 || r->c.day > days_in_month(r->c.year, r->c.month) ? "day out of range" : NULL;
}

static struct tval make_time(const struct reader *r, int64_t s)
{
    if (r->utc || (!r->has_offset && r->zone.n == 0))
        return tval_time_zoned(s, r->c.ns, 0, STR("UTC"));
    if (!r->has_offset)
        return tval_time_zoned(s, r->c.ns, r->zone_offset_s, r->zone);
    bool is_utc = r->offset_s == 0 && r->zone.n == 0;
    return tval_time_zoned(s - r->offset_s, r->c.ns, r->offset_s, is_utc ? STR("UTC") : r->zone);
}

static int finish(struct reader *r, struct tval *out, struct err *err)
{
    const char *trouble = check_date(r);
    if (trouble != NULL)
        return fail_with(r, trouble, err);
    if (r->pm_seen && (r->pm ? r->c.hour < 12 : r->c.hour == 12))
        r->c.hour = r->pm ? r->c.hour + 12 : 0;
    int64_t days = days_of(r->c.year, r->c.month, r->c.day);
    *out = make_time(r, days * 86400 + r->c.hour * 3600 + r->c.minute * 60 + r->c.second);
    return 0;
}

static int fail_range(const struct reader *r, struct err *err)
{
    struct buf text;
    scratch_begin(&text);
    buf_format(&text, "%s out of range", r->range);
    int rc = fail_with(r, buf_text(&text), err);
    buf_release(&text);
    return rc;
}

/* Go reports a piece it cannot read, and then the whole text it had left. */
int time_parse(struct str layout, struct str text, struct tval *out, struct err *err)
{
    struct reader r = {
        .layout = layout, .text = text, .rest = text, .c = {.month = -1, .day = -1}, .year_day = -1};
    while (layout.n > 0) {
        struct chunk chunk = layout_next(&layout);
        if (!read_plain(&r, chunk.before))
            return fail(&r, chunk.before, err);
        if (chunk.kind == CHUNK_NONE)
            break;
        struct str at = r.rest;
        bool ok = read_chunk(&r, &chunk, layout);
        if (r.range != NULL)
            return fail_range(&r, err);
        if (!ok) {
            r.rest = at;
            return fail(&r, chunk.text, err);
        }
    }
    if (r.rest.n > 0) {
        struct buf extra;
        scratch_begin(&extra);
        buf_puts(&extra, "extra text: ");
        go_quote(&extra, r.rest);
        int rc = fail_with(&r, buf_text(&extra), err);
        buf_release(&extra);
        return rc;
    }
    return finish(&r, out, err);
}
