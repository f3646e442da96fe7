#include "../../engine/serve/client_priv.h"

#include "tocsin/limits.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"
#include "tocsin/serve.h"
#include "tocsin/stat.h"
#include "tocsin/store.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* How long a read waits before a test gives up; nothing here takes nearly as long. */
enum { PATIENCE_MS = 20000 };

struct fixture {
    struct serve *serve;
    struct limits before;
    struct world world;
    struct store *store;
    struct err reload_error;
    int reloads;
};

static int reload(void *context, struct err *err)
{
    struct fixture *f = context;
    f->reloads++;
    return f->reload_error.code != 0 ? err_set(err, f->reload_error.code, "%s", f->reload_error.text) : 0;
}

static void open_server(struct fixture *f)
{
    const struct serve_options options = {.listen = STR("127.0.0.1:0"), .lifecycle = true};
    const struct serve_parts parts = {.world = &f->world,
                                      .store = f->store,
                                      .reload = reload,
                                      .context = f,
                                      .version = "0.0-test",
                                      .started_ns = 1};
    struct err err;
    if (serve_open(&options, &parts, &f->serve, &err) != 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    struct fixture *f = MEM_NEW(struct fixture);
    f->before = limits;
    f->world = *world_real();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    serve_close(f->serve);
    if (f->store != NULL)
        store_close(f->store);
    limits = f->before;
    mem_free(f);
    return 0;
}

static int dial(struct fixture *f)
{
    if (f->serve == NULL)
        open_server(f);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)serve_port(f->serve)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, struct str bytes)
{
    (void)!send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
}

/* One read, appended. False at the end of the stream. */
static bool hear(int fd, struct buf *heard)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char piece[4096];
    if (poll(&ready, 1, PATIENCE_MS) != 1)
        fail_msg("the server neither answered nor closed; so far: %s", buf_text(heard));
    ssize_t n = recv(fd, piece, sizeof piece, 0);
    if (n <= 0)
        return false;
    buf_add(heard, piece, (size_t)n);
    return true;
}

static size_t occurrences(const struct buf *heard, const char *what)
{
    size_t count = 0;
    for (const char *p = buf_text(heard); (p = strstr(p, what)) != NULL; p += strlen(what))
        count++;
    return count;
}

/* Sends bytes on a connection of their own and hears until the server closes it. */
static void converse(struct fixture *f, struct str bytes, struct buf *heard)
{
    int fd = dial(f);
    buf_init(heard, 1 << 20);
    say(fd, bytes);
    while (hear(fd, heard))
        continue;
    close(fd);
}

static void expect(struct fixture *f, const char *bytes, const char *status, const char *also)
{
    struct buf heard;
    converse(f, str_of(bytes), &heard);
    if (strncmp(buf_text(&heard), status, strlen(status)) != 0)
        fail_msg("%.60s... was answered with: %s", bytes, buf_text(&heard));
    if (also != NULL && strstr(buf_text(&heard), also) == NULL)
        fail_msg("no \"%s\" in: %s", also, buf_text(&heard));
    buf_release(&heard);
}

#define CLOSE "Connection: close\r\n"
#define SECOND "GET /-/ready HTTP/1.1\r\nHost: second\r\n\r\n"
#define SECOND_ANSWERED "Tocsin is Ready."

static void requests_on_one_connection_are_answered_in_turn(void **state)
{
    struct fixture *f = *state;
    struct buf heard;
    converse(f,
             STR("GET /-/healthy HTTP/1.1\r\nHost: h\r\n\r\n"
                 "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                 "GET /nope HTTP/1.1\r\nHost: h\r\n\r\n"
                 "GET /-/ready HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n"),
             &heard);
    assert_int_equal(occurrences(&heard, "HTTP/1.1 200 "), 3);
    assert_int_equal(occurrences(&heard, "HTTP/1.1 404 "), 1);
    assert_int_equal(f->reloads, 1);
    buf_release(&heard);
}

static void answers_carry_the_headers_that_protect_browsers(void **state)
{
    static const char *const request = "GET /-/healthy HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n";
    expect(*state, request, "HTTP/1.1 200", "Content-Security-Policy: default-src 'none'");
    expect(*state, request, "HTTP/1.1 200", "X-Content-Type-Options: nosniff");
}

