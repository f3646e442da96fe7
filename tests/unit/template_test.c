#include "template_data.h"

#include "tocsin/limits.h"
#include "tocsin/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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
    const char *file;
    bool html;
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

static int run_template(struct cases *c, struct str text, struct buf *out, struct err *err)
{
    struct template_set *set = template_set_make(&c->text_arena, c->tables, c->table_count);
    int rc = template_parse(set, STR("t"), text, err);
    if (rc != 0 || !c->html)
        return rc != 0 ? rc : template_execute(set, STR("t"), &c->data, NULL, out, err);
    rc = template_escape_html(set, STR("t"), err);
    return rc != 0 ? rc : template_execute_html(set, STR("t"), &c->data, NULL, out, err);
}

static void run_case(struct cases *c, struct str template, struct str expected, bool want_error)
{
    arena_clear(&c->text_arena);
    struct buf out;
    buf_init(&out, 1 << 20);
    struct err err = {0};
    int rc = run_template(c, plain(&c->text_arena, template), &out, &err);
    struct str got = rc != 0 ? str_of(err.text) : buf_slice(&out);
    c->count++;
    if ((rc != 0) != want_error || !str_eq(got, plain(&c->text_arena, expected))) {
        c->failed++;
        print_error("%s:%d: %.*s\n  wanted %s %.*s\n  got    %s %.*s\n", c->file, c->line, STR_ARG(template),
                    want_error ? "error: " : "output:", STR_ARG(expected),
                    rc != 0 ? "error: " : "output:", STR_ARG(got));
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

static void run_file(const char *path, bool html, int least)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    struct buf text;
    buf_init(&text, 1 << 20);
    char *to = buf_reserve(&text, 1 << 19);
    buf_commit(&text, fread(to, 1, 1 << 19, f));
    assert_true(feof(f));
    fclose(f);
    struct cases c = {.data = tval_nil(), .file = path, .html = html};
    arena_init(&c.arena, 1 << 20);
    arena_init(&c.text_arena, 1 << 20);
    run_lines(&c, buf_slice(&text));
    arena_release(&c.arena);
    arena_release(&c.text_arena);
    buf_release(&text);
    assert_int_equal(c.failed, 0);
    assert_true(c.count > least);
}

static void templates_print_what_go_prints(void **state)
{
    (void)state;
    run_file("tests/unit/template_cases.txt", false, 400);
}

static void html_templates_print_what_go_prints(void **state)
{
    (void)state;
    run_file("tests/unit/template_html_cases.txt", true, 120);
}

/* ---- sets, limits, failures ---- */

struct fixture {
    struct arena arena;
    struct template_set *set;
    struct buf out;
    struct err err;
    struct limits saved;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){.saved = limits};
    arena_init(&f->arena, 1 << 22);
    f->set = template_set_make(&f->arena, NULL, 0);
    assert_non_null(f->set);
    buf_init(&f->out, 1 << 22);
}

static void end(struct fixture *f)
{
    arena_release(&f->arena);
    buf_release(&f->out);
    limits = f->saved;
}

static int parse(struct fixture *f, const char *name, const char *text)
{
    return template_parse(f->set, str_of(name), str_of(text), &f->err);
}

static int execute(struct fixture *f, const char *name, struct tval data)
{
    buf_clear(&f->out);
    return template_execute(f->set, str_of(name), &data, NULL, &f->out, &f->err);
}

static void definitions_of_a_later_text_replace_earlier_ones(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "defaults", "{{define \"subject\"}}old{{end}}{{define \"body\"}}b{{end}}"), 0);
    assert_int_equal(parse(&f, "user", "{{define \"subject\"}}new{{end}}{{define \"body\"}} {{end}}"), 0);
    assert_int_equal(parse(&f, "x", "{{template \"subject\"}}-{{template \"body\"}}"), 0);
    assert_int_equal(execute(&f, "x", tval_nil()), 0);
    assert_string_equal(buf_text(&f.out), "new-b"); /* a blank definition replaces nothing */
    end(&f);
}

