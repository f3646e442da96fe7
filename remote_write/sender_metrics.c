/* What Prometheus 3.14 tells of its remote_write queues. There is one shard for each target: the order of samples needs no more. */
#include "sender_priv.h"

#include "tocsin/limits.h"
#include "tocsin/stat.h"

#include <stdio.h>

struct column {
    const char *name, *type, *help;
    double (*value)(const struct target *t);
};

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

static double samples_sent(const struct target *t)
{
    return (double)t->figures.sent[KIND_FLOAT];
}

static double histograms_sent(const struct target *t)
{
    return (double)t->figures.sent[KIND_HISTOGRAM];
}

static double samples_failed(const struct target *t)
{
    return (double)t->figures.failed[KIND_FLOAT];
}

static double histograms_failed(const struct target *t)
{
    return (double)t->figures.failed[KIND_HISTOGRAM];
}

static double samples_retried(const struct target *t)
{
    return (double)t->figures.retried[KIND_FLOAT];
}

static double histograms_retried(const struct target *t)
{
    return (double)t->figures.retried[KIND_HISTOGRAM];
}

static double samples_pending(const struct target *t)
{
    return (double)t->backlog.pending[KIND_FLOAT];
}

static double histograms_pending(const struct target *t)
{
    return (double)t->backlog.pending[KIND_HISTOGRAM];
}

static double bytes_sent(const struct target *t)
{
    return (double)t->figures.bytes;
}

static double one(const struct target *t)
{
    (void)t;
    return 1;
}

static double samples_per_send(const struct target *t)
{
    return (double)t->settings->target.samples_max;
}

static double newest(const struct target *t)
{
    return seconds(t->figures.newest_ms);
}

static double newest_sent(const struct target *t)
{
    return seconds(t->figures.newest_sent_ms);
}

static double backlog_bytes(const struct target *t)
{
    return (double)t->backlog.bytes;
}

#define REMOTE "prometheus_remote_storage_"

static const struct column columns[] = {
    {REMOTE "samples_total", "counter", "Samples sent.", samples_sent},
    {REMOTE "histograms_total", "counter", "Native histograms sent.", histograms_sent},
    {REMOTE "samples_failed_total", "counter", "Samples that were refused for good.", samples_failed},
    {REMOTE "histograms_failed_total", "counter", "Native histograms that were refused for good.",
     histograms_failed},
    {REMOTE "samples_retried_total", "counter", "Samples that had to be sent again.", samples_retried},
    {REMOTE "histograms_retried_total", "counter", "Native histograms that had to be sent again.",
     histograms_retried},
    {REMOTE "samples_pending", "gauge", "Samples that wait or are under way.", samples_pending},
    {REMOTE "histograms_pending", "gauge", "Native histograms that wait or are under way.",
     histograms_pending},
    {REMOTE "bytes_total", "counter", "Bytes of the pushes that were taken, compressed.", bytes_sent},
    {REMOTE "max_samples_per_send", "gauge", "Most samples of one push.", samples_per_send},
    {REMOTE "shards", "gauge", "Pushes under way at once.", one},
    {REMOTE "shards_desired", "gauge", "Pushes that should be under way at once.", one},
    {REMOTE "shards_max", "gauge", "Most pushes under way at once.", one},
    {REMOTE "shards_min", "gauge", "Fewest pushes under way at once.", one},
    {REMOTE "queue_highest_timestamp_seconds", "gauge", "Newest time of a sample for this target.", newest},
    {REMOTE "queue_highest_sent_timestamp_seconds", "gauge", "Newest time of a sample it has taken.",
     newest_sent},
    {"tocsin_remote_write_backlog_bytes", "gauge", "Memory for samples that wait or are under way.",
     backlog_bytes},
};

enum { LABELS_MAX = 16 << 10 };

