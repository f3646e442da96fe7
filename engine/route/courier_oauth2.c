/*
 * OAuth 2.0, client credentials (RFC 6749 4.4): a token is fetched when the first request needs it, kept until shortly before it expires, and
 * shared by all requests with the same credentials. Who needs one that is on its way waits for it.
 *
 * The client proves itself in the header first, and, if the server does not like that, in the body, as Go's oauth2 does.
 */
#include "courier_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/tree.h"

#include <stdio.h>

enum { TOKENS_MAX = 64, TEXT_MAX = 64 << 10, EARLY_S = 10 };

struct token {
    struct token *next;
    struct courier *courier;
    char *key;          /* everything that the token depends on */
    char *value;        /* TYPE TOKEN; NULL: none */
    int64_t expires_ns; /* monotonic; INT64_MAX: never */
    struct job *waiting;
    bool fetching, in_body;
    /* ---- of the request for it */
    struct arena arena;
    struct http_config http;
    struct net_request request;
};

static const struct net_header form_header = {"Content-Type", "application/x-www-form-urlencoded"};

/* ---- which token ---- */

static void add_part(struct buf *key, struct str part)
{
    buf_format(key, "%zu:", part.n);
    buf_str(key, part);
}

static char *key_of(const struct http_oauth2 *o)
{
    const struct str parts[] = {o->token_url,   o->client_id,   o->secret.text, o->secret.file,
                                o->tls.ca.text, o->tls.ca.file, o->proxy.url};
    struct buf key;
    buf_init(&key, (size_t)limits.yaml_bytes);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        add_part(&key, parts[i]);
    for (size_t i = 0; i < o->scopes.count; i++)
        add_part(&key, o->scopes.items[i]);
    for (size_t i = 0; i < o->param_count; i++) {
        add_part(&key, o->params[i].name);
        add_part(&key, o->params[i].value);
    }
    char *text = mem_copy_text(buf_text(&key), key.used);
    buf_release(&key);
    return text;
}

static void token_free(struct token *token)
{
    arena_release(&token->arena);
    mem_free(token->key);
    mem_free(token->value);
    mem_free(token);
}

/* Those that a reload left behind go when there are too many. */
static void make_room(struct courier *c)
{
    size_t count = 0;
    for (struct token **at = &c->tokens; *at != NULL;) {
        struct token *token = *at;
        if (++count < TOKENS_MAX || token->fetching) {
            at = &token->next;
            continue;
        }
        *at = token->next;
        token_free(token);
    }
}

static struct token *find(struct courier *c, const struct http_oauth2 *oauth2)
{
    char *key = key_of(oauth2);
    for (struct token *t = c->tokens; t != NULL; t = t->next) {
        if (strcmp(t->key, key) == 0) {
            mem_free(key);
            return t;
        }
    }
    make_room(c);
    struct token *token = MEM_NEW(struct token);
    *token = (struct token){.next = c->tokens, .courier = c, .key = key};
    arena_init(&token->arena, (size_t)limits.flush_arena_bytes);
    c->tokens = token;
    return token;
}

/* ---- asking for it ---- */

static void escape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("-_.~", c) != NULL);
        if (plain || c == ' ')
            buf_char(out, plain ? c : '+');
        else
            buf_format(out, "%%%02X", (unsigned char)c);
    }
}

static void add_field(struct buf *form, struct str name, struct str value)
{
    buf_puts(form, form->used > 0 ? "&" : "");
    escape(form, name);
    buf_char(form, '=');
    escape(form, value);
}

static struct str escaped(struct arena *arena, struct str s)
{
    struct buf out;
    buf_init(&out, TEXT_MAX);
    escape(&out, s);
    struct str kept = str_copy(arena, buf_slice(&out));
    buf_release(&out);
    return kept;
}

static struct str form_of(struct token *t, const struct http_oauth2 *o, struct str secret)
{
    struct buf form, scopes;
    buf_init(&form, TEXT_MAX);
    buf_init(&scopes, TEXT_MAX);
    for (size_t i = 0; i < o->scopes.count; i++) {
        buf_puts(&scopes, i > 0 ? " " : "");
        buf_str(&scopes, o->scopes.items[i]);
    }
    add_field(&form, STR("grant_type"), STR("client_credentials"));
    if (scopes.used > 0)
        add_field(&form, STR("scope"), buf_slice(&scopes));
    for (size_t i = 0; i < o->param_count; i++)
        add_field(&form, o->params[i].name, o->params[i].value);
    if (t->in_body) {
        add_field(&form, STR("client_id"), o->client_id);
        add_field(&form, STR("client_secret"), secret);
    }
    struct str text = buf_overflow(&form) ? (struct str){0} : str_copy(&t->arena, buf_slice(&form));
    buf_release(&scopes);
    buf_release(&form);
    return text;
}

static net_done on_token;

