/* Series that are named alike for all objectives, for dashboards. */
#include "pyrra_priv.h"

static struct matcher equals(struct str name, struct str value)
{
    return (struct matcher){.op = MATCH_EQUAL, .name = name, .value = value};
}

/* What is recorded of a selector over the period: PREFIX4w{..., slo="NAME"}; le: also that, unless NULL. */
static struct str recorded(const struct pyrra_rules *r, const struct pyrra_selector *of, struct str metric,
                           const char *what, const struct str *le)
{
    struct str period = pyrra_duration(r->arena, r->objective->window_ms);
    struct str name = pyrra_format(r->arena, "%.*s:%s%.*s", STR_ARG(metric), what, STR_ARG(period));
    struct pyrra_selector selector = pyrra_renamed(of, name);
    selector = pyrra_with(r->arena, &selector, equals(STR("slo"), r->objective->name));
    if (le != NULL)
        selector = pyrra_with(r->arena, &selector, equals(STR("le"), *le));
    return pyrra_selector_print(r->arena, &selector);
}

static struct str rate_of(const struct pyrra_rules *r, const struct pyrra_selector *of)
{
    enum { FIVE_MINUTES_MS = 5 * 60 * 1000 };
    return pyrra_sum(r, STR("sum"), "rate", of, FIVE_MINUTES_MS);
}

#define AVAILABILITY STR("pyrra_availability")
#define REQUESTS STR("pyrra_requests:rate5m")
#define ERRORS STR("pyrra_errors:rate5m")

static void add_ratio(const struct pyrra_rules *r, struct tree *rules, struct strict_pairs labels)
{
    struct str errors = recorded(r, &r->counted, pyrra_increase_name(r->counted.name), "increase", NULL),
               total = recorded(r, &r->total, pyrra_increase_name(r->total.name), "increase", NULL),
               error_rate = rate_of(r, &r->counted);
    pyrra_record(
        r, rules, AVAILABILITY,
        pyrra_format(r->arena, "1 - sum(%.*s or vector(0)) / sum(%.*s)", STR_ARG(errors), STR_ARG(total)),
        labels);
    pyrra_record(r, rules, REQUESTS, rate_of(r, &r->total), labels);
    pyrra_record(r, rules, ERRORS, pyrra_format(r->arena, "%.*s or vector(0)", STR_ARG(error_rate)), labels);
}

static void add_available(const struct pyrra_rules *r, struct tree *rules, struct strict_pairs labels,
                          struct str good, struct str total)
{
    pyrra_record(r, rules, AVAILABILITY,
                 pyrra_format(r->arena, "sum(%.*s or vector(0)) / sum(%.*s)", STR_ARG(good), STR_ARG(total)),
                 labels);
}

static void add_latency(const struct pyrra_rules *r, struct tree *rules, struct strict_pairs labels)
{
    struct str none = STR(""), total_rate = rate_of(r, &r->total), good_rate = rate_of(r, &r->counted);
    add_available(r, rules, labels,
                  recorded(r, &r->counted, pyrra_increase_name(r->counted.name), "increase", NULL),
                  recorded(r, &r->total, pyrra_increase_name(r->total.name), "increase", &none));
    pyrra_record(r, rules, REQUESTS, total_rate, labels);
    pyrra_record(r, rules, ERRORS,
                 pyrra_format(r->arena, "%.*s - %.*s", STR_ARG(total_rate), STR_ARG(good_rate)), labels);
}

static void add_native(const struct pyrra_rules *r, struct tree *rules, struct strict_pairs labels)
{
    struct str none = STR(""), seconds = pyrra_number(r->arena, pyrra_seconds(r->objective), 'g');
    struct str metric = pyrra_increase_name(r->total.name);
    add_available(r, rules, labels, recorded(r, &r->total, metric, "increase", &seconds),
                  recorded(r, &r->total, metric, "increase", &none));
}

/* Its "requests" are those of the whole period, and no rate; so Pyrra. */
static void add_gauge(const struct pyrra_rules *r, struct tree *rules, struct strict_pairs labels)
{
    struct str good = recorded(r, &r->total, r->total.name, "sum", NULL),
               total = recorded(r, &r->total, r->total.name, "count", NULL);
    pyrra_record(r, rules, AVAILABILITY,
                 pyrra_format(r->arena, "sum(%.*s) / sum(%.*s)", STR_ARG(good), STR_ARG(total)), labels);
    pyrra_record(r, rules, REQUESTS, pyrra_format(r->arena, "sum(%.*s)", STR_ARG(total)), labels);
    pyrra_record(r, rules, ERRORS,
                 pyrra_format(r->arena, "sum(%.*s) - sum(%.*s)", STR_ARG(total), STR_ARG(good)), labels);
}

static struct strict_pairs generic_labels(const struct pyrra_rules *r)
{
    const struct pyrra_objective *o = r->objective;
    struct strict_pairs labels = {NULL, 0};
    slo_pairs_put(r->arena, &labels, STR("slo"), o->name);
    labels = slo_pairs_over(r->arena, labels, o->rule_labels);
    if (o->description_as_label)
        slo_pairs_put(r->arena, &labels, STR("description"), o->description);
    return labels;
}

struct tree *pyrra_generic_rules(const struct pyrra_rules *r)
{
    enum { SECOND_MS = 1000 };
    static void (*const add[])(const struct pyrra_rules *, struct tree *, struct strict_pairs) = {
        [PYRRA_RATIO] = add_ratio,
        [PYRRA_LATENCY] = add_latency,
        [PYRRA_LATENCY_NATIVE] = add_native,
        [PYRRA_BOOL_GAUGE] = add_gauge,
    };
    const struct pyrra_objective *o = r->objective;
    struct tree *rules = tree_list(r->arena);
    struct strict_pairs labels = generic_labels(r);
    if (o->grouping.count > 0 && o->kind != PYRRA_LATENCY_NATIVE)
        return rules;
    pyrra_record(r, rules, STR("pyrra_objective"), pyrra_number(r->arena, o->target, 'f'), labels);
    pyrra_record(r, rules, STR("pyrra_window"),
                 str_of(arena_format(r->arena, "%lld", (long long)(o->window_ms / SECOND_MS))), labels);
    add[o->kind](r, rules, labels);
    return rules;
}