static void a_text_that_does_not_parse_leaves_the_set_as_it_was(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "a", "{{define \"d\"}}1{{end}}{{template \"d\"}}"), 0);
    assert_int_equal(parse(&f, "b", "{{define \"d\"}}2{{end}}{{nope}}"), ERR_PARSE);
    assert_string_equal(f.err.text, "template: b:1: function \"nope\" not defined");
    assert_int_equal(execute(&f, "b", tval_nil()), ERR_NOT_FOUND);
    assert_int_equal(execute(&f, "a", tval_nil()), 0);
    assert_string_equal(buf_text(&f.out), "1");
    end(&f);
}

static void what_is_defined_in_a_clone_does_not_show_in_the_original(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "a", "A"), 0);
    struct template_set *original = f.set;
    f.set = template_set_clone(&f.arena, original);
    assert_int_equal(parse(&f, "b", "{{template \"a\"}}B"), 0);
    assert_int_equal(execute(&f, "b", tval_nil()), 0);
    assert_string_equal(buf_text(&f.out), "AB");
    f.set = original;
    assert_int_equal(execute(&f, "b", tval_nil()), ERR_NOT_FOUND);
    end(&f);
}

static void errors_name_the_text_that_holds_the_definition(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "lib.tmpl", "\n\n {{define \"d\"}}{{len .}}{{end}}"), 0);
    assert_int_equal(parse(&f, "main", "{{template \"d\" .}}"), 0);
    assert_int_equal(execute(&f, "main", tval_int(1)), ERR_EXEC);
    assert_string_equal(f.err.text, "template: lib.tmpl:3:17: executing \"d\" at <len .>: error calling len: "
                                    "len of type int");
    assert_int_equal(execute(&f, "nobody", tval_nil()), ERR_NOT_FOUND);
    end(&f);
}

static int execute_html(struct fixture *f, const char *name, struct tval data)
{
    buf_clear(&f->out);
    return template_execute_html(f->set, str_of(name), &data, NULL, &f->out, &f->err);
}

static void one_set_serves_text_and_html(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "lib", "{{define \"v\"}}{{.}}{{end}}"), 0);
    assert_int_equal(parse(&f, "a", "<a title='{{template \"v\" .}}'>{{template \"v\" .}}<!-- c -->"), 0);
    assert_int_equal(execute_html(&f, "a", tval_text(STR("'<"))), ERR_NOT_FOUND); /* not escaped yet */
    assert_int_equal(template_escape_html(f.set, STR("a"), &f.err), 0);
    assert_int_equal(template_escape_html(f.set, STR("a"), &f.err), 0);
    assert_int_equal(execute_html(&f, "a", tval_text(STR("'<"))), 0);
    assert_string_equal(buf_text(&f.out), "<a title='&#39;&lt;'>&#39;&lt;");
    assert_int_equal(execute(&f, "a", tval_text(STR("'<"))), 0);
    assert_string_equal(buf_text(&f.out), "<a title=''<'>'<<!-- c -->");
    assert_int_equal(template_escape_html(f.set, STR("b"), &f.err), ERR_NOT_FOUND);
    end(&f);
}

