/*
 * gotext: numbers and strings as Go prints and reads them, to the digit.
 *
 * Users compare these byte for byte (Prometheus 3.14). C's printf differs in nan/inf, in exponents and
 * in having no "shortest digits that read back the same".
 */
#ifndef TOCSIN_GOTEXT_H
#define TOCSIN_GOTEXT_H

#include "tocsin/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* strconv.FormatFloat(v, form, precision, 64): form 'f', 'e', 'E', 'g' or 'G'; precision -1: the shortest digits
 * that round-trip, and then 'g' takes the exponent form iff the decimal exponent is < -4 or >= 6. That is also
 * fmt's %v and %g: one million prints as 1e+06. Always NaN, +Inf, -Inf. */
void go_float(struct buf *out, double v, char form, int precision);

/* A sample value in Prometheus' JSON: 'f' form unless |v| < 1e-6 or >= 1e21, then 'e' with Go's exponent. */
void go_float_json(struct buf *out, double v);

/* strconv.ParseFloat(s, 64), whole string: decimal, exponent, hex float, inf/infinity/nan in any case,
 * underscores only between digits or behind a base prefix (1_000.5 is fine). False too when it is out of
 * range. */
bool go_parse_float(struct str s, double *v);

/* strconv.ParseInt(s, 0, 64): sign, 0x 0o 0b and leading-0 octal, underscores as in Go literals. */
bool go_parse_int(struct str s, int64_t *v);

/* Go's unicode.IsPrint, Unicode 15.0: letters, marks, numbers, punctuation, symbols and the plain blank. */
bool rune_is_printable(int rune);

/* Writes a rune as UTF-8; returns how many bytes it took, at most four. */
size_t rune_encode(int rune, char *to);

/* strconv.Quote. */
void go_quote(struct buf *out, struct str s);

/* strconv.Unquote of a "..." or `...` or, as PromQL allows, '...' literal (quotes included). Appends the bytes;
 * false if it is malformed (then `out` may hold a part). Between backticks every byte stands for itself. */
bool go_unquote(struct str literal, struct buf *out);

/* time.Time.Format with layout RFC3339Nano in UTC: up to nine decimals, trailing zeros cut; `decimals` >= 0 fixes
 * their number instead (3 for Prometheus' and Alertmanager's API). */
void go_time_rfc3339(struct buf *out, int64_t unix_ns, int decimals);

/* RFC 3339 with any number of decimals (nine count) and any zone. Times that nanoseconds since 1970 cannot
 * hold, such as Go's zero time of the year 1, become INT64_MIN or INT64_MAX. */
bool go_parse_rfc3339(struct str s, int64_t *unix_ns);

#endif
