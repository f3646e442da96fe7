#include "tocsin/http_config.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

/* ---- paths ---- */

static void join(struct arena *arena, struct str *path, struct str folder)
{
    if (path->n > 0 && !str_starts(*path, STR("/")) && folder.n > 0 && !str_is(folder, "."))
        *path = str_of(arena_format(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(*path)));
}

void http_join_tls(struct arena *arena, struct http_tls *tls, struct str folder)
{
    join(arena, &tls->ca.file, folder);
    join(arena, &tls->cert.file, folder);
    join(arena, &tls->key.file, folder);
}

void http_config_join(struct arena *arena, struct http_config *http, struct str folder)
{
    join(arena, &http->username.file, folder);
    join(arena, &http->password.file, folder);
    join(arena, &http->credentials.file, folder);
    http_join_tls(arena, &http->tls, folder);
    for (size_t i = 0; i < http->headers.count; i++)
        for (size_t k = 0; k < http->headers.items[i].files.count; k++)
            join(arena, &http->headers.items[i].files.items[k], folder);
    if (http->oauth2 != NULL) {
        join(arena, &http->oauth2->secret.file, folder);
        http_join_tls(arena, &http->oauth2->tls, folder);
    }
}

/* ---- copies ---- */

struct owned {
    struct http_config http; /* what is handed out: must be first */
    struct arena arena;
};

static void own(struct arena *arena, struct str *text)
{
    *text = str_copy(arena, *text);
}

static void own_secret(struct arena *arena, struct http_secret *secret)
{
    own(arena, &secret->text);
    own(arena, &secret->file);
}

static void own_texts(struct arena *arena, struct strict_texts *texts)
{
    texts->items = arena_copy(arena, texts->items, texts->count, sizeof *texts->items);
    for (size_t i = 0; texts->items != NULL && i < texts->count; i++)
        own(arena, &texts->items[i]);
}

static void own_tls(struct arena *arena, struct http_tls *tls)
{
    own_secret(arena, &tls->ca);
    own_secret(arena, &tls->cert);
    own_secret(arena, &tls->key);
    own(arena, &tls->server_name);
}

static void own_headers(struct arena *arena, struct http_headers *headers)
{
    headers->items = arena_copy(arena, headers->items, headers->count, sizeof *headers->items);
    for (size_t i = 0; headers->items != NULL && i < headers->count; i++) {
        own(arena, &headers->items[i].name);
        own_texts(arena, &headers->items[i].values);
        own_texts(arena, &headers->items[i].secrets);
        own_texts(arena, &headers->items[i].files);
    }
}

static void own_proxy(struct arena *arena, struct http_proxy *proxy)
{
    own(arena, &proxy->url);
    own(arena, &proxy->no_proxy);
    own_headers(arena, &proxy->connect_headers);
}

static void own_oauth2(struct arena *arena, struct http_oauth2 **oauth2)
{
    struct http_oauth2 *o = arena_copy(arena, *oauth2, 1, sizeof **oauth2);
    *oauth2 = o;
    if (o == NULL)
        return;
    own(arena, &o->client_id);
    own(arena, &o->token_url);
    own_secret(arena, &o->secret);
    own_texts(arena, &o->scopes);
    o->params = arena_copy(arena, o->params, o->param_count, sizeof *o->params);
    for (size_t i = 0; o->params != NULL && i < o->param_count; i++) {
        own(arena, &o->params[i].name);
        own(arena, &o->params[i].value);
    }
    own_tls(arena, &o->tls);
    own_proxy(arena, &o->proxy);
}

struct http_config *http_config_copy(const struct http_config *http)
{
    struct owned *copy = MEM_NEW(struct owned);
    struct http_config *h = &copy->http;
    struct arena *arena = &copy->arena;
    *h = *http;
    arena_init(arena, (size_t)limits.generation_arena_bytes); /* as much as what is copied could take */
    own_secret(arena, &h->username);
    own_secret(arena, &h->password);
    own(arena, &h->auth_type);
    own_secret(arena, &h->credentials);
    own_tls(arena, &h->tls);
    own_proxy(arena, &h->proxy);
    own_headers(arena, &h->headers);
    if (h->oauth2 != NULL)
        own_oauth2(arena, &h->oauth2);
    must(!arena_exhausted(arena)); /* else it would go on without its certificates or secrets */
    return h;
}

void http_config_free(struct http_config *http)
{
    if (http == NULL)
        return;
    struct owned *copy = (struct owned *)http;
    arena_release(&copy->arena);
    mem_free(copy);
}
