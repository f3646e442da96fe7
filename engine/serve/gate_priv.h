/*
 * gate: which requests are let in, judged on the request line and headers alone.
 *
 * A pure function, so that every way of smuggling can be a line in a test. It is necessary and not
 * sufficient: the library hides header lines that begin with ':' or NUL. Where a proxy may share one
 * connection between clients the verdict therefore asks for the connection to be closed after the answer.
 */
#ifndef TOCSIN_SERVE_GATE_PRIV_H
#define TOCSIN_SERVE_GATE_PRIV_H

#include "tocsin/str.h"

#include <stdint.h>

struct gate_header {
    struct str name, value;
};

enum { GATE_HEADERS_MAX = 100 };

struct gate_request {
    struct str method, target, version; /* as they came, nothing decoded */
    const struct gate_header *headers;  /* all of them, in order, repeated ones too */
    size_t count;
};

struct gate_verdict {
    int status;         /* 0: let in; else the status to refuse with */
    const char *reason; /* of a refusal */
    bool close;         /* end the connection after the answer */
    bool cross_site;    /* a page of another site sends what may change something */
    bool chunked;
    int64_t length; /* declared body length; -1: none */
};

void gate_check(const struct gate_request *request, struct gate_verdict *verdict);

/* A body is on its way. */
static inline bool gate_has_body(const struct gate_verdict *verdict)
{
    return verdict->chunked || verdict->length > 0;
}

#endif
