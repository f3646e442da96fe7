#include "tocsin/calendar.h"

/* Years counted from March make the leap day the last of its year. */
int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int days_in_month(int64_t year, int month)
{
    int64_t next_year = month == 12 ? year + 1 : year;
    return (int)(days_of(next_year, month % 12 + 1, 1) - days_of(year, month, 1));
}

static void set_date(struct civil *c, int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    c->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    c->month = (int)(month < 10 ? month + 3 : month - 9);
    c->year = year + era * 400 + (c->month <= 2);
}

void civil_of(int64_t unix_s, int32_t ns, int32_t offset_s, struct civil *c)
{
    int64_t local = unix_s + offset_s;
    int64_t days = local / 86400, second = local % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    *c = (struct civil){.ns = ns};
    set_date(c, days);
    c->hour = (int)(second / 3600);
    c->minute = (int)(second / 60 % 60);
    c->second = (int)(second % 60);
    c->weekday = (int)(((days % 7) + 11) % 7);
    c->year_day = (int)(days - days_of(c->year, 1, 1)) + 1;
}
