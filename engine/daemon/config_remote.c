/* remote_write: where recorded results go. Prometheus' keys, defaults and words. */
#include "config_priv.h"

#include "tocsin/duration.h"
#include "tocsin/hash.h"
#include "tocsin/strict_model.h"
#include "tocsin/tree.h"
#include "tocsin/url.h"

#include <ctype.h>
#include <stdio.h>

enum {
    TIMEOUT_MS = 30000,
    SAMPLES_PER_SEND = 2000,
    DEADLINE_MS = 5000,
    BACKOFF_MIN_MS = 30,
    BACKOFF_MAX_MS = 5000,
    NAME_DIGITS = 6
};

/* One item. `url` and `name` are places as well. */
struct item {
    struct sender_target target;
    struct strict_scalar url, name;
    struct strict_pairs headers;
    struct relabel_rules relabel;
    struct http_config http;
    int64_t samples_max;
};

/* Other ways to prove who one is: without them the receiver would refuse everything. */
static void refuse(struct strict *s, const struct tree *node, void *target)
{
    (void)target;
    if (!tree_is_null(node))
        strict_unsupported(
            s, node->key,
            "remote_write: %.*s is not supported; let a proxy beside Tocsin do this, or remove it",
            STR_ARG(node->key->text));
}

static void read_protocol(struct strict *s, const struct tree *node, void *target)
{
    struct str text;
    strict_text(s, node, &text);
    if (str_is(text, "io.prometheus.write.v2.Request"))
        *(enum sender_protocol *)target = SENDER_V2;
    else if (!str_is(text, "prometheus.WriteRequest"))
        strict_fail(
            s, node,
            "unknown type for remote write protobuf message %.*s, supported: prometheus.WriteRequest, "
            "io.prometheus.write.v2.Request",
            STR_ARG(text));
}

/* Prometheus takes zero and then does nothing but try again; so it is refused. */
static void read_positive_ms(struct strict *s, const struct tree *node, void *target)
{
    strict_duration_ms(s, node, target);
    if (!strict_stopped(s) && *(int64_t *)target <= 0)
        strict_fail(s, node, "remote_write: %.*s must be greater than 0", STR_ARG(node->key->text));
}

static void read_samples_max(struct strict *s, const struct tree *node, void *target)
{
    strict_i64(s, node, target);
    if (strict_sound(s) && *(int64_t *)target <= 0)
        strict_fail(s, node, "remote_write: max_samples_per_send must be greater than 0");
}

/* capacity and shards are how Prometheus spreads a queue; here it is one, and as long as limits.remote_write_bytes allows. */
static void read_queue(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"capacity", strict_skip, 0},
        {"max_shards", strict_skip, 0},
        {"min_shards", strict_skip, 0},
        {"max_samples_per_send", read_samples_max, offsetof(struct item, samples_max)},
        {"batch_send_deadline", strict_duration_ms, offsetof(struct item, target.deadline_ms)},
        {"min_backoff", read_positive_ms, offsetof(struct item, target.backoff_min_ms)},
        {"max_backoff", read_positive_ms, offsetof(struct item, target.backoff_max_ms)},
        {"retry_on_http_429", strict_bool, offsetof(struct item, target.retry_429)},
        {"sample_age_limit", strict_duration_ms, offsetof(struct item, target.age_max_ms)},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.QueueConfig", fields, target);
}

/* Rules record no metadata. */
static void read_metadata(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"send", strict_skip, 0},
        {"send_interval", strict_skip, 0},
        {"max_samples_per_send", strict_skip, 0},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.MetadataConfig", fields, target);
}

/* ---- checks ---- */

static void check_url(struct strict *s, const struct tree *node, const struct item *item)
{
    struct err why;
    struct url url;
    struct str text = item->url.text;
    if (text.n == 0)
        strict_fail(s, item->url.node != NULL ? item->url.node : node, "url for remote_write is empty");
    else if (url_parse(text, &url, &why) != 0)
        strict_stop(s, item->url.node, &why);
    else if ((!str_is(url.scheme, "http") && !str_is(url.scheme, "https")) || url.host.n == 0)
        strict_fail(s, item->url.node, "url for remote_write must be http://HOST/PATH or https://HOST/PATH");
}