static void what_is_redefined_is_escaped_again(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "lib", "{{define \"v\"}}{{.}}{{end}}"), 0);
    assert_int_equal(parse(&f, "a", "<i {{template \"v\" .}}>"), 0);
    assert_int_equal(template_escape_html(f.set, STR("a"), &f.err), 0);
    struct template_set *original = f.set;
    f.set = template_set_clone(&f.arena, original);
    assert_int_equal(parse(&f, "b", "{{template \"a\" .}}"), 0); /* adds a name: what is escaped stays */
    assert_int_equal(execute_html(&f, "a", tval_text(STR("b"))), 0);
    assert_int_equal(parse(&f, "user", "{{define \"v\"}}>{{.}}<i{{end}}"), 0);
    assert_int_equal(execute_html(&f, "a", tval_text(STR("b"))), ERR_NOT_FOUND);
    assert_int_equal(template_escape_html(f.set, STR("b"), &f.err), 0);
    assert_int_equal(execute_html(&f, "b", tval_text(STR("<"))), 0);
    assert_string_equal(buf_text(&f.out), "<i >&lt;<i>");
    f.set = original;
    assert_int_equal(execute_html(&f, "a", tval_text(STR("<"))), 0);
    assert_string_equal(buf_text(&f.out), "<i ZgotmplZ>");
    end(&f);
}

static void html_that_does_not_escape_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "a", "{{template \"b\" .}}<a"), 0);
    assert_int_equal(parse(&f, "b", "{{.}}"), 0);
    assert_int_equal(template_escape_html(f.set, STR("a"), &f.err), ERR_PARSE);
    assert_int_equal(execute_html(&f, "a", tval_text(STR("<"))), ERR_NOT_FOUND);
    assert_int_equal(execute_html(&f, "b", tval_text(STR("<"))), ERR_NOT_FOUND);
    assert_int_equal(template_escape_html(f.set, STR("b"), &f.err), 0);
    assert_int_equal(execute_html(&f, "b", tval_text(STR("<"))), 0);
    assert_string_equal(buf_text(&f.out), "&lt;");
    assert_int_equal(execute_html(&f, "a", tval_text(STR("<"))), ERR_NOT_FOUND);
    end(&f);
}

/* Go takes the second call to end where it began, in the tag, and refuses the text. */
static void a_template_that_ends_elsewhere_may_be_called_twice(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(
        parse(&f, "a", "{{define \"x\"}}>{{end}}<i {{template \"x\"}}{{.}}<b {{template \"x\"}}{{.}}"), 0);
    assert_int_equal(template_escape_html(f.set, STR("a"), &f.err), 0);
    assert_int_equal(execute_html(&f, "a", tval_text(STR("<"))), 0);
    assert_string_equal(buf_text(&f.out), "<i >&lt;<b >&lt;");
    end(&f);
}

static void escaping_is_stopped_where_running_would_be(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    limits.template_steps = 20;
    uint64_t before = limit_hits(LIMIT_template_steps);
    assert_int_equal(parse(&f, "a",
                           "{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}"
                           "{{.}}{{.}}{{.}}{{.}}{{.}}{{.}}"),
                     0);
    assert_int_equal(template_escape_html(f.set, STR("a"), &f.err), ERR_LIMIT);
    assert_true(limit_hits(LIMIT_template_steps) > before);
    limits.template_depth = 2;
    assert_int_equal(parse(&f, "b", "{{template \"c\"}}"), 0);
    assert_int_equal(parse(&f, "c", "{{template \"d\"}}"), 0);
    assert_int_equal(parse(&f, "d", "x"), 0);
    assert_int_equal(template_escape_html(f.set, STR("b"), &f.err), ERR_LIMIT);
    assert_int_equal(template_escape_html(f.set, STR("c"), &f.err), 0);
    end(&f);
}

static void output_before_a_failure_is_kept(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "a", "before {{len 1}} after"), 0);
    assert_int_equal(execute(&f, "a", tval_nil()), ERR_EXEC);
    assert_string_equal(buf_text(&f.out), "before ");
    end(&f);
}

/* Runs a text that reaches a limit, and checks that it was counted. */
static void check_limit(const char *text, enum limit_id id, int64_t *limit, int64_t value)
{
    struct fixture f;
    begin(&f);
    *limit = value;
    uint64_t before = limit_hits(id);
    assert_int_equal(parse(&f, "a", text), 0);
    assert_int_equal(execute(&f, "a", tval_int(1 << 30)), ERR_LIMIT);
    assert_true(limit_hits(id) > before);
    assert_true(f.out.used <= 1 << 21);
    end(&f);
}

