#include "tocsin/template.h"

#include "tocsin/limits.h"
#include "tocsin/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- data from JSON, with the typed forms that template_cases.txt explains ---- */

static struct tval data_of(struct arena *arena, const struct tree *node);

static struct tval *data_ref(struct arena *arena, const struct tree *node)
{
    struct tval v = data_of(arena, node);
    struct tval *copy = arena_copy(arena, &v, 1, sizeof v);
    assert_non_null(copy);
    return copy;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct tval_field *)a)->name, ((const struct tval_field *)b)->name);
}

static struct tval_field *fields_of(struct arena *arena, const struct tree *node)
{
    struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, node->count);
    assert_non_null(fields);
    size_t i = 0;
    for (const struct tree *c = node->first; c != NULL; c = c->next)
        fields[i++] = (struct tval_field){.name = c->key->text, .value = data_ref(arena, c)};
    return fields;
}

static struct tval map_of(struct arena *arena, const struct tree *node, enum tval_kind zero)
{
    struct tval_field *fields = fields_of(arena, node);
    if (node->count > 0)
        qsort(fields, node->count, sizeof *fields, by_name);
    return tval_map(fields, node->count, zero);
}

static struct tval list_of(struct arena *arena, const struct tree *node)
{
    struct tval *items = ARENA_ARRAY(arena, struct tval, node->count);
    assert_non_null(items);
    size_t i = 0;
    for (const struct tree *c = node->first; c != NULL; c = c->next)
        items[i++] = data_of(arena, c);
    return tval_list(items, node->count);
}

static int alert_upper(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                       struct err *err)
{
    (void)err;
    assert_int_equal(count, 1);
    struct str s = str_copy(template_arena(run), tval_get(&args[0], STR("Status"))->text);
    char *text = (char *)(uintptr_t)s.p;
    for (size_t i = 0; i < s.n; i++)
        text[i] = (char)(text[i] & ~0x20);
    *out = tval_text(s);
    return 0;
}

static int alert_join(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)err;
    assert_int_equal(count, 3);
    struct buf text;
    buf_init(&text, 1000);
    for (int64_t i = 0; i < args[2].integer; i++) {
        buf_str(&text, tval_get(&args[0], STR("Status"))->text);
        buf_str(&text, args[1].text);
    }
    *out = tval_text(str_copy(template_arena(run), buf_slice(&text)));
    buf_release(&text);
    return 0;
}

static int alert_later(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                       struct err *err)
{
    (void)run;
    (void)count;
    (void)err;
    *out = *tval_get(&args[0], STR("StartsAt"));
    out->time.unix_s += args[1].integer / 1000000000;
    out->time.ns += (int32_t)(args[1].integer % 1000000000);
    return 0;
}

static int alert_fail(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    (void)run;
    (void)args;
    (void)count;
    (void)out;
    return err_set(err, ERR_EXEC, "no luck");
}

static const struct template_function alert_methods[] = {{"Upper", alert_upper, ""},
                                                         {"Join", alert_join, "string int"},
                                                         {"Later", alert_later, "time.Duration"},
                                                         {"Fail", alert_fail, ""},
                                                         {NULL, NULL, NULL}};
static const struct tval_type type_alert = {
    .go_name = "main.Alert", .methods = alert_methods, .json_small = true};

static void print_level(struct buf *out, const struct tval *v)
{
    buf_format(out, "level-%lld", (long long)v->integer);
}

static const struct tval_type type_level = {.go_name = "main.Level", .print = print_level};

static bool typed(struct arena *arena, const struct tree *node, struct tval *out)
{
    const struct tree *c = node->first;
    int64_t n = 0;
    if (node->count != 1 || !str_starts(c->key->text, STR("@")))
        return false;
    if (c->kind == TREE_SCALAR)
        assert_int_equal(tree_i64(c, &n), 0);
    if (str_is(c->key->text, "@strings")) {
        *out = map_of(arena, c, TVAL_TEXT);
    } else if (str_is(c->key->text, "@texts")) {
        *out = list_of(arena, c);
        *out = tval_texts(out->list.items, out->list.count);
    } else if (str_is(c->key->text, "@time")) {
        *out = tval_time(n);
    } else if (str_is(c->key->text, "@duration")) {
        *out = tval_duration(n);
    } else if (str_is(c->key->text, "@level")) {
        *out = tval_int(n);
        out->type = &type_level;
    } else {
        *out = tval_object(&type_alert, fields_of(arena, c), c->count);
    }
    return true;
}

static struct tval scalar_of(const struct tree *node)
{
    int64_t integer;
    double real;
    if (node->quoted)
        return tval_text(node->text);
    if (tree_is_null(node))
        return tval_nil();
    if (str_is(node->text, "true") || str_is(node->text, "false"))
        return tval_bool(str_is(node->text, "true"));
    if (str_find_char(node->text, '.') == node->text.n && tree_i64(node, &integer) == 0)
        return tval_int(integer);
    assert_int_equal(tree_f64(node, &real), 0);
    return tval_float(real);
}

static struct tval data_of(struct arena *arena, const struct tree *node)
{
    struct tval v;
    if (node->kind == TREE_LIST)
        return list_of(arena, node);
    if (node->kind == TREE_SCALAR)
        return scalar_of(node);
    return typed(arena, node, &v) ? v : map_of(arena, node, TVAL_NIL);
}

/* ---- template_cases.txt ---- */

