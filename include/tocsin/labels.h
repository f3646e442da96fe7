/*
 * labels: an immutable label set, sorted by name (bytewise), with its hash.
 *
 * Invariants: names are unique; no value is empty (an empty value means "no such label"); item[] is sorted; `hash` is
 * Prometheus' label hash (XXH64, seed 0, length-prefixed, Prometheus 3.14), so equal sets have equal hashes in
 * every process. The metric name is the ordinary label __name__.
 *
 * A set is one block of memory in the arena given to the function that made it; names and values may point
 * elsewhere (the source set, the store), which then has to live as long: labels_copy makes it
 * self-contained. Functions return NULL past the arena's cap and for nothing else.
 */
#ifndef TOCSIN_LABELS_H
#define TOCSIN_LABELS_H

#include "tocsin/arena.h"
#include "tocsin/buf.h"
#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stdbool.h>
#include <stdint.h>

#define LABEL_METRIC_NAME "__name__"
/* With it what a metric is called: operations that drop the name drop these, too. */
#define LABEL_METRIC_TYPE "__type__"
#define LABEL_METRIC_UNIT "__unit__"

struct label {
    struct str name, value;
};

struct labels {
    uint64_t hash;
    size_t count;
    struct label item[];
};

/* The set of the given pairs, in any order; empty values are left out. *items is sorted in place. A name given
 * twice: the last one wins (labels_check refuses that where it matters). Names and values are borrowed. */
struct labels *labels_make(struct arena *arena, struct label *items, size_t count);

/* The same for annotations, which are kept in the same form: there an empty text is one, and stays. labels_copy, labels_copy_heap,
 * labels_get, labels_has, labels_compare, labels_equal and the printers take such sets, too. */
struct labels *labels_make_texts(struct arena *arena, struct label *items, size_t count);

/* From name, value, name, value, ..., NULL. For tests and for labels the program makes itself. */
struct labels *labels_of(struct arena *arena, ...) __attribute__((sentinel));

struct labels *labels_empty(struct arena *arena);

/* A self-contained copy: names and values too. */
struct labels *labels_copy(struct arena *arena, const struct labels *ls);

/* As labels_copy, on the heap; free with mem_free. Never NULL. */
struct labels *labels_copy_heap(const struct labels *ls);

/* The value of a label; the empty slice when it is absent. */
struct str labels_get(const struct labels *ls, struct str name);
bool labels_has(const struct labels *ls, struct str name);

/* A set with one label set or (empty value) removed. */
struct labels *labels_with(struct arena *arena, const struct labels *ls, struct str name, struct str value);

/* `over` laid over `base`: its labels win; an empty value in `over` cannot occur. */
struct labels *labels_merge(struct arena *arena, const struct labels *base, const struct labels *over);

/* Only the named labels, or all but the named ones. Names need not be sorted. */
struct labels *labels_keep(struct arena *arena, const struct labels *ls, const struct str *names,
                           size_t count);
struct labels *labels_drop(struct arena *arena, const struct labels *ls, const struct str *names,
                           size_t count);
struct labels *labels_drop_name(struct arena *arena, const struct labels *ls);

bool labels_equal(const struct labels *a, const struct labels *b);

/* Prometheus' order: pairwise by name then value, bytewise; a prefix sorts first. */
int labels_compare(const struct labels *a, const struct labels *b);

/* {a="b", c="d"}: __name__ is an ordinary label here, odd names are quoted (Prometheus 3.14). */
void labels_print(struct buf *out, const struct labels *ls);

/* {"a":"b","c":"d"} as Go's encoding/json writes a map of texts; {} for NULL. */
void labels_print_json(struct buf *out, const struct labels *ls);

/* [a-zA-Z_][a-zA-Z0-9_]*, and the same with colons for a metric. */
bool label_name_is_classic(struct str name);
bool metric_name_is_classic(struct str name);

/* The UTF-8 scheme, the default since Prometheus 3.0: any non-empty well-formed text. */
bool label_name_is_valid(struct str name);

/* Prometheus' label hash over pairs that are sorted already (labels_make does this by itself). */
uint64_t labels_hash(const struct label *items, size_t count);

#endif