static bool is_reserved(struct str name)
{
    static const char *const reserved[] = {
        "host",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "accept-encoding",
        "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_eq_nocase(name, str_of(reserved[i])))
            return true;
    return false;
}

static bool is_token(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && strchr("!#$%&'*+-.^_`|~", name.p[i]) == NULL)
            return false;
    return name.n > 0;
}

/* Else it could be read as a header of its own. */
static bool is_value(struct str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return false;
    return true;
}

static void check_header(struct strict *s, const struct tree *node, const struct label *header)
{
    if (str_eq_nocase(header->name, STR("authorization")))
        strict_fail(s, node,
                    "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, "
                    "azuread or google_iam parameter");
    else if (is_reserved(header->name))
        strict_fail(s, node, "%.*s is a reserved header. It must not be changed", STR_ARG(header->name));
    else if (!is_token(header->name) || !is_value(header->value))
        strict_fail(s, node, "remote_write: \"%.*s\" is not a sound header", STR_ARG(header->name));
}

static void take_headers(struct strict *s, const struct tree *node, struct item *item)
{
    size_t count = item->headers.count;
    struct net_header *headers = ARENA_ARRAY(s->arena, struct net_header, count);
    for (size_t i = 0; headers != NULL && i < count; i++) {
        const struct label *header = &item->headers.items[i];
        check_header(s, tree_get(node, "headers"), header);
        headers[i] = (struct net_header){arena_copy_text(s->arena, header->name.p, header->name.n),
                                         arena_copy_text(s->arena, header->value.p, header->value.n)};
    }
    item->target.headers = headers;
    item->target.header_count = headers != NULL ? count : 0;
}

static bool is_taken(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->remote_write_count; i++)
        if (str_eq(config->remote_write[i].name, name))
            return true;
    return false;
}

/* Without a name one is made of the URL, so that a reload finds the same target again; of two with one URL the second gets
 * a number. */
static struct str name_of(struct strict *s, const struct config *config, const struct item *item)
{
    if (item->name.text.n > 0)
        return item->name.text;
    uint64_t hash = hash_stable(item->url.text.p, item->url.text.n);
    char digits[2 * sizeof hash + 1];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)hash);
    struct str name = str_of(arena_format(s->arena, "%.*s", NAME_DIGITS, digits));
    for (int i = 2; name.p != NULL && is_taken(config, name); i++)
        name = str_of(arena_format(s->arena, "%.*s-%d", NAME_DIGITS, digits, i));
    return name;
}

static void add_target(struct strict *s, const struct tree *node, struct config *config, struct item *item)
{
    check_url(s, node, item);
    take_headers(s, node, item);
    relabel_refuse_empty(s, &item->relabel, "empty or null relabeling rule in remote write config");
    if (is_taken(config, item->name.text))
        strict_fail(s, item->name.node, "found multiple remote write configs with job name \"%.*s\"",
                    STR_ARG(item->name.text));
    http_config_check(s, node, &item->http);
    http_config_join(s->arena, &item->http, config->folder);
    item->target.relabel = arena_copy(s->arena, &item->relabel, 1, sizeof item->relabel);
    item->target.http = arena_copy(s->arena, &item->http, 1, sizeof item->http);
    if (strict_stopped(s) || item->target.relabel == NULL || item->target.http == NULL)
        return;
    item->target.samples_max = (size_t)item->samples_max;
    item->target.url = item->url.text;
    item->target.name = name_of(s, config, item);
    config->remote_write[config->remote_write_count++] = item->target;
}

static void read_item(struct strict *s, const struct tree *node, struct config *config)
{
    static const struct strict_field fields[] = {
        {"url", strict_scalar, offsetof(struct item, url)},
        {"name", strict_scalar, offsetof(struct item, name)},
        {"headers", strict_pairs, offsetof(struct item, headers)},
        {"remote_timeout", read_positive_ms, offsetof(struct item, target.timeout_ms)},
        {"protobuf_message", read_protocol, offsetof(struct item, target.protocol)},
        {"queue_config", read_queue, 0},
        {"metadata_config", read_metadata, 0},
        {"write_relabel_configs", relabel_read, offsetof(struct item, relabel)},
        {"send_exemplars", strict_skip, 0}, /* rules record none */
        {"send_native_histograms", strict_bool, offsetof(struct item, target.histograms)},
        {"round_robin_dns", strict_skip, 0},
        HTTP_CONFIG_FIELDS(offsetof(struct item, http)),
        {"sigv4", refuse, 0},
        {"azuread", refuse, 0},
        {"google_iam", refuse, 0},
        {NULL, NULL, 0},
    };
    struct item item = {.samples_max = SAMPLES_PER_SEND,
                        .target = {.timeout_ms = TIMEOUT_MS,
                                   .deadline_ms = DEADLINE_MS,
                                   .backoff_min_ms = BACKOFF_MIN_MS,
                                   .backoff_max_ms = BACKOFF_MAX_MS,
                                   .retry_429 = true}};
    http_config_init(&item.http);
    if (tree_is_null(node))
        strict_fail(s, node, "empty or null remote write config section");
    else if (strict_struct(s, node, "config.plain", fields, &item))
        add_target(s, node, config, &item);
}

