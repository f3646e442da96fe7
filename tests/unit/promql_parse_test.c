#include "tocsin/promql_parse.h"

#include "tocsin/arena.h"
#include "tocsin/limits.h"
#include "tocsin/promql_func.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 << 20, TEXT_BYTES = 1 << 20, LINE_BYTES = 4096 };

static const char *const short_type[] = {"none", "scalar", "string", "vector", "matrix"};

/* One parse with everything it needs; release it. */
struct outcome {
    struct arena arena;
    struct expr *e;
    struct err err;
    struct buf text; /* the canonical text */
    int code;
};

static void outcome_init(struct outcome *o, struct str text, const struct promql_features *features)
{
    memset(o, 0, sizeof *o);
    arena_init(&o->arena, ARENA_BYTES);
    buf_init(&o->text, TEXT_BYTES);
    o->code = promql_parse(&o->arena, str_copy(&o->arena, text), features, &o->e, &o->err);
    if (o->code == 0)
        promql_print(&o->text, o->e);
}

static void outcome_release(struct outcome *o)
{
    promql_free(o->e);
    buf_release(&o->text);
    arena_release(&o->arena);
}

static int code_of(const char *text)
{
    struct outcome o;
    outcome_init(&o, str_of(text), &promql_features_all);
    int code = o.code;
    outcome_release(&o);
    return code;
}

/* ---- the cases of promql_parse_cases.txt ---- */

struct cases {
    struct buf text;
    const struct promql_features *features;
    int line, count, wrong;
};

static void complain(struct cases *c, const char *wanted, const char *got)
{
    c->wrong++;
    print_error("line %d: %s\n  wanted %s\n  got    %s\n", c->line, buf_text(&c->text), wanted, got);
}

static void check_prints_itself(struct cases *c, const struct outcome *first)
{
    struct outcome again;
    outcome_init(&again, buf_slice(&first->text), &promql_features_all);
    if (again.code != 0)
        complain(c, "its own text to parse", again.err.text);
    else if (!str_eq(buf_slice(&again.text), buf_slice(&first->text)) || again.e->type != first->e->type)
        complain(c, buf_text(&first->text), buf_text(&again.text));
    outcome_release(&again);
}

/* Laid out over lines it is the same expression. */
static void check_pretty(struct cases *c, const struct outcome *o)
{
    struct outcome again;
    struct buf pretty;
    buf_init(&pretty, TEXT_BYTES);
    promql_pretty(&pretty, o->e);
    outcome_init(&again, buf_slice(&pretty), &promql_features_all);
    if (again.code != 0)
        complain(c, "its lines to parse", again.err.text);
    else if (!str_eq(buf_slice(&again.text), buf_slice(&o->text)))
        complain(c, buf_text(&o->text), buf_text(&again.text));
    outcome_release(&again);
    buf_release(&pretty);
}

static void check_verdict(struct cases *c, const char *wanted)
{
    struct outcome o;
    struct buf got;
    buf_init(&got, TEXT_BYTES);
    outcome_init(&o, buf_slice(&c->text), c->features);
    if (o.code == 0)
        buf_format(&got, "= %s %s", short_type[o.e->type], buf_text(&o.text));
    else
        buf_format(&got, "! %s", o.err.text);
    if (strcmp(wanted, buf_text(&got)) != 0)
        complain(c, wanted, buf_text(&got));
    else if (o.code == 0) {
        check_prints_itself(c, &o);
        check_pretty(c, &o);
    }
    c->count++;
    outcome_release(&o);
    buf_release(&got);
}

static void read_line(struct cases *c, const char *line)
{
    if (strncmp(line, "> ", 2) == 0) {
        buf_clear(&c->text);
        buf_puts(&c->text, line + 2);
    } else if (strncmp(line, "| ", 2) == 0) {
        buf_char(&c->text, '\n');
        buf_puts(&c->text, line + 2);
    } else if (line[0] == '=' || line[0] == '!') {
        check_verdict(c, line);
    } else if (strncmp(line, "features ", 9) == 0) {
        c->features = strcmp(line + 9, "all") == 0 ? &promql_features_all : &promql_features_default;
    } else {
        assert_true(line[0] == '#' || line[0] == '\0');
    }
}

