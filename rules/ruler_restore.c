#include "ruler_priv.h"

#include "tocsin/mem.h"

/* A rule by what the state knows it by. */
struct place {
    struct live_group *group;
    struct rule_state *state;
};

/* A rule, or with an alert one of its alerts, that the files no longer have. */
struct orphan {
    char *file, *group;
    struct alert_rule_key key;
    struct live_alert *alert; /* NULL: the rule itself */
};

struct restoring {
    const struct globals *globals;
    struct map places;
    struct orphan *orphans;
    size_t orphan_count, orphan_capacity;
    int64_t now_ns;
};

static uint64_t place_hash(struct str file, struct str group, uint64_t rule)
{
    return hash_mix(hash_mix(hash_bytes(file.p, file.n), hash_bytes(group.p, group.n)), rule);
}

static bool is_place(const void *item, const void *key)
{
    const struct place *place = item;
    const struct alert_rule_key *wanted = key;
    const struct rule_group *definition = place->group->definition;
    return place->state->identity == wanted->rule && str_eq(definition->file, wanted->file) &&
           str_eq(definition->name, wanted->group);
}

static void index_group(struct restoring *r, struct live_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->rules[i].rule->kind != RULE_ALERTING)
            continue;
        struct place *place = MEM_NEW(struct place);
        *place = (struct place){group, &group->rules[i]};
        map_add(&r->places,
                place_hash(group->definition->file, group->definition->name, place->state->identity), place);
    }
}

static const struct place *find(const struct restoring *r, const struct alert_rule_key *key)
{
    return map_find(&r->places, place_hash(key->file, key->group, key->rule), is_place, key);
}

static void add_orphan(struct restoring *r, const struct alert_rule_key *key, struct live_alert *alert)
{
    MEM_GROW(r->orphans, r->orphan_count, r->orphan_capacity);
    struct orphan *o = &r->orphans[r->orphan_count++];
    o->file = mem_copy_text(key->file.p, key->file.n);
    o->group = mem_copy_text(key->group.p, key->group.n);
    o->key = (struct alert_rule_key){{o->file, key->file.n}, {o->group, key->group.n}, key->rule};
    o->alert = alert;
}

/* ---- reading ---- */

static void take_rule(void *context, const struct alert_rule_key *key)
{
    struct restoring *r = context;
    const struct place *place = find(r, key);
    if (place != NULL)
        place->state->known = true;
    else
        add_orphan(r, key, NULL);
}

static struct live_alert *alert_of(const struct alert_row *row, int64_t now_ns)
{
    struct live_alert *a = MEM_NEW(struct live_alert);
    a->labels = labels_copy_heap(row->labels);
    a->annotations = labels_copy_heap(row->annotations);
    a->state = row->state == ALERT_PENDING  ? ALERT_PENDING
               : row->state == ALERT_FIRING ? ALERT_FIRING
                                            : ALERT_INACTIVE;
    a->value = row->value;
    a->active_ns = row->active_ns;
    a->fired_ns = row->fired_ns;
    a->resolved_ns = row->resolved_ns;
    a->last_sent_ns = row->last_sent_ns;
    a->keep_firing_since_ns = row->keep_firing_since_ns;
    a->has_row = true;
    live_alert_bring_back(a, now_ns);
    a->kept =
        (struct alert_mark){a->state, a->active_ns, a->fired_ns, a->resolved_ns, a->keep_firing_since_ns};
    return a;
}

/* What the process before has seen, no look is to see otherwise: it would begin anew what has ended since its newest sample. */
static void note_seen(const struct restoring *r, struct live_group *group, const struct alert_row *row)
{
    const int64_t times[] = {row->active_ns, row->fired_ns, row->resolved_ns};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i] > group->slot_ns)
            group->slot_ns = times[i] < r->now_ns ? times[i] : r->now_ns;
}

static void take_alert(void *context, const struct alert_rule_key *key, const struct alert_row *row)
{
    struct restoring *r = context;
    const struct place *place = find(r, key);
    struct live_alert *alert = alert_of(row, r->now_ns);
    if (place == NULL) {
        add_orphan(r, key, alert);
        return;
    }
    map_add(&place->state->alerts, alert->labels->hash, alert);
    note_seen(r, place->group, row);
}

/* ---- telling ---- */

static void tell(const struct restoring *r, struct str url, const struct live_alert *a, int64_t ends_ns)
{
    const struct ruler_options *options = &r->globals->options;
    if (options->emit != NULL && a->fired_ns != NEVER)
        options->emit(options->context, alert_news(r->globals, url, a, ends_ns));
}

/* Within the time in which an end is told again anyway, it is; later only to those who wait for it, so that nobody hears of it who has
 * heard of other things since. */
