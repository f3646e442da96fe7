#include "tocsin/incident.h"

#include "tocsin/gotext.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"
#include "tocsin/tree.h"

#include <stdatomic.h>

/* How long a closed incident still takes in pages of its group: other integrations tell its end a little later. */
#define CLOSED_KEEP_NS (3600 * NS_PER_S)

struct incident {
    int64_t id;
    char *key;
    size_t key_bytes;
    int64_t opened_ns, closed_ns;
    struct str *receivers;
    size_t receiver_count, receiver_capacity;
    struct str body;
};

struct incidents {
    struct state *state;
    struct world *world;
    struct map by_key; /* the newest of each group */
    atomic_size_t open_count;
};

static struct str heap_copy(struct str s)
{
    return (struct str){mem_copy_text(s.p, s.n), s.n};
}

static void heap_free(struct str s)
{
    mem_free((void *)(uintptr_t)s.p);
}

static uint64_t key_hash(struct str key)
{
    return hash_bytes(key.p, key.n);
}

static struct str key_of(const struct incident *i)
{
    return (struct str){i->key, i->key_bytes};
}

static bool has_key(const void *item, const void *key)
{
    return str_eq(key_of(item), *(const struct str *)key);
}

static struct incident *incident_make(struct str key, int64_t opened_ns)
{
    struct incident *i = MEM_NEW(struct incident);
    i->key = mem_copy_text(key.p, key.n);
    i->key_bytes = key.n;
    i->opened_ns = opened_ns;
    return i;
}

static void incident_free(struct incident *i)
{
    for (size_t k = 0; k < i->receiver_count; k++)
        heap_free(i->receivers[k]);
    mem_free(i->receivers);
    heap_free(i->body);
    mem_free(i->key);
    mem_free(i);
}

/* True if it is news. */
static bool add_receiver(struct incident *i, struct str name)
{
    for (size_t k = 0; k < i->receiver_count; k++) {
        if (str_eq(i->receivers[k], name))
            return false;
    }
    MEM_GROW(i->receivers, i->receiver_count, i->receiver_capacity);
    i->receivers[i->receiver_count++] = heap_copy(name);
    return true;
}

static void load_receivers(struct incident *i, struct str body)
{
    struct arena arena;
    struct tree *root = NULL;
    arena_init(&arena, (size_t)limits.json_bytes);
    if (json_parse(&arena, body, &root, NULL) == 0 && root != NULL && root->kind == TREE_MAP) {
        const struct tree *list = tree_get(root, "receivers");
        for (const struct tree *r = list != NULL ? list->first : NULL; r != NULL; r = r->next)
            add_receiver(i, r->text);
    }
    arena_release(&arena);
}

static void load_one(void *context, const struct incident_row *row)
{
    struct incidents *all = context;
    if (row->closed_ns != 0)
        return;
    struct incident *i = incident_make(row->key, row->opened_ns);
    i->id = row->id;
    i->body = heap_copy(row->body);
    load_receivers(i, row->body);
    map_add(&all->by_key, key_hash(row->key), i);
    all->open_count++;
}

int incidents_open(struct state *state, struct world *world, struct incidents **out, struct err *err)
{
    struct incidents *all = MEM_NEW(struct incidents);
    all->state = state;
    all->world = world;
    map_init(&all->by_key);
    int rc = state_incident_each(state, INT64_MAX, SIZE_MAX, load_one, all, err);
    if (rc != 0) {
        incidents_close(all);
        all = NULL;
    }
    *out = all;
    return rc;
}

void incidents_close(struct incidents *all)
{
    struct incident *i;
    if (all == NULL)
        return;
    for (size_t at = 0; (i = map_next(&all->by_key, &at)) != NULL;)
        incident_free(i);
    map_release(&all->by_key);
    mem_free(all);
}

static void write_labels(struct buf *out, const char *key, const struct labels *ls)
{
    buf_format(out, ",\"%s\":", key);
    labels_print_json(out, ls);
}

static void write_body(struct buf *out, const struct incident *i, const struct page_event *page)
{
    buf_puts(out, "{\"receivers\":[");
    for (size_t k = 0; k < i->receiver_count; k++) {
        buf_puts(out, k > 0 ? "," : "");
        json_string(out, i->receivers[k]);
    }
    buf_char(out, ']');
    write_labels(out, "groupLabels", page->group_labels);
    write_labels(out, "commonLabels", page->common_labels);
    write_labels(out, "commonAnnotations", page->common_annotations);
    buf_char(out, '}');
}

static void write_note(struct buf *out, const struct page_event *page)
{
    static const char *const events[] = {"delivered", "retrying", "failed", "unsent"};
    buf_puts(out, "{\"at\":\"");
    go_time_rfc3339(out, page->at_ns, 3);
    buf_format(out, "\",\"event\":\"%s\",\"receiver\":", events[page->outcome]);
    json_string(out, page->receiver);
    buf_puts(out, ",\"integration\":");
    json_string(out, page->integration);
    buf_format(out, ",\"status\":%d,\"attempt\":%d,\"firing\":%u,\"resolved\":%u,\"reason\":", page->status,
               page->attempt, page->firing_count, page->resolved_count);
    json_string(out, page->reason);
    if (page->detail.n > 0) {
        buf_puts(out, ",\"detail\":");
        json_string(out, page->detail);
    }
    buf_char(out, '}');
}

static bool ends(const struct page_event *page)
{
    return !page->firing && page->resolved_count > 0 &&
           (page->outcome == PAGE_DELIVERED || page->outcome == PAGE_UNSENT);
}

static void forget(struct incidents *all, struct incident *i)
{
    map_remove(&all->by_key, key_hash(key_of(i)), i);
    incident_free(i);
}

