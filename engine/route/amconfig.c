#include "amconfig_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

static am_read read_global, read_route, read_rules, read_receivers, read_mute, read_times, read_tracing;

static void read_global(struct am_reader *r, const struct tree *node, void *target)
{
    (void)target;
    am_read_global(r, node);
}

static void read_route(struct am_reader *r, const struct tree *node, void *target)
{
    (void)target;
    if (!tree_is_null(node))
        am_read_route(r, node);
}

static void read_rules(struct am_reader *r, const struct tree *node, void *target)
{
    (void)target;
    am_read_inhibit_rules(r, node);
}

static void read_receivers(struct am_reader *r, const struct tree *node, void *target)
{
    (void)target;
    am_read_receivers(r, node);
}

static void read_mute(struct am_reader *r, const struct tree *node, void *target)
{
    (void)target;
    am_read_intervals(r, node, true);
}

static void read_times(struct am_reader *r, const struct tree *node, void *target)
{
    (void)target;
    am_read_intervals(r, node, false);
}

static void read_tracing(struct am_reader *r, const struct tree *node, void *target)
{
    (void)target;
    if (!tree_is_null(node))
        am_unsupported(r, node, "tracing is not supported yet");
}

static void read_top(struct am_reader *r, struct am_texts *globs)
{
    static const struct am_key keys[] = {
        {"global", read_global, 0},        {"route", read_route, 0},
        {"inhibit_rules", read_rules, 0},  {"receivers", read_receivers, 0},
        {"templates", am_text_list, 0},    {"mute_time_intervals", read_mute, 0},
        {"time_intervals", read_times, 0}, {"tracing", read_tracing, 0},
        {"event_recorder", am_skip, 0},    {NULL, NULL, 0},
    };
    am_read_global(r, NULL);
    am_object(r, r->top, keys, globs, "config.plain");
    if (!am_stopped(r) && r->wrong.used > 0)
        r->code = err_set(r->err, ERR_PARSE, "yaml: unmarshal errors:%s", buf_text(&r->wrong));
}

static void check(struct am_reader *r)
{
    am_check_global(r);
    am_check_receivers(r);
    am_check_root(r);
    if (!am_stopped(r))
        am_resolve_routes(r);
}

static struct str join(struct am_reader *r, struct str path)
{
    if (path.n == 0 || path.p[0] == '/' || r->folder.n == 0 || str_is(r->folder, "."))
        return path;
    struct str whole = str_of(arena_format(r->arena, "%.*s/%.*s", STR_ARG(r->folder), STR_ARG(path)));
    if (whole.p == NULL)
        am_memory(r);
    return whole;
}

static void parse_template_file(void *context, const char *path)
{
    struct am_reader *r = context;
    if (am_stopped(r))
        return;
    struct buf text;
    struct err why;
    buf_init(&text, (size_t)limits.yaml_bytes);
    const char *slash = strrchr(path, '/');
    struct str name = str_copy(r->arena, str_of(slash != NULL ? slash + 1 : path));
    int rc = r->world->read_file(r->world, path, &text, &why);
    if (rc == 0) {
        struct str copy = str_copy(r->arena, buf_slice(&text));
        if (copy.p == NULL || name.p == NULL)
            am_memory(r);
        else
            rc = template_parse(r->config->templates, name, copy, &why);
    }
    if (rc != 0 && !am_stopped(r))
        r->code = err_set(r->err, rc, "%s", why.text);
    buf_release(&text);
}

static void read_templates(struct am_reader *r, const struct am_texts *globs)
{
    static const struct template_function *const tables[] = {template_alertmanager_functions};
    struct amconfig *config = r->config;
    config->template_globs = globs->items;
    config->template_count = globs->count;
    config->templates = template_set_make(r->arena, tables, 1);
    if (config->templates == NULL)
        am_memory(r);
    for (size_t i = 0; i < globs->count && !am_stopped(r); i++) {
        globs->items[i] = join(r, globs->items[i]);
        if (am_stopped(r))
            return;
        struct err why;
        const char *pattern = arena_copy_text(r->arena, globs->items[i].p, globs->items[i].n);
        if (pattern == NULL)
            am_memory(r);
        else if (r->world->glob(r->world, pattern, parse_template_file, r, &why) != 0 && !am_stopped(r))
            r->code = err_set(r->err, ERR_IO, "%s", why.text);
    }
}

static void read_all(struct am_reader *r)
{
    struct am_texts globs = {0};
    read_top(r, &globs);
    if (!am_stopped(r))
        check(r);
    if (!am_stopped(r))
        read_templates(r, &globs);
    am_print_config(r);
    if (!am_stopped(r) && r->unsupported.code != 0) {
        r->code = r->unsupported.code;
        if (r->err != NULL)
            *r->err = r->unsupported;
    }
    struct str timeout = r->global[AM_GLOBAL_resolve_timeout];
    if (!am_stopped(r))
        am_duration_ms(r, &(struct tree){.text = timeout}, &r->config->resolve_timeout_ms);
}

int amconfig_parse(struct world *world, struct str text, struct str folder, struct amconfig **out,
                   struct err *err)
{
    *out = NULL;
    struct amconfig *config = MEM_NEW(struct amconfig);
    arena_init(&config->arena, (size_t)limits.generation_arena_bytes);
    struct am_reader r = {
        .world = world, .arena = &config->arena, .config = config, .folder = folder, .err = err};
    buf_init(&r.wrong, ERR_TEXT_MAX);
    struct tree *top = NULL;
    struct str copy = str_copy(&config->arena, text);
    if (copy.p == NULL)
        am_memory(&r);
    else
        r.code = yaml_parse(&config->arena, copy, &top, err);
    r.top = top;
    if (!am_stopped(&r))
        read_all(&r);
    buf_release(&r.wrong);
    if (am_stopped(&r)) {
        amconfig_free(config);
        return r.code;
    }
    *out = config;
    return 0;
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
