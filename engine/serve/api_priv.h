/*
 * api: every handler of the routing table, by the file it lives in.
 */
#ifndef TOCSIN_SERVE_API_PRIV_H
#define TOCSIN_SERVE_API_PRIV_H

#include "http_priv.h"

struct promql_features;

/* api_push.c: remote write */
handler api_write;

/* What the Content-Type says; a sender that says nothing speaks 1.0. */
enum push_protocol { PUSH_UNKNOWN, PUSH_V1, PUSH_V2 };
enum push_protocol push_protocol_of(struct str content_type);

/* A push refused before it was read: 2.0 wants its counts on that answer, too. */
void push_confirm_nothing(const struct request *request, struct answer *answer);

/* api_query.c: PromQL over HTTP */
handler api_query, api_query_range;

/* How long a request for an evaluation may take, its waiting included: what its timeout says, and the server's at most. */
int64_t query_timeout_ms(const struct request *request);

/* api_parse.c: what an expression looks like */
handler api_format_query, api_parse_query;

/* What the language of this process has. */
const struct promql_features *request_features(const struct request *request);

/* api_series.c: what the store knows */
handler api_labels, api_label_values, api_series;

/* api_extras.c: exemplars and metadata */
handler api_metadata, api_exemplars;

/* api_rules.c */
handler api_rules, api_rule_alerts, tocsin_rules;

/* api_info.c: what this process is, as Prometheus' clients ask it */
handler api_buildinfo, api_runtimeinfo, api_flags, api_targets, api_alertmanagers;
handler api_target_metadata, api_scrape_pools, api_notifications, api_config, api_walreplay, api_options;

/* api_features.c */
handler api_features;

/* api_federate.c */
handler api_federate;

/* api_store.c: what the store is full of */
handler api_tsdb, tocsin_cardinality;

/* v2_alerts.c, v2_post.c, v2_info.c, v2_silences.c, v2_silence_post.c: Alertmanager's API v2 */
handler v2_status, v2_receivers, v2_alerts, v2_alert_groups, v2_post_alerts;
handler v2_silences, v2_post_silence, v2_silence, v2_expire_silence;

/* v2_info.c: Alertmanager's API v1, which has gone */
handler v1_gone;

/* admin.c */
handler admin_index, admin_metrics, admin_healthy, admin_ready, admin_reload;

/* api_tocsin.c: Tocsin's own */
handler tocsin_status, tocsin_incidents;

/* api_trail.c: why somebody was told, or not */
handler tocsin_trail;

/* api_slos.c: what is left of budgets */
handler tocsin_slos;

/* page.c: for `tocsin receive`, which plays a webhook */
handler tocsin_page;

#endif
