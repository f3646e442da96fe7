/*
 * duration: Prometheus' durations ("1h30m", y w d h m s ms) and Go's ("1.5s", "100us").
 */
#ifndef TOCSIN_DURATION_H
#define TOCSIN_DURATION_H

#include "tocsin/buf.h"
#include "tocsin/err.h"

#include <stdint.h>

/* Integer + unit, units from large to small, each at most once; also bare "0". No sign. 1d=24h, 1w=7d, 1y=365d.
 * ERR_PARSE: `not a valid duration string: "x"`, `empty duration string`, `duration out of range`. */
int duration_parse(struct str text, int64_t *ms, struct err *err);

/* 0 -> 0s; y, then w only if they divide exactly; then d h m s ms (Prometheus 3.14). Negative: '-' in front. */
void duration_print(struct buf *out, int64_t ms);

/* time.ParseDuration: [-+] then decimal + unit (ns us ms s m h), repeated; "0". ERR_PARSE as Go words it. */
int go_duration_parse(struct str text, int64_t *ns, struct err *err);

/* time.Duration.String: 1m30s, 1.5s, 100ms, 0s. */
void go_duration_print(struct buf *out, int64_t ns);

#endif
