/*
 * zone: time zones of the IANA database, as the system keeps them (TZif, RFC 8536), daylight saving included.
 *
 * A zone is read once, whole, and never changes; times after its last listed change follow the rule at the file's end.
 * Drawback: a newer database is seen when the zone is read again.
 */
#ifndef TOCSIN_ZONE_H
#define TOCSIN_ZONE_H

#include "tocsin/arena.h"
#include "tocsin/world.h"

struct zone;

/* Reads a zone into the arena. No name and "UTC": UTC; "Local": the process' own ($TZ, else /etc/localtime).
 * ERR_NOT_FOUND: there is none of that name; ERR_PARSE: its file is none; ERR_LIMIT. */
int zone_load(struct world *world, struct arena *arena, struct str name, const struct zone **out,
              struct err *err);

/* The same from a file's content, which may go afterwards. */
int zone_parse(struct arena *arena, struct str file, const struct zone **out, struct err *err);

/* What clocks there show at a moment: seconds east of UTC, and what that time is called (CET, CEST). */
struct zone_time {
    int32_t offset_s;
    struct str name;
};
struct zone_time zone_at(const struct zone *zone, int64_t unix_s);

#endif
