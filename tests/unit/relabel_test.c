#include "tocsin/relabel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 1 << 20, PAIRS_MAX = 16 };

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static int read_rules(const char *yaml, struct relabel_rules *rules, struct err *err)
{
    struct strict s;
    struct tree *root = NULL;
    *rules = (struct relabel_rules){0};
    strict_init(&s, &arena);
    int rc = yaml_parse(&arena, str_of(yaml), &root, err);
    if (rc == 0) {
        relabel_read(&s, root, rules);
        relabel_refuse_empty(&s, rules, "empty or null rule");
        relabel_check(&s, rules);
        rc = strict_result(&s, err);
    }
    strict_release(&s);
    return rc;
}

/* "a=1 b=2" */
static const struct labels *labels_from(const char *text)
{
    struct label items[PAIRS_MAX];
    size_t count = 0;
    struct str rest = str_copy(&arena, str_of(text));
    for (struct str word; (word = str_cut_word(&rest)).n > 0; count++) {
        assert_true(count < PAIRS_MAX);
        items[count].name = str_cut(&word, '=');
        items[count].value = word;
    }
    return labels_make(&arena, items, count);
}

static const char *print(const struct labels *ls)
{
    static char text[1024];
    size_t used = 0;
    text[0] = '\0';
    if (ls == NULL)
        return "dropped";
    for (size_t i = 0; i < ls->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s=%.*s", i > 0 ? " " : "",
                                 STR_ARG(ls->item[i].name), STR_ARG(ls->item[i].value));
    return text;
}

struct example {
    const char *rules, *in, *out; /* out: NULL: dropped */
};

static void expect(const struct example *e)
{
    struct relabel_rules rules;
    struct relabel *relabel = NULL;
    struct err err = {0};
    const struct labels *in = labels_from(e->in), *out = NULL;
    if (read_rules(e->rules, &rules, &err) != 0 || relabel_open(&rules, &relabel, &err) != 0)
        fail_msg("%s: %s", e->rules, err.text);
    assert_int_equal(relabel_apply(relabel, &arena, in, &out), 0);
    if (out != NULL)
        assert_true(out->hash == labels_hash(out->item, out->count));
    if (strcmp(print(out), e->out != NULL ? e->out : "dropped") != 0)
        fail_msg("%s on %s: %s instead of %s", e->rules, e->in, print(out), e->out);
    relabel_free(relabel);
}

static void expect_all(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(&examples[i]);
}
#define EXPECT(table) expect_all(table, sizeof(table) / sizeof *(table))

static void replaces(void **state)
{
    (void)state;
    static const struct example table[] = {
        {"[{source_labels: [a], regex: f(.*), target_label: d, replacement: 'ch${1}-ch${1}'}]", "a=foo",
         "a=foo d=choo-choo"},
        {"[{source_labels: [a, b], regex: 'f(.*);(.*)r', target_label: a, replacement: 'b${1}${2}m'},"
         " {source_labels: [c, a], regex: '(b).*b(.*)ba(.*)', target_label: d, replacement: $1$2$2$3}]",
         "a=foo b=bar c=baz", "a=boobam b=bar c=baz d=boooom"},
        {"[{source_labels: [a], target_label: b}]", "a=1", "a=1 b=1"}, /* all defaults */
        {"[{target_label: b, replacement: x}]", "a=1",
         "a=1 b=x"}, /* no source: the empty value matches (.*) */
        {"[{source_labels: [a], regex: no, target_label: b}]", "a=1", "a=1"},
        {"[{source_labels: [a], regex: '', target_label: a, replacement: ''}]", "a=1", "a=1"},
        {"[{source_labels: [none], regex: '', target_label: b, replacement: was-empty}]", "a=1",
         "a=1 b=was-empty"},
        {"[{target_label: a, replacement: ''}]", "a=1 b=2", "b=2"}, /* an empty value removes */
        {"[{source_labels: [a], regex: 'o', target_label: b}]", "a=foo", "a=foo"}, /* anchored */
        {"[{source_labels: [a], regex: 'x|foo', target_label: b, replacement: y}]", "a=xfoo", "a=xfoo"},
        {"[{source_labels: [a], regex: '(?P<first>.).*', target_label: b, replacement: '${first}$$'}]",
         "a=xy", "a=xy b=x$"},
        {"[{source_labels: [a], regex: '(.)(.*)', target_label: b, replacement: $1x}]", "a=xy", "a=xy"},
        {"[{source_labels: [a], regex: '(.*)', target_label: 'to_${1}', replacement: v}]", "a=here",
         "a=here to_here=v"},
        {"[{source_labels: [none], regex: '(.*)', target_label: '${1}', replacement: v}]", "a=1", "a=1"},
        {"[{source_labels: [a, b], separator: '', target_label: c}]", "a=1 b=2", "a=1 b=2 c=12"},
        {"[{source_labels: [a, b, c], target_label: d}]", "a=1 c=3", "a=1 c=3 d=1;;3"},
        {"[{source_labels: [__name__], target_label: 'é.b'}]", "__name__=m", "__name__=m é.b=m"},
        {"[]", "a=1", "a=1"},
    };
    EXPECT(table);
}