static void a_run_that_does_too_much_is_stopped_and_counted(void **state)
{
    (void)state;
    check_limit("{{range .}}{{end}}", LIMIT_template_steps, &limits.template_steps, 1000);
    check_limit("{{range .}}{{range $}}{{end}}{{end}}", LIMIT_template_steps, &limits.template_steps, 1000);
    check_limit("{{range .}}0123456789{{end}}", LIMIT_template_output_bytes, &limits.template_output_bytes,
                1000);
    check_limit("{{printf \"%9999d\" 1}}", LIMIT_template_output_bytes, &limits.template_output_bytes, 1000);
    check_limit("{{$s := \"0123456789\"}}{{range .}}{{$s = print $s $s}}{{end}}", LIMIT_template_output_bytes,
                &limits.template_output_bytes, 10000);
    check_limit("{{$s := \"0123456789\"}}{{range .}}{{$s = print $s}}{{end}}", LIMIT_template_arena_bytes,
                &limits.template_arena_bytes, 20000);
    check_limit("{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}", LIMIT_template_depth,
                &limits.template_depth, 20);
    check_limit("{{define \"r\"}}{{if 1}}{{if 1}}{{if 1}}{{template \"r\"}}{{end}}{{end}}{{end}}{{end}}"
                "{{template \"r\"}}",
                LIMIT_template_depth, &limits.template_depth, 20);
}

static void a_template_that_calls_itself_for_ever_says_so(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(parse(&f, "a", "{{template \"a\"}}"), 0);
    assert_int_equal(execute(&f, "a", tval_nil()), ERR_LIMIT);
    assert_string_equal(f.err.text,
                        "template: a:1:11: executing \"a\" at <{{template \"a\"}}>: exceeded maximum "
                        "template depth (32)");
    end(&f);
}

static void texts_nested_too_deeply_do_not_parse(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_puts(&text, "{{");
    buf_repeat(&text, '(', 10000);
    buf_puts(&text, "1");
    buf_repeat(&text, ')', 10000);
    buf_puts(&text, "}}");
    assert_int_equal(parse(&f, "a", buf_text(&text)), ERR_LIMIT);
    buf_clear(&text);
    for (int i = 0; i < 5000; i++)
        buf_puts(&text, "{{if 1}}{{else if 2}}");
    assert_int_equal(parse(&f, "b", buf_text(&text)), ERR_LIMIT);
    buf_release(&text);
    end(&f);
}

static void a_set_that_outgrows_its_arena_says_so_and_goes_on_working(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    arena_release(&f.arena);
    arena_init(&f.arena, 8192);
    f.set = template_set_make(&f.arena, NULL, 0);
    assert_int_equal(parse(&f, "a", "ok"), 0);
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 300; i++)
        buf_puts(&text, "{{.x}}");
    assert_int_equal(parse(&f, "b", buf_text(&text)), ERR_LIMIT);
    assert_int_equal(execute(&f, "a", tval_nil()), 0);
    assert_string_equal(buf_text(&f.out), "ok");
    buf_release(&text);
    end(&f);
}

/* Every size of arena up to what the text needs: each failure is clean. */
static void running_out_of_memory_anywhere_is_an_error(void **state)
{
    (void)state;
    const char *text =
        "{{define \"d\"}}{{range $i, $e := .}}{{printf \"%v-%v\" $i $e}}{{end}}{{end}}"
        "{{template \"d\" .}}{{with index . \"k\"}}{{print 1 2 3 4 5 6 7}}{{html .}}{{else}}-{{end}}";
    struct tval v = tval_text(STR("v"));
    struct tval_field field = {.name = STR("k"), .value = &v};
    bool done = false;
    for (size_t cap = 64; cap < 64 << 10; cap += 256) {
        struct fixture f;
        begin(&f);
        arena_release(&f.arena);
        arena_init(&f.arena, cap);
        limits.template_arena_bytes = (int64_t)cap / 4;
        f.set = template_set_make(&f.arena, NULL, 0);
        int rc = f.set != NULL ? parse(&f, "a", text) : ERR_LIMIT;
        rc = rc == 0 ? execute(&f, "a", tval_map(&field, 1, TVAL_TEXT)) : rc;
        assert_true(rc == 0 || rc == ERR_LIMIT);
        done = done || rc == 0;
        end(&f);
    }
    assert_true(done);
}

