#include "email_priv.h"

#include "tocsin/limits.h"

#include <time.h>

enum { THREAD_DIGITS = 16, BOUNDARY_DIGITS = 60, STAMP_BYTES = 64 };

/* ---- whom it goes to, and how ---- */

static const char *text_of(struct exchange *x, struct str s)
{
    return s.n > 0 ? arena_copy_text(x->arena, s.p, s.n) : NULL;
}

static struct mail_addresses addresses(struct exchange *x, const char *what, struct str source)
{
    struct mail_addresses list = {0};
    struct err why;
    struct str text = exchange_text(x, source);
    int rc = x->rc == 0 ? mail_addresses_parse(x->arena, text, &list, &why) : 0;
    if (rc != 0)
        exchange_fail(x, rc, "parse %s addresses: %s", what, why.text);
    return list;
}

static void set_recipients(struct exchange *x, const struct email *email, struct net_mail *mail)
{
    struct mail_addresses from = addresses(x, "from", email->from), to = addresses(x, "to", email->to);
    const char **specs = ARENA_ARRAY(x->arena, const char *, to.count + 1);
    if (x->rc != 0 || specs == NULL)
        return;
    if (from.count != 1) {
        exchange_fail(x, ERR_ARG, "must be exactly one from address (got: %zu)", from.count);
        return;
    }
    for (size_t i = 0; i < to.count; i++)
        specs[i] = text_of(x, to.items[i].spec);
    mail->from = text_of(x, from.items[0].spec);
    mail->to = specs;
    mail->to_count = to.count;
}

static struct str host_of(const struct email *email)
{
    size_t n = email->smarthost.n;
    while (n > 0 && email->smarthost.p[n - 1] != ':')
        n--;
    return (struct str){email->smarthost.p, n - 1};
}

static bool is_implicit(const struct email *email)
{
    if (email->force_implicit_tls.n > 0)
        return str_is(email->force_implicit_tls, "true");
    return str_ends(email->smarthost, STR(":465"));
}

/* As Go's: PLAIN goes out unencrypted to this machine alone. */
static bool may_be_plain(const struct email *email)
{
    struct str host = host_of(email);
    return is_implicit(email) || str_is(email->require_tls, "true") || str_is(host, "localhost") ||
           str_is(host, "127.0.0.1") || str_is(host, "[::1]");
}

static void set_login(struct exchange *x, const struct email *email, struct net_mail *mail)
{
    if (email->auth_username.n == 0)
        return;
    mail->user = text_of(x, email->auth_username);
    mail->identity = text_of(x, email->auth_identity);
    mail->password = text_of(x, exchange_secret(x, email->auth_password, email->auth_password_file));
    mail->secret = text_of(x, exchange_secret(x, email->auth_secret, email->auth_secret_file));
    mail->plain = may_be_plain(email);
}

static void set_url(struct exchange *x, const struct email *email)
{
    struct buf hello;
    struct str name = email->hello.n > 0 ? email->hello : STR("localhost");
    buf_init(&hello, (size_t)limits.header_bytes);
    for (size_t i = 0; i < name.n; i++)
        buf_format(&hello, "%%%02X", (unsigned char)name.p[i]);
    exchange_url(x, "smarthost",
                 exchange_format(x, "%s://%.*s/%s", is_implicit(email) ? "smtps" : "smtp",
                                 STR_ARG(email->smarthost), buf_text(&hello)));
    buf_release(&hello);
}

/* ---- what it says ---- */

static void add_random(struct exchange *x, struct buf *out, size_t digits)
{
    for (size_t i = 0; i < digits; i += 4)
        buf_format(out, "%04x", (unsigned)(x->world->random(x->world) >> 48));
}

static void stamp(int64_t at_ns, const char *format, char *out)
{
    time_t seconds = (time_t)(at_ns / NS_PER_S);
    struct tm t;
    gmtime_r(&seconds, &t);
    if (strftime(out, STAMP_BYTES, format, &t) == 0)
        *out = '\0';
}

/* strftime's names would be the locale's. */
static void add_date(struct buf *out, int64_t now_ns)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(now_ns / NS_PER_S);
    struct tm t;
    gmtime_r(&seconds, &t);
    buf_format(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday,
               months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static bool holds_addresses(struct str name)
{
    static const char *const names[] = {"To", "From", "Cc", "Bcc", "Reply-To", "Sender"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_is(name, names[i]))
            return true;
    }
    return false;
}

/* These describe the body, which is ours. */
static bool is_of_the_body(struct str name)
{
    return str_is(name, "Content-Type") || str_is(name, "Mime-Version") ||
           str_is(name, "Content-Transfer-Encoding");
}

