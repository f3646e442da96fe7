/*
 * calendar: the Gregorian calendar, in both directions, for any year that 64 bits can count.
 */
#ifndef TOCSIN_CALENDAR_H
#define TOCSIN_CALENDAR_H

#include <stdint.h>

/* One moment, taken apart in its zone. */
struct civil {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second;
    int32_t ns;
    int weekday;  /* 0: Sunday */
    int year_day; /* from 1 */
};

/* offset_s: seconds east of UTC (zone.h). */
void civil_of(int64_t unix_s, int32_t ns, int32_t offset_s, struct civil *c);

/* Days since 1970-01-01; day may lie outside the month. */
int64_t days_of(int64_t year, int month, int day);
int days_in_month(int64_t year, int month);

#endif
