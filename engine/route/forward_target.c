#include "forward_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/url.h"

/* ---- one target ---- */

void forward_parcel_drop(struct parcel *parcel)
{
    if (parcel == NULL || --parcel->refs > 0)
        return;
    mem_free(parcel->event);
    mem_free(parcel);
}

static struct target *target_open(struct forward *f, struct str url)
{
    struct target *t = MEM_NEW(struct target);
    struct buf shown;
    buf_init(&shown, url.n + 16);
    url_print_redacted(&shown, url);
    t->forward = f;
    t->url = mem_copy_text(url.p, url.n);
    t->shown = mem_copy_text(buf_text(&shown), shown.used);
    t->queue = MEM_ARRAY(struct parcel *, f->queue_max);
    buf_init(&t->body, (size_t)limits.flush_arena_bytes);
    buf_release(&shown);
    return t;
}

void forward_target_close(struct target *t)
{
    for (size_t i = 0; i < t->count; i++)
        forward_parcel_drop(t->queue[(t->head + i) % t->forward->queue_max]);
    forward_group_let_go(t->group);
    forward_group_let_go(t->sending);
    mem_free(t->queue);
    mem_free(t->url);
    mem_free(t->shown);
    buf_release(&t->body);
    mem_free(t);
}

/* ---- from label sets to URLs ---- */

/* The URLs that are wanted, before they meet the targets that are there. */
struct wanted {
    struct str url;
    struct group *group;
};

struct draft {
    struct arena arena;
    struct wanted *items;
    size_t count, capacity;
    struct strict_texts dropped;
    size_t dropped_capacity;
    bool too_many, odd;
};

/* What Go leaves as it is in a path. */
static bool is_path_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-_.~$&+,/:;=@", c) != NULL);
}

static struct str url_of(struct draft *d, const struct labels *target)
{
    struct str path = labels_get(target, STR("__alerts_path__"));
    struct str scheme = labels_get(target, STR("__scheme__")), host = labels_get(target, STR("__address__"));
    struct buf url;
    buf_init(&url, (scheme.n + host.n + path.n) * 3 + 16);
    buf_format(&url, "%.*s://%.*s%s", STR_ARG(scheme), STR_ARG(host),
               path.n > 0 && path.p[0] != '/' ? "/" : "");
    for (size_t i = 0; i < path.n; i++)
        buf_format(&url, is_path_byte(path.p[i]) ? "%c" : "%%%02X", (unsigned char)path.p[i]);
    struct str kept = str_copy(&d->arena, buf_slice(&url));
    buf_release(&url);
    return kept;
}

static bool is_wanted(const struct draft *d, const struct group *g, struct str url)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].group == g && str_eq(d->items[i].url, url))
            return true;
    return false;
}

static void want(struct draft *d, struct group *g, struct str url)
{
    if (url.p == NULL || is_wanted(d, g, url))
        return;
    if (d->count >= (size_t)limits.forward_targets) {
        d->too_many = true;
        return;
    }
    ARENA_GROW(&d->arena, d->items, d->count, d->capacity);
    if (d->items != NULL)
        d->items[d->count++] = (struct wanted){url, g};
    else
        d->count = d->capacity = 0;
}

static void drop(struct draft *d, struct str url)
{
    if (url.p == NULL || d->dropped.count >= (size_t)limits.forward_targets)
        return;
    ARENA_GROW(&d->arena, d->dropped.items, d->dropped.count, d->dropped_capacity);
    if (d->dropped.items != NULL)
        d->dropped.items[d->dropped.count++] = url;
    else
        d->dropped.count = d->dropped_capacity = 0;
}

/* Scheme and path are the group's unless the target comes with its own; rules may change both. */
static void consider(struct draft *d, struct group *g, const struct labels *target)
{
    struct label own[] = {{STR("__scheme__"), g->scheme}, {STR("__alerts_path__"), g->path}};
    const struct labels *base = labels_make(&d->arena, own, 2), *out = NULL;
    const struct labels *in = base != NULL ? labels_merge(&d->arena, base, target) : NULL;
    if (in == NULL || relabel_apply(g->relabel, &d->arena, in, &out) != 0)
        return;
    if (out == NULL) {
        drop(d, url_of(d, in));
        return;
    }
    struct str host = labels_get(out, STR("__address__")), scheme = labels_get(out, STR("__scheme__"));
    bool sound = host.n > 0 && str_find_char(host, '/') == host.n &&
                 (str_is(scheme, "http") || str_is(scheme, "https"));
    d->odd |= !sound;
    if (sound)
        want(d, g, url_of(d, out));
}

static void consider_all(struct draft *d, struct group *g)
{
    for (size_t i = 0; i < g->target_count; i++)
        consider(d, g, g->targets[i]);
    for (size_t i = 0; i < g->lookup_count; i++)
        for (size_t k = 0; k < g->lookups[i].found_count; k++)
            consider(d, g, g->lookups[i].found[k]);
}

/* ---- from URLs to targets ---- */

/* The target that is there already, taken out of the list. */
static struct target *inherit(struct forward *f, struct str url)
{
    for (size_t i = 0; i < f->target_count; i++) {
        struct target *t = f->targets[i];
        if (t == NULL || !str_eq(str_of(t->url), url))
            continue;
        f->targets[i] = NULL;
        t->leaving = false;
        return t;
    }
    return NULL;
}

static void set_group(struct target *t, struct group *g)
{
    forward_group_keep(g);
    forward_group_let_go(t->group);
    t->group = g;
}

/* Those nobody wants any more stay in the list until their queue is empty and forward_run, which may be at one of them, lets go. */
static void meet(struct forward *f, const struct draft *d)
{
    struct target **targets = MEM_ARRAY(struct target *, d->count + f->target_count);
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct target *t = inherit(f, d->items[i].url);
        targets[count] = t != NULL ? t : target_open(f, d->items[i].url);
        set_group(targets[count++], d->items[i].group);
    }
    for (size_t i = 0; i < f->target_count; i++) {
        if (f->targets[i] == NULL)
            continue;
        f->targets[i]->leaving = true;
        targets[count++] = f->targets[i];
    }
    mem_free(f->targets);
    f->targets = targets;
    f->target_count = count;
}

static void keep_dropped(struct forward *f, const struct draft *d)
{
    for (size_t i = 0; i < f->dropped_count; i++)
        mem_free(f->dropped[i]);
    mem_free(f->dropped);
    f->dropped = MEM_ARRAY(char *, d->dropped.count);
    f->dropped_count = d->dropped.count;
    for (size_t i = 0; i < d->dropped.count; i++)
        f->dropped[i] = mem_copy_text(d->dropped.items[i].p, d->dropped.items[i].n);
}

void forward_retarget(struct forward *f)
{
    struct draft d = {0};
    arena_init(&d.arena, (size_t)limits.generation_arena_bytes);
    for (size_t i = 0; i < f->group_count; i++)
        consider_all(&d, f->groups[i]);
    if (d.too_many)
        limit_hit(LIMIT_forward_targets);
    if (!arena_exhausted(&d.arena)) {
        meet(f, &d);
        keep_dropped(f, &d);
    }
    f->retarget_faults += d.odd || d.too_many || arena_exhausted(&d.arena);
    arena_release(&d.arena);
}
