#include "integration_priv.h"
#include "json_priv.h"

#include <stdlib.h>

/* Events API v2 with a routing key; v1, which is older, with a service key. */

enum { DESCRIPTION_RUNES = 1024, EVENT_BYTES_MAX = 512000 };

#define V1_URL STR("https://events.pagerduty.com/generic/2010-04-15/create_event.json")

struct image {
    struct str src, alt, href;
};

struct link {
    struct str href, text;
};

struct pagerduty {
    struct integration base;
    struct str service_key, service_key_file, routing_key, routing_key_file, url;
    struct str client, client_url, description;
    const struct tree *details;       /* with the defaults among them */
    struct strict_list images, links; /* struct image, struct link */
    struct str source, severity, class, component, group;
};

static const struct field image_fields[] = {{FIELD(image, src, template)},
                                            {FIELD(image, alt, template)},
                                            {FIELD(image, href, template)},
                                            {.key = NULL}};
static const struct field link_fields[] = {
    {FIELD(link, href, template)}, {FIELD(link, text, template)}, {.key = NULL}};
static const struct shape image_shape = {"config.PagerdutyImage", "[]config.PagerdutyImage",
                                         sizeof(struct image), image_fields, NULL};
static const struct shape link_shape = {"config.PagerdutyLink", "[]config.PagerdutyLink", sizeof(struct link),
                                        link_fields, NULL};

static const struct field fields[] = {
    INTEGRATION_FIELDS(pagerduty, "true"),
    {FIELD(pagerduty, service_key, secret_template)},
    {FIELD(pagerduty, service_key_file, text)},
    {FIELD(pagerduty, routing_key, secret_template)},
    {FIELD(pagerduty, routing_key_file, text)},
    {FIELD(pagerduty, url, url)},
    {FIELD(pagerduty, client, template), .given = "{{ template \"pagerduty.default.client\" . }}"},
    {FIELD(pagerduty, client_url, template), .given = "{{ template \"pagerduty.default.clientURL\" . }}"},
    {FIELD(pagerduty, description, template), .given = "{{ template \"pagerduty.default.description\" .}}"},
    {FIELD(pagerduty, details, tree)},
    {FIELD(pagerduty, images, structs), .shape = &image_shape},
    {FIELD(pagerduty, links, structs), .shape = &link_shape},
    {FIELD(pagerduty, source, template)},
    {FIELD(pagerduty, severity, template)},
    {FIELD(pagerduty, class, template)},
    {FIELD(pagerduty, component, template)},
    {FIELD(pagerduty, group, template)},
    {INTEGRATION_TIMEOUT(pagerduty)},
    {.key = NULL},
};

/* ---- settings ---- */

static const struct {
    const char *key, *value;
} default_details[] = {
    {"firing", "{{ .Alerts.Firing | toJson }}"},
    {"num_firing", "{{ .Alerts.Firing | len }}"},
    {"num_resolved", "{{ .Alerts.Resolved | len }}"},
    {"resolved", "{{ .Alerts.Resolved | toJson }}"},
};

enum { DEFAULT_DETAILS = sizeof default_details / sizeof *default_details };

static int by_key(const void *a, const void *b)
{
    const struct tree *x = a, *y = b;
    return str_cmp(x->key->text, y->key->text);
}

static struct tree default_detail(struct arena *arena, size_t i)
{
    struct tree *key = ARENA_NEW(arena, struct tree);
    if (key != NULL)
        *key = (struct tree){.quoted = true, .text = str_of(default_details[i].key)};
    return (struct tree){.quoted = true, .text = str_of(default_details[i].value), .key = key};
}

