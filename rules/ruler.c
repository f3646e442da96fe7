#include "ruler_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"

enum { MINUTE_MS = 60000 };

const char *alert_state_text(enum alert_state state)
{
    static const char *const texts[] = {"inactive", "pending", "firing"};
    return texts[state];
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
    pthread_cond_init(&ruler->idle, NULL);
    return ruler;
}

void ruler_configure(struct ruler *ruler, const struct ruler_options *options)
{
    struct globals *fresh = globals_make(options);
    lock_take(&ruler->lock);
    struct globals *before = ruler->globals;
    ruler->globals = fresh;
    lock_drop(&ruler->lock);
    globals_drop(ruler, before);
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

static void farewell_free(struct farewell *f)
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
    pthread_cond_destroy(&ruler->idle);
    lock_release(&ruler->lock);
    mem_free(ruler);
}

int64_t ruler_next_ns(struct ruler *ruler)
{
    int64_t next_ns = INT64_MAX;
    lock_take(&ruler->lock);
    for (size_t i = 0; i < ruler->count; i++)
        if (!ruler->groups[i]->busy && ruler->groups[i]->next_ns < next_ns)
            next_ns = ruler->groups[i]->next_ns;
    for (const struct farewell *f = ruler->farewells; f != NULL; f = f->next)
        if (f->due_ns < next_ns)
            next_ns = f->due_ns;
    lock_drop(&ruler->lock);
    return next_ns;
}

static struct farewell *take_farewell(struct ruler *ruler, int64_t now_ns)
{
    for (struct farewell **at = &ruler->farewells; *at != NULL; at = &(*at)->next) {
        struct farewell *f = *at;
        if (f->due_ns > now_ns)
            continue;
        *at = f->next;
        return f;
    }
    return NULL;
}

static struct live_group *due_longest(struct ruler *ruler, int64_t now_ns)
{
    struct live_group *due = NULL;
    for (size_t i = 0; i < ruler->count; i++) {
        struct live_group *g = ruler->groups[i];
        if (!g->busy && !g->stopping && g->next_ns <= now_ns && (due == NULL || g->next_ns < due->next_ns))
            due = g;
    }
    return due;
}

/* Takes the group's newest slot; those that passed meanwhile are missed, not replayed. */
static int64_t take_slot(struct live_group *group, int64_t now_ns, int64_t *missed)
{
    *missed = (now_ns - group->next_ns) / group->interval_ns;
    int64_t slot_ns = group->next_ns + *missed * group->interval_ns;
    group->next_ns = slot_ns + group->interval_ns;
    group->busy = true;
    group->refs++;
    return slot_ns;
}

static void tell_missed(struct ruler *ruler, struct live_group *group, int64_t missed)
{
    static struct log_rate rate;
    struct world *world = ruler->world;
    if (missed == 0)
        return;
    lock_take(&group->lock);
    group->figures.missed += (uint64_t)missed;
    group->figures.iterations += (uint64_t)missed;
    lock_drop(&group->lock);
    if (log_allowed(&rate, world->mono_ns(world)))
        log_warn("rule group missed iterations", LOG_STR("file", group->definition->file),
                 LOG_STR("group", group->definition->name), LOG_INT("missed", missed));
}

static void finish(struct ruler *ruler, struct live_group *group, struct globals *globals)
{
    lock_take(&ruler->lock);
    group->busy = false;
    pthread_cond_broadcast(&ruler->idle);
    lock_drop(&ruler->lock);
    live_group_drop(ruler, group);
    globals_drop(ruler, globals);
}

bool ruler_run(struct ruler *ruler, int64_t now_ns)
{
    int64_t slot_ns = 0, missed = 0;
    lock_take(&ruler->lock);
    struct farewell *farewell = take_farewell(ruler, now_ns);
    struct live_group *group = farewell == NULL ? due_longest(ruler, now_ns) : NULL;
    struct globals *globals = ruler->globals;
    if (group != NULL) {
        slot_ns = take_slot(group, now_ns, &missed);
        globals->refs++;
    }
    lock_drop(&ruler->lock);
    if (farewell != NULL) {
        output_end_all(ruler, &farewell->written, farewell->t_ms);
        farewell_free(farewell);
        return true;
    }
    if (group == NULL)
        return false;
    tell_missed(ruler, group, missed);
    live_group_evaluate(ruler, globals, group, slot_ns);
    finish(ruler, group, globals);
    return true;
}
