#include "lint_priv.h"

#include "tocsin/limits.h"
#include "tocsin/promql_func.h"

/* Which labels the series of a result can have: any but those named, or only those named. Of the metric's name nothing is
 * said: it may always be there. */
struct reach {
    bool open; /* any but */
    struct str *names;
    size_t count;
};

static bool lists(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static bool may_have(const struct reach *r, struct str name)
{
    return str_is(name, LABEL_METRIC_NAME) || lists(r->names, r->count, name) != r->open;
}

static struct reach make(struct lint_run *run, bool open, size_t most)
{
    return (struct reach){.open = open, .names = ARENA_ARRAY(run->arena, struct str, most)};
}

static void add(struct reach *r, struct str name)
{
    if (r->names != NULL && !lists(r->names, r->count, name))
        r->names[r->count++] = name;
}

static struct reach everything(void)
{
    return (struct reach){.open = true};
}

static struct reach nothing(void)
{
    return (struct reach){.open = false};
}

/* The listed names can be there (or cannot), the others as before. */
static struct reach change(struct lint_run *run, const struct reach *from, const struct str *names,
                           size_t count, bool there)
{
    struct reach to = make(run, from->open, from->count + count);
    for (size_t i = 0; i < from->count; i++)
        if (!lists(names, count, from->names[i]))
            add(&to, from->names[i]);
    for (size_t i = 0; i < count && there != from->open; i++)
        add(&to, names[i]);
    return to;
}

static struct reach only(struct lint_run *run, const struct reach *from, const struct str *names,
                         size_t count)
{
    struct reach to = make(run, false, count);
    for (size_t i = 0; i < count; i++)
        if (may_have(from, names[i]))
            add(&to, names[i]);
    return to;
}

/* What both can have, or (either) what one of them can have. */
static struct reach combine(struct lint_run *run, const struct reach *a, const struct reach *b, bool either)
{
    struct reach to = make(run, either ? a->open || b->open : a->open && b->open, a->count + b->count);
    for (int side = 0; side < 2; side++) {
        const struct reach *r = side == 0 ? a : b;
        for (size_t i = 0; i < r->count; i++) {
            bool in_a = may_have(a, r->names[i]), in_b = may_have(b, r->names[i]);
            if ((either ? in_a || in_b : in_a && in_b) != to.open)
                add(&to, r->names[i]);
        }
    }
    return to;
}

static struct reach reach_of(struct lint_run *run, const struct expr *e);

static struct reach reach_selector(struct lint_run *run, const struct expr *e)
{
    struct reach to = make(run, true, e->selector.matcher_count);
    for (size_t i = 0; i < e->selector.matcher_count; i++) {
        const struct matcher *m = &e->selector.matchers[i];
        if (m->op == MATCH_EQUAL && m->value.n == 0)
            add(&to, m->name);
    }
    return to;
}

static bool keeps_series(enum promql_aggregate op)
{
    return op == AGG_TOPK || op == AGG_BOTTOMK || op == AGG_LIMITK || op == AGG_LIMIT_RATIO;
}

static struct reach reach_aggregate(struct lint_run *run, const struct expr *e)
{
    struct reach inner = reach_of(run, e->aggregate.inner), to;
    const struct name_list *labels = &e->aggregate.labels;
    if (keeps_series(e->aggregate.op))
        return inner;
    if (e->aggregate.without)
        to = change(run, &inner, labels->items, labels->count, false);
    else
        to = only(run, &inner, labels->items, labels->count);
    const struct expr *param = e->aggregate.param;
    if (e->aggregate.op == AGG_COUNT_VALUES && param != NULL && lint_bare(param)->kind == EXPR_STRING)
        to = change(run, &to, &lint_bare(param)->string.text, 1, true);
    return to;
}

/* ---- calls ---- */

static struct reach reach_absent(struct lint_run *run, const struct expr *e)
{
    const struct expr *arg = lint_bare(e->call.args.items[0]);
    if (arg->kind != EXPR_SELECTOR)
        return nothing();
    struct reach to = make(run, false, arg->selector.matcher_count);
    for (size_t i = 0; i < arg->selector.matcher_count; i++)
        if (arg->selector.matchers[i].op == MATCH_EQUAL)
            add(&to, arg->selector.matchers[i].name);
    return to;
}

static void note_bucket(void *context, struct expr *e)
{
    for (size_t i = 0; e->kind == EXPR_SELECTOR && i < e->selector.matcher_count; i++) {
        const struct matcher *m = &e->selector.matchers[i];
        if (m->op == MATCH_EQUAL && str_is(m->name, LABEL_METRIC_NAME) && str_ends(m->value, STR("_bucket")))
            *(bool *)context = true;
    }
}

/* Classic buckets are told apart by le. */
static struct reach reach_quantile(struct lint_run *run, const struct expr *e, size_t at)
{
    struct str le = STR("le");
    bool classic = false;
    struct reach inner = reach_of(run, e->call.args.items[at]);
    promql_walk(e->call.args.items[at], note_bucket, &classic);
    if (classic && !may_have(&inner, le))
        lint_note(run, LINT_DROPPED_LE, "%s: le is aggregated away, and without it there is no result",
                  lint_text(run, e));
    return change(run, &inner, &le, 1, false);
}

static struct reach reach_labelled(struct lint_run *run, const struct expr *e, size_t label)
{
    struct reach inner = reach_of(run, e->call.args.items[0]);
    const struct expr *name = lint_bare(e->call.args.items[label]);
    return name->kind == EXPR_STRING ? change(run, &inner, &name->string.text, 1, true) : everything();
}

/* All others keep the labels of the vector they are given. */
static struct reach reach_arguments(struct lint_run *run, const struct expr *e)
{
    struct reach to = nothing();
    for (size_t i = 0; i < e->call.args.count; i++) {
        const struct expr *arg = e->call.args.items[i];
        struct reach r = reach_of(run, arg);
        if (arg->type == PROMQL_VECTOR || arg->type == PROMQL_MATRIX)
            to = r;
    }
    return e->type == PROMQL_SCALAR ? nothing() : to;
}

static struct reach reach_call(struct lint_run *run, const struct expr *e)
{
    switch (e->call.function->id) {
    case FUNC_absent:
    case FUNC_absent_over_time:
        reach_of(run, e->call.args.items[0]);
        return reach_absent(run, e);
    case FUNC_histogram_quantile:
        return reach_quantile(run, e, 1);
    case FUNC_histogram_fraction:
        return reach_quantile(run, e, 2);
    case FUNC_histogram_quantiles:
        reach_quantile(run, e, 0);
        return reach_labelled(run, e, 1);
    case FUNC_label_replace:
    case FUNC_label_join:
        return reach_labelled(run, e, 1);
    case FUNC_info:
        reach_of(run, e->call.args.items[0]);
        return everything();
    default:
        return reach_arguments(run, e);
    }
}

/* ---- two sides ---- */

static const char *print_names(struct lint_run *run, const struct reach *r, const struct vector_matching *m)
{
    struct buf text;
    size_t shown = 0;
    buf_init(&text, (size_t)limits.yaml_bytes);
    for (size_t i = 0; i < r->count; i++)
        if (!lists(m->labels.items, m->labels.count, r->names[i]))
            buf_format(&text, "%s%.*s", shown++ > 0 ? ", " : "(", STR_ARG(r->names[i]));
    buf_puts(&text, shown > 0 ? ")" : "no labels");
    const char *copy = arena_copy_text(run->arena, buf_text(&text), text.used);
    buf_release(&text);
    return copy != NULL ? copy : "";
}

/* A name that matters for the match, and that only the first of the two can have. */
static bool exceeds(const struct reach *a, const struct reach *b, const struct vector_matching *m)
{
    for (size_t i = 0; i < a->count; i++)
        if (!lists(m->labels.items, m->labels.count, a->names[i]) && !may_have(b, a->names[i]))
            return true;
    return false;
}

static void check_on(struct lint_run *run, const struct expr *e, const struct reach *left,
                     const struct reach *right)
{
    const struct name_list *on = &e->binary.matching->labels;
    for (size_t i = 0; i < on->count; i++) {
        bool in_left = may_have(left, on->items[i]), in_right = may_have(right, on->items[i]);
        if (in_left != in_right)
            lint_note(run, LINT_UNMATCHED_JOIN, "%s: the %s side has no label %.*s to match on",
                      lint_text(run, e), in_left ? "right" : "left", STR_ARG(on->items[i]));
    }
}

static void check_join(struct lint_run *run, const struct expr *e, const struct reach *left,
                       const struct reach *right)
{
    const struct vector_matching *m = e->binary.matching;
    if (e->binary.op == OP_OR)
        return;
    if (m->on)
        check_on(run, e, left, right);
    else if (!left->open && !right->open && (exceeds(left, right, m) || exceeds(right, left, m)))
        lint_note(run, LINT_UNMATCHED_JOIN, "%s: the left side has %s, the right side %s: these never match",
                  lint_text(run, e), print_names(run, left, m), print_names(run, right, m));
    const struct reach *one = m->card == CARD_MANY_TO_ONE ? right : left;
    for (size_t i = 0; i < m->include.count; i++)
        if (!may_have(one, m->include.items[i]))
            lint_note(run, LINT_UNMATCHED_JOIN, "%s: the %s side has no label %.*s to copy",
                      lint_text(run, e), one == right ? "right" : "left", STR_ARG(m->include.items[i]));
}

static struct reach reach_join(struct lint_run *run, const struct expr *e, const struct reach *left,
                               const struct reach *right)
{
    const struct vector_matching *m = e->binary.matching;
    if (e->binary.op == OP_OR)
        return combine(run, left, right, true);
    if (e->binary.op == OP_AND || e->binary.op == OP_UNLESS)
        return *left;
    if (m->card != CARD_ONE_TO_ONE) {
        const struct reach *many = m->card == CARD_MANY_TO_ONE ? left : right;
        const struct reach *one = m->card == CARD_MANY_TO_ONE ? right : left;
        struct reach copied = only(run, one, m->include.items, m->include.count);
        struct reach rest = change(run, many, m->include.items, m->include.count, false);
        return change(run, &rest, copied.names, copied.count, true);
    }
    if (m->on)
        return only(run, left, m->labels.items, m->labels.count);
    struct reach both = combine(run, left, right, false);
    return change(run, &both, m->labels.items, m->labels.count, false);
}

static struct reach reach_binary(struct lint_run *run, const struct expr *e)
{
    struct reach left = reach_of(run, e->binary.left), right = reach_of(run, e->binary.right);
    if (e->binary.left->type == PROMQL_SCALAR || e->binary.right->type == PROMQL_SCALAR)
        return e->binary.left->type == PROMQL_SCALAR ? right : left;
    check_join(run, e, &left, &right);
    return reach_join(run, e, &left, &right);
}

static struct reach reach_of(struct lint_run *run, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_NUMBER:
    case EXPR_STRING:
        return nothing();
    case EXPR_PAREN:
        return reach_of(run, e->paren.inner);
    case EXPR_UNARY:
        return reach_of(run, e->unary.inner);
    case EXPR_BINARY:
        return reach_binary(run, e);
    case EXPR_AGGREGATE:
        return reach_aggregate(run, e);
    case EXPR_CALL:
        return reach_call(run, e);
    case EXPR_SELECTOR:
        return reach_selector(run, e);
    case EXPR_SUBQUERY:
        return reach_of(run, e->subquery.inner);
    }
    return everything();
}

