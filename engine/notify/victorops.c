#include "integration_priv.h"
#include "json_priv.h"

#include <stdlib.h>

enum { STATE_MESSAGE_RUNES = 20480 };

struct victorops {
    struct integration base;
    struct str api_key, api_key_file, api_url, routing_key;
    struct str message_type, state_message, entity_display_name, monitoring_tool;
    struct strict_pairs custom_fields;
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(victorops, "true"),
    {FIELD(victorops, api_key, secret)},
    {FIELD(victorops, api_key_file, text)},
    {FIELD(victorops, api_url, url)},
    {FIELD(victorops, routing_key, template)},
    {FIELD(victorops, message_type, template), .given = "CRITICAL"},
    {FIELD(victorops, state_message, template),
     .given = "{{ template \"victorops.default.state_message\" . }}"},
    {FIELD(victorops, entity_display_name, template),
     .given = "{{ template \"victorops.default.entity_display_name\" . }}"},
    {FIELD(victorops, monitoring_tool, template),
     .given = "{{ template \"victorops.default.monitoring_tool\" . }}"},
    {FIELD(victorops, custom_fields, templates)},
    {.key = NULL},
};

static bool is_reserved(struct str name)
{
    static const char *const names[] = {"routing_key",         "message_type",    "state_message",
                                        "entity_display_name", "monitoring_tool", "entity_id",
                                        "entity_state"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_is(name, names[i]))
            return true;
    }
    return false;
}

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct victorops *victor = target;
    if (victor->routing_key.n == 0)
        strict_fail(s, node, "missing Routing key in VictorOps config");
    field_exclude(s, node, "api_key", victor->api_key, "api_key_file", victor->api_key_file);
    for (size_t i = 0; i < victor->custom_fields.count; i++) {
        struct str name = victor->custom_fields.items[i].name;
        if (is_reserved(name))
            strict_fail(s, node,
                        "victorOps config contains custom field %.*s which cannot be used as it conflicts "
                        "with the fixed/static fields",
                        STR_ARG(name));
    }
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct victorops *victor = (struct victorops *)integration;
    const struct str *globals = in->globals->text;
    if (victor->api_url.n == 0)
        victor->api_url = globals[AM_GLOBAL_victorops_api_url];
    if (victor->api_url.n == 0)
        strict_fail(in->strict, integration->place, "no global VictorOps URL set");
    victor->api_url = integration_slashed(in->strict->arena, victor->api_url);
    if (victor->api_key.n > 0 || victor->api_key_file.n > 0)
        return;
    victor->api_key = globals[AM_GLOBAL_victorops_api_key];
    victor->api_key_file = globals[AM_GLOBAL_victorops_api_key_file];
    if (victor->api_key.n == 0 && victor->api_key_file.n == 0)
        strict_fail(in->strict, integration->place, "no global VictorOps API Key set");
}

static struct str message_type(struct exchange *x, const struct victorops *victor)
{
    struct str type = exchange_text(x, victor->message_type);
    if (!exchange_opens(x))
        return STR("RECOVERY");
    return str_is(type, "INFO") || str_is(type, "WARNING") ? type : STR("CRITICAL");
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

/* A flat object, its keys sorted. */
static void write_pairs(struct exchange *x, struct buf *out, const struct victorops *victor)
{
    const struct label fixed[] = {
        {STR("message_type"), message_type(x, victor)},
        {STR("entity_id"), exchange_group_hash(x)},
        {STR("entity_display_name"), exchange_text(x, victor->entity_display_name)},
        {STR("state_message"), exchange_text_runes(x, victor->state_message, STATE_MESSAGE_RUNES)},
        {STR("monitoring_tool"), exchange_text(x, victor->monitoring_tool)},
    };
    const size_t fixed_count = sizeof fixed / sizeof *fixed,
                 count = fixed_count + victor->custom_fields.count;
    struct label *pairs = ARENA_ARRAY(x->arena, struct label, count);
    if (pairs == NULL)
        return;
    memcpy(pairs, fixed, sizeof fixed);
    for (size_t i = fixed_count; i < count; i++) {
        pairs[i].name = victor->custom_fields.items[i - fixed_count].name;
        pairs[i].value = exchange_text(x, victor->custom_fields.items[i - fixed_count].value);
    }
    qsort(pairs, count, sizeof *pairs, by_name);
    json_open(out, NULL, '{');
    for (size_t i = 0; i < count; i++) {
        json_key(out, NULL);
        json_string(out, pairs[i].name);
        buf_char(out, ':');
        json_string(out, pairs[i].value);
    }
    json_close(out, '}');
}

static void request(struct exchange *x)
{
    const struct victorops *victor = EXCHANGE_SETTINGS(x, struct victorops);
    struct str key = exchange_path(x, exchange_secret(x, victor->api_key, victor->api_key_file));
    struct str routing = exchange_path(x, exchange_text(x, victor->routing_key));
    struct str url =
        exchange_format(x, "%.*s%.*s/%.*s", STR_ARG(victor->api_url), STR_ARG(key), STR_ARG(routing));
    write_pairs(x, exchange_post_json(x, "VictorOps URL", url), victor);
}

static enum exchange_verdict judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    enum exchange_verdict verdict = integration_judge_status(answer, err);
    return verdict == EXCHANGE_DONE && exchange_closes_next(x) ? EXCHANGE_MORE : verdict;
}

const struct integration_kind integration_victorops = {
    .key = "victorops_configs",
    .name = "victorops",
    .missing = "missing victorops config",
    .shape = {"config.plain", "[]*config.VictorOpsConfig", sizeof(struct victorops), fields, check},
    .inherit = inherit,
    .request = request,
    .judge = judge,
};
