/*
 * config: tocsin.yml. Prometheus' own keys where they exist, so a prometheus.yml is accepted as it is: what concerns
 * scraping is named and ignored, what would change a page and is not built is refused.
 *
 *   alertmanager_config_file: alertmanager.yml    (Tocsin's own: the routes; without it alerts only go to alerting:)
 *   slo_files: [slos.yml]                             (Tocsin's own: objectives, read and taken over as rule_files are; see objective.h)
 *   storage: {retention: auto, keep: all, wal: {sync: group}}     (Tocsin's own: see store.h)
 *   storage: {identity_header: X-Scope-OrgID}     (Tocsin's own: see serve.h)
 *   rules: {evaluation: data, data_wait: 90s, catch_up: 1h, limit_behaviour: keep, groups: [{group: "slo-.*", evaluation: clock}]}
 *                                                 (Tocsin's own: struct rule_policy in rulefile.h, for all groups, and for those
 *                                                 whose whole name and file match; of exceptions the last one wins, key by key)
 *   contracts: {opened_is_closed: true, no_lost_page: true}
 *                                                 (Tocsin's own, and the default: see router.h; without either the routes do
 *                                                 as Alertmanager does)
 *   limits: {series: 200000}                      (Tocsin's own: any of limits.h, whole numbers in their units)
 */
#ifndef TOCSIN_CONFIG_PRIV_H
#define TOCSIN_CONFIG_PRIV_H

#include "tocsin/forward.h"
#include "tocsin/labels.h"
#include "tocsin/limits.h"
#include "tocsin/router.h"
#include "tocsin/rulefile.h"
#include "tocsin/sender.h"
#include "tocsin/store.h"
#include "tocsin/strict_model.h"
#include "tocsin/world.h"

struct config_texts {
    struct str *items;
    size_t count, capacity;
};

enum config_choice { CHOICE_NONE, CHOICE_PROMETHEUS, CHOICE_OWN };

/* What is said of some rule groups; what is not said stays as it is. */
struct config_rules {
    struct str group, file; /* patterns of an exception; empty: any */
    enum config_choice evaluation, limit_behaviour;
    struct strict_duration data_wait, catch_up;
};

/* One item of alerting.alertmanagers: what is sent to, and how its targets were written. */
struct config_manager {
    struct forward_group group;
    struct config_static *statics;
    size_t static_count;
};

struct config_static {
    struct strict_texts targets;
    const struct labels *labels; /* NULL: none */
};

struct config {
    struct arena arena;
    struct str folder; /* of the file: relative paths start here */
    int64_t evaluation_interval_ms;
    int64_t query_offset_ms;
    const struct labels *external_labels;
    struct config_texts rule_files, slo_files;
    struct config_rules rules;
    struct strict_list rule_exceptions;  /* of struct config_rules */
    struct config_manager *managers;     /* alerting.alertmanagers */
    const struct forward_group **groups; /* theirs */
    size_t manager_count;
    struct relabel_rules alert_relabel;
    struct str alertmanager_config_file; /* empty: no routes of our own */
    struct router_contracts contracts;
    struct sender_target *remote_write; /* what it points to is in the arena */
    size_t remote_write_count;
    struct store_options storage;
    struct str identity_header; /* empty: a push is its address' */
    enum store_sync wal_sync;
    struct limits limits; /* the defaults but for what the file sets; they bind from the next start on */
    struct config_texts ignored; /* keys that are accepted and do nothing here */
};

/* Reads a file, or its text (path: for messages, and where its relative paths start). NULL on failure; errors worded as
 * Prometheus words them, with the file's name in front. */
int config_load(struct world *world, const char *path, struct config **out, struct err *err);
int config_parse(struct str text, const char *path, struct config **out, struct err *err);
void config_free(struct config *config);

/* config_alerting.c: the section, and what is wrong with its relabelling, which is looked at once all has been read. */
strict_read config_read_alerting; /* struct config */
void config_check_alerting(struct strict *s, const struct config *config);
void config_print_alerting(struct buf *out, const struct config *config);

/* What of it is in force, as YAML that reads as the same configuration, but for passwords. */
void config_print(struct buf *out, const struct config *config);

/* config_remote.c: the section remote_write; target: struct config. What only makes sense once the rest is sound is checked
 * at the end. */
strict_read config_read_remote_write;
void config_check_remote_write(struct strict *s, const struct config *config);
void config_print_remote_write(struct buf *out, const struct config *config);

/* config_rules.c: the section rules; target: struct config. */
strict_read config_read_rules;
void config_lay_policies(const struct config *config, struct rule_set *set);
void config_print_rules(struct buf *out, const struct config *config);

/* A path of the file, relative to its folder unless absolute; in the configuration's arena. */
const char *config_path(struct config *config, struct str path);

#endif
