#include "router_priv.h"

#include "tocsin/stat.h"

#include <stdio.h>

static const char *const failure_names[FAILURE_COUNT] = {
    [FAILURE_other] = "other",
    [FAILURE_clientError] = "clientError",
    [FAILURE_serverError] = "serverError",
    [FAILURE_contextCanceled] = "contextCanceled",
    [FAILURE_contextDeadlineExceeded] = "contextDeadlineExceeded",
    [FAILURE_authError] = "authError",
    [FAILURE_rateLimited] = "rateLimited",
};

static const char *const mute_names[MUTE_moved] = {
    [MUTE_inhibition] = "inhibition",
    [MUTE_active_time_interval] = "active_time_interval",
    [MUTE_mute_time_interval] = "mute_time_interval",
    [MUTE_silence] = "silence",
};

struct sizes {
    size_t firing, suppressed, groups, receivers, integrations, rules, notes;
    uint64_t config_hash;
};

static struct sizes measure(struct router *router, int64_t now_ns)
{
    const struct amconfig *config = router->generation->config;
    struct sizes s = {.groups = router->groups.count,
                      .receivers = config->receiver_count,
                      .rules = config->inhibit_count,
                      .notes = router->nflog.entries.count,
                      .config_hash = config->hash};
    for (size_t i = 0; i < config->receiver_count; i++)
        s.integrations += config->receivers[i].integrations.count;
    struct alert *alert;
    for (size_t at = 0; (alert = map_next(&router->alerts, &at)) != NULL;) {
        const struct alert_event *event = alert->fact->event;
        if (alert_is_resolved(event, now_ns))
            continue;
        bool muted = inhibitor_mutes(&router->inhibitor, event->labels, now_ns) ||
                     silences_mute(router->silences, &alert->silenced, event->labels, now_ns);
        s.firing += !muted;
        s.suppressed += muted;
    }
    return s;
}

static void one(struct buf *out, const char *name, const char *type, const char *help, const char *labels,
                double value)
{
    stat_head(out, name, type, help);
    stat_sample(out, name, labels, value);
}

/* What the process knows of its configuration, under the names that Alertmanager's rules and dashboards ask for. */
static void write_config(struct buf *out, const struct sizes *s)
{
    one(out, "alertmanager_config_hash", "gauge", "Hash of the routes in force.", NULL,
        (double)s->config_hash);
    one(out, "alertmanager_config_last_reload_successful", "gauge", "1 if the last reload was taken over.",
        NULL, (double)stat_get(STAT_reload_ok));
    one(out, "alertmanager_config_last_reload_success_timestamp_seconds", "gauge", "When that was.", NULL,
        (double)stat_get(STAT_reload_seconds));
    one(out, "alertmanager_cluster_enabled", "gauge", "There is no cluster.", NULL, 0);
}

static void write_alerts(struct buf *out, const struct router_counts *c, const struct sizes *s)
{
    stat_head(out, "alertmanager_alerts", "gauge", "Alerts held, by state.");
    stat_sample(out, "alertmanager_alerts", "state=\"active\"", (double)s->firing);
    stat_sample(out, "alertmanager_alerts", "state=\"suppressed\"", (double)s->suppressed);
    stat_head(out, "alertmanager_alerts_received_total", "counter", "Alerts posted.");
    stat_sample(out, "alertmanager_alerts_received_total", "status=\"firing\",version=\"v2\"",
                (double)c->received_firing);
    stat_sample(out, "alertmanager_alerts_received_total", "status=\"resolved\",version=\"v2\"",
                (double)c->received_resolved);
    one(out, "alertmanager_alerts_limited_total", "counter",
        "Alerts dropped because as many of their alertname fired as may.", NULL, (double)c->limited);
}

/* One sample of every kind of integration that is built, also of those that are not used. */
static void each_kind(struct buf *out, const struct router_counts *c, const char *name, const char *help,
                      size_t offset)
{
    struct buf labels;
    buf_init(&labels, 256);
    stat_head(out, name, "counter", help);
    for (size_t i = 0; i < integration_kind_count(); i++) {
        buf_clear(&labels);
        buf_format(&labels, "integration=\"%s\"", integration_kind_name(i));
        const char *counts = (const char *)&c->kinds[i];
        stat_sample(out, name, buf_text(&labels), (double)*(const uint64_t *)(const void *)(counts + offset));
    }
    buf_release(&labels);
}

