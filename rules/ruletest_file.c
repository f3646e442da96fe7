#include "ruletest_priv.h"

#include "tocsin/gotext.h"

#include <stddef.h>

static const struct strict_field series_fields[] = {
    {"series", strict_text, offsetof(struct test_series, series)},
    {"values", strict_text, offsetof(struct test_series, values)},
    {NULL, NULL, 0},
};

static void read_series(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "main.series", series_fields, target);
}

static void read_input(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]main.series", sizeof(struct test_series), read_series, target);
}

static const struct strict_field expected_alert_fields[] = {
    {"exp_labels", strict_pairs, offsetof(struct test_expected_alert, labels)},
    {"exp_annotations", strict_pairs, offsetof(struct test_expected_alert, annotations)},
    {"partial", strict_bool, offsetof(struct test_expected_alert, partial)},
    {NULL, NULL, 0},
};

static void read_expected_alert(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "main.alert", expected_alert_fields, target);
}

static void read_expected_alerts(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]main.alert", sizeof(struct test_expected_alert), read_expected_alert, target);
}

static const struct strict_field alert_fields[] = {
    {"eval_time", strict_duration, offsetof(struct test_alert, eval_time)},
    {"alertname", strict_text, offsetof(struct test_alert, alertname)},
    {"exp_alerts", read_expected_alerts, offsetof(struct test_alert, expected)},
    {"exp_pending", read_expected_alerts, offsetof(struct test_alert, pending)},
    {NULL, NULL, 0},
};

static void read_alert(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "main.alertTestCase", alert_fields, target);
}

static void read_alerts(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]main.alertTestCase", sizeof(struct test_alert), read_alert, target);
}

static const struct strict_field sample_fields[] = {
    {"labels", strict_text, offsetof(struct test_sample, labels)},
    {"value", strict_f64, offsetof(struct test_sample, value)},
    {"histogram", strict_text, offsetof(struct test_sample, histogram)},
    {"partial", strict_bool, offsetof(struct test_sample, partial)},
    {NULL, NULL, 0},
};

static void read_sample(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "main.sample", sample_fields, target);
}

static void read_samples(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]main.sample", sizeof(struct test_sample), read_sample, target);
}

static const struct strict_field expr_fields[] = {
    {"expr", strict_text, offsetof(struct test_expr, expr)},
    {"eval_time", strict_duration, offsetof(struct test_expr, eval_time)},
    {"exp_samples", read_samples, offsetof(struct test_expr, expected)},
    {NULL, NULL, 0},
};

static void read_expr(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "main.promqlTestCase", expr_fields, target);
}

static void read_exprs(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]main.promqlTestCase", sizeof(struct test_expr), read_expr, target);
}

/* Unix seconds with or without decimals, or RFC 3339. */
static void read_start(struct strict *s, const struct tree *node, void *target)
{
    struct str text = {0};
    double seconds;
    strict_text(s, node, &text);
    if (text.n == 0 || go_parse_rfc3339(text, target))
        return;
    if (go_parse_float(text, &seconds) && seconds > -9e9 && seconds < 9e9) {
        *(int64_t *)target = (int64_t)(seconds * 1000) * NS_PER_MS;
        return;
    }
    strict_fail(s, node, "start_timestamp: cannot parse \"%.*s\" to a valid timestamp", STR_ARG(text));
}

static const struct strict_field group_fields[] = {
    {"name", strict_text, offsetof(struct test_group, name)},
    {"interval", strict_duration, offsetof(struct test_group, interval)},
    {"start_timestamp", read_start, offsetof(struct test_group, start_ns)},
    {"input_series", read_input, offsetof(struct test_group, input)},
    {"alert_rule_test", read_alerts, offsetof(struct test_group, alerts)},
    {"promql_expr_test", read_exprs, offsetof(struct test_group, exprs)},
    {"external_labels", strict_pairs, offsetof(struct test_group, external_labels)},
    {"external_url", strict_text, offsetof(struct test_group, external_url)},
    {NULL, NULL, 0},
};

static void read_group(struct strict *s, const struct tree *node, void *target)
{
    strict_struct(s, node, "main.testGroup", group_fields, target);
}

static void read_groups(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]main.testGroup", sizeof(struct test_group), read_group, target);
}

static const struct strict_field file_fields[] = {
    {"rule_files", strict_texts, offsetof(struct test_file, rule_files)},
    {"evaluation_interval", strict_duration, offsetof(struct test_file, interval)},
    {"group_eval_order", strict_texts, offsetof(struct test_file, group_order)},
    {"fuzzy_compare", strict_bool, offsetof(struct test_file, fuzzy_compare)},
    {"tests", read_groups, offsetof(struct test_file, tests)},
    {NULL, NULL, 0},
};

int ruletest_decode(struct arena *arena, struct str text, struct test_file *out, struct err *err)
{
    struct tree *root;
    struct strict strict;
    int code = yaml_parse(arena, text, &root, err);
    if (code != 0)
        return code;
    strict_init(&strict, arena);
    strict.yes_is_bool = true;
    strict_struct(&strict, root, "main.unitTestFile", file_fields, out);
    code = strict_result(&strict, err);
    strict_release(&strict);
    return code;
}
