#include "ruletest_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

void test_print_failure(struct test_print *print, const char *text)
{
    fflush(print->out);
    if (!print->failed)
        fputs("  FAILED:\n", print->errors);
    print->failed = true;
    fprintf(print->errors, "%s\n", text);
    fflush(print->errors);
    fputc('\n', print->out);
    if (print->junit != NULL)
        junit_failure(print->junit, text);
}

/* ---- diff ---- */

/* Beyond that many lines on either side the whole of both is shown. */
enum { DIFF_LINES_MAX = 2000 };

struct lines {
    struct str *items;
    size_t count, capacity;
};

static struct lines split(struct str text)
{
    struct lines lines = {0};
    while (text.p != NULL && text.n > 0) {
        MEM_GROW(lines.items, lines.count, lines.capacity);
        lines.items[lines.count++] = str_cut(&text, '\n');
    }
    return lines;
}

static void put_line(struct buf *out, const char *indent, char mark, struct str line)
{
    buf_format(out, "\n%s%c %.*s", indent, mark, STR_ARG(line));
}

/* common[i][j]: how many lines what follows i and what follows j have in common, in their order. */
static void walk(struct buf *out, const struct lines *a, const struct lines *b, const unsigned *common,
                 const char *indent)
{
    size_t i = 0, j = 0, width = b->count + 1;
    while (i < a->count || j < b->count) {
        if (i < a->count && j < b->count && str_eq(a->items[i], b->items[j])) {
            put_line(out, indent, ' ', a->items[i]);
            i++, j++;
        } else if (j == b->count ||
                   (i < a->count && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
            put_line(out, indent, '-', a->items[i++]);
        } else {
            put_line(out, indent, '+', b->items[j++]);
        }
    }
}

static void diff(struct buf *out, const struct lines *a, const struct lines *b, const char *indent)
{
    size_t width = b->count + 1;
    unsigned *common = MEM_ARRAY(unsigned, (a->count + 1) * width);
    for (size_t i = a->count; i-- > 0;)
        for (size_t j = b->count; j-- > 0;) {
            unsigned down = common[(i + 1) * width + j], right = common[i * width + j + 1];
            common[i * width + j] = str_eq(a->items[i], b->items[j]) ? common[(i + 1) * width + j + 1] + 1
                                    : down > right                   ? down
                                                                     : right;
        }
    walk(out, a, b, common, indent);
    mem_free(common);
}

void test_print_diff(struct buf *out, struct str expected, struct str got, const char *indent)
{
    struct lines a = split(expected), b = split(got);
    bool small = a.count <= DIFF_LINES_MAX && b.count <= DIFF_LINES_MAX;
    if (small)
        diff(out, &a, &b, indent);
    for (size_t i = 0; i < a.count && !small; i++)
        put_line(out, indent, '-', a.items[i]);
    for (size_t i = 0; i < b.count && !small; i++)
        put_line(out, indent, '+', b.items[i]);
    mem_free(a.items);
    mem_free(b.items);
}

/* ---- junit ---- */

/* As Go's encoding/xml escapes text. */
static void escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n;) {
        int rune;
        size_t length = str_rune(text.p + i, text.n - i, &rune);
        bool illegal = rune < 0 || (rune < 0x20 && rune != '\t' && rune != '\n' && rune != '\r') ||
                       rune == 0xfffe || rune == 0xffff;
        if (illegal)
            buf_puts(out, "\xef\xbf\xbd");
        else if (strchr("\"'&<>\t\n\r", rune) == NULL)
            buf_add(out, text.p + i, length);
        else if (rune == '&' || rune == '<' || rune == '>')
            buf_puts(out, rune == '&' ? "&amp;" : rune == '<' ? "&lt;" : "&gt;");
        else if (rune == '"' || rune == '\'')
            buf_format(out, "&#%d;", rune);
        else
            buf_format(out, "&#x%X;", (unsigned)rune);
        i += length;
    }
}

static void put_element(struct buf *out, const char *name, struct str text)
{
    buf_format(out, "<%s>", name);
    escape(out, text);
    buf_format(out, "</%s>", name);
}

void junit_init(struct junit *j)
{
    *j = (struct junit){0};
    buf_init(&j->cases, (size_t)limits.response_bytes);
}

void junit_case(struct junit *j, struct str name)
{
    if (j->in_case)
        buf_puts(&j->cases, "</testcase>");
    j->in_case = true;
    j->count++;
    buf_puts(&j->cases, "<testcase name=\"");
    escape(&j->cases, name);
    buf_puts(&j->cases, "\">");
}

void junit_failure(struct junit *j, const char *text)
{
    if (!j->in_case)
        return;
    j->failures++;
    put_element(&j->cases, "failure", str_of(text));
}

void junit_end(struct junit *j, struct str file, int64_t now_ns, const char *aborted, struct buf *out)
{
    struct buf time;
    buf_init(&time, 64);
    go_time_rfc3339(&time, now_ns, 0);
    buf_truncate(&time, aborted != NULL ? 0 : time.used - 1); /* without the Z, as promtool has it */
    if (aborted != NULL) {
        junit_case(j, STR("unknown"));
        put_element(&j->cases, "error", str_of(aborted));
    }
    buf_puts(out, "<testsuite name=\"");
    escape(out, file);
    buf_format(
        out,
        "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"0\" timestamp=\"%s\">%s%s</testsuite>",
        j->count, j->failures, aborted != NULL, buf_text(&time), buf_text(&j->cases),
        j->in_case ? "</testcase>" : "");
    buf_release(&time);
    buf_release(&j->cases);
}
