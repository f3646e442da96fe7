#include "amconfig_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/md5.h"
#include "tocsin/mem.h"

void am_too_large(struct am_reader *r, const char *what)
{
    struct err why;
    err_set(&why, ERR_LIMIT, "the %s is too large", what);
    strict_stop(&r->strict, NULL, &why);
}

static void read_tracing(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    if (!tree_is_null(node))
        strict_unsupported(s, node, "tracing is not supported yet");
}

static const struct strict_field sections[] = {
    {"global", am_globals_read, offsetof(struct am_reader, globals)},
    {"route", am_read_route, 0},
    {"inhibit_rules", am_read_inhibit_rules, 0},
    {"receivers", am_read_receivers, 0},
    {"templates", strict_texts, offsetof(struct am_reader, globs)},
    {"mute_time_intervals", am_read_mute_time_intervals, 0},
    {"time_intervals", am_read_time_intervals, 0},
    {"tracing", read_tracing, 0},
    {"event_recorder", strict_skip, 0},
    {NULL, NULL, 0},
};

static void check(struct am_reader *r)
{
    am_globals_check(&r->strict, &r->globals, r->folder);
    am_check_receivers(r);
    am_check_root(r);
    if (strict_sound(&r->strict))
        am_resolve_routes(r);
}

static struct str join(struct am_reader *r, struct str path)
{
    if (path.n == 0 || path.p[0] == '/' || r->folder.n == 0 || str_is(r->folder, "."))
        return path;
    return str_of(arena_format(&r->config->arena, "%.*s/%.*s", STR_ARG(r->folder), STR_ARG(path)));
}

static void parse_template_file(void *context, const char *path)
{
    struct am_reader *r = context;
    struct arena *arena = &r->config->arena;
    if (strict_stopped(&r->strict))
        return;
    struct buf text;
    struct err why;
    buf_init(&text, (size_t)limits.yaml_bytes);
    const char *slash = strrchr(path, '/');
    struct str name = str_copy(arena, str_of(slash != NULL ? slash + 1 : path));
    int rc = r->world->read_file(r->world, path, &text, &why);
    struct str copy = str_copy(arena, buf_slice(&text));
    if (rc == 0 && copy.p != NULL && name.p != NULL)
        rc = template_parse(r->config->templates, name, copy, &why);
    if (rc != 0)
        strict_stop(&r->strict, NULL, &why);
    buf_release(&text);
}

static void read_templates(struct am_reader *r)
{
    struct amconfig *config = r->config;
    config->template_globs = r->globs.items;
    config->template_count = r->globs.count;
    config->templates = integration_templates(&config->arena);
    for (size_t i = 0; config->templates != NULL && i < r->globs.count && strict_sound(&r->strict); i++) {
        struct err why;
        struct str glob = config->template_globs[i] = join(r, r->globs.items[i]);
        const char *pattern = arena_copy_text(&config->arena, glob.p, glob.n);
        if (pattern != NULL && r->world->glob(r->world, pattern, parse_template_file, r, &why) != 0)
            strict_stop(&r->strict, NULL, &why);
    }
}

static void read_all(struct am_reader *r)
{
    am_globals_init(&r->globals, &r->config->arena);
    strict_struct(&r->strict, r->top, "config.plain", sections, r);
    if (strict_sound(&r->strict))
        check(r);
    if (strict_sound(&r->strict))
        read_templates(r);
    if (strict_sound(&r->strict))
        am_print_config(r);
    duration_parse(r->globals.text[AM_GLOBAL_resolve_timeout], &r->config->resolve_timeout_ms, NULL);
}

int amconfig_parse(struct world *world, struct str text, struct str folder, struct amconfig **out,
                   struct err *err)
{
    *out = NULL;
    struct amconfig *config = MEM_NEW(struct amconfig);
    arena_init(&config->arena, (size_t)limits.generation_arena_bytes);
    config->hash = md5_first48(text);
    struct am_reader r = {.world = world, .config = config, .folder = folder};
    strict_init(&r.strict, &config->arena);
    r.strict.yes_is_bool = true;
    r.strict.context = &r;
    struct tree *top = NULL;
    struct str copy = str_copy(&config->arena, text);
    int rc = copy.p != NULL ? yaml_parse(&config->arena, copy, &top, err) : 0;
    r.top = top;
    if (rc == 0) {
        read_all(&r);
        rc = strict_result(&r.strict, err);
    }
    strict_release(&r.strict);
    if (rc != 0)
        amconfig_free(config);
    else
        *out = config;
    return rc;
}

int amconfig_load(struct world *world, const char *path, struct amconfig **out, struct err *err)
{
    *out = NULL;
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    int rc = world->read_file(world, path, &text, err);
    const char *slash = strrchr(path, '/');
    size_t folder_bytes = slash == NULL ? 0 : (size_t)(slash - path) + (slash == path);
    if (rc == 0)
        rc = amconfig_parse(world, buf_slice(&text), (struct str){path, folder_bytes}, out, err);
    buf_release(&text);
    return rc;
}

static void release_route(struct am_route *route)
{
    for (size_t i = 0; i < route->matcher_count; i++)
        matcher_release(&route->matchers[i]);
    for (size_t i = 0; i < route->route_count; i++)
        release_route(&route->routes[i]);
}

void amconfig_free(struct amconfig *config)
{
    if (config == NULL)
        return;
    release_route(&config->root);
    for (size_t i = 0; i < config->inhibit_count; i++) {
        am_matchers_release(config->inhibit_rules[i].sources, config->inhibit_rules[i].source_count);
        am_matchers_release(config->inhibit_rules[i].targets, config->inhibit_rules[i].target_count);
    }
    arena_release(&config->arena);
    mem_free(config);
}
