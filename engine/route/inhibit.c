#include "router_priv.h"

#include "tocsin/mem.h"

/* Sources with equal values; two sets of values may share a hash, so each source is compared again when asked. */
struct inhibit_key {
    uint64_t hash;
    const struct alert **alerts;
    size_t count, capacity;
};

static bool has_hash(const void *item, const void *key)
{
    return ((const struct inhibit_key *)item)->hash == *(const uint64_t *)key;
}

static uint64_t equal_hash(const struct am_inhibit_rule *rule, const struct labels *ls)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < rule->equal_count; i++) {
        struct str value = labels_get(ls, rule->equal[i]);
        hash = hash_mix(hash, hash_bytes(value.p, value.n));
    }
    return hash;
}

static bool equal_values(const struct am_inhibit_rule *rule, const struct labels *a, const struct labels *b)
{
    for (size_t i = 0; i < rule->equal_count; i++) {
        if (!str_eq(labels_get(a, rule->equal[i]), labels_get(b, rule->equal[i])))
            return false;
    }
    return true;
}

static bool is_source(const struct am_inhibit_rule *rule, const struct labels *ls)
{
    return matchers_match(rule->sources, rule->source_count, ls);
}

static bool is_target(const struct am_inhibit_rule *rule, const struct labels *ls)
{
    return matchers_match(rule->targets, rule->target_count, ls);
}

void inhibitor_init(struct inhibitor *inhibitor, const struct amconfig *config)
{
    inhibitor->rules = MEM_ARRAY(struct inhibit_index, config->inhibit_count + 1);
    inhibitor->count = 0;
    for (size_t i = 0; i < config->inhibit_count; i++) {
        const struct am_inhibit_rule *rule = &config->inhibit_rules[i];
        if (rule->source_count == 0 && rule->target_count == 0)
            continue; /* an empty rule mutes nothing */
        struct inhibit_index *index = &inhibitor->rules[inhibitor->count++];
        index->rule = rule;
        map_init(&index->sources);
    }
}

void inhibitor_release(struct inhibitor *inhibitor)
{
    for (size_t i = 0; i < inhibitor->count; i++) {
        struct inhibit_key *key;
        for (size_t at = 0; (key = map_next(&inhibitor->rules[i].sources, &at)) != NULL;) {
            mem_free(key->alerts);
            mem_free(key);
        }
        map_release(&inhibitor->rules[i].sources);
    }
    mem_free(inhibitor->rules);
    *inhibitor = (struct inhibitor){0};
}

static void file(struct inhibit_index *index, const struct alert *alert)
{
    uint64_t hash = equal_hash(index->rule, alert->fact->event->labels);
    struct inhibit_key *key = map_find(&index->sources, hash, has_hash, &hash);
    if (key == NULL) {
        key = MEM_NEW(struct inhibit_key);
        key->hash = hash;
        map_add(&index->sources, hash, key);
    }
    MEM_GROW(key->alerts, key->count, key->capacity);
    key->alerts[key->count++] = alert;
}

void inhibitor_add(struct inhibitor *inhibitor, const struct alert *alert)
{
    for (size_t i = 0; i < inhibitor->count; i++) {
        if (is_source(inhibitor->rules[i].rule, alert->fact->event->labels))
            file(&inhibitor->rules[i], alert);
    }
}

/* An alert that is source and target of one rule is not muted by others of its kind, least of all by itself. */
static bool mutes(const struct am_inhibit_rule *rule, const struct alert *source, const struct labels *target,
                  bool two_sided, int64_t now_ns)
{
    const struct alert_event *event = source->fact->event;
    return !alert_is_resolved(event, now_ns) && equal_values(rule, event->labels, target) &&
           !(two_sided && is_target(rule, event->labels));
}

static bool visit_rule(const struct inhibit_index *index, const struct labels *target, int64_t now_ns,
                       bool (*found)(void *context, const struct alert *source), void *context)
{
    if (!is_target(index->rule, target))
        return true;
    uint64_t hash = equal_hash(index->rule, target);
    const struct inhibit_key *key = map_find(&index->sources, hash, has_hash, &hash);
    bool two_sided = key != NULL && is_source(index->rule, target);
    for (size_t i = 0; key != NULL && i < key->count; i++) {
        if (mutes(index->rule, key->alerts[i], target, two_sided, now_ns) && !found(context, key->alerts[i]))
            return false;
    }
    return true;
}

void inhibitor_each(const struct inhibitor *inhibitor, const struct labels *target, int64_t now_ns,
                    bool (*found)(void *context, const struct alert *source), void *context)
{
    for (size_t i = 0; i < inhibitor->count; i++) {
        if (!visit_rule(&inhibitor->rules[i], target, now_ns, found, context))
            return;
    }
}

static bool note_one(void *context, const struct alert *source)
{
    (void)source;
    *(bool *)context = true;
    return false;
}

bool inhibitor_mutes(const struct inhibitor *inhibitor, const struct labels *target, int64_t now_ns)
{
    bool muted = false;
    inhibitor_each(inhibitor, target, now_ns, note_one, &muted);
    return muted;
}
