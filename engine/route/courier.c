#include "courier_priv.h"

#include "tocsin/check.h"
#include "tocsin/limits.h"
#include "tocsin/lock.h"
#include "tocsin/mem.h"

#include <sys/epoll.h>
#include <unistd.h>

enum {
    HEADER_BYTES_MAX = 100 << 10,
    POLL_MS = 1000,
    MANY_BUSY = 16, /* whose answers may gather for a moment: to wake for each costs as much as to read it */
    REDIRECTS_MAX = 3,
    RECEIVE_BYTES = 4096 /* most answers are a line or two */
};

size_t courier_pending(struct courier *c)
{
    lock_take(&c->lock);
    size_t count = c->count;
    lock_drop(&c->lock);
    return count;
}

static int64_t mono_ns(const struct courier *c)
{
    return c->world->mono_ns(c->world);
}

static CURL *take_easy(struct courier *c)
{
    return c->kept_count > 0 ? c->kept[--c->kept_count] : curl_easy_init();
}

/* Of all that was set nothing is left; connections are the multi handle's. */
static void give_back(struct courier *c, CURL *easy)
{
    if (c->kept_count == EASY_KEPT) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    c->kept[c->kept_count++] = easy;
}

static void job_free(struct courier *c, struct job *job)
{
    if (job->shared)
        give_back(c, job->easy);
    else
        curl_easy_cleanup(job->easy);
    courier_undress(&job->dress);
    buf_release(&job->body);
    mem_free(job->url);
    mem_free(job->bearer);
    mem_free(job);
}

void courier_answer(struct courier *c, struct job *job, struct net_answer *a)
{
    a->body = buf_slice(&job->body);
    a->took_ms = (mono_ns(c) - job->started_ns) / NS_PER_MS;
    lock_take(&c->lock);
    c->count--; /* first, so that whoever is answered finds room for the next */
    lock_drop(&c->lock);
    job->done(job->context, a);
    job_free(c, job);
}

void courier_fail(struct courier *c, struct job *job, int code, const char *why)
{
    struct net_answer a = {.retry_after_ms = -1};
    err_set(&a.error, code, "%s", why);
    courier_answer(c, job, &a);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct job *job = context;
    size_t n = size * count, room = job->body.max_bytes - job->body.used;
    buf_add(&job->body, bytes, n < room ? n : room);
    job->cut = n > room;
    return job->cut ? 0 : n;
}

/* What a redirect or a proxy said before the answer itself does not count. */
void courier_note_header(struct job *job, struct str name, struct str value)
{
    bool samples = str_eq_nocase(name, STR("X-Prometheus-Remote-Write-Samples-Written"));
    bool histograms = str_eq_nocase(name, STR("X-Prometheus-Remote-Write-Histograms-Written"));
    long long written;
    if ((!samples && !histograms) || !str_to_i64(str_trim(value), &written) || written < 0)
        return;
    if (!job->tells_written)
        job->samples_written = job->histograms_written = 0;
    job->tells_written = true;
    *(samples ? &job->samples_written : &job->histograms_written) = (uint64_t)written;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct job *job = context;
    struct str value = {bytes, size * count};
    job->header_bytes += size * count;
    if (str_starts(value, STR("HTTP/")))
        job->tells_written = false;
    struct str name = str_cut(&value, ':');
    courier_note_header(job, name, value);
    return job->header_bytes > HEADER_BYTES_MAX ? 0 : size * count;
}

static int add_headers(struct job *job, struct err *err)
{
    struct curl_slist **list = &job->dress.headers;
    bool sound = courier_is_token(job->request->method);
    for (size_t i = 0; sound && i < job->request->header_count; i++)
        sound = courier_add_header(list, job->request->headers[i].name, job->request->headers[i].value);
    struct curl_slist *longer = curl_slist_append(*list, "Expect:"); /* no pause before the body */
    if (longer != NULL)
        *list = longer;
    return longer != NULL && sound ? 0 : err_set(err, ERR_ARG, "the request's headers are not sound");
}

int courier_add_headers(struct courier *c, struct job *job, struct err *err)
{
    const struct http_config *http = job->request->http;
    int rc = add_headers(job, err);
    return rc == 0 && http != NULL ? courier_dress_headers(c->world, http, job->bearer, &job->dress, err)
                                   : rc;
}

void courier_set_policy(CURL *easy, const char *protocols)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* else the end of a request waits for its name server */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static const char *url_of(const struct job *job)
{
    return job->url != NULL ? job->url : job->request->url;
}

static int64_t left_ms(const struct courier *c, const struct job *job)
{
    int64_t timeout_ms = job->request->timeout_ms > 0 ? job->request->timeout_ms : limits.send_ms;
    return timeout_ms - (mono_ns(c) - job->started_ns) / NS_PER_MS;
}

int64_t courier_left_ms(const struct courier *c, const struct job *job)
{
    int64_t left = left_ms(c, job);
    return left > 0 ? left : 1;
}

bool courier_is_late(const struct courier *c, const struct job *job)
{
    return left_ms(c, job) <= 0;
}

