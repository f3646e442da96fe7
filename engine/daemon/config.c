#include "config_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/tree.h"

enum { TIMEOUT_DEFAULT_MS = 10000, INTERVAL_DEFAULT_MS = 60000 };

struct reader {
    struct config *config;
    struct err *err;
};

/* One known key of a map: who reads it. `read` NULL: accepted, and ignored. */
struct key {
    const char *name;
    int (*read)(struct reader *r, const struct tree *value);
};

static int fail(struct reader *r, const struct tree *at, const char *text)
{
    return err_at(r->err, ERR_PARSE, at->line, at->column, "line %d: %s", at->line, text);
}

static int no_memory(struct reader *r)
{
    return err_set(r->err, ERR_LIMIT, "the configuration is larger than %lld bytes in memory",
                   (long long)limits.generation_arena_bytes);
}

static int note_ignored(struct reader *r, struct str name)
{
    struct config *c = r->config;
    struct str *grown = ARENA_ARRAY(&c->arena, struct str, c->ignored_count + 1);
    if (grown == NULL)
        return no_memory(r);
    if (c->ignored_count > 0)
        memcpy(grown, c->ignored, c->ignored_count * sizeof *grown);
    grown[c->ignored_count++] = name;
    c->ignored = grown;
    return 0;
}