/* What Prometheus gives its templates besides template_prometheus_functions. */
static int call_query(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                      struct err *err)
{
    static const char *const instances[] = {"b", "a", "c"};
    static const double values[] = {2.5, 11, 1e7};
    (void)count;
    struct arena *arena = template_arena(run);
    if (str_is(args[0].text, "bad"))
        return err_set(err, ERR_EXEC, "bad query");
    if (str_is(args[0].text, "empty")) {
        *out = template_query_result(NULL, 0);
        return 0;
    }
    struct tval *samples = ARENA_ARRAY(arena, struct tval, 3);
    for (size_t i = 0; i < 3; i++) {
        struct tval *texts = ARENA_ARRAY(arena, struct tval, 3);
        struct tval_field *fields = ARENA_ARRAY(arena, struct tval_field, 3);
        texts[0] = tval_text(STR("m"));
        texts[1] = tval_text(STR("v"));
        texts[2] = tval_text(str_of(instances[i]));
        size_t n = 0;
        fields[n++] = (struct tval_field){STR("__name__"), &texts[0]};
        if (i == 1)
            fields[n++] = (struct tval_field){STR("__value__"), &texts[1]};
        fields[n++] = (struct tval_field){STR("instance"), &texts[2]};
        samples[i] = template_sample(arena, tval_map(fields, n, TVAL_TEXT), tval_float(values[i]));
    }
    *out = template_query_result(samples, 3);
    return 0;
}

static const struct template_function query_table[] = {{"query", call_query, "string"}, {NULL, NULL, NULL}};

struct cases {
    struct arena arena;      /* the data */
    struct arena text_arena; /* one template */
    const struct template_function *tables[2];
    size_t table_count;
    struct tval data;
    int line, count, failed;
};

static void choose_functions(struct cases *c, struct str name)
{
    c->table_count = 0;
    if (str_is(name, "prometheus")) {
        c->tables[c->table_count++] = template_prometheus_functions;
        c->tables[c->table_count++] = query_table;
    } else if (str_is(name, "alertmanager")) {
        c->tables[c->table_count++] = template_alertmanager_functions;
    } else {
        assert_true(str_is(name, "go"));
    }
}

static void read_data(struct cases *c, struct str text)
{
    arena_clear(&c->arena);
    struct tree *root;
    struct err err;
    text = str_copy(&c->arena, text);
    assert_int_equal(json_parse(&c->arena, text, &root, &err), 0);
    c->data = data_of(&c->arena, root);
}

/* ↵ and → back to what they stand for. */
static struct str plain(struct arena *arena, struct str s)
{
    char *out = arena_copy_text(arena, s.p, s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool newline = str_starts((struct str){s.p + i, s.n - i}, STR("↵"));
        bool tab = str_starts((struct str){s.p + i, s.n - i}, STR("→"));
        out[n++] = newline ? '\n' : tab ? '\t' : s.p[i];
        i += newline || tab ? 2 : 0;
    }
    return (struct str){out, n};
}

static void run_case(struct cases *c, struct str template, struct str expected, bool want_error)
{
    arena_clear(&c->text_arena);
    struct buf out;
    buf_init(&out, 1 << 20);
    struct err err = {0};
    struct template_set *set = template_set_make(&c->text_arena, c->tables, c->table_count);
    int rc = template_parse(set, STR("t"), plain(&c->text_arena, template), &err);
    if (rc == 0)
        rc = template_execute(set, STR("t"), &c->data, NULL, &out, &err);
    struct str got = rc != 0 ? str_of(err.text) : buf_slice(&out);
    c->count++;
    if ((rc != 0) != want_error || !str_eq(got, plain(&c->text_arena, expected))) {
        c->failed++;
        print_error("template_cases.txt:%d: %.*s\n  wanted %s %.*s\n  got    %s %.*s\n", c->line, STR_ARG(template),
                    want_error ? "error: " : "output:", STR_ARG(expected), rc != 0 ? "error: " : "output:",
                    STR_ARG(got));
    }
    buf_release(&out);
}

static bool take(struct str *line, const char *key)
{
    struct str k = str_of(key);
    if (!str_starts(*line, k))
        return false;
    *line = (struct str){line->p + k.n, line->n - k.n};
    return true;
}

static void run_lines(struct cases *c, struct str file)
{
    struct str template = {NULL, 0};
    while (file.p != NULL) {
        struct str line = str_cut(&file, '\n');
        c->line++;
        if (take(&line, "functions: "))
            choose_functions(c, line);
        else if (take(&line, "data: "))
            read_data(c, line);
        else if (take(&line, "template: "))
            template = line;
        else if (take(&line, "output: "))
            run_case(c, template, line, false);
        else if (take(&line, "error: "))
            run_case(c, template, line, true);
        else
            assert_true(line.n == 0 || line.p[0] == '#');
    }
}

static void templates_print_what_go_prints(void **state)
{
    (void)state;
    FILE *f = fopen("tests/unit/template_cases.txt", "rb");
    assert_non_null(f);
    struct buf text;
    buf_init(&text, 1 << 20);
    char *to = buf_reserve(&text, 1 << 19);
    buf_commit(&text, fread(to, 1, 1 << 19, f));
    assert_true(feof(f));
    fclose(f);
    struct cases c = {.data = tval_nil()};
    arena_init(&c.arena, 1 << 20);
    arena_init(&c.text_arena, 1 << 20);
    run_lines(&c, buf_slice(&text));
    arena_release(&c.arena);
    arena_release(&c.text_arena);
    buf_release(&text);
    assert_int_equal(c.failed, 0);
    assert_true(c.count > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_print_what_go_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
