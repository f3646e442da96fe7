#include "amconfig_priv.h"

struct rule_draft {
    struct str name;
    struct am_matchers sources, targets;
    struct strict_texts equal;
};

static void read_rule(struct strict *s, const struct tree *node, void *target)
{
    static const struct strict_field keys[] = {
        {"name", strict_text, offsetof(struct rule_draft, name)},
        {"source_match", am_match_map, offsetof(struct rule_draft, sources)},
        {"source_match_re", am_match_re_map, offsetof(struct rule_draft, sources)},
        {"source_matchers", am_matcher_list, offsetof(struct rule_draft, sources)},
        {"target_match", am_match_map, offsetof(struct rule_draft, targets)},
        {"target_match_re", am_match_re_map, offsetof(struct rule_draft, targets)},
        {"target_matchers", am_matcher_list, offsetof(struct rule_draft, targets)},
        {"equal", strict_texts, offsetof(struct rule_draft, equal)},
        {NULL, NULL, 0},
    };
    struct rule_draft d = {0};
    bool sound = strict_struct(s, node, "config.plain", keys, &d);
    for (size_t i = 0; sound && i < d.equal.count; i++) {
        if (!label_name_is_valid(d.equal.items[i]))
            strict_fail(s, node, "invalid label name \"%.*s\" in equal list", STR_ARG(d.equal.items[i]));
    }
    am_matchers_sort(&d.sources);
    am_matchers_sort(&d.targets);
    *(struct am_inhibit_rule *)target = (struct am_inhibit_rule){
        .name = d.name,
        .sources = d.sources.items,
        .source_count = d.sources.count,
        .targets = d.targets.items,
        .target_count = d.targets.count,
        .equal = d.equal.items,
        .equal_count = d.equal.count,
    };
}

void am_read_inhibit_rules(struct strict *s, const struct tree *node, void *target)
{
    struct amconfig *config = ((struct am_reader *)target)->config;
    struct strict_list rules = {0};
    strict_list(s, node, "[]config.InhibitRule", sizeof(struct am_inhibit_rule), read_rule, &rules);
    config->inhibit_rules = rules.items;
    config->inhibit_count = rules.count;
}
