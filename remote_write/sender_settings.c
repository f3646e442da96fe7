#include "sender_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/url.h"

static const struct net_header protocol_headers[][3] = {
    [SENDER_V1] = {{"Content-Encoding", "snappy"},
                   {"Content-Type", "application/x-protobuf"},
                   {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
    [SENDER_V2] = {{"Content-Encoding", "snappy"},
                   {"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                   {"X-Prometheus-Remote-Write-Version", "2.0.0"}},
};

enum { PROTOCOL_HEADERS = 3 };

static const char *copy(struct arena *arena, const char *text)
{
    return arena_copy_text(arena, text, strlen(text));
}

static void copy_headers(struct settings *s, const struct sender_target *from)
{
    size_t count = PROTOCOL_HEADERS + from->header_count;
    struct net_header *headers = ARENA_ARRAY(&s->arena, struct net_header, count);
    must(headers != NULL);
    for (size_t i = 0; i < PROTOCOL_HEADERS; i++)
        headers[i] = protocol_headers[from->protocol][i];
    for (size_t i = 0; i < from->header_count; i++)
        headers[PROTOCOL_HEADERS + i] = (struct net_header){copy(&s->arena, from->headers[i].name),
                                                            copy(&s->arena, from->headers[i].value)};
    s->target.headers = headers;
    s->target.header_count = count;
}

/* For the log and /metrics. */
static const char *without_password(struct arena *arena, struct str url)
{
    struct buf shown;
    buf_init(&shown, 2 * url.n + 64);
    url_print_redacted(&shown, url);
    const char *text = arena_copy_text(arena, buf_text(&shown), shown.used);
    buf_release(&shown);
    return text;
}

struct settings *settings_make(const struct sender_target *target, const struct labels *external_labels)
{
    struct settings *s = MEM_NEW(struct settings);
    arena_init(&s->arena, (size_t)limits.generation_arena_bytes);
    s->target = *target;
    s->target.name = str_copy(&s->arena, target->name);
    s->target.url = str_copy(&s->arena, target->url);
    s->url = s->target.url.p;
    s->shown_url = without_password(&s->arena, target->url);
    s->external_labels =
        external_labels != NULL ? labels_copy(&s->arena, external_labels) : labels_empty(&s->arena);
    copy_headers(s, target);
    s->target.http = s->http = target->http != NULL ? http_config_copy(target->http) : NULL;
    s->target.relabel = NULL;
    if (target->relabel != NULL)
        must(relabel_open(target->relabel, &s->relabel, NULL) == 0); /* they are checked */
    must(!arena_exhausted(&s->arena)); /* it came out of a configuration, which is as bounded */
    return s;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    relabel_free(settings->relabel);
    http_config_free(settings->http);
    arena_release(&settings->arena);
    mem_free(settings);
}
