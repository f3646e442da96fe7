#include "router_priv.h"

#include "tocsin/mem.h"

/* One alert that counts among those of its name. */
struct named {
    uint64_t fingerprint;
    int64_t ends_ns;
};

/* Those of one alertname that had not ended when they were last looked at. */
struct namesakes {
    struct str name;
    struct map alerts;   /* struct named, by fingerprint */
    int64_t earliest_ns; /* none of them ends before */
};

static bool has_name(const void *item, const void *key)
{
    return str_eq(((const struct namesakes *)item)->name, *(const struct str *)key);
}

static bool has_fingerprint(const void *item, const void *key)
{
    return ((const struct named *)item)->fingerprint == *(const uint64_t *)key;
}

static uint64_t name_hash(struct str name)
{
    return hash_bytes(name.p, name.n);
}

static struct str name_of(const struct alert_event *event)
{
    return labels_get(event->labels, STR("alertname"));
}

static struct namesakes *find(const struct router *router, struct str name)
{
    return map_find(&router->names, name_hash(name), has_name, &name);
}

static struct namesakes *open_name(struct router *router, struct str name)
{
    struct namesakes *n = MEM_NEW(struct namesakes);
    n->name = (struct str){mem_copy_text(name.p, name.n), name.n};
    n->earliest_ns = INT64_MAX;
    map_init(&n->alerts);
    map_add(&router->names, name_hash(name), n);
    return n;
}

static void free_name(struct namesakes *n)
{
    struct named *one;
    for (size_t at = 0; (one = map_next(&n->alerts, &at)) != NULL;)
        mem_free(one);
    map_release(&n->alerts);
    mem_free((void *)(uintptr_t)n->name.p);
    mem_free(n);
}

/* Makes room; a look at each, but never before one of them can have ended. */
static void forget_ended(struct namesakes *n, int64_t now_ns)
{
    struct named *one;
    struct map kept;
    if (now_ns < n->earliest_ns)
        return;
    map_init(&kept);
    n->earliest_ns = INT64_MAX;
    for (size_t at = 0; (one = map_next(&n->alerts, &at)) != NULL;) {
        if (one->ends_ns <= now_ns) {
            mem_free(one);
            continue;
        }
        map_add(&kept, one->fingerprint, one);
        n->earliest_ns = one->ends_ns < n->earliest_ns ? one->ends_ns : n->earliest_ns;
    }
    map_release(&n->alerts);
    n->alerts = kept;
}

bool names_admit(struct router *router, const struct alert_event *event, int64_t now_ns)
{
    int64_t most = router->options.alerts_per_name;
    struct namesakes *n = most > 0 ? find(router, name_of(event)) : NULL;
    if (n == NULL || n->alerts.count < (size_t)most || alert_is_resolved(event, now_ns))
        return true;
    uint64_t fingerprint = labels_fingerprint(event->labels);
    if (map_find(&n->alerts, fingerprint, has_fingerprint, &fingerprint) != NULL)
        return true;
    forget_ended(n, now_ns);
    if (n->alerts.count < (size_t)most)
        return true;
    router->counts.limited++;
    return false;
}

void names_note(struct router *router, const struct fact *fact, int64_t now_ns)
{
    const struct alert_event *event = fact->event;
    if (router->options.alerts_per_name == 0)
        return;
    struct namesakes *n = find(router, name_of(event));
    struct named *one =
        n != NULL ? map_find(&n->alerts, fact->fingerprint, has_fingerprint, &fact->fingerprint) : NULL;
    if (one == NULL && alert_is_resolved(event, now_ns))
        return;
    if (n == NULL)
        n = open_name(router, name_of(event));
    if (one == NULL) {
        one = MEM_NEW(struct named);
        one->fingerprint = fact->fingerprint;
        map_add(&n->alerts, one->fingerprint, one);
    }
    one->ends_ns = event->ends_ns;
    n->earliest_ns = one->ends_ns < n->earliest_ns ? one->ends_ns : n->earliest_ns;
}

void names_collect(struct router *router, int64_t now_ns)
{
    struct namesakes *n;
    struct map kept;
    map_init(&kept);
    for (size_t at = 0; (n = map_next(&router->names, &at)) != NULL;) {
        forget_ended(n, now_ns);
        if (n->alerts.count > 0)
            map_add(&kept, name_hash(n->name), n);
        else
            free_name(n);
    }
    map_release(&router->names);
    router->names = kept;
}

void names_release(struct router *router)
{
    struct namesakes *n;
    for (size_t at = 0; (n = map_next(&router->names, &at)) != NULL;)
        free_name(n);
    map_release(&router->names);
}
