#include "integration_priv.h"
#include "json_priv.h"

#include <stdlib.h>

enum { MESSAGE_RUNES = 130 };

struct responder {
    struct str id, name, username, type;
};

struct opsgenie {
    struct integration base;
    struct str api_key, api_key_file, api_url;
    struct str message, description, source;
    struct strict_pairs details;
    struct str entity;
    struct strict_list responders; /* struct responder */
    struct str actions, tags, note, priority;
    bool update_alerts;
};

static bool is_type(struct str type)
{
    static const char *const types[] = {"team", "teams", "user", "escalation", "schedule"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_eq_nocase(type, str_of(types[i])))
            return true;
    }
    return false;
}

static void check_responder(struct strict *s, const struct tree *node, void *target)
{
    const struct responder *r = target;
    const char *complaint = NULL;
    if (r->id.n == 0 && r->username.n == 0 && r->name.n == 0)
        complaint = "has to have at least one of id, username or name specified";
    else if (!text_is_template(r->type) && !is_type(r->type))
        complaint = "type does not match valid options ^(team|teams|user|escalation|schedule)$";
    if (complaint != NULL)
        strict_fail(s, node, "opsGenieConfig responder {%.*s %.*s %.*s %.*s} %s", STR_ARG(r->id),
                    STR_ARG(r->name), STR_ARG(r->username), STR_ARG(r->type), complaint);
}

static const struct field responder_fields[] = {
    {FIELD(responder, id, template)},
    {FIELD(responder, name, template)},
    {FIELD(responder, username, template)},
    {FIELD(responder, type, template)},
    {.key = NULL},
};

static const struct shape responder_shape = {"config.plain", "[]config.OpsGenieConfigResponder",
                                             sizeof(struct responder), responder_fields, check_responder};

static const struct field fields[] = {
    INTEGRATION_FIELDS(opsgenie, "true"),
    {FIELD(opsgenie, api_key, secret_template)},
    {FIELD(opsgenie, api_key_file, text)},
    {FIELD(opsgenie, api_url, url)},
    {FIELD(opsgenie, message, template), .given = "{{ template \"opsgenie.default.message\" . }}"},
    {FIELD(opsgenie, description, template), .given = "{{ template \"opsgenie.default.description\" . }}"},
    {FIELD(opsgenie, source, template), .given = "{{ template \"opsgenie.default.source\" . }}"},
    {FIELD(opsgenie, details, templates)},
    {FIELD(opsgenie, entity, template)},
    {FIELD(opsgenie, responders, structs), .shape = &responder_shape},
    {FIELD(opsgenie, actions, template)},
    {FIELD(opsgenie, tags, template)},
    {FIELD(opsgenie, note, template)},
    {FIELD(opsgenie, priority, template)},
    {FIELD(opsgenie, update_alerts, bool)},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct opsgenie *genie = target;
    field_exclude(s, node, "api_key", genie->api_key, "api_key_file", genie->api_key_file);
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct opsgenie *genie = (struct opsgenie *)integration;
    const struct str *globals = in->globals->text;
    if (genie->api_url.n == 0)
        genie->api_url = globals[AM_GLOBAL_opsgenie_api_url];
    if (genie->api_url.n == 0)
        strict_fail(in->strict, integration->place, "no global OpsGenie URL set");
    genie->api_url = integration_slashed(in->strict->arena, genie->api_url);
    if (genie->api_key.n > 0 || genie->api_key_file.n > 0)
        return;
    genie->api_key = globals[AM_GLOBAL_opsgenie_api_key];
    genie->api_key_file = globals[AM_GLOBAL_opsgenie_api_key_file];
    if (genie->api_key.n == 0 && genie->api_key_file.n == 0)
        strict_fail(in->strict, integration->place,
                    "no global OpsGenie API Key set either inline or in a file");
}

/* ---- what is asked ---- */

/* Pieces between commas, empty ones left out; nothing at all if there are none. */
static void pieces(struct buf *out, const char *key, struct str text)
{
    bool begun = false;
    for (struct str rest = str_trim(text); rest.p != NULL && rest.n > 0;) {
        struct str piece = str_cut(&rest, ',');
        if (piece.n == 0)
            continue;
        if (!begun)
            json_open(out, key, '[');
        begun = true;
        json_text(out, NULL, piece);
    }
    if (begun)
        json_close(out, ']');
}

static void responder(struct buf *out, const struct responder *r)
{
    json_open(out, NULL, '{');
    json_text_some(out, "id", r->id);
    json_text_some(out, "name", r->name);
    json_text_some(out, "username", r->username);
    json_text_some(out, "type", r->type);
    json_close(out, '}');
}

/* "teams" is one responder for each name. */
static size_t responder_or_teams(struct buf *out, const struct responder *r)
{
    size_t count = 0;
    if (!str_is(r->type, "teams")) {
        responder(out, r);
        return 1;
    }
    for (struct str rest = str_trim(r->name); rest.p != NULL && rest.n > 0;) {
        struct responder team = {.name = str_cut(&rest, ','), .type = STR("team")};
        if (team.name.n > 0)
            responder(out, &team);
        count += team.name.n > 0;
    }
    return count;
}

