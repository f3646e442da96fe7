/* zone_priv: a zone in memory, and the rule for the years that its file does not list. */
#ifndef TOCSIN_ZONE_PRIV_H
#define TOCSIN_ZONE_PRIV_H

#include "tocsin/zone.h"

enum zone_day_kind { ZONE_DAY_MONTH, ZONE_DAY_JULIAN, ZONE_DAY_OF_YEAR };

/* When in a year clocks are changed: Mm.w.d, Jn (February 29 is never counted) or n, and the time of day. */
struct zone_change {
    enum zone_day_kind kind;
    int month, week, day;
    int32_t time_s;
};

/* The POSIX text at the end of a file: CET-1CEST,M3.5.0,M10.5.0/3. */
struct zone_rule {
    bool known, has_summer;
    struct zone_time standard, summer;
    struct zone_change begins, ends; /* of summer time */
};

struct zone {
    const int64_t *changes; /* in order: from then on ... */
    const uint8_t *kinds;   /* ... it is this one of the types */
    size_t change_count;
    const struct zone_time *types; /* at least one; the first holds before the first change */
    size_t type_count;
    struct zone_rule rule;
};

/* False: the text is no rule. Names stay in the text. */
bool zone_rule_parse(struct str text, struct zone_rule *rule);
struct zone_time zone_rule_at(const struct zone_rule *rule, int64_t unix_s);

#endif
