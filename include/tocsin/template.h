/*
 * template: Go's text/template, for alert labels, annotations and notifications.
 *
 * A template text is parsed once (into the arena given) and executed often. Data is a tree of `struct tval`.
 * Everything is bounded by limits.h: output, steps, depth, memory of one run. Executing never touches files,
 * network or clock; what needs the outside (Prometheus' `query`) is a function the caller puts into its table.
 *
 * Option missingkey=zero is always on: a missing map key is the zero value of the map's type (text in
 * string maps), as both Prometheus and Alertmanager run it.
 *
 * Error texts are Go's: `template: NAME:LINE: function "foo" not defined` when parsing,
 * `template: NAME:LINE:COL: executing "NAME" at <.Nope>: ...` when executing.
 */
#ifndef TOCSIN_TEMPLATE_H
#define TOCSIN_TEMPLATE_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tval_kind {
    TVAL_NIL,
    TVAL_BOOL,
    TVAL_INT,
    TVAL_FLOAT,
    TVAL_TEXT,
    TVAL_LIST,
    TVAL_MAP,    /* sorted by key when ranged over; a missing key is `zero` */
    TVAL_OBJECT, /* a Go struct: fixed fields, methods; an unknown field is an execution error */
    TVAL_TIME,   /* time.Time, UTC nanoseconds: methods Format, Unix, Add, Sub, ... */
    TVAL_DURATION /* time.Duration, nanoseconds: prints 1m30s, methods Seconds, String, ... */
};

struct template_run; /* one execution; what functions get */
struct tval;

struct tval_field {
    struct str name;
    struct tval *value;
};

/* A method or function: arguments in order (a pipeline's value comes last). Returns 0 or a code with the text
 * in *err; the result goes to *out and may live in template_arena(run). */
typedef int tval_function(struct template_run *run, const struct tval *args, size_t count, struct tval *out,
                          struct err *err);

struct template_function {
    const char *name;
    tval_function *call;
    int args_min, args_max; /* args_max -1: any number */
};

/* What all objects of one kind share. Methods take the object as first argument. */
struct tval_type {
    const char *go_name; /* as Go prints it in errors: "template.Data" */
    const struct template_function *methods; /* ends with name NULL; may be NULL */
    void (*print)(struct buf *out, const struct tval *v); /* for {{ . }}; NULL: Go's {a b c} */
};

struct tval {
    enum tval_kind kind;
    bool safe; /* text that html escaping lets through (safeHtml) */
    union {
        bool truth;
        int64_t integer; /* TVAL_INT; TVAL_TIME and TVAL_DURATION in ns */
        double real;
        struct str text;
        struct {
            struct tval *items;
            size_t count;
        } list;
        struct {
            struct tval_field *fields; /* map: sorted by name; object: in declaration order */
            size_t count;
            const struct tval_type *type; /* objects and named maps or lists (KV); may be NULL */
            enum tval_kind zero;          /* map: kind of its zero value (TVAL_TEXT or TVAL_NIL) */
        } map;
    };
};

/* A set of templates by name ({{define}}), as Go's *Template with its associates. */
struct template_set;

/* An empty set. functions: tables that end with name NULL, searched before the built-in ones of Go (and, or, not, eq,
 * ..., index, slice, len, print, printf, println, html, js, urlquery, call); later tables first. Both arrays
 * must outlive the set. */
struct template_set *template_set_make(struct arena *arena, const struct template_function *const *tables,
                                       size_t table_count);

/* A copy that shares what is parsed already; definitions added to it do not show in the original. */
struct template_set *template_set_clone(struct arena *arena, const struct template_set *set);

/* Parses one text under a name and adds it and its {{define}}s to the set. ERR_PARSE with Go's text. */
int template_parse(struct template_set *set, struct str name, struct str text, struct err *err);

bool template_defined(const struct template_set *set, struct str name);

/* Executes the named template on data. `context` is for functions (template_context). Output is
 * appended to *out even when it then fails, as Go's does; callers who want all or nothing truncate. */
int template_execute(const struct template_set *set, struct str name, const struct tval *data, void *context,
                     struct buf *out, struct err *err);

/* For functions: memory of this run, the caller's context, running another template of the set (Go's
 * {{template}} as a function: Prometheus' `tmpl`). */
struct arena *template_arena(struct template_run *run);
void *template_context(struct template_run *run);

/* How Go prints a value with %v; Go's truth of a value ({{if}}). */
void tval_print(struct buf *out, const struct tval *v);
bool tval_truth(const struct tval *v);

/* Builders. */
struct tval tval_nil(void);
struct tval tval_bool(bool v);
struct tval tval_int(int64_t v);
struct tval tval_float(double v);
struct tval tval_text(struct str s);
struct tval tval_time(int64_t unix_ns);
struct tval tval_duration(int64_t ns);

/* Number argument of a function, as Prometheus' convertToFloat: a number, or a text that strconv.ParseFloat reads. */
int tval_to_float(const struct tval *v, double *out, struct err *err);

/* Prometheus' functions that need no data source: toUpper, title, match, reReplaceAll, humanize*, stripPort,
 * sortByLabel, first, label, value, strvalue, args, parseDuration, ... (spec prometheus 3.8). `query`, `externalURL`,
 * `pathPrefix`, `now` and the like come in a table of the caller's. */
extern const struct template_function template_prometheus_functions[];

/* Alertmanager's (spec alertmanager 4.2). */
extern const struct template_function template_alertmanager_functions[];

#endif
