/*
 * template: Go's text/template and html/template, for alert labels, annotations and notifications.
 *
 * A template text is parsed once (into the arena given) and executed often. Data is a tree of `struct tval`.
 * Everything is bounded by limits.h: output, steps, depth, memory of one run. Executing never touches files,
 * network or clock; what needs the outside (Prometheus' `query`) is a function the caller puts into its
 * table.
 *
 * Option missingkey=zero is always on: a missing map key is the zero value of the map's type (text in
 * string maps), as both Prometheus and Alertmanager run it.
 *
 * A set serves both: template_escape_html adds, for a template that is to become HTML, copies of it and of all it calls which
 * escape every value for the place it stands in (text, attributes, URLs, srcset); template_execute_html runs those. Drawback:
 * a value inside a script, event handler, style sheet or style attribute is refused, where Go would escape it, and a
 * <script> goes out as it is written, where Go drops its comments.
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
    TVAL_MAP,     /* keys sorted; a missing key is `zero` */
    TVAL_OBJECT,  /* a Go struct: fixed fields, methods; an unknown field is an execution error */
    TVAL_TIME,    /* time.Time: methods Format, Unix, Add, Sub, ... */
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

/* `args` is the Go signature, the types separated by blanks: "string any", "string ...any" (any number at the
 * end), NULL or "" for none. Count and types are checked, with Go's texts, before `call` sees the arguments;
 * `any` takes everything. */
struct template_function {
    const char *name;
    tval_function *call;
    const char *args;
};

/* What all values of one named Go type share. Methods take the value as first argument (not part of `args`).
 */
struct tval_type {
    const char *go_name;    /* as Go prints it in errors: "template.KV" */
    const char *underlying; /* "map[string]string": also goes where that is asked for; may be NULL */
    bool json_small;        /* toJson writes field names with a small first letter, as Go's tags do */
    const struct template_function *methods;              /* ends with name NULL; may be NULL */
    void (*print)(struct buf *out, const struct tval *v); /* Go's String method; NULL: Go's {a b c} */
};

struct tval {
    enum tval_kind kind;
    bool boxed;                   /* private to the executor: its static Go type is interface {} */
    const struct tval_type *type; /* never NULL for an object; NULL elsewhere: bool, int, float64, string,
                                     []interface {}, map[string]string or map[string]interface {} */
    union {
        bool truth;
        int64_t integer; /* TVAL_INT; TVAL_DURATION in ns */
        double real;
        struct str text;
        struct {
            struct tval *items;
            size_t count;
        } list;
        struct {
            struct tval_field *fields; /* map: sorted by name; object: in declaration order */
            size_t count;
            enum tval_kind zero; /* map: kind of its zero value (TVAL_TEXT or TVAL_NIL) */
        } map;
        struct {
            int64_t unix_s; /* Go's zero time lies outside what int64 nanoseconds reach */
            int32_t ns;
            int32_t offset_s;
            struct str zone; /* "UTC", "CET"; empty prints as the offset */
        } time;
    };
};

/* A set of templates by name ({{define}}), as Go's *Template with its associates. */
struct template_set;

/* An empty set, or NULL past the arena's cap. functions: tables that end with name NULL, searched before the
 * built-in ones of Go (and, or, not, eq, ..., index, slice, len, print, printf, println, html, js, urlquery,
 * call); later tables first. Both arrays must outlive the set, and so must the arena. */
struct template_set *template_set_make(struct arena *arena, const struct template_function *const *tables,
                                       size_t table_count);

/* A copy that shares what is parsed already; definitions added to it do not show in the original. NULL past
 * the arena's cap. */
struct template_set *template_set_clone(struct arena *arena, const struct template_set *set);

/* Parses one text (which is copied) under a name and adds it and its {{define}}s to the set; a definition
 * replaces an older one of that name unless it is blank. ERR_PARSE with Go's text, ERR_LIMIT; the set is then
 * as it was. */
int template_parse(struct template_set *set, struct str name, struct str text, struct err *err);

