/*
 * eval: how an expression becomes values.
 *
 * A node is evaluated over all steps of its grid at once. An instant vector is a list of columns: one series
 * each, with one cell per step. Parts that do not depend on the step are evaluated once and repeated
 * (eval.c). A range vector is never held as a whole: matrix.h hands out its series one by one, each with a
 * window per step.
 *
 * Who owns what: columns live in the arena of the evaluation; a node's columns belong to its parent, which
 * may change them in place. Windows live in `scratch` until the next series. A column without any cell does
 * not exist.
 *
 * Names: with delayed name removal a function marks the columns that lose their name (drop_name), and
 * result.c takes the names away at the end; without it eval_drop_names does so at once.
 */
#ifndef TOCSIN_PROMQL_EVAL_PRIV_H
#define TOCSIN_PROMQL_EVAL_PRIV_H

#include "plan_priv.h"
#include "tocsin/histogram.h"
#include "tocsin/promql_func.h"
#include "tocsin/sample.h"

struct grid {
    int64_t start_ms, step_ms;
    size_t count;
};

static inline int64_t grid_at(const struct grid *g, size_t i)
{
    return g->start_ms + (int64_t)i * g->step_ms;
}

enum cell_kind { CELL_NONE, CELL_FLOAT, CELL_HISTOGRAM };

struct cell {
    enum cell_kind kind;
    double value;
    const struct histogram *histogram;
};

struct column {
    const struct labels *labels;
    bool drop_name;
    uint8_t *kinds; /* enum cell_kind, one per step */
    double *values;
    const struct histogram **histograms; /* NULL as long as no cell holds one */
};

struct vector {
    struct column **items;
    size_t count, capacity;
    char *spare; /* room for columns: vector_reserve */
    size_t spare_count;
};

struct note; /* an annotation on its way: annotation.c */

struct notes {
    struct note *first, *last;
    size_t count;
};

struct tally; /* what is looked at, counted: tally_priv.h */
struct held;  /* what Prometheus would hold of it at once: held_priv.h */

struct evaluation {
    const struct promql *q;
    struct view *view;
    struct arena *arena;
    struct arena scratch;
    int64_t start_ms, end_ms, step_ms; /* of the whole query: @ start(), @ end(), step() */
    struct duration_context durations;
    int64_t lookback_ms;
    struct notes notes;
    int64_t samples, samples_most, samples_max; /* held now, at once so far, at all; cells and window points */
    struct tally *tally;                        /* NULL: nobody asked */
    struct held *held;                          /* likewise */
    struct promql_shared *shared;               /* shared_priv.h; NULL: it shares nothing */
    int64_t deadline_ns;                        /* 0: none */
    unsigned polls;
    struct err *err;
};

/* ---- eval.c: nodes ---- */

int eval_vector(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out);
/* The same, whatever has been computed of it before. */
int eval_afresh(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out);
int eval_scalar(struct evaluation *ev, const struct expr *e, const struct grid *g, double **out);
struct str eval_string(const struct expr *e);

