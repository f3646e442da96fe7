/* amconfig_priv: what the parts of amconfig's reader share; it stands on strict.h. */
#ifndef TOCSIN_AMCONFIG_PRIV_H
#define TOCSIN_AMCONFIG_PRIV_H

#include "tocsin/am_globals.h"
#include "tocsin/amconfig.h"
#include "tocsin/strict_model.h"

struct route_draft;

struct interval_draft {
    struct am_interval interval;
    bool mute; /* from the deprecated list */
};

/* The whole reading; readers that need more than their target find it in strict.context. */
struct am_reader {
    struct strict strict;
    struct world *world;
    struct amconfig *config;
    struct str folder;
    struct am_globals globals;
    struct strict_texts globs; /* of templates, as written */
    const struct tree *top, *route;
    struct route_draft *root_draft;
    struct interval_draft *intervals;
    size_t interval_count, interval_capacity;
    size_t routes_seen;
};

/* Matchers in their three forms, appended to one list that am_matchers_sort then puts in order. */
struct am_matchers {
    struct matcher *items;
    size_t count, capacity;
};
strict_read am_matcher_list, am_match_map, am_match_re_map;
void am_matchers_sort(struct am_matchers *ms);
void am_matchers_release(struct matcher *items, size_t count);

/* Sections: each reads its part into the struct am_reader that is its target ... */
strict_read am_read_receivers, am_read_route, am_read_inhibit_rules;
strict_read am_read_time_intervals, am_read_mute_time_intervals;

/* ... and judges it once all of them have been read. */
void am_check_receivers(struct am_reader *r);
void am_check_root(struct am_reader *r);
void am_resolve_routes(struct am_reader *r);
void am_check_intervals(struct am_reader *r);
const struct am_interval *am_interval_find(const struct am_reader *r, struct str name); /* NULL: unknown */

/* Stops with ERR_LIMIT: "the configuration is too large". */
void am_too_large(struct am_reader *r, const char *what);

extern const char *const am_weekdays[7]; /* Sunday first, in small letters */
void am_print_intervals(struct buf *out, const struct am_reader *r, bool mute);

/* Fills config->original. */
void am_print_config(struct am_reader *r);

#endif
