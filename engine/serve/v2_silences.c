#include "api_priv.h"
#include "v2_priv.h"

#include "tocsin/router.h"

/* ---- telling ---- */

static void one_matcher(struct buf *out, const struct matcher *m)
{
    bool negative = m->op == MATCH_NOT_EQUAL || m->op == MATCH_NOT_REGEX;
    bool regex = m->op == MATCH_REGEX || m->op == MATCH_NOT_REGEX;
    buf_format(out, "{\"isEqual\":%s,\"isRegex\":%s,\"name\":", negative ? "false" : "true",
               regex ? "true" : "false");
    json_string(out, m->name);
    buf_puts(out, ",\"value\":");
    json_string(out, m->value);
    buf_char(out, '}');
}

static void texts(struct buf *out, const struct silence *s)
{
    if (s->annotations->count > 0) {
        buf_puts(out, ",\"annotations\":");
        labels_print_json(out, s->annotations);
    }
    buf_puts(out, ",\"comment\":");
    json_string(out, s->comment);
    buf_puts(out, ",\"createdBy\":");
    json_string(out, s->created_by);
}

static void one_silence(struct buf *out, const struct silence *s)
{
    buf_puts(out, "{\"id\":");
    json_string(out, s->id);
    buf_format(out, ",\"status\":{\"state\":\"%s\"},\"updatedAt\":", silence_state_text(s->state));
    v2_time(out, s->updated_ns, 0);
    texts(out, s);
    buf_puts(out, ",\"endsAt\":");
    v2_time(out, s->ends_ns, 0);
    buf_puts(out, ",\"matchers\":[");
    for (size_t i = 0; i < s->matcher_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        one_matcher(out, &s->matchers[i]);
    }
    buf_puts(out, "],\"startsAt\":");
    v2_time(out, s->starts_ns, 0);
    buf_char(out, '}');
}

static struct silences *silences_of(const struct request *request)
{
    return router_silences(request->service->parts.router);
}

static void tell_list(struct answer *answer, const struct silence *list, size_t count)
{
    answer->content_type = "application/json";
    buf_char(&answer->body, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&answer->body, ',');
        one_silence(&answer->body, &list[i]);
    }
    buf_puts(&answer->body, "]\n");
}

void v2_silences(struct request *request, struct answer *answer)
{
    struct v2_matchers matchers = {0};
    struct err err;
    struct silence *list;
    size_t count;
    if (!v2_has_router(request, answer))
        return;
    int rc = v2_take_matchers(request, "filter", &matchers, &err);
    const struct silence_filter filter = {
        .matchers = matchers.items,
        .matcher_count = matchers.count,
        .states = {[SILENCE_ACTIVE] = v2_flag(request, "active"),
                   [SILENCE_PENDING] = v2_flag(request, "pending"),
                   [SILENCE_EXPIRED] = v2_flag(request, "expired")},
    };
    if (rc != 0)
        v2_refuse(answer, 400, str_of(err.text));
    else if (silences_list(silences_of(request), &filter, request->arena, &list, &count) != 0)
        v2_refuse(answer, 500, STR("the silences do not fit the memory of one request"));
    else
        tell_list(answer, list, count);
    v2_release_matchers(&matchers);
}

/* ---- one of them ---- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* With or without its dashes, as Alertmanager's schema takes it. */
static bool is_uuid(struct str s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool place = digits == 8 || digits == 12 || digits == 16 || digits == 20;
        if (is_hex(s.p[i]))
            digits++;
        else if (s.p[i] != '-' || !place || s.p[i - 1] == '-')
            return false;
    }
    return digits == 32;
}

static bool has_id(struct request *request, struct answer *answer)
{
    if (!v2_has_router(request, answer))
        return false;
    if (is_uuid(request->wildcard))
        return true;
    v2_schema_error(answer, 422, 601, "silenceID in path must be of type uuid: \"%.*s\"",
                    STR_ARG(request->wildcard));
    return false;
}

void v2_silence(struct request *request, struct answer *answer)
{
    struct silence s;
    if (!has_id(request, answer))
        return;
    int rc = silences_find(silences_of(request), request->wildcard, request->arena, &s);
    if (rc == ERR_NOT_FOUND) {
        answer_text(answer, 404, "");
    } else if (rc != 0) {
        v2_refuse(answer, 500, STR("the silence does not fit the memory of one request"));
    } else {
        answer->content_type = "application/json";
        one_silence(&answer->body, &s);
        buf_char(&answer->body, '\n');
    }
}

void v2_expire_silence(struct request *request, struct answer *answer)
{
    struct err err;
    if (!has_id(request, answer))
        return;
    int rc = silences_expire(silences_of(request), request->wildcard, &err);
    if (rc == ERR_NOT_FOUND)
        answer_text(answer, 404, "");
    else if (rc != 0)
        v2_refuse(answer, 500, str_of(err.text));
    else
        answer->content_type = "application/json";
}
