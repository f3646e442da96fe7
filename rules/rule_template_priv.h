/*
 * rule_template: the texts of labels and annotations that an alert gets, expanded.
 */
#ifndef TOCSIN_RULE_TEMPLATE_PRIV_H
#define TOCSIN_RULE_TEMPLATE_PRIV_H

#include "tocsin/promql.h"
#include "tocsin/rulefile.h"

/* What the templates of one rule see during one evaluation. */
struct rule_expansion {
    const struct promql_options *promql;
    struct view *view; /* for `query` */
    int64_t t_ms;      /* the slot, without query_offset */
    const struct labels *external_labels;
    struct str external_url;
    struct tval data; /* made by rule_expansion_sample */
};

/* Turns to one sample of the result; labels with __name__. */
void rule_expansion_sample(struct rule_expansion *with, struct arena *arena, const struct labels *labels,
                           double value, const struct histogram *histogram);

/* What `text` comes to, in the arena; never fails, because a broken template says so in its output. .p is NULL past
 * the arena's cap. */
struct str rule_text_expand(const struct rule_text *text, struct str template_name,
                            struct rule_expansion *with, struct arena *arena);

/* URL/graph?g0.expr=...&g0.tab=TAB. */
void graph_link(struct buf *out, struct str url, struct str query, int tab);

#endif
