#include "api_priv.h"
#include "v2_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/router.h"
#include "tocsin/tree.h"

/* A posted list of alerts on its way to the router. */
struct post {
    struct v2_body body;
    struct alert_event *events;
    size_t count;
};

static bool take_url(struct post *post, const struct tree *node, struct str *url)
{
    if (!tree_is_null(node) && !v2_is_text(node))
        return v2_bad_body(&post->body, "generatorURL must be a string");
    *url = tree_is_null(node) ? (struct str){0} : node->text;
    return true;
}

/* What the wire format demands of one alert; meaning is the router's question. */
static bool decode_alert(struct post *post, const struct tree *node, struct alert_event *event)
{
    if (node->kind != TREE_MAP)
        return v2_bad_body(&post->body, "an alert must be an object");
    const struct tree *starts = tree_get(node, "startsAt"), *ends = tree_get(node, "endsAt");
    return v2_take_labels(&post->body, tree_get(node, "annotations"), false, &event->annotations) &&
           v2_take_time(&post->body, ends, &event->ends_ns, &event->ends_zone_s) &&
           take_url(post, tree_get(node, "generatorURL"), &event->generator_url) &&
           v2_take_labels(&post->body, tree_get(node, "labels"), false, &event->labels) &&
           v2_take_time(&post->body, starts, &event->starts_ns, &event->starts_zone_s);
}

static bool is_uri(struct str url)
{
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == 0x7f)
            return false;
    struct str rest = url;
    struct str scheme = str_cut(&rest, ':');
    bool has_scheme = rest.p != NULL && scheme.n > 0 && str_find_char(scheme, '/') == scheme.n;
    return url.n == 0 || url.p[0] == '/' || has_scheme;
}

static bool check_alert(struct post *post, const struct tree *node, const struct alert_event *event,
                        size_t at)
{
    if (!is_uri(event->generator_url)) {
        v2_schema_error(post->body.answer, 422, 601, "%zu.generatorURL in body must be of type uri: \"%.*s\"",
                        at, STR_ARG(event->generator_url));
        return false;
    }
    if (tree_is_null(tree_get(node, "labels"))) {
        v2_schema_error(post->body.answer, 422, 602, "%zu.labels in body is required", at);
        return false;
    }
    return true;
}

static bool decode_all(struct post *post, const struct tree *root)
{
    post->events = ARENA_ARRAY(post->body.request->arena, struct alert_event, root->count);
    if (post->events == NULL)
        return v2_bad_body(&post->body, "it does not fit its memory");
    for (const struct tree *node = root->first; node != NULL; node = node->next) {
        if (tree_is_null(node))
            continue;
        if (!decode_alert(post, node, &post->events[post->count]))
            return false;
        post->count++;
    }
    return true;
}

static bool check_all(struct post *post, const struct tree *root)
{
    size_t at = 0, event = 0;
    for (const struct tree *node = root->first; node != NULL; node = node->next, at++)
        if (!tree_is_null(node) && !check_alert(post, node, &post->events[event++], at))
            return false;
    return true;
}

static bool decode(struct post *post)
{
    struct tree *root;
    if (!v2_read_body(&post->body, &root))
        return false;
    if (root->kind != TREE_LIST)
        return v2_bad_body(&post->body, "the body must be a list of alerts");
    return decode_all(post, root) && check_all(post, root);
}

static void hand_over(struct post *post)
{
    struct buf errors;
    buf_init(&errors, (size_t)limits.json_bytes);
    int rc = router_post(post->body.request->service->parts.router, post->events, post->count, &errors);
    struct str why = str_trim(buf_slice(&errors));
    if (rc == ERR_FULL || rc == ERR_LIMIT || rc == ERR_IO) {
        v2_refuse(post->body.answer, 503, why.n > 0 ? why : STR("too many alerts"));
        answer_header(post->body.answer, "Retry-After", "5");
    } else if (rc != 0) {
        v2_refuse(post->body.answer, rc == ERR_PARSE ? 400 : 500, why);
    } else {
        post->body.answer->content_type = "application/json";
    }
    buf_release(&errors);
}

void v2_post_alerts(struct request *request, struct answer *answer)
{
    if (!v2_has_router(request, answer))
        return;
    struct post post = {.body = {request, answer, "alerts"}};
    if (decode(&post))
        hand_over(&post);
}
