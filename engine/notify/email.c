#include "email_priv.h"

#include <stdlib.h>

/* ---- fields ---- */

static void read_tls(struct strict *s, const struct tree *node, void *target)
{
    struct http_tls *tls = tree_is_null(node) ? NULL : ARENA_NEW(s->arena, struct http_tls);
    if (tls != NULL)
        http_read_tls(s, node, tls);
    *(const struct http_tls **)target = tls;
}

static void print_tls(struct buf *out, int indent, const struct field *field, const void *value)
{
    const struct http_tls *tls = *(const struct http_tls *const *)value;
    if (tls != NULL)
        http_print_tls(out, indent, field->key, tls);
}

static const struct field_type FIELD_tls = {read_tls, NULL, print_tls};
static void print_host_port(struct buf *out, int indent, const struct field *field, const void *value)
{
    FIELD_text.print(out, indent, field, value);
}

static const struct field_type FIELD_host_port = {am_host_port_text, NULL, print_host_port};

static void check_threading(struct strict *s, const struct tree *node, void *target)
{
    const struct email_threading *threading = target;
    if (threading->enabled && !str_is(threading->thread_by_date, "none") &&
        !str_is(threading->thread_by_date, "daily"))
        strict_fail(s, node, "threading.thread_by_date must be either 'none' or 'daily'");
}

static const struct field threading_fields[] = {
    {FIELD(email_threading, enabled, bool)},
    {FIELD(email_threading, thread_by_date, text)},
    {.key = NULL},
};

static const struct shape threading_shape = {"config.plain", NULL, sizeof(struct email_threading),
                                             threading_fields, check_threading};

static const struct field fields[] = {
    {.key = "send_resolved",
     .type = &FIELD_bool,
     .offset = offsetof(struct email, base.send_resolved),
     .given = "false"},
    {FIELD(email, to, template)},
    {FIELD(email, from, template)},
    {FIELD(email, hello, text)},
    {FIELD(email, smarthost, host_port)},
    {FIELD(email, auth_username, text)},
    {FIELD(email, auth_password, secret)},
    {FIELD(email, auth_password_file, text)},
    {FIELD(email, auth_secret, secret)},
    {FIELD(email, auth_secret_file, text)},
    {FIELD(email, auth_identity, text)},
    {FIELD(email, headers, templates)},
    {FIELD(email, html, template), .given = "{{ template \"email.default.html\" . }}"},
    {FIELD(email, text, template)},
    {FIELD(email, require_tls, maybe)},
    {FIELD(email, tls_config, tls)},
    {FIELD(email, force_implicit_tls, maybe)},
    {FIELD(email, threading, struct), .shape = &threading_shape},
    {.key = NULL},
};

/* ---- what contradicts itself ---- */

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static bool has_header(const struct email *email, const char *name)
{
    for (size_t i = 0; i < email->headers.count; i++) {
        if (str_is(email->headers.items[i].name, name))
            return true;
    }
    return false;
}

static void check_headers(struct strict *s, const struct tree *place, struct strict_pairs *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        struct str *name = &headers->items[i].name;
        if (!mail_is_header_name(*name))
            strict_fail(s, place, "invalid header \"%.*s\" in email config", STR_ARG(*name));
        *name = mail_header_name(s->arena, *name);
    }
    if (headers->count > 0)
        qsort(headers->items, headers->count, sizeof *headers->items, by_name);
    for (size_t i = 1; i < headers->count; i++) {
        struct str name = headers->items[i].name;
        if (str_eq(name, headers->items[i - 1].name))
            strict_fail(s, place, "duplicate header \"%.*s\" in email config", STR_ARG(name));
    }
}

static void check_thread_headers(struct strict *s, const struct tree *node, const struct email *email)
{
    static const char *const own[] = {"References", "In-Reply-To"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (email->threading != NULL && email->threading->enabled && has_header(email, own[i]))
            strict_fail(s, node,
                        "conflicting configuration: threading.enabled conflicts with custom %s header",
                        own[i]);
    }
}

/* A password beside its file is not refused here, unlike in all other settings: the file counts. */
static void check(struct strict *s, const struct tree *node, void *target)
{
    struct email *email = target;
    if (email->to.n == 0)
        strict_fail(s, node, "missing to address in email config");
    const struct tree *headers = tree_get(node, "headers");
    check_headers(s, headers != NULL ? headers : node, &email->headers);
    check_thread_headers(s, node, email);
}

/* ---- what the globals say ---- */

static void inherit_text(struct str *own, struct str global)
{
    if (own->n == 0)
        *own = global;
}