/* Sets the error and returns its code. */
int eval_fail(struct evaluation *ev, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int eval_no_memory(struct evaluation *ev);

/* Call it once per series or so: cancelled, past the deadline? */
int eval_poll(struct evaluation *ev);

/* Counts samples as held; ERR_LIMIT beyond the maximum. Negative: let go. */
int eval_hold(struct evaluation *ev, int64_t samples);

/* ---- vector.c: columns ---- */

/* An empty column at the end of v. */
int vector_add(struct evaluation *ev, struct vector *v, const struct grid *g, const struct labels *labels,
               bool drop_name, struct column **out);
/* Room for so many on this grid, that may come. */
int vector_reserve(struct evaluation *ev, struct vector *v, const struct grid *g, size_t count);
int vector_push(struct evaluation *ev, struct vector *v, struct column *c);
bool column_is_empty(const struct column *c, const struct grid *g);
/* Takes out the columns without any cell. */
void vector_trim(struct vector *v, const struct grid *g);
void vector_sort(struct vector *v); /* by labels */

/* What it counts against the limit of samples: a histogram as many as its bytes would hold. */
int64_t sample_weight(const struct sample *s);
int64_t histogram_bytes(const struct histogram *h); /* as Prometheus holds it */
int64_t column_weight(const struct column *c, const struct grid *g);
int64_t vector_weight(const struct vector *v, size_t from, const struct grid *g);

struct cell column_get(const struct column *c, size_t step);
int column_set(struct evaluation *ev, struct column *c, const struct grid *g, size_t step,
               const struct cell *cell);

static inline void column_set_float(struct column *c, size_t step, double value)
{
    c->kinds[step] = CELL_FLOAT;
    c->values[step] = value;
}

/* Marks or removes the names of all columns, as the option says. */
int eval_drop_names(struct evaluation *ev, struct vector *v, const struct grid *g);

/* Joins columns with equal labels; ERR_EXEC if two of them have a cell at the same step. */
int vector_merge_equal(struct evaluation *ev, struct vector *v, const struct grid *g);

/* Without __name__, __type__ and __unit__. */
const struct labels *labels_without_metadata(struct arena *arena, const struct labels *ls);
struct str labels_metric(const struct labels *ls);

/* A table of label sets, numbered in order of their first appearance. */
struct label_index {
    const struct labels **items;
    size_t count, capacity;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slot_count;
};

int label_index_add(struct evaluation *ev, struct label_index *index, const struct labels *ls,
                    size_t *number);
/* SIZE_MAX if it is not there. */
size_t label_index_find(const struct label_index *index, const struct labels *ls);

/* ---- eval_selector.c ---- */

enum selector_value { SELECT_VALUE, SELECT_TIME, SELECT_START_TIME };

int eval_selector(struct evaluation *ev, const struct expr *e, const struct grid *g, enum selector_value what,
                  struct vector *out);

/* The same of some of its series only. */
int eval_selected(struct evaluation *ev, const struct expr *e, const struct grid *g, enum selector_value what,
                  const struct series_set *set, struct vector *out);

/* Under histogram_count() and the like (plan_node.detect_resets): what the store left open is decided against the
 * sample before. */
int eval_detect_resets(struct evaluation *ev, struct sample_run *run);

/* Its series, in order of their creation. */
int eval_series(struct evaluation *ev, const struct expr *e, struct series_set *set);

struct shift {
    bool fixed;
    int64_t at_ms, offset_ms;
};

int shift_resolve(struct evaluation *ev, const struct time_shift *from, struct shift *out);

static inline int64_t shift_time(const struct shift *s, int64_t t_ms)
{
    return (s->fixed ? s->at_ms : t_ms) - s->offset_ms;
}

bool sample_is_stale(const struct sample *s);

/* ---- operators and aggregations ---- */

int eval_binary(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out);
int eval_binary_scalar(struct evaluation *ev, const struct expr *e, const struct grid *g, double **out);
int eval_match(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out);
int eval_aggregate(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out);
int eval_call(struct evaluation *ev, const struct expr *e, const struct grid *g, struct vector *out);
/* The values of a call at the only step of g, in the order of its elements, for whoever looks at nothing else of them. None in *out:
 * they are not to be had without their vector. */
struct floats {
    double *values; /* NULL: none */
    size_t count;
};
int eval_call_floats(struct evaluation *ev, const struct expr *e, const struct grid *g, struct floats *out);
int eval_call_scalar(struct evaluation *ev, const struct expr *e, const struct grid *g, double **out);

bool op_is_comparison(enum promql_op op);
bool op_is_set(enum promql_op op);

/* One pair of operands. out->kind CELL_NONE: nothing remains. An annotation goes to *note_text (empty:
 * none). */
struct operands {
    enum promql_op op;
    struct cell left, right;
};
struct operation_note {
    enum annotation_kind kind;
    struct str text;
    bool remains; /* the result stands beside the note; else the element goes */
};
int operate(struct evaluation *ev, const struct operands *o, struct cell *out, bool *keep,
            struct operation_note *note);

/* ---- annotation.c ---- */

/* position: byte offset into the text. Equal texts are one entry, at the position of the last. */
int note_add(struct evaluation *ev, enum annotation_kind kind, size_t position, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, and it tells how often it was added: "... (3 occurrences)". */
int note_count(struct evaluation *ev, enum annotation_kind kind, size_t position, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Warnings about a series that cannot be computed with. */
int note_mixed_kinds(struct evaluation *ev, size_t position, const struct labels *series);
int note_mixed_schemas(struct evaluation *ev, size_t position, const struct labels *series);
int notes_finish(struct evaluation *ev, struct promql_result *out);
/* Go's %q and %g, in the evaluation's arena. "" when memory ran out. */
const char *note_quote(struct evaluation *ev, struct str s);
const char *note_float(struct evaluation *ev, double v);

/* ---- result.c ---- */

int result_vector(struct evaluation *ev, struct vector *v, const struct grid *g, struct promql_result *out);
int result_matrix(struct evaluation *ev, struct vector *v, const struct grid *g, struct promql_result *out);
int result_windows(struct evaluation *ev, const struct expr *e, const struct grid *g,
                   struct promql_result *out);

#endif
