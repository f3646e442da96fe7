#include "ruler_priv.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/view.h"

enum { END_BATCH = 256 };

static bool is_written(const void *item, const void *key)
{
    return labels_equal(((const struct written *)item)->labels, key);
}

static void written_forget(struct written *w)
{
    mem_free(w->labels);
    mem_free(w);
}

void written_free(struct map *written)
{
    void *item;
    for (size_t at = 0; (item = map_next(written, &at)) != NULL;)
        written_forget(item);
    map_release(written);
}

void written_move(struct map *to, struct map *from)
{
    struct written *w;
    for (size_t at = 0; (w = map_next(from, &at)) != NULL;) {
        if (map_find(to, w->labels->hash, is_written, w->labels) != NULL)
            written_forget(w);
        else
            map_add(to, w->labels->hash, w);
    }
    map_release(from);
    map_init(from);
}

static struct written *note_in(struct map *map, const struct labels *ls)
{
    struct written *w = map_find(map, ls->hash, is_written, ls);
    if (w == NULL) {
        w = MEM_NEW(struct written);
        w->labels = labels_copy_heap(ls);
        map_add(map, ls->hash, w);
    }
    return w;
}

void note_written(struct rule_state *state, const struct labels *ls)
{
    note_in(&state->written, ls)->round = state->round;
}

/* What the store has no room or no use for may have a place elsewhere; what contradicts what was there before has none. */
static bool stands(enum admit_reason reason)
{
    return reason != ADMIT_OUT_OF_ORDER && reason != ADMIT_DUPLICATE && reason != ADMIT_TOO_OLD &&
           reason != ADMIT_FUTURE;
}

static void tell_standing(struct ruler *ruler, const struct batch *batch, const enum admit_reason *reasons)
{
    struct batch_series *standing = MEM_ARRAY(struct batch_series, batch->count);
    struct batch told = {.series = standing};
    for (size_t i = 0; i < batch->count; i++)
        if (stands(reasons[i]))
            standing[told.count++] = batch->series[i];
    if (told.count > 0)
        ruler->recorded(ruler->context, &told);
    mem_free(standing);
}

/* Into the store, and then to whoever wants to hear of it. What is made up for is older than what went out before: others would refuse
 * it, and with it all that is in the same push. */
static void write_all(struct ruler *ruler, const struct batch *batch, struct admit_result *result)
{
    if (ruler->recorded == NULL || batch->count == 0 || batch->late_ms > 0) {
        store_admit(ruler->store, batch, result);
        return;
    }
    enum admit_reason *reasons = result->reasons = MEM_ARRAY(enum admit_reason, batch->count);
    store_admit(ruler->store, batch, result);
    if (result->first == ADMIT_OK)
        ruler->recorded(ruler->context, batch);
    else
        tell_standing(ruler, batch, reasons);
    result->reasons = NULL;
    mem_free(reasons);
}

/* Marks the end of up to END_BATCH series. What is refused has been continued or has gone: that is as good. */
static void end_some(struct ruler *ruler, struct written *const *list, size_t count, int64_t t_ms, bool late)
{
    const struct sample end = {.t_ms = t_ms, .value = stale_nan()};
    struct batch_series series[END_BATCH];
    struct admit_result result = {0};
    for (size_t i = 0; i < count; i++)
        series[i] = (struct batch_series){list[i]->labels->item, list[i]->labels->count, &end, 1};
    struct batch batch = {.series = series, .count = count, .late_ms = late ? INT64_MAX : 0};
    write_all(ruler, &batch, &result);
}

static void end_all(struct ruler *ruler, const struct map *written, int64_t t_ms, bool late)
{
    struct written *some[END_BATCH], *w;
    size_t count = 0;
    for (size_t at = 0; (w = map_next(written, &at)) != NULL;) {
        some[count++] = w;
        if (count == END_BATCH) {
            end_some(ruler, some, count, t_ms, late);
            count = 0;
        }
    }
    end_some(ruler, some, count, t_ms, late);
}

void output_end_all(struct ruler *ruler, const struct map *written, int64_t t_ms)
{
    end_all(ruler, written, t_ms, false);
}

/* Ends what the rule wrote before and not in this round. */
static void end_missing(struct evaluation *e)
{
    struct rule_state *state = e->state;
    struct map missing;
    struct written *w;
    map_init(&missing);
    for (size_t at = 0; (w = map_next(&state->written, &at)) != NULL;)
        if (w->round != state->round)
            map_add(&missing, w->labels->hash, w);
    if (missing.count > 0) {
        output_end_all(e->ruler, &missing, evaluation_t_ms(e));
        evaluation_forget(e);
    }
    for (size_t at = 0; (w = map_next(&missing, &at)) != NULL;)
        map_remove(&state->written, w->labels->hash, w);
    if (e->group->arrears.count > 0)
        written_move(&state->past, &missing);
    written_free(&missing);
}