static void inherit_secret(struct str *own, struct str *own_file, struct str global, struct str global_file)
{
    if (own->n + own_file->n > 0)
        return;
    *own = global;
    *own_file = global_file;
}

static void inherit_tls(const struct inheritance *in, struct email *email)
{
    /* It is the reader's own until the configuration is handed out. */
    struct http_tls *own = (struct http_tls *)(uintptr_t)email->tls_config;
    if (own != NULL)
        http_join_tls(in->strict->arena, own, in->folder);
    else
        email->tls_config =
            arena_copy(in->strict->arena, &in->globals->smtp_tls, 1, sizeof in->globals->smtp_tls);
}

/* Alertmanager shows them as if they had been written. */
static void add_headers(struct strict *s, struct email *email)
{
    const struct label given[] = {{STR("From"), email->from},
                                  {STR("Subject"), STR("{{ template \"email.default.subject\" . }}")},
                                  {STR("To"), email->to}};
    enum { GIVEN = sizeof given / sizeof *given };
    struct label *items = ARENA_ARRAY(s->arena, struct label, email->headers.count + GIVEN);
    size_t count = email->headers.count;
    if (items == NULL)
        return;
    if (count > 0)
        memcpy(items, email->headers.items, count * sizeof *items);
    for (size_t i = 0; i < GIVEN; i++) {
        if (!has_header(email, given[i].name.p))
            items[count++] = given[i];
    }
    qsort(items, count, sizeof *items, by_name);
    email->headers = (struct strict_pairs){items, count};
}

/* It becomes part of a URL. */
static bool smarthost_is_sound(struct str smarthost)
{
    size_t digits = 0;
    while (digits < smarthost.n && smarthost.p[smarthost.n - 1 - digits] >= '0' &&
           smarthost.p[smarthost.n - 1 - digits] <= '9')
        digits++;
    for (size_t i = 0; i < smarthost.n; i++) {
        char c = smarthost.p[i];
        if (c <= ' ' || c == 0x7f || strchr("/@?#%\\\"<>", c) != NULL)
            return false;
    }
    return digits > 0 && digits < 6 && smarthost.n > digits + 1 &&
           smarthost.p[smarthost.n - 1 - digits] == ':';
}

static void check_servers(struct strict *s, const struct email *email)
{
    const struct tree *place = email->base.place;
    if (email->smarthost.n == 0)
        strict_fail(s, place, "no global SMTP smarthost set");
    if (email->from.n == 0)
        strict_fail(s, place, "no global SMTP from set");
    if (!smarthost_is_sound(email->smarthost))
        strict_fail(s, place, "address %.*s: not HOST:PORT with a port from 1 to 65535",
                    STR_ARG(email->smarthost));
    for (size_t i = 0; i < email->hello.n; i++) {
        if (email->hello.p[i] <= ' ' || email->hello.p[i] == 0x7f)
            strict_fail(s, place, "hello is not a host's name");
    }
}

static void inherit(const struct inheritance *in, struct integration *integration)
{
    struct email *email = (struct email *)integration;
    const struct str *globals = in->globals->text;
    inherit_text(&email->smarthost, globals[AM_GLOBAL_smtp_smarthost]);
    inherit_text(&email->from, globals[AM_GLOBAL_smtp_from]);
    inherit_text(&email->hello, globals[AM_GLOBAL_smtp_hello]);
    inherit_text(&email->auth_username, globals[AM_GLOBAL_smtp_auth_username]);
    inherit_text(&email->auth_identity, globals[AM_GLOBAL_smtp_auth_identity]);
    inherit_text(&email->require_tls, globals[AM_GLOBAL_smtp_require_tls]);
    inherit_text(&email->force_implicit_tls, globals[AM_GLOBAL_smtp_force_implicit_tls]);
    inherit_secret(&email->auth_password, &email->auth_password_file, globals[AM_GLOBAL_smtp_auth_password],
                   globals[AM_GLOBAL_smtp_auth_password_file]);
    inherit_secret(&email->auth_secret, &email->auth_secret_file, globals[AM_GLOBAL_smtp_auth_secret],
                   globals[AM_GLOBAL_smtp_auth_secret_file]);
    inherit_tls(in, email);
    check_servers(in->strict, email);
    field_check_template(in->strict, integration->place, email->from);
    add_headers(in->strict, email);
}

const struct integration_kind integration_email = {
    .key = "email_configs",
    .name = "email",
    .missing = "missing email config",
    .shape = {"config.plain", "[]*config.EmailConfig", sizeof(struct email), fields, check},
    .inherit = inherit,
    .request = email_request,
    .judge = email_judge,
};
