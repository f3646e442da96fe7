#include "sigv4_priv.h"

#include "tocsin/calendar.h"
#include "tocsin/sha256.h"

#include <stdio.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
enum { DAY_BYTES = 8 };

void sigv4_date(int64_t unix_s, char date[SIGV4_DATE_BYTES])
{
    struct civil c;
    civil_of(unix_s, 0, 0, &c);
    snprintf(date, SIGV4_DATE_BYTES, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)c.year % 10000,
             (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100, (unsigned)c.minute % 100,
             (unsigned)c.second % 100);
}

/* As it stands in the URL, and escaped once more: that is what all services but S3 compute with. */
static void write_path(struct buf *out, struct str path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/";
    if (path.n == 0)
        buf_char(out, '/');
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '\0' && strchr(plain, path.p[i]) != NULL)
            buf_char(out, path.p[i]);
        else
            buf_format(out, "%%%02X", (unsigned char)path.p[i]);
    }
}

static void write_names(struct buf *out, const struct sigv4 *s)
{
    for (size_t i = 0; i < s->header_count; i++)
        buf_format(out, "%s%.*s", i > 0 ? ";" : "", STR_ARG(s->headers[i].name));
}

static void write_canonical(struct buf *out, const struct sigv4 *s)
{
    char body[SHA256_HEX_BYTES];
    sha256_hex(s->body, body);
    buf_format(out, "%.*s\n", STR_ARG(s->method));
    write_path(out, s->path);
    buf_puts(out, "\n\n"); /* there is no query */
    for (size_t i = 0; i < s->header_count; i++)
        buf_format(out, "%.*s:%.*s\n", STR_ARG(s->headers[i].name), STR_ARG(str_trim(s->headers[i].value)));
    buf_char(out, '\n');
    write_names(out, s);
    buf_format(out, "\n%s", body);
}

static void write_scope(struct buf *out, const struct sigv4 *s)
{
    buf_format(out, "%.*s/%.*s/%.*s/aws4_request", DAY_BYTES, s->date.p, STR_ARG(s->region),
               STR_ARG(s->service));
}

/* A key for this day, region and service alone: each part of the scope signed with what came before. */
static void derive_key(const struct sigv4 *s, struct str first, unsigned char key[SHA256_BYTES])
{
    const struct str parts[] = {{s->date.p, DAY_BYTES}, s->region, s->service, STR("aws4_request")};
    struct str with = first;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        unsigned char next[SHA256_BYTES];
        sha256_hmac(with, parts[i], next);
        memcpy(key, next, sizeof next);
        with = (struct str){(const char *)key, SHA256_BYTES};
    }
}

static void write_signature(struct buf *out, const struct sigv4 *s, struct str canonical)
{
    struct buf text, first;
    char digest[SHA256_HEX_BYTES], signature[SHA256_HEX_BYTES];
    unsigned char key[SHA256_BYTES];
    buf_init(&text, out->max_bytes);
    buf_init(&first, out->max_bytes);
    sha256_hex(canonical, digest);
    buf_format(&text, ALGORITHM "\n%.*s\n", STR_ARG(s->date));
    write_scope(&text, s);
    buf_format(&text, "\n%s", digest);
    buf_format(&first, "AWS4%.*s", STR_ARG(s->secret_key));
    derive_key(s, buf_slice(&first), key);
    sha256_hmac_hex((struct str){(const char *)key, sizeof key}, buf_slice(&text), signature);
    buf_puts(out, signature);
    out->overflow = out->overflow || buf_overflow(&text) || buf_overflow(&first);
    buf_release(&first);
    buf_release(&text);
}

void sigv4_authorize(struct buf *out, const struct sigv4 *s)
{
    struct buf canonical;
    buf_init(&canonical, out->max_bytes);
    write_canonical(&canonical, s);
    out->overflow = out->overflow || buf_overflow(&canonical);
    buf_format(out, ALGORITHM " Credential=%.*s/", STR_ARG(s->access_key));
    write_scope(out, s);
    buf_puts(out, ", SignedHeaders=");
    write_names(out, s);
    buf_puts(out, ", Signature=");
    write_signature(out, s, buf_slice(&canonical));
    buf_release(&canonical);
}
