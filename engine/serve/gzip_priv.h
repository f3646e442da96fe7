/*
 * gzip: answers made smaller for clients that ask for it.
 */
#ifndef TOCSIN_SERVE_GZIP_PRIV_H
#define TOCSIN_SERVE_GZIP_PRIV_H

#include "tocsin/buf.h"

/* Below this it does not pay. */
enum { GZIP_BYTES_MIN = 1400 };

/* Whether an Accept-Encoding header takes gzip. */
bool gzip_accepted(struct str accept_encoding);

/* Replaces the content by its compressed form. False: it is as it was. */
bool gzip_body(struct buf *body);

#endif
