/*
 * tool: what the commands of Alertmanager's amtool share (alert, silence, config, cluster): their flags and the files that hold defaults
 * for these, the calls of an Alertmanager's API, tables, dates and JSON as amtool prints them.
 *
 * A command is a table of verbs (query, add, ...), the first of which is meant when none is said. What goes wrong is told on standard error
 * and ends with status 1, as amtool does, also a command line that makes no sense.
 */
#ifndef TOCSIN_TOOL_PRIV_H
#define TOCSIN_TOOL_PRIV_H

#include "asker_priv.h"
#include "flags_priv.h"

#include "tocsin/arena.h"
#include "tocsin/matcher.h"
#include "tocsin/tree.h"

struct http_config;

enum tool_output { TOOL_SIMPLE, TOOL_EXTENDED, TOOL_JSON };

struct tool {
    const char *command; /* "silence" */
    const char *usage;
    struct world *world;
    struct arena arena; /* until the command ends */

    /* The flags of all of them, and what follows from them. */
    const char *url, *output_name, *date_format, *http_config_file;
    int64_t timeout_ms;
    bool version_check;
    enum tool_output output;

    struct asker asker; /* private from here on */
    struct http_config *http;
    struct template_set *dates;
};

struct tool_verb {
    const char *name;
    int (*run)(struct tool *tool, int argc, char **argv); /* exit status */
};

/* verbs ends with name NULL. usage: a text that ends in a newline, for --help. */
int tool_main(const char *usage, const struct tool_verb *verbs, int argc, char **argv);

/* A flag of one verb; letter: its short form, or 0. */
struct tool_flag {
    struct flag flag;
    char letter;
};

/* Reads them and those of all; own ends with name NULL. False: nothing more is to be done, and the command returns *status. */
bool tool_flags(struct tool *tool, const struct tool_flag *own, int argc, char **argv, struct flag_rest *rest,
                int *status);

/* Says what went wrong, and returns 1. */
int tool_fail(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Calls the API: path begins behind /api/v2; body: JSON, or empty. *root is the answer, NULL if it is empty. ERR_NOT_FOUND for 404; else
 * any other code, and *err has what the server says. */
int tool_call(struct tool *tool, const char *method, const char *path, struct str body,
              const struct tree **root, struct err *err);

/* 0 if the server is a Tocsin, which does with a silence what an Alertmanager would not. ERR_UNSUPPORTED. */
int tool_want_tocsin(struct tool *tool, struct err *err);

/* ---- words of the command line ---- */

/* Who runs this. */
const char *tool_user_name(void);

/* A first word that is no matcher is the value of alertname. Parsed ones have their expressions compiled: release each. */
int tool_matchers(struct tool *tool, const struct flag_rest *rest, struct matcher **out, size_t *count,
                  struct err *err);
void tool_release_matchers(struct matcher *ms, size_t count);

/* The same as &filter=... of a URL. */
void tool_put_filters(struct buf *url, const struct matcher *ms, size_t count);

/* name=value words; first_is_name: a first one without = is an alertname. ERR_ARG. */
int tool_pairs(struct tool *tool, const char *const *words, size_t count, bool first_is_name,
               struct labels **out, struct err *err);

/* ---- printing ---- */

/* Cells that end in tabs, rows that end in line ends, as Go's text/tabwriter lays them out with two blanks between columns. */
void tool_print_table(struct str text);

/* A time of the API's JSON, as --date.format wants it. */
void tool_put_date(struct tool *tool, struct buf *out, struct str rfc3339);

/* Items of a list in the order of the times under a key; those of the same time as they came. NULL past the arena's cap. */
const struct tree **tool_sorted(struct tool *tool, const struct tree *const *items, size_t count,
                                const char *key);

/* A list of the API's matchers: name="value" with blanks between them, or {name="value",...}. */
void tool_put_matchers(struct buf *out, const struct tree *list, bool braces);

/* As Go's encoder writes it. */
void tool_put_json(struct buf *out, const struct tree *node);
void tool_print_json(const struct tree *node);

#endif
