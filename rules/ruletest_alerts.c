#include "ruletest_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/limits.h"

#include <stdlib.h>

struct shown_alert {
    const struct labels *labels, *annotations;
    const struct test_expected_alert *partial; /* NULL: all labels and annotations are expected to be these */
};

struct shown_alerts {
    struct shown_alert *items;
    size_t count, capacity;
};

static int by_labels(const void *a, const void *b)
{
    const struct shown_alert *x = a, *y = b;
    int order = labels_compare(x->labels, y->labels);
    return order != 0 ? order : labels_compare(x->annotations, y->annotations);
}

static void add_alert(struct test_run *run, struct shown_alerts *list, const struct labels *labels,
                      const struct labels *annotations, const struct test_expected_alert *partial)
{
    ARENA_GROW(&run->arena, list->items, list->count, list->capacity);
    if (list->items == NULL || labels == NULL || annotations == NULL)
        list->count = 0;
    else
        list->items[list->count++] = (struct shown_alert){labels, annotations, partial};
}

static void sort_alerts(struct shown_alerts *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, by_labels);
}

/* All alerts of that name in that state, over all groups. */
static void alerts_in(struct test_run *run, struct str name, enum alert_state wanted,
                      struct shown_alerts *out)
{
    struct live_alert *a;
    for (size_t i = 0; i < run->group_count; i++) {
        struct live_group *group = run->groups[i];
        for (size_t j = 0; j < group->count; j++) {
            struct rule_state *state = &group->rules[j];
            if (state->rule->kind != RULE_ALERTING || !str_eq(state->rule->name, name))
                continue;
            for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;)
                if (a->state == wanted)
                    add_alert(run, out, a->labels, a->annotations, NULL);
        }
    }
    sort_alerts(out);
}

static const struct labels *expected_labels(struct arena *arena, const struct strict_pairs *pairs,
                                            struct str alertname)
{
    struct label *items = ARENA_ARRAY(arena, struct label, pairs->count + 1);
    if (items == NULL)
        return NULL;
    if (pairs->count > 0)
        memcpy(items, pairs->items, pairs->count * sizeof *items);
    items[pairs->count] = (struct label){STR("alertname"), alertname};
    return labels_make_texts(arena, items, pairs->count + 1); /* an empty one never comes: promtool's trap */
}

static const struct labels *expected_annotations(struct arena *arena, const struct strict_pairs *pairs)
{
    struct label *items = arena_copy(arena, pairs->items, pairs->count, sizeof *items);
    return items != NULL ? labels_make_texts(arena, items, pairs->count) : NULL;
}

static void expected_alerts(struct test_run *run, const struct test_alert *test,
                            const struct strict_list *list, struct shown_alerts *out)
{
    const struct test_expected_alert *expected = list->items;
    for (size_t i = 0; i < list->count; i++)
        add_alert(run, out, expected_labels(&run->arena, &expected[i].labels, test->alertname),
                  expected_annotations(&run->arena, &expected[i].annotations),
                  expected[i].partial ? &expected[i] : NULL);
    sort_alerts(out);
}

struct comparison {
    const struct shown_alerts *expected, *got;
};

static bool alert_fits(void *context, size_t expected, size_t got)
{
    const struct comparison *c = context;
    const struct shown_alert *e = &c->expected->items[expected], *g = &c->got->items[got];
    if (e->partial == NULL)
        return by_labels(e, g) == 0;
    return test_includes(g->labels, e->partial->labels.items, e->partial->labels.count) &&
           test_includes(g->annotations, e->partial->annotations.items, e->partial->annotations.count);
}

static bool alerts_equal(struct test_run *run, const struct shown_alerts *expected,
                         const struct shown_alerts *got)
{
    struct comparison c = {expected, got};
    bool partial = false;
    if (expected->count != got->count)
        return false;
    for (size_t i = 0; i < expected->count; i++)
        partial |= expected->items[i].partial != NULL;
    if (partial)
        return test_pair_up(&run->arena, expected->count, got->count, alert_fits, &c);
    for (size_t i = 0; i < expected->count; i++)
        if (by_labels(&expected->items[i], &got->items[i]) != 0)
            return false;
    return true;
}