static bool is_end_to_tell(const struct restoring *r, const struct live_alert *a)
{
    const struct ruler_options *options = &r->globals->options;
    if (a->resolved_ns == NEVER)
        return false;
    return r->now_ns - a->resolved_ns <= RESOLVED_RETENTION_NS ||
           (options->owes_end != NULL && options->owes_end(options->context, a->labels));
}

/* Of a pending one, its last time has ended. */
static void tell_if(const struct restoring *r, const struct place *place, struct str url,
                    const struct live_alert *a, bool firing)
{
    if (firing && a->state == ALERT_FIRING)
        tell(r, url, a, r->now_ns + alert_timeout_ns(r->globals, place->group));
    else if (!firing && a->state != ALERT_FIRING && is_end_to_tell(r, a))
        tell(r, url, a, a->resolved_ns);
}

static void tell_alerts(const struct restoring *r, bool firing)
{
    const struct place *place;
    struct arena arena;
    arena_init(&arena, 4 << 20);
    for (size_t at = 0; (place = map_next(&r->places, &at)) != NULL;) {
        const struct live_alert *a;
        struct str url = {0};
        if (place->state->alerts.count > 0)
            url = alert_url(r->globals, place->state->rule->query, &arena);
        for (size_t i = 0; (a = map_next(&place->state->alerts, &i)) != NULL;)
            tell_if(r, place, url, a, firing);
        arena_clear(&arena);
    }
    arena_release(&arena);
}

/* ---- what has no rule any more ---- */

/* Nobody evaluates it, so it has ended; when a firing one did, nobody knows better than now. */
static void end_orphan(const struct restoring *r, struct live_alert *a)
{
    if (a->state == ALERT_FIRING)
        a->resolved_ns = r->now_ns;
    a->state = ALERT_INACTIVE;
}

static void draft_orphan(const struct orphan *o, struct alert_row *row, const struct labels **gone,
                         struct alert_rule_news *news)
{
    const struct live_alert *a = o->alert;
    *news = (struct alert_rule_news){.key = o->key, .rows = row, .gone = gone, .forget = true};
    if (a == NULL)
        return;
    *row = alert_row_of(a);
    *gone = a->labels;
    news->row_count = a->resolved_ns != NEVER;
    news->gone_count = a->resolved_ns == NEVER;
}

static int end_orphans(struct restoring *r, struct err *err)
{
    size_t count = r->orphan_count;
    if (count == 0)
        return 0;
    struct alert_rule_news *news = MEM_ARRAY(struct alert_rule_news, count);
    struct alert_row *rows = MEM_ARRAY(struct alert_row, count);
    const struct labels **gone = MEM_ARRAY(const struct labels *, count);
    for (size_t i = 0; i < count; i++) {
        if (r->orphans[i].alert != NULL)
            end_orphan(r, r->orphans[i].alert);
        draft_orphan(&r->orphans[i], &rows[i], &gone[i], &news[i]);
    }
    int rc = state_alerts_put(r->globals->options.state, news, count, err);
    for (size_t i = 0; i < count; i++)
        if (r->orphans[i].alert != NULL && is_end_to_tell(r, r->orphans[i].alert))
            tell(r, (struct str){0}, r->orphans[i].alert, r->orphans[i].alert->resolved_ns);
    mem_free(news);
    mem_free(rows);
    mem_free(gone);
    return rc;
}

/* ---- the whole ---- */

static void release(struct restoring *r)
{
    struct place *place;
    for (size_t at = 0; (place = map_next(&r->places, &at)) != NULL;)
        mem_free(place);
    map_release(&r->places);
    for (size_t i = 0; i < r->orphan_count; i++) {
        mem_free(r->orphans[i].file);
        mem_free(r->orphans[i].group);
        if (r->orphans[i].alert != NULL)
            live_alert_free(r->orphans[i].alert);
    }
    mem_free(r->orphans);
}

/* Ends come first: where a queue is full, it is the oldest that gives way. */
int ruler_restore(const struct globals *globals, struct live_group **groups, size_t count, int64_t now_ns,
                  struct err *err)
{
    struct restoring r = {.globals = globals, .now_ns = now_ns};
    struct state *from = globals->options.state;
    if (from == NULL)
        return 0;
    map_init(&r.places);
    for (size_t i = 0; i < count; i++)
        index_group(&r, groups[i]);
    int rc = state_alert_rules_each(from, take_rule, &r, err);
    if (rc == 0)
        rc = state_alerts_each(from, take_alert, &r, err);
    if (rc == 0)
        rc = end_orphans(&r, err);
    if (rc == 0) {
        tell_alerts(&r, false);
        tell_alerts(&r, true);
    }
    release(&r);
    return rc;
}
