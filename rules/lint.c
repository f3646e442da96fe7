#include "lint_priv.h"

#include "tocsin/duration.h"
#include "tocsin/gotext.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

static const char *const names[LINT_COUNT] = {
    "duplicate-rules", "dropped-label", "dropped-le",     "unmatched-join", "short-for",
    "never-true",      "always-true",   "absent-of-bool", "no-series",
};

const char *rule_lint_name(enum rule_lint lint)
{
    return names[lint];
}

static unsigned read_one(struct str name, FILE *out)
{
    if (str_is(name, "all"))
        return LINT_ALL;
    for (unsigned i = 0; i < LINT_COUNT; i++)
        if (str_is(name, names[i]))
            return LINT_BIT(i);
    if (!str_is(name, "none"))
        fprintf(out, "WARNING: unknown lint option: \"%.*s\"\n", STR_ARG(name));
    return 0;
}

unsigned rule_lints_read(struct str list, FILE *out)
{
    unsigned lints = 0;
    while (list.p != NULL && list.n > 0)
        lints |= read_one(str_cut(&list, ','), out);
    return lints;
}

/* ---- for the lints ---- */

const char *lint_text(struct lint_run *run, const struct expr *e)
{
    struct buf text;
    buf_init(&text, (size_t)limits.yaml_bytes);
    promql_print(&text, e);
    const char *copy = arena_copy_text(run->arena, buf_text(&text), text.used);
    buf_release(&text);
    return copy != NULL ? copy : "";
}

const struct expr *lint_bare(const struct expr *e)
{
    while (e->kind == EXPR_PAREN)
        e = e->paren.inner;
    return e;
}

bool lint_is_comparison(enum promql_op op)
{
    return op >= OP_EQ && op <= OP_GE;
}

void lint_place(struct buf *out, const struct lint_rule *at)
{
    if (at->file.n > 0)
        buf_format(out, "%.*s: ", STR_ARG(at->file));
    buf_format(out, "%d:%d: group ", at->rule->line, at->rule->column);
    go_quote(out, at->group->name);
    buf_format(out, ", rule %zu, ", at->number);
    go_quote(out, at->rule->name);
}

/* What is not known for want of memory is not warned of. */
void lint_note(struct lint_run *run, enum rule_lint lint, const char *format, ...)
{
    struct buf text;
    va_list args;
    if ((run->options->lints & LINT_BIT(lint)) == 0 || arena_exhausted(run->arena))
        return;
    run->found |= LINT_BIT(lint);
    buf_init(&text, (size_t)limits.yaml_bytes);
    lint_place(&text, &run->at);
    buf_puts(&text, ": ");
    va_start(args, format);
    buf_vformat(&text, format, args);
    va_end(args);
    fprintf(run->errors, "  WARNING: %s (%s)\n", buf_text(&text), names[lint]);
    buf_release(&text);
}

/* ---- over a file ---- */

static void lint_short_for(struct lint_run *run)
{
    const struct rule *rule = run->at.rule;
    int64_t interval_ms = run->at.group->interval_ms;
    struct buf hold, interval;
    if (rule->for_ms <= 0 || rule->for_ms >= interval_ms)
        return;
    buf_init(&hold, 128);
    buf_init(&interval, 128);
    duration_print(&hold, rule->for_ms);
    duration_print(&interval, interval_ms);
    lint_note(run, LINT_SHORT_FOR, "for %s is shorter than the group's interval: it lasts %s",
              buf_text(&hold), buf_text(&interval));
    buf_release(&hold);
    buf_release(&interval);
}

static void lint_one(struct lint_run *run)
{
    const struct rule *rule = run->at.rule;
    if (promql_parse(run->arena, rule->query, &run->options->features, &run->at.expr, NULL) != 0)
        return;
    lint_labels(run);
    lint_values(run);
    if (rule->kind == RULE_ALERTING)
        lint_short_for(run);
    if (run->options->against != NULL && (run->options->lints & LINT_BIT(LINT_NO_SERIES)) != 0)
        lint_collect(run);
    promql_free(run->at.expr);
}

void lint_set(struct lint_run *run, struct str file, const struct rule_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct rule_group *group = &set->groups[i];
        for (size_t j = 0; j < group->count; j++) {
            arena_clear(run->arena);
            run->at = (struct lint_rule){file, group, &group->rules[j], j + 1, NULL};
            lint_one(run);
        }
    }
}

void lint_init(struct lint_run *run, const struct rulecheck_options *options, struct arena *arena,
               FILE *errors)
{
    *run = (struct lint_run){.options = options, .arena = arena, .errors = errors};
}
