#include "forward_priv.h"

#include "tocsin/stat.h"

#include <stdio.h>
#include <stdlib.h>

enum { LABEL_MAX_BYTES = 8192 };

/* ---- counts ---- */

struct column {
    const char *name, *type, *help;
    double (*value)(const struct target *t);
};

static double sent_of(const struct target *t)
{
    return (double)t->sent;
}

static double errors_of(const struct target *t)
{
    return (double)t->errors;
}

static double dropped_of(const struct target *t)
{
    return (double)t->dropped;
}

static double length_of(const struct target *t)
{
    return (double)t->count;
}

static double latency_sum_of(const struct target *t)
{
    return t->latency_sum_s;
}

static double latencies_of(const struct target *t)
{
    return (double)t->latencies;
}

/* Several groups may send to the same place: one line, as a name with labels may stand there only once. */
static bool is_first(const struct forward *f, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(f->targets[i]->shown, f->targets[at]->shown) == 0)
            return false;
    return true;
}

static void write_line(struct forward *f, struct buf *out, const char *name, size_t at, const char *label,
                       const char *label_value, double value)
{
    struct buf labels;
    buf_init(&labels, LABEL_MAX_BYTES);
    stat_label(&labels, "alertmanager", str_of(f->targets[at]->shown));
    if (label != NULL)
        stat_label(&labels, label, str_of(label_value));
    stat_sample(out, name, buf_text(&labels), value);
    buf_release(&labels);
}

static void write_column(struct forward *f, struct buf *out, const char *name,
                         double (*value)(const struct target *t))
{
    for (size_t i = 0; i < f->target_count; i++) {
        double sum = 0;
        if (!is_first(f, i))
            continue;
        for (size_t k = i; k < f->target_count; k++)
            if (strcmp(f->targets[k]->shown, f->targets[i]->shown) == 0)
                sum += value(f->targets[k]);
        write_line(f, out, name, i, NULL, NULL, sum);
    }
}

/* ---- latencies ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the last LATENCIES_KEPT requests. (Prometheus has them as a histogram, too, under a name that its own promtool complains of.) */
static void write_quantiles(struct forward *f, struct buf *out)
{
    static const char *const shares[] = {"0.5", "0.9", "0.99"};
    double sorted[LATENCIES_KEPT];
    for (size_t i = 0; i < f->target_count; i++) {
        const struct target *t = f->targets[i];
        size_t count = t->latencies < LATENCIES_KEPT ? (size_t)t->latencies : LATENCIES_KEPT;
        if (!is_first(f, i) || count == 0)
            continue;
        memcpy(sorted, t->recent_s, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare);
        for (size_t k = 0; k < sizeof shares / sizeof *shares; k++)
            write_line(f, out, "prometheus_notifications_latency_seconds", i, "quantile", shares[k],
                       sorted[(size_t)(strtod(shares[k], NULL) * (double)(count - 1))]);
    }
}

static void write_latencies(struct forward *f, struct buf *out)
{
    stat_head(out, "prometheus_notifications_latency_seconds", "summary", "How long requests took.");
    write_quantiles(f, out);
    write_column(f, out, "prometheus_notifications_latency_seconds_sum", latency_sum_of);
    write_column(f, out, "prometheus_notifications_latency_seconds_count", latencies_of);
}

void forward_write_metrics(struct forward *f, struct buf *out)
{
    static const struct column columns[] = {
        {"prometheus_notifications_sent_total", "counter", "Alerts sent.", sent_of},
        {"prometheus_notifications_errors_total", "counter", "Alerts whose sending failed.", errors_of},
        {"prometheus_notifications_dropped_total", "counter", "Alerts dropped.", dropped_of},
        {"prometheus_notifications_queue_length", "gauge", "Alerts waiting.", length_of},
    };
    lock_take(&f->lock);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        stat_head(out, columns[i].name, columns[i].type, columns[i].help);
        write_column(f, out, columns[i].name, columns[i].value);
    }
    write_latencies(f, out);
    size_t known = 0;
    for (size_t i = 0; i < f->target_count; i++)
        known += !f->targets[i]->leaving;
    uint64_t faults = f->retarget_faults;
    lock_drop(&f->lock);
    stat_head(out, "prometheus_notifications_queue_capacity", "gauge", "Alerts a queue holds.");
    stat_sample(out, "prometheus_notifications_queue_capacity", NULL, (double)f->queue_max);
    stat_head(out, "prometheus_notifications_alertmanagers_discovered", "gauge", "Alertmanagers known.");
    stat_sample(out, "prometheus_notifications_alertmanagers_discovered", NULL, (double)known);
    stat_head(out, "tocsin_alertmanagers_refused_total", "counter",
              "Lists of Alertmanagers that held what is no HOST:PORT, http or https, or more than "
              "forward_targets.");
    stat_sample(out, "tocsin_alertmanagers_refused_total", NULL, (double)faults);
}