static void each_case_has_the_verdict_of_prometheus(void **state)
{
    (void)state;
    struct cases c = {.features = &promql_features_all};
    char line[LINE_BYTES];
    FILE *file = fopen("tests/unit/promql_parse_cases.txt", "r");
    assert_non_null(file);
    buf_init(&c.text, TEXT_BYTES);
    while (fgets(line, sizeof line, file) != NULL) {
        c.line++;
        line[strcspn(line, "\n")] = '\0';
        read_line(&c, line);
    }
    fclose(file);
    buf_release(&c.text);
    assert_int_equal(c.wrong, 0);
    assert_true(c.count > 500);
}

/* ---- positions, limits, ownership ---- */

static void an_error_carries_its_line_and_column(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR("foo +\n  bar bar"), &promql_features_all);
    assert_int_equal(o.code, ERR_PARSE);
    assert_int_equal(o.err.code, ERR_PARSE);
    assert_int_equal(o.err.line, 2);
    assert_int_equal(o.err.column, 7);
    assert_null(o.e);
    outcome_release(&o);
}

static void an_empty_text_has_no_position(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR(""), &promql_features_all);
    assert_int_equal(o.err.line, 0);
    assert_string_equal(o.err.text, "unknown position: parse error: no expression found in input");
    outcome_release(&o);
}

static void nobody_need_want_the_reason(void **state)
{
    (void)state;
    struct arena a;
    struct expr *e;
    arena_init(&a, ARENA_BYTES);
    assert_int_equal(promql_parse(&a, STR("foo{a=~\"b\"} $"), &promql_features_all, &e, NULL), ERR_PARSE);
    arena_release(&a);
}

static void bad_bytes_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *error;
    } cases[] = {
        {STR("foo \xff"), "1:5: parse error: unexpected character: '\xef\xbf\xbd'"},
        {STR("foo{\xff}"), "1:5: parse error: unexpected character inside braces: '\xef\xbf\xbd'"},
        {STR("foo[\xff]"), "1:5: parse error: unexpected character in duration expression: '\xef\xbf\xbd'"},
        {STR("\"a\xff\""), "1:1: parse error: invalid UTF-8 rune"},
        {STR("`\xff`"), "1:1: parse error: invalid UTF-8 rune"},
        {STR("foo \0 bar"), "1:5: parse error: unexpected character: '\\x00'"},
        {STR("\"\\\xc3\xa9\""), "1:1: parse error: unknown escape sequence U+00E9 '\xc3\xa9'"},
        {STR("\"\\\x01\""), "1:1: parse error: unknown escape sequence U+0001"},
        {STR("\"\\x\n1\""), "1:1: parse error: illegal character U+000A in escape sequence"},
        {STR("\"\\\xff\""), "1:1: parse error: unknown escape sequence U+FFFD '\xef\xbf\xbd'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome o;
        outcome_init(&o, cases[i].text, &promql_features_all);
        assert_int_equal(o.code, ERR_PARSE);
        assert_string_equal(o.err.text, cases[i].error);
        outcome_release(&o);
    }
}

/* `text` repeated until it has `bytes`, then `tail`. */
static int code_of_repeated(const char *text, size_t bytes, const char *tail)
{
    struct buf b;
    buf_init(&b, TEXT_BYTES);
    while (b.used < bytes)
        buf_puts(&b, text);
    buf_puts(&b, tail);
    int code = code_of(buf_text(&b));
    buf_release(&b);
    return code;
}

