#include "api_priv.h"
#include "v2_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/router.h"
#include "tocsin/tree.h"

#include <stdlib.h>

void v2_refuse(struct answer *answer, int status, struct str text)
{
    answer->status = status;
    answer->content_type = "application/json";
    buf_clear(&answer->body);
    json_string(&answer->body, text);
    buf_char(&answer->body, '\n');
}

void v2_schema_error(struct answer *answer, int status, int code, const char *format, ...)
{
    struct buf text;
    buf_init(&text, ERR_TEXT_MAX * 2);
    va_list args;
    va_start(args, format);
    buf_vformat(&text, format, args);
    va_end(args);
    answer->status = status;
    answer->content_type = "application/json";
    buf_clear(&answer->body);
    buf_format(&answer->body, "{\"code\":%d,\"message\":", code);
    json_string(&answer->body, buf_slice(&text));
    buf_puts(&answer->body, "}\n");
    buf_release(&text);
}

bool v2_has_router(const struct request *request, struct answer *answer)
{
    if (request->service->parts.router != NULL)
        return true;
    v2_schema_error(answer, 404, 404, "path %.*s was not found", STR_ARG(request->target.path));
    return false;
}

void v1_gone(struct request *request, struct answer *answer)
{
    if (!v2_has_router(request, answer))
        return;
    answer->status = 410;
    answer->content_type = "application/json";
    buf_puts(&answer->body,
             "{\"status\":\"deprecated\",\"error\":\"The Alertmanager v1 API was deprecated in version "
             "0.16.0 and is "
             "removed as of version 0.27.0 - please use the equivalent route in the v2 API\"}\n");
}

void v2_time(struct buf *out, int64_t unix_ns, int32_t zone_s)
{
    buf_char(out, '"');
    go_time_rfc3339(out, unix_ns + zone_s * NS_PER_S, 3);
    if (zone_s != 0) {
        int minutes = abs(zone_s) / 60;
        buf_truncate(out, out->used - 1);
        buf_format(out, "%c%02d:%02d", zone_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
    }
    buf_char(out, '"');
}

void v2_status(struct request *request, struct answer *answer)
{
    if (!v2_has_router(request, answer))
        return;
    const struct serve_parts *parts = &request->service->parts;
    struct buf *out = &answer->body;
    answer->content_type = "application/json";
    buf_puts(out, "{\"cluster\":{\"peers\":[],\"status\":\"disabled\"},\"config\":{\"original\":");
    json_string(out, router_config_text(parts->router, request->arena));
    buf_puts(out, "},\"uptime\":");
    v2_time(out, parts->started_ns, 0);
    buf_puts(out,
             ",\"versionInfo\":{\"branch\":\"\",\"buildDate\":\"\",\"buildUser\":\"\",\"goVersion\":\"\","
             "\"revision\":");
    json_string(out, str_of(arena_format(request->arena, "tocsin %s", parts->version)));
    buf_puts(out, ",\"version\":\"" AM_VERSION "\"}}\n");
}

static void tell_receivers(struct answer *answer, const struct router_receiver *receivers, size_t count)
{
    struct buf *out = &answer->body;
    answer->content_type = "application/json";
    buf_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i > 0 ? ",{\"labels\":" : "{\"labels\":");
        labels_print_json(out, receivers[i].labels);
        buf_puts(out, ",\"name\":");
        json_string(out, receivers[i].name);
        buf_char(out, '}');
    }
    buf_puts(out, "]\n");
}

void v2_receivers(struct request *request, struct answer *answer)
{
    struct v2_matchers matchers = {0};
    struct router_receiver *receivers;
    struct err err;
    size_t count;
    if (!v2_has_router(request, answer))
        return;
    if (v2_take_matchers(request, "receiver_matchers", &matchers, &err) != 0) {
        err_prefix(&err, "failed to parse receiver_matchers param: ");
        v2_refuse(answer, 400, str_of(err.text));
    } else if (router_receivers(request->service->parts.router, matchers.items, matchers.count,
                                request->arena, &receivers, &count) != 0) {
        v2_refuse(answer, 500, STR("the receivers do not fit the memory of one request"));
    } else {
        tell_receivers(answer, receivers, count);
    }
    v2_release_matchers(&matchers);
}
