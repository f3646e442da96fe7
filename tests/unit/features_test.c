#include "../../engine/daemon/features_priv.h"

#include "tocsin/log.h"
#include "tocsin/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int enable(struct promql_features *to, const char *list, struct err *err)
{
    const struct flag_list lists = {.items = {list}, .count = 1};
    return features_enable(to, &lists, err);
}

/* What was logged while the lists were read. */
static void log_of(const char *list, char *text, size_t size)
{
    int ends[2];
    struct promql_features features = promql_features_default;
    struct err err = {0};
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, ends[1]);
    int rc = enable(&features, list, &err);
    log_setup(LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, -1);
    close(ends[1]);
    ssize_t n = read(ends[0], text, size - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    if (rc != 0)
        fail_msg("%s: %s", list, err.text);
    assert_memory_equal(&features, &promql_features_default, sizeof features);
}

static void each_name_of_the_language_sets_its_own_part(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct promql_features wanted;
    } cases[] = {
        {"promql-experimental-functions", {.experimental_functions = true}},
        {"promql-extended-range-selectors", {.extended_range_selectors = true}},
        {"promql-binop-fill-modifiers", {.binop_fill_modifiers = true}},
        {"promql-delayed-name-removal", {.delayed_name_removal = true}},
        {"use-start-timestamps", {.start_timestamps = true}},
        {"type-and-unit-labels", {.type_and_unit_labels = true}},
        {"promql-per-step-stats", {.per_step_stats = true}},
        {"concurrent-rule-eval", {.concurrent_rule_eval = true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct promql_features got = {0};
        assert_int_equal(enable(&got, cases[i].name, NULL), 0);
        assert_memory_equal(&got, &cases[i].wanted, sizeof got);
    }
}

static void lists_add_up(void **state)
{
    (void)state;
    struct promql_features got = {0};
    const struct flag_list lists = {
        .items = {"promql-binop-fill-modifiers, use-start-timestamps,", "", "type-and-unit-labels"},
        .count = 3};
    const struct promql_features wanted = {
        .binop_fill_modifiers = true, .start_timestamps = true, .type_and_unit_labels = true};
    assert_int_equal(features_enable(&got, &lists, NULL), 0);
    assert_memory_equal(&got, &wanted, sizeof got);
}

/* All that Prometheus 3.14 knows beside them, and some that it knew before. */
static void other_flags_of_prometheus_are_taken_with_one_line(void **state)
{
    (void)state;
    static const char *const names[] = {"promql-duration-expr",
                                        "exemplar-storage",
                                        "memory-snapshot-on-shutdown",
                                        "extra-scrape-metrics",
                                        "created-timestamp-zero-ingestion",
                                        "st-storage",
                                        "st-synthesis",
                                        "old-ui",
                                        "metadata-wal-records",
                                        "delayed-compaction",
                                        "auto-reload-config",
                                        "otlp-deltatocumulative",
                                        "otlp-native-delta-ingestion",
                                        "use-uncached-io",
                                        "xor2-encoding",
                                        "histograms-st-encoding",
                                        "fast-startup",
                                        "search-api",
                                        "native-histograms",
                                        "ooo-native-histograms",
                                        "promql-at-modifier",
                                        "promql-negative-offset",
                                        "remote-write-receiver",
                                        "utf8-names",
                                        "expand-external-labels",
                                        "no-default-scrape-port",
                                        "new-service-discovery-manager",
                                        "otlp-write-receiver",
                                        "auto-gomaxprocs",
                                        "auto-gomemlimit"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[4096], field[128];
        log_of(names[i], text, sizeof text);
        snprintf(field, sizeof field, "feature=%s ", names[i]);
        if (strstr(text, field) == NULL || strchr(text, '\n') != text + strlen(text) - 1)
            fail_msg("%s: logged %s", names[i], text);
    }
    char text[4096];
    log_of("", text, sizeof text);
    assert_string_equal(text, "");
}

static void an_unknown_name_is_an_error_that_lists_the_known(void **state)
{
    (void)state;
    struct promql_features got = {0};
    struct err err = {0};
    assert_int_equal(enable(&got, "promql-experimental-function", &err), ERR_ARG);
    assert_non_null(strstr(err.text, "\"promql-experimental-function\" is not known; known are "
                                     "promql-experimental-functions, "));
    assert_non_null(
        strstr(err.text, ", concurrent-rule-eval; and, without effect here: promql-duration-expr "));
    assert_true(str_ends(str_of(err.text), STR(" auto-gomaxprocs auto-gomemlimit")));
    char name[4096];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(enable(&got, name, &err), ERR_ARG);
    assert_true(str_ends(str_of(err.text), STR(" auto-gomaxprocs auto-gomemlimit")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_of_the_language_sets_its_own_part),
        cmocka_unit_test(lists_add_up),
        cmocka_unit_test(other_flags_of_prometheus_are_taken_with_one_line),
        cmocka_unit_test(an_unknown_name_is_an_error_that_lists_the_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
