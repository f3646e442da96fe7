#include "tocsin/courier.h"

#include "tocsin/http_config.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server that keeps its connections: it answers request after request, in one or several pieces, and may leave without a word. */
enum { ANSWERS_MAX = 8, BYTES_MAX = 8 << 20 };

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

struct server {
    int listener, port;
    char url[64];
    const char *answers[ANSWERS_MAX]; /* of each request; NULL: the connection is closed without one */
    const char *late;                 /* the rest of each, after a while */
    bool closes;                      /* each connection after an answer, without having said so */
    atomic_int requests, connections;
    char *request; /* the last one */
    size_t used;
    pthread_t thread;
};

static size_t length_of(const struct server *s, const char *end)
{
    const char *length = strstr(s->request, "Content-Length: ");
    return length != NULL && length < end ? (size_t)atol(length + strlen("Content-Length: ")) : 0;
}

/* False: the connection has ended. */
static bool read_request(struct server *s, int fd)
{
    char bytes[4096]; /* the thread sanitizer takes it that recv writes before it has waited */
    s->used = 0;
    for (;;) {
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            return false;
        assert_true(s->used + (size_t)n < BYTES_MAX);
        memcpy(s->request + s->used, bytes, (size_t)n);
        s->used += (size_t)n;
        s->request[s->used] = '\0';
        const char *end = strstr(s->request, "\r\n\r\n");
        if (end != NULL && s->used >= (size_t)(end - s->request) + 4 + length_of(s, end))
            return true;
    }
}

/* Whoever has the answer may change the server: it is not looked at any more. */
static bool answer(struct server *s, int fd)
{
    const char *text = s->answers[atomic_fetch_add(&s->requests, 1)], *late = s->late;
    bool closes = s->closes;
    if (text == NULL || send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return false;
    if (late == NULL)
        return !closes;
    usleep(50000);
    return send(fd, late, strlen(late), MSG_NOSIGNAL) > 0;
}

static void *accept_all(void *context)
{
    struct server *s = context;
    int fd;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        atomic_fetch_add(&s->connections, 1);
        while (read_request(s, fd) && answer(s, fd)) {
        }
        close(fd);
    }
    return NULL;
}

static void server_open(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &size), 0);
    s->port = ntohs(address.sin_port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/hook?a=b", s->port);
    s->request = mem_new(BYTES_MAX, 1);
    assert_int_equal(pthread_create(&s->thread, NULL, accept_all, s), 0);
}

/* After the courier, whose connections end with it. */
static void server_close(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    mem_free(s->request);
}

struct note {
    pthread_mutex_t mutex;
    pthread_cond_t come;
    int calls, status;
    struct err error;
    int64_t retry_after_ms;
    char body[64];
};

static void note_answer(void *context, const struct net_answer *a)
{
    struct note *n = context;
    pthread_mutex_lock(&n->mutex);
    n->calls++;
    n->status = a->status;
    n->error = a->error;
    n->retry_after_ms = a->retry_after_ms;
    snprintf(n->body, sizeof n->body, "%.*s", STR_ARG(a->body));
    pthread_cond_signal(&n->come);
    pthread_mutex_unlock(&n->mutex);
}

static struct world world;
static struct courier *courier;
static struct note note;
static struct server server;

