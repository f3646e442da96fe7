/*
 * regex: regular expressions as Prometheus and Alertmanager mean them: RE2 syntax, linear time.
 *
 * RE2 is the specification; this is its only door. What Debian's RE2 accepts and Go refuses (or reads in
 * another way) is refused here before compiling (engine/base/regex_check.c). Compiled expressions are
 * immutable and may be used by many threads.
 */
#ifndef TOCSIN_REGEX_H
#define TOCSIN_REGEX_H

#include "tocsin/buf.h"
#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stdbool.h>

struct regex;

enum regex_kind {
    REGEX_PROMQL,   /* ^(?s:PATTERN)$, and the bare pattern must compile too */
    REGEX_ANCHORED, /* ^(?:PATTERN)$ as Alertmanager's matchers; only the wrapped text must compile */
    REGEX_SEARCH,   /* as written, found anywhere */
    REGEX_RELABEL   /* ^(?s:PATTERN)$ as relabelling; only the wrapped text must compile */
};

/* NULL on failure: ERR_PARSE with Go's wording where it matters ("error parsing regexp: ..."), or ERR_LIMIT. */
struct regex *regex_open(struct str pattern, enum regex_kind kind, struct err *err);
void regex_free(struct regex *re);

bool regex_match(const struct regex *re, struct str text);

/* Go's Regexp.Expand for one match: $1, ${1}, ${name}, $$; `$1x` is the group named "1x". Appends to out and
 * returns true if re matches text. */
bool regex_expand(const struct regex *re, struct str text, struct str replacement, struct buf *out);

/* Go's ReplaceAllString: every match in text replaced by the expansion. */
void regex_replace_all(const struct regex *re, struct str text, struct str replacement, struct buf *out);

#endif
