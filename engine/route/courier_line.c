#include "courier_priv.h"
#include "reply_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"
#include "tocsin/url.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Plain HTTP without libcurl, for which a page is half of what it costs: 100,000 instructions and sixty pieces of memory for a request of one
 * kilobyte. libcurl makes the connections; what is sent and received on them is seen to here, as far as it is of the simplest kind. All else
 * stays with libcurl: TLS, proxies, headers from the configuration, redirects. So does a request whose connection had rested and turns
 * out to be closed.
 */

enum {
    NEWS_MAX = 64,
    READ_BYTES = 16 << 10,
    REPLY_BYTES_MAX = 100 << 10,
    LINES_KEPT = 256,
    WAIT_MAX_MS = 1000
};

#define REST_MAX_NS (100 * NS_PER_S)

struct line {
    struct line *next, **at; /* in the list of those that are busy, or of those that rest */
    int fd;
    char *authority;
    struct job *job; /* NULL: it rests */
    bool reused, writes;
    int64_t rests_ns;
    size_t sent;          /* of head and body */
    struct buf head, got; /* what is sent before the body; what was received */
};

/* ---- which requests ---- */

static bool is_plain_text(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || strchr("\\#%<>\"^`{|}[]", *p) != NULL)
            return false;
    }
    return true;
}

static bool is_ours(const char *header)
{
    static const char *const names[] = {"Host",           "User-Agent",        "Accept",  "Connection",
                                        "Content-Length", "Transfer-Encoding", "Upgrade", "Expect"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq_nocase(str_of(header), str_of(names[i])))
            return true;
    }
    return false;
}

static bool is_simple(const struct http_config *http)
{
    return http->headers.count == 0 && http->proxy.url.n == 0 && !http->proxy.from_environment &&
           http->tls.ca.file.n == 0 && http->tls.cert.file.n == 0 && http->tls.key.file.n == 0;
}

bool line_takes(const struct job *job)
{
    const struct net_request *request = job->request;
    struct url url;
    if (job->barred || job->url != NULL || strcmp(request->method, "POST") != 0 ||
        !is_plain_text(request->url) || strstr(request->url, "/.") != NULL)
        return false;
    if (url_parse(str_of(request->url), &url, NULL) != 0 || !str_is(url.scheme, "http") || url.user.n > 0 ||
        url.host.n == 0 || (url.port.n == 0 && url.host.n != url.authority.n))
        return false;
    for (size_t i = 0; i < request->header_count; i++) {
        if (is_ours(request->headers[i].name))
            return false;
    }
    return request->http == NULL || is_simple(request->http);
}

/* ---- lines ---- */

static int listen_to(const struct courier *c, int operation, struct line *line, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = line};
    return epoll_ctl(c->epoll, operation, line->fd, &event);
}

static void unlist(struct courier *c, struct line *line)
{
    *line->at = line->next;
    if (line->next != NULL)
        line->next->at = line->at;
    *(line->job != NULL ? &c->busy_count : &c->resting_count) -= 1;
}

static void enlist(struct line **list, struct line *line)
{
    line->next = *list;
    line->at = list;
    if (line->next != NULL)
        line->next->at = &line->next;
    *list = line;
}

static void line_free(struct courier *c, struct line *line)
{
    unlist(c, line);
    close(line->fd);
    buf_release(&line->head);
    buf_release(&line->got);
    mem_free(line->authority);
    mem_free(line);
}

static void rest(struct courier *c, struct line *line)
{
    unlist(c, line);
    line->job = NULL;
    line->reused = true;
    line->rests_ns = c->world->mono_ns(c->world);
    enlist(&c->resting, line);
    if (++c->resting_count > LINES_KEPT)
        line_free(c, line);
}

static struct line *find_resting(struct courier *c, struct str authority)
{
    struct line *line = c->resting;
    while (line != NULL && !str_is(authority, line->authority))
        line = line->next;
    return line;
}

/* ---- how requests end ---- */

/* The job goes on without the line. */
static struct job *let_go(struct courier *c, struct line *line, bool keeps)
{
    struct job *job = line->job;
    if (keeps)
        rest(c, line);
    else
        line_free(c, line);
    return job;
}

static void fail(struct courier *c, struct line *line, CURLcode why)
{
    courier_conclude(c, let_go(c, line, false), why, 0, 0);
}

/* By libcurl, on a connection of its own. */
static void try_elsewhere(struct courier *c, struct line *line, bool keeps)
{
    struct job *job = let_go(c, line, keeps);
    job->barred = true;
    courier_undress(&job->dress);
    buf_clear(&job->body);
    courier_start(c, job);
}

/* A connection that had rested may have been closed before it was used. */
static void lose(struct courier *c, struct line *line, CURLcode why)
{
    if (line->reused && line->got.used == 0)
        try_elsewhere(c, line, false);
    else
        fail(c, line, why);
}