static void large_answers_are_compressed_for_who_asks(void **state)
{
    static const char *const gzip = "Content-Encoding: gzip";
    expect(*state, "GET /metrics HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n" CLOSE "\r\n",
           "HTTP/1.1 200", gzip);
    struct buf heard;
    converse(*state, STR("GET /metrics HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n"), &heard);
    assert_int_equal(occurrences(&heard, gzip), 0);
    assert_int_equal(occurrences(&heard, "Vary: Accept-Encoding"), 1);
    assert_int_equal(occurrences(&heard, "# TYPE process_open_fds gauge"), 1);
    buf_release(&heard);
}

static void unknown_paths_and_methods_are_told(void **state)
{
    struct fixture *f = *state;
    expect(f, "GET /api/v1/rules/test/test HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 404",
           "404 page not found");
    expect(f, "GET /api/v2/nope HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 404",
           "{\"code\":404,\"message\":\"path /api/v2/nope was not found\"}");
    expect(f, "DELETE /api/v1/query HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 405",
           "Allow: GET, POST");
    expect(f, "GET /-/reload HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 405", "Allow: POST, PUT");
    expect(f, "HEAD /-/healthy HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 200", NULL);
    expect(f, "BREW /-/healthy HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 501", NULL);
}

static void a_failed_reload_says_why(void **state)
{
    struct fixture *f = *state;
    err_set(&f->reload_error, ERR_PARSE, "line 3: nonsense");
    expect(f, "POST /-/reload HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 500",
           "failed to reload config: line 3: nonsense");
}

static void posts_from_other_sites_change_nothing(void **state)
{
    struct fixture *f = *state;
    expect(f, "POST /-/reload HTTP/1.1\r\nHost: h\r\nOrigin: http://evil\r\n\r\n", "HTTP/1.1 403", NULL);
    assert_int_equal(f->reloads, 0);
    expect(f, "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nOrigin: http://evil\r\nContent-Length: 3\r\n\r\n",
           "HTTP/1.1 403", NULL);
}

static void queries_from_other_sites_are_answered(void **state)
{
    struct fixture *f = *state;
    expect(f,
           "POST /api/v1/format_query HTTP/1.1\r\nHost: h\r\nOrigin: http://grafana\r\nContent-Type: "
           "application/x-www-form-urlencoded\r\nContent-Length: 11\r\n" CLOSE "\r\nquery=1%2B1",
           "HTTP/1.1 200", "Access-Control-Allow-Origin: *");
    expect(f, "OPTIONS /api/v1/query HTTP/1.1\r\nHost: h\r\nOrigin: http://grafana\r\n" CLOSE "\r\n",
           "HTTP/1.1 204", "Access-Control-Allow-Methods: GET, POST, OPTIONS");
}

static void oversized_bodies_are_refused_before_they_are_read(void **state)
{
    struct fixture *f = *state;
    expect(f, "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Length: 4194305\r\n\r\n", "HTTP/1.1 413",
           "close");
    expect(
        f,
        "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4194305\r\n\r\n",
        "HTTP/1.1 413", "close");
    expect(f, "POST /api/v1/query HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n",
           "HTTP/1.1 413", "close");
}

static void a_chunked_body_is_bounded_too(void **state)
{
    struct fixture *f = *state;
    limits.form_bytes = 8;
    expect(f,
           "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
           "8\r\nabcdefgh\r\n1\r\ni\r\n0\r\n\r\n" SECOND,
           "HTTP/1.1 413", "close");
    assert_int_equal(f->reloads, 0);
}