static void bytes_that_are_no_text_neither_crash_nor_vanish(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(template_parse(f.set, STR("a"), STR("\xff\0{{\"\xfe\\xff\"}}\xc3"), &f.err), 0);
    assert_int_equal(execute(&f, "a", tval_nil()), 0);
    assert_int_equal(f.out.used,
                     7); /* Go's Unquote writes U+FFFD for a byte that is no text, unless it was escaped */
    assert_memory_equal(buf_text(&f.out), "\xff\0\xEF\xBF\xBD\xff\xc3", 7);
    assert_int_equal(template_parse(f.set, STR("b"), STR("{{\xff}}"), &f.err), ERR_PARSE);
    assert_int_equal(template_parse(f.set, STR("b"), STR("{{\0}}"), &f.err), ERR_PARSE);
    end(&f);
}

static int call_context(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                        struct err *err)
{
    (void)args;
    (void)count;
    (void)err;
    *out = tval_text(str_of(template_context(run)));
    return 0;
}

static void functions_see_the_callers_context_and_later_tables_win(void **state)
{
    (void)state;
    static const struct template_function mine[] = {{"where", call_context, NULL}, {NULL, NULL, NULL}};
    static const struct template_function over[] = {{"toUpper", call_context, "string"}, {NULL, NULL, NULL}};
    const struct template_function *const tables[] = {template_prometheus_functions, mine, over};
    struct fixture f;
    begin(&f);
    f.set = template_set_make(&f.arena, tables, 3);
    assert_int_equal(parse(&f, "a", "{{where}} {{toUpper \"x\"}} {{toLower \"X\"}}"), 0);
    struct tval data = tval_nil();
    char context[] = "here";
    assert_int_equal(template_execute(f.set, STR("a"), &data, context, &f.out, &f.err), 0);
    assert_string_equal(buf_text(&f.out), "here here x");
    assert_int_equal(parse(&f, "b", "{{where 1}}"), 0);
    assert_int_equal(template_execute(f.set, STR("b"), &data, context, &f.out, &f.err), ERR_EXEC);
    assert_string_equal(
        f.err.text,
        "template: b:1:2: executing \"b\" at <where>: wrong number of args for where: want 0 got 1");
    end(&f);
}

static void numbers_and_texts_become_floats_as_prometheus_reads_them(void **state)
{
    (void)state;
    struct err err;
    double v;
    struct tval text = tval_text(STR("1e3")), word = tval_text(STR("x")),
                duration = tval_duration(1500000000);
    struct tval list = tval_list(NULL, 0);
    assert_int_equal(tval_to_float(&text, &v, &err), 0);
    assert_true(v == 1000);
    assert_int_equal(tval_to_float(&duration, &v, &err), 0);
    assert_true(v == 1.5);
    assert_int_equal(tval_to_float(&word, &v, &err), ERR_EXEC);
    assert_string_equal(err.text, "strconv.ParseFloat: parsing \"x\": invalid syntax");
    assert_int_equal(tval_to_float(&list, &v, &err), ERR_EXEC);
    assert_string_equal(err.text, "can't convert []interface {} to float");
}