/* The given ones and the defaults that are not given, sorted by key. NULL past the arena's cap. */
static const struct tree *merge_details(struct arena *arena, const struct tree *given)
{
    size_t count = 0, max = (given != NULL ? given->count : 0) + DEFAULT_DETAILS;
    struct tree *items = ARENA_ARRAY(arena, struct tree, max), *map = ARENA_NEW(arena, struct tree);
    if (items == NULL || map == NULL)
        return NULL;
    for (const struct tree *child = given != NULL ? given->first : NULL; child != NULL; child = child->next)
        items[count++] = *child;
    for (size_t i = 0; i < DEFAULT_DETAILS; i++) {
        if (given == NULL || tree_get(given, default_details[i].key) == NULL)
            items[count++] = default_detail(arena, i);
    }
    if (arena_exhausted(arena))
        return NULL;
    qsort(items, count, sizeof *items, by_key);
    for (size_t i = 0; i < count; i++)
        items[i].next = i + 1 < count ? &items[i + 1] : NULL;
    *map = (struct tree){.kind = TREE_MAP, .first = items, .count = count};
    return map;
}

static void check(struct strict *s, const struct tree *node, void *target)
{
    struct pagerduty *pager = target;
    if (pager->service_key.n + pager->service_key_file.n + pager->routing_key.n + pager->routing_key_file.n ==
        0)
        strict_fail(s, node, "missing service or routing key in PagerDuty config");
    field_exclude(s, node, "service_key", pager->service_key, "service_key_file", pager->service_key_file);
    field_exclude(s, node, "routing_key", pager->routing_key, "routing_key_file", pager->routing_key_file);
    if (pager->source.n == 0)
        pager->source = pager->client;
    if (pager->details != NULL && pager->details->kind != TREE_MAP)
        strict_mismatch(s, pager->details, "map[string]interface {}");
    else
        pager->details = merge_details(s->arena, pager->details);
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct pagerduty *pager = (struct pagerduty *)integration;
    if (pager->url.n == 0)
        pager->url = in->globals->text[AM_GLOBAL_pagerduty_url];
    if (pager->url.n == 0)
        strict_fail(in->strict, integration->place, "no global PagerDuty URL set");
}

/* ---- what is sent ---- */

static bool is_v1(const struct pagerduty *pager)
{
    return pager->service_key.n + pager->service_key_file.n > 0;
}

static struct str key_of(struct exchange *x, const char *what, struct str key, struct str file)
{
    struct str text = exchange_text(x, exchange_secret(x, key, file));
    if (text.n == 0)
        exchange_fail(x, ERR_ARG, "%s cannot be empty", what);
    return text;
}

static void write_details(struct exchange *x, struct buf *out, const char *key, const struct pagerduty *pager,
                          bool whole)
{
    json_key(out, key);
    if (whole)
        exchange_payload(x, out, pager->details);
    else
        buf_puts(out, "{\"error\":\"Custom details have been removed because the original event exceeds the "
                      "maximum size of 512KB\"}");
}

static void write_images(struct exchange *x, struct buf *out, const struct pagerduty *pager)
{
    const struct image *items = pager->images.items;
    bool begun = false;
    for (size_t i = 0; i < pager->images.count; i++) {
        struct str src = exchange_text(x, items[i].src);
        if (src.n == 0)
            continue;
        if (!begun)
            json_open(out, "images", '[');
        begun = true;
        json_open(out, NULL, '{');
        json_text(out, "src", src);
        json_text(out, "alt", exchange_text(x, items[i].alt));
        json_text(out, "href", exchange_text(x, items[i].href));
        json_close(out, '}');
    }
    if (begun)
        json_close(out, ']');
}

static void write_links(struct exchange *x, struct buf *out, const struct pagerduty *pager)
{
    const struct link *items = pager->links.items;
    bool begun = false;
    for (size_t i = 0; i < pager->links.count; i++) {
        struct str href = exchange_text(x, items[i].href);
        if (href.n == 0)
            continue;
        if (!begun)
            json_open(out, "links", '[');
        begun = true;
        json_open(out, NULL, '{');
        json_text(out, "href", href);
        json_text(out, "text", exchange_text(x, items[i].text));
        json_close(out, '}');
    }
    if (begun)
        json_close(out, ']');
}

