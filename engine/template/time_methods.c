#include "template_priv.h"
#include "time_priv.h"

#include "tocsin/duration.h"

#include <math.h>

/* Every method has the shape of tval_function; `M` writes its head. */
#define M(name)                                                                                        \
    static int name(struct template_run *run, const struct tval *args, size_t count, struct tval *out, \
                    struct err *err)
#define UNUSED(run, count, err) ((void)(run), (void)(count), (void)(err))

enum { NS_PER_S = 1000000000 };

/* ---- time.Month, time.Weekday ---- */

static void print_month(struct buf *out, const struct tval *v)
{
    if (v->integer >= 1 && v->integer <= 12)
        buf_puts(out, month_names[v->integer - 1]);
    else
        buf_format(out, "%%!Month(%lld)", (long long)v->integer);
}

static void print_weekday(struct buf *out, const struct tval *v)
{
    if (v->integer >= 0 && v->integer <= 6)
        buf_puts(out, weekday_names[v->integer]);
    else
        buf_format(out, "%%!Weekday(%lld)", (long long)v->integer);
}

M(call_string)
{
    UNUSED(run, count, err);
    struct buf text;
    scratch_begin(&text);
    tval_print(&text, &args[0]);
    return scratch_end(run, &text, out, err);
}

static const struct template_function name_methods[] = {{"String", call_string, ""}, {NULL, NULL, NULL}};
static const struct tval_type type_month = {
    .go_name = "time.Month", .methods = name_methods, .print = print_month};
static const struct tval_type type_weekday = {
    .go_name = "time.Weekday", .methods = name_methods, .print = print_weekday};

/* ---- time.Time ---- */

static struct civil civil_at(const struct tval *t)
{
    struct civil c;
    civil_of(t->time.unix_s, t->time.ns, t->time.offset_s, &c);
    return c;
}

static int time_order(const struct tval *a, const struct tval *b)
{
    if (a->time.unix_s != b->time.unix_s)
        return a->time.unix_s < b->time.unix_s ? -1 : 1;
    return (a->time.ns > b->time.ns) - (a->time.ns < b->time.ns);
}

/* Wraps around as Go's arithmetic does. */
static int64_t wrap_mul_add(int64_t a, int64_t factor, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)factor + (uint64_t)b);
}

static struct tval moved(const struct tval *t, int64_t ns)
{
    struct tval at = *t;
    int64_t rest = ns % NS_PER_S + t->time.ns, carry = rest < 0 ? -1 : rest >= NS_PER_S ? 1 : 0;
    at.time.unix_s += ns / NS_PER_S + carry;
    at.time.ns = (int32_t)(rest - carry * NS_PER_S);
    return at;
}

M(call_format)
{
    UNUSED(run, count, err);
    struct buf text;
    scratch_begin(&text);
    time_format(&text, &args[0], args[1].text);
    return scratch_end(run, &text, out, err);
}

M(call_unix)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_int64, args[0].time.unix_s);
    return 0;
}

M(call_unix_milli)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_int64, wrap_mul_add(args[0].time.unix_s, 1000, args[0].time.ns / 1000000));
    return 0;
}

M(call_unix_micro)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_int64, wrap_mul_add(args[0].time.unix_s, 1000000, args[0].time.ns / 1000));
    return 0;
}

M(call_unix_nano)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_int64, wrap_mul_add(args[0].time.unix_s, NS_PER_S, args[0].time.ns));
    return 0;
}

M(call_add)
{
    UNUSED(run, count, err);
    *out = moved(&args[0], args[1].integer);
    return 0;
}

/* As far as a duration reaches, some 292 years. */
M(call_sub)
{
    UNUSED(run, count, err);
    int64_t ns;
    int64_t s = args[0].time.unix_s - args[1].time.unix_s;
    if (__builtin_mul_overflow(s, (int64_t)NS_PER_S, &ns) ||
        __builtin_add_overflow(ns, (int64_t)args[0].time.ns - args[1].time.ns, &ns))
        ns = s < 0 ? INT64_MIN : INT64_MAX;
    *out = tval_duration(ns);
    return 0;
}

