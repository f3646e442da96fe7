/*
 * promqltest: the pieces of the test runner.
 *
 *   promqltest.c          lines, blocks, commands
 *   promqltest_series.c   `metric{a="b"} 1+1x4 _ stale`
 *   promqltest_load.c     load, load_with_nhcb
 *   promqltest_nhcb.c     the histograms of load_with_nhcb
 *   promqltest_expect.c   reading what an eval expects
 *   promqltest_compare.c  holding a result against it
 *   promqltest_eval.c     running an eval, and once more at other times
 */
#ifndef TOCSIN_PROMQLTEST_PRIV_H
#define TOCSIN_PROMQLTEST_PRIV_H

#include "plan_priv.h"
#include "tocsin/promqltest.h"
#include "tocsin/sample.h"

/* ---- series ---- */

struct series_item {
    bool present;
    bool hint_given; /* a histogram whose literal names its counter_reset_hint */
    struct sample sample;
};

struct series_line {
    const struct labels *labels;
    bool starts; /* metric@st: the items are start times, relative to the samples */
    struct series_item *items;
    size_t count, capacity;
};

/* Reads one line; times are left at 0. */
int series_line_parse(struct arena *arena, struct str line, struct series_line *out, struct err *err);
int series_values_parse(struct arena *arena, struct str values, struct series_line *out, struct err *err);

/* ---- expectations ---- */

enum expect_what { EXPECT_WARN, EXPECT_NO_WARN, EXPECT_INFO, EXPECT_NO_INFO, EXPECT_FAIL };
enum expect_how { EXPECT_ANY, EXPECT_MESSAGE, EXPECT_REGEX };

struct expect_line {
    enum expect_what what;
    enum expect_how how;
    struct str text;
};

struct expectation {
    struct expect_line *lines;
    size_t line_count, line_capacity;
    bool ordered, fail;
    bool is_scalar, is_string, is_window;
    double scalar;
    struct str string;
    struct series_line *series;
    size_t series_count, series_capacity;
    int64_t from_ms, to_ms, step_ms; /* of an expected range vector */
};

struct eval_command {
    struct str text; /* the expression */
    bool range;
    int64_t at_ms;
    int64_t from_ms, to_ms, step_ms;
    struct expectation expect;
};

int expectation_line(struct arena *arena, struct str line, struct expectation *x, bool *ends,
                     struct err *err);
int expectation_add(struct arena *arena, struct expectation *x, struct expect_line line);

/* 0, or ERR_EXEC with what differs. */
int compare_instant(const struct eval_command *c, const struct promql_result *r, struct err *err);
int compare_range(const struct eval_command *c, const struct promql_result *r, struct err *err);
int compare_notes(const struct eval_command *c, const struct promql_result *r, struct err *err);
int compare_failure(const struct eval_command *c, const struct err *failure, struct err *err);
bool almost_equal(double a, double b);

/* ---- running ---- */

struct script {
    struct world *world;
    const char *path;
    const struct promql_features *features;
    struct promqltest_report *report;
    struct store *store;
    struct world_sim clock; /* of the store: late enough for every sample */
    struct str rest;        /* lines to come */
    int line;               /* of the line at hand */
};

/* The next line, trimmed, comments emptied. False at the end. */
bool script_line(struct script *s, struct str *line);

/* The series of one load block. */
struct loading {
    struct script *script;
    struct arena arena;
    int64_t step_ms;
    struct series_line *series;
    size_t count, capacity;
    struct series_line starts; /* a metric@st line waiting for its samples */
    struct err *err;
};

/* load_with_nhcb: adds to the block's series a native histogram for each classic one. */
int load_histograms(struct loading *l);

int load_run(struct script *s, struct str command, struct err *err);
int eval_run(struct script *s, const struct eval_command *c, struct arena *arena, struct err *err);

#endif
