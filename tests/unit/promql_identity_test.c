/* What an expression's canonical text says is what was written: over every expression of the files under tests/ and
 * rules/library, and with PROMQL_TESTDATA set (make conformance) over Prometheus' own. */
#include "tocsin/promql_parse.h"

#include "tocsin/arena.h"
#include "tocsin/promql_func.h"
#include "tocsin/tree.h"
#include "tocsin/world.h"

#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 << 20, TEXT_BYTES = 8 << 20 };

/* ---- two trees ---- */

static bool same_names(struct name_list a, struct name_list b)
{
    bool same = a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++)
        same = str_eq(a.items[i], b.items[i]);
    return same;
}

static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* How a literal was written (300, 5m) is not compared: alone it is always printed as a duration. */
static bool same_duration(const struct duration_expr *a, const struct duration_expr *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case DUR_LITERAL:
        return same_number(a->seconds, b->seconds);
    case DUR_UNARY:
        return a->op == b->op && same_duration(a->left, b->left);
    case DUR_BINARY:
        return a->op == b->op && same_duration(a->left, b->left) && same_duration(a->right, b->right);
    case DUR_PAREN:
        return same_duration(a->left, b->left);
    case DUR_MIN_OF:
    case DUR_MAX_OF:
        return same_duration(a->left, b->left) && same_duration(a->right, b->right);
    case DUR_STEP:
    case DUR_RANGE:
        return true;
    }
    return false;
}

/* An operation after offset is printed in parentheses, written or not. */
static const struct duration_expr *operation(const struct duration_expr *d)
{
    return d != NULL && d->kind == DUR_PAREN && d->left->kind == DUR_BINARY ? d->left : d;
}

static bool same_shift(const struct time_shift *a, const struct time_shift *b)
{
    return a->at == b->at && (a->at != AT_TIME || a->at_ms == b->at_ms) &&
           same_duration(operation(a->offset), operation(b->offset));
}

static size_t matchers_like(const struct expr *e, const struct matcher *m)
{
    size_t found = 0;
    for (size_t i = 0; i < e->selector.matcher_count; i++) {
        const struct matcher *other = &e->selector.matchers[i];
        found += m->op == other->op && str_eq(m->name, other->name) && str_eq(m->value, other->value);
    }
    return found;
}

/* Matchers are printed in the order of their texts, so theirs may change. */
static bool same_selector(const struct expr *a, const struct expr *b)
{
    bool same = a->selector.matcher_count == b->selector.matcher_count &&
                str_eq(a->selector.name, b->selector.name) && a->selector.is_range == b->selector.is_range &&
                a->selector.modifier == b->selector.modifier &&
                same_duration(a->selector.range, b->selector.range) &&
                same_shift(&a->selector.shift, &b->selector.shift);
    for (size_t i = 0; same && i < a->selector.matcher_count; i++)
        same = matchers_like(a, &a->selector.matchers[i]) == matchers_like(b, &a->selector.matchers[i]);
    return same;
}

static bool same_matching(const struct vector_matching *a, const struct vector_matching *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->card == b->card && a->on == b->on && same_names(a->labels, b->labels) &&
           same_names(a->include, b->include) && a->fill_left_given == b->fill_left_given &&
           a->fill_right_given == b->fill_right_given &&
           (!a->fill_left_given || same_number(a->fill_left, b->fill_left)) &&
           (!a->fill_right_given || same_number(a->fill_right, b->fill_right));
}

/* What a node says itself; sum by () (x) is sum(x). */
static bool same_node(const struct expr *a, const struct expr *b)
{
    switch (a->kind) {
    case EXPR_NUMBER:
        return same_number(a->number.value, b->number.value) &&
               a->number.is_duration == b->number.is_duration;
    case EXPR_STRING:
        return str_eq(a->string.text, b->string.text);
    case EXPR_PAREN:
        return true;
    case EXPR_UNARY:
        return a->unary.negate == b->unary.negate;
    case EXPR_BINARY:
        return a->binary.op == b->binary.op && a->binary.return_bool == b->binary.return_bool &&
               same_matching(a->binary.matching, b->binary.matching);
    case EXPR_AGGREGATE:
        return a->aggregate.op == b->aggregate.op && a->aggregate.without == b->aggregate.without &&
               same_names(a->aggregate.labels, b->aggregate.labels) &&
               (a->aggregate.param != NULL) == (b->aggregate.param != NULL);
    case EXPR_CALL:
        return a->call.function == b->call.function;
    case EXPR_SELECTOR:
        return same_selector(a, b);
    case EXPR_SUBQUERY:
        return same_duration(a->subquery.range, b->subquery.range) &&
               same_duration(a->subquery.step, b->subquery.step) &&
               same_shift(&a->subquery.shift, &b->subquery.shift);
    }
    return false;
}

