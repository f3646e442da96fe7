/*
 * sigv4_priv: AWS' Signature Version 4, in headers, of requests without a query.
 *
 *   struct sigv4 s = {.access_key = ..., .headers = {content-type, host, x-amz-date}, ...};
 *   sigv4_date(unix_s, date);
 *   sigv4_authorize(&value, &s);
 */
#ifndef TOCSIN_NOTIFY_SIGV4_PRIV_H
#define TOCSIN_NOTIFY_SIGV4_PRIV_H

#include "tocsin/buf.h"
#include "tocsin/labels.h"

struct sigv4 {
    struct str access_key, secret_key, region, service;
    struct str date; /* that of x-amz-date */
    struct str method;
    struct str path;             /* as it stands in the URL; empty: / */
    const struct label *headers; /* all that are signed, host and x-amz-date among them: lower case, sorted */
    size_t header_count;
    struct str body;
};

/* 20150830T123600Z, with a NUL. */
enum { SIGV4_DATE_BYTES = 17 };
void sigv4_date(int64_t unix_s, char date[SIGV4_DATE_BYTES]);

/* Appends the value of the header Authorization; out overflows where there is no room to compute it. */
void sigv4_authorize(struct buf *out, const struct sigv4 *s);

#endif
