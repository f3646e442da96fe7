/*
 * slo: service level objectives as they stand in files, and the rule files that others make of them.
 *
 * Read are Sloth's files (`version: prometheus/v1`) and its Kubernetes twin (`kind: PrometheusServiceLevel`), several documents
 * in one file. Unlike Sloth, unknown keys are refused: a mistyped `page_alert` would be a page that never comes. Sloth's plugins are Go
 * code, and refused by name.
 *
 * Source: Sloth 0.16.
 */
#ifndef TOCSIN_SLO_H
#define TOCSIN_SLO_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/promql_parse.h"
#include "tocsin/strict_model.h"

enum slo_format { SLO_SLOTH, SLO_SLOTH_KUBERNETES };

/* What an objective is counted by. In each query {{.window}} stands for the range. */
enum slo_indicator {
    SLO_BAD_OF_TOTAL, /* error_query and total_query */
    SLO_ERROR_RATIO   /* error_query alone: a ratio from 0 to 1 */
};

struct slo_alert {
    bool disabled;
    struct strict_pairs labels, annotations; /* its own; those of both alerts are in struct slo */
};

struct slo {
    struct str id; /* SERVICE-NAME */
    struct str service, name, description;
    double objective;           /* in percent; 0 < objective <= 100 */
    struct str objective_text;  /* the same as written */
    struct strict_pairs labels; /* of the whole document, and its own over them */
    enum slo_indicator indicator;
    struct str error_query, total_query;
    struct str alert_name;
    struct strict_pairs alert_labels, alert_annotations;
    struct slo_alert page, ticket;
    int line; /* where it begins */
};

struct slo_document {
    enum slo_format format;
    struct slo *slos;
    size_t count;
    const struct tree *metadata; /* of a Kubernetes object; else NULL */
};

struct slo_file {
    struct arena arena;
    struct slo_document *documents; /* in file order */
    size_t count;
};

/* Reads one file's text, which may go afterwards. All that is wrong with its form is told, or the first thing that is wrong with what it
 * says, with its line. ERR_PARSE, ERR_UNSUPPORTED (plugins), ERR_LIMIT; *out is NULL then. */
int slo_file_parse(struct str text, struct slo_file **out, struct err *err);
void slo_file_free(struct slo_file *file); /* NULL is allowed */

/* Two windows, and which share of the period's budget may be spent in the long one, in percent. */
struct slo_windows {
    double budget_percent;
    int64_t short_ms, long_ms;
};

/* Which windows alerts look at. */
struct slo_catalogue {
    int64_t period_ms;
    struct slo_windows page_quick, page_slow, ticket_quick, ticket_slow;
};

/* For periods of 28 and 30 days: the SRE workbook's windows with 2, 5, 10 and 10 percent. NULL: another period. */
const struct slo_catalogue *slo_catalogue_of(int64_t period_ms);

/* Sloth's `kind: AlertWindows`. Refused is one of whose windows one is as long as the period, because its rule would be written twice. */
int slo_catalogue_parse(struct str text, struct slo_catalogue *out, struct err *err);

/* How many times faster than it may the budget is spent when the share is gone in the long window. */
double slo_burn_factor(const struct slo_catalogue *catalogue, const struct slo_windows *windows);

struct slo_generate {
    const struct slo_catalogue *catalogue;
    struct str version;               /* of Sloth, as its files name it: "v0.16.0" */
    struct strict_pairs extra_labels; /* over the labels of all recorded series */
    bool no_recordings, no_alerts;
};

/* Appends the rule file that Sloth writes of one document, byte for byte: for Prometheus or, of a Kubernetes object, for its
 * operator. ERR_PARSE: a query is no template, or the rules do
 * not load, which Sloth does not look at; ERR_ARG: nothing would be left to write; ERR_LIMIT. */
int slo_generate_sloth(const struct slo_document *document, const struct slo_generate *options,
                       struct buf *out, struct err *err);

#endif
