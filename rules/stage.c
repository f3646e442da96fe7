#include "stage_priv.h"

#include "ruler_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/view.h"

/* So many rules may be under way or wait for one before them to be written: each holds an arena. */
enum { AHEAD_MAX = 32 };

struct stage_rule {
    struct rule_state *state;
    struct evaluation evaluation; /* its own part of the group's */
    struct rule_outcome outcome;
    bool computed; /* under the ruler's lock */
};

struct stage {
    struct stage *next;
    struct stage_rule *rules;
    size_t count;
    size_t taken, written; /* under the ruler's lock; so many of the first are */
};

/* ---- computing: any worker ---- */

static bool has_more(const struct stage *s)
{
    return s->taken < s->count && s->taken < s->written + AHEAD_MAX;
}

static void compute(struct ruler *ruler, struct stage_rule *r)
{
    r->evaluation.view = view_open(ruler->store);
    view_remember(r->evaluation.view);
    arena_init(&r->evaluation.arena, (size_t)limits.query_arena_bytes);
    rule_compute(&r->evaluation, r->state, &r->outcome);
}

static struct stage *open_stage(const struct ruler *ruler)
{
    struct stage *s = ruler->helpers < ruler->globals->options.concurrent_evals ? ruler->stages : NULL;
    while (s != NULL && !has_more(s))
        s = s->next;
    return s;
}

bool stage_offers(const struct ruler *ruler)
{
    return open_stage(ruler) != NULL;
}

bool stage_help(struct ruler *ruler)
{
    lock_take(&ruler->lock);
    struct stage *s = open_stage(ruler);
    struct stage_rule *r = s != NULL ? &s->rules[s->taken++] : NULL;
    ruler->helpers += r != NULL;
    lock_drop(&ruler->lock);
    if (r == NULL)
        return false;
    compute(ruler, r);
    lock_take(&ruler->lock);
    r->computed = true;
    ruler->helpers--;
    pthread_cond_broadcast(&ruler->idle);
    lock_drop(&ruler->lock);
    return true;
}

/* ---- writing: the group's own worker ---- */

static void absorb(struct evaluation *e, struct evaluation *part)
{
    e->samples += part->samples;
    for (size_t i = 0; i < part->event_count; i++) {
        MEM_GROW(e->events, e->event_count, e->event_capacity);
        e->events[e->event_count++] = part->events[i];
    }
    mem_free(part->events);
}

static void write_rule(struct evaluation *e, struct stage_rule *r)
{
    rule_write(&r->evaluation, &r->outcome);
    view_close(r->evaluation.view);
    arena_release(&r->evaluation.arena);
    absorb(e, &r->evaluation);
}

/* The rule to be written next, or one to be computed before that; waits until there is either. */
static struct stage_rule *next_rule(struct ruler *ruler, struct stage *s)
{
    struct stage_rule *r = &s->rules[s->written];
    lock_take(&ruler->lock);
    while (!r->computed && !has_more(s))
        pthread_cond_wait(&ruler->idle, &ruler->lock.mutex);
    if (!r->computed)
        r = &s->rules[s->taken++];
    lock_drop(&ruler->lock);
    return r;
}

static void note_computed(struct ruler *ruler, struct stage_rule *r)
{
    lock_take(&ruler->lock);
    r->computed = true;
    lock_drop(&ruler->lock);
}

static void count_written(struct ruler *ruler, struct stage *s)
{
    lock_take(&ruler->lock);
    bool had_more = has_more(s);
    s->written++;
    if (!had_more && has_more(s))
        pthread_cond_broadcast(&ruler->woken);
    lock_drop(&ruler->lock);
}

static void offer(struct ruler *ruler, struct stage *s)
{
    lock_take(&ruler->lock);
    s->next = ruler->stages;
    ruler->stages = s;
    pthread_cond_broadcast(&ruler->woken);
    lock_drop(&ruler->lock);
}

static void withdraw(struct ruler *ruler, struct stage *s)
{
    struct stage **at = &ruler->stages;
    lock_take(&ruler->lock);
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    lock_drop(&ruler->lock);
}

static void evaluate_together(struct evaluation *e, struct stage *s)
{
    struct ruler *ruler = e->ruler;
    offer(ruler, s);
    while (s->written < s->count) {
        struct stage_rule *r = next_rule(ruler, s);
        if (r->computed) {
            write_rule(e, r);
            count_written(ruler, s);
        } else {
            compute(ruler, r);
            note_computed(ruler, r);
        }
    }
    withdraw(ruler, s);
    evaluation_forget(e); /* the next stage sees what this one wrote */
}

void stage_evaluate(struct evaluation *e, size_t stage)
{
    struct live_group *group = e->group;
    struct stage s = {.rules = MEM_ARRAY(struct stage_rule, group->count)};
    for (size_t i = 0; i < group->count; i++) {
        if (group->rules[i].stage != stage)
            continue;
        struct stage_rule *r = &s.rules[s.count++];
        r->state = &group->rules[i];
        r->evaluation = (struct evaluation){.ruler = e->ruler,
                                            .globals = e->globals,
                                            .group = group,
                                            .occasion = e->occasion,
                                            .slot_ns = e->slot_ns};
    }
    if (s.count == 1)
        rule_evaluate(e, s.rules[0].state);
    else
        evaluate_together(e, &s);
    mem_free(s.rules);
}
