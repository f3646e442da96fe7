/* How much of what came in lately was bad, window by window, and the alerts on two windows at a time. */
#include "pyrra_priv.h"

#include <stdlib.h>

static struct str ratio_over(const struct pyrra_rules *r, struct str sum_by, int64_t range_ms)
{
    struct str errors = pyrra_sum(r, sum_by, "rate", &r->counted, range_ms),
               total = pyrra_sum(r, sum_by, "rate", &r->total, range_ms);
    return pyrra_format(r->arena, "%.*s / %.*s", STR_ARG(errors), STR_ARG(total));
}

/* (total - good) / total */
static struct str rest_over(const struct pyrra_rules *r, struct str total, struct str good)
{
    return pyrra_format(r->arena, "(%.*s - %.*s) / %.*s", STR_ARG(total), STR_ARG(good), STR_ARG(total));
}

static struct str error_ratio(const struct pyrra_rules *r, struct str sum_by, int64_t range_ms)
{
    switch (r->objective->kind) {
    case PYRRA_RATIO:
        return ratio_over(r, sum_by, range_ms);
    case PYRRA_LATENCY:
        return rest_over(r, pyrra_sum(r, sum_by, "rate", &r->total, range_ms),
                         pyrra_sum(r, sum_by, "rate", &r->counted, range_ms));
    case PYRRA_LATENCY_NATIVE: {
        struct str seconds = pyrra_number(r->arena, pyrra_seconds(r->objective), 'f'),
                   sum = pyrra_sum(r, sum_by, "rate", &r->total, range_ms);
        return pyrra_format(r->arena, "1 - histogram_fraction(0, %.*s, %.*s)", STR_ARG(seconds),
                            STR_ARG(sum));
    }
    case PYRRA_BOOL_GAUGE:
        break;
    }
    return rest_over(r, pyrra_sum(r, sum_by, "count_over_time", &r->total, range_ms),
                     pyrra_sum(r, sum_by, "sum_over_time", &r->total, range_ms));
}

static struct str burn_series(const struct pyrra_rules *r, int64_t range_ms)
{
    struct str name = pyrra_burn_name(r->objective->total.name), range = pyrra_duration(r->arena, range_ms);
    return pyrra_format(r->arena, "%.*s:burnrate%.*s", STR_ARG(name), STR_ARG(range));
}

static void add_ratios(const struct pyrra_rules *r, struct tree *rules, struct strict_pairs labels)
{
    int64_t ranges[PYRRA_RANGES_MAX];
    size_t count = pyrra_ranges(r->objective->window_ms, ranges);
    struct str sum_by = pyrra_sum_by(r->arena, r->grouping.items, r->grouping.count);
    for (size_t i = 0; i < count; i++)
        pyrra_record(r, rules, burn_series(r, ranges[i]), error_ratio(r, sum_by, ranges[i]), labels);
}

/* ---- alerts ---- */

/* What of the total's selector a recorded ratio still has: regular expressions only where they are grouped by. */
static struct pyrra_selector alert_selector(const struct pyrra_rules *r)
{
    const struct pyrra_selector *total = &r->objective->total;
    struct pyrra_selector out = {STR(""), NULL, 0};
    for (size_t i = 0; i < total->count; i++) {
        const struct matcher *m = &total->matchers[i];
        if (m->op == MATCH_EQUAL || m->op == MATCH_NOT_EQUAL || pyrra_names_has(&r->grouping, m->name))
            out = pyrra_with(r->arena, &out, *m);
    }
    return pyrra_with(r->arena, &out,
                      (struct matcher){.op = MATCH_EQUAL, .name = STR("slo"), .value = r->objective->name});
}

static struct str burns(const struct pyrra_rules *r, struct str selector, int64_t range_ms, int factor)
{
    struct str series = burn_series(r, range_ms), target = pyrra_number(r->arena, r->objective->target, 'f');
    return pyrra_format(r->arena, "%.*s%.*s > (%d * (1-%.*s))", STR_ARG(series), STR_ARG(selector), factor,
                        STR_ARG(target));
}

static void add_alert(const struct pyrra_rules *r, struct tree *rules, const struct pyrra_window *w,
                      struct str severity, struct strict_pairs of_rule)
{
    const struct pyrra_objective *o = r->objective;
    struct arena *a = r->arena;
    struct pyrra_selector selector = alert_selector(r);
    struct str text = pyrra_selector_print(a, &selector);
    struct str quick = burns(r, text, w->short_ms, w->factor), slow = burns(r, text, w->long_ms, w->factor);
    struct strict_pairs labels = slo_pairs_over(a, of_rule, (struct strict_pairs){NULL, 0});
    slo_pairs_put(a, &labels, STR("short"), pyrra_duration(a, w->short_ms));
    slo_pairs_put(a, &labels, STR("long"), pyrra_duration(a, w->long_ms));
    slo_pairs_put(a, &labels, STR("severity"), severity);
    slo_pairs_put(a, &labels, STR("exhaustion"),
                  pyrra_duration(a, pyrra_exhaustion_ms(o->window_ms, w->factor)));
    pyrra_alert(r, rules, o->alert_name, pyrra_format(a, "%.*s and %.*s", STR_ARG(quick), STR_ARG(slow)),
                o->kind == PYRRA_RATIO ? pyrra_go_duration(a, w->for_ms) : pyrra_duration(a, w->for_ms),
                labels, pyrra_annotations(a, o, r->options->external_url));
}

struct tree *pyrra_burn_rules(const struct pyrra_rules *r)
{
    struct pyrra_window windows[PYRRA_TIERS];
    struct tree *rules = tree_list(r->arena);
    struct strict_pairs labels = pyrra_labels(r->arena, r->objective, &r->grouping);
    pyrra_windows(r->objective->window_ms, windows);
    add_ratios(r, rules, labels);
    for (size_t i = 0; i < PYRRA_TIERS && r->objective->burn_alerts; i++)
        add_alert(r, rules, &windows[i], r->objective->severities[i], labels);
    return rules;
}