static void nesting_without_end_is_a_limit_and_not_a_crash(void **state)
{
    (void)state;
    const char *const openers[] = {"(",  "-",   "sum(",  "abs(",         "- + ",
                                   "1^", "-1^", "foo[(", "foo offset (", "a^-"};
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++)
        assert_true(code_of_repeated(openers[i], 60000, "1") != 0);
    assert_int_equal(code_of_repeated("-", 60000, "1"), ERR_LIMIT);
    assert_int_equal(code_of_repeated("foo[", 8, ""), ERR_PARSE);
    assert_int_equal(code_of_repeated("(", 60000, ""), ERR_LIMIT);
    assert_int_equal(code_of_repeated("foo offset -", 12, "(((1)))"), 0);
}

/* As long as a text may be at all: through each door of the parser. */
static void a_whole_text_of_openers_is_an_error(void **state)
{
    (void)state;
    const char *const openers[] = {"(", "-", "[", "{", "+", "a[", "a[(", "a offset (", "a offset -", "sum("};
    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
        struct buf b;
        struct arena a;
        struct matcher *matchers;
        struct labels *ls;
        struct err err = {0};
        size_t count;
        buf_init(&b, TEXT_BYTES);
        arena_init(&a, ARENA_BYTES);
        while (b.used + strlen(openers[i]) <= (size_t)limits.query_text_bytes)
            buf_puts(&b, openers[i]);
        assert_true(code_of(buf_text(&b)) != 0);
        assert_true(promql_parse_matchers(&a, buf_slice(&b), &matchers, &count, &err) != 0);
        assert_true(err.text[0] != '\0');
        (void)promql_parse_metric(&a, buf_slice(&b), &ls, &count, NULL); /* `a` alone is one */
        buf_release(&b);
        arena_release(&a);
    }
    assert_int_equal(code_of_repeated("(", (size_t)limits.query_text_bytes, ""), ERR_LIMIT);
    assert_int_equal(code_of_repeated("-", (size_t)limits.query_text_bytes, ""), ERR_LIMIT);
}

static void long_chains_are_allowed_up_to_a_height(void **state)
{
    (void)state;
    assert_int_equal(code_of_repeated("a or ", 500 * 5, "a"), 0);
    assert_int_equal(code_of_repeated("a or ", 2000 * 5, "a"), ERR_LIMIT);
    assert_int_equal(code_of_repeated("1 + ", 2000 * 4, "1"), ERR_LIMIT);
    struct buf b;
    buf_init(&b, TEXT_BYTES);
    buf_puts(&b, "foo[");
    for (int i = 0; i < 2000; i++)
        buf_puts(&b, "1s+");
    buf_puts(&b, "1s]");
    assert_int_equal(code_of(buf_text(&b)), ERR_LIMIT);
    buf_clear(&b);
    buf_puts(&b, "a");
    for (int i = 0; i < 2000; i++)
        buf_puts(&b, "[5m:]");
    assert_int_equal(code_of(buf_text(&b)), ERR_LIMIT);
    buf_release(&b);
}

static void a_text_over_the_limit_is_not_read(void **state)
{
    (void)state;
    assert_int_equal(code_of_repeated(" ", (size_t)limits.query_text_bytes - 1, "1"), 0);
    assert_int_equal(code_of_repeated(" ", (size_t)limits.query_text_bytes, "1"), ERR_LIMIT);
}

static void too_many_parts_are_a_limit(void **state)
{
    (void)state;
    int64_t before = limits.query_nodes;
    limits.query_nodes = 5;
    assert_int_equal(code_of("foo{a=\"1\",b=\"2\"}"), 0);
    assert_int_equal(code_of("foo{a=\"1\",b=\"2\",c=\"3\",d=\"4\"}"), ERR_LIMIT);
    assert_int_equal(code_of("sum by (a,b,c,d,e) (foo)"), ERR_LIMIT);
    assert_int_equal(code_of("1+1+1+1"), ERR_LIMIT);
    limits.query_nodes = before;
}