/* As libcurl reads it: seconds, or a date. */
static int64_t seconds_of(const struct courier *c, struct str value)
{
    char date[64];
    long long seconds;
    if (str_to_i64(value, &seconds))
        return seconds;
    if (value.n >= sizeof date)
        return 0;
    memcpy(date, value.p, value.n);
    date[value.n] = '\0';
    time_t at = curl_getdate(date, NULL);
    return at != -1 ? (int64_t)at - c->world->wall_ns(c->world) / NS_PER_S : 0;
}

static void finish(struct courier *c, struct line *line, const struct reply *reply)
{
    struct str head = reply->head, name, value;
    struct job *job = line->job;
    int64_t retry_after_s = 0;
    if (job->request->http != NULL && job->request->http->follow_redirects &&
        (reply->status == 307 || reply->status == 308)) {
        try_elsewhere(c, line, reply->keeps);
        return;
    }
    while (reply_next_header(&head, &name, &value)) {
        courier_note_header(job, name, value);
        if (str_eq_nocase(name, STR("Retry-After")))
            retry_after_s = seconds_of(c, value);
    }
    int status = reply->status;
    let_go(c, line, reply->keeps && line->sent == line->head.used + job->request->body.n);
    courier_conclude(c, job, CURLE_OK, status, retry_after_s);
}

/* ---- sending and receiving ---- */

