#include "ruler_priv.h"
#include "stage_priv.h"

#include "tocsin/check.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"

#include <errno.h>
#include <time.h>

/* What is tried in vain, and looks, may use up one part in GROUP_SHARE of a processor for each group, so that a large one does not
 * stand in the way of small ones, and one in ALL_SHARE for all; after a pause all may go ahead of that by so much. */
enum { GROUP_SHARE = 5, ALL_SHARE = 2 };
#define TRIED_AHEAD_NS (10 * NS_PER_MS)
#define TRIED_REST_MAX_NS NS_PER_S

/* What a worker does next with one group, which is its own meanwhile. */
struct turn {
    enum turn_kind kind;
    struct live_group *group;
    struct globals *globals;
    int64_t slot_ns, missed, retry_ns, since_ns;
    uint64_t pushes; /* those that are seen by it */
};

/* ---- choosing; the ruler's lock held ---- */

/* When what is fresh may be tried. */
static int64_t fresh_ns(const struct ruler *ruler, const struct group_alarm *a)
{
    int64_t soon_ns = ruler->tried_until_ns - TRIED_AHEAD_NS;
    return soon_ns > a->rest_ns ? soon_ns : a->rest_ns;
}

static struct live_group *next_for(struct ruler *ruler, enum turn_kind kind, int64_t now_ns)
{
    struct live_group *due = alarms_first(ruler, kind, ALARM_DUE);
    struct live_group *fresh = alarms_first(ruler, kind, ALARM_FRESH);
    if (due != NULL && alarm_of(due, kind)->due_ns <= now_ns)
        return due;
    return fresh != NULL && fresh_ns(ruler, alarm_of(fresh, kind)) <= now_ns ? fresh : NULL;
}

/* The clock was put back. */
static void forget_rests(struct ruler *ruler, int64_t now_ns)
{
    ruler->tried_until_ns = now_ns;
    for (size_t i = 0; i < ruler->count; i++)
        for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++)
            alarm_of(ruler->groups[i], kind)->rest_ns = now_ns;
    alarms_rebuild(ruler);
}

static bool take_turn(struct ruler *ruler, int64_t now_ns, struct turn *turn)
{
    lock_take(&ruler->lock);
    *turn = (struct turn){.pushes = atomic_load(&ruler->pushes)};
    if (ruler->tried_until_ns - now_ns > 2 * TRIED_REST_MAX_NS)
        forget_rests(ruler, now_ns);
    alarms_freshen(ruler);
    for (turn->kind = 0; turn->kind < TURN_KINDS; turn->kind++)
        if ((turn->group = next_for(ruler, turn->kind, now_ns)) != NULL)
            break;
    if (turn->group != NULL) {
        alarms_remove(ruler, turn->group);
        turn->group->busy = true;
        turn->group->refs++;
        turn->globals = ruler->globals;
        turn->globals->refs++;
        turn->slot_ns =
            turn->kind == TURN_CATCH_UP ? arrears_first(turn->group, now_ns) : turn->group->next_ns;
        turn->since_ns = turn->group->arrears.since_ns;
    }
    lock_drop(&ruler->lock);
    return turn->group != NULL;
}

/* ---- slots ---- */

static bool slot_has_come(struct ruler *ruler, struct turn *turn, int64_t now_ns)
{
    struct live_group *g = turn->group;
    return !g->policy.by_data ||
           group_inputs_arrived(ruler, g, &g->wait, turn->slot_ns, now_ns, turn->slot_ns + g->data_wait_ns,
                                g->data_wait_ns / NS_PER_MS, &turn->retry_ns);
}

/* By the clock the newest slot is taken; by data the next, unless even the time to wait for its successor is over. Those that are
 * passed over are missed. */
