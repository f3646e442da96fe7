/*
 * pagetest: a timetable of pages on the simulated clock (`tocsin test page`).
 *
 *   routes                                     # alertmanager.yml, indented, up to `end`
 *     route: {receiver: pager, group_wait: 1s}
 *     receivers: [{name: pager, webhook_configs: [{url: "http://pager/"}]}]
 *   end
 *   routes at 10m                              # from then on, as after a reload
 *     ...
 *   end
 *   rules every 30s                            # a rule file; optional. `data_wait 2m` after it: the rules go by data
 *     groups: ...
 *   end
 *   objectives every 30s                       # a file of objectives; optional, with or instead of rules, and with their settings
 *     version: tocsin/v1
 *   end
 *   series every 30s                           # samples from 0s on, in the series notation of rule unit tests; `late 90s`:
 *                                              # each comes that much after its time
 *     http_requests_total{code="500"} 0+1x100
 *   end
 *   at 1s post A{severity="page"}              # an alert from outside; `resolve` ends it
 *   contracts off                              # the router does as Alertmanager does; else both contracts of router.h hold
 *   at 3s silence quiet {severity="page"} for 2h   # under a name of the script's own; or `until resolved` ...
 *   at 1h expire quiet                         # ... by which it is ended
 *   at 3s answer pager 503                     # from now on; 0: no connection
 *   at 3s trail pager A{severity="page"} says waits for group_wait   # its verdict, what was decided or what comes next has these
 *                                              # words; as it was before anything else of that time
 *   at 4s restart                              # what router and rules hold in memory is lost; logs, alert states, samples stay
 *   between 2s and 2.5s pager firing           # one page; its alerts on the following indented lines
 *     firing A{severity="page"}
 *   until 30m                                  # and no other page until then
 *
 * Times count from the start of the clock, 2026-01-01T00:00:00Z. Each expected page is one case, and so is "no other page".
 */
#ifndef TOCSIN_PAGETEST_PRIV_H
#define TOCSIN_PAGETEST_PRIV_H

#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/promql_parse.h"
#include "tocsin/router.h"
#include "tocsin/sample.h"
#include "tocsin/world.h"

#define PAGETEST_START_NS (INT64_C(1767225600) * NS_PER_S)

struct page_alert {
    bool firing;
    const struct labels *labels;
};

struct page_expectation {
    int line;
    int64_t from_ns, to_ns; /* from the start of the clock, both included */
    struct str receiver;
    bool firing;
    struct page_alert *alerts; /* none: any */
    size_t alert_count;
    bool met;
};

enum page_action_kind {
    ACTION_POST,
    ACTION_RESOLVE,
    ACTION_ANSWER,
    ACTION_RESTART,
    ACTION_SILENCE,
    ACTION_EXPIRE,
    ACTION_RELOAD,
    ACTION_TRAIL
};

struct page_action {
    enum page_action_kind kind;
    int64_t at_ns;
    int line;
    const struct labels *labels; /* post, resolve, trail */
    struct str receiver;         /* answer, trail */
    int status;
    struct str name;                /* silence, expire */
    const struct matcher *matchers; /* silence; without their compiled expressions */
    size_t matcher_count;
    int64_t length_ns;
    bool until_resolved; /* silence */
    struct str routes; /* reload */
    struct str words;  /* trail */
};

struct page_series {
    const struct labels *labels;
    const struct sample *samples;
    size_t count, sent;
    int64_t late_ms; /* how long each sample is on its way */
};

struct page_script {
    struct arena arena;
    struct str routes, rules, objectives;
    struct router_contracts contracts;
    struct promql_features features;         /* of the rules; page_script_parse sets the default */
    int64_t rules_interval_ms, data_wait_ms; /* 0: rules go by the clock */
    struct page_series *series;
    size_t series_count, series_capacity;
    struct page_action *actions; /* in order of time */
    size_t action_count, action_capacity;
    struct page_expectation *expectations;
    size_t expectation_count, expectation_capacity;
    int64_t until_ns;
};

/* Reads a script; error positions are its lines. The caller releases script->arena in any case. */
int page_script_parse(struct page_script *script, struct str text, struct err *err);

struct page_report {
    uint64_t passed, failed;
    struct buf *detail; /* `FILE:LINE: what differed`, a line each */
};

/* Plays a script. 0 even when cases fail; a code if it cannot be played (bad routes, bad rules). */
int page_script_play(struct page_script *script, const char *path, struct page_report *report,
                     struct err *err);

#endif
