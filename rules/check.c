#include "tocsin/rulecheck.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/rulefile.h"

#include <stdlib.h>

enum verdict { VERDICT_GOOD, VERDICT_LINT, VERDICT_BAD };

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

static enum verdict lint_duplicates(struct rule_set *set, FILE *errors)
{
    const struct rule **rules = sorted_rules(set);
    size_t found = 0;
    for (size_t i = 0; rules != NULL && i < set->rule_count; i++)
        found += begins_repetition(rules, i);
    if (found == 0)
        return VERDICT_GOOD;
    fprintf(errors, "  FAILED:\nlint error %zu duplicate rule(s) found.\n", found);
    for (size_t i = 0; i < set->rule_count; i++)
        if (begins_repetition(rules, i))
            print_rule(errors, rules[i]);
    fputs("Might cause inconsistency while recording expressions\n", errors);
    return VERDICT_LINT;
}

static enum verdict judge(struct str path, struct str text, const struct rulecheck_options *options,
                          FILE *out, FILE *errors)
{
    struct buf complaints;
    enum verdict verdict = VERDICT_GOOD;
    struct rule_set *set = rule_set_new();
    set->ignore_unknown_fields = options->ignore_unknown_fields;
    buf_init(&complaints, (size_t)limits.yaml_bytes);
    if (rulefile_parse(set, path, text, &options->features, &complaints) != 0) {
        fprintf(errors, "  FAILED:\n%s", buf_text(&complaints));
        verdict = VERDICT_BAD;
    } else if (options->lint_duplicates) {
        verdict = lint_duplicates(set, errors);
    }
    if (verdict == VERDICT_GOOD)
        fprintf(out, "  SUCCESS: %zu rules found\n", set->rule_count);
    buf_release(&complaints);
    rule_set_free(set);
    return verdict;
}

static enum verdict check_file(struct world *world, struct str path, const struct rulecheck_options *options,
                               FILE *out, FILE *errors)
{
    struct buf text;
    struct err err;
    enum verdict verdict = VERDICT_BAD;
    buf_init(&text, (size_t)limits.yaml_bytes);
    fprintf(out, "Checking %.*s\n", STR_ARG(path));
    fflush(out);
    char *name = mem_copy_text(path.p, path.n);
    if (world->read_file(world, name, &text, &err) == 0)
        verdict = judge(path, buf_slice(&text), options, out, errors);
    else
        fprintf(errors, "  FAILED:\n%s: %s\n", name, err.text);
    fputc('\n', out);
    mem_free(name);
    buf_release(&text);
    return verdict;
}

static int exit_code(enum verdict worst, const struct rulecheck_options *options)
{
    if (worst == VERDICT_BAD)
        return RULECHECK_FAILED;
    return worst == VERDICT_LINT && options->lint_fatal ? RULECHECK_LINT : RULECHECK_OK;
}

int rulecheck_files(struct world *world, const struct str *paths, size_t count,
                    const struct rulecheck_options *options, FILE *out, FILE *errors)
{
    enum verdict worst = VERDICT_GOOD;
    for (size_t i = 0; i < count; i++) {
        enum verdict verdict = check_file(world, paths[i], options, out, errors);
        if (verdict > worst)
            worst = verdict;
    }
    return exit_code(worst, options);
}
