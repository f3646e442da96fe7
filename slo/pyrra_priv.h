/*
 * What the files about Pyrra share: texts of its rules, in an arena; past its cap they are empty, and it is exhausted.
 */
#ifndef TOCSIN_PYRRA_PRIV_H
#define TOCSIN_PYRRA_PRIV_H

#include "tocsin/pyrra.h"

#include "tocsin/yaml_emit.h"

#include "slo_priv.h"

/* What is wrong with what an objective says, once it is read; takes the bound out of the selector of PYRRA_LATENCY. */
int pyrra_check(struct pyrra_objective *objective, const struct tree *root, struct err *err);

/* A plain selector of a metric that is named in front of its braces. ERR_PARSE, without a place. */
int pyrra_selector_parse(struct arena *arena, struct str text, struct pyrra_selector *out, struct err *err);

/* ---- windows ---- */

#define PYRRA_WINDOW_MAX_MS (INT64_C(10) * 365 * 24 * 60 * 60 * 1000)

enum { PYRRA_RANGES_MAX = 2 * PYRRA_TIERS };

/* All ranges of a period's windows, each once, ascending. Returns how many. */
size_t pyrra_ranges(int64_t period_ms, int64_t ranges[PYRRA_RANGES_MAX]);

/* When the whole budget is gone at this pace, to the second. */
int64_t pyrra_exhaustion_ms(int64_t period_ms, int factor);

/* How often sums over the whole period are computed. */
int64_t pyrra_increase_interval_ms(int64_t period_ms);

/* ---- names and texts ---- */

struct str pyrra_format(struct arena *arena, const char *form, ...) __attribute__((format(printf, 2, 3)));
struct str pyrra_duration(struct arena *arena, int64_t ms);    /* 1h30m */
struct str pyrra_go_duration(struct arena *arena, int64_t ms); /* 1h30m0s */
struct str pyrra_number(struct arena *arena, double value, char form);

/* The latency of a native histogram. */
double pyrra_seconds(const struct pyrra_objective *objective);

/* Of what B:burnrate5m is recorded, and I:increase5m. */
struct str pyrra_burn_name(struct str metric);
struct str pyrra_increase_name(struct str metric);

/* name{a="b",c=~"d"}: sorted as texts; the bare name if nothing is asked for. */
struct str pyrra_selector_print(struct arena *arena, const struct pyrra_selector *selector);

/* The same matchers on another name; with one more; with le="1" so that "1.0" passes, too. */
struct pyrra_selector pyrra_renamed(const struct pyrra_selector *selector, struct str name);
struct pyrra_selector pyrra_with(struct arena *arena, const struct pyrra_selector *selector,
                                 struct matcher more);
struct pyrra_selector pyrra_le_for_both(struct arena *arena, const struct pyrra_selector *selector);

/* ---- sets of labels ---- */

/* A sorted set; `add` does nothing where it is there. */
struct pyrra_names {
    struct str *items;
    size_t count, capacity;
};
void pyrra_names_add(struct arena *arena, struct pyrra_names *names, struct str name);
bool pyrra_names_has(const struct pyrra_names *names, struct str name);
struct pyrra_names pyrra_grouping(struct arena *arena, const struct pyrra_objective *objective);

/* "sum", or "sum by (a, b) ". */
struct str pyrra_sum_by(struct arena *arena, const struct str *names, size_t count);

/* slo, the objective's labels, and what the total's selector fixes: of both what series are not grouped by. */
struct strict_pairs pyrra_labels(struct arena *arena, const struct pyrra_objective *objective,
                                 const struct pyrra_names *grouped);

/* The objective's annotations, and pyrra_url. */
struct strict_pairs pyrra_annotations(struct arena *arena, const struct pyrra_objective *objective,
                                      struct str external_url);

/* ---- rules ---- */

/* Of one objective, in the making. */
struct pyrra_rules {
    struct arena *arena;
    const struct pyrra_objective *objective;
    const struct pyrra_generate *options;
    struct pyrra_selector total, counted; /* as queries ask for them */
    struct pyrra_names grouping;
};

void pyrra_record(const struct pyrra_rules *r, struct tree *rules, struct str name, struct str expr,
                  struct strict_pairs labels);

/* for_text: empty for none. */
void pyrra_alert(const struct pyrra_rules *r, struct tree *rules, struct str name, struct str expr,
                 struct str for_text, struct strict_pairs labels, struct strict_pairs annotations);

/* sum by (...) (FUNCTION(SELECTOR[RANGE])) */
struct str pyrra_sum(const struct pyrra_rules *r, struct str sum_by, const char *function,
                     const struct pyrra_selector *selector, int64_t range_ms);

/* The rules of each group, in order. */
struct tree *pyrra_increase_rules(const struct pyrra_rules *r, enum pyrra_part part);
struct tree *pyrra_burn_rules(const struct pyrra_rules *r);
struct tree *pyrra_generic_rules(const struct pyrra_rules *r); /* empty where there are none */

#endif
