#include "relabel_priv.h"

#include "tocsin/gotext.h"

static const char *const names[] = {
    [RELABEL_REPLACE] = "replace",     [RELABEL_KEEP] = "keep",           [RELABEL_DROP] = "drop",
    [RELABEL_KEEPEQUAL] = "keepequal", [RELABEL_DROPEQUAL] = "dropequal", [RELABEL_HASHMOD] = "hashmod",
    [RELABEL_LABELMAP] = "labelmap",   [RELABEL_LABELDROP] = "labeldrop", [RELABEL_LABELKEEP] = "labelkeep",
    [RELABEL_LOWERCASE] = "lowercase", [RELABEL_UPPERCASE] = "uppercase",
};

const char *relabel_action_name(enum relabel_action action)
{
    return names[action];
}

void relabel_rule_init(struct relabel_rule *rule)
{
    *rule = (struct relabel_rule){
        .action = RELABEL_REPLACE,
        .separator = STR(";"),
        .regex = STR("(.*)"),
        .replacement = STR("$1"),
    };
}

/* Writes value, not a template, into its target. */
static bool sets_value(enum relabel_action action)
{
    return action == RELABEL_LOWERCASE || action == RELABEL_UPPERCASE || action == RELABEL_KEEPEQUAL ||
           action == RELABEL_DROPEQUAL;
}

static bool takes_target(enum relabel_action action)
{
    return sets_value(action) || action == RELABEL_REPLACE || action == RELABEL_HASHMOD;
}

static bool is_default_template(const struct relabel_rule *rule)
{
    return rule->modulus == 0 && str_is(rule->separator, ";") && str_is(rule->replacement, "$1");
}

static int complain_of(const struct relabel_rule *rule, struct str text, const char *key, struct err *err)
{
    struct buf quoted;
    buf_init(&quoted, ERR_TEXT_MAX);
    go_quote(&quoted, text);
    int rc = err_set(err, ERR_PARSE, "%s is invalid '%s' for %s action", buf_text(&quoted), key,
                     relabel_action_name(rule->action));
    buf_release(&quoted);
    return rc;
}

/* What else is given, of actions that take only one or two keys. */
static int judge_surplus(const struct relabel_rule *rule, struct err *err)
{
    const char *name = relabel_action_name(rule->action);
    bool equal = rule->action == RELABEL_DROPEQUAL || rule->action == RELABEL_KEEPEQUAL;
    bool by_name = rule->action == RELABEL_LABELDROP || rule->action == RELABEL_LABELKEEP;
    if (equal && (rule->regex_given || !is_default_template(rule)))
        return err_set(err, ERR_PARSE,
                       "%s action requires only 'source_labels' and `target_label`, and no other fields",
                       name);
    if (by_name && (rule->sources_given || rule->target_label.n > 0 || !is_default_template(rule)))
        return err_set(err, ERR_PARSE, "%s action requires only 'regex', and no other fields", name);
    return 0;
}

int relabel_judge(const struct relabel_rule *rule, struct err *err)
{
    enum relabel_action action = rule->action;
    if (action == RELABEL_NONE)
        return err_set(err, ERR_PARSE, "relabel action cannot be empty");
    if (action == RELABEL_HASHMOD && rule->modulus == 0)
        return err_set(err, ERR_PARSE, "relabel configuration for hashmod requires non-zero modulus");
    if (takes_target(action) && rule->target_label.n == 0)
        return err_set(err, ERR_PARSE, "relabel configuration for %s action requires 'target_label' value",
                       relabel_action_name(action));
    if (takes_target(action) && !label_name_is_valid(rule->target_label))
        return complain_of(rule, rule->target_label, "target_label", err);
    if (sets_value(action) && !str_is(rule->replacement, "$1"))
        return err_set(err, ERR_PARSE, "'replacement' can not be set for %s action",
                       relabel_action_name(action));
    if (action == RELABEL_LABELMAP && !label_name_is_valid(rule->replacement))
        return complain_of(rule, rule->replacement, "replacement", err);
    return judge_surplus(rule, err);
}
