/*
 * promql: an expression, prepared once and evaluated often.
 *
 * promql_open parses, checks and, when given a store, announces each selector as a standing selector, so that an
 * evaluation needs no look-up. promql_instant and promql_range then compute on a view. Results live in the
 * arena of the evaluation and outlive the view and the expression.
 *
 * Semantics are Prometheus 3.14's (left-open ranges and look-back). What is valid but
 * not built answers ERR_UNSUPPORTED naming it; it never guesses.
 */
#ifndef TOCSIN_PROMQL_H
#define TOCSIN_PROMQL_H

#include "tocsin/promql_parse.h"
#include "tocsin/view.h"

#include <stdatomic.h>

enum { PROMQL_LOOKBACK_MS = 5 * 60 * 1000 };

struct promql_options {
    struct promql_features features;
    int64_t lookback_ms;      /* 0: PROMQL_LOOKBACK_MS */
    int64_t subquery_step_ms; /* for [5m:]; 0: one minute */
    int64_t samples_max;      /* 0: limits.query_samples */
    int64_t timeout_ms;       /* 0: limits.query_timeout_ms */
    int64_t
        late_ms; /* it may be asked for a time that long ago (query_offset): selectors reach further back */
    bool stats;  /* count what is looked at, into promql_result.stats */
    struct world *world;          /* for the deadline only; NULL: no deadline */
    const atomic_bool *cancelled; /* polled now and then; NULL: never */
};

struct promql_point {
    int64_t t_ms;
    double value;
    const struct histogram *histogram; /* NULL for a float */
};

struct promql_series {
    const struct labels *labels;
    struct promql_point *points; /* in time order */
    size_t count;
};

enum annotation_kind { ANNOTATION_WARNING, ANNOTATION_INFO };

struct annotation {
    enum annotation_kind kind;
    struct str text; /* "PromQL info: ... (1:5)" */
};

/* What an evaluation looked at, counted as Prometheus does (3.14): a histogram counts as many samples as it weighs. */
struct promql_stats {
    int64_t samples;           /* what each step alone would look at, summed up */
    int64_t samples_read;      /* without what was there from the step before */
    int64_t samples_peak;      /* what Prometheus would hold of it at once */
    const int64_t *samples_at; /* the first two, step by step */
    const int64_t *read_at;
    size_t steps;
    int64_t start_ms, step_ms; /* of the steps */
    int64_t sort_ns;           /* what it took to put the result in order */
};

struct promql_result {
    enum promql_type type; /* of an instant query: as the expression; of a range query: PROMQL_MATRIX */
    double scalar;         /* PROMQL_SCALAR */
    struct str string;     /* PROMQL_STRING */
    int64_t t_ms;          /* evaluation time of an instant query */
    struct promql_series
        *series; /* PROMQL_VECTOR: one point each, order as Prometheus gives it; PROMQL_MATRIX */
    size_t count;
    struct annotation *annotations; /* deduplicated */
    size_t annotation_count;
    const struct promql_stats *stats; /* NULL unless asked for */
};

/* One operation on two numbers, as an evaluation does it; op: OP_ADD to OP_ATAN2. */
double promql_arithmetic(enum promql_op op, double a, double b);

struct promql; /* a prepared expression */

/* text is copied. store NULL: ad hoc, selectors are looked up at each evaluation. */
int promql_open(struct str text, const struct promql_options *options, struct store *store,
                struct promql **out, struct err *err);
void promql_close(struct promql *q);

const struct expr *promql_expr(const struct promql *q);

/* How many series each of its selectors holds now: the smallest of them. 0 means "matches no series". */
size_t promql_series_matched(const struct promql *q, struct store *store);

/* Its standing selectors, one after the other: how far behind the time of evaluation the newest sample is that each looks at (its
 * offsets; negative: ahead). Those pinned with @ are left out. False past the last. */
struct promql_input {
    const struct standing *standing;
    const struct expr *selector;
    int64_t behind_ms;
};
bool promql_input(const struct promql *q, size_t i, struct promql_input *out);

/* How many series all its selectors hold now together. */
size_t promql_series_read(const struct promql *q, struct store *store);

/* True if each element of the result comes from one sample, the newest of its series, alone: x > 5, -x / 4 < 2. */
bool promql_decided_by_sample(const struct promql *q);

/* Before its turn comes: brings nearer what an evaluation will read, without waiting for memory. Each step, from 0 on, follows what the
 * one before it brought, and is best taken some time after it. */
enum { PROMQL_STEPS_NEARER = 5 };
void promql_bring_nearer(const struct promql *q, int step);

/* One that was opened with a store remembers what helps its next evaluation: not for two threads at once.
 *
 * 0; ERR_EXEC for run-time errors with Prometheus' text, ERR_LIMIT, ERR_TIMEOUT, ERR_CANCEL, ERR_UNSUPPORTED. */
int promql_instant(const struct promql *q, struct view *view, int64_t t_ms, struct arena *arena,
                   struct promql_result *out, struct err *err);

/*
 * What several expressions have in common: a part such as sum(rate(x[6h])) that stands in several of them, or several times in one, is
 * computed once when they are evaluated one after the other at the same time, as rules of a group are.
 *
 * promql_share finds such parts, once, before any of the expressions is evaluated, and returns how many there are. All were opened
 * with the same options and store. is_written: may an expression that is evaluated change series of that name? What is made of such
 * (or of series with no certain name) stands until promql_shared_forget, the rest until promql_shared_close.
 *
 * Values, annotations and errors are those of promql_instant on series that do not change meanwhile. Results live as long as both the
 * arena and what is shared. With options.stats nothing is shared. Not for two threads at once.
 */
typedef bool promql_is_written(void *context, struct str metric);
size_t promql_share(struct promql *const *queries, size_t count, promql_is_written *is_written,
                    void *context);

struct promql_shared; /* values of such parts at one time */

struct promql_shared *promql_shared_open(size_t parts, int64_t t_ms); /* NULL for no parts */
void promql_shared_forget(struct promql_shared *shared);              /* NULL is fine for these */
void promql_shared_close(struct promql_shared *shared);

/* promql_instant, taking what is there and leaving what it computes. shared NULL: the same as promql_instant. */
int promql_instant_shared(const struct promql *q, struct view *view, int64_t t_ms,
                          struct promql_shared *shared, struct arena *arena, struct promql_result *out,
                          struct err *err);

/* Steps start, start+step, ... <= end. The expression must be a scalar or an instant vector (ERR_ARG otherwise). */
int promql_range(const struct promql *q, struct view *view, int64_t start_ms, int64_t end_ms, int64_t step_ms,
                 struct arena *arena, struct promql_result *out, struct err *err);

#endif