/* ---- templates ---- */

struct asked {
    struct lint_run *run;
    const struct reach *reach;
    const struct rule_text *text;
    const char *what;
    struct str told[8]; /* a label is told once per text */
    size_t count;
};

static bool is_of_rule(const struct rule *rule, struct str name)
{
    for (size_t i = 0; i < rule->label_count; i++)
        if (str_eq(rule->labels[i].name, name))
            return true;
    return str_is(name, "alertname");
}

static void ask_for(void *context, struct str name)
{
    struct asked *a = context;
    if (may_have(a->reach, name) || lists(a->told, a->count, name) ||
        a->count == sizeof a->told / sizeof *a->told)
        return;
    a->told[a->count] = str_copy(a->run->arena, name);
    a->count += a->told[a->count].p != NULL;
    lint_note(a->run, LINT_DROPPED_LABEL,
              "%s %.*s uses label %.*s, which the expression's result cannot have%s", a->what,
              STR_ARG(a->text->name), STR_ARG(name),
              is_of_rule(a->run->at.rule, name) ? ": templates do not see the labels of the rule" : "");
}

static void check_texts(struct lint_run *run, const struct reach *reach, const char *what,
                        const struct rule_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct asked asked = {.run = run, .reach = reach, .text = &texts[i], .what = what};
        if (texts[i].code != NULL)
            template_references(texts[i].code, run->at.rule->template_name, STR("$labels"), STR("Labels"),
                                ask_for, &asked);
    }
}

void lint_labels(struct lint_run *run)
{
    const struct rule *rule = run->at.rule;
    struct reach reach = reach_of(run, run->at.expr);
    check_texts(run, &reach, "label", rule->labels, rule->label_count);
    check_texts(run, &reach, "annotation", rule->annotations, rule->annotation_count);
}
