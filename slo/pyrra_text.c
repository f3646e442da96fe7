/* Names, selectors and labels as Pyrra's rules write them. */
#include "pyrra_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/limits.h"

#include <stdlib.h>

#define NS_PER_MS INT64_C(1000000)

struct str pyrra_format(struct arena *arena, const char *form, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, (size_t)limits.query_text_bytes);
    va_start(args, form);
    buf_vformat(&text, form, args);
    va_end(args);
    struct str copy = buf_overflow(&text) ? STR("") : str_copy(arena, buf_slice(&text));
    arena->exhausted |= buf_overflow(&text);
    buf_release(&text);
    return copy;
}

static struct str take(struct arena *arena, struct buf *text)
{
    struct str copy = buf_overflow(text) ? STR("") : str_copy(arena, buf_slice(text));
    arena->exhausted |= buf_overflow(text);
    buf_release(text);
    return copy;
}

struct str pyrra_duration(struct arena *arena, int64_t ms)
{
    struct buf text;
    buf_init(&text, 64);
    duration_print(&text, ms);
    return take(arena, &text);
}

struct str pyrra_go_duration(struct arena *arena, int64_t ms)
{
    struct buf text;
    buf_init(&text, 64);
    go_duration_print(&text, ms * NS_PER_MS);
    return take(arena, &text);
}

struct str pyrra_number(struct arena *arena, double value, char form)
{
    struct buf text;
    buf_init(&text, 512);
    go_float(&text, value, form, -1);
    return take(arena, &text);
}

double pyrra_seconds(const struct pyrra_objective *objective)
{
    enum { SECOND_MS = 1000 };
    double whole = (double)(objective->latency_ms / SECOND_MS);
    return whole + (double)(objective->latency_ms % SECOND_MS) / SECOND_MS;
}

/* ---- names of series ---- */

static struct str without_suffix(struct str name, struct str suffix)
{
    return str_ends(name, suffix) ? (struct str){name.p, name.n - suffix.n} : name;
}

struct str pyrra_burn_name(struct str metric)
{
    return without_suffix(without_suffix(metric, STR("_total")), STR("_count"));
}

struct str pyrra_increase_name(struct str metric)
{
    return without_suffix(pyrra_burn_name(metric), STR("_bucket"));
}

/* ---- selectors ---- */

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct str matcher_text(struct arena *arena, const struct matcher *m)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    matcher_print(&text, m);
    return take(arena, &text);
}

struct str pyrra_selector_print(struct arena *arena, const struct pyrra_selector *selector)
{
    struct buf text;
    struct str *texts = ARENA_ARRAY(arena, struct str, selector->count);
    if (texts == NULL || selector->count == 0)
        return selector->name;
    for (size_t i = 0; i < selector->count; i++)
        texts[i] = matcher_text(arena, &selector->matchers[i]);
    qsort(texts, selector->count, sizeof *texts, by_text);
    buf_init(&text, (size_t)limits.query_text_bytes);
    buf_str(&text, selector->name);
    for (size_t i = 0; i < selector->count; i++) {
        buf_char(&text, i == 0 ? '{' : ',');
        buf_str(&text, texts[i]);
    }
    buf_char(&text, '}');
    return take(arena, &text);
}

struct pyrra_selector pyrra_renamed(const struct pyrra_selector *selector, struct str name)
{
    return (struct pyrra_selector){name, selector->matchers, selector->count};
}

static struct pyrra_selector copy_of(struct arena *arena, const struct pyrra_selector *selector, size_t more)
{
    struct pyrra_selector copy = {selector->name, NULL, 0};
    copy.matchers = ARENA_ARRAY(arena, struct matcher, selector->count + more);
    if (copy.matchers != NULL && selector->count > 0)
        memcpy(copy.matchers, selector->matchers, selector->count * sizeof *copy.matchers);
    if (copy.matchers != NULL)
        copy.count = selector->count;
    return copy;
}

struct pyrra_selector pyrra_with(struct arena *arena, const struct pyrra_selector *selector,
                                 struct matcher more)
{
    struct pyrra_selector copy = copy_of(arena, selector, 1);
    if (copy.matchers != NULL)
        copy.matchers[copy.count++] = more;
    return copy;
}

static bool is_whole_number(struct str s)
{
    long long value;
    return str_to_i64(s, &value);
}

struct pyrra_selector pyrra_le_for_both(struct arena *arena, const struct pyrra_selector *selector)
{
    struct pyrra_selector copy = copy_of(arena, selector, 0);
    for (size_t i = 0; i < copy.count; i++) {
        struct matcher *m = &copy.matchers[i];
        if (m->op == MATCH_EQUAL && str_is(m->name, "le") && is_whole_number(m->value)) {
            m->op = MATCH_REGEX;
            m->value = pyrra_format(arena, "%.*s(\\.0)?", STR_ARG(m->value));
        }
    }
    return copy;
}

