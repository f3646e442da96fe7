/* rules: what tocsin.yml says of rule groups beside their files. */
#include "config_priv.h"

#include "tocsin/duration.h"
#include "tocsin/limits.h"
#include "tocsin/regex.h"
#include "tocsin/tree.h"

/* ---- reading ---- */

static void read_word(struct strict *s, const struct tree *node, const char *const words[2],
                      enum config_choice *choice)
{
    struct str word;
    strict_text(s, node, &word);
    for (int i = 0; i < 2; i++)
        if (str_is(word, words[i]))
            *choice = i == 0 ? CHOICE_PROMETHEUS : CHOICE_OWN;
    if (*choice == CHOICE_NONE)
        strict_fail(s, node, "rules.%.*s is %s or %s, not \"%.*s\"", STR_ARG(node->key->text), words[0],
                    words[1], STR_ARG(word));
}

static void read_evaluation(struct strict *s, const struct tree *node, void *target)
{
    static const char *const words[2] = {"clock", "data"};
    read_word(s, node, words, target);
}

static void read_limit_behaviour(struct strict *s, const struct tree *node, void *target)
{
    static const char *const words[2] = {"prometheus", "keep"};
    read_word(s, node, words, target);
}

static void read_pattern(struct strict *s, const struct tree *node, void *target)
{
    struct err err = {0};
    struct str *pattern = target;
    strict_text(s, node, pattern);
    struct regex *re = regex_open(*pattern, REGEX_PROMQL, &err);
    if (re == NULL)
        strict_stop(s, node, &err);
    regex_free(re);
}

/* Samples are kept for as much longer. */
static void read_patience(struct strict *s, const struct tree *node, void *target)
{
    enum { DAYS_MAX = 31 };
    const struct strict_duration *d = target;
    strict_duration(s, node, target);
    if (d->given && d->ms > INT64_C(86400000) * DAYS_MAX)
        strict_fail(s, node, "rules.%.*s is %d days at most", STR_ARG(node->key->text), DAYS_MAX);
}

static void read_exception(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"group", read_pattern, offsetof(struct config_rules, group)},
        {"file", read_pattern, offsetof(struct config_rules, file)},
        {"evaluation", read_evaluation, offsetof(struct config_rules, evaluation)},
        {"data_wait", read_patience, offsetof(struct config_rules, data_wait)},
        {"catch_up", read_patience, offsetof(struct config_rules, catch_up)},
        {"limit_behaviour", read_limit_behaviour, offsetof(struct config_rules, limit_behaviour)},
        {NULL, NULL, 0},
    };
    const struct config_rules *rules = target;
    if (strict_struct(s, node, "config.RuleGroupPolicy", fields, target) && rules->group.n == 0 &&
        rules->file.n == 0)
        strict_fail(s, node, "rules.groups: say which, with group or file");
}

static void read_exceptions(struct strict *s, const struct tree *node, void *target)
{
    strict_list(s, node, "[]config.RuleGroupPolicy", sizeof(struct config_rules), read_exception, target);
}

void config_read_rules(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field fields[] = {
        {"evaluation", read_evaluation, offsetof(struct config, rules.evaluation)},
        {"data_wait", read_patience, offsetof(struct config, rules.data_wait)},
        {"catch_up", read_patience, offsetof(struct config, rules.catch_up)},
        {"limit_behaviour", read_limit_behaviour, offsetof(struct config, rules.limit_behaviour)},
        {"groups", read_exceptions, offsetof(struct config, rule_exceptions)},
        {NULL, NULL, 0},
    };
    strict_struct(s, node, "config.RulesConfig", fields, target);
}

/* ---- laying it over the groups ---- */

static void lay(struct rule_policy *policy, const struct config_rules *rules)
{
    if (rules->evaluation != CHOICE_NONE)
        policy->by_data = rules->evaluation == CHOICE_OWN;
    if (rules->limit_behaviour != CHOICE_NONE)
        policy->keep_over_limit = rules->limit_behaviour == CHOICE_OWN;
    if (rules->data_wait.given)
        policy->data_wait_ms = rules->data_wait.ms;
    if (rules->catch_up.given)
        policy->catch_up_ms = rules->catch_up.ms;
}

/* NULL for an empty one, which matches all. */
static struct regex *open_pattern(struct str pattern)
{
    return pattern.n > 0 ? regex_open(pattern, REGEX_PROMQL, NULL) : NULL;
}

static void lay_exception(struct rule_set *set, const struct config_rules *rules)
{
    struct regex *group = open_pattern(rules->group), *file = open_pattern(rules->file);
    for (size_t i = 0; i < set->count; i++) {
        struct rule_group *g = &set->groups[i];
        if ((group == NULL || regex_match(group, g->name)) && (file == NULL || regex_match(file, g->file)))
            lay(&g->policy, rules);
    }
    regex_free(group);
    regex_free(file);
}

void config_lay_policies(const struct config *config, struct rule_set *set)
{
    const struct config_rules *exceptions = config->rule_exceptions.items;
    for (size_t i = 0; i < set->count; i++)
        lay(&set->groups[i].policy, &config->rules);
    for (size_t i = 0; i < config->rule_exceptions.count; i++)
        lay_exception(set, &exceptions[i]);
}

/* ---- printing ---- */

static void print_key(struct buf *out, const char **lead, const char *key)
{
    buf_format(out, "%s%s: ", *lead, key);
    *lead = ", ";
}

static void print_choice(struct buf *out, const char **lead, const char *key, enum config_choice choice,
                         const char *prometheus, const char *own)
{
    if (choice == CHOICE_NONE)
        return;
    print_key(out, lead, key);
    buf_puts(out, choice == CHOICE_OWN ? own : prometheus);
}

static void print_duration(struct buf *out, const char **lead, const char *key,
                           const struct strict_duration *d)
{
    if (!d->given)
        return;
    print_key(out, lead, key);
    duration_print(out, d->ms);
}

static void print_text(struct buf *out, const char **lead, const char *key, struct str text)
{
    if (text.n == 0)
        return;
    print_key(out, lead, key);
    json_string_raw(out, text);
}

static void print_members(struct buf *out, const char **lead, const struct config_rules *rules)
{
    print_text(out, lead, "group", rules->group);
    print_text(out, lead, "file", rules->file);
    print_choice(out, lead, "evaluation", rules->evaluation, "clock", "data");
    print_duration(out, lead, "data_wait", &rules->data_wait);
    print_duration(out, lead, "catch_up", &rules->catch_up);
    print_choice(out, lead, "limit_behaviour", rules->limit_behaviour, "prometheus", "keep");
}

void config_print_rules(struct buf *out, const struct config *config)
{
    const struct config_rules *exceptions = config->rule_exceptions.items;
    size_t before = out->used;
    const char *lead = "rules: {";
    print_members(out, &lead, &config->rules);
    for (size_t i = 0; i < config->rule_exceptions.count; i++) {
        if (i == 0)
            print_key(out, &lead, "groups");
        lead = i == 0 ? "[{" : ", {";
        print_members(out, &lead, &exceptions[i]);
        buf_char(out, '}');
    }
    if (config->rule_exceptions.count > 0)
        buf_char(out, ']');
    if (out->used > before)
        buf_puts(out, "}\n");
}
