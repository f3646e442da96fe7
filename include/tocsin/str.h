/*
 * str: a borrowed slice of bytes. It owns nothing and need not end in NUL; label values may hold any byte.
 *
 * Print with printf("%.*s", STR_ARG(s)). The empty slice may have p == NULL.
 */
#ifndef TOCSIN_STR_H
#define TOCSIN_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct arena;

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){.p = "" literal, .n = sizeof(literal) - 1})
#define STR_ARG(s) (int)(s).n, ((s).p != NULL ? (s).p : "")

static inline struct str str_of(const char *text)
{
    return (struct str){.p = text, .n = text != NULL ? strlen(text) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *text)
{
    return str_eq(a, str_of(text));
}

/* Bytewise order; a prefix sorts first. */
int str_cmp(struct str a, struct str b);

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* The slice without ASCII white space at both ends. */
struct str str_trim(struct str s);

/* Position of byte c, or s.n. */
size_t str_find_char(struct str s, char c);

/* Cuts *rest at the first `separator`: returns what is before it, *rest becomes what is after it. At the end
 * returns the remainder and sets rest->p to NULL; so loop `while (rest.p != NULL)`. */
struct str str_cut(struct str *rest, char separator);

/* Cuts the first word, ended by a blank or tab, off *rest, which is trimmed. Empty: no word was left. */
struct str str_cut_word(struct str *rest);

/* ASCII-only, case-insensitive equality. */
bool str_eq_nocase(struct str a, struct str b);

/* True if every byte sequence is well-formed UTF-8 (Go's rules: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);

/* Decodes one rune at p (n > 0 bytes left). Returns its length, 1..4; *rune is -1 for an invalid byte
 * (length 1), as Go's utf8.DecodeRune. */
size_t str_rune(const char *p, size_t n, int *rune);

/* A copy in the arena (NUL-terminated for convenience); .p is NULL when the cap is passed. */
struct str str_copy(struct arena *a, struct str s);

/* The whole slice as a decimal integer. False if it is anything else or does not fit. */
bool str_to_i64(struct str s, long long *value);

#endif
