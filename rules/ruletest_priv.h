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
    bool partial;
};

struct test_alert {
    struct strict_duration eval_time;
    struct str alertname;
    struct strict_list expected; /* of struct test_expected_alert */
    struct strict_list pending;  /* likewise; items NULL: not given */
};

struct test_sample {
    struct str labels, histogram;
    double value;
    bool partial;
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
    struct junit *junit; /* NULL: not wanted */
};

/* ruletest_print.c */
void test_print_failure(struct test_print *print, const char *text);

/* The lines of both texts as a diff: those only in the first behind "-", only in the second behind "+". */
void test_print_diff(struct buf *out, struct str expected, struct str got, const char *indent);

/* The file as a <testsuite>, in promtool's form. */
struct junit {
    struct buf cases;
    size_t count, failures;
    bool in_case;
};
void junit_init(struct junit *j);
void junit_case(struct junit *j, struct str name);
void junit_failure(struct junit *j, const char *text);
/* aborted: the file could not be run, and why; NULL: it was. Releases *j. */
void junit_end(struct junit *j, struct str file, int64_t now_ns, const char *aborted, struct buf *out);

/* One test while it runs. */
struct test_run {
    const struct test_file *file;
    const struct test_group *test;
    struct world *disk;
    struct str folder; /* of the test file */
    const struct ruletest_options *options;
    struct arena arena;
    struct test_print *print;
    struct ruletest_coverage *coverage; /* NULL: not wanted */
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

/* ruletest_alerts.c: compares the alerts of now with what the test expects between now and the next evaluation. */
void test_alerts_at(struct test_run *run, int64_t now_ns);

/* ruletest_exprs.c */
void test_exprs(struct test_run *run);

/* All samples there are, on *errors (--debug). */
void test_dump(struct test_run *run);

/* ruletest_pair.c: whether as many were expected as came, and each expected one can have one that came to itself. */
typedef bool test_fits(void *context, size_t expected, size_t got);
bool test_pair_up(struct arena *arena, size_t expected, size_t got, test_fits *fits, void *context);

/* Whether all that is expected is there; an empty value expects a label not to be there. */
bool test_includes(const struct labels *got, const struct label *expected, size_t count);

/* ruletest_coverage.c: notes the rules of the test, and which of them it looks at. */
void test_cover(struct test_run *run);

#endif