static void keeps_and_drops(void **state)
{
    (void)state;
    static const struct example table[] = {
        {"[{source_labels: [a], regex: '.*o.*', action: drop}, {target_label: b, replacement: x}]", "a=foo",
         NULL},
        {"[{source_labels: [a], regex: '.*o.*', action: drop}]", "a=bar", "a=bar"},
        {"[{source_labels: [a], regex: f.., action: keep}]", "a=foo", "a=foo"},
        {"[{source_labels: [a], regex: f.., action: keep}]", "a=bar", NULL},
        {"[{source_labels: [none], regex: f.., action: keep}]", "a=bar", NULL},
        {"[{source_labels: [a], regex: '', action: drop}]", "b=1", NULL},
        {"[{source_labels: [a], action: KEEP}]", "b=1", "b=1"}, /* the action in any case; (.*) takes all */
        {"[{source_labels: [a], target_label: b, action: keepequal}]", "a=1 b=1", "a=1 b=1"},
        {"[{source_labels: [a], target_label: b, action: keepequal}]", "a=1 b=2", NULL},
        {"[{source_labels: [a], target_label: b, action: dropequal}]", "a=1 b=1", NULL},
        {"[{source_labels: [a], target_label: b, action: dropequal}]", "a=1 b=2", "a=1 b=2"},
        {"[{source_labels: [x], target_label: y, action: dropequal}]", "a=1", NULL}, /* both are empty */
    };
    EXPECT(table);
}

/* The numbers are those of Prometheus' own test and of `printf %s TEXT | md5sum`. */
static void hashes_and_changes_case(void **state)
{
    (void)state;
    static const struct example table[] = {
        {"[{source_labels: [c], target_label: d, action: hashmod, modulus: 1000}]", "a=foo b=bar c=baz",
         "a=foo b=bar c=baz d=976"},
        {"[{source_labels: [a, b], target_label: h, action: hashmod, modulus: 4611686018427387904}]",
         "a=x b=y", "a=x b=y h=1567979154959136526"},
        {"[{source_labels: [none], target_label: h, action: hashmod, modulus: 1}]", "a=x", "a=x h=0"},
        {"[{source_labels: [a], target_label: b, action: lowercase}]", "a=FoO-ÄÉ", "a=FoO-ÄÉ b=foo-äé"},
        {"[{source_labels: [a], target_label: b, action: uppercase}]", "a=bar-äß", "a=bar-äß b=BAR-Äß"},
        {"[{source_labels: [none], target_label: a, action: uppercase}]", "a=bar", ""},
    };
    EXPECT(table);
}

