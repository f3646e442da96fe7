#include "router_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/stat.h"

struct fact *fact_hold(struct fact *fact)
{
    fact->refs++;
    return fact;
}

void fact_drop(struct fact *fact)
{
    if (--fact->refs > 0)
        return;
    mem_free(fact->event);
    mem_free(fact);
}

/* XXH64 over the bytes the fingerprint is made of (Alertmanager 0.34). */
static uint64_t log_hash(const struct labels *ls)
{
    size_t bytes = 0;
    for (size_t i = 0; i < ls->count; i++)
        bytes += ls->item[i].name.n + ls->item[i].value.n + 2;
    char *text = mem_new(bytes + 1, 1), *at = text;
    for (size_t i = 0; i < ls->count; i++) {
        const struct str parts[] = {ls->item[i].name, ls->item[i].value};
        for (size_t k = 0; k < 2; k++) {
            memcpy(at, parts[k].p, parts[k].n);
            at += parts[k].n;
            *at++ = (char)0xFF;
        }
    }
    uint64_t hash = hash_stable(text, bytes);
    mem_free(text);
    return hash;
}

bool router_owes_end(struct router *router, const struct labels *alert)
{
    struct world *world = router->options.world;
    int64_t now_ns = world->wall_ns(world);
    uint64_t hash = log_hash(alert);
    lock_take(&router->lock);
    bool owes = nflog_holds_firing(&router->nflog, hash, now_ns);
    lock_drop(&router->lock);
    return owes;
}

struct fact *fact_make(const struct alert_event *event, uint64_t fingerprint, const struct fact *older)
{
    struct fact *fact = MEM_NEW(struct fact);
    fact->refs = 1;
    fact->event = alert_event_copy(event);
    fact->bytes = alert_event_bytes(event);
    fact->fingerprint = fingerprint;
    fact->hash = older != NULL ? older->hash : log_hash(event->labels);
    return fact;
}

static bool complain(struct buf *errors, const char *what, const char *part, struct str text)
{
    buf_puts(errors, errors->used > 0 ? "\n" : "");
    buf_format(errors, "invalid %s: invalid %s \"%.*s\"", what, part, STR_ARG(text));
    return false;
}

static bool check_labels(const struct labels *ls, const char *what, struct buf *errors)
{
    for (size_t i = 0; ls != NULL && i < ls->count; i++) {
        if (!label_name_is_valid(ls->item[i].name))
            return complain(errors, what, "name", ls->item[i].name);
        if (!str_is_utf8(ls->item[i].value))
            return complain(errors, what, "value", ls->item[i].value);
    }
    return true;
}

int router_validate(const struct alert_event *event, struct buf *errors)
{
    const char *why = NULL;
    if (event->ends_ns < event->starts_ns)
        why = "start time must be before end time";
    else if (event->labels == NULL || event->labels->count == 0)
        why = "at least one label pair required";
    if (why != NULL)
        buf_format(errors, "%s%s", errors->used > 0 ? "\n" : "", why);
    if (why != NULL || !check_labels(event->labels, "label set", errors) ||
        !check_labels(event->annotations, "annotations", errors))
        return ERR_PARSE;
    return 0;
}

static bool has_fingerprint(const void *item, const void *key)
{
    return ((const struct alert *)item)->fact->fingerprint == *(const uint64_t *)key;
}

static bool overlaps(const struct alert_event *old, const struct alert_event *new)
{
    return (new->ends_ns > old->starts_ns &&new->ends_ns < old->ends_ns) ||
           (new->starts_ns > old->starts_ns &&new->starts_ns < old->ends_ns);
}

/* The younger news counts; what it says of the times is joined with what was known. Whether it brought an end stays its own affair, also
 * where the older end is kept: the next news then need not keep it. */
static struct alert_event merge(const struct alert_event *older, const struct alert_event *younger,
                                int64_t now_ns)
{
    struct alert_event merged = *younger;
    if (older->starts_ns < merged.starts_ns) {
        merged.starts_ns = older->starts_ns;
        merged.starts_zone_s = older->starts_zone_s;
    }
    bool keep_end = older->ends_ns > younger->ends_ns;
    if (alert_is_resolved(younger, now_ns))
        keep_end = keep_end && alert_is_resolved(older, now_ns);
    else
        keep_end = keep_end && !older->ends_is_timeout;
    if (keep_end) {
        merged.ends_ns = older->ends_ns;
        merged.ends_zone_s = older->ends_zone_s;
    }
    return merged;
}