static void a_small_arena_fails_cleanly_at_every_size(void **state)
{
    (void)state;
    struct str text =
        STR("sum by (a, \"b c\") (rate(foo{a=~\"x.*\",b!~\"y\",c=\"\\x41\"}[5m:1m] offset (1m + step()))) + "
            "on (l, m) group_left (n) fill (1_0.5) label_join(b, \"d\", \",\", \"e\", \"f\")");
    bool fitted = false;
    for (size_t cap = 64; cap < 64 << 10 && !fitted; cap += 64) {
        struct arena a;
        struct expr *e;
        struct err err = {0};
        arena_init(&a, cap);
        int code = promql_parse(&a, text, &promql_features_all, &e, &err);
        assert_true(code == 0 || code == ERR_LIMIT);
        fitted = code == 0;
        promql_free(e);
        arena_release(&a);
    }
    assert_true(fitted);
}

static void regexes_match_anchored_and_are_freed_with_the_tree(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR("foo{a=~\"b.*\"}"), &promql_features_all);
    assert_int_equal(o.code, 0);
    assert_int_equal((int)o.e->selector.matcher_count, 2);
    const struct matcher *m = &o.e->selector.matchers[1];
    assert_true(matcher_matches(m, STR("bcd")));
    assert_false(matcher_matches(m, STR("abcd")));
    outcome_release(&o);
}

/* ---- the tree ---- */

static void positions_are_those_of_the_text(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR(" sum(foo) + rate(bar[5m] offset 1m)"), &promql_features_all);
    assert_int_equal(o.code, 0);
    assert_int_equal((int)o.e->start, 1);
    assert_int_equal((int)o.e->end, 35);
    assert_int_equal((int)o.e->binary.op_start, 10);
    const struct expr *call = o.e->binary.right;
    assert_int_equal((int)call->start, 12);
    assert_int_equal((int)call->call.args.items[0]->start, 17);
    assert_int_equal((int)call->call.args.items[0]->end, 34);
    assert_int_equal((int)o.e->height, 4);
    outcome_release(&o);
}

static void durations_keep_how_they_were_written(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR("foo[90s] offset -60"), &promql_features_all);
    assert_int_equal(o.code, 0);
    const struct duration_expr *range = o.e->selector.range, *offset = o.e->selector.shift.offset;
    assert_true(range->written_as_duration && range->seconds == 90);
    assert_false(offset->written_as_duration);
    assert_true(offset->seconds == -60);
    assert_int_equal((int)offset->start, 16);
    outcome_release(&o);
}

static void a_duration_stands_where_its_operands_do(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR("foo[((1+1))] offset -(min_of(1,2))"), &promql_features_all);
    assert_int_equal(o.code, 0);
    const struct duration_expr *range = o.e->selector.range, *offset = o.e->selector.shift.offset;
    assert_int_equal(range->kind, DUR_PAREN);
    assert_int_equal((int)range->start, 6);
    assert_int_equal((int)range->end, 9);
    assert_int_equal((int)offset->start, 20);
    assert_int_equal((int)offset->end, 32);
    outcome_release(&o);
}

static void an_offset_of_nothing_is_none(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR("foo offset 0 offset 5m"), &promql_features_all);
    assert_int_equal(o.code, 0);
    assert_true(o.e->selector.shift.offset->seconds == 300);
    outcome_release(&o);
}

static void duration_expressions_can_be_switched_off(void **state)
{
    (void)state;
    static const struct promql_features plain = {0};
    static const char *const refused[] = {"foo[1+1]", "foo[1:step()]", "foo[(5m)]",
                                          "foo offset min_of(1, 2)"};
    struct outcome o;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        outcome_init(&o, str_of(refused[i]), &plain);
        assert_non_null(strstr(o.err.text, "experimental duration expression is not enabled"));
        outcome_release(&o);
    }
    outcome_init(&o, STR("foo[5m:1m] offset -5"), &plain);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

static void matching_is_kept_only_between_vectors(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR("(a and b) + on () 1"), &promql_features_all);
    assert_int_equal(o.code, 0);
    assert_null(o.e->binary.matching);
    assert_int_equal(o.e->binary.left->paren.inner->binary.matching->card, CARD_MANY_TO_MANY);
    outcome_release(&o);
}

