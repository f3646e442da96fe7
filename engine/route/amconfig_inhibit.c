#include "amconfig_priv.h"

struct rule_draft {
    struct str name;
    struct am_matchers sources, targets;
    struct am_texts equal;
};

static void read_rule(struct am_reader *r, const struct tree *node, void *target)
{
    static const struct am_key keys[] = {
        {"name", am_text, offsetof(struct rule_draft, name)},
        {"source_match", am_match_map, offsetof(struct rule_draft, sources)},
        {"source_match_re", am_match_re_map, offsetof(struct rule_draft, sources)},
        {"source_matchers", am_matcher_list, offsetof(struct rule_draft, sources)},
        {"target_match", am_match_map, offsetof(struct rule_draft, targets)},
        {"target_match_re", am_match_re_map, offsetof(struct rule_draft, targets)},
        {"target_matchers", am_matcher_list, offsetof(struct rule_draft, targets)},
        {"equal", am_text_list, offsetof(struct rule_draft, equal)},
        {NULL, NULL, 0},
    };
    struct rule_draft d = {0};
    bool sound = am_object(r, node, keys, &d, "config.plain");
    for (size_t i = 0; sound && i < d.equal.count; i++) {
        if (!label_name_is_valid(d.equal.items[i]))
            am_fail(r, node, "invalid label name \"%.*s\" in equal list", STR_ARG(d.equal.items[i]));
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

void am_read_inhibit_rules(struct am_reader *r, const struct tree *node)
{
    r->config->inhibit_rules = am_list(r, node, read_rule, sizeof(struct am_inhibit_rule),
                                       &r->config->inhibit_count, "[]config.InhibitRule");
}
