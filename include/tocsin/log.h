/*
 * log: one line per event, logfmt or JSON, on stderr, with typed fields.
 *
 *     log_warn("rule group missed iterations", LOG_STR("group", name), LOG_INT("missed", n));
 *
 * The message is a constant; text from outside is only ever a field, cut at LOG_VALUE_MAX bytes and escaped,
 * so nobody can forge a line. A secret is logged as LOG_SECRET("key"), which prints <secret>: it has no value
 * to leak. Lines caused by input should go through log_allowed, which lets ten a second per kind pass.
 *
 * Thread-safe: each line is one write. Never blocks on anything but stderr.
 */
#ifndef TOCSIN_LOG_H
#define TOCSIN_LOG_H

#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };
enum { LOG_VALUE_MAX = 200 };

enum log_kind { LOG_KIND_STR, LOG_KIND_INT, LOG_KIND_FLOAT, LOG_KIND_BOOL, LOG_KIND_MS, LOG_KIND_SECRET };

struct log_field {
    const char *key;
    enum log_kind kind;
    struct str text;
    int64_t number;
    double real;
};

#define LOG_STR(k, s) ((struct log_field){.key = (k), .kind = LOG_KIND_STR, .text = (s)})
#define LOG_TEXT(k, c) ((struct log_field){.key = (k), .kind = LOG_KIND_STR, .text = str_of(c)})
#define LOG_INT(k, i) ((struct log_field){.key = (k), .kind = LOG_KIND_INT, .number = (int64_t)(i)})
#define LOG_FLOAT(k, d) ((struct log_field){.key = (k), .kind = LOG_KIND_FLOAT, .real = (d)})
#define LOG_BOOL(k, b) ((struct log_field){.key = (k), .kind = LOG_KIND_BOOL, .number = (b)})
#define LOG_MS(k, ms) \
    ((struct log_field){.key = (k), .kind = LOG_KIND_MS, .number = (int64_t)(ms)}) /* prints 1.5s */
#define LOG_SECRET(k) ((struct log_field){.key = (k), .kind = LOG_KIND_SECRET})
#define LOG_ERR(e) ((struct log_field){.key = "err", .kind = LOG_KIND_STR, .text = str_of((e)->text)})

#define LOG_WRITE(level, message, ...)                                                      \
    log_write((level), (message), (const struct log_field[]){{.key = NULL}, ##__VA_ARGS__}, \
              sizeof((const struct log_field[]){{.key = NULL}, ##__VA_ARGS__}) / sizeof(struct log_field))

#define log_debug(message, ...) LOG_WRITE(LOG_LEVEL_DEBUG, message, ##__VA_ARGS__)
#define log_info(message, ...) LOG_WRITE(LOG_LEVEL_INFO, message, ##__VA_ARGS__)
#define log_warn(message, ...) LOG_WRITE(LOG_LEVEL_WARN, message, ##__VA_ARGS__)
#define log_error(message, ...) LOG_WRITE(LOG_LEVEL_ERROR, message, ##__VA_ARGS__)

/* Behind the macros: fields[0] is a placeholder, so that a line without fields is possible. */
void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t count);

/* Before threads start. Defaults: info, logfmt, stderr. Tests may send lines elsewhere (fd; -1: nowhere). */
void log_setup(enum log_level level, enum log_format format, int fd);

int log_parse_level(struct str name, enum log_level *level);    /* debug, info, warn, error; else ERR_PARSE */
int log_parse_format(struct str name, enum log_format *format); /* logfmt, json; else ERR_PARSE */

/* One per kind of line, static: at most ten true answers a second; the swallowed ones are counted and told with
 * the next line that passes (field "suppressed"). now_ns: monotonic. */
struct log_rate {
    int64_t second;
    int32_t passed;
    int32_t suppressed;
};
bool log_allowed(struct log_rate *rate, int64_t now_ns);

#endif
