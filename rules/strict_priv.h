/*
 * strict: a YAML document read into structs by tables of fields, refusing what the table does not name.
 *
 * Mistakes are collected and worded as Go's YAML decoder words them, because people grep for those lines; a value
 * whose own reader refuses it (a duration) ends the decoding at once, as it does there.
 */
#ifndef TOCSIN_STRICT_PRIV_H
#define TOCSIN_STRICT_PRIV_H

#include "tocsin/labels.h"
#include "tocsin/tree.h"

struct strict {
    struct arena *arena;
    bool ignore_unknown;
    struct buf problems; /* a line each, in file order */
    struct err fatal;    /* code 0: none */
};

struct strict_field {
    const char *name;
    void (*read)(struct strict *s, const struct tree *node, void *target);
    size_t offset;
};

/* A scalar with its place; node is NULL when the field is absent. */
struct strict_scalar {
    struct str text;
    const struct tree *node;
};

struct strict_duration {
    int64_t ms;
    bool given;
};

struct strict_pairs {
    struct label *items; /* in file order, unique names */
    size_t count;
};

void strict_init(struct strict *s, struct arena *arena);
void strict_release(struct strict *s);

/* The message for all that went wrong ("yaml: unmarshal errors:\n  line 3: ..."); false if nothing did. */
bool strict_failed(const struct strict *s, struct buf *out);

/* Reads a map into *target by the table (which ends with name NULL). A null node leaves *target as it is. */
void strict_struct(struct strict *s, const struct tree *node, const char *go_type,
                   const struct strict_field *fields, void *target);

/* Reads a list of such maps: *items gets an arena array of `size`-byte structs. */
struct strict_list {
    void *items;
    size_t count;
};
void strict_list(struct strict *s, const struct tree *node, const char *go_type, size_t size,
                 void (*read)(struct strict *s, const struct tree *node, void *target),
                 struct strict_list *out);

/* Readers for tables; the type of *target is in the comment. */
void strict_text(struct strict *s, const struct tree *node, void *target);     /* struct str */
void strict_scalar(struct strict *s, const struct tree *node, void *target);   /* struct strict_scalar */
void strict_duration(struct strict *s, const struct tree *node, void *target); /* struct strict_duration */
void strict_i64(struct strict *s, const struct tree *node, void *target);      /* int64_t */
void strict_f64(struct strict *s, const struct tree *node, void *target);      /* double */
void strict_bool(struct strict *s, const struct tree *node, void *target);     /* bool */
void strict_pairs(struct strict *s, const struct tree *node, void *target);    /* struct strict_pairs */
void strict_texts(struct strict *s, const struct tree *node,
                  void *target); /* struct strict_list of struct str */

/* Ends the decoding with this message. */
void strict_refuse(struct strict *s, const struct err *why);

#endif
