#include "config_priv.h"
#include "variables_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/strict_model.h"

#include <ctype.h>

enum { INTERVAL_DEFAULT_MS = 60000 };

/* Every reader of a section has the struct config as its target. */

static void append(struct strict *s, struct config_texts *texts, struct str text)
{
    ARENA_GROW(s->arena, texts->items, texts->count, texts->capacity);
    if (texts->items != NULL)
        texts->items[texts->count++] = text;
    else
        texts->count = texts->capacity = 0;
}

/* A whole section that Tocsin leaves to Prometheus: accepted, and named. (What only belongs to such a section is
 * skipped without a word.) */
static void note_ignored(struct strict *s, const struct tree *node, void *target)
{
    struct config *config = target;
    append(s, &config->ignored, node->key->text);
}

/* ---- global ---- */

static void read_external_labels(struct strict *s, const struct tree *node, void *target)
{
    const struct labels **external = target, *expanded;
    strict_labels(s, node, external);
    expanded = variables_expand(s->arena, *external);
    if (expanded != NULL)
        *external = expanded;
    else
        strict_fail(s, node->key, "external_labels do not fit limits.yaml_bytes");
    for (const struct tree *child = node->kind == TREE_MAP ? node->first : NULL; child != NULL;
         child = child->next)
        if (!label_name_is_valid(child->key->text))
            strict_fail(s, child->key, "\"%.*s\" is not a valid label name", STR_ARG(child->key->text));
}

static void read_global(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"evaluation_interval", strict_duration_ms, offsetof(struct config, evaluation_interval_ms)},
        {"rule_query_offset", strict_duration_ms, offsetof(struct config, query_offset_ms)},
        {"external_labels", read_external_labels, offsetof(struct config, external_labels)},
        {"scrape_interval", strict_skip, 0},
        {"scrape_timeout", strict_skip, 0},
        {"scrape_protocols", strict_skip, 0},
        {"query_log_file", note_ignored, 0},
        {"scrape_failure_log_file", strict_skip, 0},
        {"body_size_limit", strict_skip, 0},
        {"sample_limit", strict_skip, 0},
        {"target_limit", strict_skip, 0},
        {"label_limit", strict_skip, 0},
        {"label_name_length_limit", strict_skip, 0},
        {"label_value_length_limit", strict_skip, 0},
        {"keep_dropped_targets", strict_skip, 0},
        {"metric_name_validation_scheme", strict_skip, 0},
        {"metric_name_escaping_scheme", strict_skip, 0},
        {"scrape_native_histograms", strict_skip, 0},
        {"always_scrape_classic_histograms", strict_skip, 0},
        {"convert_classic_histograms_to_nhcb", strict_skip, 0},
        {"extra_scrape_metrics", strict_skip, 0},
        {NULL, NULL, 0},
    };
    struct config *config = target;
    strict_struct(s, node, "config.plain", fields, config);
    if (config->evaluation_interval_ms == 0)
        config->evaluation_interval_ms = INTERVAL_DEFAULT_MS;
}

/* ---- rule_files, slo_files ---- */

static void read_files(struct strict *s, const struct tree *node, void *target)
{
    struct strict_list files = {0};
    strict_list(s, node, "[]string", sizeof(struct strict_scalar), strict_scalar, &files);
    const struct strict_scalar *names = files.items;
    for (size_t i = 0; i < files.count; i++) {
        if (names[i].text.n == 0 && names[i].node->kind == TREE_SCALAR)
            strict_fail(s, names[i].node, "%.*s takes file names", STR_ARG(node->key->text));
        append(s, target, names[i].text);
    }
}

/* ---- storage ---- */

static void read_retention(struct strict *s, const struct tree *node, void *target)
{
    if (node->kind != TREE_SCALAR || !str_is(node->text, "auto"))
        strict_duration_ms(s, node, target);
}

static void read_keep(struct strict *s, const struct tree *node, void *target)
{
    struct str keep;
    strict_text(s, node, &keep);
    if (str_is(keep, "referenced"))
        *(enum store_keep *)target = STORE_KEEP_REFERENCED;
    else if (!str_is(keep, "all"))
        strict_fail(s, node, "storage.keep is all or referenced");
}

static void read_sync(struct strict *s, const struct tree *node, void *target)
{
    struct str sync;
    strict_text(s, node, &sync);
    if (str_is(sync, "os"))
        *(enum store_sync *)target = STORE_SYNC_OS;
    else if (!str_is(sync, "group"))
        strict_fail(s, node, "storage.wal.sync is group or os");
}

static void read_wal(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"sync", read_sync, offsetof(struct config, wal_sync)},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.plain", fields, target);
}

static void read_tsdb(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"out_of_order_time_window", strict_duration_ms, offsetof(struct config, storage.out_of_order_ms)},
        {"retention", note_ignored, 0},
        {"stale_series_compaction_threshold", note_ignored, 0},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.plain", fields, target);
}