static void take_slot(struct ruler *ruler, struct turn *turn, int64_t now_ns)
{
    struct live_group *g = turn->group;
    int64_t wait_ns = g->policy.by_data ? g->data_wait_ns : 0;
    int64_t behind_ns = now_ns - wait_ns - turn->slot_ns;
    turn->missed = behind_ns > 0 ? behind_ns / g->interval_ns : 0;
    turn->slot_ns += turn->missed * g->interval_ns;
    lock_take(&ruler->lock);
    arrears_add(g, g->next_ns, turn->slot_ns, now_ns);
    g->next_ns = turn->slot_ns + g->interval_ns;
    lock_drop(&ruler->lock);
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

static bool run_slot(struct ruler *ruler, struct turn *turn, int64_t now_ns)
{
    if (!slot_has_come(ruler, turn, now_ns))
        return false;
    take_slot(ruler, turn, now_ns);
    tell_missed(ruler, turn->group, turn->missed);
    live_group_evaluate(ruler, turn->globals, turn->group, turn->slot_ns);
    return true;
}

/* ---- the past ---- */

/* Right after an interruption every series is overdue; they have as long as data_wait to come back. */
static bool run_catch_up(struct ruler *ruler, struct turn *turn, int64_t now_ns)
{
    struct live_group *g = turn->group;
    bool patient = now_ns < turn->since_ns + g->data_wait_ns;
    if (turn->slot_ns == INT64_MAX)
        return false;
    if (!group_inputs_arrived(ruler, g, &g->arrears_wait, turn->slot_ns, now_ns,
                              turn->slot_ns + g->policy.catch_up_ms * NS_PER_MS,
                              patient ? INT64_MAX : g->data_wait_ns / NS_PER_MS, &turn->retry_ns)) {
        if (patient && turn->retry_ns > turn->since_ns + g->data_wait_ns)
            turn->retry_ns = turn->since_ns + g->data_wait_ns;
        return false;
    }
    live_group_catch_up(ruler, turn->globals, g, turn->slot_ns);
    return true;
}

/* ---- a turn ---- */

static bool run_turn(struct ruler *ruler, struct turn *turn, int64_t now_ns)
{
    turn->retry_ns = INT64_MAX;
    switch (turn->kind) {
    case TURN_SLOT:
        return run_slot(ruler, turn, now_ns);
    case TURN_LOOK:
        return live_group_look(ruler, turn->globals, turn->group, now_ns);
    default:
        return run_catch_up(ruler, turn, now_ns);
    }
}

static int64_t rest(int64_t took_ns, int64_t share)
{
    return took_ns < TRIED_REST_MAX_NS / share ? took_ns * share : TRIED_REST_MAX_NS;
}

/* It did nothing that was due: the ruler's lock held. */
static void account(struct ruler *ruler, struct group_alarm *a, int64_t now_ns, int64_t took_ns)
{
    int64_t from_ns = ruler->tried_until_ns > now_ns ? ruler->tried_until_ns : now_ns;
    ruler->tried_until_ns = from_ns + rest(took_ns, ALL_SHARE);
    a->rest_ns = now_ns + rest(took_ns, GROUP_SHARE);
}

/* What was recorded may be what other groups wait for. */
static void set_alarm(struct ruler *ruler, const struct turn *turn, bool done, int64_t now_ns,
                      int64_t took_ns)
{
    struct live_group *g = turn->group;
    struct group_alarm *a = alarm_of(g, turn->kind);
    if (turn->kind == TURN_LOOK || !done) {
        *a = (struct group_alarm){.due_ns = turn->retry_ns, .pushes = turn->pushes, .tried = true};
        account(ruler, a, now_ns, took_ns);
        return;
    }
    if (turn->kind == TURN_CATCH_UP)
        arrears_done(g, turn->slot_ns);
    *a = (struct group_alarm){.due_ns = turn->kind == TURN_SLOT ? g->next_ns : now_ns};
    if (atomic_load(&ruler->data_groups) > 0)
        atomic_fetch_add(&ruler->pushes, 1);
}

static void end_turn(struct ruler *ruler, struct turn *turn, bool done, int64_t now_ns, int64_t took_ns)
{
    lock_take(&ruler->lock);
    set_alarm(ruler, turn, done, now_ns, took_ns);
    turn->group->busy = false;
    if (!turn->group->stopping)
        alarms_add(ruler, turn->group);
    pthread_cond_broadcast(&ruler->idle);
    lock_drop(&ruler->lock);
    live_group_drop(ruler, turn->group);
    globals_drop(ruler, turn->globals);
}

/* ---- farewells ---- */

static struct farewell *take_farewell(struct ruler *ruler, int64_t now_ns)
{
    struct farewell *found = NULL;
    lock_take(&ruler->lock);
    for (struct farewell **at = &ruler->farewells; *at != NULL; at = &(*at)->next) {
        if ((*at)->due_ns > now_ns)
            continue;
        found = *at;
        *at = found->next;
        break;
    }
    lock_drop(&ruler->lock);
    return found;
}

bool ruler_run(struct ruler *ruler, int64_t now_ns)
{
    struct turn turn;
    struct farewell *farewell = take_farewell(ruler, now_ns);
    if (farewell != NULL) {
        output_end_all(ruler, &farewell->written, farewell->t_ms);
        farewell_free(farewell);
        return true;
    }
    /* To choose counts, too: where groups are many, it takes longer than the trying. */
    int64_t start_ns = ruler->world->mono_ns(ruler->world);
    while (take_turn(ruler, now_ns, &turn)) {
        bool done = run_turn(ruler, &turn, now_ns);
        int64_t end_ns = ruler->world->mono_ns(ruler->world);
        end_turn(ruler, &turn, done, now_ns, end_ns - start_ns);
        if (done)
            return true;
        start_ns = end_ns;
    }
    return stage_help(ruler);
}

/* ---- waiting ---- */

/* The ruler's lock held. */
static int64_t next_ns(struct ruler *ruler)
{
    int64_t next = INT64_MAX;
    alarms_freshen(ruler);
    for (enum turn_kind kind = 0; kind < TURN_KINDS; kind++) {
        struct live_group *due = alarms_first(ruler, kind, ALARM_DUE);
        struct live_group *fresh = alarms_first(ruler, kind, ALARM_FRESH);
        int64_t due_ns = due != NULL ? alarm_of(due, kind)->due_ns : INT64_MAX;
        int64_t soon_ns = fresh != NULL ? fresh_ns(ruler, alarm_of(fresh, kind)) : INT64_MAX;
        next = due_ns < next ? due_ns : next;
        next = soon_ns < next ? soon_ns : next;
    }
    for (const struct farewell *f = ruler->farewells; f != NULL; f = f->next)
        next = f->due_ns < next ? f->due_ns : next;
    return next;
}

int64_t ruler_next_ns(struct ruler *ruler)
{
    lock_take(&ruler->lock);
    int64_t next = next_ns(ruler);
    lock_drop(&ruler->lock);
    return next;
}

/* Who is about to wait first says that nobody has poked, then looks at `pushes`: so none is overlooked. */
void ruler_pushed(struct ruler *ruler)
{
    if (atomic_load(&ruler->data_groups) == 0)
        return;
    atomic_fetch_add(&ruler->pushes, 1);
    if (atomic_exchange(&ruler->poked, true))
        return;
    lock_take(&ruler->lock);
    pthread_cond_signal(&ruler->woken);
    lock_drop(&ruler->lock);
}

void ruler_wake(struct ruler *ruler)
{
    lock_take(&ruler->lock);
    pthread_cond_broadcast(&ruler->woken);
    lock_drop(&ruler->lock);
}

/* Where the clock was put back, nobody waits until it is there again. By an interval or less it is waited for, so that no slot is
 * evaluated twice. Only by a time that is read with the lock held: to one that was read before, others may be ahead. */
static void follow_clock(struct ruler *ruler, int64_t now_ns)
{
    if (now_ns >= ruler->clock_ns) {
        ruler->clock_ns = now_ns;
        return;
    }
    for (size_t i = 0; i < ruler->count; i++) {
        struct live_group *g = ruler->groups[i];
        if (g->busy || g->next_ns - now_ns <= 2 * g->interval_ns)
            continue;
        alarms_remove(ruler, g);
        g->next_ns = live_group_slot_after(g, now_ns);
        g->slot_alarm = (struct group_alarm){.due_ns = g->next_ns};
        alarms_add(ruler, g);
    }
}

void ruler_wait(struct ruler *ruler, int64_t most_ms)
{
    struct world *world = ruler->world;
    lock_take(&ruler->lock);
    atomic_store(&ruler->poked, false);
    int64_t now_ns = world->wall_ns(world);
    follow_clock(ruler, now_ns);
    int64_t next = next_ns(ruler), wait_ns = next - now_ns;
    if (next <= ruler->tried_until_ns) /* it is known that something came: no push need tell it again */
        atomic_store(&ruler->poked, true);
    if (wait_ns > most_ms * NS_PER_MS)
        wait_ns = most_ms * NS_PER_MS;
    if (stage_offers(ruler))
        wait_ns = 0;
    if (wait_ns > 0) {
        int64_t until_ns = world->mono_ns(world) + wait_ns;
        struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                                 .tv_nsec = (long)(until_ns % NS_PER_S)};
        int rc = pthread_cond_timedwait(&ruler->woken, &ruler->lock.mutex, &until);
        must(rc == 0 || rc == ETIMEDOUT);
    }
    lock_drop(&ruler->lock);
}