static bool same_tree(const struct expr *a, const struct expr *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || a->type != b->type || !same_node(a, b))
        return false;
    for (size_t i = 0;; i++) {
        const struct expr *x = promql_child(a, i), *y = promql_child(b, i);
        if (!same_tree(x, y))
            return false;
        if (x == NULL)
            return true;
    }
}

/* ---- one expression ---- */

struct sweep {
    const char *path;
    size_t expressions, wrong;
};

static void complain(struct sweep *s, struct str text, const char *what, const char *got)
{
    s->wrong++;
    print_error("%s: %.*s\n  %s: %s\n", s->path, STR_ARG(text), what, got);
}

static void compare(struct sweep *s, struct arena *a, struct str text, const struct expr *e)
{
    struct buf first, second;
    struct expr *again;
    struct err err = {0};
    buf_init(&first, TEXT_BYTES);
    buf_init(&second, TEXT_BYTES);
    promql_print(&first, e);
    if (promql_parse(a, buf_slice(&first), &promql_features_all, &again, &err) != 0) {
        complain(s, text, buf_text(&first), err.text);
    } else {
        promql_print(&second, again);
        if (!str_eq(buf_slice(&first), buf_slice(&second)))
            complain(s, text, buf_text(&first), buf_text(&second));
        else if (!same_tree(e, again))
            complain(s, text, "another tree", buf_text(&first));
        promql_free(again);
    }
    buf_release(&first);
    buf_release(&second);
}

static void check(struct sweep *s, struct str text)
{
    struct arena a;
    struct expr *e;
    struct err err = {0};
    arena_init(&a, ARENA_BYTES);
    s->expressions++;
    if (promql_parse(&a, text, &promql_features_all, &e, &err) != 0) {
        complain(s, text, "refused", err.text);
    } else {
        compare(s, &a, text, e);
        promql_free(e);
    }
    arena_release(&a);
}

/* ---- where expressions stand ---- */

static void skip_words(struct str *rest, int count)
{
    while (count-- > 0)
        str_cut_word(rest);
}

/* eval instant at TIME EXPR, eval range from A to B step C EXPR */
static void check_script(struct sweep *s, struct str text)
{
    while (text.p != NULL) {
        struct str line = str_trim(str_cut(&text, '\n')), rest = line;
        if (!str_starts(str_cut_word(&rest), STR("eval")))
            continue;
        if (str_is(str_cut_word(&rest), "range"))
            skip_words(&rest, 6);
        else if (str_starts(rest, STR("at ")))
            skip_words(&rest, 2);
        check(s, str_trim(rest));
    }
}

static void check_tree(struct sweep *s, const struct tree *node)
{
    if (node->kind == TREE_SCALAR && node->key != NULL && str_is(node->key->text, "expr"))
        check(s, node->text);
    for (const struct tree *child = node->first; child != NULL; child = child->next)
        check_tree(s, child);
}

static void check_yaml(struct sweep *s, struct str text)
{
    struct arena a;
    struct tree *root;
    struct err err = {0};
    arena_init(&a, ARENA_BYTES);
    if (yaml_parse(&a, text, &root, &err) != 0)
        fail_msg("%s: %s", s->path, err.text);
    if (root != NULL)
        check_tree(s, root);
    arena_release(&a);
}

/* The rule file of a timetable: from `rules` to `end`. */
static void check_page(struct sweep *s, struct str text)
{
    struct buf rules;
    bool inside = false;
    buf_init(&rules, TEXT_BYTES);
    while (text.p != NULL) {
        struct str line = str_cut(&text, '\n'), rest = line;
        if (str_is(str_trim(line), "end"))
            inside = false;
        if (inside) {
            buf_str(&rules, line);
            buf_char(&rules, '\n');
        }
        inside = inside || str_is(str_cut_word(&rest), "rules");
    }
    check_yaml(s, buf_slice(&rules));
    buf_release(&rules);
}

/* The cases of promql_parse_test that are accepted: `> text`, further lines `| text`, verdict `= ...`. */
static void check_cases(struct sweep *s, struct str text)
{
    struct buf expression;
    buf_init(&expression, TEXT_BYTES);
    while (text.p != NULL) {
        struct str line = str_cut(&text, '\n');
        char mark = line.n > 1 ? line.p[0] : ' ';
        if (mark == '=')
            check(s, buf_slice(&expression));
        if (mark == '>')
            buf_clear(&expression);
        if (mark == '|')
            buf_char(&expression, '\n');
        if (mark == '>' || mark == '|')
            buf_str(&expression, (struct str){line.p + 2, line.n - 2});
    }
    buf_release(&expression);
}

static size_t sweep_files(const char *pattern, void (*read)(struct sweep *s, struct str text))
{
    struct sweep s = {0};
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buf text;
        s.path = found.gl_pathv[i];
        buf_init(&text, TEXT_BYTES);
        assert_int_equal(world_real()->read_file(world_real(), s.path, &text, NULL), 0);
        read(&s, buf_slice(&text));
        buf_release(&text);
    }
    globfree(&found);
    print_message("%s: %zu expressions\n", pattern, s.expressions);
    assert_int_equal(s.wrong, 0);
    return s.expressions;
}

