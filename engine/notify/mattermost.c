#include "integration_priv.h"
#include "json_priv.h"

enum { TEXT_RUNES = 16383 };

struct mattermost_field {
    struct str title, value;
    struct str is_short; /* empty: it is not said */
};

/* An attachment. */
struct card {
    struct str fallback, color, pretext, text;
    struct str author_name, author_link, author_icon;
    struct str title, title_link;
    struct strict_list fields; /* struct mattermost_field */
    struct str thumb_url, footer, footer_icon, image_url;
};

struct mattermost_props {
    struct str card;
};

struct mattermost_priority {
    struct str priority;
    bool requested_ack, persistent_notifications;
};

struct mattermost {
    struct integration base;
    struct str webhook_url, webhook_url_file;
    struct str channel, username;
    struct card own;
    struct str icon_url, icon_emoji;
    struct strict_list attachments; /* struct card */
    struct str type;
    const struct mattermost_props *props;       /* NULL: none */
    const struct mattermost_priority *priority; /* NULL: none */
};

static void check_field(struct strict *s, const struct tree *node, void *target)
{
    const struct mattermost_field *f = target;
    if (f->title.n == 0)
        strict_fail(s, node, "missing title in Mattermost field configuration");
    if (f->value.n == 0)
        strict_fail(s, node, "missing value in Mattermost field configuration");
}

static const struct field field_fields[] = {
    {FIELD(mattermost_field, title, template)},
    {FIELD(mattermost_field, value, template)},
    {.key = "short", .type = &FIELD_maybe, .offset = offsetof(struct mattermost_field, is_short)},
    {.key = NULL},
};

static const struct shape field_shape = {"config.plain", "[]*config.MattermostField",
                                         sizeof(struct mattermost_field), field_fields, check_field};

static const struct field card_fields[] = {
    {FIELD(card, fallback, template)},
    {FIELD(card, color, template)},
    {FIELD(card, pretext, template)},
    {FIELD(card, text, template)},
    {FIELD(card, author_name, template)},
    {FIELD(card, author_link, template)},
    {FIELD(card, author_icon, template)},
    {FIELD(card, title, template)},
    {FIELD(card, title_link, template)},
    {FIELD(card, fields, structs), .shape = &field_shape},
    {FIELD(card, thumb_url, template)},
    {FIELD(card, footer, template)},
    {FIELD(card, footer_icon, template)},
    {FIELD(card, image_url, template)},
    {.key = NULL},
};

static const struct shape card_shape = {"config.MattermostAttachment", "[]*config.MattermostAttachment",
                                        sizeof(struct card), card_fields, NULL};

static const struct field props_fields[] = {
    {FIELD(mattermost_props, card, template)},
    {.key = NULL},
};

static const struct shape props_shape = {"config.MattermostProps", NULL, sizeof(struct mattermost_props),
                                         props_fields, NULL};

static const struct field priority_fields[] = {
    {FIELD(mattermost_priority, priority, template)},
    {FIELD(mattermost_priority, requested_ack, bool)},
    {FIELD(mattermost_priority, persistent_notifications, bool)},
    {.key = NULL},
};

static const struct shape priority_shape = {"config.MattermostPriority", NULL,
                                            sizeof(struct mattermost_priority), priority_fields, NULL};

#define MATTER_DEFAULT(name) "{{ template \"mattermost.default." name "\" . }}"
#define OWN(member, kind) \
    .key = #member, .type = &FIELD_##kind, .offset = offsetof(struct mattermost, own.member)

static const struct field fields[] = {
    INTEGRATION_FIELDS(mattermost, "true"),
    {FIELD(mattermost, webhook_url, secret_url)},
    {FIELD(mattermost, webhook_url_file, text)},
    {FIELD(mattermost, channel, template)},
    {FIELD(mattermost, username, template), .given = MATTER_DEFAULT("username")},
    {OWN(text, template), .given = MATTER_DEFAULT("text")},
    {OWN(fallback, template), .given = MATTER_DEFAULT("fallback")},
    {OWN(color, template), .given = MATTER_DEFAULT("color")},
    {OWN(pretext, template)},
    {OWN(author_name, template)},
    {OWN(author_link, template)},
    {OWN(author_icon, template)},
    {OWN(title, template), .given = MATTER_DEFAULT("title")},
    {OWN(title_link, template), .given = MATTER_DEFAULT("titlelink")},
    {OWN(fields, structs), .shape = &field_shape},
    {OWN(thumb_url, template)},
    {OWN(footer, template)},
    {OWN(footer_icon, template)},
    {OWN(image_url, template)},
    {FIELD(mattermost, icon_url, template)},
    {FIELD(mattermost, icon_emoji, template)},
    {FIELD(mattermost, attachments, structs), .shape = &card_shape},
    {FIELD(mattermost, type, template)},
    {FIELD(mattermost, props, struct), .shape = &props_shape},
    {FIELD(mattermost, priority, struct), .shape = &priority_shape},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct mattermost *matter = target;
    field_exclude(s, node, "webhook_url", matter->webhook_url, "webhook_url_file", matter->webhook_url_file);
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct mattermost *matter = (struct mattermost *)integration;
    if (matter->webhook_url.n + matter->webhook_url_file.n == 0) {
        matter->webhook_url = in->globals->text[AM_GLOBAL_mattermost_webhook_url];
        matter->webhook_url_file = in->globals->text[AM_GLOBAL_mattermost_webhook_url_file];
    }
    if (matter->webhook_url.n + matter->webhook_url_file.n == 0)
        strict_fail(in->strict, integration->place,
                    "missing webhook_url or webhook_url_file on mattermost_config");
}

