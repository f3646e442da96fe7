/*
 * http: one request and its answer as handlers see them: no sockets, no library, only values.
 *
 * A handler fills the answer and returns; it may use the request's arena, which goes when the answer has been
 * handed over. Whatever it leaves in answer.body is the body. Tests call route_dispatch with a request they
 * made.
 */
#ifndef TOCSIN_SERVE_HTTP_PRIV_H
#define TOCSIN_SERVE_HTTP_PRIV_H

#include "meter_priv.h"
#include "target_priv.h"
#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/limits.h"
#include "tocsin/serve.h"

#include <stdatomic.h>

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_PUT = 8,
    HTTP_DELETE = 16,
    HTTP_OPTIONS = 32
};

/* The bit of a method's name; 0 for one that is not served. */
unsigned http_method_of(struct str name);

/* What all requests share. */
struct service {
    struct serve_parts parts;
    struct str prefix; /* that every path begins with */
    bool lifecycle;
    struct meter *meter;       /* NULL: nobody counts */
    atomic_int queries;        /* evaluations under way, and those that wait for a worker */
    atomic_int waiting_pushes; /* answers that wait for the store's log */
};

struct request {
    struct service *service;
    unsigned method;
    struct target target; /* path and parameters; a form body's are merged in */
    struct str wildcard;  /* what stood for the * of the route */
    struct str body, content_type, content_encoding;
    struct str accept;   /* as the header says it, empty: nothing */
    struct str origin;   /* of the page that asks; empty: no page of another site */
    struct str from;     /* the client's address */
    struct str identity; /* who sends it, if serve_options.identity_header says */
    int64_t queued_ns;   /* since when (mono) it waits for a worker; 0: it did not */
    struct arena *arena;
    const atomic_bool
        *gone; /* nobody waits for the answer any more: evaluations give up; NULL: somebody does */
};

struct answer_header {
    const char *name, *value; /* constant, or in the request's arena */
};

enum { ANSWER_HEADERS_MAX = 12 };

struct answer {
    int status;
    const char *content_type;
    struct buf body;
    struct answer_header headers[ANSWER_HEADERS_MAX];
    size_t header_count;
    uint64_t logged; /* goes out when the store's log is durable up to here; 0: at once */
    bool close;      /* the connection ends after this answer */
};

typedef void handler(struct request *request, struct answer *answer);

struct route {
    const char *path; /* one segment may be *; at the end ** stands for anything */
    unsigned methods;
    handler *handle;
    unsigned flags;
    enum limit_id body_limit; /* LIMIT_COUNT: takes no body */
};

enum route_flag {
    ROUTE_PUSH = 1,   /* a body with a declared length, types checked before it is read */
    ROUTE_FORM = 2,   /* an urlencoded body is merged into the parameters */
    ROUTE_READY = 4,  /* 503 until the process is ready */
    ROUTE_JSON = 8,   /* the body must be called JSON (Alertmanager's 415) */
    ROUTE_SLOW = 16,  /* may take long: a worker runs it */
    ROUTE_CORS = 32,  /* pages of other sites may read the answer */
    ROUTE_OPEN = 128, /* Alertmanager's API: pages of other sites may read it */
    ROUTE_QUERY = 64  /* evaluates PromQL, within query_timeout_ms */
};

/* The most bytes a body for this route may have. */
int64_t route_body_max(const struct route *route);

/* The route of method and path; NULL fills the answer with 404 or 405. Sets request->wildcard. */
const struct route *route_find(struct request *request, struct answer *answer);

/* What can be refused on the headers alone: readiness, types. True: the answer says why. */
bool route_refuses(const struct route *route, const struct request *request, struct answer *answer);

/* Headers that the route's refusals carry, when somebody else refuses the request's body. */
void route_note_refusal(const struct route *route, const struct request *request, struct answer *answer);

/* Replaces the answer of a push whose samples did not become durable: the log has failed, or (late) takes too long. */
void route_refuse_unlogged(const struct request *request, struct answer *answer, bool late);

/* What comes before the handler: merges a form body. False: the answer says why it cannot. */
bool route_prepare(const struct route *route, struct request *request, struct answer *answer);
void route_handle(const struct route *route, struct request *request, struct answer *answer);

/* Both. */
void route_run(const struct route *route, struct request *request, struct answer *answer);

/* The answer to what has waited for a worker until its time was up. */
void route_refuse_waiting(const struct route *route, struct answer *answer);

/* From route_find on: what a socket does with a complete request. */
void route_dispatch(struct request *request, struct answer *answer);

/* Visits the table, for the page that lists it. */
const struct route *route_table(size_t *count);

void answer_init(struct answer *answer);
void answer_release(struct answer *answer);
void answer_header(struct answer *answer, const char *name, const char *value);

/* Replaces whatever the answer held. */
void answer_text(struct answer *answer, int status, const char *text);

/* The body has passed limits.response_bytes: an error instead of half an answer. */
void answer_check_size(struct answer *answer);

/* First value of a parameter; the empty slice if there is none. */
struct str request_param(const struct request *request, const char *name);

/* All values, in the request's arena; *count 0 if none (or the arena is full). */
struct str *request_params(const struct request *request, const char *name, size_t *count);

#endif
