#include "integration_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/yaml_print.h"

#define API_URL "https://api.pushover.net/1/messages.json"

enum { TITLE_RUNES = 250, MESSAGE_RUNES = 1024, URL_RUNES = 512 };

struct pushover {
    struct integration base;
    struct str user_key, user_key_file, token, token_file;
    struct str title, message, url, url_title, device, sound, priority;
    int64_t retry, expire, ttl; /* ns */
    bool html, monospace;
};

/* ---- times, which are Go's texts and never numbers ---- */

static void read_time(struct strict *s, const struct tree *node, void *target)
{
    struct str text;
    struct err why;
    strict_text(s, node, &text);
    *(int64_t *)target = 0;
    if (node->kind == TREE_SCALAR && !tree_is_null(node) && go_duration_parse(text, target, &why) != 0)
        strict_stop(s, node, &why);
}

static void set_time(void *target, const char *given)
{
    (void)go_duration_parse(str_of(given), target, NULL);
}

static void print_time(struct buf *out, int indent, const struct field *field, const void *value)
{
    int64_t ns = *(const int64_t *)value;
    if (ns == 0 && field->given == NULL)
        return;
    yaml_key(out, indent, field->key);
    buf_char(out, ' ');
    go_duration_print(out, ns);
    buf_char(out, '\n');
}

static const struct field_type FIELD_time = {read_time, set_time, print_time};

/* ---- settings ---- */

static const struct field fields[] = {
    INTEGRATION_FIELDS(pushover, "true"),
    {FIELD(pushover, user_key, secret_template)},
    {FIELD(pushover, user_key_file, text)},
    {FIELD(pushover, token, secret_template)},
    {FIELD(pushover, token_file, text)},
    {FIELD(pushover, title, template), .given = "{{ template \"pushover.default.title\" . }}"},
    {FIELD(pushover, message, template), .given = "{{ template \"pushover.default.message\" . }}"},
    {FIELD(pushover, url, template), .given = "{{ template \"pushover.default.url\" . }}"},
    {FIELD(pushover, url_title, template)},
    {FIELD(pushover, device, template)},
    {FIELD(pushover, sound, template)},
    {FIELD(pushover, priority, template), .given = "{{ if eq .Status \"firing\" }}2{{ else }}0{{ end }}"},
    {FIELD(pushover, retry, time), .given = "1m"},
    {FIELD(pushover, expire, time), .given = "1h"},
    {FIELD(pushover, ttl, time)},
    {FIELD(pushover, html, bool), .given = "false"},
    {FIELD(pushover, monospace, bool)},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct pushover *push = target;
    field_one_of(s, node, "user_key", push->user_key, "user_key_file", push->user_key_file);
    field_one_of(s, node, "token", push->token, "token_file", push->token_file);
    if (push->html && push->monospace)
        strict_fail(s, node, "at most one of monospace & html must be configured");
}

/* ---- what is sent: all of it in the URL ---- */

static void seconds(struct exchange *x, struct buf *query, const char *name, int64_t ns)
{
    exchange_param(query, name, exchange_format(x, "%lld", (long long)(ns / NS_PER_S)));
}

static struct str message(struct exchange *x, const struct pushover *push)
{
    struct str whole = push->html ? exchange_html(x, push->message) : exchange_text(x, push->message);
    struct str text = str_trim(exchange_cut_runes(x, whole, MESSAGE_RUNES));
    return text.n > 0 ? text : STR("(no details)");
}

static void write_query(struct exchange *x, struct buf *query, const struct pushover *push)
{
    struct str token = exchange_text(x, exchange_secret(x, push->token, push->token_file));
    struct str user = exchange_text(x, exchange_secret(x, push->user_key, push->user_key_file));
    exchange_param(query, "device", exchange_text(x, push->device));
    seconds(x, query, "expire", push->expire);
    if (push->html)
        exchange_param(query, "html", STR("1"));
    exchange_param(query, "message", message(x, push));
    if (push->monospace)
        exchange_param(query, "monospace", STR("1"));
    exchange_param(query, "priority", exchange_text(x, push->priority));
    seconds(x, query, "retry", push->retry);
    exchange_param(query, "sound", exchange_text(x, push->sound));
    exchange_param(query, "title", exchange_text_runes(x, push->title, TITLE_RUNES));
    exchange_param(query, "token", token);
    if (push->ttl > 0)
        seconds(x, query, "ttl", push->ttl);
    exchange_param(query, "url", exchange_text_runes(x, push->url, URL_RUNES));
    exchange_param(query, "url_title", exchange_text(x, push->url_title));
    exchange_param(query, "user", user);
}

static void request(struct exchange *x)
{
    struct buf query;
    buf_init(&query, (size_t)limits.flush_arena_bytes);
    write_query(x, &query, EXCHANGE_SETTINGS(x, struct pushover));
    exchange_url_query(x, "Pushover URL", STR(API_URL), &query);
    exchange_header(x, "Content-Type", STR("text/plain"));
    buf_release(&query);
}

const struct integration_kind integration_pushover = {
    .key = "pushover_configs",
    .name = "pushover",
    .missing = "missing pushover config",
    .shape = {"config.plain", "[]*config.PushoverConfig", sizeof(struct pushover), fields, check},
    .request = request,
};