/* To become smaller, and thus to end, is possible at any time. */
static bool has_room(struct router *router, size_t bytes, size_t before)
{
    size_t most = (size_t)limits.alert_bytes;
    size_t others = router->alert_bytes - before;
    if (bytes <= before || (bytes <= most && others <= most - bytes))
        return true;
    limit_hit(LIMIT_alert_bytes);
    return false;
}

static bool update(struct router *router, struct alert *alert, const struct alert_event *event,
                   int64_t now_ns)
{
    const struct alert_event *known = alert->fact->event;
    struct alert_event next = *event;
    if (overlaps(known, event))
        next =
            event->updated_ns < known->updated_ns ? merge(event, known, now_ns) : merge(known, event, now_ns);
    if (!has_room(router, alert_event_bytes(&next), alert->fact->bytes))
        return false;
    struct fact *fact = fact_make(&next, alert->fact->fingerprint, alert->fact);
    router->alert_bytes += fact->bytes - alert->fact->bytes;
    fact_drop(alert->fact);
    alert->fact = fact;
    return true;
}

/* False: there is no room for it, and it stays as it was. */
static bool store_news(struct router *router, struct alert *alert, const struct alert_event *event,
                       bool posted, int64_t now_ns)
{
    struct fact *before = fact_hold(alert->fact);
    bool stored = update(router, alert, event, now_ns);
    if (stored && alert->groups == 0)
        alert->kept.since_ns = now_ns;
    if (stored)
        keep_alert(router, alert, before->event, posted, now_ns);
    fact_drop(before);
    return stored;
}

struct alert *router_store(struct router *router, const struct alert_event *event, bool posted,
                           int64_t now_ns)
{
    uint64_t fingerprint = labels_fingerprint(event->labels);
    struct alert *alert = map_find(&router->alerts, fingerprint, has_fingerprint, &fingerprint);
    if (alert != NULL)
        return store_news(router, alert, event, posted, now_ns) ? alert : NULL;
    if (router->alerts.count >= (size_t)limits.alerts) {
        limit_hit(LIMIT_alerts);
        return NULL;
    }
    if (!has_room(router, alert_event_bytes(event), 0))
        return NULL;
    alert = MEM_NEW(struct alert);
    alert->fact = fact_make(event, fingerprint, NULL);
    alert->kept.since_ns = now_ns;
    router->alert_bytes += alert->fact->bytes;
    map_add(&router->alerts, fingerprint, alert);
    inhibitor_add(&router->inhibitor, alert);
    keep_alert(router, alert, NULL, posted, now_ns);
    return alert;
}

static void alert_free(struct alert *alert)
{
    fact_drop(alert->fact);
    silence_hits_release(&alert->silenced);
    mem_free(alert);
}

static void rebuild_inhibitor(struct router *router)
{
    struct alert *alert;
    inhibitor_release(&router->inhibitor);
    inhibitor_init(&router->inhibitor, router->generation->config);
    for (size_t at = 0; (alert = map_next(&router->alerts, &at)) != NULL;)
        inhibitor_add(&router->inhibitor, alert);
}

/* Resolved alerts that no group has still to tell anybody about. */
void router_collect_alerts(struct router *router, int64_t now_ns)
{
    struct alert *alert, **gone = NULL;
    size_t count = 0, capacity = 0;
    for (size_t at = 0; (alert = map_next(&router->alerts, &at)) != NULL;) {
        bool busy = alert->groups > 0 || alert->kept.waits || alert->kept.writing;
        if (busy || !alert_is_resolved(alert->fact->event, now_ns))
            continue;
        MEM_GROW(gone, count, capacity);
        gone[count++] = alert;
    }
    for (size_t i = 0; i < count; i++) {
        keep_forget(router, gone[i]);
        map_remove(&router->alerts, gone[i]->fact->fingerprint, gone[i]);
    }
    rebuild_inhibitor(router);
    for (size_t i = 0; i < count; i++) {
        router->alert_bytes -= gone[i]->fact->bytes;
        trail_gone(router, gone[i]);
        alert_free(gone[i]);
    }
    mem_free(gone);
}

void router_free_alerts(struct router *router)
{
    struct alert *alert;
    for (size_t at = 0; (alert = map_next(&router->alerts, &at)) != NULL;)
        alert_free(alert);
    map_release(&router->alerts);
}