static int read_map(struct reader *r, const struct tree *map, const struct key *keys, const char *type)
{
    if (tree_is_null(map))
        return 0;
    if (map->kind != TREE_MAP)
        return err_at(r->err, ERR_PARSE, map->line, map->column, "line %d: cannot unmarshal into %s: a map is needed",
                      map->line, type);
    for (const struct tree *child = map->first; child != NULL; child = child->next) {
        const struct key *k = keys;
        while (k->name != NULL && !str_is(child->key->text, k->name))
            k++;
        if (k->name == NULL)
            return err_at(r->err, ERR_PARSE, child->key->line, child->key->column,
                          "yaml: unmarshal errors:\n  line %d: field %.*s not found in type %s", child->key->line,
                          STR_ARG(child->key->text), type);
        int rc = k->read != NULL ? k->read(r, child) : note_ignored(r, child->key->text);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int read_each(struct reader *r, const struct tree *list, const char *what,
                     int (*read)(struct reader *r, const struct tree *item))
{
    if (tree_is_null(list))
        return 0;
    if (list->kind != TREE_LIST)
        return err_at(r->err, ERR_PARSE, list->line, list->column, "line %d: %s must be a list", list->line, what);
    for (const struct tree *item = list->first; item != NULL; item = item->next) {
        int rc = read(r, item);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int read_duration(struct reader *r, const struct tree *value, int64_t *ms)
{
    if (value->kind != TREE_SCALAR)
        return fail(r, value, "a duration is needed");
    int rc = duration_parse(value->text, ms, r->err);
    if (rc != 0)
        err_prefix(r->err, "line %d: ", value->line);
    return rc;
}

static int append_str(struct reader *r, struct str **items, size_t *count, struct str s)
{
    struct str *grown = ARENA_ARRAY(&r->config->arena, struct str, *count + 1);
    if (grown == NULL)
        return no_memory(r);
    if (*count > 0)
        memcpy(grown, *items, *count * sizeof *grown);
    grown[(*count)++] = s;
    *items = grown;
    return 0;
}

/* What belongs to a part that Tocsin leaves to others: read by nobody, worth no word. */
static int skip(struct reader *r, const struct tree *value)
{
    (void)r;
    (void)value;
    return 0;
}

/* ---- global ---- */

static int read_evaluation_interval(struct reader *r, const struct tree *value)
{
    int rc = read_duration(r, value, &r->config->evaluation_interval_ms);
    if (rc == 0 && r->config->evaluation_interval_ms == 0)
        return fail(r, value, "evaluation_interval must be greater than 0");
    return rc;
}

static int read_query_offset(struct reader *r, const struct tree *value)
{
    return read_duration(r, value, &r->config->query_offset_ms);
}

static int read_external_labels(struct reader *r, const struct tree *value)
{
    if (tree_is_null(value))
        return 0;
    if (value->kind != TREE_MAP)
        return fail(r, value, "external_labels must be a map");
    struct label *items = ARENA_ARRAY(&r->config->arena, struct label, value->count);
    if (items == NULL)
        return no_memory(r);
    size_t n = 0;
    for (const struct tree *child = value->first; child != NULL; child = child->next) {
        if (!label_name_is_valid(child->key->text) || child->kind != TREE_SCALAR)
            return err_at(r->err, ERR_PARSE, child->key->line, child->key->column,
                          "line %d: \"%.*s\" is not a valid label name", child->key->line, STR_ARG(child->key->text));
        items[n++] = (struct label){child->key->text, child->text};
    }
    r->config->external_labels = labels_make(&r->config->arena, items, n);
    return r->config->external_labels != NULL ? 0 : no_memory(r);
}

static const struct key global_keys[] = {
    {"evaluation_interval", read_evaluation_interval},
    {"rule_query_offset", read_query_offset},
    {"external_labels", read_external_labels},
    {"scrape_interval", skip},
    {"scrape_timeout", skip},
    {"scrape_protocols", skip},
    {"query_log_file", NULL},
    {"scrape_failure_log_file", skip},
    {"body_size_limit", skip},
    {"sample_limit", skip},
    {"target_limit", skip},
    {"label_limit", skip},
    {"label_name_length_limit", skip},
    {"label_value_length_limit", skip},
    {"keep_dropped_targets", skip},
    {"metric_name_validation_scheme", skip},
    {"metric_name_escaping_scheme", skip},
    {"scrape_native_histograms", skip},
    {"always_scrape_classic_histograms", skip},
    {"convert_classic_histograms_to_nhcb", skip},
    {"extra_scrape_metrics", skip},
    {NULL, NULL},
};

static int read_global(struct reader *r, const struct tree *value)
{
    return read_map(r, value, global_keys, "config.plain");
}

/* ---- rule_files, alertmanager_config_file ---- */

static int read_rule_file(struct reader *r, const struct tree *item)
{
    if (item->kind != TREE_SCALAR || item->text.n == 0)
        return fail(r, item, "rule_files takes file names");
    return append_str(r, &r->config->rule_files, &r->config->rule_file_count, item->text);
}

static int read_rule_files(struct reader *r, const struct tree *value)
{
    return read_each(r, value, "rule_files", read_rule_file);
}

static int read_alertmanager_file(struct reader *r, const struct tree *value)
{
    if (value->kind != TREE_SCALAR)
        return fail(r, value, "alertmanager_config_file takes a file name");
    r->config->alertmanager_config_file = value->text;
    return 0;
}

/* ---- alerting ---- */

/* One entry of `alertmanagers`. Its keys come in any order, so targets are joined to URLs at its end. */
static int add_target(struct reader *r, const struct tree *manager, const struct tree *target)
{
    const struct tree *scheme = tree_get(manager, "scheme"), *prefix = tree_get(manager, "path_prefix");
    struct str base = scheme != NULL ? scheme->text : STR("http");
    struct str path = prefix != NULL ? prefix->text : STR("");
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    if (target->kind != TREE_SCALAR || target->text.n == 0 || str_find_char(target->text, '/') < target->text.n)
        return fail(r, target, "a target is HOST:PORT, without scheme and path");
    if (!str_is(base, "http") && !str_is(base, "https"))
        return fail(r, scheme, "scheme must be http or https");
    char *url = arena_format(&r->config->arena, "%.*s://%.*s%s%.*s/api/v2/alerts", STR_ARG(base), STR_ARG(target->text),
                             path.n > 0 && path.p[0] != '/' ? "/" : "", STR_ARG(path));
    if (url == NULL)
        return no_memory(r);
    return append_str(r, &r->config->alertmanager_urls, &r->config->alertmanager_count, str_of(url));
}

static int add_targets(struct reader *r, const struct tree *manager)
{
    const struct tree *static_configs = tree_get(manager, "static_configs");
    if (tree_is_null(static_configs))
        return 0;
    if (static_configs->kind != TREE_LIST)
        return fail(r, static_configs, "static_configs must be a list");
    for (const struct tree *group = static_configs->first; group != NULL; group = group->next) {
        const struct tree *targets = group->kind == TREE_MAP ? tree_get(group, "targets") : NULL;
        if (targets == NULL || targets->kind != TREE_LIST)
            return fail(r, group, "a static config needs a list of targets");
        for (const struct tree *t = targets->first; t != NULL; t = t->next) {
            int rc = add_target(r, manager, t);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static int read_timeout(struct reader *r, const struct tree *value)
{
    return read_duration(r, value, &r->config->alertmanager_timeout_ms);
}

static int read_api_version(struct reader *r, const struct tree *value)
{
    return str_is(value->text, "v2") ? 0 : fail(r, value, "expected Alertmanager api version to be one of [v2]");
}

/* Would change which alerts go out or where: silently ignoring it could lose a page. */
static int refuse(struct reader *r, const struct tree *value)
{
    if (tree_is_null(value) || (value->kind != TREE_SCALAR && value->count == 0))
        return 0;
    return err_at(r->err, ERR_UNSUPPORTED, value->key->line, value->key->column,
                  "line %d: %.*s is not supported yet; remove it, or list the targets under static_configs",
                  value->key->line, STR_ARG(value->key->text));
}

static const struct key alertmanager_keys[] = {
    {"static_configs", skip}, {"scheme", skip},
    {"path_prefix", skip},    {"timeout", read_timeout},
    {"api_version", read_api_version}, {"basic_auth", refuse},
    {"authorization", refuse}, {"oauth2", refuse},
    {"sigv4", refuse},        {"tls_config", refuse},
    {"proxy_url", refuse},    {"relabel_configs", refuse},
    {"alert_relabel_configs", refuse}, {"http_headers", refuse},
    {"follow_redirects", skip}, {"enable_http2", skip},
    {"dns_sd_configs", refuse}, {"file_sd_configs", refuse},
    {"kubernetes_sd_configs", refuse}, {"consul_sd_configs", refuse},
    {"http_sd_configs", refuse}, {NULL, NULL},
};

static int read_alertmanager(struct reader *r, const struct tree *item)
{
    int rc = read_map(r, item, alertmanager_keys, "config.AlertmanagerConfig");
    return rc != 0 || tree_is_null(item) ? rc : add_targets(r, item);
}

static int read_alertmanagers(struct reader *r, const struct tree *value)
{
    return read_each(r, value, "alertmanagers", read_alertmanager);
}

static const struct key alerting_keys[] = {
    {"alertmanagers", read_alertmanagers},
    {"alert_relabel_configs", refuse},
    {NULL, NULL},
};

static int read_alerting(struct reader *r, const struct tree *value)
{
    return read_map(r, value, alerting_keys, "config.plain");
}

/* ---- storage ---- */

static int read_out_of_order(struct reader *r, const struct tree *value)
{
    return read_duration(r, value, &r->config->storage.out_of_order_ms);
}

static int read_retention(struct reader *r, const struct tree *value)
{
    if (str_is(value->text, "auto"))
        return 0;
    return read_duration(r, value, &r->config->storage.retention_ms);
}

static int read_keep(struct reader *r, const struct tree *value)
{
    if (str_is(value->text, "referenced"))
        r->config->storage.keep = STORE_KEEP_REFERENCED;
    else if (!str_is(value->text, "all"))
        return fail(r, value, "storage.keep is all or referenced");
    return 0;
}

static const struct key tsdb_keys[] = {
    {"out_of_order_time_window", read_out_of_order},
    {"retention", NULL},
    {"stale_series_compaction_threshold", NULL},
    {NULL, NULL},
};

static int read_tsdb(struct reader *r, const struct tree *value)
{
    return read_map(r, value, tsdb_keys, "config.plain");
}

static const struct key storage_keys[] = {
    {"out_of_order_time_window", read_out_of_order},
    {"retention", read_retention},
    {"keep", read_keep},
    {"tsdb", read_tsdb},
    {"exemplars", NULL},
    {NULL, NULL},
};

static int read_storage(struct reader *r, const struct tree *value)
{
    return read_map(r, value, storage_keys, "config.plain");
}

static const struct key top_keys[] = {
    {"global", read_global},
    {"rule_files", read_rule_files},
    {"alerting", read_alerting},
    {"storage", read_storage},
    {"alertmanager_config_file", read_alertmanager_file},
    {"scrape_configs", NULL},
    {"scrape_config_files", NULL},
    {"remote_write", NULL},
    {"remote_read", NULL},
    {"tracing", NULL},
    {"otlp", NULL},
    {"runtime", NULL},
    {NULL, NULL},
};

/* ---- the whole ---- */

static struct config *config_new(const char *path)
{
    struct config *c = MEM_NEW(struct config);
    arena_init(&c->arena, (size_t)limits.generation_arena_bytes);
    c->evaluation_interval_ms = INTERVAL_DEFAULT_MS;
    c->alertmanager_timeout_ms = TIMEOUT_DEFAULT_MS;
    const char *slash = strrchr(path, '/');
    c->folder = slash != NULL ? str_copy(&c->arena, (struct str){path, (size_t)(slash - path)}) : STR(".");
    c->external_labels = labels_empty(&c->arena);
    return c;
}

static int read_text(struct config *config, struct str text, struct err *err)
{
    struct reader r = {config, err};
    struct str own = str_copy(&config->arena, text);
    if (own.p == NULL)
        return no_memory(&r);
    struct tree *root;
    int rc = yaml_parse(&config->arena, own, &root, err);
    return rc != 0 ? rc : read_map(&r, root, top_keys, "config.plain");
}

int config_load(struct world *world, const char *path, struct config **out, struct err *err)
{
    *out = NULL;
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    struct config *config = config_new(path);
    int rc = world->read_file(world, path, &text, err);
    if (rc == 0) {
        rc = read_text(config, buf_slice(&text), err);
        if (rc != 0)
            err_prefix(err, "parsing YAML file %s: ", path);
    }
    buf_release(&text);
    if (rc != 0)
        config_free(config);
    else
        *out = config;
    return rc;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    arena_release(&config->arena);
    mem_free(config);
}

const char *config_path(struct config *config, struct str path)
{
    if (str_starts(path, STR("/")))
        return arena_copy_text(&config->arena, path.p, path.n);
    return arena_format(&config->arena, "%.*s/%.*s", STR_ARG(config->folder), STR_ARG(path));
}
