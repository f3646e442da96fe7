/* am_matcher_priv: the two grammars behind am_matcher_parse, before any regex is compiled. */
#ifndef TOCSIN_AM_MATCHER_PRIV_H
#define TOCSIN_AM_MATCHER_PRIV_H

#include "tocsin/amconfig.h"

struct am_raw {
    enum match_op op;
    struct str name, value; /* in the arena, or in the text */
};

struct am_raws {
    struct am_raw *items;
    size_t count, capacity;
};

/* Appends, or ERR_LIMIT. */
int am_raws_add(struct arena *arena, struct am_raws *raws, const struct am_raw *raw, struct err *err);

/* single: exactly one matcher, without braces. */
int am_classic_read(struct arena *arena, struct str text, bool single, struct am_raws *out, struct err *err);
int am_utf8_read(struct arena *arena, struct str text, bool single, struct am_raws *out, struct err *err);

/* True for a byte that an unquoted name or value may not hold: white space is judged apart. */
bool am_is_reserved(char c);
bool am_is_blank(int rune);

#endif