/* Executes the named template on data. `context` is for functions (template_context). Output is
 * appended to *out even when it then fails, as Go's does; callers who want all or nothing truncate. */
int template_execute(const struct template_set *set, struct str name, const struct tval *data, void *context,
                     struct buf *out, struct err *err);

/* Makes the named template of the set ready for template_execute_html; nothing else changes, and a second call finds it done.
 * A text that is parsed later into the set and redefines a template undoes it. ERR_PARSE with Go's text (`html/template:
 * NAME:LINE:COL: ...`): branches end in different contexts, the HTML breaks off or is ambiguous, a template that it calls
 * does not exist; ERR_UNSUPPORTED: a value where it is refused; ERR_NOT_FOUND, ERR_LIMIT. */
int template_escape_html(struct template_set *set, struct str name, struct err *err);

/* As template_execute, of a template that template_escape_html has been called for, else ERR_NOT_FOUND. What safeHtml returns is not
 * escaped in text, what safeUrl returns not filtered in URLs. */
int template_execute_html(const struct template_set *set, struct str name, const struct tval *data,
                          void *context, struct buf *out, struct err *err);

/* Calls found for each key of a map that the named template asks for by name: $variable.key, .field.key where the dot is still
 * the template's data, and index with either and a literal. Names passed on last as long as the call. */
void template_references(const struct template_set *set, struct str name, struct str variable,
                         struct str field, void (*found)(void *context, struct str key), void *context);

/* For functions: memory of this run, the caller's context. */
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
struct tval tval_time(int64_t unix_ns); /* UTC */
struct tval tval_time_zoned(int64_t unix_s, int32_t ns, int32_t offset_s, struct str zone);
struct tval tval_duration(int64_t ns);
struct tval tval_list(struct tval *items, size_t count);  /* []interface {} */
struct tval tval_texts(struct tval *items, size_t count); /* []string */

/* fields: borrowed; a map's must be sorted by name. zero: TVAL_TEXT for map[string]string, else TVAL_NIL. */
struct tval tval_map(struct tval_field *fields, size_t count, enum tval_kind zero);
struct tval tval_object(const struct tval_type *type, struct tval_field *fields, size_t count);

/* A field or map entry, or NULL. */
const struct tval *tval_get(const struct tval *v, struct str name);

/* Number argument of a function, as Prometheus' convertToFloat: a number, or a text that strconv.ParseFloat
 * reads. */
int tval_to_float(const struct tval *v, double *out, struct err *err);

/* Prometheus' functions that need no data source: toUpper, title, match, reReplaceAll, humanize*, stripPort,
 * sortByLabel, first, label, value, strvalue, args, parseDuration, ... (Prometheus 3.14). `query`,
 * `externalURL`, `pathPrefix`, `now` and the like come in a table of the caller's. */
extern const struct template_function template_prometheus_functions[];

/* What `query` answers: a list of samples, each with Labels (map[string]string) and Value. Returns nil past
 * the cap. */
struct tval template_sample(struct arena *arena, struct tval labels, struct tval value);
struct tval template_query_result(struct tval *samples, size_t count);

/* Alertmanager 0.34's, but for those that ask about the world outside; `tz` knows UTC only. */
extern const struct template_function template_alertmanager_functions[];

/* What those have to be told. */
struct template_outside {
    int64_t now_ns; /* since 1970: of the notification, so that all its parts say the same */

    /* Offset and name ("CET") that hold in a zone at a time; the name outlives the run. False: nobody knows the zone. */
    bool (*zone)(void *context, struct str name, int64_t unix_s, int32_t *offset_s, struct str *shown);

    /* Appends a label of the route, rendered; nothing if there is none. 0 or a code with its text. */
    int (*route_label)(void *context, struct str name, struct buf *out, struct err *err);
    void *context;
};

/* now, since, tz, routeLabels: to be put behind the others. `context` of template_execute must point to a struct
 * template_outside whenever one of these may run. */
extern const struct template_function template_outside_functions[];

#endif
