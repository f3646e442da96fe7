/*
 * json: the pieces of Prometheus' API answers: envelope, labels, times, results (spec
 * prometheus 6.2, 6.3, 10.5).
 */
#ifndef TOCSIN_SERVE_JSON_PRIV_H
#define TOCSIN_SERVE_JSON_PRIV_H

#include "http_priv.h"
#include "tocsin/promql.h"

enum prom_error {
    PROM_BAD_DATA,
    PROM_EXECUTION,
    PROM_CANCELED,
    PROM_TIMEOUT,
    PROM_INTERNAL,
    PROM_UNAVAILABLE
};

/* The error envelope; replaces what the answer held. */
void prom_error(struct answer *answer, enum prom_error kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* `invalid parameter "name": why` as bad_data. */
void prom_bad_param(struct answer *answer, const char *name, const char *why);

/* A failed parse, check or evaluation: the code decides the kind. */
void prom_failed(struct answer *answer, const struct err *err);

/* {"status":"success","data": ... ; what comes between is the data. */
void prom_begin(struct answer *answer);
void prom_end(struct answer *answer);

/* Warnings and infos beside an answer. */
struct notes {
    const struct annotation *list;
    size_t count;
    bool truncated;         /* the limit cut the result */
    const char *deprecated; /* what a parameter should not say any more; NULL: nothing */
};

/* As prom_end, with the first ten of each kind. */
void prom_end_noted(struct answer *answer, const struct notes *notes);

/* Parameters. False: the answer says what is wrong. A missing one leaves the value alone, unless `required`.
 */
bool prom_time_param(const struct request *request, struct answer *answer, const char *name, bool required,
                     int64_t *ms);
bool prom_duration_param(const struct request *request, struct answer *answer, const char *name,
                         bool required, int64_t *ms);
bool prom_limit_param(const struct request *request, struct answer *answer, size_t *limit); /* 0: none */

/* Unix seconds or RFC 3339; seconds or a duration. ERR_PARSE worded as Prometheus does. */
int prom_parse_time(struct str text, int64_t *ms, struct err *err);
int prom_parse_duration(struct str text, int64_t *ms, struct err *err);

/* A decimal number up to `most`, as Go's strconv.<reader> takes and refuses it. */
int prom_parse_number(struct str text, const char *reader, int64_t most, int64_t *value, struct err *err);

void json_labels(struct buf *out, const struct labels *ls);
void json_seconds(struct buf *out, int64_t t_ms);    /* 1435781430 or 1435781430.100 */
void json_go_time(struct buf *out, int64_t unix_ns); /* quoted; 0: Go's zero time */
void json_strings(struct buf *out, const struct str *items, size_t count);

/* {"resultType":...,"result":... without its closing brace; only the first `series` of a vector or matrix. */
void json_result(struct buf *out, const struct promql_result *result, size_t series);

/* Points of the monotonic clock in the life of a query, and how long it waited for a worker. */
struct query_times {
    int64_t queue_ns;
    int64_t began_ns, prepared_ns, done_ns;
};

/* ,"stats":{...}; steps: step by step, too. */
void json_stats(struct buf *out, const struct promql_stats *stats, const struct query_times *times,
                bool steps);

/* The tree that parse_query answers. */
void json_expr(struct buf *out, const struct expr *e);

#endif