static void set_request(const struct courier *c, struct job *job)
{
    const struct net_request *request = job->request;
    CURL *easy = job->easy;
    curl_easy_setopt(easy, CURLOPT_USERAGENT, c->user_agent);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, job->dress.headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)courier_left_ms(c, job));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)limits.connect_ms);
    if (request->body.n > 0 || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.n > 0 ? request->body.p : "");
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, job);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
}

static int prepare(struct courier *c, struct job *job, struct err *err)
{
    const struct net_request *request = job->request;
    job->easy = take_easy(c);
    if (job->easy == NULL)
        return err_set(err, ERR_IO, "the request cannot be started");
    job->shared = true;
    courier_set_policy(job->easy, "http,https");
    curl_easy_setopt(job->easy, CURLOPT_URL, url_of(job));
    int rc = add_headers(job, err);
    if (rc == 0 && request->http != NULL)
        rc = courier_dress(c->world, job->easy, url_of(job), request->http, job->bearer, &job->dress, err);
    if (rc == 0)
        set_request(c, job);
    if (rc == 0 && job->connects)
        curl_easy_setopt(job->easy, CURLOPT_CONNECT_ONLY, 1L);
    return rc;
}

void courier_start(struct courier *c, struct job *job)
{
    struct err err = {0};
    if (job->request->http != NULL && job->request->http->oauth2 != NULL && !courier_token(c, job))
        return;
    int rc = 0;
    job->connects = line_takes(job);
    if (job->connects && line_begin(c, job, &err, &rc)) {
        if (rc != 0)
            courier_fail(c, job, rc, err.text);
        return;
    }
    rc = prepare(c, job, &err);
    if (rc == 0 && curl_multi_add_handle(c->multi, job->easy) != CURLM_OK)
        rc = err_set(&err, ERR_IO, "the request cannot be started");
    if (rc != 0) {
        courier_fail(c, job, rc, err.text);
        return;
    }
    job->next = c->running;
    c->running = job;
}

static void unlist(struct courier *c, struct job *job)
{
    struct job **at = &c->running;
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    curl_multi_remove_handle(c->multi, job->easy);
}

/* Only answers that ask for the same request again, on the same host, over TLS if it was so: what goes out is never a GET that looks like
 * success, and no one else sees what it carries. */
static bool follow(struct courier *c, struct job *job, long status)
{
    const char *to = NULL;
    const struct http_config *http = job->request->http;
    if (http == NULL || !http->follow_redirects || (status != 307 && status != 308) ||
        job->redirects == REDIRECTS_MAX)
        return false;
    curl_easy_getinfo(job->easy, CURLINFO_REDIRECT_URL, &to);
    if (to == NULL || !courier_may_follow(url_of(job), to))
        return false;
    char *url = mem_copy_text(to, strlen(to));
    mem_free(job->url);
    job->url = url;
    job->redirects++;
    job->header_bytes = 0;
    unlist(c, job);
    give_back(c, job->easy);
    job->easy = NULL;
    job->shared = false;
    courier_undress(&job->dress);
    buf_clear(&job->body);
    courier_start(c, job);
    return true;
}

/* libcurl's fixed texts name no host, so nothing of a secret URL leaks. */
void courier_conclude(struct courier *c, struct job *job, CURLcode result, int status, int64_t retry_after_s)
{
    struct net_answer a = {.retry_after_ms = -1,
                           .tells_written = job->tells_written,
                           .samples_written = job->samples_written,
                           .histograms_written = job->histograms_written};
    if (status == 401)
        courier_forget_token(c, job->request->http);
    if (result == CURLE_OK || (result == CURLE_WRITE_ERROR && job->cut))
        a.status = status;
    else
        err_set(&a.error, result == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO, "%s",
                curl_easy_strerror(result));
    if (retry_after_s > 0)
        a.retry_after_ms = (retry_after_s < INT32_MAX ? retry_after_s : INT32_MAX) * 1000;
    courier_answer(c, job, &a);
}

/* libcurl closes its own end of the connection with the request; the other stays. */
static void hand_over(struct courier *c, struct job *job)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    curl_easy_getinfo(job->easy, CURLINFO_ACTIVESOCKET, &fd);
    /* As nothing is executed here, close-on-exec is not missed; the thread sanitizer follows dup alone. */
    int own = fd != CURL_SOCKET_BAD ? dup(fd) : -1;
    unlist(c, job);
    if (own < 0) {
        courier_conclude(c, job, CURLE_COULDNT_CONNECT, 0, 0);
        return;
    }
    give_back(c, job->easy);
    job->easy = NULL;
    job->shared = false;
    line_connected(c, job, own);
}

static void finish(struct courier *c, struct job *job, CURLcode result)
{
    long status = 0;
    curl_off_t retry_after_s = 0;
    if (result == CURLE_OK && job->connects) {
        hand_over(c, job);
        return;
    }
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(job->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (result == CURLE_OK && follow(c, job, status))
        return;
    unlist(c, job);
    courier_conclude(c, job, result, (int)status, retry_after_s);
}

static void reap(struct courier *c)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
        struct job *job = NULL;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
        finish(c, job, result);
    }
}

