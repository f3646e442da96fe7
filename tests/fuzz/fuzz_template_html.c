/* Any bytes as a template that becomes HTML, run twice on values that are out to break it. It ends, within its limits; what two
 * runs write differs only inside values; and a browser's reading of the output, as far as html_scan knows it, finds the same
 * tags and attributes whatever the values are. */
#include "../../engine/template/html_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"

static const char *const values[] = {
    "x",          "\"><script>alert(1)</script>", "' onclick='f()", "--><b c=", "javascript:f()", "a b=c `",
    "</title><i>"};

/* A line for each change of place that tags, attributes and comments make. */
static bool outline(struct buf *out, struct str s)
{
    struct html_context c = {.state = HTML_TEXT};
    struct err err;
    for (size_t i = 0; i < s.n;) {
        struct html_context before = c;
        size_t read = html_scan(&c, (struct str){s.p + i, s.n - i}, &err);
        if (read == SIZE_MAX)
            return false;
        must(read > 0 || before.state != c.state);
        i += read;
        if (!html_same(before, c) && c.part == before.part)
            buf_format(out, "%d/%d/%d/%d\n", (int)c.state, (int)c.delim, (int)c.attr, (int)c.element);
    }
    return true;
}

static int run(const struct template_set *set, struct tval value, struct buf *out)
{
    struct tval items[2] = {value, value};
    struct tval list = tval_list(items, 2);
    struct tval_field fields[] = {{STR("l"), &list}, {STR("v"), &value}};
    struct tval data = tval_map(fields, 2, TVAL_NIL);
    struct err err = {0};
    buf_init(out, 1 << 20);
    int rc = template_execute_html(set, STR("t"), &data, NULL, out, &err);
    must(rc == 0 || err.text[0] != '\0');
    return rc;
}

static void compare(const struct template_set *set)
{
    struct buf plain, plain_outline;
    int rc = run(set, tval_text(str_of(values[0])), &plain);
    buf_init(&plain_outline, 1 << 22);
    bool read = outline(&plain_outline, buf_slice(&plain));
    for (size_t i = 1; i < sizeof values / sizeof *values && rc == 0 && read; i++) {
        struct buf other, other_outline;
        buf_init(&other_outline, 1 << 22);
        if (run(set, tval_text(str_of(values[i])), &other) == 0) {
            must(outline(&other_outline, buf_slice(&other)));
            must(str_eq(buf_slice(&plain_outline), buf_slice(&other_outline)));
        }
        buf_release(&other);
        buf_release(&other_outline);
    }
    buf_release(&plain);
    buf_release(&plain_outline);
}

/* Where values may decide which way a template goes, or are trusted, outlines may differ. */
static bool goes_one_way(struct str text)
{
    static const char *const words[] = {"safe", "eq",    "ne",    "lt",    "le",           "gt",
                                        "ge",   "index", "slice", "match", "reReplaceAll", "base64"};
    bool inside = false;
    for (size_t i = 0; i + 1 < text.n; i++) {
        struct str rest = {text.p + i, text.n - i};
        inside = str_starts(rest, STR("{{")) || (inside && !str_starts(rest, STR("}}")));
        for (size_t w = 0; inside && w < sizeof words / sizeof *words; w++)
            if (str_starts(rest, str_of(words[w])))
                return false;
    }
    return true;
}

static void run_only(const struct template_set *set)
{
    for (size_t i = 0; i < 2; i++) {
        struct buf out;
        run(set, tval_text(str_of(values[i])), &out);
        buf_release(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct template_function *const tables[] = {template_alertmanager_functions};
    limits.template_steps = 2000;
    limits.template_output_bytes = 1 << 16;
    limits.template_arena_bytes = 1 << 20;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    struct template_set *set = template_set_make(&arena, tables, 1);
    struct err err = {0};
    struct str text = {(const char *)data, size};
    if (template_parse(set, STR("t"), text, &err) == 0) {
        if (template_escape_html(set, STR("t"), &err) != 0)
            must(str_starts(str_of(err.text), STR("html/template:")));
        else if (goes_one_way(text))
            compare(set);
        else
            run_only(set);
    }
    arena_release(&arena);
    return 0;
}
