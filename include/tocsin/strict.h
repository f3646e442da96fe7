/*
 * strict: a YAML document read into structs by tables of fields, refusing what no table names.
 *
 *   static const struct strict_field fields[] = {
 *       {"name", strict_text, offsetof(struct rule, name)},
 *       {"limit", strict_i64, offsetof(struct rule, limit)},
 *       {NULL, NULL, 0},
 *   };
 *   strict_init(&s, arena);
 *   strict_struct(&s, root, "config.Rule", fields, &rule);
 *   int rc = strict_result(&s, err);
 *   strict_release(&s);
 *
 * A reader reads one value into its target, and says what it does not like. Complaints are of three kinds, worded and
 * ordered as Go's YAML decoders do it, because people compare and grep for those lines:
 *
 *   a stop        an invalid value; it speaks alone, and nothing is read after it (strict_fail, strict_stop)
 *   problems      unknown keys and ill-typed values, all of them, in file order (strict_mismatch)
 *   unsupported   valid, but not built; the first one, told only if there is nothing else (strict_unsupported)
 *
 * Running into the arena's cap is a stop that nobody needs to report: readers leave their target alone when they get
 * NULL, and the result is ERR_LIMIT. The arena is one that limits.generation_arena_bytes caps.
 *
 * Null makes a plain value zero, also where the target held a default, and leaves structs and lists as they are.
 * Readers for what engine/model knows (durations, labels) are in strict_model.h.
 */
#ifndef TOCSIN_STRICT_H
#define TOCSIN_STRICT_H

#include "tocsin/tree.h"

struct strict {
    struct arena *arena;
    void *context;       /* the caller's, for readers of his own */
    bool ignore_unknown; /* unknown keys are no problem */
    bool
        yes_is_bool; /* yes, no, on, off are told as !!bool, as by Go's yaml.v2; else as !!str, as by yaml.v3 */

    struct buf problems; /* private from here on */
    size_t problem_count;
    struct err stop, unsupported; /* code 0: none */
};

typedef void strict_read(struct strict *s, const struct tree *node, void *target);

struct strict_field {
    const char *name;  /* NULL ends a table */
    strict_read *read; /* node->key is the key */
    size_t offset;     /* of its target in the struct */
};

void strict_init(struct strict *s, struct arena *arena);
void strict_release(struct strict *s);

/* The message for all that went wrong, whole; NULL if nothing did. Lasts until the next reading or strict_release. */
const char *strict_why(const struct strict *s);

/* The same as a code, 0 if all is well, and in *err, cut to what that holds. A stop and what is unsupported have their
 * position in *err, problems tell their lines themselves. */
int strict_result(const struct strict *s, struct err *err);

/* Stopped: whatever is read from now on has no effect. Sound: not stopped, and no problems. */
bool strict_stopped(const struct strict *s);
bool strict_sound(const struct strict *s);

/* ---- reading ---- */

/* Reads a map by its table. go_type: Go's name in "field x not found in type ...". False if the map has problems of its
 * own or the reading has stopped: then whoever checks fields against each other leaves that out. */
bool strict_struct(struct strict *s, const struct tree *node, const char *go_type,
                   const struct strict_field *fields, void *target);

/* Reads a list, each item into the next of a new arena array of zeroed `size`-byte targets. go_type: "[]string". */
struct strict_list {
    void *items;
    size_t count;
};
void strict_list(struct strict *s, const struct tree *node, const char *go_type, size_t size,
                 strict_read *read, struct strict_list *out);

/* A list of texts under the name of what it holds; the same shape as strict_list. */
struct strict_texts {
    struct str *items;
    size_t count;
};

/* A text with its place; node is NULL when the field is absent. */
struct strict_scalar {
    struct str text;
    const struct tree *node;
};

strict_read strict_skip;   /* a key that is known and says nothing to us */
strict_read strict_text;   /* struct str, never NULL: a scalar of any type as it is written */
strict_read strict_scalar; /* struct strict_scalar */
strict_read strict_bool;   /* bool */
strict_read strict_i64;    /* int64_t */
strict_read strict_u64;    /* uint64_t */
strict_read strict_f64;    /* double */
strict_read strict_texts;  /* struct strict_texts */

/* ---- complaining, for readers ---- */

/* False, and a problem each, if keys of the map were there before (yaml_parse_documents): such a map is not read. */
bool strict_keys(struct strict *s, const struct tree *map);

/* Stops with ERR_PARSE and this text. node: its place, or NULL. Of several stops the first one counts. */
void strict_fail(struct strict *s, const struct tree *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a code and a text that came from elsewhere. */
void strict_stop(struct strict *s, const struct tree *node, const struct err *why);

/* Notes a problem: line N: cannot unmarshal !!str `x` into bool. */
void strict_mismatch(struct strict *s, const struct tree *node, const char *go_type);

/* Notes an unknown key where no table is used: line N: field x not found in type config.plain. */
void strict_unknown(struct strict *s, const struct tree *key, const char *go_type);

void strict_unsupported(struct strict *s, const struct tree *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