static void print_alerts(struct buf *out, const struct shown_alerts *list)
{
    buf_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        buf_format(out, "\n            %zu:\n              Labels:", i);
        labels_print(out, list->items[i].labels);
        buf_puts(out, "\n              Annotations:");
        labels_print(out, list->items[i].annotations);
        if (i + 1 < list->count)
            buf_char(out, ',');
    }
    buf_puts(out, list->count > 0 ? "\n            ]" : "]");
}

/* A line for each label and annotation. */
static void print_lines(struct buf *out, const struct shown_alerts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct labels *sets[] = {list->items[i].labels, list->items[i].annotations};
        static const char *const what[] = {"Labels:", "Annotations:"};
        for (size_t k = 0; k < 2; k++) {
            buf_format(out, "%s\n", what[k]);
            for (size_t j = 0; j < sets[k]->count; j++) {
                buf_format(out, "  %.*s=", STR_ARG(sets[k]->item[j].name));
                go_quote(out, sets[k]->item[j].value);
                buf_char(out, '\n');
            }
        }
    }
}

static void print_alerts_diff(struct buf *out, const struct shown_alerts *expected,
                              const struct shown_alerts *got)
{
    struct buf x, y;
    buf_init(&x, (size_t)limits.response_bytes);
    buf_init(&y, (size_t)limits.response_bytes);
    print_lines(&x, expected);
    print_lines(&y, got);
    test_print_diff(out, buf_slice(&x), buf_slice(&y), "            ");
    buf_release(&x);
    buf_release(&y);
}

/* suffix: what is compared, behind "exp" and "got". */
static void compare_alerts(struct test_run *run, const struct test_alert *test, const char *suffix,
                           const struct shown_alerts *expected, const struct shown_alerts *got)
{
    struct buf text;
    if (alerts_equal(run, expected, got))
        return;
    buf_init(&text, (size_t)limits.response_bytes);
    if (run->test->name.n > 0)
        buf_format(&text, "    name: %.*s,\n", STR_ARG(run->test->name));
    buf_format(&text, "    alertname: %.*s, time: ", STR_ARG(test->alertname));
    duration_print(&text, test->eval_time.ms);
    if (run->options->diff) {
        buf_format(&text, ", \n        diff%s:", suffix);
        print_alerts_diff(&text, expected, got);
    } else {
        buf_format(&text, ", \n        exp%s:", suffix);
        print_alerts(&text, expected);
        buf_format(&text, ", \n        got%s:", suffix);
        print_alerts(&text, got);
    }
    test_failure(run, "%s", buf_text(&text));
    buf_release(&text);
}

static void verify_alert(struct test_run *run, const struct test_alert *test)
{
    struct shown_alerts expected = {0}, got = {0}, expected_pending = {0}, pending = {0};
    expected_alerts(run, test, &test->expected, &expected);
    alerts_in(run, test->alertname, ALERT_FIRING, &got);
    compare_alerts(run, test, "", &expected, &got);
    if (test->pending.items == NULL)
        return;
    expected_alerts(run, test, &test->pending, &expected_pending);
    alerts_in(run, test->alertname, ALERT_PENDING, &pending);
    compare_alerts(run, test, "_pending", &expected_pending, &pending);
}

void test_alerts_at(struct test_run *run, int64_t now_ns)
{
    const struct test_alert *tests = run->test->alerts.items;
    for (size_t i = 0; i < run->test->alerts.count; i++) {
        int64_t at_ns = run->start_ns + tests[i].eval_time.ms * NS_PER_MS;
        if (at_ns >= now_ns && at_ns < now_ns + run->step_ns)
            verify_alert(run, &tests[i]);
    }
}
