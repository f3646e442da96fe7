#include "tool_priv.h"

#include "tocsin/amconfig.h"
#include "tocsin/gotext.h"
#include "tocsin/template.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES_MAX = 256 << 20 };

/* ---- tables ---- */

/* Widths are of the cells above and below one another without a gap, as text/tabwriter counts them. */
struct table {
    struct str *rows;
    size_t count, width; /* of the column that is looked at */
};

static size_t runes_of(struct str text)
{
    size_t runes = 0;
    int rune;
    for (size_t at = 0; at < text.n; runes++)
        at += str_rune(text.p + at, text.n - at, &rune);
    return runes;
}

/* The cell of a column; false: the row has none that a tab ends. */
static bool cell_of(struct str row, size_t column, struct str *cell)
{
    for (size_t i = 0; row.p != NULL; i++) {
        *cell = str_cut(&row, '\t');
        if (i == column)
            return row.p != NULL;
    }
    return false;
}

/* The first row from `at` on that lacks the column; its width goes to *width. */
static size_t block_end(const struct table *table, size_t at, size_t column, size_t *width)
{
    struct str cell;
    *width = 0;
    for (; at < table->count && cell_of(table->rows[at], column, &cell); at++) {
        size_t runes = runes_of(cell);
        *width = runes > *width ? runes : *width;
    }
    return at;
}

/* Makes each cell of one column as wide as its block. Widths of all columns, row by row, stand in `widths`. */
static void measure(const struct table *table, size_t column, size_t columns, size_t *widths)
{
    for (size_t at = 0; at < table->count;) {
        size_t width, end = block_end(table, at, column, &width);
        for (size_t row = at; row < end; row++)
            widths[row * columns + column] = width + 2;
        at = end > at ? end : at + 1;
    }
}

static void print_row(struct str row, const size_t *widths)
{
    for (size_t column = 0; row.p != NULL; column++) {
        struct str cell = str_cut(&row, '\t');
        fwrite(cell.p != NULL ? cell.p : "", 1, cell.n, stdout);
        if (row.p != NULL)
            printf("%*s", (int)(widths[column] - runes_of(cell)), "");
    }
    putchar('\n');
}

static size_t count_of(struct str text, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == c;
    return count;
}

void tool_print_table(struct str text)
{
    struct arena arena;
    struct table table = {.count = 0};
    size_t columns = 0;
    arena_init(&arena, TEXT_BYTES_MAX);
    table.rows = ARENA_ARRAY(&arena, struct str, count_of(text, '\n') + 1);
    for (struct str rest = text; table.rows != NULL && rest.p != NULL && rest.n > 0;) {
        struct str row = table.rows[table.count++] = str_cut(&rest, '\n');
        size_t cells = count_of(row, '\t');
        columns = cells > columns ? cells : columns;
    }
    size_t *widths = ARENA_ARRAY(&arena, size_t, table.count * columns + 1);
    for (size_t column = 0; widths != NULL && column < columns; column++)
        measure(&table, column, columns, widths);
    for (size_t row = 0; widths != NULL && row < table.count; row++)
        print_row(table.rows[row], widths + row * columns);
    arena_release(&arena);
}

/* ---- dates ---- */

static bool make_dates(struct tool *tool)
{
    struct buf text;
    buf_init(&text, 1 << 12);
    buf_puts(&text, "{{ .Format ");
    go_quote(&text, str_of(tool->date_format));
    buf_puts(&text, " }}");
    tool->dates = template_set_make(&tool->arena, NULL, 0);
    bool made = tool->dates != NULL && template_parse(tool->dates, STR("date"), buf_slice(&text), NULL) == 0;
    buf_release(&text);
    return made;
}

/* +02:00 in seconds. */
static int32_t zone_of(struct str time)
{
    const char *p = time.n > 6 ? time.p + time.n - 6 : "";
    if (*p != '+' && *p != '-')
        return 0;
    int32_t minutes = ((p[1] - '0') * 10 + p[2] - '0') * 60 + (p[4] - '0') * 10 + p[5] - '0';
    return (*p == '-' ? -60 : 60) * minutes;
}

