/* What is summed up over the whole period, and alerts on metrics that are not there. */
#include "pyrra_priv.h"

enum { FIVE_MINUTES_MS = 5 * 60 * 1000 };

/* One recorded sum. */
struct sum {
    struct str prefix; /* of its name; the range follows */
    const char *function;
    struct pyrra_selector of;
    struct strict_pairs labels;
    bool beside_buckets; /* what it is computed from has the name of a series with le */
};

struct sums {
    struct sum items[2];
    size_t count;
    struct str sum_by;
};

/* ---- which ---- */

static struct str prefix_of(const struct pyrra_rules *r, struct str metric, const char *what)
{
    return pyrra_format(r->arena, "%.*s:%s", STR_ARG(metric), what);
}

static void add_grouped_matchers(const struct pyrra_rules *r, struct pyrra_names *names)
{
    const struct pyrra_objective *o = r->objective;
    for (size_t i = 0; i < o->counted.count; i++) {
        struct str name = o->counted.matchers[i].name;
        bool of_total = false;
        for (size_t j = 0; j < o->total.count; j++)
            of_total |= str_eq(o->total.matchers[j].name, name);
        if (!of_total && !str_is(name, "le"))
            pyrra_names_add(r->arena, names, name);
    }
    for (size_t i = 0; i < o->total.count; i++)
        if (o->total.matchers[i].op == MATCH_REGEX || o->total.matchers[i].op == MATCH_NOT_REGEX)
            pyrra_names_add(r->arena, names, o->total.matchers[i].name);
}

/* Pyrra counts the name of the gauge among what its selector asks for. */
static void add_all_matchers(const struct pyrra_rules *r, struct pyrra_names *names)
{
    pyrra_names_add(r->arena, names, STR("__name__"));
    for (size_t i = 0; i < r->objective->total.count; i++)
        pyrra_names_add(r->arena, names, r->objective->total.matchers[i].name);
}

static struct sums sums_of_counters(const struct pyrra_rules *r, struct strict_pairs labels)
{
    const struct pyrra_objective *o = r->objective;
    struct strict_pairs counted_labels = labels;
    if (o->kind == PYRRA_LATENCY) {
        counted_labels = (struct strict_pairs){NULL, 0};
        slo_pairs_put(r->arena, &counted_labels, STR("le"), o->le);
        counted_labels = slo_pairs_over(r->arena, counted_labels, labels);
    }
    struct sums sums = {.count = 2};
    sums.items[0] = (struct sum){prefix_of(r, pyrra_increase_name(o->total.name), "increase"), "increase",
                                 r->total, labels, o->kind == PYRRA_LATENCY};
    sums.items[1] = (struct sum){prefix_of(r, pyrra_increase_name(o->counted.name), "increase"), "increase",
                                 r->counted, counted_labels, false};
    if (o->kind == PYRRA_RATIO && str_eq(o->total.name, o->counted.name))
        sums.count = 1; /* the errors are among what is recorded of the total, by label */
    return sums;
}

static struct sums sums_of_gauge(const struct pyrra_rules *r, struct strict_pairs labels)
{
    struct sums sums = {.count = 2};
    sums.items[0] =
        (struct sum){prefix_of(r, r->total.name, "count"), "count_over_time", r->total, labels, false};
    sums.items[1] =
        (struct sum){prefix_of(r, r->total.name, "sum"), "sum_over_time", r->total, labels, false};
    return sums;
}

static struct sums sums_of(const struct pyrra_rules *r)
{
    bool gauge = r->objective->kind == PYRRA_BOOL_GAUGE;
    struct pyrra_names names = pyrra_grouping(r->arena, r->objective);
    if (gauge)
        add_all_matchers(r, &names);
    else
        add_grouped_matchers(r, &names);
    struct strict_pairs labels = pyrra_labels(r->arena, r->objective, &names);
    struct sums sums = gauge ? sums_of_gauge(r, labels) : sums_of_counters(r, labels);
    sums.sum_by = pyrra_sum_by(r->arena, names.items, names.count);
    return sums;
}

/* ---- rules ---- */

static struct str series_of(const struct pyrra_rules *r, const struct sum *sum, int64_t range_ms)
{
    struct str range = pyrra_duration(r->arena, range_ms);
    return pyrra_format(r->arena, "%.*s%.*s", STR_ARG(sum->prefix), STR_ARG(range));
}

