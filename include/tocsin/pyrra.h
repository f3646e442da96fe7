/*
 * pyrra: service level objectives in Pyrra's form (`pyrra.dev/v1alpha1`, `kind: ServiceLevelObjective`), and the rule files that Pyrra
 * writes of them.
 *
 * An indicator is one or two plain selectors; everything else - windows, names of recorded series, alerts - follows from them and from
 * the length of the window. Unknown keys are refused, as by Pyrra. Refused, too, is what Pyrra turns into rules that Prometheus does
 * not load or that cannot mean what they say: windows so short that a range would be 0s, a selector with an offset (which Pyrra drops),
 * labels named `slo` (which its alerts look for). What is valid and doubtful is a warning.
 *
 * Source: Pyrra of August 2026.
 */
#ifndef TOCSIN_PYRRA_H
#define TOCSIN_PYRRA_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/matcher.h"
#include "tocsin/strict_model.h"

enum pyrra_indicator {
    PYRRA_RATIO,          /* errors of total */
    PYRRA_LATENCY,        /* of a classic histogram: the bucket of the success of its count */
    PYRRA_LATENCY_NATIVE, /* of a native histogram: the fraction up to `latency` */
    PYRRA_BOOL_GAUGE      /* a gauge of 0 and 1 */
};

/* A metric with what is asked of its labels, in the order of the file; none of the matchers is __name__, and none is compiled. */
struct pyrra_selector {
    struct str name;
    struct matcher *matchers;
    size_t count;
};

enum { PYRRA_TIERS = 4 }; /* fast, medium, slow and long-term burn */

struct pyrra_objective {
    struct str name, namespace;
    struct strict_pairs labels, annotations;           /* as they stand in metadata */
    struct strict_pairs rule_labels, rule_annotations; /* those of them under pyrra.dev/, without that */
    struct str description;
    struct str target_percent; /* as written: "99.9" */
    double target;             /* the same, / 100 */
    int64_t window_ms;
    enum pyrra_indicator kind;
    struct pyrra_selector total;   /* of PYRRA_BOOL_GAUGE: the gauge */
    struct pyrra_selector counted; /* errors of PYRRA_RATIO, success of PYRRA_LATENCY */
    struct str le;                 /* of PYRRA_LATENCY: the bound, as written */
    int64_t latency_ms;            /* of PYRRA_LATENCY_NATIVE */
    struct strict_texts grouping;  /* in file order, each once */
    bool burn_alerts, absent_alerts;
    struct str alert_name, absent_name;
    struct str severities[PYRRA_TIERS], absent_severity;
    struct str partial_response; /* "", "abort" or "warn"; said in the operator's objects only */
    bool performance_over_accuracy;
    struct strict_pairs short_labels, long_labels; /* of the operator's objects */
    bool description_as_label;
    int line; /* where it begins */
};

struct pyrra_file {
    struct arena arena;
    struct pyrra_objective *objectives; /* one a document, in file order */
    size_t count;
};

/* Is this document for pyrra_read? */
bool pyrra_is_objective(const struct tree *root);

/* Reads one document; texts are those of the tree or in the arena. All that is wrong with its form is told, or the first thing that is wrong
 * with what it says, with its line. ERR_PARSE, ERR_LIMIT. */
int pyrra_read(struct arena *arena, const struct tree *root, struct pyrra_objective *out, struct err *err);

/* Reads one file's text, which may go afterwards. On failure *out is NULL. */
int pyrra_file_parse(struct str text, struct pyrra_file **out, struct err *err);
void pyrra_file_free(struct pyrra_file *file); /* NULL is allowed */

/* Appends what is valid and doubtful, a line each: "FILE:LINE: WHAT". generic: generic rules are asked for. */
void pyrra_warn(const struct pyrra_objective *objective, struct str file, bool generic, struct buf *out);

/* ---- windows ---- */

/* Fires if more than `factor` times the budget's pace was spent in both windows, for so long. */
struct pyrra_window {
    int64_t short_ms, long_ms, for_ms;
    int factor;
};

/* Pyrra's table for 28 days, scaled to this period and rounded to minutes. A range of 0 comes of a period below PYRRA_WINDOW_MIN_MS. */
#define PYRRA_WINDOW_MIN_MS (INT64_C(8064) * 30 * 1000)
void pyrra_windows(int64_t period_ms, struct pyrra_window out[PYRRA_TIERS]);

/* How long a metric must be absent for an alert: as long as it would take the first tier to fire if all events were bad. */
int64_t pyrra_absent_for_ms(const struct pyrra_objective *objective);

/* ---- rules ---- */

/* performanceOverAccuracy makes two files, SHORT and LONG, whose groups have the same names; without it there is WHOLE. */
enum pyrra_part { PYRRA_WHOLE, PYRRA_SHORT, PYRRA_LONG };

struct pyrra_generate {
    bool generic_rules; /* pyrra_availability and its kin, which look the same for all objectives */
    bool exact_le; /* le="1" stays so; else it becomes le=~"1(\\.0)?", which Prometheus 2 and 3 both match */
    struct str external_url; /* of Pyrra's page, for the annotation pyrra_url; empty: none */
    bool
        operator_rule; /* a PrometheusRule for Prometheus' operator; of several objectives one each, in documents */
};

/* ERR_ARG, with the reason: no URL that an annotation could begin with. */
int pyrra_url_check(struct str url, struct err *err);

/* Appends the rule file that Pyrra writes, byte for byte, of those objectives that have this part; several share one list of groups,
 * which Pyrra, who reads one document a file, does not know. Nothing is appended if none has it. Two differences: a short file of
 * a native histogram has no nameless group, with which Prometheus would not load it; and the operator's objects are Pyrra's in what
 * they say, not in their metadata. ERR_PARSE: the rules do not load, or one name came twice; ERR_LIMIT. */
int pyrra_generate(const struct pyrra_objective *objectives, size_t count, enum pyrra_part part,
                   const struct pyrra_generate *options, struct buf *out, struct err *err);

#endif
