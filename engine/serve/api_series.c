#include "api_priv.h"
#include "json_priv.h"
#include "match_params_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/tree.h"

#include <stdlib.h>

/* What a request asks about. */
struct selection {
    struct request *request;
    struct answer *answer;
    struct match_params match;
    size_t limit;
    int64_t start_ms, end_ms;
};

/* /series names the parameter in its errors, the others do not (Prometheus 3.14). */
static bool take_matchers(struct selection *s, bool named)
{
    struct err err;
    int rc = match_params_take(s->request, &s->match, &err);
    if (rc == 0)
        rc = match_params_check(&s->match, &err);
    if (rc == 0)
        return true;
    if (named)
        err_prefix(&err, "invalid parameter \"match[]\": ");
    prom_error(s->answer, PROM_BAD_DATA, "%s", err.text);
    return false;
}

static bool take_window(struct selection *s)
{
    s->start_ms = INT64_MIN / 1000;
    s->end_ms = INT64_MAX / 1000;
    return prom_time_param(s->request, s->answer, "start", false, &s->start_ms) &&
           prom_time_param(s->request, s->answer, "end", false, &s->end_ms);
}

static bool selection_init(struct selection *s, struct request *request, struct answer *answer, bool named)
{
    *s = (struct selection){.request = request, .answer = answer};
    if (request->service->parts.store == NULL) {
        answer_text(answer, 404, "404 page not found\n");
        return false;
    }
    return prom_limit_param(request, answer, &s->limit) && take_window(s) && take_matchers(s, named);
}

static struct label_query label_query_of(const struct selection *s)
{
    return (struct label_query){s->match.lists, s->match.count, s->start_ms, s->end_ms};
}

static void tell_strings(struct selection *s, int rc, const struct str *items, size_t count)
{
    if (rc != 0) {
        prom_error(s->answer, PROM_EXECUTION, "the result does not fit limits.query_arena_bytes");
        return;
    }
    size_t told = s->limit > 0 && s->limit < count ? s->limit : count;
    prom_begin(s->answer);
    json_strings(&s->answer->body, items, told);
    prom_end_noted(s->answer, &(struct notes){.truncated = told < count});
}