static void an_endless_chunked_body_is_cut_off(void **state)
{
    struct fixture *f = *state;
    limits.form_bytes = 8;
    struct buf heard;
    converse(f,
             STR("POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "14\r\nabcdefghijabcdefghij\r\n14\r\nabcdefghijabcdefghij\r\n"),
             &heard);
    assert_int_equal(heard.used, 0);
    assert_int_equal(f->reloads, 0);
    buf_release(&heard);
}

#define V2_TYPE "application/x-protobuf;proto=io.prometheus.write.v2.Request"

static void a_push_needs_a_length_and_known_types(void **state)
{
    struct fixture *f = *state;
    expect(f, "POST /api/v1/write HTTP/1.1\r\nHost: h\r\n\r\n" SECOND, "HTTP/1.1 411", "close");
    expect(f,
           "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
           "9\r\n\r\n",
           "HTTP/1.1 415", "close");
    expect(f, "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n",
           "HTTP/1.1 415", "close");
    expect(f,
           "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Type: "
           "application/x-protobuf;proto=io.prometheus.write.v3.Request\r\nContent-Length: 9\r\n\r\n",
           "HTTP/1.1 415", "close");
    expect(f,
           "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Type: " V2_TYPE
           "\r\nContent-Length: 9999999\r\n\r\n",
           "HTTP/1.1 413", "X-Prometheus-Remote-Write-Exemplars-Written: 0");
    expect(f,
           "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Type: " V2_TYPE
           "\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n",
           "HTTP/1.1 415", "X-Prometheus-Remote-Write-Samples-Written: 0");
}

static void bodies_beyond_the_budget_are_sent_away(void **state)
{
    struct fixture *f = *state;
    limits.in_flight_bytes = limits_pushes_bytes(&limits) + 100;
    expect(f, "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 503",
           "Retry-After: 1");
    expect(f,
           "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
           "65\r\n..........................................................................................."
           "..........\r\n"
           "0\r\n\r\n",
           "HTTP/1.1 503", "Retry-After: 1");
    assert_int_equal(f->reloads, 0);
    expect(f, "POST /-/reload HTTP/1.1\r\nHost: h\r\n" CLOSE "Content-Length: 3\r\n\r\nabc", "HTTP/1.1 200",
           NULL);
    assert_int_equal(f->reloads, 1);
}

/* Each of these is refused or answered, and the connection ends: whatever was glued to it is never served. */
static void no_smuggled_request_is_answered(void **state)
{
    static const char *const attacks[] = {
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
        "3\r\n\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\n" SECOND,
        "POST /api/v1/write HTTP/1.1\r\nHost: h\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\nabc" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 3abc\r\n\r\nabc" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3 "
        "\r\nabc\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "11111111111111111\r\nabc\r\n0\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n 5\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\n chunked\r\n\r\n" SECOND,
        "POST /-/reload HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.2\r\nHost: h\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n" SECOND,
        "GET http://h/-/healthy HTTP/1.1\r\nHost: h\r\n\r\n" SECOND,
        "GET /-/healthy%00 HTTP/1.1\r\nHost: h\r\n\r\n" SECOND,
        "GET /%2f..%2f-/healthy HTTP/1.1\r\nHost: h\r\n\r\n" SECOND,
        "GET /x/../-/healthy HTTP/1.1\r\nHost: h\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.1\r\nHost: h\r\nX-A: a\rb\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.1\r\n\r\n" SECOND,
        "GET /-/healthy HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n" SECOND,
    };
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        struct buf heard;
        converse(*state, str_of(attacks[i]), &heard);
        if (occurrences(&heard, SECOND_ANSWERED) > 0)
            fail_msg("what attack %zu smuggled was answered: %s", i, buf_text(&heard));
        buf_release(&heard);
    }
    assert_int_equal(((struct fixture *)*state)->reloads, 0);
}

/* The library takes such a line for the end of the headers and shows nothing of it, so only closing helps; that is
 * done where a proxy may be sending for several clients. */
static void what_the_library_hides_is_not_served_behind_a_proxy(void **state)
{
#define PROXIED "GET /-/healthy HTTP/1.1\r\nHost: h\r\nVia: 1.1 p\r\n"
    const struct str attacks[] = {
        STR(PROXIED ": x\r\n" SECOND "\r\n"),
        STR(PROXIED "\0: x\r\n" SECOND "\r\n"),
        STR(PROXIED "Content-Length: 0\r\n 5\r\n\r\n" SECOND),
        STR(PROXIED "\r\n" SECOND),
    };
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        struct buf heard;
        converse(*state, attacks[i], &heard);
        assert_int_equal(occurrences(&heard, SECOND_ANSWERED), 0);
        buf_release(&heard);
    }
}

static void too_many_or_too_long_headers_are_refused(void **state)
{
    struct buf request;
    buf_init(&request, 1 << 20);
    buf_puts(&request, "GET /-/healthy HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 200; i++)
        buf_puts(&request, "X-A: b\r\n");
    buf_puts(&request, "\r\n");
    expect(*state, buf_text(&request), "HTTP/1.1 431", NULL);
    buf_clear(&request);
    buf_puts(&request, "GET /-/healthy HTTP/1.1\r\nHost: h\r\nX-A: ");
    buf_repeat(&request, 'a', 40 << 10);
    buf_puts(&request, "\r\n\r\n");
    expect(*state, buf_text(&request), "HTTP/1.1 431", NULL);
    buf_release(&request);
}

/* Sends byte by byte, pausing; true if the server closes before all of them are out. */
static bool is_cut_off(int fd, const char *first, size_t bytes)
{
    say(fd, str_of(first));
    for (size_t i = 0; i < bytes; i++) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        say(fd, STR("a"));
        if (poll(&ready, 1, 20) == 1)
            return true;
    }
    return false;
}

