#include "silence_priv.h"

#include "tocsin/log.h"
#include "tocsin/mem.h"

bool held_is_bound(const struct held *held)
{
    return str_is(labels_get(held->annotations, SILENCE_UNTIL), "resolved");
}

bool silences_bound_begin(struct silences *silences, int64_t now_ns)
{
    struct held *held;
    bool any = false;
    lock_take(&silences->lock);
    for (size_t at = 0; silences->bound > 0 && (held = map_next(&silences->held, &at)) != NULL;) {
        held->meets = false;
        any = any || (held_is_bound(held) && held_state(held, now_ns) != SILENCE_EXPIRED);
    }
    lock_drop(&silences->lock);
    return any;
}

void silences_bound_meet(struct silences *silences, struct silence_hits *hits, const struct labels *ls,
                         int64_t now_ns)
{
    lock_take(&silences->lock);
    silences_meet(silences, hits, ls);
    for (size_t i = 0; i < hits->count; i++)
        if (held_state(hits->items[i], now_ns) == SILENCE_ACTIVE)
            hits->items[i]->meets = hits->items[i]->met = true;
    lock_drop(&silences->lock);
}

static bool is_over(const struct held *held, int64_t now_ns)
{
    return held->met && !held->meets && now_ns >= held->stays_ns && held_is_bound(held) &&
           held_state(held, now_ns) == SILENCE_ACTIVE;
}

static size_t find_over(struct silences *silences, int64_t now_ns, struct held ***list)
{
    struct held *held;
    size_t count = 0, capacity = 0;
    lock_take(&silences->lock);
    for (size_t at = 0; (held = map_next(&silences->held, &at)) != NULL;) {
        if (!is_over(held, now_ns))
            continue;
        MEM_GROW(*list, count, capacity);
        (*list)[count++] = held;
    }
    lock_drop(&silences->lock);
    return count;
}

void silences_bound_end(struct silences *silences, int64_t now_ns)
{
    struct held **list = NULL;
    struct err err;
    lock_take(&silences->changing);
    size_t count = find_over(silences, now_ns, &list);
    int rc = count > 0 ? silences_end_now(silences, list, count, now_ns, &err) : 0;
    lock_drop(&silences->changing);
    mem_free(list);
    if (rc != 0)
        log_warn("silences that should have ended with their alerts go on", LOG_INT("silences", count),
                 LOG_ERR(&err));
}
