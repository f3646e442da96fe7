#include "ruler_priv.h"

#include "tocsin/mem.h"

static bool is_alert(const void *item, const void *key)
{
    return labels_equal(((const struct live_alert *)item)->labels, key);
}

void live_alert_free(struct live_alert *a)
{
    mem_free(a->labels);
    mem_free(a->annotations);
    mem_free(a);
}

void live_alerts_free(struct map *alerts)
{
    void *item;
    for (size_t at = 0; (item = map_next(alerts, &at)) != NULL;)
        live_alert_free(item);
    map_release(alerts);
}

void live_alert_bring_back(struct live_alert *a, int64_t now_ns)
{
    int64_t *const times[] = {&a->active_ns, &a->fired_ns, &a->last_sent_ns, &a->keep_firing_since_ns};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (*times[i] > now_ns)
            *times[i] = now_ns;
}

static void become_pending(struct live_alert *a, int64_t now_ns)
{
    a->state = ALERT_PENDING;
    a->active_ns = now_ns;
    a->last_sent_ns = a->keep_firing_since_ns = NEVER;
}

void live_alert_leave(struct rule_state *state, struct live_alert *a, int64_t timeout_ns)
{
    bool is_written = a->state == ALERT_INACTIVE && a->kept.state == ALERT_INACTIVE;
    if (!a->has_row || is_written) {
        live_alert_free(a);
        return;
    }
    if (a->state == ALERT_FIRING)
        a->resolved_ns = a->last_sent_ns != NEVER ? a->last_sent_ns + timeout_ns : NEVER;
    a->state = ALERT_INACTIVE;
    MEM_GROW(state->gone, state->gone_count, state->gone_capacity);
    state->gone[state->gone_count++] = a;
}

static void refresh(struct live_alert *a, const struct finding *f)
{
    a->value = f->value;
    if (a->annotations != NULL && labels_equal(a->annotations, f->annotations))
        return;
    mem_free(a->annotations);
    a->annotations = labels_copy_heap(f->annotations);
}

static void take_finding(struct rule_state *state, const struct finding *f, struct live_alert *a,
                         int64_t now_ns)
{
    if (a == NULL) {
        a = MEM_NEW(struct live_alert);
        a->labels = labels_copy_heap(f->labels);
        a->fired_ns = a->resolved_ns = NEVER;
        become_pending(a, now_ns);
        map_add(&state->alerts, a->labels->hash, a);
    } else if (a->state == ALERT_INACTIVE) {
        become_pending(a, now_ns);
    }
    refresh(a, f);
    a->round = state->alert_round;
}

static bool is_active(const struct live_alert *a)
{
    return a != NULL && a->state != ALERT_INACTIVE;
}

static size_t count_active(const struct map *alerts)
{
    const struct live_alert *a;
    size_t count = 0;
    for (size_t at = 0; (a = map_next(alerts, &at)) != NULL;)
        count += is_active(a);
    return count;
}

/* With `keep`, those that come when there are `limit` already are left out, and counted. */
static size_t take_findings(struct evaluation *e, const struct finding *findings, size_t count, bool keep)
{
    struct rule_state *state = e->state;
    size_t limit = (size_t)e->group->definition->limit, left_out = 0;
    size_t active = keep ? count_active(&state->alerts) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct finding *f = &findings[i];
        struct live_alert *a = map_find(&state->alerts, f->labels->hash, is_alert, f->labels);
        bool comes = !is_active(a);
        if (comes && keep && active >= limit) {
            left_out++;
        } else if (comes || e->occasion != OCCASION_LOOK) {
            take_finding(state, f, a, e->slot_ns);
            active += comes;
        }
    }
    return left_out;
}

static bool keeps_firing(const struct rule *rule, struct live_alert *a, int64_t now_ns)
{
    if (a->state != ALERT_FIRING || rule->keep_firing_for_ms == 0)
        return false;
    if (a->keep_firing_since_ns == NEVER)
        a->keep_firing_since_ns = now_ns;
    return now_ns - a->keep_firing_since_ns < rule->keep_firing_for_ms * NS_PER_MS;
}

static bool is_over(const struct live_alert *a, int64_t now_ns)
{
    return a->state == ALERT_PENDING ||
           (a->resolved_ns != NEVER && now_ns - a->resolved_ns > RESOLVED_RETENTION_NS);
}

/* From pending to firing, or back when `for` was raised meanwhile: then whoever was told that it fires takes it as ended in
 * time. */
