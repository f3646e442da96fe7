/*
 * err: one enum of error codes and a place for the text a human will read.
 *
 * A function that can fail returns 0 or one of these negative codes. Where a human will read
 * why, its last parameter is a `struct err *`: fixed text and a position, no allocation; it may be
 * NULL when the caller does not care. On success the struct is left untouched.
 *
 * Wording: what a user compares is worded as Prometheus or Alertmanager words it; everything
 * else says what failed first, without a capital and without a full stop.
 *
 * Drawback: the text is cut at ERR_TEXT_MAX, so long label sets in an error may end in "...".
 */
#ifndef TOCSIN_ERR_H
#define TOCSIN_ERR_H

#include <stdarg.h>

enum {
    ERR_ARG = -1,   /* the caller asked for something meaningless; nothing was changed */
    ERR_PARSE = -2, /* bytes or text from outside do not follow their grammar */
    ERR_LIMIT = -3, /* a written maximum was reached (limits.h, an arena's cap); do not retry as is */
    ERR_FULL = -4,  /* a bounded queue or budget is full right now; retry later */
    ERR_NOT_FOUND = -5,
    ERR_IO = -6,           /* disk or network failed */
    ERR_CORRUPT = -7,      /* stored bytes are damaged */
    ERR_TIMEOUT = -8,      /* a deadline passed */
    ERR_CANCEL = -9,       /* somebody stopped it */
    ERR_AUTH = -10,        /* identity missing or wrong */
    ERR_EXEC = -11,        /* well-formed, but cannot be carried out on this data (PromQL "execution") */
    ERR_UNSUPPORTED = -12, /* valid in the language, not built yet; says so, never guesses */
    ERR_CLOSED = -13       /* the other side has gone; no more will come */
};

enum { ERR_TEXT_MAX = 1024 };

struct err {
    int code;   /* 0 or one of the codes above */
    int line;   /* 1-based; 0: no position */
    int column; /* 1-based, in bytes; 0: no position */
    char text[ERR_TEXT_MAX];
};

/* Fills *e (if not NULL) with code and a formatted text, position cleared. Returns code, so that
 * `return err_set(e, ERR_PARSE, "...")` is the idiom. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int err_vset(struct err *e, int code, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* As err_set, with a 1-based position. */
int err_at(struct err *e, int code, int line, int column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Puts a formatted text in front of the text already in *e ("rules.yml: " + ...). */
void err_prefix(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
