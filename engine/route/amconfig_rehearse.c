#include "tocsin/amconfig.h"
#include "tocsin/limits.h"

/* A page as anybody may get it: two alerts that fire and one that has ended; later all have. */
enum { SAMPLE_ALERTS = 3 };

struct rehearsal {
    struct world *world;
    const struct amconfig *config;
    const struct am_receiver *receiver;
    struct arena arena;
    struct notification sample;
};

static void make_events(struct arena *arena, struct alert_event *events, int64_t now_ns)
{
    static const char *const instances[SAMPLE_ALERTS] = {"a:9100", "b:9100", "c:9100"};
    for (size_t i = 0; i < SAMPLE_ALERTS; i++)
        events[i] = (struct alert_event){
            .labels = labels_of(arena, "alertname", "Rehearsal", "instance", instances[i], "job", "node",
                                "severity", "critical", NULL),
            .annotations = labels_of(arena, "summary", "Nothing is wrong", NULL),
            .generator_url = STR("http://prometheus.example/graph"),
            .starts_ns = now_ns,
        };
}

static struct notification make_sample(struct rehearsal *r, bool firing)
{
    struct notification_alert *alerts = ARENA_ARRAY(&r->arena, struct notification_alert, SAMPLE_ALERTS);
    struct alert_event *events = ARENA_ARRAY(&r->arena, struct alert_event, SAMPLE_ALERTS);
    int64_t now_ns = r->world->wall_ns(r->world);
    if (alerts == NULL || events == NULL)
        return (struct notification){0};
    make_events(&r->arena, events, now_ns);
    for (size_t i = 0; i < SAMPLE_ALERTS; i++)
        alerts[i] = (struct notification_alert){&events[i], i, !firing || i + 1 == SAMPLE_ALERTS};
    return (struct notification){
        .receiver = r->receiver->name,
        .alerts = alerts,
        .count = SAMPLE_ALERTS,
        .reason = STR("first notification"),
        .group_labels = labels_of(&r->arena, "alertname", "Rehearsal", NULL),
        .route_labels = labels_empty(&r->arena),
        .external_url = STR("http://tocsin.example"),
        .group_key = STR("{}:{alertname=\"Rehearsal\"}"),
        .now_ns = now_ns,
    };
}

/* The first request is made, and not sent. */
static int try_one(struct rehearsal *r, const struct integration *integration, bool firing, struct err *err)
{
    arena_init(&r->arena, (size_t)limits.flush_arena_bytes);
    struct exchange x = {.world = r->world,
                         .arena = &r->arena,
                         .integration = integration,
                         .templates = r->config->templates,
                         .notification = make_sample(r, firing)};
    int rc = arena_exhausted(&r->arena) ? ERR_LIMIT : exchange_begin(&x, err);
    if (rc == 0)
        rc = exchange_next(&x, err);
    arena_release(&r->arena);
    return rc;
}

static void rehearse_receiver(struct rehearsal *r, am_rehearsed *failed, void *context)
{
    const struct integrations *list = &r->receiver->integrations;
    for (size_t i = 0; i < list->count; i++) {
        struct err err = {0};
        int rc = try_one(r, list->items[i], true, &err);
        if (rc == 0 && list->items[i]->send_resolved)
            rc = try_one(r, list->items[i], false, &err);
        if (rc != 0)
            failed(context, r->receiver->name, integration_name(list->items[i]), &err);
    }
}

void amconfig_rehearse(struct world *world, const struct amconfig *config, am_rehearsed *failed,
                       void *context)
{
    struct rehearsal r = {.world = world, .config = config};
    for (size_t i = 0; i < config->receiver_count; i++) {
        r.receiver = &config->receivers[i];
        rehearse_receiver(&r, failed, context);
    }
}
