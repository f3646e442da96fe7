/* What rules record, on its way to remote_write. */
#include "daemon_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"

struct authority {
    struct str host;
    int port;
};

/* HOST:PORT, or HOST. */
static struct authority authority_of(struct str text, int port)
{
    struct authority a = {text, port};
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':' && text.p[colon - 1] != ']')
        colon--;
    if (colon == 0 || text.p[colon - 1] != ':')
        return a;
    long long given;
    if (str_to_i64((struct str){text.p + colon, text.n - colon}, &given))
        a.port = (int)given;
    a.host.n = colon - 1;
    return a;
}

static struct authority authority_of_url(struct str url)
{
    struct str rest = url;
    struct str scheme = str_cut(&rest, ':');
    rest = (struct str){rest.p + 2, rest.n - 2};
    rest.n = str_find_char(rest, '/');
    while (str_find_char(rest, '@') < rest.n)
        (void)str_cut(&rest, '@');
    return authority_of(rest, str_is(scheme, "https") ? 443 : 80);
}

static bool is_loopback(struct str host)
{
    return str_starts(host, STR("127.")) || str_is(host, "[::1]") || str_eq_nocase(host, STR("localhost"));
}

static bool is_any(struct str host)
{
    return host.n == 0 || str_is(host, "0.0.0.0") || str_is(host, "[::]");
}

bool daemon_is_own_url(struct str url, struct str listen)
{
    struct authority there = authority_of_url(url), here = authority_of(listen, 0);
    if (there.port != here.port)
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
