/* What rules record, on its way to remote_write. */
#include "daemon_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/url.h"

#include <stdio.h>

static bool is_loopback(struct str host)
{
    return str_starts(host, STR("127.")) || str_is(host, "::1") || str_eq_nocase(host, STR("localhost"));
}

static bool is_any(struct str host)
{
    return host.n == 0 || str_is(host, "0.0.0.0") || str_is(host, "::");
}

bool daemon_is_own_url(struct str url, struct str listen)
{
    struct url there, here;
    char text[512];
    snprintf(text, sizeof text, "http://%.*s", STR_ARG(listen));
    if (url_parse(url, &there, NULL) != 0 || url_parse(str_of(text), &here, NULL) != 0)
        return false;
    struct str usual = str_is(there.scheme, "https") ? STR("443") : STR("80");
    if (!str_eq(there.port.n > 0 ? there.port : usual, here.port))
        return false;
    return str_eq_nocase(there.host, here.host) ||
           (is_loopback(there.host) && (is_loopback(here.host) || is_any(here.host)));
}

/* Prometheus' own file sends its samples here; taken over with it, that target would have us send results to ourselves, where rules
 * would count them twice. */
static size_t leave_out_own(const struct daemon *d, const struct config *c, struct sender_target *targets)
{
    size_t count = 0;
    for (size_t i = 0; i < c->remote_write_count; i++) {
        if (!daemon_is_own_url(c->remote_write[i].url, str_of(d->options.listen)))
            targets[count++] = c->remote_write[i];
        else
            log_info("this remote_write target is Tocsin itself: ignored",
                     LOG_STR("remote_name", c->remote_write[i].name));
    }
    return count;
}

void daemon_configure_sender(struct daemon *d, const struct config *c)
{
    struct sender_target *targets = MEM_ARRAY(struct sender_target, c->remote_write_count);
    struct sender_options options = {
        .world = d->world, .targets = targets, .external_labels = c->external_labels};
    options.target_count = leave_out_own(d, c, targets);
    if (d->sender == NULL)
        d->sender = sender_open(&options);
    else
        sender_configure(d->sender, &options);
    mem_free(targets);
}

void daemon_note_recorded(void *context, const struct batch *batch)
{
    struct daemon *d = context;
    sender_put(d->sender, batch);
}
