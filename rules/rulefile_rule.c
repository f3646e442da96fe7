#include "rulefile_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/limits.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct rule_text *)a)->name, ((const struct rule_text *)b)->name);
}

/* "group "g", rule 1, "name": ", in front of which may stand one or two positions. */
static const char *place_text(struct reading *r, const struct rule_place *place)
{
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    buf_puts(&text, "group ");
    go_quote(&text, place->group);
    buf_format(&text, ", rule %zu, ", place->number);
    go_quote(&text, place->name);
    const char *copy = arena_copy_text(r->scratch, buf_text(&text), text.used);
    buf_release(&text);
    return copy != NULL ? copy : "";
}

static void node_error(struct reading *r, const struct rule_place *place, const struct strict_scalar *at,
                       const char *what, const char *detail)
{
    reading_error(r, "%d:%d: %s: %s%s", at->node != NULL ? at->node->line : 0,
                  at->node != NULL ? at->node->column : 0, place_text(r, place), what, detail);
}

static void kind_error(struct reading *r, const struct rule_place *place, const struct raw_rule *raw,
                       const char *what)
{
    const struct tree *record = raw->record.node, *alert = raw->alert.node;
    reading_error(r, "%d:%d: %d:%d: %s: %s", record != NULL ? record->line : 0,
                  record != NULL ? record->column : 0, alert != NULL ? alert->line : 0,
                  alert != NULL ? alert->column : 0, place_text(r, place), what);
}

static void check_kind(struct reading *r, const struct rule_place *place, const struct raw_rule *raw)
{
    if (raw->record.text.n > 0 && raw->alert.text.n > 0)
        kind_error(r, place, raw, "only one of 'record' and 'alert' must be set");
    if (raw->record.text.n == 0 && raw->alert.text.n == 0)
        kind_error(r, place, raw, "one of 'record' or 'alert' must be set");
}

/* Checks the expression and keeps its canonical text. */
static void build_query(struct reading *r, const struct rule_place *place, const struct raw_rule *raw,
                        struct rule *out)
{
    struct err err;
    struct expr *expr;
    struct buf text;
    if (raw->expr.text.n == 0) {
        node_error(r, place, &raw->expr, "field 'expr' must be set in rule", "");
        return;
    }
    if (promql_parse(r->scratch, raw->expr.text, r->features, &expr, &err) != 0) {
        node_error(r, place, &raw->expr, "could not parse expression: ", err.text);
        return;
    }
    buf_init(&text, (size_t)limits.yaml_bytes);
    promql_print(&text, expr);
    promql_free(expr);
    out->query = str_copy(&r->set->arena, buf_slice(&text));
    buf_release(&text);
    out->line = raw->expr.node->line;
    out->column = raw->expr.node->column;
}

static void check_record(struct reading *r, const struct rule_place *place, const struct raw_rule *raw)
{
    struct str name = raw->record.text;
    if (name.n == 0)
        return;
    if (raw->annotations.count > 0)
        node_error(r, place, &raw->record, "invalid field 'annotations' in recording rule", "");
    if (raw->hold.ms != 0)
        node_error(r, place, &raw->record, "invalid field 'for' in recording rule", "");
    if (raw->keep_firing.ms != 0)
        node_error(r, place, &raw->record, "invalid field 'keep_firing_for' in recording rule", "");
    char *text = arena_copy_text(r->scratch, name.p, name.n);
    if (text == NULL)
        return;
    if (!label_name_is_valid(name))
        node_error(r, place, &raw->record, "invalid recording rule name: ", text);
    if (memchr(name.p, '{', name.n) != NULL || memchr(name.p, '}', name.n) != NULL)
        node_error(r, place, &raw->record,
                   "braces present in the recording rule name; should it be in expr?: ", text);
}

void rule_check_labels(struct reading *r, const char *prefix, const struct strict_pairs *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        const struct label *pair = &labels->items[i];
        if (!label_name_is_valid(pair->name) || str_is(pair->name, LABEL_METRIC_NAME))
            reading_error(r, "%sinvalid label name: %.*s", prefix, STR_ARG(pair->name));
        if (!str_is_utf8(pair->value))
            reading_error(r, "%sinvalid label value: %.*s", prefix, STR_ARG(pair->value));
    }
}

