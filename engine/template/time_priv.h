/*
 * time_priv: Go's time layouts ("Mon Jan 2 15:04:05 2006"), cut into their parts, for printing and for
 * reading.
 */
#ifndef TOCSIN_TEMPLATE_TIME_PRIV_H
#define TOCSIN_TEMPLATE_TIME_PRIV_H

#include "tocsin/calendar.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stdint.h>

enum chunk_kind {
    CHUNK_NONE, /* plain text up to the end */
    CHUNK_MONTH_LONG,
    CHUNK_MONTH,
    CHUNK_MONTH_NUMBER,
    CHUNK_MONTH_ZERO,
    CHUNK_WEEKDAY_LONG,
    CHUNK_WEEKDAY,
    CHUNK_DAY,
    CHUNK_DAY_BLANK,
    CHUNK_DAY_ZERO,
    CHUNK_YEAR_DAY_BLANK,
    CHUNK_YEAR_DAY_ZERO,
    CHUNK_HOUR,
    CHUNK_HOUR12,
    CHUNK_HOUR12_ZERO,
    CHUNK_MINUTE,
    CHUNK_MINUTE_ZERO,
    CHUNK_SECOND,
    CHUNK_SECOND_ZERO,
    CHUNK_YEAR,
    CHUNK_YEAR_SHORT,
    CHUNK_PM_UPPER,
    CHUNK_PM_LOWER,
    CHUNK_ZONE_NAME,
    CHUNK_OFFSET,        /* -0700 and its kin; Z07:00 prints Z for UTC */
    CHUNK_FRACTION_ZERO, /* .000 */
    CHUNK_FRACTION_NINE  /* .999: without trailing zeros */
};

struct chunk {
    enum chunk_kind kind;
    struct str before; /* plain text in front of it */
    struct str text;   /* as it stands in the layout */
};

/* Cuts the next chunk off *layout. */
struct chunk layout_next(struct str *layout);

extern const char *const month_names[12], *const weekday_names[7];

#endif
