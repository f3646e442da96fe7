/*
 * v2: what the handlers of Alertmanager's API v2 share (Alertmanager 0.34).
 */
#ifndef TOCSIN_SERVE_V2_PRIV_H
#define TOCSIN_SERVE_V2_PRIV_H

#include "http_priv.h"
#include "tocsin/labels.h"
#include "tocsin/matcher.h"
#include "tocsin/tree.h"

/* The version whose API this is; clients compare it with their own. */
#define AM_VERSION "0.34.0"

/* A refusal of a handler: the text as a JSON string. */
void v2_refuse(struct answer *answer, int status, struct str text);

/* A refusal of the schema: {"code":...,"message":...}. */
void v2_schema_error(struct answer *answer, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* False after answering 404: this process has no router. */
bool v2_has_router(const struct request *request, struct answer *answer);

/* A parameter that says true or false, as Alertmanager's clients spell it; empty is true, as all of them are unless they are said;
 * anything else is false. */
bool v2_flag(const struct request *request, const char *name);

/* Matchers that stand in a parameter, one each time it is given; for matchers_release. */
struct v2_matchers {
    struct matcher *items;
    size_t count;
};
int v2_take_matchers(const struct request *request, const char *name, struct v2_matchers *out,
                     struct err *err);
void v2_release_matchers(struct v2_matchers *ms);

/* A body on its way into values; what it refuses is what the wire format demands, in the words of Alertmanager's schema. */
struct v2_body {
    struct request *request;
    struct answer *answer;
    const char *what; /* it should hold: "alerts" */
};

/* False: answered 400 with the reason, or 422. */
bool v2_bad_body(const struct v2_body *body, const char *why);
bool v2_read_body(const struct v2_body *body, struct tree **root);
bool v2_is_text(const struct tree *node);
/* An object of strings; an absent one is the empty set. texts: they may be empty. */
bool v2_take_labels(const struct v2_body *body, const struct tree *node, bool texts, struct labels **out);
/* RFC 3339, with the zone it was said in. Go's zero time and no time at all are both 0. */
bool v2_take_time(const struct v2_body *body, const struct tree *node, int64_t *ns, int32_t *zone_s);

/* Quoted, three decimals, in the zone it was posted in. */
void v2_time(struct buf *out, int64_t unix_ns, int32_t zone_s);

#endif
