#include "tocsin/stat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <string.h>

static void counts_sets_and_shows(void **state)
{
    (void)state;
    stat_add(STAT_pushes, 2);
    stat_add(STAT_pushes, 3);
    stat_set(STAT_reload_ok, 1);
    assert_int_equal(stat_get(STAT_pushes), 5);
    struct buf b;
    buf_init(&b, 1 << 20);
    stat_write_metrics(&b);
    assert_non_null(strstr(buf_text(&b), "# TYPE tocsin_pushes_total counter\ntocsin_pushes_total 5\n"));
    stat_add(STAT_histograms_appended, 7);
    buf_clear(&b);
    stat_write_metrics(&b);
    assert_non_null(strstr(buf_text(&b),
                           "\n# TYPE prometheus_tsdb_head_samples_appended_total counter\n"
                           "prometheus_tsdb_head_samples_appended_total{type=\"float\"} 0\n"
                           "prometheus_tsdb_head_samples_appended_total{type=\"histogram\"} 7\n"));
    assert_non_null(strstr(buf_text(&b), "\nprometheus_config_last_reload_successful 1\n"));
    buf_release(&b);
}

static void labels_and_help_are_escaped(void **state)
{
    (void)state;
    struct buf labels, b;
    buf_init(&labels, 100);
    buf_init(&b, 1000);
    stat_label(&labels, "a", STR("x\"y\\z\n"));
    stat_label(&labels, "b", STR(""));
    stat_head(&b, "m", "gauge", "A \"b\" \\ c\nd.");
    stat_sample(&b, "m", buf_text(&labels), 1e6);
    stat_sample(&b, "m", NULL, 0.5);
    stat_sample(&b, "m", "", -1.0 / 0.0);
    assert_string_equal(buf_text(&b), "# HELP m A \"b\" \\\\ c\\nd.\n# TYPE m gauge\n"
                                      "m{a=\"x\\\"y\\\\z\\n\",b=\"\"} 1e+06\nm 0.5\nm -Inf\n");
    buf_release(&b);
    buf_release(&labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_sets_and_shows),
        cmocka_unit_test(labels_and_help_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
