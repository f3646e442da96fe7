#include "router_priv.h"
#include "trail_view_priv.h"

static struct str name_of_alert(struct trail_asking *a, uint64_t fingerprint)
{
    const struct labels *ls = trail_find_labels(a->router, fingerprint);
    struct buf text;
    buf_init(&text, 1 << 16);
    if (ls != NULL)
        labels_print(&text, ls);
    else
        buf_puts(&text, "an alert that has gone");
    struct str copy = str_copy(a->arena, buf_slice(&text));
    buf_release(&text);
    return copy;
}

static void print_silence(struct trail_asking *a, struct str id, struct buf *out, int64_t *until_ns)
{
    struct silence silence;
    buf_format(out, "%.*s", STR_ARG(id));
    if (silences_find(a->router->silences, id, a->arena, &silence) != 0)
        return;
    bool bound = str_is(labels_get(silence.annotations, SILENCE_UNTIL), "resolved");
    buf_puts(out, bound ? " until it has ended, or " : " until ");
    trail_time_print(out, silence.ends_ns, a->now_ns);
    buf_format(out, " (created by %.*s: '%.*s')", STR_ARG(silence.created_by), STR_ARG(silence.comment));
    if (silence.ends_ns > *until_ns)
        *until_ns = silence.ends_ns;
}

static void print_cause(struct trail_asking *a, enum mute mute, struct str cause, struct buf *out,
                        int64_t *until_ns)
{
    uint64_t fingerprint;
    if (mute == MUTE_silence)
        print_silence(a, cause, out, until_ns);
    else if (mute == MUTE_inhibition && trail_fingerprint_parse(cause, &fingerprint))
        buf_str(out, name_of_alert(a, fingerprint));
    else
        buf_format(out, "\"%.*s\"", STR_ARG(cause));
}

static const char *const openings[MUTE_COUNT] = {
    [MUTE_none] = "",
    [MUTE_inhibition] = "inhibited by ",
    [MUTE_active_time_interval] = "outside of active time interval ",
    [MUTE_mute_time_interval] = "muted by time interval ",
    [MUTE_silence] = "silenced by ",
    [MUTE_moved] = "others are told since a reload",
};

static const char *const kinds[MUTE_COUNT] = {
    [MUTE_none] = "",
    [MUTE_inhibition] = "inhibition",
    [MUTE_active_time_interval] = "active_time",
    [MUTE_mute_time_interval] = "mute_time",
    [MUTE_silence] = "silence",
    [MUTE_moved] = "moved",
};

static void take_causes(struct trail_asking *a, struct str causes, struct trail_hold *hold)
{
    struct str *items = ARENA_ARRAY(a->arena, struct str, TRAIL_CAUSES_MAX);
    struct str own = str_copy(a->arena, causes);
    a->full = a->full || items == NULL || own.p == NULL;
    while (!a->full && own.n > 0 && hold->count < TRAIL_CAUSES_MAX)
        items[hold->count++] = str_cut(&own, '\n');
    hold->causes = items;
}

struct trail_hold trail_describe_hold(struct trail_asking *a, enum mute mute, struct str causes)
{
    struct trail_hold hold = {.by = kinds[mute]};
    struct buf text;
    if (mute == MUTE_none)
        return hold;
    buf_init(&text, 1 << 16);
    take_causes(a, causes, &hold);
    buf_puts(&text, openings[mute]);
    for (size_t i = 0; i < hold.count; i++) {
        buf_puts(&text, i > 0 ? " and " : "");
        print_cause(a, mute, hold.causes[i], &text, &hold.until_ns);
    }
    hold.text = str_copy(a->arena, buf_slice(&text));
    buf_release(&text);
    a->full = a->full || hold.text.p == NULL;
    return hold;
}

static enum mute intervals_at(const struct am_route *route, int64_t at_ns, struct buf *causes)
{
    int64_t unix_s = at_ns / NS_PER_S - (at_ns % NS_PER_S < 0);
    bool active = route->active.count == 0;
    for (size_t i = 0; i < route->active.count; i++)
        active = active || am_interval_holds(route->active.items[i], unix_s) > 0;
    for (size_t i = 0; !active && i < route->active.count; i++) {
        buf_puts(causes, i > 0 ? "\n" : "");
        buf_str(causes, route->active.items[i]->name);
    }
    if (!active)
        return MUTE_active_time_interval;
    for (size_t i = 0; i < route->mute.count; i++) {
        if (am_interval_holds(route->mute.items[i], unix_s) == 0)
            continue;
        buf_str(causes, route->mute.items[i]->name);
        return MUTE_mute_time_interval;
    }
    return MUTE_none;
}

/* As flush_mute decides, were the flush at that time and all else as it is now. */
struct trail_hold trail_hold_at(struct trail_asking *a, const struct group *group, struct alert *alert,
                                int64_t at_ns)
{
    struct buf causes;
    buf_init(&causes, 1 << 14);
    enum mute mute = group->closing != NULL ? MUTE_moved : MUTE_none;
    if (mute == MUTE_none) {
        trail_find_causes(a->router, alert, MUTE_inhibition, at_ns, &causes);
        mute = causes.used > 0 ? MUTE_inhibition : MUTE_none;
    }
    if (mute == MUTE_none)
        mute = intervals_at(group->route, at_ns, &causes);
    if (mute == MUTE_none) {
        trail_find_causes(a->router, alert, MUTE_silence, at_ns, &causes);
        mute = causes.used > 0 ? MUTE_silence : MUTE_none;
    }
    struct trail_hold hold = trail_describe_hold(a, mute, buf_slice(&causes));
    buf_release(&causes);
    return hold;
}