static struct job *take_waiting(struct courier *c)
{
    lock_take(&c->lock);
    struct job *list = c->waiting;
    c->waiting = NULL;
    c->last = &c->waiting;
    lock_drop(&c->lock);
    return list;
}

void courier_begin(struct courier *c, struct job *job)
{
    job->started_ns = mono_ns(c);
    buf_init(&job->body, (size_t)limits.answer_bytes);
    courier_start(c, job);
}

static void start_waiting(struct courier *c)
{
    struct job *next;
    for (struct job *job = take_waiting(c); job != NULL; job = next) {
        next = job->next;
        courier_begin(c, job);
    }
}

static void cancel_all(struct courier *c)
{
    struct job *job;
    while ((job = c->running) != NULL) {
        unlist(c, job);
        courier_fail(c, job, ERR_CANCEL, "stopped");
    }
    lines_cancel(c);
}

bool courier_is_over(struct courier *c)
{
    lock_take(&c->lock);
    bool over = c->closing && mono_ns(c) >= c->grace_ns;
    lock_drop(&c->lock);
    return over;
}

/* How long the thread may sleep; negative: it is to end. */
static int rest_ms(struct courier *c)
{
    lock_take(&c->lock);
    bool closing = c->closing;
    size_t count = c->count;
    int64_t left_ms = closing ? (c->grace_ns - mono_ns(c)) / NS_PER_MS : POLL_MS;
    lock_drop(&c->lock);
    if (closing && (count == 0 || left_ms <= 0))
        return -1;
    return left_ms < POLL_MS ? (int)left_ms : POLL_MS;
}

static void *run(void *context)
{
    struct courier *c = context;
    int running, wait_ms;
    while ((wait_ms = rest_ms(c)) >= 0) {
        int lines_ms = lines_wait_ms(c);
        struct curl_waitfd lines = {.fd = c->epoll, .events = CURL_WAIT_POLLIN};
        curl_multi_poll(c->multi, &lines, 1, lines_ms < wait_ms ? lines_ms : wait_ms, NULL);
        if (c->busy_count >= MANY_BUSY)
            c->world->pause(c->world, 1);
        lines_go_on(c);
        start_waiting(c);
        curl_multi_perform(c->multi, &running);
        reap(c);
    }
    start_waiting(c);
    cancel_all(c);
    return NULL;
}

static int send_request(struct world *world, const struct net_request *request, net_done *done, void *context)
{
    struct courier *c = world->net;
    bool asleep = false;
    int rc = 0;
    lock_take(&c->lock);
    if (c->closing)
        rc = ERR_CLOSED;
    else if (c->count >= (size_t)limits.page_queue)
        rc = ERR_FULL;
    if (rc == 0) {
        struct job *job = MEM_NEW(struct job);
        *job = (struct job){.request = request, .done = done, .context = context};
        c->count++;
        if (request->mail != NULL) {
            rc = courier_mail_put(c, job);
        } else {
            asleep = c->waiting == NULL; /* else somebody has woken it already, and it takes them all */
            *c->last = job;
            c->last = &job->next;
        }
    }
    lock_drop(&c->lock);
    if (asleep)
        curl_multi_wakeup(c->multi);
    if (rc == ERR_FULL)
        limit_hit(LIMIT_page_queue);
    return rc;
}

int courier_open(struct world *world, const char *user_agent, struct courier **out, struct err *err)
{
    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_IO, "libcurl cannot be initialised");
    struct courier *c = MEM_NEW(struct courier);
    c->world = world;
    c->last = &c->waiting;
    c->line_due_ns = INT64_MAX;
    c->multi = curl_multi_init();
    c->user_agent = mem_copy_text(user_agent, strlen(user_agent));
    c->mails = queue_open((size_t)limits.page_queue);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    lock_init(&c->lock, LOCK_courier);
    if (c->multi == NULL || c->epoll < 0 || pthread_create(&c->thread, NULL, run, c) != 0) {
        curl_multi_cleanup(c->multi);
        lines_close(c);
        lock_release(&c->lock);
        queue_free(c->mails);
        mem_free(c->user_agent);
        mem_free(c);
        return err_set(err, ERR_IO, "the courier's thread cannot be started");
    }
    world->net = c;
    world->send = send_request;
    *out = c;
    return 0;
}

void courier_close(struct courier *c, int64_t grace_ms)
{
    if (c == NULL)
        return;
    lock_take(&c->lock);
    c->closing = true;
    c->grace_ns = mono_ns(c) + grace_ms * NS_PER_MS;
    lock_drop(&c->lock);
    curl_multi_wakeup(c->multi);
    must(pthread_join(c->thread, NULL) == 0);
    courier_mail_close(c);
    c->world->send = NULL;
    c->world->net = NULL;
    courier_free_tokens(c);
    while (c->kept_count > 0)
        curl_easy_cleanup(c->kept[--c->kept_count]);
    curl_multi_cleanup(c->multi);
    lines_close(c);
    lock_release(&c->lock);
    mem_free(c->user_agent);
    mem_free(c);
    curl_global_cleanup();
}