/* Years beyond this say nothing and would overflow the calendar's arithmetic. */
static bool in_calendar(int64_t v)
{
    return v > -10000000 && v < 10000000;
}

M(call_add_date)
{
    UNUSED(run, count, err);
    if (!in_calendar(args[1].integer) || !in_calendar(args[2].integer) || !in_calendar(args[3].integer))
        return err_set(err, ERR_EXEC, "date out of range");
    struct civil c = civil_at(&args[0]);
    int64_t months = (c.year + args[1].integer) * 12 + c.month - 1 + args[2].integer;
    int64_t year = months / 12 - (months % 12 < 0), month = (months % 12 + 12) % 12 + 1;
    int64_t before = days_of(c.year, c.month, c.day);
    int64_t after = days_of(year, (int)month, c.day) + args[3].integer;
    *out = args[0];
    out->time.unix_s += (after - before) * 86400;
    return 0;
}

M(call_before)
{
    UNUSED(run, count, err);
    *out = tval_bool(time_order(&args[0], &args[1]) < 0);
    return 0;
}

M(call_after)
{
    UNUSED(run, count, err);
    *out = tval_bool(time_order(&args[0], &args[1]) > 0);
    return 0;
}

M(call_equal)
{
    UNUSED(run, count, err);
    *out = tval_bool(time_order(&args[0], &args[1]) == 0);
    return 0;
}

M(call_compare)
{
    UNUSED(run, count, err);
    *out = tval_int(time_order(&args[0], &args[1]));
    return 0;
}

M(call_is_zero)
{
    UNUSED(run, count, err);
    *out = tval_bool(args[0].time.unix_s == -62135596800 && args[0].time.ns == 0);
    return 0;
}

M(call_utc)
{
    UNUSED(run, count, err);
    *out = tval_time_zoned(args[0].time.unix_s, args[0].time.ns, 0, STR("UTC"));
    return 0;
}

M(call_year)
{
    UNUSED(run, count, err);
    *out = tval_int(civil_at(&args[0]).year);
    return 0;
}

M(call_month)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_month, civil_at(&args[0]).month);
    return 0;
}

M(call_day)
{
    UNUSED(run, count, err);
    *out = tval_int(civil_at(&args[0]).day);
    return 0;
}

M(call_hour)
{
    UNUSED(run, count, err);
    *out = tval_int(civil_at(&args[0]).hour);
    return 0;
}

M(call_minute)
{
    UNUSED(run, count, err);
    *out = tval_int(civil_at(&args[0]).minute);
    return 0;
}

M(call_second)
{
    UNUSED(run, count, err);
    *out = tval_int(civil_at(&args[0]).second);
    return 0;
}

M(call_nanosecond)
{
    UNUSED(run, count, err);
    *out = tval_int(args[0].time.ns);
    return 0;
}

M(call_weekday)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_weekday, civil_at(&args[0]).weekday);
    return 0;
}

M(call_year_day)
{
    UNUSED(run, count, err);
    *out = tval_int(civil_at(&args[0]).year_day);
    return 0;
}

/* Time since Go's zero time, modulo the unit: what Truncate cuts off. */
static int64_t time_rest(const struct tval *t, int64_t unit)
{
    __int128 ns = ((__int128)t->time.unix_s + 62135596800) * NS_PER_S + t->time.ns;
    __int128 rest = ns % unit;
    return (int64_t)(rest < 0 ? rest + unit : rest);
}

M(call_truncate)
{
    UNUSED(run, count, err);
    *out = args[1].integer <= 0 ? args[0] : moved(&args[0], -time_rest(&args[0], args[1].integer));
    return 0;
}

M(call_round)
{
    UNUSED(run, count, err);
    *out = args[0];
    int64_t unit = args[1].integer;
    if (unit <= 0)
        return 0;
    int64_t rest = time_rest(&args[0], unit);
    *out = rest < unit - rest ? moved(&args[0], -rest) : moved(&args[0], unit - rest);
    return 0;
}

