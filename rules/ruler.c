#include "ruler_priv.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

enum { MINUTE_MS = 60000, CONCURRENT_EVALS = 4 };

const char *alert_state_text(enum alert_state state)
{
    static const char *const texts[] = {"inactive", "pending", "firing"};
    return texts[state];
}

const char *rule_occasion_text(enum rule_occasion occasion)
{
    static const char *const texts[] = {"slot", "look", "catch_up"};
    return texts[occasion];
}

const char *rule_health_text(enum rule_health health)
{
    static const char *const texts[] = {"unknown", "ok", "err"};
    return texts[health];
}

struct globals *globals_make(const struct ruler_options *options)
{
    struct globals *g = MEM_NEW(struct globals);
    g->options = *options;
    g->refs = 1;
    if (g->options.interval_ms <= 0)
        g->options.interval_ms = MINUTE_MS;
    if (g->options.resend_delay_ms <= 0)
        g->options.resend_delay_ms = MINUTE_MS;
    if (g->options.concurrent_evals <= 0)
        g->options.concurrent_evals = CONCURRENT_EVALS;
    g->external_labels = options->external_labels != NULL ? labels_copy_heap(options->external_labels) : NULL;
    g->external_url = mem_copy_text(options->external_url.p, options->external_url.n);
    g->options.external_labels = g->external_labels;
    g->options.external_url = (struct str){g->external_url, options->external_url.n};
    return g;
}

void globals_drop(struct ruler *ruler, struct globals *globals)
{
    lock_take(&ruler->lock);
    size_t left = --globals->refs;
    lock_drop(&ruler->lock);
    if (left > 0)
        return;
    mem_free(globals->external_labels);
    mem_free(globals->external_url);
    mem_free(globals);
}

struct ruler *ruler_open(const struct ruler_options *options)
{
    struct ruler *ruler = MEM_NEW(struct ruler);
    ruler->world = options->world;
    ruler->store = options->store;
    ruler->recorded = options->recorded;
    ruler->context = options->context;
    ruler->globals = globals_make(options);
    lock_init(&ruler->lock, LOCK_groups);
    alarms_open(&ruler->alarms);
    pthread_cond_init(&ruler->idle, NULL);
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&ruler->woken, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
    return ruler;
}

void globals_swap(struct ruler *ruler, struct globals *fresh)
{
    lock_take(&ruler->lock);
    struct globals *before = ruler->globals;
    ruler->globals = fresh;
    fresh->refs++;
    lock_drop(&ruler->lock);
    globals_drop(ruler, before);
}

void ruler_configure(struct ruler *ruler, const struct ruler_options *options)
{
    struct globals *fresh = globals_make(options);
    globals_swap(ruler, fresh);
    globals_drop(ruler, fresh);
}

const struct labels *ruler_external_labels(struct ruler *ruler, struct arena *arena)
{
    lock_take(&ruler->lock);
    const struct labels *own = ruler->globals->external_labels;
    const struct labels *copy = own != NULL ? labels_copy(arena, own) : labels_empty(arena);
    lock_drop(&ruler->lock);
    return copy;
}

void live_group_drop(struct ruler *ruler, struct live_group *group)
{
    lock_take(&ruler->lock);
    bool last = --group->refs == 0;
    struct loaded_set *set = last && --group->set->refs == 0 ? group->set : NULL;
    lock_drop(&ruler->lock);
    if (last)
        live_group_free(group);
    if (set == NULL)
        return;
    rule_set_free(set->set);
    mem_free(set);
}

void live_groups_keep(struct ruler *ruler, struct live_group ***groups, size_t *count)
{
    lock_take(&ruler->lock);
    *count = ruler->count;
    *groups = MEM_ARRAY(struct live_group *, ruler->count + 1);
    for (size_t i = 0; i < ruler->count; i++) {
        (*groups)[i] = ruler->groups[i];
        ruler->groups[i]->refs++;
    }
    lock_drop(&ruler->lock);
}

void live_groups_drop(struct ruler *ruler, struct live_group **groups, size_t count)
{
    for (size_t i = 0; i < count; i++)
        live_group_drop(ruler, groups[i]);
    mem_free(groups);
}

void farewell_free(struct farewell *f)
{
    written_free(&f->written);
    mem_free(f);
}

void ruler_close(struct ruler *ruler)
{
    live_groups_drop(ruler, ruler->groups, ruler->count);
    while (ruler->farewells != NULL) {
        struct farewell *f = ruler->farewells;
        ruler->farewells = f->next;
        farewell_free(f);
    }
    globals_drop(ruler, ruler->globals);
    alarms_close(&ruler->alarms);
    pthread_cond_destroy(&ruler->idle);
    pthread_cond_destroy(&ruler->woken);
    lock_release(&ruler->lock);
    mem_free(ruler);
}
