#include "template_priv.h"
#include "time_priv.h"

#include "tocsin/gotext.h"

const char *const month_names[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char *const weekday_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

/* ---- layouts ---- */

struct word {
    const char *text;
    enum chunk_kind kind;
};

/* Longer ones first where one begins another. Mon and Jan count only before something that is no small
 * letter. */
static const struct word words[] = {
    {"January", CHUNK_MONTH_LONG},
    {"Jan", CHUNK_MONTH},
    {"Monday", CHUNK_WEEKDAY_LONG},
    {"Mon", CHUNK_WEEKDAY},
    {"MST", CHUNK_ZONE_NAME},
    {"002", CHUNK_YEAR_DAY_ZERO},
    {"01", CHUNK_MONTH_ZERO},
    {"02", CHUNK_DAY_ZERO},
    {"03", CHUNK_HOUR12_ZERO},
    {"04", CHUNK_MINUTE_ZERO},
    {"05", CHUNK_SECOND_ZERO},
    {"06", CHUNK_YEAR_SHORT},
    {"15", CHUNK_HOUR},
    {"1", CHUNK_MONTH_NUMBER},
    {"2006", CHUNK_YEAR},
    {"2", CHUNK_DAY},
    {"__2", CHUNK_YEAR_DAY_BLANK},
    {"_2", CHUNK_DAY_BLANK},
    {"3", CHUNK_HOUR12},
    {"4", CHUNK_MINUTE},
    {"5", CHUNK_SECOND},
    {"PM", CHUNK_PM_UPPER},
    {"pm", CHUNK_PM_LOWER},
    {"-07:00:00", CHUNK_OFFSET},
    {"-070000", CHUNK_OFFSET},
    {"-07:00", CHUNK_OFFSET},
    {"-0700", CHUNK_OFFSET},
    {"-07", CHUNK_OFFSET},
    {"Z07:00:00", CHUNK_OFFSET},
    {"Z070000", CHUNK_OFFSET},
    {"Z07:00", CHUNK_OFFSET},
    {"Z0700", CHUNK_OFFSET},
    {"Z07", CHUNK_OFFSET},
};

static bool is_small(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z';
}

static bool is_digit(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

/* .000 or ,999: one digit repeated, and no other digit behind. */
static size_t fraction_length(struct str s)
{
    if (s.n < 2 || (s.p[0] != '.' && s.p[0] != ',') || (s.p[1] != '0' && s.p[1] != '9'))
        return 0;
    size_t n = 1;
    while (n < s.n && s.p[n] == s.p[1])
        n++;
    return is_digit(s, n) ? 0 : n;
}

static const struct word *find_word(struct str s)
{
    if (s.n > 0 && s.p[0] == '_' && str_starts(s, STR("_2006")))
        return NULL; /* a blank line, then the year */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_starts(s, str_of(words[i].text)))
            continue;
        bool open = words[i].kind == CHUNK_MONTH || words[i].kind == CHUNK_WEEKDAY;
        if (!open || !is_small(s, 3))
            return &words[i];
    }
    return NULL;
}

struct chunk layout_next(struct str *layout)
{
    struct str s = *layout;
    for (size_t i = 0; i < s.n; i++) {
        struct str here = {s.p + i, s.n - i};
        struct chunk c = {.before = {s.p, i}};
        const struct word *w = find_word(here);
        size_t n = w != NULL ? strlen(w->text) : fraction_length(here);
        if (n == 0)
            continue;
        c.kind = w != NULL ? w->kind : here.p[1] == '0' ? CHUNK_FRACTION_ZERO : CHUNK_FRACTION_NINE;
        c.text = (struct str){here.p, n};
        *layout = (struct str){here.p + n, here.n - n};
        return c;
    }
    *layout = (struct str){s.p + s.n, 0};
    return (struct chunk){.kind = CHUNK_NONE, .before = s};
}

/* ---- printing ---- */

static void add_fraction(struct buf *out, const struct civil *c, const struct chunk *chunk)
{
    char digits[16];
    int32_t ns = c->ns;
    for (int i = 8; i >= 0; i--, ns /= 10)
        digits[i] = (char)('0' + ns % 10);
    size_t n = chunk->text.n - 1;
    size_t keep = n > 9 ? 9 : n;
    if (chunk->kind == CHUNK_FRACTION_NINE)
        while (keep > 0 && digits[keep - 1] == '0')
            keep--;
    if (keep == 0)
        return;
    buf_char(out, chunk->text.p[0]);
    buf_add(out, digits, keep);
    if (chunk->kind == CHUNK_FRACTION_ZERO)
        buf_repeat(out, '0', n - keep);
}

