/*
 * reply_priv: an answer of HTTP/1 as it comes off a connection, for courier_line.c.
 */
#ifndef TOCSIN_REPLY_PRIV_H
#define TOCSIN_REPLY_PRIV_H

#include "tocsin/buf.h"

#include <stdbool.h>

enum reply_state {
    REPLY_PART,  /* more is to come */
    REPLY_WHOLE, /* or as much of it as is wanted */
    REPLY_BAD    /* it is none, or ends too early */
};

struct reply {
    int status;
    struct str head; /* its lines behind the first, in what was read */
    bool keeps;      /* the connection may carry another request */
};

/* What was read so far, which begins with the answer; closed: no more will come. The body goes into a buffer that is emptied first, as
 * far as it has room. Answers of 100 to 199 that come before the answer itself are passed over. */
enum reply_state reply_read(struct str bytes, bool closed, struct buf *body, struct reply *reply);

/* The next line of a head, its name and value cut apart and trimmed. False: there is none. */
bool reply_next_header(struct str *head, struct str *name, struct str *value);

#endif
