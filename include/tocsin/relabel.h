/*
 * relabel: relabel_configs: rules that rewrite a label set, or drop it (Prometheus 3.14).
 *
 *   action     default  what it does; `value` is the source labels' values joined by the separator
 *   replace    yes      if the regex matches value, target_label (a template) := replacement (a template); "" removes it
 *   keep, drop          drops the set if the regex does not match value; if it does
 *   keepequal           drops the set if target_label's value is not value; dropequal: if it is
 *   hashmod             target_label := the last eight bytes of value's MD5, modulo modulus
 *   lowercase           target_label := value in small letters; uppercase: in capitals
 *   labelmap            every label whose name matches the regex is copied to the name that replacement gives
 *   labeldrop           removes every label whose name matches the regex; labelkeep: does not match
 *
 * Regular expressions are anchored at both ends, `.` matches a line break. Templates know $1, ${1}, ${name}, $$. Label names
 * are UTF-8 (metric_name_validation_scheme: legacy is not known).
 *
 * Reading is in two steps, as in Prometheus: relabel_read complains of what is no rule at all, relabel_check, once the whole
 * file has been read, of rules that make no sense.
 *
 * Difference from Prometheus: labelmap never makes a label without a name; Prometheus does, and nobody takes such a set.
 */
#ifndef TOCSIN_RELABEL_H
#define TOCSIN_RELABEL_H

#include "tocsin/labels.h"
#include "tocsin/strict.h"

enum relabel_action {
    RELABEL_NONE, /* `action:` without a value */
    RELABEL_REPLACE,
    RELABEL_KEEP,
    RELABEL_DROP,
    RELABEL_KEEPEQUAL,
    RELABEL_DROPEQUAL,
    RELABEL_HASHMOD,
    RELABEL_LABELMAP,
    RELABEL_LABELDROP,
    RELABEL_LABELKEEP,
    RELABEL_LOWERCASE,
    RELABEL_UPPERCASE
};

/* A rule as it is written; texts are the file's. */
struct relabel_rule {
    enum relabel_action action;
    struct str *sources;
    size_t source_count;
    struct str separator, regex, target_label, replacement;
    uint64_t modulus;
    bool sources_given, regex_given; /* some actions take none, not even the default's */
    const struct tree *node;         /* its place; NULL: none */
};

struct relabel_rules {
    struct relabel_rule *items;
    size_t count;
    const struct tree
        *empty; /* the first item that holds nothing; what to say of it depends on whose rules these are */
};

/* The defaults: replace, separator ";", regex (.*), replacement $1. */
void relabel_rule_init(struct relabel_rule *rule);

/* Reads a list of rules into a struct relabel_rules. */
strict_read relabel_read;

/* Stops with `complaint` if an item of the list is null. */
void relabel_refuse_empty(struct strict *s, const struct relabel_rules *rules, const char *complaint);

/* Stops at the first rule that makes no sense, if all that has been read so far is sound. */
void relabel_check(struct strict *s, const struct relabel_rules *rules);

/* The rules as YAML, as a list at `indent`; nothing if there are none. */
void relabel_print(struct buf *out, int indent, const char *key, const struct relabel_rules *rules);

/* Rules ready for use: immutable, on the heap, nothing borrowed; any thread may use them. */
struct relabel;

/* 0, or ERR_PARSE in relabel_check's words, and NULL. */
int relabel_open(const struct relabel_rules *rules, struct relabel **out, struct err *err);
void relabel_free(struct relabel *relabel);

/* The set after all rules, in the arena (parts of it may still be those of `in`; nothing changed: `in` itself); NULL: dropped.
 * relabel may be NULL: no rules. 0, or ERR_LIMIT. */
int relabel_apply(const struct relabel *relabel, struct arena *arena, const struct labels *in,
                  const struct labels **out);

#endif