void tool_put_date(struct tool *tool, struct buf *out, struct str rfc3339)
{
    int64_t ns;
    if (!go_parse_rfc3339(rfc3339, &ns) || (tool->dates == NULL && !make_dates(tool))) {
        buf_str(out, rfc3339);
        return;
    }
    int64_t unix_s = ns / NS_PER_S - (ns % NS_PER_S < 0);
    int32_t zone_s = zone_of(rfc3339);
    struct tval time = tval_time_zoned(unix_s, (int32_t)(ns - unix_s * NS_PER_S), zone_s,
                                       zone_s == 0 ? STR("UTC") : STR(""));
    template_execute(tool->dates, STR("date"), &time, NULL, out, NULL);
}

/* ---- order ---- */

struct dated {
    int64_t at_ns;
    size_t index;
    const struct tree *item;
};

static int by_time(const void *left, const void *right)
{
    const struct dated *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

const struct tree **tool_sorted(struct tool *tool, const struct tree *const *items, size_t count,
                                const char *key)
{
    struct dated *dated = ARENA_ARRAY(&tool->arena, struct dated, count);
    const struct tree **sorted = ARENA_ARRAY(&tool->arena, const struct tree *, count);
    if (dated == NULL || sorted == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        dated[i] = (struct dated){.index = i, .item = items[i]};
        go_parse_rfc3339(tree_get_text(items[i], key), &dated[i].at_ns);
    }
    qsort(dated, count, sizeof *dated, by_time);
    for (size_t i = 0; i < count; i++)
        sorted[i] = dated[i].item;
    return sorted;
}

/* ---- matchers ---- */

static bool is_true(const struct tree *map, const char *key, bool otherwise)
{
    const struct tree *node = tree_get(map, key);
    return tree_is_null(node) ? otherwise : str_is(node->text, "true");
}

static struct matcher matcher_of(const struct tree *map)
{
    bool regex = is_true(map, "isRegex", false), equal = is_true(map, "isEqual", true);
    return (struct matcher){.op = regex ? (equal ? MATCH_REGEX : MATCH_NOT_REGEX)
                                        : (equal ? MATCH_EQUAL : MATCH_NOT_EQUAL),
                            .name = tree_get_text(map, "name"),
                            .value = tree_get_text(map, "value")};
}

void tool_put_matchers(struct buf *out, const struct tree *list, bool braces)
{
    buf_puts(out, braces ? "{" : "");
    for (const struct tree *map = list != NULL ? list->first : NULL; map != NULL; map = map->next) {
        const struct matcher m = matcher_of(map);
        if (map != list->first)
            buf_char(out, braces ? ',' : ' ');
        am_matcher_print(out, &m);
    }
    buf_puts(out, braces ? "}" : "");
}

/* ---- JSON ---- */

static void put_scalar(struct buf *out, const struct tree *node)
{
    if (node->quoted)
        json_string(out, node->text);
    else
        buf_str(out, node->text);
}

/* As deep as the parser lets it be. */
void tool_put_json(struct buf *out, const struct tree *node)
{
    if (node == NULL || node->kind == TREE_SCALAR) {
        if (node != NULL)
            put_scalar(out, node);
        return;
    }
    bool map = node->kind == TREE_MAP;
    buf_char(out, map ? '{' : '[');
    for (const struct tree *child = node->first; child != NULL; child = child->next) {
        buf_puts(out, child != node->first ? "," : "");
        if (map) {
            json_string(out, child->key->text);
            buf_char(out, ':');
        }
        tool_put_json(out, child);
    }
    buf_char(out, map ? '}' : ']');
}

void tool_print_json(const struct tree *node)
{
    struct buf out;
    buf_init(&out, TEXT_BYTES_MAX);
    tool_put_json(&out, node);
    buf_char(&out, '\n');
    fwrite(buf_text(&out), 1, out.used, stdout);
    buf_release(&out);
}
