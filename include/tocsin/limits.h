/*
 * limits: every maximum in the program, in one table: name, default, unit, what it bounds.
 *
 * Reaching a limit fails that unit of work with ERR_LIMIT and is counted (limit_hit) as
 * tocsin_limit_hits_total{limit="name"}; it never crashes. Who runs the program may set each of them within a range that
 * keeps the program sound (limits_set; `limits:` in tocsin.yml).
 */
#ifndef TOCSIN_LIMITS_H
#define TOCSIN_LIMITS_H

#include "tocsin/buf.h"
#include "tocsin/err.h"

#include <stdint.h>

#define LIMIT_TABLE(LIMIT)                                                                                 \
    /* remote write: one push */                                                                           \
    LIMIT(push_body_bytes, 4 << 20, "bytes", "compressed body of one push")                                \
    LIMIT(push_decoded_bytes, 32 << 20, "bytes", "declared length of the decompressed push")               \
    LIMIT(push_ratio, 22, "times", "declared length over compressed length; snappy's best is 21.34")       \
    LIMIT(push_arena_bytes, 64 << 20, "bytes", "memory to decode one push")                                \
    LIMIT(push_series, 50000, "series", "series in one push")                                              \
    LIMIT(push_samples, 500000, "samples", "samples in one push")                                          \
    LIMIT(push_fields, 4 << 20, "fields",                                                                  \
          "protobuf fields of one push and its series; honest ones have eight bytes or more")              \
    LIMIT(labels_per_series, 128, "labels", "labels of one series")                                        \
    LIMIT(label_name_bytes, 256, "bytes", "one label name")                                                \
    LIMIT(label_value_bytes, 4096, "bytes", "one label value")                                             \
    LIMIT(in_flight_bytes, 256 << 20, "bytes", "bodies and arenas of all pushes under way")                \
    /* store */                                                                                            \
    LIMIT(series, 1000000, "series", "series held")                                                        \
    LIMIT(series_per_identity, 1000000, "series", "series made by one sender; unless set: series")         \
    LIMIT(store_bytes, 8LL << 30, "bytes", "memory for series and samples")                                \
    LIMIT(future_ms, 600000, "ms", "how far ahead of now a sample may be")                                 \
    LIMIT(wal_buffer_bytes, 64 << 20, "bytes", "what waits to be written to the log")                      \
    LIMIT(wal_segment_bytes, 16 << 20, "bytes", "one file of the log; a larger record has one of its own") \
    LIMIT(wal_replay_bytes, 64 << 20, "bytes", "log behind a snapshot, unless the snapshot is larger")     \
    LIMIT(exemplars, 100000, "exemplars", "exemplars held; beyond that the one that came first goes")      \
    LIMIT(exemplars_per_series, 10, "exemplars", "exemplars of one series, its last")                      \
    LIMIT(metadata_families, 100000, "families", "metric families whose type, help and unit are held")     \
    LIMIT(metadata_per_family, 10, "meanings", "different meanings of one metric family")                  \
    LIMIT(metadata_text_bytes, 1024, "bytes", "name, help or unit of one metric family")                   \
    LIMIT(budget_slices, 50000000, "slices", "slices of all budgets held, at 17 bytes")                    \
    LIMIT(standing_selectors, 200000, "selectors", "different selectors that rules and SLOs may announce") \
    /* queries */                                                                                          \
    LIMIT(query_text_bytes, 64 << 10, "bytes", "text of one expression")                                   \
    LIMIT(query_depth, 128, "levels", "nesting of one expression")                                         \
    LIMIT(query_nodes, 20000, "nodes", "parts of one expression")                                          \
    LIMIT(query_samples, 50000000, "samples", "samples held by one evaluation")                            \
    LIMIT(query_arena_bytes, 1LL << 30, "bytes", "memory of one evaluation")                               \
    LIMIT(query_timeout_ms, 120000, "ms", "one evaluation")                                                \
    LIMIT(query_points, 11000, "points", "steps of one range query")                                       \
    LIMIT(queries_concurrent, 20, "queries",                                                               \
          "evaluations at once over HTTP, but never more than there are threads for; others wait")         \
    LIMIT(regex_program_bytes, 32 << 20, "bytes", "one compiled regular expression")                       \
    LIMIT(regex_text_bytes, 16 << 10, "bytes", "text of one regular expression")                           \
    /* files */                                                                                            \
    LIMIT(yaml_bytes, 8 << 20, "bytes", "one YAML file")                                                   \
    LIMIT(yaml_depth, 64, "levels", "nesting in a YAML file")                                              \
    LIMIT(yaml_nodes, 2000000, "nodes", "nodes of one YAML file, aliases expanded")                        \
    LIMIT(yaml_alias_nodes, 10000, "nodes", "nodes that come from aliases")                                \
    LIMIT(json_bytes, 16 << 20, "bytes", "one JSON body")                                                  \
    LIMIT(json_depth, 64, "levels", "nesting in a JSON body")                                              \
    LIMIT(generation_arena_bytes, 512 << 20, "bytes", "memory of one loaded configuration")                \
    /* templates */                                                                                        \
    LIMIT(template_output_bytes, 1 << 20, "bytes", "what one template may print")                          \
    LIMIT(template_steps, 100000, "steps", "what one template may do")                                     \
    LIMIT(template_depth, 32, "levels", "nesting and calls of templates")                                  \
    LIMIT(template_arena_bytes, 16 << 20, "bytes", "memory of one template run")                           \
    /* paging */                                                                                           \
    LIMIT(alerts, 500000, "alerts", "alerts the router holds")                                             \
    LIMIT(alert_bytes, 1LL << 30, "bytes", "labels, annotations and URLs of the alerts the router holds")  \
    LIMIT(alert_groups, 100000, "groups", "aggregation groups the router holds")                           \
    LIMIT(trail_bytes, 64 << 20, "bytes", "what was decided about alerts; the oldest give way")            \
    LIMIT(silences, 100000, "silences", "silences, expired ones included for five days")                   \
    LIMIT(silence_bytes, 64 << 10, "bytes", "one silence, as Alertmanager counts its bytes")               \
    LIMIT(alert_queue, 100000, "alerts", "alert events on their way to the router")                        \
    LIMIT(forward_queue, 10000, "alerts", "alerts waiting for one Alertmanager; the oldest give way")      \
    LIMIT(remote_write_bytes, 64 << 20, "bytes",                                                           \
          "samples waiting for one remote_write target; the oldest give way")                              \
    LIMIT(forward_targets, 100, "targets", "Alertmanagers that alerts are sent to")                        \
    LIMIT(page_queue, 10000, "pages", "rendered pages on their way out")                                   \
    LIMIT(flush_arena_bytes, 64 << 20, "bytes", "memory to render one notification")                       \
    LIMIT(answer_bytes, 64 << 10, "bytes", "what is read of a receiver's answer")                          \
    LIMIT(connect_ms, 5000, "ms", "connecting to a receiver")                                              \
    LIMIT(send_ms, 10000, "ms", "one outgoing request in all")                                             \
    /* http */                                                                                             \
    LIMIT(connections, 512, "connections", "clients at once")                                              \
    LIMIT(connections_per_address, 64, "connections", "clients at once from one address")                  \
    LIMIT(header_bytes, 32 << 10, "bytes", "headers of one request")                                       \
    LIMIT(header_ms, 10000, "ms", "from the first byte to the end of the headers")                         \
    LIMIT(body_ms, 30000, "ms", "a request's body, absolute")                                              \
    LIMIT(commit_ms, 20000, "ms", "how long the answer to a push waits for the log")                       \
    LIMIT(form_bytes, 1 << 20, "bytes", "a form body")                                                     \
    LIMIT(response_bytes, 256 << 20, "bytes", "one answer")

