#include "ruler_priv.h"

#include "tocsin/mem.h"

/* One change from the globals and groups in force to others. */
struct ruler_change {
    struct ruler *ruler;
    struct globals *globals;             /* as they will be; a reference */
    struct loaded_set *set;              /* likewise */
    struct live_group **before, **after; /* a reference each */
    size_t before_count, after_count;
    struct map index; /* before, by key */
    int64_t now_ns;
    bool first; /* of the process */
};

static bool is_group_of(const void *item, const void *key)
{
    const struct rule_group *a = ((const struct live_group *)item)->definition, *b = key;
    return str_eq(a->file, b->file) && str_eq(a->name, b->name);
}

static struct live_group *group_before(const struct ruler_change *c, const struct live_group *group)
{
    return map_find(&c->index, group->key, is_group_of, group->definition);
}

static bool same_promql(const struct promql_options *a, const struct promql_options *b)
{
    return memcmp(&a->features, &b->features, sizeof a->features) == 0 && a->lookback_ms == b->lookback_ms &&
           a->subquery_step_ms == b->subquery_step_ms && a->samples_max == b->samples_max &&
           a->timeout_ms == b->timeout_ms;
}

static bool same_policy(const struct rule_policy *a, const struct rule_policy *b)
{
    return a->by_data == b->by_data && a->data_wait_ms == b->data_wait_ms &&
           a->catch_up_ms == b->catch_up_ms && a->keep_over_limit == b->keep_over_limit;
}

static bool goes_on(const struct live_group *old, const struct live_group *fresh)
{
    return old->definition->fingerprint == fresh->definition->fingerprint &&
           old->interval_ns == fresh->interval_ns && old->query_offset_ns == fresh->query_offset_ns &&
           same_promql(&old->promql, &fresh->promql) && same_policy(&old->policy, &fresh->policy);
}

static int open_groups(struct ruler_change *c, struct err *err)
{
    const struct rule_set *set = c->set->set;
    c->after = MEM_ARRAY(struct live_group *, set->count + 1);
    for (size_t i = 0; i < set->count; i++) {
        struct live_group *group = live_group_open(c->ruler, c->globals, c->set, &set->groups[i], err);
        if (group == NULL)
            return err != NULL && err->code != 0 ? err->code : ERR_LIMIT;
        c->after[c->after_count++] = group;
    }
    return 0;
}

/* Groups that did not change go on as they are, in the new ones' place. */
static void keep_unchanged(struct ruler_change *c)
{
    for (size_t i = 0; i < c->after_count; i++) {
        struct live_group *old = group_before(c, c->after[i]);
        if (old == NULL || !goes_on(old, c->after[i]))
            continue;
        lock_take(&c->ruler->lock);
        old->refs++;
        lock_drop(&c->ruler->lock);
        live_group_drop(c->ruler, c->after[i]);
        c->after[i] = old;
    }
}

/* From here on no worker takes up a group that ends, and none is in it. */
static void stop_leaving(struct ruler_change *c)
{
    lock_take(&c->ruler->lock);
    for (size_t i = 0; i < c->before_count; i++)
        c->before[i]->stopping = true;
    for (size_t i = 0; i < c->after_count; i++)
        c->after[i]->stopping = false;
    alarms_rebuild(c->ruler);
    for (size_t i = 0; i < c->before_count; i++)
        while (c->before[i]->stopping && c->before[i]->busy)
            pthread_cond_wait(&c->ruler->idle, &c->ruler->lock.mutex);
    lock_drop(&c->ruler->lock);
}

static bool same_texts(const struct rule_text *a, size_t a_count, const struct rule_text *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!str_eq(a[i].name, b[i].name) || !str_eq(a[i].text, b[i].text))
            return false;
    return true;
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
    return a->kind == b->kind && str_eq(a->name, b->name) &&
           same_texts(a->labels, a->label_count, b->labels, b->label_count);
}

static void inherit_rule(struct live_group *old, struct rule_state *from, struct rule_state *to)
{
    written_move(&to->written, &from->written);
    written_move(&to->past, &from->past);
    to->round = from->round;
    to->known = from->known;
    to->gone = from->gone;
    to->gone_count = from->gone_count;
    to->gone_capacity = from->gone_capacity;
    from->gone = NULL;
    from->gone_count = 0;
    to->recalled = from->recalled;
    map_init(&from->recalled);
    to->alert_round = from->alert_round;
    lock_take(&old->lock); /* a snapshot may be reading the alerts */
    to->alerts = from->alerts;
    map_init(&from->alerts);
    lock_drop(&old->lock);
}

/* Name and labels make a rule the same; of several such, the first is matched with the first. */
static void inherit_group(const struct ruler_change *c, struct live_group *old, struct live_group *fresh)
{
    bool *matched = MEM_ARRAY(bool, old->count + 1);
    for (size_t i = 0; i < fresh->count; i++) {
        size_t at = 0;
        while (at < old->count && (matched[at] || !same_rule(old->rules[at].rule, fresh->rules[i].rule)))
            at++;
        if (at == old->count)
            continue;
        matched[at] = true;
        inherit_rule(old, &old->rules[at], &fresh->rules[i]);
    }
    for (size_t i = 0; i < old->count; i++)
        written_move(&fresh->orphans, &old->rules[i].written);
    written_move(&fresh->orphans, &old->orphans);
    fresh->figures = old->figures;
    fresh->recalls_in = old->recalls_in;
    fresh->slot_ns = old->slot_ns;
    if (fresh->interval_ns == old->interval_ns)
        fresh->arrears = old->arrears;
    rules_end(c->globals, old, matched);
    mem_free(matched);
}

