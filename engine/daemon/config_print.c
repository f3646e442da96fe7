/* A configuration in force, as /api/v1/status/config tells it: what was taken over of the file, with the defaults. Texts are quoted as
 * JSON, which is YAML. What is secret is told as <secret>. */
#include "config_priv.h"

#include "tocsin/duration.h"
#include "tocsin/tree.h"

static void key(struct buf *out, int indent, const char *name)
{
    buf_format(out, "%*s%s: ", indent, "", name);
}

static void print_text(struct buf *out, int indent, const char *name, struct str text)
{
    key(out, indent, name);
    json_string_raw(out, text);
    buf_char(out, '\n');
}

static void print_word(struct buf *out, int indent, const char *name, const char *word)
{
    key(out, indent, name);
    buf_format(out, "%s\n", word);
}

static void print_duration(struct buf *out, int indent, const char *name, int64_t ms)
{
    key(out, indent, name);
    duration_print(out, ms);
    buf_char(out, '\n');
}

static void print_global(struct buf *out, const struct config *c)
{
    buf_puts(out, "global:\n");
    print_duration(out, 2, "evaluation_interval", c->evaluation_interval_ms);
    print_duration(out, 2, "rule_query_offset", c->query_offset_ms);
    if (c->external_labels->count > 0)
        buf_puts(out, "  external_labels:\n");
    for (size_t i = 0; i < c->external_labels->count; i++) {
        buf_puts(out, "    ");
        json_string_raw(out, c->external_labels->item[i].name);
        buf_puts(out, ": ");
        json_string_raw(out, c->external_labels->item[i].value);
        buf_char(out, '\n');
    }
}

static void print_files(struct buf *out, const char *name, const struct config_texts *files)
{
    if (files->count > 0)
        buf_format(out, "%s:\n", name);
    for (size_t i = 0; i < files->count; i++) {
        buf_puts(out, "- ");
        json_string_raw(out, files->items[i]);
        buf_char(out, '\n');
    }
}

static void print_storage(struct buf *out, const struct config *c)
{
    buf_puts(out, "storage:\n");
    if (c->storage.retention_ms > 0)
        print_duration(out, 2, "retention", c->storage.retention_ms);
    else
        print_word(out, 2, "retention", "auto");
    print_word(out, 2, "keep", c->storage.keep == STORE_KEEP_ALL ? "all" : "referenced");
    print_duration(out, 2, "out_of_order_time_window", c->storage.out_of_order_ms);
    if (c->identity_header.n > 0)
        print_text(out, 2, "identity_header", c->identity_header);
    buf_puts(out, "  wal:\n");
    print_word(out, 4, "sync", c->wal_sync == STORE_SYNC_OS ? "os" : "group");
}

static void print_contracts(struct buf *out, const struct router_contracts *contracts)
{
    buf_puts(out, "contracts:\n");
    print_word(out, 2, "opened_is_closed", contracts->opened_is_closed ? "true" : "false");
    print_word(out, 2, "no_lost_page", contracts->no_lost_page ? "true" : "false");
}

/* Those that are not the default's. */
static void print_limits(struct buf *out, const struct limits *set)
{
    struct limits usual = limits_default;
    usual.series_per_identity = set->series; /* unless it is set */
    bool any = false;
#define LIMIT(name, value, unit, help)                                                          \
    if (set->name != usual.name) {                                                              \
        buf_format(out, "%s  %s: %lld\n", any ? "" : "limits:\n", #name, (long long)set->name); \
        any = true;                                                                             \
    }
    LIMIT_TABLE(LIMIT)
#undef LIMIT
}

void config_print(struct buf *out, const struct config *c)
{
    print_global(out, c);
    print_files(out, "rule_files", &c->rule_files);
    print_files(out, "slo_files", &c->slo_files);
    config_print_rules(out, c);
    config_print_alerting(out, c);
    if (c->alertmanager_config_file.n > 0)
        print_text(out, 0, "alertmanager_config_file", c->alertmanager_config_file);
    print_contracts(out, &c->contracts);
    config_print_remote_write(out, c);
    print_storage(out, c);
    print_limits(out, &c->limits);
}