/* ---- sets of labels ---- */

bool pyrra_names_has(const struct pyrra_names *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq(names->items[i], name))
            return true;
    return false;
}

void pyrra_names_add(struct arena *arena, struct pyrra_names *names, struct str name)
{
    if (pyrra_names_has(names, name))
        return;
    ARENA_GROW(arena, names->items, names->count, names->capacity);
    if (names->items == NULL) {
        *names = (struct pyrra_names){0};
        return;
    }
    names->items[names->count++] = name;
    qsort(names->items, names->count, sizeof *names->items, by_text);
}

struct pyrra_names pyrra_grouping(struct arena *arena, const struct pyrra_objective *objective)
{
    struct pyrra_names names = {0};
    for (size_t i = 0; i < objective->grouping.count; i++)
        pyrra_names_add(arena, &names, objective->grouping.items[i]);
    return names;
}

struct str pyrra_sum_by(struct arena *arena, const struct str *names, size_t count)
{
    struct buf text;
    if (count == 0)
        return STR("sum");
    buf_init(&text, (size_t)limits.query_text_bytes);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&text, i == 0 ? "sum by (" : ", ");
        buf_str(&text, names[i]);
    }
    buf_puts(&text, ") ");
    return take(arena, &text);
}

struct strict_pairs pyrra_labels(struct arena *arena, const struct pyrra_objective *objective,
                                 const struct pyrra_names *grouped)
{
    struct strict_pairs labels = {NULL, 0};
    slo_pairs_put(arena, &labels, STR("slo"), objective->name);
    for (size_t i = 0; i < objective->rule_labels.count; i++) {
        struct label given = objective->rule_labels.items[i];
        if (!pyrra_names_has(grouped, given.name))
            slo_pairs_put(arena, &labels, given.name, given.value);
    }
    for (size_t i = 0; i < objective->total.count; i++) {
        const struct matcher *m = &objective->total.matchers[i];
        if (m->op == MATCH_EQUAL && !pyrra_names_has(grouped, m->name))
            slo_pairs_put(arena, &labels, m->name, m->value);
    }
    return labels;
}

/* ---- annotations ---- */

/* net/url's QueryEscape, of what names of objectives and labels are made of, and what surrounds them. */
static void escape(struct buf *out, struct str s)
{
    static const char plain[] = "-_.~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || strchr(plain, c) != NULL)
            buf_char(out, c);
        else
            buf_format(out, "%%%02X", (unsigned char)c);
    }
}

/* Up to where its path begins, which Pyrra replaces. */
static struct str base_of(struct str url)
{
    const char *slashes = memmem(url.p, url.n, "://", 3);
    size_t from = slashes != NULL ? (size_t)(slashes - url.p) + 3 : 0;
    for (size_t i = from; i < url.n; i++)
        if (memchr("/?#", url.p[i], 3) != NULL)
            return (struct str){url.p, i};
    return url;
}

static void add_groups(struct buf *out, const struct pyrra_objective *objective)
{
    buf_puts(out, "&grouping=");
    for (size_t i = 0; i < objective->grouping.count; i++) {
        struct str name = objective->grouping.items[i];
        escape(out, i == 0 ? STR("{") : STR(","));
        escape(out, name);
        escape(out, STR("=\""));
        buf_format(out, "{{$labels.%.*s}}", STR_ARG(name));
        escape(out, STR("\""));
    }
    escape(out, STR("}"));
}

static struct str page_of(struct arena *arena, const struct pyrra_objective *objective, struct str url)
{
    struct buf text;
    buf_init(&text, (size_t)limits.query_text_bytes);
    buf_str(&text, base_of(url));
    buf_puts(&text, "/objectives?expr=");
    escape(&text, STR("{__name__=\""));
    escape(&text, objective->name);
    escape(&text, STR("\"}"));
    buf_puts(&text, "&from=now-1h&to=now");
    if (objective->grouping.count > 0)
        add_groups(&text, objective);
    return take(arena, &text);
}

struct strict_pairs pyrra_annotations(struct arena *arena, const struct pyrra_objective *objective,
                                      struct str external_url)
{
    struct strict_pairs all = slo_pairs_over(arena, objective->rule_annotations, (struct strict_pairs){0});
    if (external_url.n > 0)
        slo_pairs_put(arena, &all, STR("pyrra_url"), page_of(arena, objective, external_url));
    return all;
}
