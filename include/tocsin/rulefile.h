/*
 * rulefile: Prometheus rule files, read strictly, every error with its place.
 *
 * A rule set is everything that a list of file patterns names, loaded as a whole: one bad file and nothing is
 * taken over. It owns its memory (one arena), the parsed expressions and the parsed templates.
 *
 * A file may also be what Kubernetes holds for Prometheus' operator: PrometheusRule objects, in one document or several,
 * or in Lists; objects of other kinds beside them are passed over. Where a file holds one of them its groups are those of
 * the file; where it holds several, which may use the same group names, the file of a group is told as
 * FILE#NAMESPACE/NAME. Drawback: a second object in a file makes the groups of the first ones new ones.
 *
 * Source: Prometheus 3.14 rulefmt: field names, order and wording of errors.
 */
#ifndef TOCSIN_RULEFILE_H
#define TOCSIN_RULEFILE_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/promql_parse.h"
#include "tocsin/template.h"
#include "tocsin/tree.h"
#include "tocsin/world.h"

#include <stdbool.h>

enum rule_kind { RULE_RECORDING, RULE_ALERTING };

/* A label or annotation of a rule. */
struct rule_text {
    struct str name;
    struct str text;                 /* as written */
    const struct template_set *code; /* its template, under the rule's template_name; NULL: plain */
    struct str plain;                /* what it comes to if code is NULL; nearly always `text` */
};

struct rule {
    enum rule_kind kind;
    struct str name;  /* record or alert */
    struct str query; /* canonical text of expr */
    int64_t for_ms, keep_firing_for_ms;
    struct rule_text *labels; /* the group's laid under the rule's, sorted by name */
    size_t label_count;
    struct rule_text *annotations; /* sorted by name */
    size_t annotation_count;
    struct str template_name; /* __alert_NAME, as errors of templates call it; alerting only */
    int line, column;         /* of expr */
};

/* What tocsin.yml says of a group beside its file, which stays Prometheus' own. All zero: as Prometheus does. */
struct rule_policy {
    bool by_data;         /* an evaluation waits until what it looks at has come in (ruler.h) */
    int64_t data_wait_ms; /* and for so long at most; 0: two intervals */
    int64_t catch_up_ms;  /* recording rules: missed evaluations are made up for so long; 0: not at all */
    bool keep_over_limit; /* alerting rules past the group's limit keep the alerts they have */
};

struct rule_group {
    struct str file, name;
    int64_t interval_ms; /* 0: the default */
    int64_t query_offset_ms;
    bool query_offset_given;
    int64_t limit; /* 0: none */
    struct rule *rules;
    size_t count;
    uint64_t fingerprint; /* of everything above: equal means unchanged */
    struct rule_policy policy;
};

struct rule_set {
    struct arena arena;
    struct rule_group *groups; /* in file order, files in the order of the patterns */
    size_t count, capacity;
    size_t file_count, rule_count;
    bool ignore_unknown_fields; /* set it before the first file is read; off by default */
};

/* Reads one file's text. Errors are appended to *errors, a line each, as promtool lists them; returns ERR_PARSE if
 * there was any, or ERR_LIMIT past the set's memory. The groups are added to *set only if there was none. */
int rulefile_parse(struct rule_set *set, struct str file, struct str text,
                   const struct promql_features *features, struct buf *errors);

/* The same for what would be a rule file's tree, made of something else that `file` holds; it counts as no file of the set. Names and
 * texts are copied. */
int rulefile_add(struct rule_set *set, struct str file, const struct tree *root,
                 const struct promql_features *features, struct buf *errors);

/* Reads all files that the patterns match (relative to folder; empty: as they are) into a new set. A pattern that
 * matches nothing is accepted, as Prometheus does; a file that two patterns match is read once. Errors are told file by
 * file; the set is then to be thrown away. */
int rule_set_read(struct rule_set *set, struct world *world, struct str folder, const struct str *patterns,
                  size_t count, const struct promql_features *features, struct buf *errors);

/* The same with a set of its own; on failure *out is NULL. */
int rule_set_load(struct world *world, struct str folder, const struct str *patterns, size_t count,
                  const struct promql_features *features, struct rule_set **out, struct buf *errors);

/* Where a pattern of rule_files points, as Go's filepath.Join puts it: "." and, as far as it goes, ".." taken out. Slots and
 * identity of a group hang on the name of its file, so it has to be the one that Prometheus uses. */
void rule_path_join(struct buf *out, struct str folder, struct str pattern);

struct rule_set *rule_set_new(void);
void rule_set_free(struct rule_set *set); /* NULL is allowed */

#endif