static void label(const struct target *t, struct buf *labels, const char *name, const char *value)
{
    buf_init(labels, LABELS_MAX);
    stat_label(labels, "remote_name", t->settings->target.name);
    stat_label(labels, "url", str_of(t->settings->shown_url));
    if (name != NULL)
        stat_label(labels, name, str_of(value));
}

static void write_value(const struct target *t, struct buf *out, const char *metric, const char *name,
                        const char *label_value, double value)
{
    struct buf labels;
    label(t, &labels, name, label_value);
    stat_sample(out, metric, buf_text(&labels), value);
    buf_release(&labels);
}

/* Lock held, here and below. */
static void write_columns(const struct sender *s, struct buf *out)
{
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        stat_head(out, columns[c].name, columns[c].type, columns[c].help);
        for (size_t i = 0; i < s->target_count; i++)
            if (!s->targets[i]->leaving)
                write_value(s->targets[i], out, columns[c].name, NULL, NULL, columns[c].value(s->targets[i]));
    }
}

static void write_dropped(const struct sender *s, struct buf *out, const char *metric, enum sample_kind kind)
{
    static const char *const reasons[DROP_REASON_COUNT] = {
        [DROP_BACKLOG_FULL] = "backlog_full",
        [DROP_TOO_OLD] = "too_old",
        [DROP_HISTOGRAM] = "native_histograms_not_sent",
        [DROP_SERIES] = "dropped_series",
        [DROP_CUSTOM] = "nhcb_in_rw1_not_supported",
    };
    stat_head(out, metric, "counter", "What was dropped without being sent, by reason.");
    for (size_t i = 0; i < s->target_count; i++)
        for (int reason = DROP_NOT + 1; reason < DROP_REASON_COUNT && !s->targets[i]->leaving; reason++)
            write_value(s->targets[i], out, metric, "reason", reasons[reason],
                        (double)s->targets[i]->figures.dropped[reason][kind]);
}

static void write_durations_of(const struct target *t, struct buf *out)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= DURATION_BOUNDS; i++) {
        char bound[32] = "+Inf";
        if (i < DURATION_BOUNDS)
            snprintf(bound, sizeof bound, "%g", sender_duration_bounds[i]);
        count += t->figures.durations[i];
        write_value(t, out, REMOTE "sent_batch_duration_seconds_bucket", "le", bound, (double)count);
    }
    write_value(t, out, REMOTE "sent_batch_duration_seconds_sum", NULL, NULL, t->figures.duration_s);
    write_value(t, out, REMOTE "sent_batch_duration_seconds_count", NULL, NULL, (double)count);
}

static void write_durations(const struct sender *s, struct buf *out)
{
    stat_head(out, REMOTE "sent_batch_duration_seconds", "histogram",
              "How long one push took, with its answer.");
    for (size_t i = 0; i < s->target_count; i++)
        if (!s->targets[i]->leaving)
            write_durations_of(s->targets[i], out);
}

static void write_one(struct buf *out, const char *name, const char *type, const char *help, double value)
{
    stat_head(out, name, type, help);
    stat_sample(out, name, NULL, value);
}

void sender_write_metrics(struct sender *s, struct buf *out)
{
    lock_take(&s->lock);
    write_one(out, REMOTE "samples_in_total", "counter", "Samples that rules recorded.",
              (double)s->samples_in[KIND_FLOAT]);
    write_one(out, REMOTE "histograms_in_total", "counter", "Native histograms that rules recorded.",
              (double)s->samples_in[KIND_HISTOGRAM]);
    write_one(out, REMOTE "highest_timestamp_in_seconds", "gauge",
              "Newest time of a sample that rules recorded.", seconds(s->newest_ms));
    write_columns(s, out);
    write_dropped(s, out, REMOTE "samples_dropped_total", KIND_FLOAT);
    write_dropped(s, out, REMOTE "histograms_dropped_total", KIND_HISTOGRAM);
    write_durations(s, out);
    lock_drop(&s->lock);
}
