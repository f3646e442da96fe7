#include "forward_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

struct str forward_path(struct arena *arena, struct str prefix)
{
    struct str parts[] = {prefix, STR("api/v2/alerts")};
    struct buf path;
    buf_init(&path, prefix.n + 64);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (struct str rest = parts[i]; rest.p != NULL;) {
            struct str part = str_cut(&rest, '/');
            size_t last = path.used;
            while (last > 0 && path.bytes[last - 1] != '/')
                last--;
            if (str_is(part, ".."))
                buf_truncate(&path, last > 0 ? last - 1 : 0);
            else if (part.n > 0 && !str_is(part, "."))
                buf_format(&path, "/%.*s", STR_ARG(part));
        }
    }
    struct str kept = str_copy(arena, buf_slice(&path));
    buf_release(&path);
    return kept;
}

static void copy_targets(struct group *g, const struct forward_group *from)
{
    g->targets = ARENA_ARRAY(&g->arena, const struct labels *, from->target_count);
    for (size_t i = 0; g->targets != NULL && i < from->target_count; i++)
        g->targets[g->target_count++] = labels_copy(&g->arena, from->targets[i]);
}

static void copy_lookups(struct group *g, const struct forward_group *from)
{
    size_t count = 0;
    for (size_t i = 0; i < from->lookup_count; i++)
        count += from->lookups[i].names.count;
    g->lookups = MEM_ARRAY(struct lookup, count);
    for (size_t i = 0; i < from->lookup_count; i++) {
        const struct forward_lookup *l = &from->lookups[i];
        for (size_t k = 0; k < l->names.count; k++)
            g->lookups[g->lookup_count++] =
                (struct lookup){.name = mem_copy_text(l->names.items[k].p, l->names.items[k].n),
                                .type = l->type,
                                .port = l->port,
                                .refresh_ms = l->refresh_ms};
    }
}

int forward_group_open(const struct forward_group *from, struct group **out, struct err *err)
{
    struct group *g = MEM_NEW(struct group);
    g->refs = 1;
    arena_init(&g->arena, (size_t)limits.generation_arena_bytes);
    g->scheme = str_copy(&g->arena, from->scheme);
    g->path = forward_path(&g->arena, from->path_prefix);
    g->timeout_ms = from->timeout_ms;
    g->http = http_config_copy(&from->http);
    copy_targets(g, from);
    copy_lookups(g, from);
    int rc = relabel_open(&from->relabel, &g->relabel, err);
    if (rc == 0)
        rc = relabel_open(&from->alert_relabel, &g->alert_relabel, err);
    if (rc == 0 && arena_exhausted(&g->arena))
        rc = err_set(err, ERR_LIMIT, "the targets need more memory than generation_arena_bytes");
    *out = g;
    if (rc != 0) {
        forward_group_let_go(g);
        *out = NULL;
    }
    return rc;
}

void forward_group_keep(struct group *group)
{
    group->refs++;
}

void forward_group_let_go(struct group *group)
{
    if (group == NULL || --group->refs > 0)
        return;
    for (size_t i = 0; i < group->lookup_count; i++)
        forward_lookup_release(&group->lookups[i]);
    mem_free(group->lookups);
    relabel_free(group->relabel);
    relabel_free(group->alert_relabel);
    http_config_free(group->http);
    arena_release(&group->arena);
    mem_free(group);
}
