/*
 * A rule unit-test file as read, and one test of it under way.
 */
#ifndef TOCSIN_RULETEST_PRIV_H
#define TOCSIN_RULETEST_PRIV_H

#include "ruler_priv.h"
#include "tocsin/ruletest.h"
#include "tocsin/strict_model.h"

struct test_series {
    struct str series, values;
};

struct test_expected_alert {
    struct strict_pairs labels, annotations;
};

struct test_alert {
    struct strict_duration eval_time;
    struct str alertname;
    struct strict_list expected; /* of struct test_expected_alert */
};

struct test_sample {
    struct str labels, histogram;
    double value;
};

struct test_expr {
    struct str expr;
    struct strict_duration eval_time;
    struct strict_list expected; /* of struct test_sample */
};

struct test_group {
    struct str name;
    struct strict_duration interval;
    int64_t start_ns;
    struct strict_list input;  /* of struct test_series */
    struct strict_list alerts; /* of struct test_alert */
    struct strict_list exprs;  /* of struct test_expr */
    struct strict_pairs external_labels;
    struct str external_url;
};

struct test_file {
    struct strict_texts rule_files, group_order;
    struct strict_duration interval;
    bool fuzzy_compare;
    struct strict_list tests; /* of struct test_group */
};

/* Reads a test file's text; every text of *out points into the arena. */
int ruletest_decode(struct arena *arena, struct str text, struct test_file *out, struct err *err);

/* Where verdicts go, as promtool prints them: failures to *errors, each followed by an empty line on *out. */
struct test_print {
    FILE *out, *errors;
    bool failed;
};

void test_print_failure(struct test_print *print, const char *text);

/* One test while it runs. */
struct test_run {
    const struct test_file *file;
    const struct test_group *test;
    struct world *disk;
    struct str folder; /* of the test file */
    const struct ruletest_options *options;
    struct arena arena;
    struct test_print *print;
    size_t failed;
    struct world_sim sim;
    struct store *store;
    struct ruler *ruler;
    struct live_group **groups; /* in the order of evaluation */
    size_t group_count;
    int64_t start_ns, step_ns; /* of the evaluations */
    int64_t end_ns;            /* of the last one */
    struct test_input *input;
    size_t input_count;
};

/* A series to be admitted, and how much of it has been. */
struct test_input {
    const struct labels *labels;
    const struct sample *samples;
    size_t count, admitted;
};

void test_failure(struct test_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ruletest_verify.c */
/* Compares the alerts that fire now with what the test expects between now and the next evaluation. */
void test_alerts_at(struct test_run *run, int64_t now_ns);
void test_exprs(struct test_run *run);

#endif
