#include "forward_priv.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

static int64_t mono_ns(const struct forward *f)
{
    return f->world->mono_ns(f->world);
}

/* ---- what a name has ---- */

static void forget(struct lookup *lookup)
{
    for (size_t i = 0; i < lookup->found_count; i++)
        mem_free(lookup->found[i]);
    mem_free(lookup->found);
    lookup->found = NULL;
    lookup->found_count = 0;
}

void forward_lookup_release(struct lookup *lookup)
{
    forget(lookup);
    mem_free(lookup->name);
}

static bool is_same(const struct lookup *a, const struct lookup *b)
{
    return a->type == b->type && a->port == b->port && strcmp(a->name, b->name) == 0;
}

static const struct lookup *known(const struct forward *f, const struct lookup *as)
{
    for (size_t i = 0; i < f->group_count; i++)
        for (size_t k = 0; k < f->groups[i]->lookup_count; k++)
            if (is_same(&f->groups[i]->lookups[k], as))
                return &f->groups[i]->lookups[k];
    return NULL;
}

void forward_lookup_init(struct forward *f, struct lookup *lookup)
{
    const struct lookup *old = known(f, lookup);
    lookup->id = ++f->lookups_made;
    if (old == NULL)
        return;
    int64_t latest_ns = mono_ns(f) + lookup->refresh_ms * NS_PER_MS;
    lookup->due_ns = old->due_ns < latest_ns ? old->due_ns : latest_ns;
    lookup->found = MEM_ARRAY(struct labels *, old->found_count);
    for (size_t i = 0; i < old->found_count; i++)
        lookup->found[lookup->found_count++] = labels_copy_heap(old->found[i]);
}

/* ---- from a record to a target ---- */

static struct str without_dot(struct str name)
{
    while (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    return name;
}

static struct labels *target_of(struct arena *arena, const struct lookup *lookup, const struct dns_record *r)
{
    struct str host = without_dot(r->name), empty = {0};
    bool v6 = lookup->type == DNS_AAAA, srv = lookup->type == DNS_SRV;
    long long port = srv ? r->port : lookup->port;
    struct label items[] = {
        {STR("__address__"),
         str_of(arena_format(arena, "%s%.*s%s:%lld", v6 ? "[" : "", STR_ARG(host), v6 ? "]" : "", port))},
        {STR("__meta_dns_name"), str_of(lookup->name)},
        {STR("__meta_dns_srv_record_target"), srv ? r->name : empty},
        {STR("__meta_dns_srv_record_port"), srv ? str_of(arena_format(arena, "%lld", port)) : empty},
        {STR("__meta_dns_mx_record_target"), lookup->type == DNS_MX ? r->name : empty},
        {STR("__meta_dns_ns_record_target"), lookup->type == DNS_NS ? r->name : empty},
    };
    return labels_make(arena, items, sizeof items / sizeof *items);
}

static void take_over(struct lookup *lookup, struct arena *arena, const struct dns_record *records,
                      size_t count)
{
    forget(lookup);
    lookup->found = MEM_ARRAY(struct labels *, count);
    for (size_t i = 0; i < count; i++) {
        struct labels *target = target_of(arena, lookup, &records[i]);
        if (target != NULL)
            lookup->found[lookup->found_count++] = labels_copy_heap(target);
    }
}

/* ---- asking ---- */

/* What is asked for while the lock is not held. */
struct question {
    uint64_t id;
    char *name;
    enum dns_type type;
};

static struct lookup *lookup_at(struct forward *f, uint64_t id)
{
    for (size_t i = 0; i < f->group_count; i++)
        for (size_t k = 0; k < f->groups[i]->lookup_count; k++)
            if (f->groups[i]->lookups[k].id == id)
                return &f->groups[i]->lookups[k];
    return NULL;
}

/* The one that is due for the longest time; else *wait_ms says when the next one is. */
static bool next_question(struct forward *f, struct question *q, int64_t *wait_ms)
{
    const struct lookup *first = NULL;
    int64_t now_ns = mono_ns(f);
    lock_take(&f->lock);
    for (size_t i = 0; i < f->group_count; i++)
        for (size_t k = 0; k < f->groups[i]->lookup_count; k++)
            if (first == NULL || f->groups[i]->lookups[k].due_ns < first->due_ns)
                first = &f->groups[i]->lookups[k];
    bool due = first != NULL && first->due_ns <= now_ns;
    if (due)
        *q = (struct question){first->id, mem_copy_text(first->name, strlen(first->name)), first->type};
    else if (first != NULL && (first->due_ns - now_ns) / NS_PER_MS + 1 < *wait_ms)
        *wait_ms = (first->due_ns - now_ns) / NS_PER_MS + 1;
    lock_drop(&f->lock);
    return due;
}

static int ask(struct forward *f, const struct question *q, struct arena *arena, struct dns_record **records,
               size_t *count, struct err *err)
{
    struct buf answer;
    *records = NULL;
    *count = 0;
    if (f->world->resolve == NULL)
        return err_set(err, ERR_IO, "there is no network");
    buf_init(&answer, DNS_MESSAGE_MAX);
    int rc = f->world->resolve(f->world, q->name, (int)q->type, &answer, err);
    if (rc == 0) {
        struct str message = str_copy(arena, buf_slice(&answer));
        rc = dns_parse(arena, message, q->type, records, count, err);
    }
    buf_release(&answer);
    return rc == ERR_NOT_FOUND ? 0 : rc;
}

static void note(struct forward *f, const struct question *q, int rc, struct arena *arena,
                 const struct dns_record *records, size_t count)
{
    int64_t now_ns = mono_ns(f);
    struct lookup *lookup;
    lock_take(&f->lock);
    lookup = lookup_at(f, q->id);
    if (lookup != NULL) {
        lookup->due_ns = now_ns + lookup->refresh_ms * NS_PER_MS;
        if (rc == 0) {
            take_over(lookup, arena, records, count);
            forward_retarget(f);
        }
    }
    lock_drop(&f->lock);
}

int64_t forward_discover(struct forward *f, int64_t wait_max_ms)
{
    static struct log_rate rate;
    int64_t wait_ms = wait_max_ms;
    struct question q;
    struct arena arena;
    if (!next_question(f, &q, &wait_ms))
        return wait_ms;
    struct err err = {0};
    struct dns_record *records;
    size_t count;
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    int rc = ask(f, &q, &arena, &records, &count, &err);
    stat_add(STAT_dns_lookups, 1);
    if (rc != 0) {
        stat_add(STAT_dns_lookup_failures, 1);
        if (log_allowed(&rate, mono_ns(f)))
            log_error("names of Alertmanagers are not refreshed", LOG_TEXT("name", q.name), LOG_ERR(&err));
    }
    note(f, &q, rc, &arena, records, count);
    arena_release(&arena);
    mem_free(q.name);
    return 0;
}
