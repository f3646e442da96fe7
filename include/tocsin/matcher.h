/*
 * matcher: one test on one label: name, operator, value. An absent label is the empty string.
 */
#ifndef TOCSIN_MATCHER_H
#define TOCSIN_MATCHER_H

#include "tocsin/buf.h"
#include "tocsin/err.h"
#include "tocsin/labels.h"
#include "tocsin/regex.h"

#include <stdbool.h>

enum match_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct matcher {
    enum match_op op;
    struct str name, value;
    struct regex *regex; /* owned; NULL unless a regex operator */
};

/* Fills *m; name and value are borrowed. ERR_PARSE for a bad regex. kind: how a regex is anchored. */
int matcher_init(struct matcher *m, enum match_op op, struct str name, struct str value, enum regex_kind kind,
                 struct err *err);
void matcher_release(struct matcher *m);

bool matcher_matches(const struct matcher *m, struct str value);
bool matchers_match(const struct matcher *ms, size_t count, const struct labels *ls);

/* True if it would match a series that lacks the label. */
bool matcher_matches_empty(const struct matcher *m);

/* "=", "!=", "=~", "!~". */
const char *match_op_text(enum match_op op);

/* name="value" with Go quoting, odd names quoted (PromQL's form). */
void matcher_print(struct buf *out, const struct matcher *m);

bool matcher_equal(const struct matcher *a, const struct matcher *b);

#endif