static void times_keep_their_zone_and_reach_gos_zero(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    struct tval zoned = tval_time_zoned(1435065584, 5, 7200, STR("CEST"));
    struct tval zero = tval_time_zoned(-62135596800, 0, 0, STR("UTC")), before = tval_time(-1);
    tval_print(&out, &zoned);
    buf_char(&out, '\n');
    tval_print(&out, &zero);
    buf_char(&out, '\n');
    tval_print(&out, &before);
    assert_string_equal(buf_text(&out),
                        "2015-06-23 15:19:44.000000005 +0200 CEST\n0001-01-01 00:00:00 +0000 UTC\n"
                        "1969-12-31 23:59:59.999999999 +0000 UTC");
    buf_release(&out);
}

static void a_zone_nobody_knows_is_refused_plainly(void **state)
{
    (void)state;
    const struct template_function *const tables[] = {template_alertmanager_functions};
    struct fixture f;
    begin(&f);
    f.set = template_set_make(&f.arena, tables, 1);
    assert_int_equal(parse(&f, "a", "{{tz \"Europe/Berlin\" .}}"), 0);
    assert_int_equal(execute(&f, "a", tval_time(0)), ERR_UNSUPPORTED);
    end(&f);
}

/* ---- references ---- */

static void note_key(void *context, struct str key)
{
    struct buf *found = context;
    buf_format(found, "%.*s ", STR_ARG(key));
}

static void expect_references(const char *text, const char *keys)
{
    struct fixture f;
    struct buf found;
    begin(&f);
    buf_init(&found, 1000);
    char whole[500];
    snprintf(whole, sizeof whole, "{{$labels := .Labels}}%s", text);
    assert_int_equal(parse(&f, "a", whole), 0);
    template_references(f.set, STR("a"), STR("$labels"), STR("Labels"), note_key, &found);
    assert_string_equal(buf_text(&found), keys);
    buf_release(&found);
    end(&f);
}

static bool zone_of_test(void *context, struct str name, int64_t unix_s, int32_t *offset_s, struct str *shown)
{
    (void)context;
    bool known = str_is(name, "Europe/Berlin");
    *offset_s = unix_s < 1711846800 ? 3600 : 7200; /* 2024-03-31 01:00 UTC */
    *shown = unix_s < 1711846800 ? STR("CET") : STR("CEST");
    return known;
}

static int label_of_test(void *context, struct str name, struct buf *out, struct err *err)
{
    if (str_is(name, "loop"))
        return err_set(err, ERR_EXEC, "route label cycle detected: loop -> loop");
    if (str_is(name, "team"))
        buf_puts(out, context);
    return 0;
}

static void check_outside(const char *text, int64_t now_ns, const char *expected)
{
    static const struct template_function *const tables[] = {template_alertmanager_functions,
                                                             template_outside_functions};
    char team[] = "<db>";
    struct template_outside outside = {
        .now_ns = now_ns, .zone = zone_of_test, .route_label = label_of_test, .context = team};
    struct fixture f;
    begin(&f);
    f.set = template_set_make(&f.arena, tables, 2);
    struct tval data = tval_time(1711846799000000000);
    assert_int_equal(parse(&f, "t", text), 0);
    int rc = template_execute(f.set, STR("t"), &data, &outside, &f.out, &f.err);
    assert_string_equal(rc == 0 ? buf_text(&f.out) : f.err.text, expected);
    end(&f);
}

