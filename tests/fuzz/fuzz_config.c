/* Whatever is accepted as tocsin.yml must, written out anew, be read as the same configuration. */
#include "../../engine/daemon/config_priv.h"

#include "tocsin/check.h"
#include "tocsin/duration.h"
#include "tocsin/limits.h"

static void put_text(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.n;) {
        int rune;
        i += str_rune(s.p + i, s.n - i, &rune);
        buf_format(out, "\\U%08x", (unsigned)rune);
    }
    buf_char(out, '"');
}

static void put_duration(struct buf *out, const char *key, int64_t ms)
{
    buf_format(out, "%s: ", key);
    duration_print(out, ms);
    buf_char(out, '\n');
}

static void put_labels(struct buf *out, const struct labels *ls)
{
    buf_puts(out, "  external_labels: {");
    for (size_t i = 0; i < ls->count; i++) {
        buf_puts(out, i > 0 ? ", ? " : "? ");
        put_text(out, ls->item[i].name);
        buf_puts(out, " : ");
        put_text(out, ls->item[i].value);
    }
    buf_puts(out, "}\n");
}

static void put_limits(struct buf *out, const struct limits *l)
{
    buf_puts(out, "limits:\n");
#define LIMIT(name, value, unit, help) buf_format(out, "  " #name ": %lld\n", (long long)l->name);
    LIMIT_TABLE(LIMIT)
#undef LIMIT
}

static void put_config(struct buf *out, const struct config *c)
{
    buf_puts(out, "global:\n");
    put_duration(out, "  evaluation_interval", c->evaluation_interval_ms);
    put_duration(out, "  rule_query_offset", c->query_offset_ms);
    put_labels(out, c->external_labels);
    buf_puts(out, "rule_files:\n");
    for (size_t i = 0; i < c->rule_files.count; i++) {
        buf_puts(out, "- ");
        put_text(out, c->rule_files.items[i]);
        buf_char(out, '\n');
    }
    buf_puts(out, "alertmanager_config_file: ");
    put_text(out, c->alertmanager_config_file);
    buf_format(out, "\nstorage:\n  keep: %s\n", c->storage.keep == STORE_KEEP_ALL ? "all" : "referenced");
    put_duration(out, "  retention", c->storage.retention_ms);
    buf_format(out, "  identity_header: \"%.*s\"\n", STR_ARG(c->identity_header));
    put_duration(out, "  out_of_order_time_window", c->storage.out_of_order_ms);
    put_limits(out, &c->limits);
}

static bool texts_equal(const struct config_texts *a, const struct config_texts *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = str_eq(a->items[i], b->items[i]);
    return equal;
}

static void read_again(const struct config *first)
{
    struct buf text;
    struct config *second;
    struct err err;
    buf_init(&text, 8 << 20);
    put_config(&text, first);
    if (!buf_overflow(&text) && config_parse(buf_slice(&text), "again.yml", &second, &err) != ERR_LIMIT) {
        must(second != NULL);
        must(first->evaluation_interval_ms == second->evaluation_interval_ms);
        must(first->query_offset_ms == second->query_offset_ms);
        must(labels_equal(first->external_labels, second->external_labels));
        must(texts_equal(&first->rule_files, &second->rule_files));
        must(str_eq(first->alertmanager_config_file, second->alertmanager_config_file));
        must(first->storage.keep == second->storage.keep);
        must(first->storage.retention_ms == second->storage.retention_ms);
        must(str_eq(first->identity_header, second->identity_header));
        must(first->storage.out_of_order_ms == second->storage.out_of_order_ms);
        must(memcmp(&first->limits, &second->limits, sizeof first->limits) == 0);
        must(second->ignored.count == 0);
        config_free(second);
    }
    buf_release(&text);
}

/* Whatever is accepted as a target can be used as one, and what is printed of it is read as the same. */
static void open_sender(const struct config *config)
{
    static struct world_sim sim;
    struct buf text;
    struct config *again;
    world_sim_init(&sim, 0, 1);
    struct sender_options options = {.world = &sim.world,
                                     .targets = config->remote_write,
                                     .target_count = config->remote_write_count,
                                     .external_labels = config->external_labels};
    sender_close(sender_open(&options));
    buf_init(&text, 8 << 20);
    config_print_remote_write(&text, config);
    if (!buf_overflow(&text) && config_parse(buf_slice(&text), "again.yml", &again, NULL) != ERR_LIMIT) {
        must(again != NULL && again->remote_write_count == config->remote_write_count);
        for (size_t i = 0; i < again->remote_write_count; i++)
            must(str_eq(again->remote_write[i].name, config->remote_write[i].name) &&
                 again->remote_write[i].samples_max == config->remote_write[i].samples_max &&
                 again->remote_write[i].backoff_max_ms == config->remote_write[i].backoff_max_ms);
        config_free(again);
    }
    buf_release(&text);
}

/* What is printed of the Alertmanagers, passwords left out, is read as the same. */
static void read_managers_again(const struct config *config)
{
    struct buf text;
    struct config *again;
    buf_init(&text, 8 << 20);
    config_print_alerting(&text, config);
    if (!buf_overflow(&text) && config_parse(buf_slice(&text), "again.yml", &again, NULL) != ERR_LIMIT) {
        must(again != NULL && again->manager_count == config->manager_count);
        must(again->alert_relabel.count == config->alert_relabel.count);
        config_free(again);
    }
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config;
    struct err err = {0};
    limits.generation_arena_bytes = 16 << 20;
    int rc = config_parse((struct str){(const char *)data, size}, "tocsin.yml", &config, &err);
    if (rc != 0) {
        must(config == NULL && rc == err.code &&
             str_starts(str_of(err.text), STR("parsing YAML file tocsin.yml: ")));
        return 0;
    }
    must(config->evaluation_interval_ms > 0);
    for (size_t i = 0; i < config->manager_count; i++)
        must(str_starts(config->managers[i].group.scheme, STR("http")));
    read_again(config);
    open_sender(config);
    read_managers_again(config);
    config_free(config);
    return 0;
}