static void fill_keeps_each_side(void **state)
{
    (void)state;
    struct outcome o;
    outcome_init(&o, STR("a + on (x) group_right fill_right(-1) b"), &promql_features_all);
    assert_int_equal(o.code, 0);
    const struct vector_matching *m = o.e->binary.matching;
    assert_int_equal(m->card, CARD_ONE_TO_MANY);
    assert_false(m->fill_left_given);
    assert_true(m->fill_right_given && m->fill_right == -1);
    outcome_release(&o);
}

static void add_kind(void *context, struct expr *e)
{
    buf_char(context, (char)('a' + (int)e->kind));
}

static void a_walk_sees_parents_first_and_everything(void **state)
{
    (void)state;
    struct outcome o;
    struct buf kinds;
    buf_init(&kinds, TEXT_BYTES);
    outcome_init(&o, STR("-topk(1, round(a, 2)) + (b)[5m:] "), &promql_features_all);
    assert_int_equal(o.code, ERR_PARSE); /* a range is no operand */
    outcome_release(&o);
    outcome_init(&o, STR("-topk(1, round(a, 2)) + sum_over_time((b)[5m:])"), &promql_features_all);
    promql_walk(o.e, add_kind, &kinds);
    assert_string_equal(buf_text(&kinds), "edfghaagich");
    promql_walk(NULL, add_kind, &kinds);
    outcome_release(&o);
    buf_release(&kinds);
}

/* ---- selectors and metrics alone ---- */

static void expect_matchers(const char *text, const char *wanted)
{
    struct arena a;
    struct matcher *ms;
    size_t count;
    struct err err = {0};
    struct buf got;
    arena_init(&a, ARENA_BYTES);
    buf_init(&got, TEXT_BYTES);
    int code = promql_parse_matchers(&a, str_of(text), &ms, &count, &err);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&got, i > 0 ? "," : "");
        matcher_print(&got, &ms[i]);
        matcher_release(&ms[i]);
    }
    assert_string_equal(code == 0 ? buf_text(&got) : err.text, wanted);
    buf_release(&got);
    arena_release(&a);
}

static void matchers_are_a_selector_and_nothing_else(void **state)
{
    (void)state;
    expect_matchers("foo", "__name__=\"foo\"");
    expect_matchers("foo{a=~\"b\",c!=\"d\"}", "__name__=\"foo\",a=~\"b\",c!=\"d\"");
    expect_matchers("{\"a.b\",c!~\"d\"}", "__name__=\"a.b\",c!~\"d\"");
    expect_matchers("{}", "");
    expect_matchers("{a=~\".*\"}", "a=~\".*\"");
    expect_matchers("sum{a=\"b\"}", "__name__=\"sum\",a=\"b\"");
    expect_matchers("", "unknown position: parse error: unexpected end of input");
    expect_matchers("foo[5m]", "1:4: parse error: unexpected \"[\"");
    expect_matchers("foo offset 5m", "1:5: parse error: unexpected <offset>");
    expect_matchers("sum(foo)", "1:4: parse error: unexpected \"(\"");
    expect_matchers("foo{a=~\"b\"} $", "1:13: parse error: unexpected character: '$'");
    expect_matchers("bool", "1:1: parse error: unexpected <bool>");
    expect_matchers("foo{a=~\"(\"}", "1:5: parse error: error parsing regexp: missing closing ): `(`");
}

static void expect_metric(const char *text, const char *wanted, const char *rest)
{
    struct arena a;
    struct labels *ls;
    size_t used;
    struct err err = {0};
    struct buf got;
    arena_init(&a, ARENA_BYTES);
    buf_init(&got, TEXT_BYTES);
    int code = promql_parse_metric(&a, str_of(text), &ls, &used, &err);
    if (code == 0)
        labels_print(&got, ls);
    assert_string_equal(code == 0 ? buf_text(&got) : err.text, wanted);
    if (code == 0)
        assert_string_equal(text + used, rest);
    buf_release(&got);
    arena_release(&a);
}