static void add_offset(struct buf *out, int32_t offset, struct str form)
{
    if (form.p[0] == 'Z' && offset == 0) {
        buf_char(out, 'Z');
        return;
    }
    bool colon = str_find_char(form, ':') < form.n;
    int32_t minutes = offset / 60, seconds = offset % 60;
    size_t digits = form.n - 1 - (colon ? (form.n > 6 ? 2 : 1) : 0);
    buf_char(out, minutes < 0 || seconds < 0 ? '-' : '+');
    minutes = minutes < 0 ? -minutes : minutes;
    buf_format(out, "%02d", minutes / 60);
    if (digits >= 4)
        buf_format(out, "%s%02d", colon ? ":" : "", minutes % 60);
    if (digits >= 6)
        buf_format(out, "%s%02d", colon ? ":" : "", seconds < 0 ? -seconds : seconds);
}

static void add_zone(struct buf *out, const struct tval *t)
{
    if (t->time.zone.n > 0)
        buf_str(out, t->time.zone);
    else
        add_offset(out, t->time.offset_s, STR("-0700"));
}

static void add_year(struct buf *out, int64_t year)
{
    buf_format(out, year < 0 ? "-%04lld" : "%04lld", (long long)(year < 0 ? -year : year));
}

static int hour12(const struct civil *c)
{
    return c->hour % 12 == 0 ? 12 : c->hour % 12;
}

static void add_chunk(struct buf *out, const struct tval *t, const struct civil *c, const struct chunk *chunk)
{
    switch (chunk->kind) {
    case CHUNK_MONTH_LONG:
        buf_puts(out, month_names[c->month - 1]);
        break;
    case CHUNK_MONTH:
        buf_add(out, month_names[c->month - 1], 3);
        break;
    case CHUNK_MONTH_NUMBER:
        buf_format(out, "%d", c->month);
        break;
    case CHUNK_MONTH_ZERO:
        buf_format(out, "%02d", c->month);
        break;
    case CHUNK_WEEKDAY_LONG:
        buf_puts(out, weekday_names[c->weekday]);
        break;
    case CHUNK_WEEKDAY:
        buf_add(out, weekday_names[c->weekday], 3);
        break;
    case CHUNK_DAY:
        buf_format(out, "%d", c->day);
        break;
    case CHUNK_DAY_BLANK:
        buf_format(out, "%2d", c->day);
        break;
    case CHUNK_DAY_ZERO:
        buf_format(out, "%02d", c->day);
        break;
    case CHUNK_YEAR_DAY_BLANK:
        buf_format(out, "%3d", c->year_day);
        break;
    case CHUNK_YEAR_DAY_ZERO:
        buf_format(out, "%03d", c->year_day);
        break;
    case CHUNK_HOUR:
        buf_format(out, "%02d", c->hour);
        break;
    case CHUNK_HOUR12:
        buf_format(out, "%d", hour12(c));
        break;
    case CHUNK_HOUR12_ZERO:
        buf_format(out, "%02d", hour12(c));
        break;
    case CHUNK_MINUTE:
        buf_format(out, "%d", c->minute);
        break;
    case CHUNK_MINUTE_ZERO:
        buf_format(out, "%02d", c->minute);
        break;
    case CHUNK_SECOND:
        buf_format(out, "%d", c->second);
        break;
    case CHUNK_SECOND_ZERO:
        buf_format(out, "%02d", c->second);
        break;
    case CHUNK_YEAR:
        add_year(out, c->year);
        break;
    case CHUNK_YEAR_SHORT:
        buf_format(out, "%02d", (int)(c->year % 100 < 0 ? -(c->year % 100) : c->year % 100));
        break;
    case CHUNK_PM_UPPER:
        buf_puts(out, c->hour >= 12 ? "PM" : "AM");
        break;
    case CHUNK_PM_LOWER:
        buf_puts(out, c->hour >= 12 ? "pm" : "am");
        break;
    case CHUNK_ZONE_NAME:
        add_zone(out, t);
        break;
    case CHUNK_OFFSET:
        add_offset(out, t->time.offset_s, chunk->text);
        break;
    case CHUNK_FRACTION_ZERO:
    case CHUNK_FRACTION_NINE:
        add_fraction(out, c, chunk);
        break;
    case CHUNK_NONE:
        break;
    }
}

void time_format(struct buf *out, const struct tval *t, struct str layout)
{
    struct civil c;
    civil_of(t->time.unix_s, t->time.ns, t->time.offset_s, &c);
    while (layout.n > 0) {
        struct chunk chunk = layout_next(&layout);
        buf_str(out, chunk.before);
        add_chunk(out, t, &c, &chunk);
    }
}

void time_print(struct buf *out, const struct tval *t)
{
    time_format(out, t, STR("2006-01-02 15:04:05.999999999 -0700 MST"));
}

void time_print_go(struct buf *out, const struct tval *t)
{
    struct civil c;
    civil_of(t->time.unix_s, t->time.ns, t->time.offset_s, &c);
    buf_format(out, "time.Date(%lld, time.%s, %d, %d, %d, %d, %d, ", (long long)c.year,
               month_names[c.month - 1], c.day, c.hour, c.minute, c.second, (int)c.ns);
    if (t->time.offset_s == 0 && str_is(t->time.zone, "UTC")) {
        buf_puts(out, "time.UTC)");
        return;
    }
    buf_puts(out, "time.Location(");
    go_quote(out, t->time.zone);
    buf_puts(out, "))");
}
