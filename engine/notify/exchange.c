#include "integration_priv.h"

#include "tocsin/limits.h"

static int too_large(struct err *err)
{
    limit_hit(LIMIT_flush_arena_bytes);
    return err_set(err, ERR_LIMIT, "the notification needs more memory than flush_arena_bytes");
}

int exchange_begin(struct exchange *x, struct err *err)
{
    x->keep = x->kept;
    if (notification_complete(x->arena, &x->notification, x->integration->max_alerts) != 0)
        return too_large(err);
    return 0;
}

static int finish_body(struct exchange *x)
{
    if (x->body_is_json)
        buf_char(&x->body, '\n'); /* as Go's encoder ends it */
    if (x->rc == 0 && buf_overflow(&x->body))
        return too_large(&x->why);
    if (x->rc == 0 && x->body.used > 0)
        x->request.body = str_copy(x->arena, buf_slice(&x->body));
    if (x->rc == 0 && arena_exhausted(x->arena))
        return too_large(&x->why);
    return x->rc;
}

int exchange_next(struct exchange *x, struct err *err)
{
    x->request = (struct net_request){.method = "POST",
                                      .http = x->integration->http,
                                      .timeout_ms = x->integration->timeout_ms,
                                      .secret_url = true};
    x->body_is_json = false;
    buf_init(&x->body, (size_t)limits.flush_arena_bytes);
    x->integration->kind->request(x);
    int rc = finish_body(x);
    buf_release(&x->body);
    if (rc != 0 && err != NULL)
        *err = x->why;
    return rc;
}

enum exchange_verdict exchange_judge(struct exchange *x, const struct net_answer *answer, struct err *err)
{
    const struct integration_kind *kind = x->integration->kind;
    enum exchange_verdict verdict =
        kind->judge != NULL ? kind->judge(x, answer, err) : integration_judge_status(answer, err);
    x->step += verdict == EXCHANGE_MORE;
    return verdict;
}

bool exchange_opens(const struct exchange *x)
{
    return x->notification.firing || (x->notification.late && x->step == 0);
}

bool exchange_closes_next(const struct exchange *x)
{
    return exchange_opens(x) && !x->notification.firing;
}

/* ---- judging ---- */

enum { REASON_MAX = 512 };

enum exchange_verdict integration_judge_reason(const struct net_answer *answer, struct str reason,
                                               struct err *err)
{
    int status = answer->status;
    if (status == 0) {
        *err = answer->error;
        return EXCHANGE_RETRY;
    }
    if (status >= 200 && status < 300)
        return EXCHANGE_DONE;
    size_t shown = reason.n < REASON_MAX ? reason.n : REASON_MAX;
    err_set(err, ERR_IO, "unexpected status code %d: %.*s", status, (int)shown, reason.n > 0 ? reason.p : "");
    return status >= 500 || status == 429 ? EXCHANGE_RETRY : EXCHANGE_REFUSED;
}

enum exchange_verdict integration_judge_status(const struct net_answer *answer, struct err *err)
{
    return integration_judge_reason(answer, answer->body, err);
}

/* ---- making ---- */

void exchange_fail(struct exchange *x, int code, const char *format, ...)
{
    if (x->rc != 0)
        return;
    va_list args;
    va_start(args, format);
    x->rc = err_vset(&x->why, code, format, args);
    va_end(args);
}

struct str exchange_format(struct exchange *x, const char *format, ...)
{
    struct buf text;
    va_list args;
    buf_init(&text, (size_t)limits.flush_arena_bytes);
    va_start(args, format);
    buf_vformat(&text, format, args);
    va_end(args);
    struct str copy = buf_overflow(&text) ? (struct str){0} : str_copy(x->arena, buf_slice(&text));
    if (x->rc == 0 && copy.p == NULL)
        x->rc = too_large(&x->why);
    buf_release(&text);
    return copy;
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

void exchange_url(struct exchange *x, const char *what, struct str url)
{
    if (url.n == 0)
        exchange_fail(x, ERR_ARG, "%s is empty after templating", what);
    else if (has_control(url))
        exchange_fail(x, ERR_ARG, "%s holds a control character", what);
    x->request.url = arena_copy_text(x->arena, url.p, url.n);
}

/* Who says himself who he is does not also say what http_config says. */
static void forget_credentials(struct exchange *x)
{
    struct http_config *http = arena_copy(x->arena, x->request.http, 1, sizeof *http);
    if (http == NULL)
        return;
    http->basic = false;
    http->auth_type = STR("");
    http->oauth2 = NULL;
    x->request.http = http;
}

void exchange_header(struct exchange *x, const char *name, struct str value)
{
    if (strcmp(name, "Authorization") == 0)
        forget_credentials(x);
    size_t count = x->request.header_count;
    struct net_header *headers = ARENA_ARRAY(x->arena, struct net_header, count + 1);
    if (has_control(value))
        exchange_fail(x, ERR_ARG, "the header %s holds a control character", name);
    if (headers == NULL)
        return;
    if (count > 0)
        memcpy(headers, x->request.headers, count * sizeof *headers);
    headers[count] = (struct net_header){name, arena_copy_text(x->arena, value.p, value.n)};
    x->request.headers = headers;
    x->request.header_count = count + 1;
}

struct buf *exchange_post_json(struct exchange *x, const char *what, struct str url)
{
    exchange_url(x, what, url);
    exchange_header(x, "Content-Type", STR("application/json"));
    x->body_is_json = true;
    return &x->body;
}