static void a_drip_ends_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    limits.header_ms = 200;
    limits.body_ms = 200;
    int fd = dial(f);
    assert_true(is_cut_off(fd, "GET /-/healthy HTTP/1.1\r\nX-A: ", 500));
    close(fd);
    uint64_t hits = limit_hits(LIMIT_body_ms);
    fd = dial(f);
    assert_true(is_cut_off(fd, "POST /-/reload HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n", 500));
    close(fd);
    assert_int_equal(f->reloads, 0);
    assert_int_equal(limit_hits(LIMIT_body_ms), hits + 1);
}

/* A clock that stands until it is let go: every query that reads it stays under way. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int at_gate;

static int64_t gated_wall_ns(struct world *world)
{
    (void)world;
    atomic_fetch_add(&at_gate, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return world_real()->wall_ns(world_real());
}

static void open_gated_server(struct fixture *f)
{
    const struct store_options options = {.retention_ms = 1000};
    f->world = *world_real();
    f->world.wall_ns = gated_wall_ns;
    f->store = store_open(&options, world_real());
    open_server(f);
    atomic_store(&at_gate, 0);
    pthread_mutex_lock(&gate);
}

static int ask_slowly(struct fixture *f)
{
    int fd = dial(f);
    say(fd, STR("GET /api/v1/query?query=vector(1) HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n"));
    return fd;
}

static void expect_to_hear(int fd, const char *status)
{
    struct buf heard;
    buf_init(&heard, 1 << 16);
    while (hear(fd, &heard))
        continue;
    if (strncmp(buf_text(&heard), status, strlen(status)) != 0)
        fail_msg("not %s: %s", status, buf_text(&heard));
    buf_release(&heard);
    close(fd);
}

/* Under way, or waiting. */
static int queries_of(struct fixture *f)
{
    return atomic_load(&f->serve->service.queries);
}

/* More than limits.queries_concurrent. */
static void the_21st_query_at_once_was_sent_away(void **state)
{
    enum { ASKED = 30 };
    struct fixture *f = *state;
    open_gated_server(f);
    int asked[ASKED];
    for (size_t i = 0; i < ASKED; i++)
        asked[i] = ask_slowly(f);
    while (queries_of(f) < ASKED)
        f->world.pause(&f->world, 1);
    for (int i = 0; i < 8; i++) /* and they hold up nobody else */
        expect(f, "GET /-/healthy HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 200", NULL);
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < ASKED; i++)
        expect_to_hear(asked[i], "HTTP/1.1 200");
    assert_int_equal(queries_of(f), 0);
}

static void a_query_that_waits_too_long_is_told_so(void **state)
{
    static const char told[] =
        "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out in "
        "query queue\"}";
    static const char form[] = "POST /api/v1/query HTTP/1.1\r\nHost: h\r\nOrigin: http://grafana\r\n" CLOSE
                               "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 28\r\n\r\n"
                               "query=vector(1)&timeout=50ms";
    struct fixture *f = *state;
    open_gated_server(f);
    int running[WORKERS];
    for (size_t i = 0; i < WORKERS; i++)
        running[i] = ask_slowly(f);
    while (atomic_load(&at_gate) < WORKERS)
        f->world.pause(&f->world, 1);
    uint64_t hits = limit_hits(LIMIT_queries_concurrent);
    expect(f, "GET /api/v1/query?query=1&timeout=0.05 HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 503",
           told);
    expect(f, form, "HTTP/1.1 503", told);
    expect(f, form, "HTTP/1.1 503", "Access-Control-Allow-Origin: *");
    assert_int_equal(limit_hits(LIMIT_queries_concurrent), hits + 3);
    limits.query_timeout_ms = 50;
    expect(f, "GET /federate?match[]=up HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 503",
           "\r\n\r\nquery timed out in query queue\n");
    limits.query_timeout_ms = f->before.query_timeout_ms;
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < WORKERS; i++)
        expect_to_hear(running[i], "HTTP/1.1 200");
}