/* ---- what is sent ---- */

static void write_fields(struct exchange *x, struct buf *out, const struct card *card)
{
    const struct mattermost_field *items = card->fields.items;
    if (card->fields.count == 0)
        return;
    json_open(out, "fields", '[');
    for (size_t i = 0; i < card->fields.count; i++) {
        json_open(out, NULL, '{');
        exchange_json_some(x, out, "title", items[i].title);
        exchange_json_some(x, out, "value", items[i].value);
        if (items[i].is_short.n > 0)
            json_bool(out, "short", str_is(items[i].is_short, "true"));
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void write_card(struct exchange *x, struct buf *out, const struct card *card)
{
    json_open(out, NULL, '{');
    exchange_json_some(x, out, "fallback", card->fallback);
    exchange_json_some(x, out, "color", card->color);
    exchange_json_some(x, out, "pretext", card->pretext);
    exchange_json_some(x, out, "text", card->text);
    exchange_json_some(x, out, "author_name", card->author_name);
    exchange_json_some(x, out, "author_link", card->author_link);
    exchange_json_some(x, out, "author_icon", card->author_icon);
    exchange_json_some(x, out, "title", card->title);
    exchange_json_some(x, out, "title_link", card->title_link);
    write_fields(x, out, card);
    exchange_json_some(x, out, "thumb_url", card->thumb_url);
    exchange_json_some(x, out, "footer", card->footer);
    exchange_json_some(x, out, "footer_icon", card->footer_icon);
    exchange_json_some(x, out, "image_url", card->image_url);
    json_close(out, '}');
}

static void write_cards(struct exchange *x, struct buf *out, const struct mattermost *matter)
{
    const struct card *items = matter->attachments.items;
    json_open(out, "attachments", '[');
    for (size_t i = 0; i < matter->attachments.count; i++)
        write_card(x, out, &items[i]);
    if (matter->attachments.count == 0)
        write_card(x, out, &matter->own);
    json_close(out, ']');
}

/* Mattermost refuses a message whose flags do not go with its priority. */
static void write_priority(struct exchange *x, struct buf *out, const struct mattermost_priority *own)
{
    static const char *const names[] = {"urgent", "important", "standard"};
    const char *name = "standard";
    if (own == NULL || own->priority.n == 0)
        return;
    struct str asked = exchange_text(x, own->priority);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq_nocase(asked, str_of(names[i])))
            name = names[i];
    }
    json_open(out, "priority", '{');
    json_text(out, "priority", str_of(name));
    if (own->requested_ack && strcmp(name, "standard") != 0)
        json_bool(out, "requested_ack", true);
    if (own->persistent_notifications && strcmp(name, "urgent") == 0)
        json_bool(out, "persistent_notifications", true);
    json_close(out, '}');
}

static void request(struct exchange *x)
{
    const struct mattermost *matter = EXCHANGE_SETTINGS(x, struct mattermost);
    struct str url = exchange_secret(x, matter->webhook_url, matter->webhook_url_file);
    struct buf *out = exchange_post_json(x, "Mattermost webhook URL", url);
    json_open(out, NULL, '{');
    if (matter->attachments.count > 0)
        json_text_some(out, "text", exchange_text_runes(x, matter->own.text, TEXT_RUNES));
    exchange_json_some(x, out, "channel", matter->channel);
    exchange_json_some(x, out, "username", matter->username);
    exchange_json_some(x, out, "icon_url", matter->icon_url);
    exchange_json_some(x, out, "icon_emoji", matter->icon_emoji);
    write_cards(x, out, matter);
    exchange_json_some(x, out, "type", matter->type);
    if (matter->props != NULL && matter->props->card.n > 0) {
        json_open(out, "props", '{');
        exchange_json_some(x, out, "card", matter->props->card);
        json_close(out, '}');
    }
    write_priority(x, out, matter->priority);
    json_close(out, '}');
}

const struct integration_kind integration_mattermost = {
    .key = "mattermost_configs",
    .name = "mattermost",
    .missing = "missing mattermost config",
    .shape = {"config.plain", "[]*config.MattermostConfig", sizeof(struct mattermost), fields, check},
    .inherit = inherit,
    .request = request,
};