static int set_up(void **state)
{
    (void)state;
    world = *world_real();
    note = (struct note){0};
    pthread_mutex_init(&note.mutex, NULL);
    pthread_cond_init(&note.come, NULL);
    server = (struct server){0};
    server_open(&server);
    return courier_open(&world, "Tocsin/test", &courier, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    courier_close(courier, 0);
    server_close(&server);
    return 0;
}

static void post(struct net_request request)
{
    request.method = "POST";
    if (request.url == NULL)
        request.url = server.url;
    note.calls = 0;
    assert_int_equal(world.send(&world, &request, note_answer, &note), 0);
    pthread_mutex_lock(&note.mutex);
    while (note.calls == 0)
        pthread_cond_wait(&note.come, &note.mutex);
    pthread_mutex_unlock(&note.mutex);
    assert_int_equal(note.calls, 1);
}

static void expect(int status, int requests, int connections)
{
    assert_int_equal(note.status, status);
    assert_int_equal(atomic_load(&server.requests), requests);
    assert_int_equal(atomic_load(&server.connections), connections);
}

static void requests_follow_one_another_on_one_connection(void **state)
{
    (void)state;
    char wanted[256];
    struct http_config http;
    http_config_init(&http);
    http.auth_type = STR("Bearer");
    http.credentials.text = STR("s3cret");
    struct net_header type = {"Content-Type", "text/plain"}, empty = {"X-Empty", ""};
    server.answers[0] = server.answers[1] = server.answers[2] = OK_ANSWER;
    snprintf(wanted, sizeof wanted,
             "POST /hook?a=b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: Tocsin/test\r\nAccept: */*\r\n"
             "Content-Type: text/plain\r\nX-Empty:\r\nAuthorization: Bearer s3cret\r\nContent-Length: "
             "3\r\n\r\nabc",
             server.port);
    struct net_header headers[] = {type, empty};
    for (int i = 1; i <= 3; i++) {
        post((struct net_request){.http = &http, .headers = headers, .header_count = 2, .body = STR("abc")});
        expect(200, i, 1);
        assert_string_equal(note.body, "ok");
        assert_string_equal(server.request, wanted);
    }
}

static void a_url_without_a_path_asks_for_the_root(void **state)
{
    (void)state;
    char url[64];
    server.answers[0] = server.answers[1] = OK_ANSWER;
    snprintf(url, sizeof url, "http://127.0.0.1:%d?x", server.port);
    for (int i = 1; i <= 2; i++) {
        post((struct net_request){.url = url});
        expect(200, i, 1);
        assert_ptr_equal(strstr(server.request, "POST /?x HTTP/1.1\r\n"), server.request);
    }
}

static void a_connection_that_was_closed_while_it_rested_is_made_again(void **state)
{
    (void)state;
    server.closes = true;
    server.answers[0] = server.answers[1] = server.answers[2] = OK_ANSWER;
    for (int i = 1; i <= 3; i++) {
        post((struct net_request){.body = STR("abc")});
        expect(200, i, i);
    }
}

static void a_request_that_finds_its_connection_closed_goes_out_again(void **state)
{
    (void)state;
    server.answers[0] = server.answers[2] = OK_ANSWER; /* the second is read, and the connection closed */
    post((struct net_request){.body = STR("abc")});
    post((struct net_request){.body = STR("abc")});
    expect(200, 3, 2);
}

static void on_a_new_connection_no_answer_is_an_error(void **state)
{
    (void)state;
    post((struct net_request){.body = STR("abc")});
    expect(0, 1, 1);
    assert_int_equal(note.error.code, ERR_IO);
}

static void an_answer_that_breaks_off_is_an_error(void **state)
{
    (void)state;
    server.answers[0] = OK_ANSWER;
    server.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nok";
    post((struct net_request){.body = STR("abc")});
    server.closes = true;
    post((struct net_request){.body = STR("abc")});
    expect(0, 2, 1);
    assert_int_equal(note.error.code, ERR_IO);
}

static void a_body_larger_than_the_socket_takes_arrives_whole(void **state)
{
    (void)state;
    enum { BYTES = 6 << 20 };
    char *body = mem_new(BYTES, 1);
    for (size_t i = 0; i < BYTES; i++)
        body[i] = (char)('a' + i % 23);
    server.answers[0] = server.answers[1] = OK_ANSWER;
    for (int i = 1; i <= 2; i++) {
        post((struct net_request){.body = {body, BYTES}});
        expect(200, i, 1);
        assert_memory_equal(strstr(server.request, "\r\n\r\n") + 4, body, BYTES);
    }
    mem_free(body);
}

static void an_answer_may_come_in_pieces(void **state)
{
    (void)state;
    server.answers[0] = server.answers[1] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no";
    server.late = "k\r\n0\r\n\r\n";
    for (int i = 1; i <= 2; i++) {
        post((struct net_request){.body = STR("abc")});
        expect(200, i, 1);
        assert_string_equal(note.body, "ok");
    }
}

static void when_to_come_again_is_told_in_seconds_or_as_a_date(void **state)
{
    (void)state;
    server.answers[0] = "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    server.answers[1] =
        "HTTP/1.1 503 No\r\nRetry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n";
    server.answers[2] = "HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n";
    post((struct net_request){0});
    assert_int_equal(note.retry_after_ms, 7000);
    post((struct net_request){0});
    assert_true(note.retry_after_ms > 86400000);
    post((struct net_request){0});
    assert_int_equal(note.retry_after_ms, -1);
    expect(503, 3, 1);
}

static void a_silent_receiver_is_given_up_in_time(void **state)
{
    (void)state;
    server.answers[0] = OK_ANSWER;
    server.answers[1] = "HTTP/1.1 200 OK\r\n";
    post((struct net_request){0});
    post((struct net_request){.timeout_ms = 100});
    expect(0, 2, 1);
    assert_int_equal(note.error.code, ERR_TIMEOUT);
}

static void a_redirect_is_followed_with_the_same_request(void **state)
{
    (void)state;
    struct http_config http;
    http_config_init(&http);
    server.answers[0] = server.answers[1] =
        "HTTP/1.1 307 Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n";
    server.answers[2] = OK_ANSWER;
    server.closes = true;
    post((struct net_request){.http = &http, .body = STR("abc")});
    assert_int_equal(note.status, 200);
    assert_ptr_equal(strstr(server.request, "POST /there HTTP/1.1\r\n"), server.request);
    assert_non_null(strstr(server.request, "\r\n\r\nabc"));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(requests_follow_one_another_on_one_connection),
        FRESH(a_url_without_a_path_asks_for_the_root),
        FRESH(a_connection_that_was_closed_while_it_rested_is_made_again),
        FRESH(a_request_that_finds_its_connection_closed_goes_out_again),
        FRESH(on_a_new_connection_no_answer_is_an_error),
        FRESH(an_answer_that_breaks_off_is_an_error),
        FRESH(a_body_larger_than_the_socket_takes_arrives_whole),
        FRESH(an_answer_may_come_in_pieces),
        FRESH(when_to_come_again_is_told_in_seconds_or_as_a_date),
        FRESH(a_silent_receiver_is_given_up_in_time),
        FRESH(a_redirect_is_followed_with_the_same_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