static void maps_and_filters_names(void **state)
{
    (void)state;
    static const struct example table[] = {
        {"[{regex: '(b.*)', replacement: 'bar_${1}', action: labelmap}]", "a=foo b1=bar b2=baz",
         "a=foo b1=bar b2=baz bar_b1=bar bar_b2=baz"},
        {"[{regex: '__meta_(my.*)', action: labelmap}]", "__meta_my_bar=aa __meta_other=bb my_baz=2",
         "__meta_my_bar=aa __meta_other=bb my_bar=aa my_baz=2"},
        {"[{regex: 'a(.*)', replacement: '${1}', action: labelmap}]", "a=1 ab=2",
         "a=1 ab=2 b=2"}, /* no name: no label */
        /* two to one name: the one that Prometheus comes to last, which is what was set before */
        {"[{target_label: a0, replacement: set}, {regex: 'a.', replacement: b, action: labelmap}]", "a1=came",
         "a0=set a1=came b=set"},
        {"[{target_label: a0, replacement: anew}, {regex: 'a.', replacement: b, action: labelmap}]",
         "a0=old a1=came", "a0=anew a1=came b=anew"},
        {"[{regex: '(b.*)', action: labeldrop}]", "a=foo b1=bar b2=baz", "a=foo"},
        {"[{regex: '(b.*)', action: labelkeep}]", "a=foo b1=bar b2=baz", "b1=bar b2=baz"},
        {"[{regex: 'x', action: labelkeep}]", "a=foo", ""},
        {"[{regex: 'a', action: labeldrop}, {source_labels: [a], target_label: b}]", "a=1 b=2", ""},
    };
    EXPECT(table);
}

static void gives_back_the_set_that_nothing_changed(void **state)
{
    (void)state;
    struct relabel_rules rules;
    struct relabel *relabel = NULL;
    const struct labels *in = labels_from("a=1"), *out = NULL;
    assert_int_equal(read_rules("[{source_labels: [a], regex: x, target_label: b}]", &rules, NULL), 0);
    assert_int_equal(relabel_open(&rules, &relabel, NULL), 0);
    assert_int_equal(relabel_apply(relabel, &arena, in, &out), 0);
    assert_ptr_equal(out, in);
    assert_int_equal(relabel_apply(NULL, &arena, in, &out), 0);
    assert_ptr_equal(out, in);
    relabel_free(relabel);
}

static void stops_at_the_arena_s_cap(void **state)
{
    (void)state;
    struct relabel_rules rules;
    struct relabel *relabel = NULL;
    struct arena small;
    const struct labels *out = NULL;
    arena_init(&small, 256);
    assert_int_equal(
        read_rules("[{source_labels: [a], regex: '(.*)', target_label: a, replacement: $1$1$1$1},"
                   " {source_labels: [a], regex: '(.*)', target_label: a, replacement: $1$1$1$1},"
                   " {source_labels: [a], regex: '(.*)', target_label: a, replacement: $1$1$1$1}]",
                   &rules, NULL),
        0);
    assert_int_equal(relabel_open(&rules, &relabel, NULL), 0);
    assert_int_equal(relabel_apply(relabel, &small, labels_from("a=0123456789"), &out), ERR_LIMIT);
    relabel_free(relabel);
    arena_release(&small);
}

