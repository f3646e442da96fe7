/*
 * html_priv: where in an HTML text a template's pieces stand, and what that asks of a value there.
 *
 * html_scan and html_style read bytes and say what context follows; html_attribute knows what attributes hold; html_text
 * rewrites the literal text between actions; html_url and html_escape are the steps that a pipeline gets at its end;
 * html_pipe chooses them; html_join says what two branches come to; html_pass walks the tree. The source of all rules is what
 * Go's html/template does.
 */
#ifndef TOCSIN_HTML_PRIV_H
#define TOCSIN_HTML_PRIV_H

#include "template_priv.h"

enum html_state {
    HTML_TEXT,
    HTML_TAG,          /* between attributes, and where the tag may end */
    HTML_ATTR_NAME,    /* inside a name */
    HTML_AFTER_NAME,   /* where = may come */
    HTML_BEFORE_VALUE, /* after = */
    HTML_COMMENT,
    HTML_RCDATA, /* title, textarea: no tags in it */
    HTML_ATTR,   /* a value that is just text */
    HTML_URL,
    HTML_SRCSET,
    HTML_META, /* content of <meta>, which may hold a URL */
    HTML_META_URL,
    HTML_SCRIPT, /* passed through unread; no value may stand in it */
    HTML_STYLE,  /* CSS, and on to the last: read for where it ends; no value may stand in it */
    HTML_STYLE_DOUBLE,
    HTML_STYLE_SINGLE,
    HTML_STYLE_URL_DOUBLE,
    HTML_STYLE_URL_SINGLE,
    HTML_STYLE_URL,
    HTML_STYLE_BLOCK_COMMENT,
    HTML_STYLE_LINE_COMMENT,
    HTML_DEAD /* after {{break}} and {{continue}} */
};

/* What ends an attribute's value. */
enum html_delim { HTML_DELIM_NONE, HTML_DELIM_DOUBLE, HTML_DELIM_SINGLE, HTML_DELIM_SPACE };

/* How far a URL has come; unknown: branches disagree. */
enum html_url_part { HTML_PART_START, HTML_PART_PATH, HTML_PART_QUERY, HTML_PART_UNKNOWN };

/* What an attribute's value is. The last two only matter for names that come from data. */
enum html_attr {
    HTML_HOLDS_TEXT,
    HTML_HOLDS_SCRIPT,
    HTML_HOLDS_STYLE,
    HTML_HOLDS_URL,
    HTML_HOLDS_SRCSET,
    HTML_HOLDS_META,
    HTML_HOLDS_HTML,
    HTML_HOLDS_CONTROL
};

enum html_element {
    HTML_ELEMENT_OTHER,
    HTML_ELEMENT_SCRIPT,
    HTML_ELEMENT_STYLE,
    HTML_ELEMENT_TEXTAREA,
    HTML_ELEMENT_TITLE,
    HTML_ELEMENT_META
};

struct html_context {
    enum html_state state;
    enum html_delim delim;
    enum html_url_part part;
    enum html_attr attr;
    enum html_element element; /* whose tag or content this is */
};

bool html_same(struct html_context a, struct html_context b);

/* As Go writes a context in an error, and behind the name of a template that is called in it. */
void html_context_print(struct buf *out, struct html_context c);
void html_context_suffix(struct buf *out, struct html_context c);

/* Reads on from *c, which becomes what follows. Returns how much of s (not empty) is read: 0 only if the state has
 * changed. SIZE_MAX with a text in *err: no browser would agree with another about this. */
size_t html_scan(struct html_context *c, struct str s, struct err *err);

/* The same inside CSS. */
size_t html_style_scan(struct html_context *c, struct str s, struct err *err);

/* Inside a value: where it ends, or s.n. */
size_t html_value_end(struct html_context c, struct str s);

bool html_in_comment(struct html_context c);
bool html_is_space(char c);
size_t html_skip_space(struct str s, size_t i);

/* The bytes before `end`, or all of them. */
struct str html_before(struct str s, size_t end);

/* What an attribute of this name, in small letters, holds. */
enum html_attr html_attribute_holds(struct str name);

/* Appends s with the entities that stand for ASCII characters put in words, so that a scan sees what a browser does. */
void html_unescape(struct buf *out, struct str s);

/* Literal text, with what may not stand there put right: comments go, a < that starts no tag is escaped. */
int html_text(struct html_context *c, struct str text, struct buf *out, struct err *err);

/* The text content of trusted HTML: tags and comments go. */
void html_strip_tags(struct buf *out, struct str s);

/* A value at this place of a URL: false if its scheme might run code. */
bool html_url_is_safe(struct str url);

/* %xx for what may not stand in a URL (keep: its own marks and %xx stay) or in a part of one. */
void html_url_encode(struct buf *out, struct str s, bool keep);

void html_srcset(struct buf *out, struct str s);

/* Where an action stands that names no attribute or value yet: what its value will be. */
struct html_context html_nudge(struct html_context c);

/* What follows two branches that end in a and b. False: nothing can. */
bool html_join(struct html_context a, struct html_context b, struct html_context *out);

/* Steps of a pipeline. */
enum html_step {
    HTML_STEP_COMMENT,
    HTML_STEP_TEXT,
    HTML_STEP_RCDATA,
    HTML_STEP_ATTR,
    HTML_STEP_UNQUOTED,
    HTML_STEP_NAME,
    HTML_STEP_URL_FILTER,
    HTML_STEP_URL_NORMALIZE,
    HTML_STEP_URL_ENCODE,
    HTML_STEP_SRCSET,
    HTML_STEP_ARGUMENTS, /* several arguments become one text */
    HTML_STEP_COUNT
};

extern const struct template_function html_steps[HTML_STEP_COUNT];

/* A copy of an action that escapes for its context, which becomes the one behind it. NULL with *err and its code in *rc. */
struct node *html_action(struct template_set *set, struct html_context *c, const struct node *action, int *rc,
                         struct err *err);

/* One template as it is called in one context. */
struct html_variant {
    struct definition definition; /* named as Go names it, which errors show */
    struct str name;              /* as written */
    struct html_context begin, end;
    bool called;
    struct html_variant *next;
};

#endif