static void nobody_waits_for_a_client_that_hung_up(void **state)
{
    struct fixture *f = *state;
    limits.queries_concurrent = 1;
    open_gated_server(f);
    assert_int_equal(f->serve->workers.started, 1);
    int running = ask_slowly(f);
    while (atomic_load(&at_gate) == 0)
        f->world.pause(&f->world, 1);
    uint64_t hits = limit_hits(LIMIT_queries_concurrent);
    int leaves = ask_slowly(f), stays = ask_slowly(f);
    while (queries_of(f) < 3)
        f->world.pause(&f->world, 1);
    close(leaves);
    for (int waited_ms = 0; queries_of(f) > 2; waited_ms++) {
        assert_true(waited_ms < PATIENCE_MS);
        f->world.pause(&f->world, 1);
    }
    pthread_mutex_unlock(&gate);
    expect_to_hear(running, "HTTP/1.1 200");
    expect_to_hear(stays, "HTTP/1.1 200");
    assert_int_equal(limit_hits(LIMIT_queries_concurrent), hits);
}

static void *close_server(void *context)
{
    struct fixture *f = context;
    serve_close(f->serve);
    f->serve = NULL;
    return NULL;
}

static void a_query_under_way_is_answered_before_the_server_ends(void **state)
{
    struct fixture *f = *state;
    open_gated_server(f);
    int fd = ask_slowly(f);
    while (atomic_load(&at_gate) == 0)
        f->world.pause(&f->world, 1);
    pthread_t closing;
    assert_int_equal(pthread_create(&closing, NULL, close_server, f), 0);
    pthread_mutex_unlock(&gate);
    assert_int_equal(pthread_join(closing, NULL), 0);
    expect_to_hear(fd, "HTTP/1.1 200");
}

/* Of the connections whose queries are under way. */
static int count_gone(struct fixture *f)
{
    struct watch *watch = &f->serve->watch;
    int gone = 0;
    lock_take(&watch->lock);
    for (struct watched *w = watch->first; w != NULL; w = w->next)
        gone += atomic_load(&w->evaluating) && atomic_load(&w->gone);
    lock_drop(&watch->lock);
    return gone;
}

static void a_query_whose_client_hangs_up_is_given_up(void **state)
{
    struct fixture *f = *state;
    open_gated_server(f);
    int stays = ask_slowly(f), leaves = ask_slowly(f);
    while (atomic_load(&at_gate) < 2)
        f->world.pause(&f->world, 1);
    uint64_t begun = stat_get(STAT_queries), failed = stat_get(STAT_query_errors);
    close(leaves);
    for (int waited_ms = 0; count_gone(f) == 0; waited_ms++) {
        assert_true(waited_ms < PATIENCE_MS);
        f->world.pause(&f->world, 1);
    }
    assert_int_equal(count_gone(f), 1);
    pthread_mutex_unlock(&gate);
    expect_to_hear(stays, "HTTP/1.1 200");
    serve_close(f->serve);
    f->serve = NULL;
    assert_int_equal(stat_get(STAT_queries), begun + 2);
    assert_int_equal(stat_get(STAT_query_errors), failed + 1);
}

static void a_silent_connection_is_closed(void **state)
{
    limits.header_ms = 100;
    int fd = dial(*state);
    struct buf heard;
    buf_init(&heard, 1 << 16);
    assert_false(hear(fd, &heard));
    buf_release(&heard);
    close(fd);
}

static void one_address_gets_only_its_share_of_connections(void **state)
{
    struct fixture *f = *state;
    limits.connections_per_address = 2;
    int first = dial(f), second = dial(f);
    struct buf heard;
    buf_init(&heard, 1 << 16);
    say(first, STR(SECOND));
    say(second, STR(SECOND));
    assert_true(hear(first, &heard) && hear(second, &heard));
    int third = dial(f);
    say(third, STR(SECOND));
    buf_clear(&heard);
    assert_false(hear(third, &heard));
    buf_release(&heard);
    close(first);
    close(second);
    close(third);
}

