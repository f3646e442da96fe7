#include "api_priv.h"
#include "v2_priv.h"

#include "tocsin/router.h"
#include "tocsin/tree.h"

#include <inttypes.h>

/* A request's filters, with what has to be released. */
struct filter {
    struct router_filter router;
    struct matcher *matchers;
    struct regex *receiver;
};

/* Truth as Alertmanager's clients spell it; empty is the default, true; anything else is false. */
static bool flag(const struct request *request, const char *name)
{
    static const char *const yes[] = {"true", "1",        "yes",     "ok", "y",
                                      "on",   "selected", "checked", "t",  "enabled"};
    struct str text = request_param(request, name);
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (str_eq_nocase(text, str_of(yes[i])))
            return true;
    return text.n == 0;
}

static int take_matchers(const struct request *request, struct filter *filter, struct err *err)
{
    size_t count;
    struct str *texts = request_params(request, "filter", &count);
    filter->matchers = ARENA_ARRAY(request->arena, struct matcher, count);
    filter->router.matchers = filter->matchers;
    if (texts == NULL || filter->matchers == NULL)
        return err_set(err, ERR_LIMIT, "request does not fit its memory");
    for (size_t i = 0; i < count; i++) {
        int rc = am_matcher_parse(request->arena, texts[i], &filter->matchers[i], err);
        if (rc != 0)
            return rc;
        filter->router.matcher_count++;
    }
    return 0;
}

static int take_receiver(const struct request *request, struct filter *filter, struct err *err)
{
    struct str pattern = request_param(request, "receiver");
    if (pattern.n > 0) {
        filter->receiver = regex_open(pattern, REGEX_ANCHORED, err);
        if (filter->receiver == NULL) {
            err_prefix(err, "failed to parse receiver param: ");
            return err->code;
        }
        filter->router.receiver = filter->receiver;
    }
    if (request_param(request, "receiver_matchers").n > 0)
        return err_set(err, ERR_UNSUPPORTED, "receiver_matchers are not supported by this version of tocsin");
    return 0;
}

static bool filter_init(struct filter *filter, const struct request *request, struct answer *answer)
{
    *filter = (struct filter){.router = {.active = flag(request, "active"),
                                         .silenced = flag(request, "silenced"),
                                         .inhibited = flag(request, "inhibited")}};
    struct err err;
    if (take_matchers(request, filter, &err) == 0 && take_receiver(request, filter, &err) == 0)
        return true;
    v2_refuse(answer, 400, str_of(err.text));
    return false;
}

static void filter_release(struct filter *filter)
{
    for (size_t i = 0; i < filter->router.matcher_count; i++)
        matcher_release(&filter->matchers[i]);
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

static void status(struct buf *out, const struct router_alert *alert)
{
    buf_puts(out, "\"status\":{\"inhibitedBy\":[");
    for (size_t i = 0; i < alert->inhibited_count; i++)
        buf_format(out, "%s\"%016" PRIx64 "\"", i > 0 ? "," : "", alert->inhibited_by[i]);
    buf_format(out, "],\"mutedBy\":[],\"silencedBy\":[],\"state\":\"%s\"}",
               alert->suppressed ? "suppressed" : "active");
}

static void one_alert(struct buf *out, const struct router_alert *alert)
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
    status(out, alert);
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

static void alert_list(struct buf *out, const struct router_alert *alerts, size_t count)
{
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        one_alert(out, &alerts[i]);
    }
    buf_char(out, ']');
}

static void one_group(struct buf *out, const struct router_group *group)
{
    buf_puts(out, "{\"alerts\":");
    alert_list(out, group->alerts, group->count);
    buf_puts(out, ",\"labels\":");
    labels_print_json(out, group->labels);
    buf_puts(out, ",\"receiver\":{\"name\":");
    json_string(out, group->receiver);
    buf_puts(out, "},\"routeLabels\":{}}");
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
            alert_list(&answer->body, alerts, count);
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
