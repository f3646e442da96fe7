#include "router_priv.h"

#define LOOK_NS NS_PER_S

int64_t router_end_silences(struct router *router, int64_t now_ns)
{
    struct alert *alert;
    bool clock_set = router->bound_look_ns > now_ns + LOOK_NS;
    if (now_ns < router->bound_look_ns && !clock_set)
        return router->bound_look_ns;
    if (!silences_bound_begin(router->silences, now_ns))
        return INT64_MAX;
    lock_take(&router->lock);
    for (size_t at = 0; (alert = map_next(&router->alerts, &at)) != NULL;)
        if (!alert_is_resolved(alert->fact->event, now_ns))
            silences_bound_meet(router->silences, &alert->silenced, alert->fact->event->labels, now_ns);
    lock_drop(&router->lock);
    silences_bound_end(router->silences, now_ns);
    router->bound_look_ns = now_ns + LOOK_NS;
    return router->bound_look_ns;
}