static void time_zones_and_route_labels_come_from_outside(void **state)
{
    (void)state;
    int64_t now_ns = INT64_C(1711846800500000000);
    check_outside("{{now}} {{since .}} {{(now.Sub .).Seconds}}", now_ns,
                  "2024-03-31 01:00:00.5 +0000 UTC 1.5s 1.5");
    check_outside("{{since (toDate \"x\" \"\")}}", now_ns, "2562047h47m16.854775807s");
    check_outside(
        "{{tz \"Europe/Berlin\" .}} {{now | tz \"Europe/Berlin\" | date \"15:04 MST\"}} {{tz \"\" .}}",
        now_ns, "2024-03-31 01:59:59 +0100 CET 03:00 CEST 2024-03-31 00:59:59 +0000 UTC");
    check_outside(
        "{{tz \"Mars\" .}}", now_ns,
        "template: t:1:2: executing \"t\" at <tz \"Mars\" .>: error calling tz: unknown time zone Mars");
    check_outside("{{tz \"../etc\" .}}", now_ns,
                  "template: t:1:2: executing \"t\" at <tz \"../etc\" .>: error calling tz: time: invalid "
                  "location name");
    check_outside("{{routeLabels \"team\"}}[{{routeLabels \"none\"}}]", now_ns, "<db>[]");
    check_outside("{{routeLabels \"loop\"}}", now_ns,
                  "template: t:1:2: executing \"t\" at <routeLabels \"loop\">: error calling routeLabels: "
                  "route label cycle detected: loop -> loop");
    check_outside("{{now 1}}", now_ns,
                  "template: t:1:2: executing \"t\" at <now>: wrong number of args for now: want 0 got 1");
}

static void keys_asked_for_by_name_are_found_wherever_the_dot_is_still_the_data(void **state)
{
    (void)state;
    expect_references("{{ $labels.job }}{{ .Labels.pod }}{{ .Value.x }}{{ $labels }}", "job pod ");
    expect_references("{{ printf \"%s\" ($labels.a) | len }}{{ if eq .Labels.b \"x\" }}{{ $labels.c }}{{ "
                      "else }}{{ .Labels.d }}{{ end }}",
                      "a b c d ");
    expect_references("{{ index $labels \"a.b\" }}{{ index .Labels `c` }}{{ index $labels .Labels.d }}",
                      "a.b c d ");
    expect_references(
        "{{ range .List }}{{ .Labels.no }}{{ $labels.yes }}{{ else }}{{ .Labels.data }}{{ end }}",
        "yes data ");
    expect_references("{{ with $labels.x }}{{ .Labels.no }}{{ end }}{{ $x := $labels.y }}{{ $x.no }}",
                      "x y ");
    expect_references("no action", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_print_what_go_prints),
        cmocka_unit_test(html_templates_print_what_go_prints),
        cmocka_unit_test(one_set_serves_text_and_html),
        cmocka_unit_test(what_is_redefined_is_escaped_again),
        cmocka_unit_test(html_that_does_not_escape_changes_nothing),
        cmocka_unit_test(a_template_that_ends_elsewhere_may_be_called_twice),
        cmocka_unit_test(escaping_is_stopped_where_running_would_be),
        cmocka_unit_test(definitions_of_a_later_text_replace_earlier_ones),
        cmocka_unit_test(a_text_that_does_not_parse_leaves_the_set_as_it_was),
        cmocka_unit_test(what_is_defined_in_a_clone_does_not_show_in_the_original),
        cmocka_unit_test(errors_name_the_text_that_holds_the_definition),
        cmocka_unit_test(output_before_a_failure_is_kept),
        cmocka_unit_test(a_run_that_does_too_much_is_stopped_and_counted),
        cmocka_unit_test(a_template_that_calls_itself_for_ever_says_so),
        cmocka_unit_test(texts_nested_too_deeply_do_not_parse),
        cmocka_unit_test(a_set_that_outgrows_its_arena_says_so_and_goes_on_working),
        cmocka_unit_test(running_out_of_memory_anywhere_is_an_error),
        cmocka_unit_test(bytes_that_are_no_text_neither_crash_nor_vanish),
        cmocka_unit_test(functions_see_the_callers_context_and_later_tables_win),
        cmocka_unit_test(numbers_and_texts_become_floats_as_prometheus_reads_them),
        cmocka_unit_test(times_keep_their_zone_and_reach_gos_zero),
        cmocka_unit_test(a_zone_nobody_knows_is_refused_plainly),
        cmocka_unit_test(time_zones_and_route_labels_come_from_outside),
        cmocka_unit_test(keys_asked_for_by_name_are_found_wherever_the_dot_is_still_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