static void expressions_of_our_tests_say_what_was_written(void **state)
{
    (void)state;
    assert_true(sweep_files("tests/promql/*.test", check_script) > 200);
}

static void expressions_of_the_cases_say_what_was_written(void **state)
{
    (void)state;
    assert_true(sweep_files("tests/unit/promql_parse_cases.txt", check_cases) > 200);
}

static void expressions_of_rules_say_what_was_written(void **state)
{
    (void)state;
    assert_true(sweep_files("tests/rules/*.yml", check_yaml) > 20);
    assert_true(sweep_files("rules/library/*.yml", check_yaml) > 5);
}

static void expressions_of_timetables_say_what_was_written(void **state)
{
    (void)state;
    assert_true(sweep_files("tests/page/*.page", check_page) > 3);
}

static void expressions_of_prometheus_say_what_was_written(void **state)
{
    (void)state;
    const char *folder = getenv("PROMQL_TESTDATA");
    char pattern[4096];
    if (folder == NULL)
        skip();
    snprintf(pattern, sizeof pattern, "%s/*.test", folder);
    assert_true(sweep_files(pattern, check_script) > 1000);
}

/* "+Inf ^ 2" is +(Inf ^ 2). */
static void infinity_in_front_of_a_power_left_its_sign_to_the_power(void **state)
{
    (void)state;
    static const char *const texts[] = {"inf ^ 2", "1 - inf ^ a", "inf ^ inf ^ inf"};
    struct sweep s = {.path = "infinity"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(&s, str_of(texts[i]));
    assert_int_equal(s.wrong, 0);
}

/* Each differs from the first in one thing that a text could lose. */
static void a_comparison_of_trees_sees_every_difference(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"1", "2"},
        {"60", "1m"},
        {"'a'", "'b'"},
        {"-a", "+a"},
        {"(a)", "a"},
        {"a + b", "a - b"},
        {"a == b", "a == bool b"},
        {"a + on (x) b", "a + ignoring (x) b"},
        {"a + on (x) b", "a + on (y) b"},
        {"a + on (x) group_left () b", "a + on (x) group_right () b"},
        {"a + on (x) group_left () b", "a + on (x) group_left (y) b"},
        {"a + fill (1) b", "a + fill (2) b"},
        {"a + fill_left (1) b", "a + fill_right (1) b"},
        {"sum(a)", "avg(a)"},
        {"sum by (x) (a)", "sum without (x) (a)"},
        {"topk(1, a)", "topk(2, a)"},
        {"abs(a)", "ceil(a)"},
        {"a{x=\"1\"}", "a{x!=\"1\"}"},
        {"a{x=\"1\",y=\"2\"}", "a{x=\"1\",x=\"1\"}"},
        {"{__name__=\"a\"}", "a"},
        {"a @ 1", "a @ 2"},
        {"a @ start()", "a @ end()"},
        {"a offset 5m", "a offset -5m"},
        {"a offset 5m", "a"},
        {"a smoothed", "a"},
        {"a[5m]", "a[6m]"},
        {"a[5m]", "a[5m:]"},
        {"a[5m:1m]", "a[5m:]"},
        {"a[5m] anchored", "a[5m] smoothed"},
        {"a[step()]", "a[range()]"},
        {"a[(1 + 2)]", "a[1 + 2]"},
        {"a[1 + 2]", "a[1 - 2 + 9]"},
        {"a[min_of(1, 2)]", "a[min_of(1, 3)]"},
        {"a[-step() + 1]", "a[+step() + 1]"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct arena arena;
        struct expr *a, *b;
        arena_init(&arena, ARENA_BYTES);
        assert_int_equal(promql_parse(&arena, str_of(texts[i][0]), &promql_features_all, &a, NULL), 0);
        assert_int_equal(promql_parse(&arena, str_of(texts[i][1]), &promql_features_all, &b, NULL), 0);
        assert_true(same_tree(a, a) && same_tree(b, b));
        if (same_tree(a, b))
            fail_msg("%s is taken for %s", texts[i][0], texts[i][1]);
        promql_free(a);
        promql_free(b);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comparison_of_trees_sees_every_difference),
        cmocka_unit_test(infinity_in_front_of_a_power_left_its_sign_to_the_power),
        cmocka_unit_test(expressions_of_our_tests_say_what_was_written),
        cmocka_unit_test(expressions_of_the_cases_say_what_was_written),
        cmocka_unit_test(expressions_of_rules_say_what_was_written),
        cmocka_unit_test(expressions_of_timetables_say_what_was_written),
        cmocka_unit_test(expressions_of_prometheus_say_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