static void requests_are_counted_by_handler_and_code(void **state)
{
    struct fixture *f = *state;
    expect(f, "GET /-/healthy HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 200", NULL);
    expect(f, "HEAD /-/healthy HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 200", NULL);
    expect(f, "DELETE /-/healthy HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 405", NULL);
    expect(f, "GET /a/stranger HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 404", NULL);
    expect(f, "GET /api/v1/label/job/values HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 404", NULL);
    expect(f, "POST /api/v1/write HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n", "HTTP/1.1 413",
           NULL);
    expect(f, "GET /api/v2/alerts HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n", "HTTP/1.1 404", NULL);
    expect(f, "POST /api/v2/alerts HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n" CLOSE "\r\n", "HTTP/1.1 415",
           NULL);
    struct buf heard;
    converse(f, STR("GET /metrics HTTP/1.1\r\nHost: h\r\n" CLOSE "\r\n"), &heard);
    static const char *const lines[] = {
        "\nprometheus_http_requests_total{code=\"200\",handler=\"/-/healthy\"} 2\n",
        "\nprometheus_http_requests_total{code=\"404\",handler=\"unknown\"} 1\n",
        "\nprometheus_http_requests_total{code=\"405\",handler=\"unknown\"} 1\n",
        "\nprometheus_http_requests_total{code=\"404\",handler=\"/api/v1/label/:name/values\"} 1\n",
        "\nprometheus_http_requests_total{code=\"413\",handler=\"/api/v1/write\"} 1\n",
        "\nprometheus_http_requests_total{code=\"404\",handler=\"/api/v2/alerts\"} 1\n",
        "\nprometheus_http_requests_total{code=\"415\",handler=\"/api/v2/alerts\"} 1\n",
        "\nprometheus_http_request_duration_seconds_bucket{handler=\"/-/healthy\",le=\"120\"} 2\n",
        "\nprometheus_http_request_duration_seconds_bucket{handler=\"/-/healthy\",le=\"+Inf\"} 2\n",
        "\nprometheus_http_request_duration_seconds_count{handler=\"/-/healthy\"} 2\n",
        "\ntocsin_http_connections ",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (occurrences(&heard, lines[i]) != 1)
            fail_msg("no %s in: %s", lines[i], buf_text(&heard));
    buf_release(&heard);
}

static void addresses_that_cannot_be_had_are_told(void **state)
{
    struct fixture *f = *state;
    open_server(f);
    static char taken[32];
    (void)snprintf(taken, sizeof taken, "127.0.0.1:%d", serve_port(f->serve));
    const char *const bad[] = {taken, "localhost", "127.0.0.1:http", "127.0.0.1:123456",
                               "no such host.invalid:0"};
    const struct serve_parts parts = {.world = world_real(), .version = "0.0-test"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct serve *other;
        struct err err;
        const struct serve_options options = {.listen = str_of(bad[i])};
        assert_true(serve_open(&options, &parts, &other, &err) < 0);
        assert_null(other);
        assert_true(strlen(err.text) > 0);
    }
}

int main(void)
{
    log_setup(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, -1);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(requests_on_one_connection_are_answered_in_turn),
        TEST(answers_carry_the_headers_that_protect_browsers),
        TEST(large_answers_are_compressed_for_who_asks),
        TEST(unknown_paths_and_methods_are_told),
        TEST(a_failed_reload_says_why),
        TEST(posts_from_other_sites_change_nothing),
        TEST(queries_from_other_sites_are_answered),
        TEST(oversized_bodies_are_refused_before_they_are_read),
        TEST(a_chunked_body_is_bounded_too),
        TEST(an_endless_chunked_body_is_cut_off),
        TEST(a_push_needs_a_length_and_known_types),
        TEST(bodies_beyond_the_budget_are_sent_away),
        TEST(no_smuggled_request_is_answered),
        TEST(what_the_library_hides_is_not_served_behind_a_proxy),
        TEST(too_many_or_too_long_headers_are_refused),
        TEST(a_drip_ends_at_the_deadline),
        TEST(the_21st_query_at_once_was_sent_away),
        TEST(a_query_that_waits_too_long_is_told_so),
        TEST(nobody_waits_for_a_client_that_hung_up),
        TEST(a_query_under_way_is_answered_before_the_server_ends),
        TEST(a_query_whose_client_hangs_up_is_given_up),
        TEST(a_silent_connection_is_closed),
        TEST(one_address_gets_only_its_share_of_connections),
        TEST(requests_are_counted_by_handler_and_code),
        TEST(addresses_that_cannot_be_had_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
