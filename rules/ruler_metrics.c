#include "ruler_priv.h"

#include "tocsin/mem.h"
#include "tocsin/stat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABEL_MAX_BYTES = 16 << 10, QUANTILES_MAX = 5 };

/* One group as /metrics shows it, copied out of the locks. */
struct shown {
    char *label; /* rule_group="file;group" */
    struct group_figures figures;
    double interval_s;
    size_t rules;
};

struct metric {
    const char *name, *type, *help;
    double (*value)(const struct shown *s);
};

static double evaluations(const struct shown *s)
{
    return (double)s->figures.evaluations;
}

static double failures(const struct shown *s)
{
    return (double)s->figures.failures;
}

static double iterations(const struct shown *s)
{
    return (double)s->figures.iterations;
}

static double missed(const struct shown *s)
{
    return (double)s->figures.missed;
}

static double interval(const struct shown *s)
{
    return s->interval_s;
}

static double last_evaluation(const struct shown *s)
{
    return (double)s->figures.last_ns / (double)NS_PER_S;
}

static double last_duration(const struct shown *s)
{
    return s->figures.duration_s;
}

static double last_rules_duration(const struct shown *s)
{
    return s->figures.rules_duration_s;
}

/* All groups are restored together, before any of them is there to be asked. */
static double last_restore_duration(const struct shown *s)
{
    (void)s;
    return 0;
}

static double rules(const struct shown *s)
{
    return (double)s->rules;
}

static double samples(const struct shown *s)
{
    return (double)s->figures.samples;
}

static double looks(const struct shown *s)
{
    return (double)s->figures.looks;
}

static double caught_up(const struct shown *s)
{
    return (double)s->figures.caught_up;
}

static const struct metric metrics[] = {
    {"prometheus_rule_evaluations_total", "counter", "The total number of rule evaluations.", evaluations},
    {"prometheus_rule_evaluation_failures_total", "counter", "The total number of rule evaluation failures.",
     failures},
    {"prometheus_rule_group_iterations_total", "counter",
     "The total number of scheduled rule group evaluations, whether executed or missed.", iterations},
    {"prometheus_rule_group_iterations_missed_total", "counter",
     "The total number of rule group evaluations missed due to slow rule group evaluation.", missed},
    {"prometheus_rule_group_interval_seconds", "gauge", "The interval of a rule group.", interval},
    {"prometheus_rule_group_last_evaluation_timestamp_seconds", "gauge",
     "The timestamp of the last rule group evaluation in seconds.", last_evaluation},
    {"prometheus_rule_group_last_duration_seconds", "gauge",
     "The duration of the last rule group evaluation.", last_duration},
    {"prometheus_rule_group_last_rule_duration_sum_seconds", "gauge",
     "The sum of time in seconds it took to evaluate each rule in the group.", last_rules_duration},
    {"prometheus_rule_group_last_restore_duration_seconds", "gauge",
     "The duration of the last alert rules alerts restoration.", last_restore_duration},
    {"prometheus_rule_group_rules", "gauge", "The number of rules.", rules},
    {"prometheus_rule_group_last_evaluation_samples", "gauge",
     "The number of samples returned during the last rule group evaluation.", samples},
    {"tocsin_rule_group_looks_total", "counter",
     "Rules looked at between two evaluations of their group, because a sample came.", looks},
    {"tocsin_rule_group_iterations_caught_up_total", "counter",
     "Missed evaluations whose recording rules were made up for.", caught_up},
};

static char *group_label(const struct live_group *group)
{
    struct buf key, label;
    buf_init(&key, LABEL_MAX_BYTES);
    buf_init(&label, 2 * LABEL_MAX_BYTES);
    buf_format(&key, "%.*s;%.*s", STR_ARG(group->definition->file), STR_ARG(group->definition->name));
    stat_label(&label, "rule_group", buf_slice(&key));
    char *copy = mem_copy_text(buf_text(&label), label.used);
    buf_release(&key);
    buf_release(&label);
    return copy;
}

static struct shown *show_groups(struct ruler *ruler, size_t *count)
{
    struct live_group **groups;
    live_groups_keep(ruler, &groups, count);
    struct shown *shown = MEM_ARRAY(struct shown, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        struct live_group *group = groups[i];
        shown[i].label = group_label(group);
        shown[i].interval_s = (double)group->interval_ns / (double)NS_PER_S;
        shown[i].rules = group->count;
        lock_take(&group->lock);
        shown[i].figures = group->figures;
        lock_drop(&group->lock);
    }
    live_groups_drop(ruler, groups, *count);
    return shown;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share of the last durations lies; NaN when there are none. */
static double quantile(const double *sorted, size_t count, double share)
{
    if (count == 0)
        return (double)NAN;
    size_t at = (size_t)(share * (double)(count - 1) + 0.5);
    return sorted[at];
}

static void write_summary(struct buf *out, struct ruler *ruler, const struct durations *source,
                          const char *name, const char *help, const char *const *shares)
{
    char series[128], label[32];
    lock_take(&ruler->lock);
    struct durations d = *source;
    lock_drop(&ruler->lock);
    size_t count = d.count < DURATIONS_KEPT ? (size_t)d.count : DURATIONS_KEPT;
    qsort(d.recent, count, sizeof d.recent[0], by_value);
    stat_head(out, name, "summary", help);
    for (size_t i = 0; shares[i] != NULL; i++) {
        snprintf(label, sizeof label, "quantile=\"%s\"", shares[i]);
        stat_sample(out, name, label, quantile(d.recent, count, strtod(shares[i], NULL)));
    }
    snprintf(series, sizeof series, "%s_sum", name);
    stat_sample(out, series, NULL, d.sum);
    snprintf(series, sizeof series, "%s_count", name);
    stat_sample(out, series, NULL, (double)d.count);
}

void ruler_write_metrics(struct ruler *ruler, struct buf *out)
{
    static const char *const rule_shares[] = {"0.5", "0.9", "0.99", NULL};
    static const char *const group_shares[] = {"0.01", "0.05", "0.5", "0.9", "0.99", NULL};
    size_t count;
    struct shown *shown = show_groups(ruler, &count);
    write_summary(out, ruler, &ruler->rule_durations, "prometheus_rule_evaluation_duration_seconds",
                  "The duration for a rule to execute.", rule_shares);
    write_summary(out, ruler, &ruler->group_durations, "prometheus_rule_group_duration_seconds",
                  "The duration of rule group evaluations.", group_shares);
    for (size_t m = 0; m < sizeof metrics / sizeof metrics[0]; m++) {
        stat_head(out, metrics[m].name, metrics[m].type, metrics[m].help);
        for (size_t i = 0; i < count; i++)
            stat_sample(out, metrics[m].name, shown[i].label, metrics[m].value(&shown[i]));
    }
    for (size_t i = 0; i < count; i++)
        mem_free(shown[i].label);
    mem_free(shown);
}