static void a_metric_ends_where_its_labels_do(void **state)
{
    (void)state;
    expect_metric("foo", "{__name__=\"foo\"}", "");
    expect_metric("foo 1+1x5", "{__name__=\"foo\"}", " 1+1x5");
    expect_metric("foo{a=\"b\"} $", "{__name__=\"foo\", a=\"b\"}", " $");
    expect_metric("foo {b=\"1\",a='2',}@st 5m", "{__name__=\"foo\", a=\"2\", b=\"1\"}", "@st 5m");
    expect_metric("foo {{schema:1}}", "{__name__=\"foo\"}", " {{schema:1}}");
    expect_metric("{\"a.b\",\"c d\"=\"e\"} 1", "{__name__=\"a.b\", \"c d\"=\"e\"}", " 1");
    expect_metric("{} 1", "{}", " 1");
    expect_metric("", "{}", "");
    expect_metric("by{a=\"\"}", "{__name__=\"by\"}", "");
    expect_metric("foo{__name__=\"bar\"}", "{__name__=\"foo\"}", "");
}

static void a_metric_has_only_equal_signs(void **state)
{
    (void)state;
    expect_metric("foo{a!=\"b\"}", "1:6: parse error: unexpected <op:!=> in label set, expected \"=\"", NULL);
    expect_metric("foo{a=~\"b\"}", "1:6: parse error: unexpected <op:=~> in label set, expected \"=\"", NULL);
    expect_metric("foo{a=b}", "1:7: parse error: unexpected identifier \"b\" in label set, expected string",
                  NULL);
    expect_metric("foo{,}", "1:5: parse error: unexpected \",\" in label set, expected identifier or \"}\"",
                  NULL);
    expect_metric("{\"a\"!=\"b\"}",
                  "1:5: parse error: unexpected <op:!=> in label set, expected \",\" or \"}\"", NULL);
    expect_metric("foo{a=\"b\"", "1:10: parse error: unexpected end of input inside braces", NULL);
    expect_metric("5", "1:1: parse error: unexpected number \"5\"", NULL);
    expect_metric("(foo)", "1:1: parse error: unexpected \"(\"", NULL);
    expect_metric("bool", "1:1: parse error: unexpected <bool>", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_has_the_verdict_of_prometheus),
        cmocka_unit_test(an_error_carries_its_line_and_column),
        cmocka_unit_test(an_empty_text_has_no_position),
        cmocka_unit_test(nobody_need_want_the_reason),
        cmocka_unit_test(bad_bytes_are_refused),
        cmocka_unit_test(nesting_without_end_is_a_limit_and_not_a_crash),
        cmocka_unit_test(a_whole_text_of_openers_is_an_error),
        cmocka_unit_test(long_chains_are_allowed_up_to_a_height),
        cmocka_unit_test(a_text_over_the_limit_is_not_read),
        cmocka_unit_test(too_many_parts_are_a_limit),
        cmocka_unit_test(a_small_arena_fails_cleanly_at_every_size),
        cmocka_unit_test(regexes_match_anchored_and_are_freed_with_the_tree),
        cmocka_unit_test(positions_are_those_of_the_text),
        cmocka_unit_test(durations_keep_how_they_were_written),
        cmocka_unit_test(a_duration_stands_where_its_operands_do),
        cmocka_unit_test(an_offset_of_nothing_is_none),
        cmocka_unit_test(duration_expressions_can_be_switched_off),
        cmocka_unit_test(matching_is_kept_only_between_vectors),
        cmocka_unit_test(fill_keeps_each_side),
        cmocka_unit_test(a_walk_sees_parents_first_and_everything),
        cmocka_unit_test(matchers_are_a_selector_and_nothing_else),
        cmocka_unit_test(a_metric_ends_where_its_labels_do),
        cmocka_unit_test(a_metric_has_only_equal_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
