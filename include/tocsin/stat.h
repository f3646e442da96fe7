/*
 * stat: the program's own plain metrics, in one table, and the words to write labelled ones.
 *
 * Names are Prometheus' and Alertmanager's where those exist (Prometheus 3.14, Alertmanager 0.34), tocsin_*
 * for what is new; one with labels of its own stands in lines below each other. Other metrics with labels belong to the module that owns the labels: it writes them itself with
 * stat_head and stat_sample when /metrics is asked for.
 */
#ifndef TOCSIN_STAT_H
#define TOCSIN_STAT_H

#include "tocsin/buf.h"

#include <stdint.h>

#define STAT_TABLE(STAT)                                                                                     \
    STAT(floats_appended, "prometheus_tsdb_head_samples_appended_total{type=\"float\"}", counter,            \
         "Samples accepted.")                                                                                \
    STAT(histograms_appended, "prometheus_tsdb_head_samples_appended_total{type=\"histogram\"}", counter,    \
         "Samples accepted.")                                                                                \
    STAT(late_appended, "prometheus_tsdb_head_out_of_order_samples_appended_total", counter,                 \
         "Samples accepted though older than the newest of their series.")                                   \
    STAT(series_created, "prometheus_tsdb_head_series_created_total", counter, "Series created.")            \
    STAT(series_removed, "prometheus_tsdb_head_series_removed_total", counter, "Series removed.")            \
    STAT(out_of_order, "prometheus_tsdb_out_of_order_samples_total", counter,                                \
         "Samples refused as out of order.")                                                                 \
    STAT(out_of_bound, "prometheus_tsdb_out_of_bound_samples_total", counter,                                \
         "Samples refused as too far ahead.")                                                                \
    STAT(too_old, "prometheus_tsdb_too_old_samples_total", counter,                                          \
         "Samples refused as older than retention.")                                                         \
    STAT(duplicates, "tocsin_duplicate_samples_total", counter, "Samples refused: same time, other value.")  \
    STAT(exemplars_appended, "prometheus_tsdb_exemplar_exemplars_appended_total", counter,                   \
         "Exemplars accepted.")                                                                              \
    STAT(exemplars_out_of_order, "prometheus_tsdb_exemplar_out_of_order_exemplars_total", counter,           \
         "Exemplars refused as out of order.")                                                               \
    STAT(push_bad_labels, "prometheus_api_remote_write_invalid_labels_samples_total", counter,               \
         "Samples refused for their labels.")                                                                \
    STAT(pushes, "tocsin_pushes_total", counter, "Remote-write requests read.")                              \
    STAT(pushes_refused, "tocsin_pushes_refused_total", counter,                                             \
         "Remote-write requests answered with an error.")                                                    \
    STAT(unreferenced, "tocsin_unreferenced_series_total", counter,                                          \
         "Series refused because no rule asks for them.")                                                    \
    STAT(queries, "tocsin_queries_total", counter, "PromQL evaluations over HTTP.")                          \
    STAT(query_errors, "tocsin_query_errors_total", counter, "PromQL evaluations over HTTP that failed.")    \
    STAT(template_expansions, "prometheus_template_text_expansions_total", counter, "Templates executed.")   \
    STAT(template_failures, "prometheus_template_text_expansion_failures_total", counter,                    \
         "Templates that failed.")                                                                           \
    STAT(alerts_received, "tocsin_alert_events_total", counter, "Alert events handed to the router.")        \
    STAT(alerts_invalid, "alertmanager_alerts_invalid_total", counter, "Posted alerts refused.")             \
    STAT(dns_lookups, "prometheus_sd_dns_lookups_total", counter, "Names of Alertmanagers asked for.")       \
    STAT(dns_lookup_failures, "prometheus_sd_dns_lookup_failures_total", counter,                            \
         "Names of Alertmanagers asked for in vain.")                                                        \
    STAT(digests, "tocsin_digests_total", counter, "Pages that were told in the place of many.")             \
    STAT(digest_groups, "tocsin_digest_pages_total", counter, "Pages that a digest was told in place of.")   \
    STAT(incidents_opened, "tocsin_incidents_opened_total", counter, "Incidents opened.")                    \
    STAT(incidents_closed, "tocsin_incidents_closed_total", counter, "Incidents closed.")                    \
    STAT(reload_ok, "prometheus_config_last_reload_successful", gauge,                                       \
         "1 if the last reload was taken over.")                                                             \
    STAT(reload_seconds, "prometheus_config_last_reload_success_timestamp_seconds", gauge, "When that was.") \
    STAT(http_requests, "tocsin_http_requests_total", counter, "HTTP requests answered.")                    \
    STAT(http_refused, "tocsin_http_requests_refused_total", counter,                                        \
         "HTTP requests refused by the header gate.")                                                        \
    STAT(log_suppressed, "tocsin_log_lines_suppressed_total", counter, "Log lines left out by rate limits.")

enum stat_id {
#define STAT(name, metric, type, help) STAT_##name,
    STAT_TABLE(STAT)
#undef STAT
        STAT_COUNT
};

/* Thread-safe. */
void stat_add(enum stat_id id, uint64_t n);
void stat_set(enum stat_id id, uint64_t value);
uint64_t stat_get(enum stat_id id);

/* All of the table in Prometheus' text format. */
void stat_write_metrics(struct buf *out);

/* For labelled metrics: "# HELP"/"# TYPE" lines, then a sample each. `labels` is the inside of the braces,
 * already escaped ("" or NULL: none). */
void stat_head(struct buf *out, const char *name, const char *type, const char *help);
void stat_sample(struct buf *out, const char *name, const char *labels, double value);

/* Appends name="value" (value escaped as the text format wants it), with a comma in front unless first. */
void stat_label(struct buf *labels, const char *name, struct str value);

#endif
