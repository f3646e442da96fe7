/*
 * A rule file between its YAML tree and a rule set: the fields as written, each with its place.
 */
#ifndef TOCSIN_RULEFILE_PRIV_H
#define TOCSIN_RULEFILE_PRIV_H

#include "tocsin/rulefile.h"
#include "tocsin/strict_model.h"

struct raw_rule {
    struct strict_scalar record, alert, expr;
    struct strict_duration hold, keep_firing;
    struct strict_pairs labels, annotations;
};

struct raw_group {
    struct str name;
    struct strict_duration interval, query_offset;
    int64_t limit;
    struct strict_pairs labels;
    struct strict_list rules; /* of struct raw_rule */
    const struct tree *node;
};

/* Where group names are unique: a file, or one object of a manifest that holds several. */
struct raw_object {
    struct str source;         /* rule_group.file */
    struct strict_list groups; /* of struct raw_group */
};

struct raw_file {
    struct raw_object *objects;
    size_t count, capacity;
};

/* What goes with one file while it is read. `scratch` ends with the file, set->arena stays. */
struct reading {
    struct rule_set *set;
    struct arena *scratch;
    struct str file;
    const struct promql_features *features;
    struct buf *errors;
    size_t error_count;
};

/* Where an error of a rule stands: group, number from 1, name. */
struct rule_place {
    struct str group, name;
    size_t number;
};

/* Decodes the text; false if it was refused (the error is written). */
bool rulefile_decode(struct reading *r, struct str text, struct raw_file *out);

/* Writes the reader's complaint, if there is one; true if there is none. */
bool reading_is_sound(struct reading *r, const struct strict *strict);

strict_read rulefile_read_groups; /* struct strict_list of struct raw_group */
strict_read rulefile_read_rules;  /* struct strict_list of struct raw_rule */

/* A node of Kubernetes' form: apiVersion and kind. */
bool rulefile_is_manifest(const struct tree *node);

/* The same as rulefile_decode for all documents of a manifest. */
bool rulefile_decode_manifest(struct reading *r, struct str text, struct raw_file *out);

/* Appends "FILE: MESSAGE\n" (a file without name: only the message). */
void reading_error(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Checks the rule, writing every error, and turns it into *out. base: the group's labels. */
void rule_build(struct reading *r, const struct rule_place *place, const struct raw_rule *raw,
                const struct strict_pairs *base, struct rule *out);

/* The names and values that may not stand in a label set; prefix: what comes before the message. */
void rule_check_labels(struct reading *r, const char *prefix, const struct strict_pairs *labels);

/* A template's text with the variables in front that every rule template has. NULL past the arena's cap. */
struct template_set *rule_template_parse(struct arena *arena, struct str name, struct str text,
                                         struct err *err);

#endif
