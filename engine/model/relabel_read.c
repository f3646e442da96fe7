#include "relabel_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/regex.h"
#include "tocsin/yaml_print.h"

/* ---- reading ---- */

static void complain(struct strict *s, const struct tree *node, const char *before, struct str text,
                     const char *after)
{
    struct buf why;
    buf_init(&why, ERR_TEXT_MAX);
    buf_puts(&why, before);
    go_quote(&why, text);
    buf_puts(&why, after);
    strict_fail(s, node, "%s", buf_text(&why));
    buf_release(&why);
}

static void read_action(struct strict *s, const struct tree *node, void *target)
{
    enum relabel_action *action = target;
    struct str name;
    strict_text(s, node, &name);
    *action = RELABEL_NONE;
    if (tree_is_null(node) || node->kind != TREE_SCALAR)
        return;
    for (enum relabel_action i = RELABEL_REPLACE; i <= RELABEL_UPPERCASE; i++)
        if (str_eq_nocase(name, str_of(relabel_action_name(i))))
            *action = i;
    if (*action == RELABEL_NONE)
        complain(s, node, "unknown relabel action ", name, "");
}

static void read_source(struct strict *s, const struct tree *node, void *target)
{
    struct str *name = target;
    strict_text(s, node, name);
    if (!tree_is_null(node) && node->kind == TREE_SCALAR && !label_name_is_valid(*name))
        complain(s, node, "", *name, " is not a valid label name");
}

static void read_sources(struct strict *s, const struct tree *node, void *target)
{
    struct relabel_rule *rule = target;
    struct strict_list names = {0};
    strict_list(s, node, "model.LabelNames", sizeof(struct str), read_source, &names);
    rule->sources = names.items;
    rule->source_count = names.count;
    rule->sources_given = !tree_is_null(node);
}

/* Only tried here: what is ready for use is made when the whole configuration is sound. */
static void read_regex(struct strict *s, const struct tree *node, void *target)
{
    struct relabel_rule *rule = target;
    struct err why;
    rule->regex_given = true;
    strict_text(s, node, &rule->regex);
    if (node->kind != TREE_SCALAR)
        return;
    struct regex *regex = regex_open(rule->regex, REGEX_RELABEL, &why);
    if (regex == NULL)
        strict_stop(s, node, &why);
    else
        regex_free(regex);
}

static void read_rule(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"source_labels", read_sources, 0},
        {"separator", strict_text, offsetof(struct relabel_rule, separator)},
        {"regex", read_regex, 0},
        {"modulus", strict_u64, offsetof(struct relabel_rule, modulus)},
        {"target_label", strict_text, offsetof(struct relabel_rule, target_label)},
        {"replacement", strict_text, offsetof(struct relabel_rule, replacement)},
        {"action", read_action, offsetof(struct relabel_rule, action)},
        {NULL, NULL, 0},
    };
    struct relabel_rule *rule = target;
    relabel_rule_init(rule);
    rule->node = node;
    strict_struct(s, node, "relabel.plain", fields, rule);
}

void relabel_read(struct strict *s, const struct tree *node, void *target)
{
    struct relabel_rules *rules = target;
    struct strict_list list = {0};
    strict_list(s, node, "[]*relabel.Config", sizeof(struct relabel_rule), read_rule, &list);
    *rules = (struct relabel_rules){.items = list.items, .count = list.count};
    for (size_t i = rules->count; i > 0; i--)
        if (tree_is_null(rules->items[i - 1].node))
            rules->empty = rules->items[i - 1].node;
}

void relabel_refuse_empty(struct strict *s, const struct relabel_rules *rules, const char *complaint)
{
    if (rules->empty != NULL)
        strict_fail(s, rules->empty, "%s", complaint);
}

void relabel_check(struct strict *s, const struct relabel_rules *rules)
{
    struct err why;
    for (size_t i = 0; i < rules->count && strict_sound(s); i++)
        if (relabel_judge(&rules->items[i], &why) != 0)
            strict_stop(s, rules->items[i].node, &why);
}

/* ---- printing ---- */

/* Also where it is empty: not the default. */
static void print_text(struct buf *out, int indent, const char *key, struct str text)
{
    yaml_key(out, indent, key);
    buf_char(out, ' ');
    yaml_scalar(out, text);
    buf_char(out, '\n');
}

static void print_sources(struct buf *out, int indent, const struct relabel_rule *rule)
{
    if (!rule->sources_given)
        return;
    yaml_key(out, indent, "source_labels");
    buf_puts(out, " [");
    for (size_t i = 0; i < rule->source_count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        if (rule->sources[i].n > 0)
            json_string_raw(out, rule->sources[i]);
        else
            buf_puts(out, "null"); /* it came from that, "" is refused */
    }
    buf_puts(out, "]\n");
}

static void print_rule(struct buf *out, int indent, const struct relabel_rule *rule)
{
    size_t from = out->used;
    indent += 2;
    print_sources(out, indent, rule);
    print_text(out, indent, "separator", rule->separator);
    if (rule->regex_given)
        print_text(out, indent, "regex", rule->regex);
    if (rule->modulus > 0) {
        yaml_key(out, indent, "modulus");
        buf_format(out, " %llu\n", (unsigned long long)rule->modulus);
    }
    yaml_text(out, indent, "target_label", rule->target_label);
    print_text(out, indent, "replacement", rule->replacement);
    print_text(out, indent, "action", str_of(relabel_action_name(rule->action)));
    yaml_dash(out, from, indent - 2);
}

void relabel_print(struct buf *out, int indent, const char *key, const struct relabel_rules *rules)
{
    if (rules->count == 0)
        return;
    yaml_key(out, indent, key);
    buf_char(out, '\n');
    for (size_t i = 0; i < rules->count; i++)
        print_rule(out, indent, &rules->items[i]);
}