/* A request header's name. */
static void read_header_name(struct strict *s, const struct tree *node, void *target)
{
    struct str *name = target;
    strict_text(s, node, name);
    for (size_t i = 0; i < name->n; i++)
        if (!isalnum((unsigned char)name->p[i]) && name->p[i] != '-' && name->p[i] != '_')
            strict_fail(s, node, "storage.identity_header is a header's name, not \"%.*s\"", STR_ARG(*name));
}

static void read_storage(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"out_of_order_time_window", strict_duration_ms, offsetof(struct config, storage.out_of_order_ms)},
        {"retention", read_retention, offsetof(struct config, storage.retention_ms)},
        {"keep", read_keep, offsetof(struct config, storage.keep)},
        {"wal", read_wal, 0},
        {"identity_header", read_header_name, offsetof(struct config, identity_header)},
        {"tsdb", read_tsdb, 0},
        {"exemplars", note_ignored, 0},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.StorageConfig", fields, target);
}

/* ---- contracts ---- */

static void read_contracts(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"opened_is_closed", strict_bool, offsetof(struct router_contracts, opened_is_closed)},
        {"no_lost_page", strict_bool, offsetof(struct router_contracts, no_lost_page)},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.plain", fields, target);
}

/* ---- limits ---- */

static void read_limit(struct strict *s, const struct tree *node, struct limits *to)
{
    struct err err;
    int64_t value;
    if (tree_i64(node, &value) != 0) {
        strict_mismatch(s, node, "int64");
        return;
    }
    int rc = limits_set(to, node->key->text, value, &err);
    if (rc == ERR_NOT_FOUND)
        strict_unknown(s, node->key, "config.Limits");
    else if (rc != 0)
        strict_stop(s, node, &err);
}

static void read_limits(struct strict *s, const struct tree *node, void *target)
{
    struct err err;
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_MAP) {
        strict_mismatch(s, node, "config.Limits");
        return;
    }
    for (const struct tree *limit = node->first; limit != NULL && !strict_stopped(s); limit = limit->next)
        read_limit(s, limit, target);
    if (tree_get(node, "series_per_identity") == NULL)
        ((struct limits *)target)->series_per_identity = ((struct limits *)target)->series;
    if (strict_sound(s) && limits_check(target, &err) != 0)
        strict_stop(s, node, &err);
}

/* ---- the whole ---- */

static const struct strict_field sections[] = {
    {"global", read_global, 0},
    {"rule_files", read_files, offsetof(struct config, rule_files)},
    {"slo_files", read_files, offsetof(struct config, slo_files)},
    {"rules", config_read_rules, 0},
    {"alerting", config_read_alerting, 0},
    {"storage", read_storage, 0},
    {"contracts", read_contracts, offsetof(struct config, contracts)},
    {"limits", read_limits, offsetof(struct config, limits)},
    {"alertmanager_config_file", strict_text, offsetof(struct config, alertmanager_config_file)},
    {"scrape_configs", note_ignored, 0},
    {"scrape_config_files", note_ignored, 0},
    {"remote_write", config_read_remote_write, 0},
    {"remote_read", note_ignored, 0},
    {"tracing", note_ignored, 0},
    {"otlp", note_ignored, 0},
    {"runtime", note_ignored, 0},
    {NULL, NULL, 0},
};

static struct config *config_new(const char *path)
{
    struct config *c = MEM_NEW(struct config);
    arena_init(&c->arena, (size_t)limits.generation_arena_bytes);
    c->evaluation_interval_ms = INTERVAL_DEFAULT_MS;
    c->limits = limits_default;
    c->contracts = (struct router_contracts){.opened_is_closed = true, .no_lost_page = true};
    const char *slash = strrchr(path, '/');
    c->folder = slash != NULL ? str_copy(&c->arena, (struct str){path, (size_t)(slash - path)}) : STR(".");
    c->external_labels = labels_empty(&c->arena);
    return c;
}

static int read_text(struct config *config, struct str text, struct err *err)
{
    struct strict s;
    struct tree *root = NULL;
    strict_init(&s, &config->arena);
    s.yes_is_bool = true;
    s.context = config;
    struct str own = str_copy(&config->arena, text);
    int rc = own.p != NULL ? yaml_parse(&config->arena, own, &root, err) : 0;
    if (rc == 0) {
        strict_struct(&s, root, "config.plain", sections, config);
        config_check_alerting(&s, config);
        config_check_remote_write(&s, config);
        rc = strict_result(&s, err);
        if (rc != 0 && err != NULL && err->line > 0)
            err_prefix(err, "line %d: ", err->line);
    }
    strict_release(&s);
    return rc;
}

int config_parse(struct str text, const char *path, struct config **out, struct err *err)
{
    struct config *config = config_new(path);
    int rc = read_text(config, text, err);
    *out = rc == 0 ? config : NULL;
    if (rc != 0) {
        err_prefix(err, "parsing YAML file %s: ", path);
        config_free(config);
    }
    return rc;
}

int config_load(struct world *world, const char *path, struct config **out, struct err *err)
{
    *out = NULL;
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    int rc = world->read_file(world, path, &text, err);
    if (rc == 0)
        rc = config_parse(buf_slice(&text), path, out, err);
    buf_release(&text);
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
