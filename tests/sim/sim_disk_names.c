#include "sim_disk_priv.h"
#include "tocsin/mem.h"

/* ---- one table ---- */

struct sim_entry *sim_names_find(const struct sim_names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->entries[i].path, path) == 0)
            return &names->entries[i];
    return NULL;
}

static void drop(struct sim_names *names, const char *path)
{
    struct sim_entry *e = sim_names_find(names, path);
    if (e == NULL)
        return;
    mem_free(e->path);
    *e = names->entries[--names->count];
}

static void put(struct sim_names *names, const char *path, struct sim_node *node)
{
    struct sim_entry *e = sim_names_find(names, path);
    if (e == NULL) {
        MEM_GROW(names->entries, names->count, names->capacity);
        e = &names->entries[names->count++];
        e->path = mem_copy_text(path, strlen(path));
    }
    e->node = node;
}

static void clear(struct sim_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->entries[i].path);
    mem_free(names->entries);
    *names = (struct sim_names){0};
}

/* ---- folders ---- */

struct str sim_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return STR(".");
    return slash == path ? STR("/") : (struct str){path, (size_t)(slash - path)};
}

static bool have(const struct sim_names *names, struct str folder)
{
    if (str_is(folder, ".") || str_is(folder, "/"))
        return true;
    for (size_t i = 0; i < names->count; i++)
        if (names->entries[i].node == NULL && str_is(folder, names->entries[i].path))
            return true;
    return false;
}

bool sim_folders_have(const struct sim_folders *f, struct str folder)
{
    return have(&f->now, folder);
}

bool sim_folders_hold(const struct sim_folders *f, const struct sim_node *node)
{
    for (size_t i = 0; i < f->now.count; i++)
        if (f->now.entries[i].node == node)
            return true;
    for (size_t i = 0; i < f->safe.count; i++)
        if (f->safe.entries[i].node == node)
            return true;
    for (size_t i = 0; i < f->change_count; i++)
        if (f->changes[i].node == node)
            return true;
    return false;
}

/* A rename in a table that another change has not reached takes away only what it knew. */
static void apply(struct sim_names *names, const struct sim_change *c)
{
    struct sim_entry *from = c->from != NULL ? sim_names_find(names, c->from) : NULL;
    if (from != NULL && (c->to == NULL || from->node == c->node))
        drop(names, c->from);
    if (c->to != NULL)
        put(names, c->to, c->node);
}

static char *copy(const char *path)
{
    return path != NULL ? mem_copy_text(path, strlen(path)) : NULL;
}

void sim_folders_change(struct sim_folders *f, const char *from, const char *to, struct sim_node *node)
{
    MEM_GROW(f->changes, f->change_count, f->change_capacity);
    struct sim_change *c = &f->changes[f->change_count++];
    *c = (struct sim_change){copy(from), copy(to), node};
    apply(&f->now, c);
}

static void free_change(struct sim_change *c)
{
    mem_free(c->from);
    mem_free(c->to);
}

void sim_folders_sync(struct sim_folders *f, const char *folder)
{
    size_t left = 0;
    for (size_t i = 0; i < f->change_count; i++) {
        struct sim_change c = f->changes[i];
        if (str_is(sim_folder_of(c.to != NULL ? c.to : c.from), folder)) {
            apply(&f->safe, &c);
            free_change(&c);
        } else {
            f->changes[left++] = c;
        }
    }
    f->change_count = left;
}

/* What lies in a folder that was lost is lost with it; what is left is as it is found from now on. */
static void settle(struct sim_folders *f)
{
    bool again = true;
    while (again) {
        again = false;
        for (size_t i = f->safe.count; i-- > 0;)
            if (!have(&f->safe, sim_folder_of(f->safe.entries[i].path))) {
                drop(&f->safe, f->safe.entries[i].path);
                again = true;
            }
    }
    clear(&f->now);
    for (size_t i = 0; i < f->safe.count; i++)
        put(&f->now, f->safe.entries[i].path, f->safe.entries[i].node);
}

void sim_folders_crash(struct sim_folders *f, struct chance *chance)
{
    for (size_t i = 0; i < f->change_count; i++) {
        if (chance_keeps(chance))
            apply(&f->safe, &f->changes[i]);
        free_change(&f->changes[i]);
    }
    f->change_count = 0;
    settle(f);
}

void sim_folders_release(struct sim_folders *f)
{
    for (size_t i = 0; i < f->change_count; i++)
        free_change(&f->changes[i]);
    mem_free(f->changes);
    clear(&f->now);
    clear(&f->safe);
}
