#include "integration_priv.h"
#include "json_priv.h"

enum { CONTENT_RUNES = 2000, TITLE_RUNES = 256, MESSAGE_RUNES = 4096, RED = 0x992D22, GREEN = 0x2ECC71 };

struct discord {
    struct integration base;
    struct str webhook_url, webhook_url_file;
    struct str content, title, message;
    struct str username, avatar_url; /* no templates */
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(discord, "true"),
    {FIELD(discord, webhook_url, secret_url)},
    {FIELD(discord, webhook_url_file, text)},
    {FIELD(discord, content, template), .given = "{{ template \"discord.default.content\" . }}",
     .newer = true},
    {FIELD(discord, title, template), .given = "{{ template \"discord.default.title\" . }}"},
    {FIELD(discord, message, template), .given = "{{ template \"discord.default.message\" . }}"},
    {FIELD(discord, username, text)},
    {FIELD(discord, avatar_url, text)},
    {.key = NULL},
};

static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct discord *discord = target;
    field_one_of(s, node, "webhook_url", discord->webhook_url, "webhook_url_file", discord->webhook_url_file);
}

static void request(struct exchange *x)
{
    const struct discord *discord = EXCHANGE_SETTINGS(x, struct discord);
    struct str url = exchange_secret(x, discord->webhook_url, discord->webhook_url_file);
    struct buf *out = exchange_post_json(x, "discord webhook URL", url);
    json_open(out, NULL, '{');
    json_text(out, "content", exchange_text_runes(x, discord->content, CONTENT_RUNES));
    json_open(out, "embeds", '[');
    json_open(out, NULL, '{');
    json_text(out, "title", exchange_text_runes(x, discord->title, TITLE_RUNES));
    json_text(out, "description", exchange_text_runes(x, discord->message, MESSAGE_RUNES));
    json_key(out, "color");
    buf_i64(out, x->notification.firing ? RED : GREEN);
    json_close(out, '}');
    json_close(out, ']');
    json_text_some(out, "username", discord->username);
    json_text_some(out, "avatar_url", discord->avatar_url);
    json_close(out, '}');
}

const struct integration_kind integration_discord = {
    .key = "discord_configs",
    .name = "discord",
    .missing = "missing discord config",
    .shape = {"config.plain", "[]*config.DiscordConfig", sizeof(struct discord), fields, check},
    .request = request,
};