static void write_failures(struct buf *out, const struct router_counts *c)
{
    const char *name = "alertmanager_notifications_failed_total";
    struct buf labels;
    buf_init(&labels, 256);
    stat_head(out, name, "counter", "Notifications given up, by reason.");
    for (size_t i = 0; i < integration_kind_count(); i++) {
        for (size_t k = 0; k < FAILURE_COUNT; k++) {
            buf_clear(&labels);
            buf_format(&labels, "integration=\"%s\",reason=\"%s\"", integration_kind_name(i),
                       failure_names[k]);
            stat_sample(out, name, buf_text(&labels), (double)c->kinds[i].failed[k]);
        }
    }
    buf_release(&labels);
}

static void write_notifications(struct buf *out, const struct router_counts *c)
{
    each_kind(out, c, "alertmanager_notifications_total", "Notifications attempted.",
              offsetof(struct kind_counts, notifications));
    write_failures(out, c);
    each_kind(out, c, "alertmanager_notification_requests_total", "Attempts to tell receivers.",
              offsetof(struct kind_counts, requests));
    each_kind(out, c, "alertmanager_notification_requests_failed_total",
              "Attempts to tell receivers that failed.", offsetof(struct kind_counts, requests_failed));
    stat_head(out, "alertmanager_notifications_suppressed_total", "counter",
              "Alerts kept out of notifications.");
    for (enum mute i = MUTE_none + 1; i < MUTE_moved; i++) {
        char label[64];
        snprintf(label, sizeof label, "reason=\"%s\"", mute_names[i]);
        stat_sample(out, "alertmanager_notifications_suppressed_total", label, (double)c->suppressed[i]);
    }
}

static void write_latency_of(struct buf *out, const char *kind, const struct kind_counts *c)
{
    static const char *const bounds[LATENCY_BUCKETS + 1] = {"1", "5", "10", "15", "20", "30", "+Inf"};
    struct buf labels;
    buf_init(&labels, 256);
    for (size_t i = 0; i <= LATENCY_BUCKETS; i++) {
        buf_clear(&labels);
        buf_format(&labels, "integration=\"%s\",le=\"%s\"", kind, bounds[i]);
        stat_sample(out, "alertmanager_notification_latency_seconds_bucket", buf_text(&labels),
                    (double)(i < LATENCY_BUCKETS ? c->latency_bucket[i] : c->latency_count));
    }
    buf_clear(&labels);
    buf_format(&labels, "integration=\"%s\"", kind);
    stat_sample(out, "alertmanager_notification_latency_seconds_sum", buf_text(&labels), c->latency_sum_s);
    stat_sample(out, "alertmanager_notification_latency_seconds_count", buf_text(&labels),
                (double)c->latency_count);
    buf_release(&labels);
}

static void write_latency(struct buf *out, const struct router_counts *c)
{
    stat_head(out, "alertmanager_notification_latency_seconds", "histogram",
              "How long attempts to tell receivers took.");
    for (size_t i = 0; i < integration_kind_count(); i++)
        write_latency_of(out, integration_kind_name(i), &c->kinds[i]);
}

void router_write_metrics(struct router *router, struct buf *out)
{
    struct world *world = router->options.world;
    lock_take(&router->lock);
    struct router_counts c = router->counts;
    struct sizes s = measure(router, world->wall_ns(world));
    lock_drop(&router->lock);
    write_alerts(out, &c, &s);
    write_notifications(out, &c);
    write_latency(out, &c);
    one(out, "alertmanager_dispatcher_aggregation_groups", "gauge", "Aggregation groups.", NULL,
        (double)s.groups);
    write_config(out, &s);
    one(out, "alertmanager_receivers", "gauge", "Receivers configured.", NULL, (double)s.receivers);
    one(out, "alertmanager_integrations", "gauge", "Integrations configured.", NULL, (double)s.integrations);
    one(out, "alertmanager_inhibition_rules", "gauge", "Inhibition rules configured.", NULL, (double)s.rules);
    one(out, "tocsin_notification_log_entries", "gauge", "What integrations were last told.", NULL,
        (double)s.notes);
    silences_write_metrics(router->silences, out);
}