/* ---- slots that are made up for ---- */

/* Whether a series of the rule has a sample of that slot and nothing of the next one, which has been evaluated by now. Told from the
 * samples: what the rule wrote last was at a later slot. */
static bool ends_after(struct evaluation *e, series_ref ref, int64_t slot_ms, int64_t next_ms)
{
    struct sample found;
    if (!view_last(e->view, ref, slot_ms - 1, slot_ms, &e->arena, &found) ||
        (found.histogram == NULL && is_stale_nan(found.value)) ||
        view_last(e->view, ref, next_ms - 1, next_ms, &e->arena, &found))
        return false;
    const struct labels *ls = view_labels(e->view, ref);
    return map_find(&e->state->written, ls->hash, is_written, ls) != NULL ||
           map_find(&e->state->past, ls->hash, is_written, ls) != NULL;
}

static void forget_all(struct map *from, const struct map *ended)
{
    struct written *w, *found;
    for (size_t at = 0; (w = map_next(ended, &at)) != NULL;)
        if ((found = map_find(from, w->labels->hash, is_written, w->labels)) != NULL) {
            map_remove(from, w->labels->hash, found);
            written_forget(found);
        }
}

void output_end_past(struct evaluation *e, int64_t next_ns)
{
    int64_t next_ms = (next_ns - e->group->query_offset_ns) / NS_PER_MS;
    int64_t slot_ms = (next_ns - e->group->interval_ns - e->group->query_offset_ns) / NS_PER_MS;
    struct series_set set = {0};
    struct map ended;
    struct matcher name;
    if (matcher_init(&name, MATCH_EQUAL, STR(LABEL_METRIC_NAME), e->state->rule->name, REGEX_PROMQL, NULL) !=
            0 ||
        view_select(e->view, &name, 1, &e->arena, &set) != 0)
        return;
    map_init(&ended);
    for (size_t i = 0; i < set.count; i++)
        if (ends_after(e, set.refs[i], slot_ms, next_ms))
            note_in(&ended, view_labels(e->view, set.refs[i]));
    if (ended.count > 0) {
        end_all(e->ruler, &ended, next_ms, true);
        forget_all(&e->state->past, &ended);
        evaluation_forget(e);
    }
    written_free(&ended);
}

void output_end_orphans(struct evaluation *e)
{
    if (e->group->orphans.count == 0)
        return;
    output_end_all(e->ruler, &e->group->orphans, evaluation_t_ms(e));
    written_free(&e->group->orphans);
    map_init(&e->group->orphans);
}

static uint64_t refused_count(const struct admit_result *result)
{
    uint64_t total = 0;
    for (size_t i = ADMIT_OK + 1; i < ADMIT_REASON_COUNT; i++)
        if (i != ADMIT_UNREFERENCED)
            total += result->refused[i];
    return total;
}

static int tell_refused(struct evaluation *e, const struct admit_result *result)
{
    static struct log_rate rate;
    uint64_t refused = refused_count(result);
    if (refused == 0)
        return 0;
    if (!e->ruler->quiet && log_allowed(&rate, e->ruler->world->mono_ns(e->ruler->world)))
        log_warn("rule results refused by the store", LOG_STR("group", e->group->definition->name),
                 LOG_STR("rule", e->state->rule->name), LOG_TEXT("reason", admit_reason_text(result->first)),
                 LOG_INT("samples", refused));
    return err_set(e->err, ERR_EXEC, "%s", admit_reason_text(result->first));
}

int output_write(struct evaluation *e, const struct outputs *outputs)
{
    struct admit_result result = {0};
    struct batch_series *series = ARENA_ARRAY(&e->arena, struct batch_series, outputs->count);
    struct sample *samples = ARENA_ARRAY(&e->arena, struct sample, outputs->count);
    if (series == NULL || samples == NULL)
        return err_set(e->err, ERR_LIMIT, "the results take more memory than query_arena_bytes allows");
    bool late = e->occasion == OCCASION_CATCH_UP;
    e->state->round += !late;
    for (size_t i = 0; i < outputs->count; i++) {
        const struct output *o = &outputs->items[i];
        samples[i] =
            (struct sample){.t_ms = evaluation_t_ms(e), .value = o->value, .histogram = o->histogram};
        series[i] = (struct batch_series){o->labels->item, o->labels->count, &samples[i], 1};
        if (late)
            note_in(&e->state->past, o->labels);
        else
            note_written(e->state, o->labels);
    }
    struct batch batch = {.series = series, .count = outputs->count, .late_ms = late ? INT64_MAX : 0};
    if (outputs->count > 0) {
        write_all(e->ruler, &batch, &result);
        evaluation_forget(e); /* the next rule sees what this one wrote */
    }
    e->samples += outputs->count;
    if (late)
        output_end_past(e, e->slot_ns);
    else
        end_missing(e);
    return tell_refused(e, &result);
}
