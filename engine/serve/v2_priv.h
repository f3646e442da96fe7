/*
 * v2: what the handlers of Alertmanager's API v2 share (Alertmanager 0.34).
 */
#ifndef TOCSIN_SERVE_V2_PRIV_H
#define TOCSIN_SERVE_V2_PRIV_H

#include "http_priv.h"
#include "tocsin/labels.h"

/* The version whose API this is; clients compare it with their own. */
#define AM_VERSION "0.34.0"

/* A refusal of a handler: the text as a JSON string. */
void v2_refuse(struct answer *answer, int status, struct str text);

/* A refusal of the schema: {"code":...,"message":...}. */
void v2_schema_error(struct answer *answer, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* False after answering 404: this process has no router. */
bool v2_has_router(const struct request *request, struct answer *answer);

/* Quoted, three decimals, in the zone it was posted in. */
void v2_time(struct buf *out, int64_t unix_ns, int32_t zone_s);

#endif
