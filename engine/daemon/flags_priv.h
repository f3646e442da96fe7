/*
 * flags: command lines as Prometheus' tools take them: --name=value, --name value, --switch, --no-switch, then files.
 */
#ifndef TOCSIN_FLAGS_PRIV_H
#define TOCSIN_FLAGS_PRIV_H

#include "tocsin/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* GO: as Alertmanager's flags take them: 1.5h, but no days. */
enum flag_kind { FLAG_TEXT, FLAG_SWITCH, FLAG_NUMBER, FLAG_DURATION_MS, FLAG_GO_DURATION_MS, FLAG_LIST };

enum { FLAG_LIST_MAX = 64 };

struct flag_list {
    const char *items[FLAG_LIST_MAX];
    size_t count;
};

struct flag {
    const char *name; /* without the dashes; NULL ends a table */
    enum flag_kind kind;
    /* const char **, bool *, int64_t *, int64_t * (ms, twice), struct flag_list *; holds the default before */
    void *value;
    const char *help;
};

/* What stands after the flags: files, names. */
struct flag_rest {
    char **items;
    size_t count;
};

/* Reads argv[1..]; words that are no flags are gathered (in place) into *rest. `--` ends the flags. `--help` and `-h`
 * give ERR_CANCEL. Other failures are ERR_ARG with a text that names the flag. */
int flags_parse(const struct flag *flags, int argc, char **argv, struct flag_rest *rest, struct err *err);

/* The value of one flag from elsewhere than a command line; a switch is true or false. */
int flag_read(const struct flag *flag, const char *value, struct err *err);

/* The table as --help shows it, with defaults, on stdout. */
void flags_print(const struct flag *flags);

#endif
