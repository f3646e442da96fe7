/*
 * field_priv: settings of integrations by tables of fields: how each is read, what it is by default, how it prints again.
 *
 *   static const struct field fields[] = {
 *       INTEGRATION_FIELDS(slack, "false"),
 *       {FIELD(slack, title, template), .given = "{{ template \"slack.default.title\" . }}"},
 *       {FIELD(slack, channel, template)},
 *       {.key = NULL},
 *   };
 *
 * What has a default prints always, else only what holds something; so what is printed reads again as it was. Null makes a value
 * zero, also where it has a default. The order of the table is Alertmanager's.
 */
#ifndef TOCSIN_FIELD_PRIV_H
#define TOCSIN_FIELD_PRIV_H

#include "tocsin/http_config.h"
#include "tocsin/strict_model.h"
#include "tocsin/template.h"

struct field;

struct field_type {
    strict_read *read;
    void (*set)(void *target, const char *given); /* NULL: has no default */
    void (*print)(struct buf *out, int indent, const struct field *field, const void *value);
};

/* What each type's target is. A template may hold {{ }}: it is parsed once to see that it is sound, and run where it is used. */
extern const struct field_type FIELD_text;            /* struct str */
extern const struct field_type FIELD_template;        /* struct str */
extern const struct field_type FIELD_secret;          /* struct str; prints as <secret> */
extern const struct field_type FIELD_secret_template; /* struct str; likewise */
extern const struct field_type FIELD_url;             /* struct str; http or https, with a host */
extern const struct field_type FIELD_secret_url;      /* struct str; <secret> is one, too */
extern const struct field_type FIELD_bool;            /* bool */
extern const struct field_type FIELD_maybe;           /* struct str: true, false or, not given, empty */
extern const struct field_type FIELD_count;           /* uint64_t */
extern const struct field_type FIELD_timeout;         /* int64_t, ms; Go's form; prints if it is not 0 */
extern const struct field_type FIELD_duration;        /* int64_t, ms; Prometheus' form; likewise */
extern const struct field_type FIELD_texts;           /* struct strict_texts */
extern const struct field_type FIELD_templates; /* struct strict_pairs: a map of templates, sorted by name */
extern const struct field_type FIELD_tree;      /* const struct tree *: anything; its texts are templates */
extern const struct field_type FIELD_http;      /* const struct http_config * */
extern const struct field_type
    FIELD_structs; /* struct strict_list of what field.shape says; null items are its check's */
extern const struct field_type FIELD_struct; /* what field.shape says, in a pointer; NULL: not given */

struct shape {
    const char *go_type, *go_list; /* "config.plain", "[]*config.SlackField" */
    size_t size;
    const struct field *fields;
    /* Stops at what contradicts itself within one. NULL: nothing can. */
    void (*check)(struct strict *s, const struct tree *node, void *target);
};

struct field {
    const char *key; /* NULL ends a table */
    const struct field_type *type;
    size_t offset;
    const char *given;         /* the default; NULL: zero */
    const struct shape *shape; /* of FIELD_struct and FIELD_structs */
    bool
        newer; /* than Alertmanager 0.25, whose amtool refuses what it does not know: a text that is left out while it is its default */
};

/* A field whose key is the name of its member. */
#define FIELD(holder, member, kind) \
    .key = #member, .type = &FIELD_##kind, .offset = offsetof(struct holder, member)

/* Sets the defaults, reads a map, checks it. False if it has problems. */
bool shape_read(struct strict *s, const struct tree *node, const struct shape *shape, void *target);

/* The keys, at indent. */
void shape_print(struct buf *out, int indent, const struct shape *shape, const void *value);

void field_print_http(struct buf *out, int indent, const struct http_config *http);

/* Stops at a template that does not parse. */
void field_check_template(struct strict *s, const struct tree *node, struct str text);

/* True for a usable URL (http or https, with a host); else stops with Alertmanager's complaint. */
bool am_check_url(struct strict *s, const struct tree *node, struct str text);
strict_read am_url_text, am_secret_url_text; /* struct str */
strict_read am_host_port_text; /* struct str; HOST:PORT, the port mandatory, a v6 address in brackets */

/* Stops if both are given: at most one of url & url_file must be configured. */
void field_exclude(struct strict *s, const struct tree *node, const char *a, struct str a_text, const char *b,
                   struct str b_text);

/* The same, and stops if neither is: one of webhook_url or webhook_url_file must be configured. */
void field_one_of(struct strict *s, const struct tree *node, const char *a, struct str a_text, const char *b,
                  struct str b_text);

bool text_is_template(struct str text);

/* A set that knows Alertmanager's functions and no template yet. NULL past the arena's cap. */
struct template_set *integration_functions(struct arena *arena);

#endif
