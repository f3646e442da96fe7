/*
 * One objective on its way to a rule group: the texts of its expressions, window by window, and the rules so far.
 *
 * Where the arena is at its cap texts are empty and the rules incomplete: it is asked once, at the end.
 */
#ifndef TOCSIN_COMPILE_PRIV_H
#define TOCSIN_COMPILE_PRIV_H

#include "slo_priv.h"

#include "tocsin/objective_rules.h"
#include "tocsin/yaml_emit.h"

/* What there is to say of one window. Each text can stand as an operand. */
struct measure {
    int64_t window_ms;
    struct str window;     /* "1h" */
    struct str total, bad; /* events, or events a second; empty without events */
    struct str ratio;      /* of errors */
    struct str burn;       /* its multiple of what is allowed; the ratio itself where nothing is */
};

struct compiler {
    struct arena *arena;
    const struct objective *o;
    const struct promql_features *features;
    struct fraction budget; /* 1 - target */
    bool by_slices;         /* a window's ratio is the mean of the slices' */
    bool per_second;        /* queries say events a second */
    struct measure *measures;
    size_t measure_count, measure_capacity;
    struct tree *rules;
    struct err *err;
};

/* ---- compile_query.c ---- */

/* Looks at the queries: are they such, and what do they tell. */
int compile_begin(struct compiler *c);

/* Of one window, made when it is asked for first. */
int compile_measure(struct compiler *c, int64_t window_ms, const struct measure **out);

/* The ratio in the slice that ends now. */
int compile_slice(struct compiler *c, struct str *out);

/* What there must be for there to be data at all, looked at over that window. */
int compile_presence(struct compiler *c, int64_t window_ms, struct str *out);

/* How many events one of measure.total or .bad stands for. */
double compile_scale(const struct compiler *c, int64_t window_ms);

/* ---- compile_text.c ---- */

struct str compile_format(struct arena *arena, const char *form, ...) __attribute__((format(printf, 2, 3)));
struct str compile_number(struct arena *arena, double value); /* as PromQL reads it, to the last digit */
struct str compile_duration(struct arena *arena, int64_t ms);
struct str compile_quote(struct arena *arena, struct str text);              /* a PromQL string */
struct str compile_grouping(struct arena *arena, const struct objective *o); /* "(a, b)" */

/* "sum by (a, b) (INNER)", with what tells groups apart. */
struct str compile_sum(struct compiler *c, struct str inner);

/* The mean of all samples of a range of series, whatever labels they had besides those that tell groups apart. */
struct str compile_mean(struct compiler *c, struct str range);

/* A burn rate over its limit: measure.burn of these windows > limit. */
struct str compile_over(struct compiler *c, struct str burn, struct fraction limit);

/* ---- rules ---- */

/* Appends one; both give the rule back for what else it has to say. NULL past the arena's cap. */
struct tree *compile_record(struct compiler *c, struct str name, struct str expr, struct strict_pairs labels);
struct tree *compile_alert(struct compiler *c, struct str name, struct str expr, struct strict_pairs labels,
                           struct strict_pairs annotations);

/* The objective's labels, slo and service; more may be put over them. */
struct strict_pairs compile_labels(struct compiler *c);

/* ---- compile_series.c, compile_alerts.c: what is added ---- */

int compile_series(struct compiler *c);
int compile_alerts(struct compiler *c);

/* compile_tiers.c */
int compile_tiers(struct compiler *c);

/* The guards of a tier as further terms, " and ..."; empty without any. */
int compile_guards(struct compiler *c, const struct objective_tier *tier, struct str *out);

#endif
