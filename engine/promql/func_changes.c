#include "call_priv.h"

#include <math.h>

/* changes() and resets() walk a range in time order, floats and histograms alike. */

static bool is_change(const struct sample *before, const struct sample *now)
{
    if ((before->histogram != NULL) != (now->histogram != NULL))
        return true;
    if (now->histogram != NULL)
        return !histogram_equal(before->histogram, now->histogram);
    return now->value != before->value && !(isnan(now->value) && isnan(before->value));
}

static bool is_reset(struct call *c, const struct sample *before, const struct sample *now)
{
    if ((before->histogram != NULL) != (now->histogram != NULL) || reset_by_start(c, before, now))
        return true;
    if (now->histogram != NULL)
        return histogram_is_reset(before->histogram, now->histogram);
    return now->value < before->value;
}

/* anchored: begin at the newest sample that is not in the range, but only if there is one in the range. */
static bool anchor(const struct window *w, struct sample_span *s)
{
    size_t first = 0;
    *s = w->all;
    if (w->modifier != RANGE_ANCHORED)
        return true;
    if (s->count == 0 || s->samples[s->count - 1].t_ms <= w->start_ms)
        return false;
    while (first + 1 < s->count && s->samples[first + 1].t_ms <= w->start_ms)
        first++;
    s->samples += first;
    s->count -= first;
    return true;
}

static size_t count_changes(struct call *c, const struct sample_span *s)
{
    size_t count = 0;
    for (size_t i = 1; i < s->count; i++) {
        const struct sample *before = &s->samples[i - 1], *now = &s->samples[i];
        count += call_id(c) == FUNC_resets ? is_reset(c, before, now) : is_change(before, now);
    }
    return count;
}

int window_changes(struct call *c, const struct window *w, struct cell *out)
{
    struct sample_span s;
    struct arena_mark mark = arena_mark(&c->ev->scratch);
    if (!anchor(w, &s))
        return 0;
    *out = (struct cell){.kind = CELL_FLOAT, .value = (double)count_changes(c, &s)};
    arena_rewind(&c->ev->scratch, mark);
    return arena_exhausted(&c->ev->scratch) ? eval_no_memory(c->ev) : 0;
}
