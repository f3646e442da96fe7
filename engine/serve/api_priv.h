/*
 * api: every handler of the routing table, by the file it lives in.
 */
#ifndef TOCSIN_SERVE_API_PRIV_H
#define TOCSIN_SERVE_API_PRIV_H

#include "http_priv.h"

/* api_push.c: remote write */
handler api_write;

/* api_query.c: PromQL over HTTP */
handler api_query, api_query_range, api_format_query;

/* api_series.c: what the store knows */
handler api_labels, api_label_values, api_series, api_metadata, api_exemplars;

/* api_rules.c */
handler api_rules, api_rule_alerts;

/* api_info.c: what this process is, as Prometheus' clients ask it */
handler api_buildinfo, api_runtimeinfo, api_flags, api_targets, api_alertmanagers;

/* am_alerts.c, am_post.c, am_info.c: Alertmanager's API v2 */
handler am_status, am_receivers, am_alerts, am_alert_groups, am_post_alerts, am_silences, am_no_silences;
handler am_silence;

/* admin.c */
handler admin_index, admin_metrics, admin_healthy, admin_ready, admin_reload;

/* api_tocsin.c: Tocsin's own */
handler tocsin_status, tocsin_incidents;

#endif
