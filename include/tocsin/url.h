/*
 * url: the parts of a URL, and Go's complaints about a text that is none (net/url), but without its password.
 */
#ifndef TOCSIN_URL_H
#define TOCSIN_URL_H

#include "tocsin/buf.h"
#include "tocsin/err.h"

/* Slices of the text; what is not there is empty. */
struct url {
    struct str scheme;
    struct str user;      /* NAME or NAME:PASSWORD, without the @ */
    struct str authority; /* HOST or HOST:PORT */
    struct str host;      /* without brackets */
    struct str port;      /* digits */
};

/* 0, or ERR_PARSE: parse "http://a b": invalid character " " in host name. */
int url_parse(struct str text, struct url *out, struct err *err);

/* The URL, or what should be one, with xxxxx for a password. */
void url_print_redacted(struct buf *out, struct str text);

#endif