static void forget_old(struct incidents *all, int64_t now_ns)
{
    struct incident *i, *old;
    do {
        old = NULL;
        for (size_t at = 0; old == NULL && (i = map_next(&all->by_key, &at)) != NULL;) {
            if (i->closed_ns != 0 && i->closed_ns + CLOSED_KEEP_NS < now_ns)
                old = i;
        }
        if (old != NULL)
            forget(all, old);
    } while (old != NULL);
}

/* The incident a page belongs to: the one under way, a new one if something fires, or the one just closed. */
static struct incident *find_or_open(struct incidents *all, const struct page_event *page)
{
    struct incident *i = map_find(&all->by_key, key_hash(page->group_key), has_key, &page->group_key);
    if (i != NULL && (i->closed_ns == 0 || !page->firing))
        return i;
    if (!page->firing)
        return NULL;
    if (i != NULL)
        forget(all, i);
    forget_old(all, page->at_ns);
    i = incident_make(page->group_key, page->at_ns);
    map_add(&all->by_key, key_hash(page->group_key), i);
    all->open_count++;
    stat_add(STAT_incidents_opened, 1);
    return i;
}

/* What changes is written; a page that changes nothing is only noted. */
static int save(struct incidents *all, struct incident *i, struct err *err)
{
    struct incident_row row = {
        .id = i->id, .key = key_of(i), .opened_ns = i->opened_ns, .closed_ns = i->closed_ns, .body = i->body};
    int rc = state_incident_put(all->state, &row, err);
    if (rc == 0)
        i->id = row.id;
    return rc;
}

static bool update(struct incidents *all, struct incident *i, const struct page_event *page)
{
    struct buf body;
    bool changed = add_receiver(i, page->receiver);
    buf_init(&body, (size_t)limits.flush_arena_bytes);
    write_body(&body, i, page);
    if ((page->firing || changed) && !buf_overflow(&body) && !str_eq(buf_slice(&body), i->body)) {
        heap_free(i->body);
        i->body = heap_copy(buf_slice(&body));
        changed = true;
    }
    buf_release(&body);
    if (i->closed_ns == 0 && ends(page)) {
        i->closed_ns = page->at_ns;
        all->open_count--;
        stat_add(STAT_incidents_closed, 1);
        changed = true;
    }
    return changed || i->id == 0;
}

static int note(struct incidents *all, int64_t id, const struct page_event *page, struct err *err)
{
    struct buf text;
    buf_init(&text, (size_t)limits.flush_arena_bytes);
    write_note(&text, page);
    int rc = buf_overflow(&text) ? err_set(err, ERR_LIMIT, "a page is too large for the timeline")
                                 : state_incident_note(all->state, id, page->at_ns, buf_slice(&text), err);
    buf_release(&text);
    return rc;
}

int incidents_page(struct incidents *all, const struct page_event *page, struct err *err)
{
    int rc = 0;
    struct incident *i = find_or_open(all, page);
    if (i != NULL && update(all, i, page))
        rc = save(all, i, err);
    if (i != NULL && rc == 0)
        rc = note(all, i->id, page, err);
    return rc;
}

size_t incidents_open_count(struct incidents *all)
{
    return atomic_load(&all->open_count);
}

/* Rows are copied first: the timeline of each is another question to the state. */
struct listing {
    struct incident_row *rows;
    size_t count, capacity;
    struct buf *out;
    bool first;
};

static void list_row(void *context, const struct incident_row *row)
{
    struct listing *l = context;
    MEM_GROW(l->rows, l->count, l->capacity);
    l->rows[l->count] = *row;
    l->rows[l->count].key = heap_copy(row->key);
    l->rows[l->count++].body = heap_copy(row->body);
}

static void list_note(void *context, int64_t at_ns, struct str body)
{
    (void)at_ns;
    struct listing *l = context;
    buf_puts(l->out, l->first ? "" : ",");
    l->first = false;
    buf_str(l->out, body);
}

static void write_time(struct buf *out, int64_t ns)
{
    if (ns == 0) {
        buf_puts(out, "null");
        return;
    }
    buf_char(out, '"');
    go_time_rfc3339(out, ns, 3);
    buf_char(out, '"');
}

static int write_row(struct incidents *all, struct listing *l, const struct incident_row *row,
                     struct err *err)
{
    struct buf *out = l->out;
    buf_format(out, "{\"id\":%lld,\"key\":", (long long)row->id);
    json_string(out, row->key);
    buf_format(out, ",\"state\":\"%s\",\"openedAt\":", row->closed_ns == 0 ? "open" : "closed");
    write_time(out, row->opened_ns);
    buf_puts(out, ",\"closedAt\":");
    write_time(out, row->closed_ns);
    buf_char(out, ',');
    if (row->body.n > 2)
        buf_add(out, row->body.p + 1, row->body.n - 2);
    buf_puts(out, row->body.n > 2 ? ",\"timeline\":[" : "\"timeline\":[");
    l->first = true;
    int rc = state_incident_notes(all->state, row->id, list_note, l, err);
    buf_puts(out, "]}");
    return rc;
}

int incidents_write_json(struct incidents *all, size_t limit, struct buf *out, struct err *err)
{
    struct listing l = {.out = out};
    int rc = state_incident_each(all->state, 0, limit, list_row, &l, err);
    buf_char(out, '[');
    for (size_t i = 0; i < l.count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        if (rc == 0)
            rc = write_row(all, &l, &l.rows[i], err);
        heap_free(l.rows[i].key);
        heap_free(l.rows[i].body);
    }
    buf_char(out, ']');
    mem_free(l.rows);
    if (rc == 0 && buf_overflow(out))
        rc = err_set(err, ERR_LIMIT, "too many incidents for one answer");
    return rc;
}
