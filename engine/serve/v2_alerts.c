#include "api_priv.h"
#include "v2_priv.h"

#include "tocsin/router.h"
#include "tocsin/tree.h"

#include <inttypes.h>

/* A request's filters, with what has to be released. */
struct filter {
    struct router_filter router;
    struct v2_matchers matchers, receiver_matchers;
    struct regex *receiver;
};

static int take_receiver(const struct request *request, struct filter *filter, struct err *err)
{
    struct str pattern = request_param(request, "receiver");
    if (pattern.n == 0)
        return 0;
    filter->router.receiver = filter->receiver = regex_open(pattern, REGEX_ANCHORED, err);
    if (filter->receiver != NULL)
        return 0;
    err_prefix(err, "failed to parse receiver param: ");
    return err->code;
}

static int take_all(const struct request *request, struct filter *filter, struct err *err)
{
    int rc = v2_take_matchers(request, "filter", &filter->matchers, err);
    if (rc == 0)
        rc = take_receiver(request, filter, err);
    if (rc != 0)
        return rc;
    rc = v2_take_matchers(request, "receiver_matchers", &filter->receiver_matchers, err);
    if (rc != 0)
        err_prefix(err, "failed to parse receiver_matchers param: ");
    return rc;
}

static bool filter_init(struct filter *filter, const struct request *request, struct answer *answer)
{
    struct err err;
    *filter = (struct filter){.router = {.active = v2_flag(request, "active"),
                                         .silenced = v2_flag(request, "silenced"),
                                         .inhibited = v2_flag(request, "inhibited"),
                                         .muted = v2_flag(request, "muted")}};
    if (take_all(request, filter, &err) != 0) {
        v2_refuse(answer, 400, str_of(err.text));
        return false;
    }
    filter->router.matchers = filter->matchers.items;
    filter->router.matcher_count = filter->matchers.count;
    filter->router.receiver_matchers = filter->receiver_matchers.items;
    filter->router.receiver_matcher_count = filter->receiver_matchers.count;
    return true;
}

static void filter_release(struct filter *filter)
{
    v2_release_matchers(&filter->matchers);
    v2_release_matchers(&filter->receiver_matchers);
    if (filter->receiver != NULL)
        regex_free(filter->receiver);
}

static void receivers(struct buf *out, const struct router_alert *alert)
{
    buf_puts(out, "\"receivers\":[");
    for (size_t i = 0; i < alert->receiver_count; i++) {
        buf_puts(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_string(out, alert->receivers[i]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void texts(struct buf *out, const char *name, const struct str *items, size_t count)
{
    buf_format(out, "\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? "," : "");
        json_string(out, items[i]);
    }
    buf_puts(out, "],");
}

static void status(struct buf *out, const struct router_alert *alert, const struct router_group *group)
{
    buf_puts(out, "\"status\":{\"inhibitedBy\":[");
    for (size_t i = 0; i < alert->inhibited_count; i++)
        buf_format(out, "%s\"%016" PRIx64 "\"", i > 0 ? "," : "", alert->inhibited_by[i]);
    buf_puts(out, "],");
    texts(out, "mutedBy", group != NULL ? group->muted_by : NULL, group != NULL ? group->muted_count : 0);
    texts(out, "silencedBy", alert->silenced_by, alert->silenced_count);
    buf_format(out, "\"state\":\"%s\"}", alert->suppressed ? "suppressed" : "active");
}

/* group: where it is shown; NULL: by itself. */
static void one_alert(struct buf *out, const struct router_alert *alert, const struct router_group *group)
{
    const struct alert_event *event = alert->event;
    buf_puts(out, "{\"annotations\":");
    labels_print_json(out, event->annotations);
    buf_puts(out, ",\"endsAt\":");
    v2_time(out, event->ends_ns, event->ends_zone_s);
    buf_format(out, ",\"fingerprint\":\"%016" PRIx64 "\",", alert->fingerprint);
    receivers(out, alert);
    buf_puts(out, ",\"startsAt\":");
    v2_time(out, event->starts_ns, event->starts_zone_s);
    buf_char(out, ',');
    status(out, alert, group);
    buf_puts(out, ",\"updatedAt\":");
    v2_time(out, event->updated_ns, 0);
    if (event->generator_url.n > 0) {
        buf_puts(out, ",\"generatorURL\":");
        json_string(out, event->generator_url);
    }
    buf_puts(out, ",\"labels\":");
    labels_print_json(out, event->labels);
    buf_char(out, '}');
}

static void alert_list(struct buf *out, const struct router_alert *alerts, size_t count,
                       const struct router_group *group)
{
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        one_alert(out, &alerts[i], group);
    }
    buf_char(out, ']');
}

static void one_group(struct buf *out, const struct router_group *group)
{
    buf_puts(out, "{\"alerts\":");
    alert_list(out, group->alerts, group->count, group);
    buf_puts(out, ",\"labels\":");
    labels_print_json(out, group->labels);
    buf_puts(out, ",\"receiver\":{\"name\":");
    json_string(out, group->receiver);
    buf_puts(out, "},\"routeLabels\":");
    labels_print_json(out, group->route_labels);
    buf_char(out, '}');
}

static void tell_groups(struct answer *answer, const struct router_group *groups, size_t count)
{
    struct buf *out = &answer->body;
    bool any = false;
    answer->content_type = "application/json";
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (groups[i].count == 0)
            continue;
        if (any)
            buf_char(out, ',');
        any = true;
        one_group(out, &groups[i]);
    }
    buf_puts(out, "]\n");
}

void v2_alerts(struct request *request, struct answer *answer)
{
    struct filter filter = {0};
    if (!v2_has_router(request, answer))
        return;
    if (filter_init(&filter, request, answer)) {
        struct router_alert *alerts;
        size_t count;
        struct router *router = request->service->parts.router;
        if (router_alerts(router, &filter.router, request->arena, &alerts, &count) == 0) {
            answer->content_type = "application/json";
            alert_list(&answer->body, alerts, count, NULL);
            buf_char(&answer->body, '\n');
        } else {
            v2_refuse(answer, 500, STR("the alerts do not fit the memory of one request"));
        }
    }
    filter_release(&filter);
}

void v2_alert_groups(struct request *request, struct answer *answer)
{
    struct filter filter = {0};
    if (!v2_has_router(request, answer))
        return;
    if (filter_init(&filter, request, answer)) {
        struct router_group *groups;
        size_t count;
        struct router *router = request->service->parts.router;
        if (router_groups(router, &filter.router, request->arena, &groups, &count) == 0)
            tell_groups(answer, groups, count);
        else
            v2_refuse(answer, 500, STR("the groups do not fit the memory of one request"));
    }
    filter_release(&filter);
}