static void write_v1(struct exchange *x, struct buf *out, const struct pagerduty *pager, bool whole)
{
    json_open(out, NULL, '{');
    json_text(out, "service_key", key_of(x, "service key", pager->service_key, pager->service_key_file));
    json_text(out, "incident_key", exchange_group_hash(x));
    json_text(out, "event_type", exchange_opens(x) ? STR("trigger") : STR("resolve"));
    json_text_some(out, "description", exchange_text_runes(x, pager->description, DESCRIPTION_RUNES));
    json_text(out, "event_action", STR(""));
    json_key(out, "payload");
    buf_puts(out, "null");
    if (exchange_opens(x)) {
        json_text_some(out, "client", exchange_text(x, pager->client));
        json_text_some(out, "client_url", exchange_text(x, pager->client_url));
    }
    write_details(x, out, "details", pager, whole);
    json_close(out, '}');
}

static void write_payload(struct exchange *x, struct buf *out, const struct pagerduty *pager, bool whole)
{
    json_open(out, "payload", '{');
    json_text(out, "summary", exchange_text_runes(x, pager->description, DESCRIPTION_RUNES));
    json_text(out, "source", exchange_text(x, pager->source));
    json_text(out, "severity", pager->severity.n > 0 ? exchange_text(x, pager->severity) : STR("error"));
    json_text_some(out, "class", exchange_text(x, pager->class));
    json_text_some(out, "component", exchange_text(x, pager->component));
    json_text_some(out, "group", exchange_text(x, pager->group));
    write_details(x, out, "custom_details", pager, whole);
    json_close(out, '}');
}

static void write_v2(struct exchange *x, struct buf *out, const struct pagerduty *pager, bool whole)
{
    json_open(out, NULL, '{');
    json_text(out, "routing_key", key_of(x, "routing key", pager->routing_key, pager->routing_key_file));
    json_text(out, "dedup_key", exchange_group_hash(x));
    json_text(out, "event_action", exchange_opens(x) ? STR("trigger") : STR("resolve"));
    write_payload(x, out, pager, whole);
    json_text_some(out, "client", exchange_text(x, pager->client));
    json_text_some(out, "client_url", exchange_text(x, pager->client_url));
    write_images(x, out, pager);
    write_links(x, out, pager);
    json_close(out, '}');
}

static void request(struct exchange *x)
{
    const struct pagerduty *pager = EXCHANGE_SETTINGS(x, struct pagerduty);
    void (*write)(struct exchange *, struct buf *, const struct pagerduty *, bool) =
        is_v1(pager) ? write_v1 : write_v2;
    struct buf *out = exchange_post_json(x, "PagerDuty URL", is_v1(pager) ? V1_URL : pager->url);
    write(x, out, pager, true);
    if (out->used + 1 <= EVENT_BYTES_MAX)
        return;
    buf_clear(out);
    write(x, out, pager, false);
}

/* Of a bad request the answer says in a field what was wrong with it. */
static struct str explain(struct exchange *x, struct str body)
{
    struct tree *root = NULL;
    if (json_parse(x->arena, body, &root, NULL) != 0)
        return body;
    const struct tree *message = tree_get(root, "message"), *errors = tree_get(root, "errors");
    struct str text = message != NULL ? message->text : STR("");
    const struct tree *first = errors != NULL ? errors->first : NULL;
    for (const struct tree *e = first; e != NULL; e = e->next)
        text = exchange_format(x, "%.*s%s%.*s", STR_ARG(text), e == first ? ": " : ",", STR_ARG(e->text));
    return text;
}

static enum exchange_verdict judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    enum { BAD_REQUEST = 400, FORBIDDEN = 403 };
    if (answer->status == BAD_REQUEST)
        return integration_judge_reason(answer, explain(x, answer->body), err);
    enum exchange_verdict verdict = integration_judge_status(answer, err);
    bool throttled = answer->status == FORBIDDEN && is_v1(EXCHANGE_SETTINGS(x, struct pagerduty));
    if (throttled)
        return EXCHANGE_RETRY;
    return verdict == EXCHANGE_DONE && exchange_closes_next(x) ? EXCHANGE_MORE : verdict;
}

const struct integration_kind integration_pagerduty = {
    .key = "pagerduty_configs",
    .name = "pagerduty",
    .missing = "missing pagerduty config",
    .shape = {"config.plain", "[]*config.PagerdutyConfig", sizeof(struct pagerduty), fields, check},
    .inherit = inherit,
    .request = request,
    .judge = judge,
};