static void responders(struct exchange *x, struct buf *out, const struct opsgenie *genie)
{
    const struct responder *items = genie->responders.items;
    struct buf list;
    size_t count = 0;
    buf_init(&list, out->max_bytes);
    for (size_t i = 0; i < genie->responders.count; i++) {
        struct responder r = {exchange_text(x, items[i].id), exchange_text(x, items[i].name),
                              exchange_text(x, items[i].username), exchange_text(x, items[i].type)};
        if (r.id.n + r.name.n + r.username.n + r.type.n > 0)
            count += responder_or_teams(&list, &r);
    }
    if (count > 0) {
        json_open(out, "responders", '[');
        buf_str(out, buf_slice(&list));
        json_close(out, ']');
    }
    buf_release(&list);
}

/* What all alerts have in common, and over it what the settings say. */
static void details(struct exchange *x, struct buf *out, const struct opsgenie *genie)
{
    const struct labels *common = x->notification.common_labels;
    const struct strict_pairs *own = &genie->details;
    json_open(out, "details", '{');
    for (size_t i = 0, k = 0; i < common->count || k < own->count;) {
        int order = i == common->count ? 1
                    : k == own->count  ? -1
                                       : str_cmp(common->item[i].name, own->items[k].name);
        const struct label *pair = order < 0 ? &common->item[i] : &own->items[k];
        json_key(out, NULL);
        json_string(out, pair->name);
        buf_char(out, ':');
        json_string(out, order < 0 ? pair->value : exchange_text(x, pair->value));
        i += order <= 0;
        k += order >= 0;
    }
    json_close(out, '}');
}

static struct buf *post(struct exchange *x, const struct opsgenie *genie, const char *path)
{
    struct str key = exchange_text(x, exchange_secret(x, genie->api_key, genie->api_key_file));
    struct str url = exchange_format(x, "%.*sv2/alerts%s", STR_ARG(genie->api_url), path);
    struct buf *out = exchange_post_json(x, "OpsGenie URL", url);
    exchange_header(x, "Authorization", exchange_format(x, "GenieKey %.*s", STR_ARG(str_trim(key))));
    json_open(out, NULL, '{');
    return out;
}

static void create(struct exchange *x, const struct opsgenie *genie)
{
    struct buf *out = post(x, genie, "");
    json_text(out, "alias", exchange_group_hash(x));
    json_text(out, "message", exchange_text_runes(x, genie->message, MESSAGE_RUNES));
    json_text_some(out, "description", exchange_text(x, genie->description));
    details(x, out, genie);
    json_text(out, "source", exchange_text(x, genie->source));
    responders(x, out, genie);
    pieces(out, "tags", exchange_text(x, genie->tags));
    json_text_some(out, "note", exchange_text(x, genie->note));
    json_text_some(out, "priority", exchange_text(x, genie->priority));
    json_text_some(out, "entity", exchange_text(x, genie->entity));
    pieces(out, "actions", exchange_text(x, genie->actions));
    json_close(out, '}');
}

/* A request about the alert that is there: PUT, or POST to close it. */
static struct buf *about(struct exchange *x, const struct opsgenie *genie, const char *what)
{
    struct str path =
        exchange_format(x, "/%.*s/%s?identifierType=alias", STR_ARG(exchange_group_hash(x)), what);
    return post(x, genie, path.p != NULL ? path.p : "");
}

static void request(struct exchange *x)
{
    const struct opsgenie *genie = EXCHANGE_SETTINGS(x, struct opsgenie);
    struct buf *out = NULL;
    if (!exchange_opens(x)) {
        out = about(x, genie, "close");
        json_text(out, "source", exchange_text(x, genie->source));
    } else if (x->step == 0) {
        create(x, genie);
        return;
    } else if (x->step == 1) {
        out = about(x, genie, "message");
        x->request.method = "PUT";
        json_text_some(out, "message", exchange_text_runes(x, genie->message, MESSAGE_RUNES));
    } else {
        out = about(x, genie, "description");
        x->request.method = "PUT";
        json_text_some(out, "description", exchange_text(x, genie->description));
    }
    json_close(out, '}');
}

static enum exchange_verdict judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    enum { UPDATES = 2 };
    const struct opsgenie *genie = EXCHANGE_SETTINGS(x, struct opsgenie);
    enum exchange_verdict verdict = integration_judge_status(answer, err);
    bool updates = genie->update_alerts && x->notification.firing && x->step < UPDATES;
    return verdict == EXCHANGE_DONE && (updates || exchange_closes_next(x)) ? EXCHANGE_MORE : verdict;
}

const struct integration_kind integration_opsgenie = {
    .key = "opsgenie_configs",
    .name = "opsgenie",
    .missing = "missing opsgenie config",
    .shape = {"config.plain", "[]*config.OpsGenieConfig", sizeof(struct opsgenie), fields, check},
    .inherit = inherit,
    .request = request,
    .judge = judge,
};
