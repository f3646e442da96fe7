#include "api_priv.h"
#include "v2_priv.h"

#include "tocsin/gotext.h"
#include "tocsin/router.h"
#include "tocsin/tree.h"

/* A posted list of alerts on its way to the router. */
struct post {
    struct request *request;
    struct answer *answer;
    struct alert_event *events;
    size_t count;
};

static bool bad_body(struct post *post, const char *why)
{
    v2_schema_error(post->answer, 400, 400, "parsing alerts body from \"\" failed, because %s", why);
    return false;
}

static bool is_text(const struct tree *node)
{
    return node != NULL && node->kind == TREE_SCALAR && node->quoted;
}

/* An object of strings. An absent one is the empty set. */
static bool take_labels(struct post *post, const struct tree *node, struct labels **out)
{
    struct arena *arena = post->request->arena;
    size_t count = tree_is_null(node) ? 0 : node->count;
    if (count == 0 && !tree_is_null(node) && node->kind != TREE_MAP)
        return bad_body(post, "labels and annotations are objects");
    struct label *items = ARENA_ARRAY(arena, struct label, count);
    if (items == NULL)
        return bad_body(post, "it does not fit its memory");
    size_t n = 0;
    for (const struct tree *child = count > 0 ? node->first : NULL; child != NULL; child = child->next) {
        if (child->key == NULL || !is_text(child))
            return bad_body(post, "labels and annotations are objects whose values are strings");
        items[n++] = (struct label){child->key->text, child->text};
    }
    *out = labels_make(arena, items, n);
    return *out != NULL || bad_body(post, "it does not fit its memory");
}

/* Seconds east of UTC of "...+02:00". */
static int32_t zone_of(struct str time)
{
    if (time.n < 6 || (time.p[time.n - 6] != '+' && time.p[time.n - 6] != '-'))
        return 0;
    const char *p = time.p + time.n - 6;
    int32_t minutes = ((p[1] - '0') * 10 + p[2] - '0') * 60 + (p[4] - '0') * 10 + p[5] - '0';
    return p[0] == '-' ? -minutes * 60 : minutes * 60;
}

/* Go's zero time and no time at all are both 0; the router fills in what was not said. */
static bool take_time(struct post *post, const struct tree *node, int64_t *ns, int32_t *zone_s)
{
    *ns = 0;
    *zone_s = 0;
    if (tree_is_null(node))
        return true;
    if (!is_text(node))
        return bad_body(post, "a time must be a string");
    if (node->text.n == 0 || str_starts(node->text, STR("0001-01-01T00:00:00")))
        return true;
    if (!go_parse_rfc3339(node->text, ns))
        return bad_body(post, "a time must be written as in RFC 3339");
    *zone_s = zone_of(node->text);
    return true;
}

static bool take_url(struct post *post, const struct tree *node, struct str *url)
{
    if (!tree_is_null(node) && !is_text(node))
        return bad_body(post, "generatorURL must be a string");
    *url = tree_is_null(node) ? (struct str){0} : node->text;
    return true;
}

/* What the wire format demands of one alert; meaning is the router's question. */
static bool decode_alert(struct post *post, const struct tree *node, struct alert_event *event)
{
    if (node->kind != TREE_MAP)
        return bad_body(post, "an alert must be an object");
    const struct tree *starts = tree_get(node, "startsAt"), *ends = tree_get(node, "endsAt");
    return take_labels(post, tree_get(node, "annotations"), &event->annotations) &&
           take_time(post, ends, &event->ends_ns, &event->ends_zone_s) &&
           take_url(post, tree_get(node, "generatorURL"), &event->generator_url) &&
           take_labels(post, tree_get(node, "labels"), &event->labels) &&
           take_time(post, starts, &event->starts_ns, &event->starts_zone_s);
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
        v2_schema_error(post->answer, 422, 601, "%zu.generatorURL in body must be of type uri: \"%.*s\"", at,
                        STR_ARG(event->generator_url));
        return false;
    }
    if (tree_is_null(tree_get(node, "labels"))) {
        v2_schema_error(post->answer, 422, 602, "%zu.labels in body is required", at);
        return false;
    }
    return true;
}

static bool decode_all(struct post *post, const struct tree *root)
{
    post->events = ARENA_ARRAY(post->request->arena, struct alert_event, root->count);
    if (post->events == NULL)
        return bad_body(post, "it does not fit its memory");
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
    struct tree *root = NULL;
    struct err err;
    if (str_trim(post->request->body).n > 0 &&
        json_parse(post->request->arena, post->request->body, &root, &err) != 0)
        return bad_body(post, err.text);
    if (tree_is_null(root)) {
        v2_schema_error(post->answer, 422, 602, "alerts in body is required");
        return false;
    }
    if (root->kind != TREE_LIST)
        return bad_body(post, "the body must be a list of alerts");
    return decode_all(post, root) && check_all(post, root);
}

static void hand_over(struct post *post)
{
    struct buf errors;
    buf_init(&errors, (size_t)limits.json_bytes);
    int rc = router_post(post->request->service->parts.router, post->events, post->count, &errors);
    struct str why = str_trim(buf_slice(&errors));
    if (rc == ERR_FULL || rc == ERR_LIMIT) {
        v2_refuse(post->answer, 503, why.n > 0 ? why : STR("too many alerts"));
        answer_header(post->answer, "Retry-After", "5");
    } else if (rc != 0) {
        v2_refuse(post->answer, rc == ERR_PARSE ? 400 : 500, why);
    } else {
        post->answer->content_type = "application/json";
    }
    buf_release(&errors);
}

void v2_post_alerts(struct request *request, struct answer *answer)
{
    if (!v2_has_router(request, answer))
        return;
    struct post post = {.request = request, .answer = answer};
    if (decode(&post))
        hand_over(&post);
}
