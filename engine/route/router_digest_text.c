#include "digest_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stdlib.h>

/* Whoever takes less cuts it; what most people see is the beginning. */
enum { DESCRIPTION_MAX = 16 << 10 };

typedef void visit_alert(void *context, const struct delivery *member, const struct flush_item *item);

static void each(const struct digest *digest, visit_alert *visit, void *context)
{
    for (size_t i = 0; i < digest->count; i++)
        for (size_t k = 0; k < digest->members[i]->batch_count; k++)
            visit(context, digest->members[i], digest->members[i]->batch[k]);
}

/* ---- what all have in common ---- */

static bool shares(const struct digest *digest, struct label l)
{
    for (size_t i = 0; i < digest->count; i++)
        for (size_t k = 0; k < digest->members[i]->batch_count; k++)
            if (!str_eq(labels_get(digest->members[i]->batch[k]->fact->event->labels, l.name), l.value))
                return false;
    return true;
}

static const struct labels *labels_of_any(const struct digest *digest)
{
    for (size_t i = 0; i < digest->count; i++)
        if (digest->members[i]->batch_count > 0)
            return digest->members[i]->batch[0]->fact->event->labels;
    return NULL;
}

/* Labels that routes and templates look at, such as a severity that all share, stay what they are. */
static struct labels *make_labels(struct arena *arena, const struct digest *digest)
{
    const struct labels *first = labels_of_any(digest);
    size_t most = first != NULL ? first->count : 0, count = 0;
    struct label *items = ARENA_ARRAY(arena, struct label, most + digest->flush->labels->count);
    for (size_t i = 0; items != NULL && i < most; i++)
        if (shares(digest, first->item[i]))
            items[count++] = first->item[i];
    for (size_t i = 0; items != NULL && i < digest->flush->labels->count; i++)
        items[count++] = digest->flush->labels->item[i];
    return items != NULL ? labels_make(arena, items, count) : NULL;
}

/* ---- names, by how many alerts have them ---- */

struct name_count {
    struct str name;
    size_t count;
};

struct names {
    struct name_count *items;
    size_t count, capacity;
};

static void add_name(void *context, const struct delivery *member, const struct flush_item *item)
{
    (void)member;
    struct names *names = context;
    MEM_GROW(names->items, names->count, names->capacity);
    names->items[names->count++] =
        (struct name_count){labels_get(item->fact->event->labels, STR("alertname")), 1};
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct name_count *)a)->name, ((const struct name_count *)b)->name);
}

static int by_count(const void *a, const void *b)
{
    const struct name_count *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : by_name(a, b);
}

static void join_equal(struct names *names)
{
    size_t kept = 0;
    qsort(names->items, names->count, sizeof *names->items, by_name);
    for (size_t i = 0; i < names->count; i++) {
        if (kept > 0 && str_eq(names->items[kept - 1].name, names->items[i].name))
            names->items[kept - 1].count++;
        else
            names->items[kept++] = names->items[i];
    }
    names->count = kept;
    qsort(names->items, names->count, sizeof *names->items, by_count);
}

static void write_names(struct buf *out, const struct digest *digest)
{
    struct names names = {0};
    each(digest, add_name, &names);
    if (names.count > 0)
        join_equal(&names);
    for (size_t i = 0; i < names.count && i < DIGEST_NAMES; i++)
        buf_format(out, "%s%.*s %zu", i > 0 ? ", " : "By name: ", STR_ARG(names.items[i].name),
                   names.items[i].count);
    if (names.count > DIGEST_NAMES)
        buf_format(out, ", and %zu other names", names.count - DIGEST_NAMES);
    buf_puts(out, names.count > 0 ? "\n" : "");
    mem_free(names.items);
}

/* ---- alerts, one a line ---- */

struct listing {
    struct buf *out;
    bool resolved;
    size_t named;
};

static void list_one(void *context, const struct delivery *member, const struct flush_item *item)
{
    struct listing *l = context;
    if (item->resolved != l->resolved || l->named >= DIGEST_NAMED || l->out->used > DESCRIPTION_MAX / 2)
        return;
    buf_puts(l->out, item->resolved ? "- ended: " : "- fires: ");
    labels_print(l->out, item->fact->event->labels);
    buf_puts(l->out, " of group ");
    buf_str(l->out, member->flush->key);
    buf_char(l->out, '\n');
    l->named++;
}

/* Those that fire first. */
static void write_alerts(struct buf *out, const struct digest *digest, const struct digest_sum *sum,
                         struct str link)
{
    struct listing l = {.out = out};
    for (int resolved = 0; resolved < 2; resolved++) {
        l.resolved = resolved;
        each(digest, list_one, &l);
    }
    size_t all = sum->firing + sum->resolved;
    if (all > l.named)
        buf_format(out, "- and %zu more: ", all - l.named);
    buf_str(out, all > l.named ? link : STR(""));
    buf_puts(out, all > l.named ? "\n" : "");
}

/* ---- the whole ---- */

static struct str as_text(struct arena *arena, struct buf *text)
{
    struct str copy = str_copy(arena, buf_slice(text));
    buf_release(text);
    return copy;
}

static struct str make_link(struct arena *arena, const struct router *router, struct str receiver)
{
    struct buf url;
    buf_init(&url, 4096);
    buf_str(&url, router->options.external_url);
    buf_puts(&url, "/#/alerts?receiver=");
    for (size_t i = 0; i < receiver.n; i++) {
        unsigned char c = (unsigned char)receiver.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '_' || c == '.' || c == '~';
        buf_format(&url, plain ? "%c" : "%%%02X", c);
    }
    return as_text(arena, &url);
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static struct str make_summary(struct arena *arena, const struct digest *digest, const struct digest_sum *sum)
{
    struct buf text;
    buf_init(&text, 1024);
    if (digest->count == 0)
        buf_puts(&text, "The storm is over: none of its alerts fires any more");
    else
        buf_format(&text, "Storm: %zu alert%s fire%s and %zu ended, in %zu group%s; %zu in all still fire",
                   sum->firing, plural(sum->firing), sum->firing == 1 ? "s" : "", sum->resolved,
                   digest->count, plural(digest->count), sum->standing);
    return as_text(arena, &text);
}

static struct str make_description(struct arena *arena, const struct digest *digest,
                                   const struct digest_sum *sum, struct str link)
{
    struct buf text;
    buf_init(&text, DESCRIPTION_MAX);
    if (digest->count > 0)
        buf_format(&text, "More than %lld pages were due within a minute: these are told in one.\n",
                   (long long)sum->limit);
    write_names(&text, digest);
    write_alerts(&text, digest, sum, link);
    return as_text(arena, &text);
}

struct alert_event *digest_alert(const struct router *router, const struct digest *digest,
                                 const struct digest_sum *sum, int64_t now_ns)
{
    struct arena arena;
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    struct str link = make_link(&arena, router, digest->flush->route->receiver->name);
    struct labels *ls = make_labels(&arena, digest);
    struct label texts[] = {
        {STR("description"), make_description(&arena, digest, sum, link)},
        {STR("summary"), make_summary(&arena, digest, sum)},
    };
    struct alert_event event = {
        .labels = ls != NULL ? ls : digest->flush->labels,
        .annotations = labels_make_texts(&arena, texts, sizeof texts / sizeof *texts),
        .generator_url = link,
        .starts_ns = now_ns,
        .ends_ns = sum->standing > 0 ? 0 : now_ns,
        .updated_ns = now_ns,
    };
    struct alert_event *copy = alert_event_copy(&event);
    arena_release(&arena);
    return copy;
}