static void says_what_makes_no_sense(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *why;
    } table[] = {
        {"[{action: ~}]", "relabel action cannot be empty"},
        {"[{action: nope}]", "unknown relabel action \"nope\""},
        {"[{action: ''}]", "unknown relabel action \"\""},
        {"[{source_labels: [a]}]", "relabel configuration for replace action requires 'target_label' value"},
        {"[{source_labels: [a], action: lowercase}]",
         "relabel configuration for lowercase action requires 'target_label' value"},
        {"[{source_labels: [a], action: keepequal}]",
         "relabel configuration for keepequal action requires 'target_label' value"},
        {"[{source_labels: [a], target_label: b, action: hashmod}]",
         "relabel configuration for hashmod requires non-zero modulus"},
        {"[{source_labels: [a], action: hashmod, modulus: 2}]",
         "relabel configuration for hashmod action requires 'target_label' value"},
        {"[{target_label: \"\\xff\"}]", NULL}, /* YAML makes it UTF-8 */
        {"[{source_labels: [a], target_label: b, action: uppercase, replacement: x}]",
         "'replacement' can not be set for uppercase action"},
        {"[{source_labels: [a], target_label: b, action: dropequal, replacement: x}]",
         "'replacement' can not be set for dropequal action"},
        {"[{regex: a, action: labelmap, replacement: ''}]",
         "\"\" is invalid 'replacement' for labelmap action"},
        {"[{source_labels: [a], target_label: b, action: dropequal, regex: '(.*)'}]",
         "dropequal action requires only 'source_labels' and `target_label`, and no other fields"},
        {"[{source_labels: [a], target_label: b, action: keepequal, separator: ','}]",
         "keepequal action requires only 'source_labels' and `target_label`, and no other fields"},
        {"[{source_labels: [], regex: a, action: labeldrop}]",
         "labeldrop action requires only 'regex', and no other fields"},
        {"[{regex: a, target_label: b, action: labelkeep}]",
         "labelkeep action requires only 'regex', and no other fields"},
        {"[{regex: a, modulus: 3, action: labelkeep}]",
         "labelkeep action requires only 'regex', and no other fields"},
        {"[{source_labels: ['']}]", "\"\" is not a valid label name"},
        {"[{regex: '(', target_label: a}]", "error parsing regexp: missing closing ): `^(?s:()$`"},
        {"[~]", "empty or null rule"},
        {"[{action: nope}, ~]", "unknown relabel action \"nope\""},
        {"[{source_label: [a]}]",
         "yaml: unmarshal errors:\n  line 1: field source_label not found in type relabel.plain"},
        {"[{modulus: x}]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `x` into uint64"},
        {"{action: drop}",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into []*relabel.Config"},
        {"[{source_labels: a}]",
         "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `a` into model.LabelNames"},
        /* what is no rule at all comes before what makes no sense */
        {"[{source_labels: [a]}, {action: nope}]", "unknown relabel action \"nope\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct relabel_rules rules;
        struct err err = {0};
        int rc = read_rules(table[i].rules, &rules, &err);
        if (rc != (table[i].why != NULL ? ERR_PARSE : 0) ||
            strcmp(err.text, table[i].why ? table[i].why : "") != 0)
            fail_msg("%s: %d %s", table[i].rules, rc, err.text);
    }
}

static void prints_what_reads_as_the_same(void **state)
{
    (void)state;
    static const char text[] = "r:\n"
                               "- source_labels: [\"a\", \"b c\"]\n"
                               "  separator: ;\n"
                               "  regex: x(.*)\n"
                               "  target_label: d\n"
                               "  replacement: $1\n"
                               "  action: replace\n"
                               "- source_labels: [\"a\"]\n"
                               "  separator: ''\n"
                               "  modulus: 7\n"
                               "  target_label: d\n"
                               "  replacement: \"\"\n"
                               "  action: hashmod\n";
    struct relabel_rules rules, again;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(
        read_rules("[{source_labels: [a, b c], regex: x(.*), target_label: d},"
                   " {source_labels: [a], separator: ~, modulus: 7, target_label: d, replacement: '',"
                   " action: HashMod}]",
                   &rules, NULL),
        0);
    relabel_print(&out, 0, "r", &rules);
    static char expected[sizeof text];
    snprintf(expected, sizeof expected, "%s", text);
    for (char *p; (p = strstr(expected, "''")) != NULL;)
        p[0] = p[1] = '"';
    assert_string_equal(buf_text(&out), expected);
    assert_int_equal(read_rules(buf_text(&out) + strlen("r:\n"), &again, NULL), 0);
    assert_int_equal(again.count, 2);
    assert_int_equal(again.items[1].action, RELABEL_HASHMOD);
    buf_release(&out);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(replaces),
        CASE(keeps_and_drops),
        CASE(hashes_and_changes_case),
        CASE(maps_and_filters_names),
        CASE(gives_back_the_set_that_nothing_changed),
        CASE(stops_at_the_arena_s_cap),
        CASE(says_what_makes_no_sense),
        CASE(prints_what_reads_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
