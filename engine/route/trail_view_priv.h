/* trail_view_priv: what one question about trails gathers; an arena that runs dry ends it with ERR_LIMIT. All with the router's lock. */
#ifndef TOCSIN_TRAIL_VIEW_PRIV_H
#define TOCSIN_TRAIL_VIEW_PRIV_H

#include "router_priv.h"

struct trail_asking {
    struct router *router;
    const struct trail_query *query;
    struct arena *arena;
    int64_t now_ns;
    bool full;
    struct trail_alert *alert; /* the one at hand, with the room of its lists */
    size_t line_capacity, verdict_capacity, next_capacity;
};

/* What keeps an alert quiet, in words. */
struct trail_hold {
    const char *by;
    struct str text;
    const struct str *causes;
    size_t count;
    int64_t until_ns;
};

/* trail_hold.c. causes: one a line. */
struct trail_hold trail_describe_hold(struct trail_asking *a, enum mute mute, struct str causes);
struct trail_hold trail_hold_at(struct trail_asking *a, const struct group *group, struct alert *alert,
                                int64_t at_ns);

/* trail_lines.c: what was decided about the alert as a member of one group, and what comes of it. */
void trail_tell_member(struct trail_asking *a, const struct trail *trail, const struct trail_member *member);
/* newest: no later membership is about the same group. */
void trail_judge_member(struct trail_asking *a, const struct trail *trail, const struct trail_member *member);
void trail_add_line(struct trail_asking *a, struct trail_line line);

/* trail_view.c. NULL: nobody knows it any more. */
const struct labels *trail_find_labels(const struct router *router, uint64_t fingerprint);
/* The group, if the alert is in it now. */
const struct group *trail_group_now(const struct trail *trail, const struct trail_member *member);

#endif