struct limits {
#define LIMIT(name, value, unit, help) int64_t name;
    LIMIT_TABLE(LIMIT)
#undef LIMIT
};

enum limit_id {
#define LIMIT(name, value, unit, help) LIMIT_##name,
    LIMIT_TABLE(LIMIT)
#undef LIMIT
        LIMIT_COUNT
};

/* The limits in force. Set before threads start, constant afterwards. */
extern struct limits limits;

extern const struct limits limits_default;

/* Sets one by its name. ERR_NOT_FOUND: there is no such limit; ERR_ARG with the reason: less than 1, or more than its unit allows:
 * 1 TiB, a week, 2^30 things. Levels of nesting and labels may only be lowered: stacks and tables are made for the defaults. */
int limits_set(struct limits *to, struct str name, int64_t value, struct err *err);

/* Pushes that are decoded at once, one for each thread that serves HTTP, and what they may take beside their bodies. */
enum { PUSHES_AT_ONCE = 2 };

static inline int64_t limits_pushes_bytes(const struct limits *l)
{
    return PUSHES_AT_ONCE * (l->push_decoded_bytes + l->push_arena_bytes);
}

/* Limits that need each other: 0, or ERR_ARG with the reason. */
int limits_check(const struct limits *set, struct err *err);

/* Counts one hit; call it where the refusal happens. Thread-safe. */
void limit_hit(enum limit_id id);
uint64_t limit_hits(enum limit_id id);

/* Writes tocsin_limit and tocsin_limit_hits_total in Prometheus' text format. */
void limits_write_metrics(struct buf *out);

#endif