/* Of what was recorded for five minutes at a time. */
static struct str sum_of_recorded(const struct pyrra_rules *r, const struct sum *sum, struct str sum_by)
{
    struct pyrra_selector of = pyrra_renamed(&sum->of, series_of(r, sum, FIVE_MINUTES_MS));
    if (sum->beside_buckets)
        of = pyrra_with(r->arena, &of,
                        (struct matcher){.op = MATCH_EQUAL, .name = STR("le"), .value = STR("")});
    struct str selector = pyrra_selector_print(r->arena, &of),
               period = pyrra_duration(r->arena, r->objective->window_ms);
    return pyrra_format(r->arena, "%.*s(sum_over_time(%.*s[%.*s:5m]))", STR_ARG(sum_by), STR_ARG(selector),
                        STR_ARG(period));
}

static void add_sum(const struct pyrra_rules *r, struct tree *rules, const struct sums *sums, size_t i,
                    enum pyrra_part part)
{
    const struct sum *sum = &sums->items[i];
    int64_t range_ms = part == PYRRA_SHORT ? FIVE_MINUTES_MS : r->objective->window_ms;
    struct str expr = part == PYRRA_LONG ? sum_of_recorded(r, sum, sums->sum_by)
                                         : pyrra_sum(r, sums->sum_by, sum->function, &sum->of, range_ms);
    pyrra_record(r, rules, series_of(r, sum, range_ms), expr, sum->labels);
}

static void add_absent(const struct pyrra_rules *r, struct tree *rules, const struct sum *sum,
                       enum pyrra_part part)
{
    const struct pyrra_objective *o = r->objective;
    struct strict_pairs labels = slo_pairs_over(r->arena, sum->labels, (struct strict_pairs){NULL, 0});
    struct str selector = pyrra_selector_print(r->arena, &sum->of);
    if (!o->absent_alerts || part == PYRRA_LONG)
        return;
    slo_pairs_put(r->arena, &labels, STR("severity"), o->absent_severity);
    pyrra_alert(r, rules, o->absent_name, pyrra_format(r->arena, "absent(%.*s) == 1", STR_ARG(selector)),
                pyrra_duration(r->arena, pyrra_absent_for_ms(o)), labels,
                pyrra_annotations(r->arena, o, STR("")));
}

static void add_sums(const struct pyrra_rules *r, struct tree *rules, enum pyrra_part part)
{
    struct sums sums = sums_of(r);
    bool ratio = r->objective->kind == PYRRA_RATIO;
    size_t watched = r->objective->kind == PYRRA_BOOL_GAUGE ? 1 : sums.count;
    for (size_t i = 0; i < sums.count; i++) {
        add_sum(r, rules, &sums, i, part);
        if (ratio)
            add_absent(r, rules, &sums.items[i], part);
    }
    for (size_t i = 0; i < watched && !ratio; i++)
        add_absent(r, rules, &sums.items[i], part);
}

/* Native histograms are summed up whole; Pyrra watches over none of them. */
static void add_native(const struct pyrra_rules *r, struct tree *rules)
{
    const struct pyrra_objective *o = r->objective;
    struct pyrra_names none = {0};
    struct strict_pairs labels = pyrra_labels(r->arena, o, &none);
    struct str sum_by = pyrra_sum_by(r->arena, o->grouping.items, o->grouping.count);
    struct str sum = pyrra_sum(r, sum_by, "increase", &r->total, o->window_ms);
    struct str period = pyrra_duration(r->arena, o->window_ms), metric = pyrra_increase_name(o->total.name);
    struct str name = pyrra_format(r->arena, "%.*s:increase%.*s", STR_ARG(metric), STR_ARG(period));
    struct str seconds = pyrra_number(r->arena, pyrra_seconds(o), 'f');
    pyrra_record(r, rules, name, pyrra_format(r->arena, "histogram_count(%.*s)", STR_ARG(sum)), labels);
    slo_pairs_put(r->arena, &labels, STR("le"), pyrra_number(r->arena, pyrra_seconds(o), 'g'));
    pyrra_record(r, rules, name,
                 pyrra_format(r->arena, "histogram_fraction(0, %.*s, %.*s) * histogram_count(%.*s)",
                              STR_ARG(seconds), STR_ARG(sum), STR_ARG(sum)),
                 labels);
}

struct tree *pyrra_increase_rules(const struct pyrra_rules *r, enum pyrra_part part)
{
    struct tree *rules = tree_list(r->arena);
    if (r->objective->kind != PYRRA_LATENCY_NATIVE)
        add_sums(r, rules, part);
    else if (part != PYRRA_SHORT)
        add_native(r, rules);
    return rules;
}
