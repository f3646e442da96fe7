#include "ruler_priv.h"
#include "stage_priv.h"

#include "tocsin/mem.h"
#include "tocsin/promql_func.h"

/* What a rule reads. */
struct reads {
    const struct expr **selectors;
    size_t count, capacity;
    bool anything; /* cannot be told */
};

static void note_selector(void *context, struct expr *e)
{
    struct reads *r = context;
    if (e->kind == EXPR_CALL && e->call.function->id == FUNC_info)
        r->anything = true;
    if (e->kind != EXPR_SELECTOR)
        return;
    MEM_GROW(r->selectors, r->count, r->capacity);
    r->selectors[r->count++] = e;
}

/* A template that calls `query` holds the word; others that hold it wait in vain, and nothing else. */
static bool may_query(const struct rule_text *texts, size_t count)
{
    static const char word[] = "query";
    for (size_t i = 0; i < count; i++)
        if (texts[i].code != NULL && memmem(texts[i].text.p, texts[i].text.n, word, sizeof word - 1) != NULL)
            return true;
    return false;
}

static struct reads find_reads(const struct rule_state *state)
{
    const struct rule *rule = state->rule;
    struct reads r = {.anything = may_query(rule->labels, rule->label_count) ||
                                  may_query(rule->annotations, rule->annotation_count)};
    promql_walk((struct expr *)(uintptr_t)promql_expr(state->query), note_selector, &r);
    return r;
}

static bool may_read(const struct reads *reads, const struct rule *writer)
{
    bool found = reads->anything;
    for (size_t i = 0; i < reads->count && !found; i++)
        found = selector_may_read(reads->selectors[i], writer);
    return found;
}

/* By name; who records ALERTS is taken for any alert. */
static bool may_write_same(const struct rule *a, const struct rule *b)
{
    if (a->kind == b->kind)
        return str_eq(a->name, b->name);
    struct str recorded = a->kind == RULE_RECORDING ? a->name : b->name;
    return str_is(recorded, "ALERTS") || str_is(recorded, "ALERTS_FOR_STATE");
}

static size_t stage_of(const struct live_group *group, const struct reads *reads, size_t at)
{
    const struct rule_state *rules = group->rules;
    size_t stage = 0;
    for (size_t i = 0; i < at; i++) {
        bool behind = may_read(&reads[at], rules[i].rule);
        size_t least = rules[i].stage + behind;
        if (least > stage &&
            (behind || may_read(&reads[i], rules[at].rule) || may_write_same(rules[i].rule, rules[at].rule)))
            stage = least;
    }
    return stage;
}

void group_stages_find(struct live_group *group)
{
    struct reads *reads = MEM_ARRAY(struct reads, group->count + 1);
    for (size_t i = 0; i < group->count; i++) {
        reads[i] = find_reads(&group->rules[i]);
        group->rules[i].stage = stage_of(group, reads, i);
        if (group->rules[i].stage >= group->stage_count)
            group->stage_count = group->rules[i].stage + 1;
    }
    for (size_t i = 0; i < group->count; i++)
        mem_free(reads[i].selectors);
    mem_free(reads);
}