void api_labels(struct request *request, struct answer *answer)
{
    struct selection s = {0};
    if (selection_init(&s, request, answer, false)) {
        struct view *view = view_open(request->service->parts.store);
        struct label_query query = label_query_of(&s);
        struct str *names = NULL;
        size_t count = 0;
        int rc = view_label_names(view, &query, request->arena, &names, &count);
        tell_strings(&s, rc, names, count);
        view_close(view);
    }
    match_params_release(&s.match);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static void add_rune(struct buf *out, unsigned rune)
{
    if (rune < 0x80) {
        buf_char(out, (char)rune);
    } else if (rune < 0x800) {
        buf_char(out, (char)(0xc0 | rune >> 6));
        buf_char(out, (char)(0x80 | (rune & 0x3f)));
    } else if (rune < 0x10000) {
        buf_char(out, (char)(0xe0 | rune >> 12));
        buf_char(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_char(out, (char)(0x80 | (rune & 0x3f)));
    } else {
        buf_char(out, (char)(0xf0 | rune >> 18));
        buf_char(out, (char)(0x80 | (rune >> 12 & 0x3f)));
        buf_char(out, (char)(0x80 | (rune >> 6 & 0x3f)));
        buf_char(out, (char)(0x80 | (rune & 0x3f)));
    }
}

/* One `_hex_` or `__` at *at; false if it is neither. */
static bool add_escape(struct buf *out, struct str name, size_t *at)
{
    size_t i = *at + 1;
    if (i < name.n && name.p[i] == '_') {
        buf_char(out, '_');
        *at = i + 1;
        return true;
    }
    unsigned rune = 0;
    size_t digits = 0;
    for (; i < name.n && name.p[i] != '_' && digits < 7; i++, digits++) {
        int digit = hex_value(name.p[i]);
        if (digit < 0)
            return false;
        rune = rune * 16 + (unsigned)digit;
    }
    if (digits == 0 || i >= name.n || name.p[i] != '_' || rune > 0x10ffff)
        return false;
    add_rune(out, rune);
    *at = i + 1;
    return true;
}

/* U__http_2e_status: how a name that is not classic is written in a path. Anything else is itself. */
static struct str unescape_name(struct arena *arena, struct str name)
{
    if (!str_starts(name, STR("U__")))
        return name;
    struct buf out;
    buf_init(&out, name.n * 4);
    bool good = true;
    for (size_t at = 3; at < name.n && good;) {
        if (name.p[at] == '_')
            good = add_escape(&out, name, &at);
        else
            buf_char(&out, name.p[at++]);
    }
    struct str plain = good && out.used > 0 ? str_copy(arena, buf_slice(&out)) : name;
    buf_release(&out);
    return plain.p != NULL ? plain : name;
}

void api_label_values(struct request *request, struct answer *answer)
{
    struct selection s = {0};
    struct str name = unescape_name(request->arena, request->wildcard);
    if (!label_name_is_valid(name)) {
        struct buf quoted;
        buf_init(&quoted, (size_t)limits.query_text_bytes);
        go_quote(&quoted, name);
        prom_error(answer, PROM_BAD_DATA, "invalid label name: %s", buf_text(&quoted));
        buf_release(&quoted);
        return;
    }
    if (selection_init(&s, request, answer, false)) {
        struct view *view = view_open(request->service->parts.store);
        struct label_query query = label_query_of(&s);
        struct str *values = NULL;
        size_t count = 0;
        int rc = view_label_values(view, name, &query, request->arena, &values, &count);
        tell_strings(&s, rc, values, count);
        view_close(view);
    }
    match_params_release(&s.match);
}

struct found {
    const struct labels **items;
    size_t count, capacity;
};

static int find_series(const struct selection *s, struct view *view, struct found *found)
{
    struct arena *arena = s->request->arena;
    const struct match_params *lists = &s->match;
    for (size_t i = 0; i < lists->count; i++) {
        struct series_set set;
        int rc = view_select(view, lists->lists[i].matchers, lists->lists[i].count, arena, &set);
        if (rc != 0)
            return rc;
        for (size_t k = 0; k < set.count; k++) {
            if (!view_lives(view, set.refs[k], s->start_ms, s->end_ms))
                continue;
            ARENA_GROW(arena, found->items, found->count, found->capacity);
            if (found->items == NULL)
                return ERR_LIMIT;
            found->items[found->count++] = view_labels(view, set.refs[k]);
        }
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    return labels_compare(*(const struct labels *const *)a, *(const struct labels *const *)b);
}

/* Sorted, and each label set once, whatever selectors found it. */
static void sort_found(struct found *found)
{
    if (found->count == 0)
        return;
    qsort(found->items, found->count, sizeof found->items[0], compare);
    size_t kept = 1;
    for (size_t i = 1; i < found->count; i++)
        if (!labels_equal(found->items[i], found->items[kept - 1]))
            found->items[kept++] = found->items[i];
    found->count = kept;
}

static void tell_series(struct selection *s, const struct found *found)
{
    size_t told = s->limit > 0 && s->limit < found->count ? s->limit : found->count;
    struct buf *out = &s->answer->body;
    prom_begin(s->answer);
    buf_char(out, '[');
    for (size_t i = 0; i < told; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_labels(out, found->items[i]);
    }
    buf_char(out, ']');
    prom_end_noted(s->answer, &(struct notes){.truncated = told < found->count});
}

void api_series(struct request *request, struct answer *answer)
{
    struct selection s = {0};
    if (request->service->parts.store != NULL && request_param(request, "match[]").p == NULL) {
        prom_error(answer, PROM_BAD_DATA, "no match[] parameter provided");
        return;
    }
    if (selection_init(&s, request, answer, true)) {
        struct view *view = view_open(request->service->parts.store);
        struct found found = {0};
        if (find_series(&s, view, &found) == 0) {
            sort_found(&found);
            tell_series(&s, &found);
        } else {
            prom_error(answer, PROM_EXECUTION, "the result does not fit limits.query_arena_bytes");
        }
        view_close(view);
    }
    match_params_release(&s.match);
}