static void send_request(struct token *t, const struct http_oauth2 *o, struct str secret)
{
    t->http = (struct http_config){.tls = o->tls, .proxy = o->proxy, .enable_http2 = true};
    if (!t->in_body) {
        t->http.basic = true;
        t->http.username.text = escaped(&t->arena, o->client_id);
        t->http.password.text = escaped(&t->arena, secret);
    }
    t->request = (struct net_request){.method = "POST",
                                      .url = arena_copy_text(&t->arena, o->token_url.p, o->token_url.n),
                                      .headers = &form_header,
                                      .header_count = 1,
                                      .body = form_of(t, o, secret),
                                      .http = &t->http};
    struct job *job = MEM_NEW(struct job);
    *job = (struct job){.request = &t->request, .done = on_token, .context = t};
    lock_take(&t->courier->lock);
    t->courier->count++;
    lock_drop(&t->courier->lock);
    courier_begin(t->courier, job);
}

static void fail_all(struct token *t, int code, const char *why)
{
    struct job *next;
    t->fetching = t->in_body = false;
    struct job *waiting = t->waiting;
    t->waiting = NULL;
    for (struct job *job = waiting; job != NULL; job = next) {
        next = job->next;
        courier_fail(t->courier, job, code, why);
    }
}

/* With the configuration of the first that waits: it lives until its answer. */
static void fetch(struct token *t)
{
    const struct http_oauth2 *oauth2 = t->waiting->request->http->oauth2;
    struct str secret;
    struct err err = {0};
    t->fetching = true;
    arena_clear(&t->arena);
    int rc = courier_read_secret(t->courier->world, &t->arena, &oauth2->secret, "oauth2 client secret",
                                 &secret, &err);
    if (rc != 0)
        fail_all(t, rc, err.text);
    else
        send_request(t, oauth2, secret);
}

/* ---- its answer ---- */

static bool read_token(struct token *t, struct str body)
{
    struct tree *answer = NULL;
    struct arena arena;
    long long seconds = 0;
    struct world *world = t->courier->world;
    arena_init(&arena, (size_t)limits.flush_arena_bytes);
    bool sound = json_parse(&arena, body, &answer, NULL) == 0;
    struct str value = tree_get_text(answer, "access_token"), type = tree_get_text(answer, "token_type");
    struct str expires = tree_get_text(answer, "expires_in");
    if (type.n == 0 || str_eq_nocase(type, STR("bearer")))
        type = STR("Bearer");
    sound = sound && value.n > 0;
    if (sound) {
        struct buf text;
        buf_init(&text, TEXT_MAX);
        buf_format(&text, "%.*s %.*s", STR_ARG(type), STR_ARG(value));
        mem_free(t->value);
        t->value = mem_copy_text(buf_text(&text), text.used);
        bool limited = str_to_i64(expires, &seconds) && seconds > 0 && seconds < INT32_MAX;
        t->expires_ns = limited ? world->mono_ns(world) + (seconds - EARLY_S) * NS_PER_S : INT64_MAX;
        buf_release(&text);
    }
    arena_release(&arena);
    return sound;
}

/* Also when it lives shorter than EARLY_S: who waited for it gets it. */
static void start_all(struct token *t)
{
    struct job *next;
    struct job *waiting = t->waiting;
    t->waiting = NULL;
    t->fetching = t->in_body = false;
    for (struct job *job = waiting; job != NULL; job = next) {
        next = job->next;
        job->bearer = mem_copy_text(t->value, strlen(t->value));
        courier_start(t->courier, job);
    }
}

static void on_token(void *context, const struct net_answer *answer)
{
    struct token *t = context;
    char why[64];
    if (answer->status / 100 == 2 && read_token(t, answer->body)) {
        start_all(t);
    } else if (answer->status / 100 == 4 && !t->in_body) {
        t->in_body = true;
        fetch(t);
    } else if (answer->status == 0) {
        fail_all(t, answer->error.code, "oauth2: no token could be fetched");
    } else {
        snprintf(why, sizeof why, "oauth2: cannot fetch token: %d", answer->status);
        fail_all(t, ERR_AUTH, why);
    }
}

bool courier_token(struct courier *c, struct job *job)
{
    struct token *t = job->bearer == NULL ? find(c, job->request->http->oauth2) : NULL;
    if (t == NULL)
        return true;
    if (t->value != NULL && !t->fetching && c->world->mono_ns(c->world) < t->expires_ns) {
        job->bearer = mem_copy_text(t->value, strlen(t->value));
        return true;
    }
    job->next = t->waiting;
    t->waiting = job;
    if (!t->fetching)
        fetch(t);
    return false;
}

void courier_forget_token(struct courier *c, const struct http_config *http)
{
    if (http != NULL && http->oauth2 != NULL)
        find(c, http->oauth2)->expires_ns = 0;
}

void courier_free_tokens(struct courier *c)
{
    struct token *next;
    for (struct token *t = c->tokens; t != NULL; t = next) {
        next = t->next;
        token_free(t);
    }
    c->tokens = NULL;
}
