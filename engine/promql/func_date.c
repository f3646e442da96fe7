#include "call_priv.h"

#include <math.h>

/* A day of the proleptic Gregorian calendar, from days since 1970-01-01. Years begin in March inside, so
 * that the leap day comes last. */
struct date {
    int64_t year;
    int month, day; /* 1.. */
    int64_t days;   /* since 1970-01-01 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b < 0);
}

static struct date date_of_days(int64_t days)
{
    int64_t shifted = days + 719468; /* since 0000-03-01 */
    int64_t era = floor_div(shifted, 146097);
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (int)((5 * day_of_year + 2) / 153);
    struct date d = {.days = days};
    d.day = (int)(day_of_year - (153 * month + 2) / 5) + 1;
    d.month = month < 10 ? month + 3 : month - 9;
    d.year = year_of_era + era * 400 + (d.month <= 2);
    return d;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Seconds since the epoch; false for what is no time at all. */
static bool seconds_of(double v, int64_t *seconds)
{
    if (!(fabs(v) < 1e17))
        return false;
    *seconds = (int64_t)v;
    return true;
}

static bool date_of(double v, struct date *d)
{
    int64_t seconds;
    if (!seconds_of(v, &seconds))
        return false;
    *d = date_of_days(floor_div(seconds, 86400));
    return true;
}

double date_minute(double v)
{
    int64_t s;
    return seconds_of(v, &s) ? (double)((s - floor_div(s, 3600) * 3600) / 60) : NAN;
}

double date_hour(double v)
{
    int64_t s;
    return seconds_of(v, &s) ? (double)((s - floor_div(s, 86400) * 86400) / 3600) : NAN;
}

/* 1970-01-01 was a Thursday; Sunday is 0. */
double date_day_of_week(double v)
{
    struct date d;
    return date_of(v, &d) ? (double)(d.days + 4 - floor_div(d.days + 4, 7) * 7) : NAN;
}

double date_day_of_month(double v)
{
    struct date d;
    return date_of(v, &d) ? (double)d.day : (double)NAN;
}

double date_day_of_year(double v)
{
    struct date d;
    if (!date_of(v, &d))
        return NAN;
    int day = d.day;
    for (int month = 1; month < d.month; month++)
        day += days_in(d.year, month);
    return day;
}

double date_days_in_month(double v)
{
    struct date d;
    return date_of(v, &d) ? (double)days_in(d.year, d.month) : (double)NAN;
}

double date_month(double v)
{
    struct date d;
    return date_of(v, &d) ? (double)d.month : (double)NAN;
}

double date_year(double v)
{
    struct date d;
    return date_of(v, &d) ? (double)d.year : NAN;
}
