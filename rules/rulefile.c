#include "rulefile_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stdio.h>

enum { PATH_MAX_BYTES = 1 << 16 };

struct loading {
    struct world *world;
    struct rule_set *set;
    const struct promql_features *features;
    struct buf *errors;
    struct buf text;
    struct str *paths; /* read so far, in the set's arena */
    size_t path_count, path_capacity;
    int result;
};

struct rule_set *rule_set_new(void)
{
    struct rule_set *set = MEM_NEW(struct rule_set);
    arena_init(&set->arena, (size_t)limits.generation_arena_bytes);
    return set;
}

void rule_set_free(struct rule_set *set)
{
    if (set == NULL)
        return;
    arena_release(&set->arena);
    mem_free(set);
}

static bool seen_before(const struct loading *l, struct str path)
{
    for (size_t i = 0; i < l->path_count; i++)
        if (str_eq(l->paths[i], path))
            return true;
    return false;
}

static void remember(struct loading *l, struct str path)
{
    ARENA_GROW(&l->set->arena, l->paths, l->path_count, l->path_capacity);
    if (l->paths != NULL)
        l->paths[l->path_count++] = path;
}

static void load_file(void *context, const char *path)
{
    struct loading *l = context;
    struct err err;
    struct str name = str_copy(&l->set->arena, str_of(path));
    if (name.p == NULL || seen_before(l, name))
        return;
    remember(l, name);
    buf_clear(&l->text);
    int code = l->world->read_file(l->world, path, &l->text, &err);
    if (code != 0)
        buf_format(l->errors, "%s: %s\n", path, err.text);
    else
        code = rulefile_parse(l->set, name, buf_slice(&l->text), l->features, l->errors);
    if (code != 0)
        l->result = code;
}

static void load_pattern(struct loading *l, struct str folder, struct str pattern)
{
    struct err err;
    struct buf path;
    buf_init(&path, PATH_MAX_BYTES);
    rule_path_join(&path, folder, pattern);
    int code = l->world->glob(l->world, buf_text(&path), load_file, l, &err);
    if (code != 0 && code != ERR_NOT_FOUND) {
        buf_format(l->errors, "error retrieving rule files for %.*s: %s\n", STR_ARG(pattern), err.text);
        l->result = code;
    }
    buf_release(&path);
}

int rule_set_read(struct rule_set *set, struct world *world, struct str folder, const struct str *patterns,
                  size_t count, const struct promql_features *features, struct buf *errors)
{
    struct loading l = {.world = world, .set = set, .features = features, .errors = errors};
    buf_init(&l.text, (size_t)limits.yaml_bytes);
    for (size_t i = 0; i < count; i++)
        load_pattern(&l, folder, patterns[i]);
    buf_release(&l.text);
    if (l.result != 0 || !arena_exhausted(&set->arena))
        return l.result;
    buf_puts(errors, "the rule files take more memory than generation_arena_bytes allows\n");
    return ERR_LIMIT;
}

int rule_set_load(struct world *world, struct str folder, const struct str *patterns, size_t count,
                  const struct promql_features *features, struct rule_set **out, struct buf *errors)
{
    *out = rule_set_new();
    int code = rule_set_read(*out, world, folder, patterns, count, features, errors);
    if (code == 0)
        return 0;
    rule_set_free(*out);
    *out = NULL;
    return code;
}
