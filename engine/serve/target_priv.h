/*
 * target: the request target and form bodies, decoded by ourselves.
 *
 * The library's own decoding cuts at %00 and hides encoded slashes, so only the raw text is used. Rules
 * before decoding are target_refusal's; after it a path has no dot segment, no control byte and no NUL.
 */
#ifndef TOCSIN_SERVE_TARGET_PRIV_H
#define TOCSIN_SERVE_TARGET_PRIV_H

#include "tocsin/arena.h"
#include "tocsin/err.h"
#include "tocsin/str.h"

struct param {
    struct str name, value;
};

struct target {
    struct str path; /* decoded */
    struct param *params;
    size_t count;
    size_t url_count; /* how many of them, the last ones, came with the URL */
};

/* Why a raw target is not taken; NULL if it is. */
const char *target_refusal(struct str raw);

/* Splits and decodes a target that was not refused. ERR_LIMIT past the arena. */
int target_parse(struct arena *arena, struct str raw, struct target *out, struct err *err);

/* Puts the parameters of an urlencoded body in front, as Go's Request.Form does. ERR_PARSE for a bad escape.
 */
int target_add_form(struct arena *arena, struct str body, struct target *target, struct err *err);

#endif