static bool has_header(const struct email *email, const char *name)
{
    for (size_t i = 0; i < email->headers.count; i++) {
        if (str_is(email->headers.items[i].name, name))
            return true;
    }
    return false;
}

static void add_configured(struct exchange *x, const struct email *email)
{
    for (size_t i = 0; i < email->headers.count; i++) {
        const struct label *header = &email->headers.items[i];
        if (is_of_the_body(header->name))
            continue;
        struct str value = exchange_text(x, header->value);
        (holds_addresses(header->name) ? mail_header_addresses : mail_header)(&x->body, header->name, value);
    }
}

/* A name of its own that no other mail has; after the @ the sender's domain, as is usual. */
static void add_message_id(struct exchange *x, const char *from, int64_t now_ns)
{
    const char *domain = from != NULL ? strrchr(from, '@') : NULL;
    buf_format(&x->body, "Message-Id: <%lld.", (long long)now_ns);
    add_random(x, &x->body, 16);
    buf_format(&x->body, "%s>\r\n", domain != NULL ? domain : "");
}

/* All mails of a group, or of a group and a day, answer one that never was: so mail programs show them together. */
static void add_thread(struct exchange *x, const struct email *email, int64_t now_ns)
{
    char day[STAMP_BYTES] = "";
    struct str hash = exchange_group_hash(x);
    if (email->threading == NULL || !email->threading->enabled || hash.n < THREAD_DIGITS)
        return;
    if (str_is(email->threading->thread_by_date, "daily"))
        stamp(now_ns, "%Y-%m-%d", day);
    struct str id = exchange_format(x, "<alert-%.*s-%s@alertmanager>", THREAD_DIGITS, hash.p, day);
    mail_header(&x->body, STR("References"), id);
    mail_header(&x->body, STR("In-Reply-To"), id);
}

static void add_headers(struct exchange *x, const struct email *email, const char *from, const char *boundary)
{
    int64_t now_ns = x->world->wall_ns(x->world);
    add_configured(x, email);
    if (!has_header(email, "Message-Id"))
        add_message_id(x, from, now_ns);
    add_thread(x, email, now_ns);
    if (!has_header(email, "Date"))
        add_date(&x->body, now_ns);
    buf_format(&x->body, "Content-Type: multipart/alternative;  boundary=%s\r\nMIME-Version: 1.0\r\n\r\n",
               boundary);
}

static void add_part(struct exchange *x, const char *boundary, const char *type, struct str text)
{
    buf_format(
        &x->body,
        "--%s\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: %s; charset=UTF-8\r\n\r\n",
        boundary, type);
    mail_quoted_printable(&x->body, text);
    buf_puts(&x->body, "\r\n");
}

/* A mail without any text would not be one. */
static void add_parts(struct exchange *x, const struct email *email, const char *boundary)
{
    if (email->text.n > 0 || email->html.n == 0)
        add_part(x, boundary, "text/plain", exchange_text(x, email->text));
    if (email->html.n > 0)
        add_part(x, boundary, "text/html", exchange_html(x, email->html));
    buf_format(&x->body, "--%s--\r\n", boundary);
}

/* ---- all of it ---- */

void email_request(struct exchange *x)
{
    const struct email *email = EXCHANGE_SETTINGS(x, struct email);
    struct net_mail *mail = ARENA_NEW(x->arena, struct net_mail);
    struct buf boundary;
    if (mail == NULL)
        return;
    *mail = (struct net_mail){.starttls = !is_implicit(email) && str_is(email->require_tls, "true"),
                              .tls = email->tls_config};
    set_url(x, email);
    set_recipients(x, email, mail);
    set_login(x, email, mail);
    buf_init(&boundary, STAMP_BYTES * 2);
    add_random(x, &boundary, BOUNDARY_DIGITS);
    add_headers(x, email, mail->from, buf_text(&boundary));
    add_parts(x, email, buf_text(&boundary));
    buf_release(&boundary);
    x->request.http = NULL;
    x->request.mail = mail;
}

/* 4xx asks to try again, 5xx not to. */
enum exchange_verdict email_judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    (void)x;
    if (answer->status == 0) {
        *err = answer->error;
        return EXCHANGE_RETRY;
    }
    if (answer->status < 300)
        return EXCHANGE_DONE;
    err_set(err, ERR_IO, "the mail server refused: %.*s", STR_ARG(answer->body));
    return answer->status >= 500 ? EXCHANGE_REFUSED : EXCHANGE_RETRY;
}
