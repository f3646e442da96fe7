#include "lint_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <stdlib.h>

/* All files of one call. */
struct checking {
    struct world *world;
    const struct rulecheck_options *options;
    FILE *out, *errors;
    struct lint_run lint;
    bool failed;
};

static int by_name_and_labels(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    int order = str_cmp(x->name, y->name);
    for (size_t i = 0; order == 0 && i < x->label_count && i < y->label_count; i++) {
        order = str_cmp(x->labels[i].name, y->labels[i].name);
        if (order == 0)
            order = str_cmp(x->labels[i].text, y->labels[i].text);
    }
    if (order != 0)
        return order;
    return (x->label_count > y->label_count) - (x->label_count < y->label_count);
}

static const struct rule **sorted_rules(struct rule_set *set)
{
    const struct rule **rules = ARENA_ARRAY(&set->arena, const struct rule *, set->rule_count);
    size_t count = 0;
    if (rules == NULL)
        return NULL;
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->groups[i].count; j++)
            rules[count++] = &set->groups[i].rules[j];
    qsort(rules, count, sizeof *rules, by_name_and_labels);
    return rules;
}

/* The second of each run of equal rules. */
static bool begins_repetition(const struct rule *const *rules, size_t at)
{
    return at > 0 && by_name_and_labels(&rules[at - 1], &rules[at]) == 0 &&
           (at == 1 || by_name_and_labels(&rules[at - 2], &rules[at - 1]) != 0);
}

static void print_rule(FILE *errors, const struct rule *rule)
{
    fprintf(errors, "Metric: %.*s\nLabel(s):\n", STR_ARG(rule->name));
    for (size_t i = 0; i < rule->label_count; i++)
        fprintf(errors, "\t%.*s: %.*s\n", STR_ARG(rule->labels[i].name), STR_ARG(rule->labels[i].text));
}

static bool has_duplicates(struct checking *c, struct rule_set *set)
{
    const struct rule **rules = sorted_rules(set);
    size_t found = 0;
    for (size_t i = 0; rules != NULL && i < set->rule_count; i++)
        found += begins_repetition(rules, i);
    if (found == 0)
        return false;
    fprintf(c->errors, "  FAILED:\nlint error %zu duplicate rule(s) found.\n", found);
    for (size_t i = 0; i < set->rule_count; i++)
        if (begins_repetition(rules, i))
            print_rule(c->errors, rules[i]);
    fputs("Might cause inconsistency while recording expressions\n", c->errors);
    c->lint.found |= LINT_BIT(LINT_DUPLICATE_RULES);
    return true;
}

static void lint_rules(struct checking *c, struct str path, struct rule_set *set)
{
    bool twice = (c->options->lints & LINT_BIT(LINT_DUPLICATE_RULES)) != 0 && has_duplicates(c, set);
    if ((c->options->lints & ~LINT_BIT(LINT_DUPLICATE_RULES)) != 0)
        lint_set(&c->lint, path, set);
    if (!twice)
        fprintf(c->out, "  SUCCESS: %zu rules found\n", set->rule_count);
}

static void check_text(struct checking *c, struct str path, struct str text)
{
    struct buf complaints;
    struct rule_set *set = rule_set_new();
    set->ignore_unknown_fields = c->options->ignore_unknown_fields;
    buf_init(&complaints, (size_t)limits.yaml_bytes);
    if (rulefile_parse(set, path, text, &c->options->features, &complaints) != 0) {
        fprintf(c->errors, "  FAILED:\n%s", buf_text(&complaints));
        c->failed = true;
    } else {
        lint_rules(c, path, set);
    }
    fputc('\n', c->out);
    buf_release(&complaints);
    rule_set_free(set);
}

static void check_file(struct checking *c, struct str path)
{
    struct buf text;
    struct err err;
    buf_init(&text, (size_t)limits.yaml_bytes);
    fprintf(c->out, "Checking %.*s\n", STR_ARG(path));
    fflush(c->out);
    char *name = mem_copy_text(path.p, path.n);
    if (c->world->read_file(c->world, name, &text, &err) == 0) {
        check_text(c, path, buf_slice(&text));
    } else {
        fprintf(c->errors, "  FAILED:\n%s: %s\n", name, err.text);
        fputc('\n', c->out);
        c->failed = true;
    }
    mem_free(name);
    buf_release(&text);
}

static void begin(struct checking *c, struct arena *arena, struct world *world,
                  const struct rulecheck_options *options, FILE *out, FILE *errors)
{
    *c = (struct checking){.world = world, .options = options, .out = out, .errors = errors};
    arena_init(arena, (size_t)limits.query_arena_bytes);
    lint_init(&c->lint, options, arena, errors);
}

static int end(struct checking *c)
{
    struct err err = {0};
    if (lint_series(&c->lint, c->world, &err) != 0) {
        fprintf(c->errors, "  FAILED: %s\n", err.text);
        c->failed = true;
    }
    lint_selectors_free(c->lint.selectors);
    arena_release(c->lint.arena);
    if (c->failed)
        return RULECHECK_FAILED;
    return (c->lint.found & c->options->fatal) != 0 ? RULECHECK_LINT : RULECHECK_OK;
}

int rulecheck_files(struct world *world, const struct str *paths, size_t count,
                    const struct rulecheck_options *options, FILE *out, FILE *errors)
{
    struct checking c;
    struct arena arena;
    begin(&c, &arena, world, options, out, errors);
    for (size_t i = 0; i < count; i++)
        check_file(&c, paths[i]);
    return end(&c);
}

int rulecheck_text(struct world *world, struct str text, const struct rulecheck_options *options, FILE *out,
                   FILE *errors)
{
    struct checking c;
    struct arena arena;
    begin(&c, &arena, world, options, out, errors);
    fputs("Checking standard input\n", out);
    fflush(out);
    check_text(&c, (struct str){0}, text);
    return end(&c);
}