static void apply_for(const struct rule *rule, struct live_alert *a, int64_t now_ns, int64_t timeout_ns)
{
    bool held = now_ns - a->active_ns >= rule->for_ms * NS_PER_MS;
    if (a->state == ALERT_PENDING && held) {
        a->state = ALERT_FIRING;
        a->fired_ns = now_ns;
        a->resolved_ns = NEVER;
    } else if (a->state == ALERT_FIRING && !held) {
        a->state = ALERT_PENDING;
        a->resolved_ns = a->last_sent_ns != NEVER ? a->last_sent_ns + timeout_ns : NEVER;
        a->last_sent_ns = a->keep_firing_since_ns = NEVER;
    }
}

enum step { STEP_ACTIVE, STEP_RESOLVED, STEP_OVER };

static enum step alert_step(const struct rule_state *state, struct live_alert *a, int64_t now_ns,
                            int64_t timeout_ns)
{
    if (a->state != ALERT_INACTIVE && a->active_ns > now_ns)
        return STEP_ACTIVE; /* a look has found it later than this slot, which has come late */
    if (a->round == state->alert_round) {
        a->keep_firing_since_ns = NEVER;
    } else if (!keeps_firing(state->rule, a, now_ns)) {
        if (is_over(a, now_ns))
            return STEP_OVER;
        if (a->state == ALERT_FIRING) {
            a->state = ALERT_INACTIVE;
            a->resolved_ns = now_ns;
        }
        return STEP_RESOLVED;
    }
    apply_for(state->rule, a, now_ns, timeout_ns);
    return STEP_ACTIVE;
}

int alert_limit_error(struct evaluation *e, size_t alerts)
{
    return err_set(e->err, ERR_LIMIT, "exceeded limit of %lld with %zu alerts%s",
                   (long long)e->group->definition->limit, alerts,
                   e->group->policy.keep_over_limit ? "; those that came first are kept" : "");
}

static void drop_all(struct rule_state *state, int64_t timeout_ns)
{
    struct live_alert *a;
    for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;)
        live_alert_leave(state, a, timeout_ns);
    map_clear(&state->alerts);
}

/* Steps every alert; `over` has room for all of them. Returns how many are pending or firing. */
static size_t step_all(struct evaluation *e, struct live_alert **over)
{
    struct rule_state *state = e->state;
    int64_t timeout_ns = alert_timeout_ns(e->globals, e->group);
    struct live_alert *a;
    size_t active = 0, over_count = 0;
    for (size_t at = 0; (a = map_next(&state->alerts, &at)) != NULL;) {
        if (e->occasion == OCCASION_LOOK && a->round != state->alert_round) {
            active += is_active(a); /* a look begins alerts, and does nothing else */
            continue;
        }
        enum step step = alert_step(state, a, e->slot_ns, timeout_ns);
        if (step == STEP_ACTIVE)
            active++;
        else if (step == STEP_OVER)
            over[over_count++] = a;
    }
    for (size_t i = 0; i < over_count; i++) {
        map_remove(&state->alerts, over[i]->labels->hash, over[i]);
        live_alert_leave(state, over[i], timeout_ns);
    }
    return active;
}

int live_alerts_step(struct evaluation *e, const struct finding *findings, size_t count)
{
    struct rule_state *state = e->state;
    int64_t limit = e->group->definition->limit;
    bool keep = limit > 0 && e->group->policy.keep_over_limit;
    struct live_alert **over = ARENA_ARRAY(&e->arena, struct live_alert *, state->alerts.count + count);
    if (over == NULL)
        return err_set(e->err, ERR_LIMIT, "the alerts take more memory than query_arena_bytes allows");
    lock_take(&e->group->lock);
    state->alert_round++;
    size_t left_out = take_findings(e, findings, count, keep);
    size_t active = step_all(e, over);
    bool exceeded = !keep && limit > 0 && active > (size_t)limit;
    if (exceeded)
        drop_all(state, alert_timeout_ns(e->globals, e->group));
    lock_drop(&e->group->lock);
    e->over_limit = left_out > 0 ? active + left_out : 0;
    return exceeded ? alert_limit_error(e, active) : 0;
}

bool live_alert_needs_sending(const struct live_alert *alert, int64_t now_ns, int64_t resend_ns)
{
    if (alert->state == ALERT_PENDING)
        return false;
    return alert->resolved_ns > alert->last_sent_ns || alert->last_sent_ns + resend_ns < now_ns;
}
