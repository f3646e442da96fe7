/*
 * mail_priv: what a mail is made of (RFC 5322, 2045, 2047): addresses, headers, parts. Everything that is written is plain ASCII, but for
 * addresses that are not (UTF-8 then, RFC 6532), in lines that end in CRLF; whatever a value holds, it stays within its own header or part.
 */
#ifndef TOCSIN_MAIL_PRIV_H
#define TOCSIN_MAIL_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/err.h"

struct mail_address {
    struct str name; /* without its quotes; may be empty */
    struct str spec; /* as it stands between < and > */
};

struct mail_addresses {
    struct mail_address *items;
    size_t count;
};

/* A list as To has it: NAME <a@b>, "N, M" <a@b>, a@b (comment). At least one; groups are none. ERR_PARSE, ERR_LIMIT. */
int mail_addresses_parse(struct arena *arena, struct str text, struct mail_addresses *out, struct err *err);

/* Go's textproto.CanonicalMIMEHeaderKey: reply-TO is Reply-To. What could not be a header's name stays as it is. */
struct str mail_header_name(struct arena *arena, struct str name);
bool mail_is_header_name(struct str name);

/* One header. Control characters become blanks; what is not ASCII, or too long for a line, becomes encoded words. */
void mail_header(struct buf *out, struct str name, struct str value);

/* The same, of a header that holds addresses: of those only the names are encoded. */
void mail_header_addresses(struct buf *out, struct str name, struct str value);

/* quoted-printable, as Go writes it. */
void mail_quoted_printable(struct buf *out, struct str text);

#endif