void config_read_remote_write(struct strict *s, const struct tree *node, void *target)
{
    struct config *config = target;
    if (tree_is_null(node))
        return;
    if (node->kind != TREE_LIST) {
        strict_mismatch(s, node, "[]*config.RemoteWriteConfig");
        return;
    }
    config->remote_write = ARENA_ARRAY(s->arena, struct sender_target, node->count);
    for (const struct tree *item = node->first;
         config->remote_write != NULL && item != NULL && !strict_stopped(s); item = item->next)
        read_item(s, item, config);
}

void config_check_remote_write(struct strict *s, const struct config *config)
{
    for (size_t i = 0; i < config->remote_write_count; i++)
        relabel_check(s, config->remote_write[i].relabel);
}

/* ---- printing ---- */

static void print_text(struct buf *out, int indent, const char *key, struct str text)
{
    buf_format(out, "%*s%s: ", indent, "", key);
    json_string_raw(out, text);
    buf_char(out, '\n');
}

static void print_ms(struct buf *out, int indent, const char *key, int64_t ms)
{
    buf_format(out, "%*s%s: ", indent, "", key);
    duration_print(out, ms);
    buf_char(out, '\n');
}

static void print_bool(struct buf *out, int indent, const char *key, bool value)
{
    buf_format(out, "%*s%s: %s\n", indent, "", key, value ? "true" : "false");
}

/* What headers say may be a token. */
static void print_headers(struct buf *out, const struct sender_target *t)
{
    if (t->header_count > 0)
        buf_puts(out, "  headers:\n");
    for (size_t i = 0; i < t->header_count; i++)
        buf_format(out, "    \"%s\": <secret>\n", t->headers[i].name); /* a token: nothing to escape */
}

static void print_queue(struct buf *out, const struct sender_target *t)
{
    buf_puts(out, "  queue_config:\n");
    buf_format(out, "    max_samples_per_send: %zu\n", t->samples_max);
    print_ms(out, 4, "batch_send_deadline", t->deadline_ms);
    print_ms(out, 4, "min_backoff", t->backoff_min_ms);
    print_ms(out, 4, "max_backoff", t->backoff_max_ms);
    print_bool(out, 4, "retry_on_http_429", t->retry_429);
    print_ms(out, 4, "sample_age_limit", t->age_max_ms);
}

static void print_url(struct buf *out, struct str url)
{
    struct buf shown;
    buf_init(&shown, 2 * url.n + 64);
    url_print_redacted(&shown, url);
    json_string_raw(out, buf_slice(&shown));
    buf_char(out, '\n');
    buf_release(&shown);
}

void config_print_remote_write(struct buf *out, const struct config *config)
{
    if (config->remote_write_count > 0)
        buf_puts(out, "remote_write:\n");
    for (size_t i = 0; i < config->remote_write_count; i++) {
        const struct sender_target *t = &config->remote_write[i];
        buf_puts(out, "- url: ");
        print_url(out, t->url);
        print_text(out, 2, "name", t->name);
        print_ms(out, 2, "remote_timeout", t->timeout_ms);
        buf_format(out, "  protobuf_message: %s\n",
                   t->protocol == SENDER_V2 ? "io.prometheus.write.v2.Request" : "prometheus.WriteRequest");
        print_bool(out, 2, "send_native_histograms", t->histograms);
        print_headers(out, t);
        http_config_print(out, 2, t->http);
        relabel_print(out, 2, "write_relabel_configs", t->relabel);
        print_queue(out, t);
    }
}
