#include "ruletest_priv.h"

#include "tocsin/mem.h"

struct covered_rule {
    char *place, *name; /* FILE:LINE:COLUMN, with the group where that is not enough */
    enum rule_kind kind;
    bool touched;
};

struct ruletest_coverage {
    struct covered_rule **rules; /* in the order in which files were loaded */
    size_t count, capacity;
    struct map by_place;
};

/* One test's look at its rules. */
struct cover {
    struct test_run *run;
    struct covered_rule **rules; /* of the test's rules, in the order of their groups */
    bool *pending;               /* touched, and not looked into yet */
    size_t count;
};

struct ruletest_coverage *ruletest_coverage_new(void)
{
    struct ruletest_coverage *c = MEM_NEW(struct ruletest_coverage);
    map_init(&c->by_place);
    return c;
}

void ruletest_coverage_free(struct ruletest_coverage *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++) {
        mem_free(c->rules[i]->place);
        mem_free(c->rules[i]->name);
        mem_free(c->rules[i]);
    }
    mem_free(c->rules);
    map_release(&c->by_place);
    mem_free(c);
}

void ruletest_coverage_print(const struct ruletest_coverage *c, FILE *out)
{
    size_t touched = 0;
    for (size_t i = 0; i < c->count; i++)
        touched += c->rules[i]->touched;
    fprintf(out, "Coverage: %zu of %zu rules tested\n", touched, c->count);
    for (size_t i = 0; i < c->count; i++)
        if (!c->rules[i]->touched)
            fprintf(out, "  %s: %s %s\n", c->rules[i]->place,
                    c->rules[i]->kind == RULE_ALERTING ? "alert" : "record", c->rules[i]->name);
    fputc('\n', out);
}

static bool is_at(const void *item, const void *key)
{
    return strcmp(((const struct covered_rule *)item)->place, key) == 0;
}

/* The rule as all tests know it. */
static struct covered_rule *known(struct ruletest_coverage *c, const struct rule_group *group,
                                  const struct rule *rule)
{
    struct buf place;
    buf_init(&place, 1 << 16);
    buf_format(&place, "%.*s:%d:%d", STR_ARG(group->file), rule->line, rule->column);
    struct str text = buf_slice(&place);
    uint64_t hash = hash_bytes(text.p, text.n);
    struct covered_rule *found = map_find(&c->by_place, hash, is_at, text.p);
    if (found == NULL) {
        found = MEM_NEW(struct covered_rule);
        *found = (struct covered_rule){mem_copy_text(text.p, text.n),
                                       mem_copy_text(rule->name.p, rule->name.n), rule->kind, false};
        MEM_GROW(c->rules, c->count, c->capacity);
        c->rules[c->count++] = found;
        map_add(&c->by_place, hash, found);
    }
    buf_release(&place);
    return found;
}

static const struct rule_state *state_at(const struct test_run *run, size_t index)
{
    for (size_t i = 0; i < run->group_count; i++) {
        if (index < run->groups[i]->count)
            return &run->groups[i]->rules[index];
        index -= run->groups[i]->count;
    }
    return NULL;
}

static void touch(struct cover *c, size_t index)
{
    c->pending[index] |= !c->rules[index]->touched;
    c->rules[index]->touched = true;
}

/* ---- what an expression reads ---- */

static bool is_alert_series(struct str name)
{
    return str_is(name, "ALERTS") || str_is(name, "ALERTS_FOR_STATE");
}

/* Matchers of this one label; without any every value will do. */
static bool label_matches(const struct expr *e, const char *label, struct str value)
{
    for (size_t i = 0; i < e->selector.matcher_count; i++)
        if (str_is(e->selector.matchers[i].name, label) && !matcher_matches(&e->selector.matchers[i], value))
            return false;
    return true;
}

static bool reads(const struct expr *e, const struct rule *rule)
{
    if (rule->kind == RULE_RECORDING)
        return label_matches(e, LABEL_METRIC_NAME, rule->name);
    bool named = false;
    for (size_t i = 0; i < e->selector.matcher_count; i++)
        named |= e->selector.matchers[i].op == MATCH_EQUAL &&
                 str_is(e->selector.matchers[i].name, LABEL_METRIC_NAME) &&
                 is_alert_series(e->selector.matchers[i].value);
    return named && label_matches(e, "alertname", rule->name);
}

static void visit(void *context, struct expr *e)
{
    struct cover *c = context;
    if (e->kind != EXPR_SELECTOR)
        return;
    size_t at = 0;
    for (size_t i = 0; i < c->run->group_count; i++)
        for (size_t j = 0; j < c->run->groups[i]->count; j++, at++)
            if (reads(e, c->run->groups[i]->rules[j].rule))
                touch(c, at);
}

static void visit_text(struct cover *c, struct str text)
{
    struct expr *e;
    if (promql_parse(&c->run->arena, text, &c->run->options->features, &e, NULL) != 0)
        return;
    promql_walk(e, visit, c);
    promql_free(e);
}

/* ---- one test ---- */

static void touch_alerts(struct cover *c)
{
    const struct test_alert *tests = c->run->test->alerts.items;
    for (size_t i = 0; i < c->count; i++) {
        const struct rule *rule = state_at(c->run, i)->rule;
        for (size_t j = 0; j < c->run->test->alerts.count && rule->kind == RULE_ALERTING; j++)
            if (str_eq(tests[j].alertname, rule->name))
                touch(c, i);
    }
}

/* Until nothing new is touched: what the touched rules read. */
static void follow(struct cover *c)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < c->count; i++) {
            if (!c->pending[i])
                continue;
            c->pending[i] = false;
            more = true;
            visit_text(c, state_at(c->run, i)->rule->query);
        }
    }
}

void test_cover(struct test_run *run)
{
    struct cover c = {.run = run};
    for (size_t i = 0; i < run->group_count; i++)
        c.count += run->groups[i]->count;
    c.rules = ARENA_ARRAY(&run->arena, struct covered_rule *, c.count);
    c.pending = ARENA_ARRAY(&run->arena, bool, c.count);
    if (c.rules == NULL || c.pending == NULL)
        return;
    size_t at = 0;
    for (size_t i = 0; i < run->group_count; i++)
        for (size_t j = 0; j < run->groups[i]->count; j++)
            c.rules[at++] = known(run->coverage, run->groups[i]->definition, run->groups[i]->rules[j].rule);
    touch_alerts(&c);
    const struct test_expr *exprs = run->test->exprs.items;
    for (size_t i = 0; i < run->test->exprs.count; i++)
        visit_text(&c, exprs[i].expr);
    follow(&c);
}