static void want_to_write(struct courier *c, struct line *line, bool wants)
{
    if (wants != line->writes)
        listen_to(c, EPOLL_CTL_MOD, line, wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
    line->writes = wants;
}

/* Head and body leave together. False: the other side does not want them; perhaps it has said why. */
static bool send_more(struct courier *c, struct line *line)
{
    struct str body = line->job->request->body;
    size_t all = line->head.used + body.n;
    while (line->sent < all) {
        size_t from_head = line->sent < line->head.used ? line->head.used - line->sent : 0;
        size_t of_body = all - line->sent - from_head;
        struct iovec parts[2] = {{line->head.bytes + line->head.used - from_head, from_head},
                                 {(char *)(uintptr_t)body.p + (body.n - of_body), of_body}};
        const struct msghdr message = {.msg_iov = parts, .msg_iovlen = of_body > 0 ? 2 : 1};
        ssize_t n = sendmsg(line->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        line->sent += (size_t)n;
    }
    want_to_write(c, line, line->sent < all);
    return true;
}

static void judge(struct courier *c, struct line *line, bool closed)
{
    struct reply reply;
    enum reply_state state = reply_read(buf_slice(&line->got), closed, &line->job->body, &reply);
    if (state == REPLY_WHOLE)
        finish(c, line, &reply);
    else if (closed && line->got.used == 0)
        lose(c, line, CURLE_GOT_NOTHING);
    else if (state == REPLY_BAD)
        fail(c, line, closed ? CURLE_RECV_ERROR : CURLE_WEIRD_SERVER_REPLY);
    else if (line->got.used == line->got.max_bytes)
        fail(c, line, CURLE_WRITE_ERROR);
}

/* What has come, and what it means. */
static void receive(struct courier *c, struct line *line)
{
    size_t room = line->got.max_bytes - line->got.used;
    size_t wanted = room < READ_BYTES ? room : READ_BYTES;
    char *to = buf_reserve(&line->got, wanted);
    ssize_t n = recv(line->fd, to, wanted, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        lose(c, line, CURLE_RECV_ERROR);
        return;
    }
    buf_commit(&line->got, (size_t)n);
    judge(c, line, n == 0);
}

/* ---- beginning ---- */

static void write_head(const struct courier *c, const struct job *job, struct buf *out)
{
    struct url url;
    (void)url_parse(str_of(job->request->url), &url, NULL);
    const char *path = url.authority.p + url.authority.n;
    buf_clear(out);
    buf_format(out, "POST %s%s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: %s\r\nAccept: */*\r\n",
               *path == '/' ? "" : "/", path, STR_ARG(str_is(url.port, "80") ? url.host : url.authority),
               c->user_agent);
    for (const struct curl_slist *header = job->dress.headers; header != NULL; header = header->next) {
        if (strcmp(header->data, "Expect:") == 0) /* is for libcurl */
            continue;
        const char *end = strchr(header->data, ';'), *colon = strchr(header->data, ':');
        bool empty = colon == NULL && end != NULL; /* as libcurl is told of it */
        buf_add(out, header->data, empty ? (size_t)(end - header->data) : strlen(header->data));
        buf_puts(out, empty ? ":\r\n" : "\r\n");
    }
    buf_format(out, "Content-Length: %zu\r\n\r\n", job->request->body.n);
}

static void run(struct courier *c, struct line *line, struct job *job)
{
    line->job = job;
    line->sent = 0;
    enlist(&c->busy, line);
    c->busy_count++;
    int64_t due_ns = c->world->mono_ns(c->world) + courier_left_ms(c, job) * NS_PER_MS;
    c->line_due_ns = due_ns < c->line_due_ns ? due_ns : c->line_due_ns;
    buf_clear(&line->got);
    write_head(c, job, &line->head);
    if (buf_overflow(&line->head))
        try_elsewhere(c, line, false);
    else if (!send_more(c, line))
        lose(c, line, CURLE_SEND_ERROR);
}

bool line_begin(struct courier *c, struct job *job, struct err *err, int *rc)
{
    struct url url;
    (void)url_parse(str_of(job->request->url), &url, NULL);
    struct line *line = find_resting(c, url.authority);
    *rc = 0;
    if (line == NULL)
        return false;
    if (c->world->mono_ns(c->world) - line->rests_ns > REST_MAX_NS) {
        line_free(c, line);
        return false;
    }
    *rc = courier_add_headers(c, job, err);
    if (*rc != 0)
        return true;
    unlist(c, line);
    run(c, line, job);
    return true;
}

void line_connected(struct courier *c, struct job *job, int fd)
{
    struct url url;
    (void)url_parse(str_of(job->request->url), &url, NULL);
    struct line *line = MEM_NEW(struct line);
    line->fd = fd;
    line->authority = mem_copy_text(url.authority.p, url.authority.n);
    buf_init(&line->head, (size_t)limits.header_bytes);
    buf_init(&line->got, REPLY_BYTES_MAX + 2 * (size_t)limits.answer_bytes);
    line->job = job;
    if (listen_to(c, EPOLL_CTL_ADD, line, EPOLLIN) == 0) {
        run(c, line, job);
        return;
    }
    enlist(&c->busy, line);
    c->busy_count++;
    try_elsewhere(c, line, false);
}

/* ---- the thread's round ---- */

static void hear(struct courier *c, struct line *line, uint32_t events)
{
    if ((events & EPOLLOUT) != 0 && !send_more(c, line))
        events |= EPOLLIN;
    if ((events & ~(uint32_t)EPOLLOUT) != 0)
        receive(c, line);
}

static void drop_old(struct courier *c)
{
    int64_t oldest_ns = c->world->mono_ns(c->world) - REST_MAX_NS;
    struct line *next;
    for (struct line *line = c->resting; line != NULL; line = next) {
        next = line->next;
        if (line->rests_ns < oldest_ns)
            line_free(c, line);
    }
}

/* Begins anew after each: who is told may begin another. */
static void give_up_late(struct courier *c)
{
    struct line *line = c->busy;
    c->line_due_ns = INT64_MAX;
    while (line != NULL) {
        int64_t left_ms = courier_left_ms(c, line->job);
        bool late = courier_is_late(c, line->job);
        int64_t due_ns = c->world->mono_ns(c->world) + left_ms * NS_PER_MS;
        if (late)
            fail(c, line, CURLE_OPERATION_TIMEDOUT);
        else if (due_ns < c->line_due_ns)
            c->line_due_ns = due_ns;
        line = late ? c->busy : line->next;
    }
}

void lines_go_on(struct courier *c)
{
    struct epoll_event news[NEWS_MAX];
    struct line *busy[NEWS_MAX];
    int count = epoll_wait(c->epoll, news, NEWS_MAX, 0);
    /* Those that rest have been closed. They go first: what the others bring may begin a request on one of them. */
    for (int i = 0; i < count; i++) {
        struct line *line = news[i].data.ptr;
        busy[i] = line->job != NULL ? line : NULL;
        if (busy[i] == NULL)
            line_free(c, line);
    }
    for (int i = 0; i < count; i++)
        if (busy[i] != NULL)
            hear(c, busy[i], news[i].events);
    if (c->world->mono_ns(c->world) >= c->line_due_ns)
        give_up_late(c);
    if (c->busy == NULL)
        drop_old(c);
}

int lines_wait_ms(const struct courier *c)
{
    int64_t left_ms = (c->line_due_ns - c->world->mono_ns(c->world) + NS_PER_MS - 1) / NS_PER_MS;
    return left_ms > WAIT_MAX_MS ? WAIT_MAX_MS : left_ms > 0 ? (int)left_ms : 0;
}

void lines_cancel(struct courier *c)
{
    while (c->busy != NULL)
        courier_fail(c, let_go(c, c->busy, false), ERR_CANCEL, "stopped");
}

void lines_close(struct courier *c)
{
    while (c->resting != NULL)
        line_free(c, c->resting);
    if (c->epoll >= 0)
        close(c->epoll);
}