static void check_annotations(struct reading *r, const char *prefix, const struct strict_pairs *annotations)
{
    for (size_t i = 0; i < annotations->count; i++)
        if (!label_name_is_valid(annotations->items[i].name))
            reading_error(r, "%sinvalid annotation name: %.*s", prefix, STR_ARG(annotations->items[i].name));
}

static bool is_template(struct str text)
{
    return text.n > 1 && memmem(text.p, text.n, "{{", 2) != NULL;
}

static void template_error(struct reading *r, const char *prefix, const char *what, struct str name,
                           const struct err *err)
{
    struct buf quoted;
    buf_init(&quoted, (size_t)limits.yaml_bytes);
    go_quote(&quoted, name);
    reading_error(r, "%s%s %s: %s", prefix, what, buf_text(&quoted), err->text);
    buf_release(&quoted);
}

/* One label or annotation of an alert. what NULL: a group's label, whose template Prometheus only looks at when the
 * alert fires; what is wrong with it becomes its value then. */
static void build_text(struct reading *r, const char *prefix, const char *what, const struct label *pair,
                       const struct rule *rule, struct rule_text *out)
{
    struct arena *arena = &r->set->arena;
    struct err err;
    *out = (struct rule_text){.name = str_copy(arena, pair->name), .text = str_copy(arena, pair->value)};
    out->plain = out->text;
    if (rule->kind != RULE_ALERTING || !is_template(out->text))
        return;
    out->code = rule_template_parse(arena, rule->template_name, out->text, &err);
    if (out->code != NULL)
        return;
    if (what != NULL)
        template_error(r, prefix, what, pair->name, &err);
    else
        out->plain = str_of(arena_format(arena, "<error expanding template: error parsing template %.*s: %s>",
                                         STR_ARG(rule->template_name), err.text));
}

static bool pairs_have(const struct strict_pairs *pairs, struct str name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (str_eq(pairs->items[i].name, name))
            return true;
    return false;
}

static void build_labels(struct reading *r, const char *prefix, const struct raw_rule *raw,
                         const struct strict_pairs *base, struct rule *out)
{
    out->labels = ARENA_ARRAY(&r->set->arena, struct rule_text, raw->labels.count + base->count);
    if (out->labels == NULL)
        return;
    for (size_t i = 0; i < raw->labels.count; i++)
        build_text(r, prefix, "label", &raw->labels.items[i], out, &out->labels[out->label_count++]);
    for (size_t i = 0; i < base->count; i++)
        if (!pairs_have(&raw->labels, base->items[i].name))
            build_text(r, prefix, NULL, &base->items[i], out, &out->labels[out->label_count++]);
    qsort(out->labels, out->label_count, sizeof *out->labels, by_name);
}

static void build_annotations(struct reading *r, const char *prefix, const struct raw_rule *raw,
                              struct rule *out)
{
    out->annotations = ARENA_ARRAY(&r->set->arena, struct rule_text, raw->annotations.count);
    if (out->annotations == NULL)
        return;
    for (size_t i = 0; i < raw->annotations.count; i++)
        build_text(r, prefix, "annotation", &raw->annotations.items[i], out, &out->annotations[i]);
    out->annotation_count = raw->annotations.count;
    qsort(out->annotations, out->annotation_count, sizeof *out->annotations, by_name);
}

void rule_build(struct reading *r, const struct rule_place *place, const struct raw_rule *raw,
                const struct strict_pairs *base, struct rule *out)
{
    struct arena *arena = &r->set->arena;
    *out = (struct rule){
        .kind = raw->alert.text.n > 0 ? RULE_ALERTING : RULE_RECORDING,
        .name = str_copy(arena, place->name),
        .for_ms = raw->hold.ms,
        .keep_firing_for_ms = raw->keep_firing.ms,
    };
    if (out->kind == RULE_ALERTING)
        out->template_name = str_of(arena_format(arena, "__alert_%.*s", STR_ARG(place->name)));
    const char *prefix = arena_format(r->scratch, "%s: ", place_text(r, place));
    if (prefix == NULL)
        return;
    check_kind(r, place, raw);
    build_query(r, place, raw, out);
    check_record(r, place, raw);
    rule_check_labels(r, prefix, &raw->labels);
    check_annotations(r, prefix, &raw->annotations);
    build_labels(r, prefix, raw, base, out);
    build_annotations(r, prefix, raw, out);
}
