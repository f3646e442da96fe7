#include "sender_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

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

/* scheme://user:password@host: the log and /metrics show host only. */
static const char *without_password(struct arena *arena, struct str url)
{
    struct str rest = url;
    struct str scheme = str_cut(&rest, ':');
    if (rest.p == NULL || !str_starts(rest, STR("//")))
        return arena_copy_text(arena, url.p, url.n);
    rest = (struct str){rest.p + 2, rest.n - 2};
    struct str authority = {rest.p, str_find_char(rest, '/')};
    size_t at = authority.n;
    while (at > 0 && authority.p[at - 1] != '@')
        at--;
    return arena_format(arena, "%.*s://%.*s", STR_ARG(scheme), (int)(rest.n - at), rest.p + at);
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
    arena_release(&settings->arena);
    mem_free(settings);
}
