/*
 * regex_priv: the narrow door to RE2, and what is looked at before a pattern comes there.
 */
#ifndef TOCSIN_BASE_REGEX_PRIV_H
#define TOCSIN_BASE_REGEX_PRIV_H

#include "tocsin/buf.h"
#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct re2_program;

enum re2_fault {
    RE2_FINE,
    RE2_INTERNAL,
    RE2_BAD_ESCAPE,
    RE2_BAD_CLASS,
    RE2_BAD_RANGE,
    RE2_MISSING_BRACKET,
    RE2_MISSING_PAREN,
    RE2_UNEXPECTED_PAREN,
    RE2_TRAILING_BACKSLASH,
    RE2_REPEAT_ARGUMENT,
    RE2_REPEAT_SIZE,
    RE2_REPEAT_OP,
    RE2_BAD_PERL,
    RE2_BAD_UTF8,
    RE2_BAD_NAME,
    RE2_TOO_LARGE,
    RE2_NO_MEMORY
};

/* NULL: *fault says why, and `part` gets the piece of the pattern it is about (NUL-terminated, cut at
 * part_size). */
struct re2_program *re2_open(struct str pattern, bool dot_newline, int64_t memory_bytes,
                             enum re2_fault *fault, char *part, size_t part_size);
void re2_free(struct re2_program *program);

/* Searches text from byte `from` on; whole: it must match from there to the end. spans[0] is the match, the
 * others the groups (p == NULL: took no part). Never fails: out of memory in a match ends the process, as in
 * mem.h. */
bool re2_search(const struct re2_program *program, struct str text, size_t from, bool whole,
                struct str *spans, int span_count);

int re2_group_count(const struct re2_program *program);
int re2_group_number(const struct re2_program *program, struct str name); /* -1: none has that name */

#ifdef __cplusplus
}
#endif

/* What this RE2 would accept and Go refuses is refused here: 0 or ERR_PARSE. *out gets the pattern as this
 * RE2 wants it written, at most REGEX_WIDER times as long. */
enum { REGEX_WIDER = 2 };
int regex_check(struct str pattern, struct buf *out, struct err *err);

/* "error parsing regexp: WHAT: `PART`", cut to what fits. Returns ERR_PARSE. */
int regex_refuse(struct err *err, const char *what, struct str part);

#endif
