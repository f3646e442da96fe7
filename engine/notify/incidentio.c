#include "integration_priv.h"

struct incidentio {
    struct integration base;
    struct str url, url_file;
    struct str alert_source_token, alert_source_token_file; /* read at each send */
};

static const struct field fields[] = {
    INTEGRATION_FIELDS(incidentio, "true"),
    {FIELD(incidentio, url, url)},
    {FIELD(incidentio, url_file, text)},
    {FIELD(incidentio, alert_source_token, secret)},
    {FIELD(incidentio, alert_source_token_file, text)},
    {.key = "max_alerts",
     .type = &FIELD_count,
     .offset = offsetof(struct incidentio, base.max_alerts),
     .given = "0"},
    {INTEGRATION_TIMEOUT(incidentio)},
    {.key = NULL},
};

static bool has_token(const struct incidentio *incident)
{
    return incident->alert_source_token.n + incident->alert_source_token_file.n > 0;
}

/* Without an http_config of its own it may still get the authorization of the globals. */
static void check(struct strict *s, const struct tree *node, void *target)
{
    const struct incidentio *incident = target;
    const struct http_config *own = incident->base.http;
    bool authorized = own != NULL && own->auth_type.n > 0;
    field_one_of(s, node, "url", incident->url, "url_file", incident->url_file);
    field_exclude(s, node, "alert_source_token", incident->alert_source_token, "alert_source_token_file",
                  incident->alert_source_token_file);
    if (authorized && has_token(incident))
        strict_fail(s, node,
                    "cannot specify alert_source_token or alert_source_token_file when using "
                    "http_config.authorization");
    if (own != NULL && !authorized && !has_token(incident))
        strict_fail(s, node,
                    "at least one of alert_source_token, alert_source_token_file or "
                    "http_config.authorization must be configured");
}

/* The webhook's body in another version; one that is too large tells of its first alert alone. */
static void write_body(struct exchange *x, struct buf *out)
{
    enum { BODY_MAX = 512 << 10 };
    notification_write_json(out, &x->notification, "1");
    if (out->used + 1 <= BODY_MAX) /* the line end follows */
        return;
    struct notification one = x->notification;
    one.count = 1;
    buf_clear(out);
    notification_write_json(out, &one, "1");
}

static void request(struct exchange *x)
{
    const struct incidentio *incident = EXCHANGE_SETTINGS(x, struct incidentio);
    struct buf *out =
        exchange_post_json(x, "incident.io URL", exchange_secret(x, incident->url, incident->url_file));
    if (has_token(incident)) {
        struct str token =
            exchange_secret(x, incident->alert_source_token, incident->alert_source_token_file);
        exchange_header(x, "Authorization", exchange_format(x, "Bearer %.*s", STR_ARG(token)));
    }
    write_body(x, out);
}

const struct integration_kind integration_incidentio = {
    .key = "incidentio_configs",
    .name = "incidentio",
    .missing = "missing incidentio config",
    .shape = {"config.plain", "[]*config.IncidentioConfig", sizeof(struct incidentio), fields, check},
    .request = request,
};
