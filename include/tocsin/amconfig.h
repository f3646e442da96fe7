/*
 * amconfig: alertmanager.yml, read strictly, with Alertmanager 0.34's messages and defaults.
 *
 * What is valid but not built (tracing, templates in route labels) is refused by name with
 * ERR_UNSUPPORTED: a page that would silently not go out is the worst answer. Alertmanager's own complaints about the
 * rest of the file come first. Source: Alertmanager 0.34.
 *
 * Invariants: everything lives in the configuration's own arena and never changes once it is loaded, so threads may
 * read it freely. Route timers, receiver, grouping and labels are inherited already.
 *
 * Differences from Alertmanager, on purpose: redirects are followed only as courier.h says (a page with credentials must not wander); a
 * key given twice is told in the YAML reader's words, and alone.
 */
#ifndef TOCSIN_AMCONFIG_H
#define TOCSIN_AMCONFIG_H

#include "tocsin/arena.h"
#include "tocsin/integration.h"
#include "tocsin/matcher.h"
#include "tocsin/template.h"
#include "tocsin/world.h"
#include "tocsin/zone.h"

#include <stdbool.h>

/* A named time interval: any of its specs. All that a spec gives must hold, each list through any of its ranges; a list that is given and
 * empty never holds, one that is not given always. */
struct am_range {
    int64_t begin, end;
};

struct am_ranges {
    const struct am_range *items;
    size_t count;
    bool given;
};

struct am_time_spec {
    struct am_ranges minutes;  /* of the day; the end is outside */
    struct am_ranges weekdays; /* 0: Sunday */
    struct am_ranges days;     /* of the month; negative ones count from its end */
    struct am_ranges months, years;
    const struct zone *zone; /* whose clock and calendar are meant */
    struct str location;     /* its name, as given */
};

struct am_interval {
    struct str name;
    const struct am_time_spec *specs;
    size_t spec_count;
};

struct am_intervals {
    const struct am_interval **items;
    size_t count;
};

/* How many of its specs hold at that time; 0: the interval does not. */
size_t am_interval_holds(const struct am_interval *interval, int64_t unix_s);

struct am_receiver {
    struct str name;
    const struct labels *labels; /* with name */
    struct integrations integrations;
};

struct am_route {
    const struct am_receiver *receiver;
    struct str *group_by;
    size_t group_by_count;
    bool group_by_all; /* ['...'] */
    int64_t group_wait_ms, group_interval_ms, repeat_interval_ms;
    bool go_on;               /* continue */
    struct matcher *matchers; /* sorted as Alertmanager sorts them */
    size_t matcher_count;
    const struct labels *labels;      /* routeLabels of its notifications */
    struct am_intervals mute, active; /* not inherited */
    struct str key;                   /* {}/{team="db"} */
    size_t index;                     /* in depth-first order; tells routes with equal keys apart */
    struct am_route *routes;
    size_t route_count;
};

struct am_inhibit_rule {
    struct str name;
    struct matcher *sources, *targets;
    size_t source_count, target_count;
    struct str *equal;
    size_t equal_count;
};

struct amconfig {
    struct arena arena;
    struct am_route root;
    struct am_receiver *receivers;
    size_t receiver_count;
    struct am_inhibit_rule *inhibit_rules;
    size_t inhibit_count;
    struct str *template_globs; /* relative ones already joined to the file's folder */
    size_t template_count;
    struct template_set *templates; /* Alertmanager's defaults, and what the globs hold */
    int64_t resolve_timeout_ms;
    uint64_t hash;       /* of its text, as Alertmanager tells it */
    struct str original; /* the configuration printed again, without secrets (/api/v2/status) */
};

/* Reads a file, or a text (folder: where its relative paths start). NULL config on failure. */
int amconfig_load(struct world *world, const char *path, struct amconfig **out, struct err *err);
int amconfig_parse(struct world *world, struct str text, struct str folder, struct amconfig **out,
                   struct err *err);
void amconfig_free(struct amconfig *config);

/* One matcher as routes and API filters write it; both of Alertmanager's grammars with the fallback rule (Alertmanager 0.34).
 * Texts are copied into the arena, the regex is the caller's to release. */
int am_matcher_parse(struct arena *arena, struct str text, struct matcher *out, struct err *err);

/* A list, with or without braces. */
int am_matchers_parse(struct arena *arena, struct str text, struct matcher **out, size_t *count,
                      struct err *err);

/* name="value" as Alertmanager prints it in keys and in the API (Alertmanager 0.34). */
void am_matcher_print(struct buf *out, const struct matcher *m);

#endif
