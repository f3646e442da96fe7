#include "webhook_priv.h"

#include "notification_priv.h"

#include "tocsin/limits.h"

static int too_large(struct err *err)
{
    limit_hit(LIMIT_flush_arena_bytes);
    return err_set(err, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
}

/* A small file that holds a secret or a URL, without the white space around it. */
static int read_secret(struct router *router, struct arena *arena, struct str path, struct str *text,
                       struct err *err)
{
    struct world *world = router->options.world;
    struct buf content;
    buf_init(&content, 64 << 10);
    const char *name = arena_copy_text(arena, path.p, path.n);
    int rc = name != NULL ? world->read_file(world, name, &content, err) : too_large(err);
    if (rc == 0) {
        *text = str_copy(arena, str_trim(buf_slice(&content)));
        rc = text->p != NULL ? 0 : too_large(err);
    }
    buf_release(&content);
    return rc;
}

static bool is_template(struct str text)
{
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] == '{' && text.p[i + 1] == '{')
            return true;
    }
    return false;
}

static int expand(struct arena *arena, const struct delivery *d, const struct notification *n,
                  struct str *text, struct err *err)
{
    if (!is_template(*text))
        return 0;
    struct tval data;
    struct template_set *set = template_set_clone(arena, d->flush->generation->config->templates);
    if (set == NULL || notification_tval(arena, n, &data) != 0)
        return too_large(err);
    int rc = template_parse(set, STR(""), *text, err);
    if (rc != 0)
        return rc;
    struct buf out;
    buf_init(&out, (size_t)limits.template_output_bytes);
    rc = template_execute(set, STR(""), &data, NULL, &out, err);
    if (rc == 0) {
        *text = str_copy(arena, buf_slice(&out));
        rc = text->p != NULL ? 0 : too_large(err);
    }
    buf_release(&out);
    return rc;
}

/* A line break in a URL or header would let text from outside write headers of its own. */
static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    }
    return false;
}

static int render_url(struct router *router, const struct delivery *d, const struct notification *n,
                      struct message *message, struct err *err)
{
    const struct am_webhook *hook = &d->flush->route->receiver->webhooks[d->index];
    struct str url = hook->url;
    int rc = hook->url_file.n > 0 ? read_secret(router, &message->arena, hook->url_file, &url, err) : 0;
    if (rc == 0)
        rc = expand(&message->arena, d, n, &url, err);
    if (rc != 0)
        return rc;
    if (url.n == 0)
        return err_set(err, ERR_ARG, "webhook URL is empty after templating");
    if (has_control(url))
        return err_set(err, ERR_ARG, "webhook URL holds a control character");
    message->request.url = arena_copy_text(&message->arena, url.p, url.n);
    return message->request.url != NULL ? 0 : too_large(err);
}

static int render_body(const struct notification *n, struct message *message, struct err *err)
{
    struct buf body;
    buf_init(&body, (size_t)limits.flush_arena_bytes);
    notification_write_json(&body, n);
    if (!buf_overflow(&body))
        message->request.body = str_copy(&message->arena, buf_slice(&body));
    buf_release(&body);
    return message->request.body.p != NULL ? 0 : too_large(err);
}

/* One attempt may not outlast the flush. */
static int64_t attempt_ms(const struct delivery *d, int64_t timeout_ms, int64_t now_ns)
{
    int64_t left_ms = (d->flush->deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    if (timeout_ms <= 0)
        timeout_ms = limits.send_ms;
    return timeout_ms < left_ms ? timeout_ms : left_ms;
}

int webhook_render(struct router *router, struct delivery *d, struct message *message, int64_t now_ns,
                   struct err *err)
{
    const struct am_webhook *hook = &d->flush->route->receiver->webhooks[d->index];
    struct notification n;
    static const struct net_header json = {"Content-Type", "application/json"};
    message->request = (struct net_request){
        .method = "POST",
        .headers = &json,
        .header_count = 1,
        .http = hook->http,
        .timeout_ms = attempt_ms(d, hook->timeout_ms, now_ns),
        .secret_url = true,
    };
    if (notification_make(&message->arena, router, d, hook->max_alerts, &n) != 0)
        return too_large(err);
    int rc = render_url(router, d, &n, message, err);
    return rc == 0 ? render_body(&n, message, err) : rc;
}
