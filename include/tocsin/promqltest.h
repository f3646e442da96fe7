/*
 * promqltest: Prometheus' test language: load, clear, eval (Prometheus 3.14).
 *
 * A file is a list of blocks; every `eval` statement counts as one case, passed or failed, whatever happens to the others:
 * a statement that cannot be parsed fails alone. Evaluates through the same store and promql as the daemon.
 */
#ifndef TOCSIN_PROMQLTEST_H
#define TOCSIN_PROMQLTEST_H

#include "tocsin/buf.h"
#include "tocsin/promql_parse.h"
#include "tocsin/world.h"

struct promqltest_report {
    uint64_t passed, failed;
    struct buf *detail; /* may be NULL: `FILE:LINE: expression: what differed`, a line per failed case */
};

/* Those that Prometheus' own runner has on: the whole grammar, delayed name removal and start timestamps. */
extern const struct promql_features promqltest_features;

/* Runs one file's text. 0 even when cases fail; ERR_PARSE only if the file cannot be read as blocks at all. */
int promqltest_run(struct world *world, const char *path, struct str text,
                   const struct promql_features *features, struct promqltest_report *report, struct err *err);

/* The series notation `metric{a="b"} 1 2 3+1x4 _ stale` (Prometheus 3.14), shared with rule unit tests: labels, and the samples
 * at start_ms, start_ms + step_ms, ... Lives in the arena. */
struct labels;
struct sample;
int promqltest_series(struct arena *arena, struct str metric, struct str values, int64_t start_ms,
                      int64_t step_ms, struct labels **labels, struct sample **samples, size_t *count,
                      struct err *err);

#endif