const struct template_function time_methods[] = {
    {"Add", call_add, "time.Duration"},
    {"AddDate", call_add_date, "int int int"},
    {"After", call_after, "time.Time"},
    {"Before", call_before, "time.Time"},
    {"Compare", call_compare, "time.Time"},
    {"Day", call_day, ""},
    {"Equal", call_equal, "time.Time"},
    {"Format", call_format, "string"},
    {"Hour", call_hour, ""},
    {"IsZero", call_is_zero, ""},
    {"Local", call_utc, ""},
    {"Minute", call_minute, ""},
    {"Month", call_month, ""},
    {"Nanosecond", call_nanosecond, ""},
    {"Round", call_round, "time.Duration"},
    {"Second", call_second, ""},
    {"String", call_string, ""},
    {"Sub", call_sub, "time.Time"},
    {"Truncate", call_truncate, "time.Duration"},
    {"UTC", call_utc, ""},
    {"Unix", call_unix, ""},
    {"UnixMicro", call_unix_micro, ""},
    {"UnixMilli", call_unix_milli, ""},
    {"UnixNano", call_unix_nano, ""},
    {"Weekday", call_weekday, ""},
    {"Year", call_year, ""},
    {"YearDay", call_year_day, ""},
    {NULL, NULL, NULL},
};

/* ---- time.Duration ---- */

/* Whole units and the rest apart, so that no digit is lost. */
static double in_units(int64_t ns, int64_t unit)
{
    return (double)(ns / unit) + (double)(ns % unit) / (double)unit;
}

M(call_seconds)
{
    UNUSED(run, count, err);
    *out = tval_float(in_units(args[0].integer, NS_PER_S));
    return 0;
}

M(call_minutes)
{
    UNUSED(run, count, err);
    *out = tval_float(in_units(args[0].integer, 60LL * NS_PER_S));
    return 0;
}

M(call_hours)
{
    UNUSED(run, count, err);
    *out = tval_float(in_units(args[0].integer, 3600LL * NS_PER_S));
    return 0;
}

M(call_milliseconds)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_int64, args[0].integer / 1000000);
    return 0;
}

M(call_microseconds)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_int64, args[0].integer / 1000);
    return 0;
}

M(call_nanoseconds)
{
    UNUSED(run, count, err);
    *out = value_int_of(&type_int64, args[0].integer);
    return 0;
}

M(call_abs)
{
    UNUSED(run, count, err);
    int64_t ns = args[0].integer;
    *out = tval_duration(ns == INT64_MIN ? INT64_MAX : ns < 0 ? -ns : ns);
    return 0;
}

M(call_duration_truncate)
{
    UNUSED(run, count, err);
    int64_t ns = args[0].integer, unit = args[1].integer;
    *out = tval_duration(unit <= 0 ? ns : ns - ns % unit);
    return 0;
}

/* Halves go away from zero; what would overflow stays at the end of the range. */
M(call_duration_round)
{
    UNUSED(run, count, err);
    int64_t ns = args[0].integer, unit = args[1].integer, rounded;
    *out = args[0];
    if (unit <= 0)
        return 0;
    int64_t rest = ns % unit, size = rest < 0 ? -rest : rest;
    if (size < unit - size)
        rounded = ns - rest;
    else if (__builtin_add_overflow(ns - rest, ns < 0 ? -unit : unit, &rounded))
        rounded = ns < 0 ? INT64_MIN : INT64_MAX;
    *out = tval_duration(rounded);
    return 0;
}

const struct template_function duration_methods[] = {
    {"Abs", call_abs, ""},
    {"Hours", call_hours, ""},
    {"Microseconds", call_microseconds, ""},
    {"Milliseconds", call_milliseconds, ""},
    {"Minutes", call_minutes, ""},
    {"Nanoseconds", call_nanoseconds, ""},
    {"Round", call_duration_round, "time.Duration"},
    {"Seconds", call_seconds, ""},
    {"String", call_string, ""},
    {"Truncate", call_duration_truncate, "time.Duration"},
    {NULL, NULL, NULL},
};