/* What the rules of a group that has gone wrote ends after two intervals, if nobody else has gone on with it. */
static void bid_farewell(struct ruler_change *c, struct live_group *old)
{
    struct farewell *f = MEM_NEW(struct farewell);
    map_init(&f->written);
    for (size_t i = 0; i < old->count; i++)
        written_move(&f->written, &old->rules[i].written);
    written_move(&f->written, &old->orphans);
    rules_end(c->globals, old, NULL);
    f->due_ns = c->now_ns + 2 * old->interval_ns;
    f->t_ms = (c->now_ns - old->query_offset_ns) / NS_PER_MS;
    lock_take(&c->ruler->lock);
    f->next = c->ruler->farewells;
    c->ruler->farewells = f;
    lock_drop(&c->ruler->lock);
}

static void hand_over(struct ruler_change *c)
{
    for (size_t i = 0; i < c->after_count; i++) {
        struct live_group *fresh = c->after[i], *old = group_before(c, fresh);
        if (fresh == old)
            continue;
        fresh->next_ns = c->first ? arrears_resume_ns(c->ruler, fresh, c->now_ns)
                                  : live_group_slot_after(fresh, c->now_ns);
        if (old != NULL && old->interval_ns == fresh->interval_ns)
            fresh->next_ns = old->next_ns; /* also if it is overdue, or waits for its data */
        fresh->slot_alarm.due_ns = fresh->next_ns;
        if (old != NULL) {
            inherit_group(c, old, fresh);
            map_remove(&c->index, old->key, old);
        } else {
            arrears_find(c->ruler, fresh, c->now_ns);
        }
    }
    for (size_t i = 0; i < c->before_count; i++)
        if (c->before[i]->stopping && map_remove(&c->index, c->before[i]->key, c->before[i]))
            bid_farewell(c, c->before[i]);
}

static size_t count_data_groups(const struct ruler_change *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->after_count; i++)
        count += c->after[i]->policy.by_data || c->after[i]->policy.catch_up_ms > 0;
    return count;
}

static void change_groups(struct ruler_change *c)
{
    keep_unchanged(c);
    stop_leaving(c);
    hand_over(c);
    lock_take(&c->ruler->lock);
    struct live_group **replaced = c->ruler->groups;
    size_t replaced_count = c->ruler->count;
    c->ruler->groups = c->after;
    c->ruler->count = c->after_count;
    c->ruler->clock_ns = c->now_ns > c->ruler->clock_ns ? c->now_ns : c->ruler->clock_ns;
    alarms_rebuild(c->ruler);
    atomic_store(&c->ruler->data_groups, count_data_groups(c));
    lock_drop(&c->ruler->lock);
    live_groups_drop(c->ruler, replaced, replaced_count);
}

static struct globals *globals_keep(struct ruler *ruler)
{
    lock_take(&ruler->lock);
    struct globals *globals = ruler->globals;
    globals->refs++;
    lock_drop(&ruler->lock);
    return globals;
}

static void set_drop(struct ruler *ruler, struct loaded_set *set)
{
    lock_take(&ruler->lock);
    bool last = --set->refs == 0;
    lock_drop(&ruler->lock);
    if (!last)
        return;
    rule_set_free(set->set);
    mem_free(set);
}

/* The first rules go on where an earlier process ended. */
static int restore(struct ruler_change *c, struct err *err)
{
    c->first = !c->ruler->begun;
    if (!c->first)
        return 0;
    int code = ruler_restore(c->globals, c->after, c->after_count, c->now_ns, err);
    if (code != 0)
        return code;
    ruler_recall(c->ruler, c->globals, c->after, c->after_count, c->now_ns);
    c->ruler->begun = true;
    return 0;
}

/* Frees it, in force or not. */
static void release(struct ruler_change *c)
{
    live_groups_drop(c->ruler, c->before, c->before_count);
    map_release(&c->index);
    globals_drop(c->ruler, c->globals);
    set_drop(c->ruler, c->set);
    mem_free(c);
}

int ruler_prepare(struct ruler *ruler, const struct ruler_options *options, struct rule_set *set,
                  struct ruler_change **out, struct err *err)
{
    struct ruler_change *c = MEM_NEW(struct ruler_change);
    c->ruler = ruler;
    c->globals = options != NULL ? globals_make(options) : globals_keep(ruler);
    c->now_ns = ruler->world->wall_ns(ruler->world);
    c->set = MEM_NEW(struct loaded_set);
    *c->set = (struct loaded_set){.set = set, .refs = 1};
    live_groups_keep(ruler, &c->before, &c->before_count);
    map_init(&c->index);
    for (size_t i = 0; i < c->before_count; i++)
        map_add(&c->index, c->before[i]->key, c->before[i]);
    int code = open_groups(c, err);
    if (code == 0)
        code = restore(c, err);
    *out = c;
    if (code != 0) {
        ruler_abandon(c);
        *out = NULL;
    }
    return code;
}

void ruler_commit(struct ruler_change *c)
{
    globals_swap(c->ruler, c->globals);
    change_groups(c);
    ruler_wake(c->ruler); /* others may be due now */
    release(c);
}

void ruler_abandon(struct ruler_change *c)
{
    live_groups_drop(c->ruler, c->after, c->after_count);
    release(c);
}

int ruler_load(struct ruler *ruler, struct rule_set *set, struct err *err)
{
    struct ruler_change *c;
    int code = ruler_prepare(ruler, NULL, set, &c, err);
    if (code == 0)
        ruler_commit(c);
    return code;
}
