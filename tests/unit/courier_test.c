#include "tocsin/courier.h"

#include "tocsin/http_config.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A server with one habit: it reads a request up to its body and answers with a fixed text, or never stops, or never
 * begins. One connection at a time. */
enum habit { ANSWER, ENDLESS_BODY, ENDLESS_HEADERS, SILENT };

struct server {
    int listener;
    char url[64];
    enum habit habit;
    const char *answer, *then; /* then: from the second request on; NULL: the same */
    int requests;
    char request[8192]; /* the last one; complete once the answer has come */
    pthread_t thread;
};

/* Until the body that Content-Length announces is in. */
static void read_request(struct server *s, int fd)
{
    size_t used = 0;
    for (;;) {
        ssize_t n = recv(fd, s->request + used, sizeof s->request - 1 - used, 0);
        if (n <= 0)
            return;
        used += (size_t)n;
        s->request[used] = '\0';
        const char *end = strstr(s->request, "\r\n\r\n"), *length = strstr(s->request, "Content-Length: ");
        size_t body = length != NULL ? (size_t)atoi(length + strlen("Content-Length: ")) : 0;
        if (end != NULL && used >= (size_t)(end - s->request) + 4 + body)
            return;
    }
}

static bool send_text(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) > 0;
}

static void serve(struct server *s, int fd)
{
    char rest[256];
    read_request(s, fd);
    if (s->habit == ANSWER)
        send_text(fd, s->requests++ > 0 && s->then != NULL ? s->then : s->answer);
    if (s->habit == ENDLESS_BODY) {
        send_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
        while (send_text(fd, "0123456789012345678901234567890123456789012345678901234567890123456789")) {
        }
    }
    if (s->habit == ENDLESS_HEADERS) {
        send_text(fd, "HTTP/1.1 200 OK\r\n");
        while (send_text(
            fd, "X-More: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n")) {
        }
    }
    if (s->habit == SILENT)
        recv(fd, rest, sizeof rest, 0); /* until the client has had enough */
}

static void *accept_all(void *context)
{
    struct server *s = context;
    int fd;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        serve(s, fd);
        close(fd);
    }
    return NULL;
}

static int listen_anywhere(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void server_open(struct server *s, enum habit habit, const char *answer)
{
    int port;
    *s = (struct server){.habit = habit, .answer = answer};
    s->listener = listen_anywhere(&port);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/hook", port);
    assert_int_equal(pthread_create(&s->thread, NULL, accept_all, s), 0);
}

static void server_close(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

/* Where an answer is noted. */
struct note {
    pthread_mutex_t mutex;
    pthread_cond_t come;
    int calls;
    int status;
    struct err error;
    size_t body_bytes;
    char body[128];
    int64_t retry_after_ms;
    bool tells_written;
    uint64_t samples_written, histograms_written;
};

static void note_answer(void *context, const struct net_answer *answer)
{
    struct note *n = context;
    pthread_mutex_lock(&n->mutex);
    n->calls++;
    n->status = answer->status;
    n->error = answer->error;
    n->body_bytes = answer->body.n;
    n->retry_after_ms = answer->retry_after_ms;
    n->tells_written = answer->tells_written;
    n->samples_written = answer->samples_written;
    n->histograms_written = answer->histograms_written;
    snprintf(n->body, sizeof n->body, "%.*s", STR_ARG(answer->body));
    pthread_cond_signal(&n->come);
    pthread_mutex_unlock(&n->mutex);
}

static void note_open(struct note *n)
{
    *n = (struct note){0};
    pthread_mutex_init(&n->mutex, NULL);
    pthread_cond_init(&n->come, NULL);
}

static void note_wait(struct note *n)
{
    pthread_mutex_lock(&n->mutex);
    while (n->calls == 0)
        pthread_cond_wait(&n->come, &n->mutex);
    pthread_mutex_unlock(&n->mutex);
}

static struct world world;
static struct courier *courier;
static struct note note;

static int set_up(void **state)
{
    (void)state;
    world = *world_real();
    note_open(&note);
    return courier_open(&world, "Tocsin/test", &courier, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    courier_close(courier, 0);
    return 0;
}

static void post(const char *url, struct net_request request)
{
    static struct net_request kept;
    kept = request;
    kept.method = "POST";
    kept.url = url;
    kept.body = STR("{\"a\":1}\n");
    assert_int_equal(world.send(&world, &kept, note_answer, &note), 0);
    note_wait(&note);
    assert_int_equal(note.calls, 1);
}

static void a_request_goes_out_whole_and_its_answer_comes_back(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ANSWER, "HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy");
    struct net_header headers[] = {{"Content-Type", "application/json"}, {"Authorization", "Bearer t"}};
    post(s.url, (struct net_request){.headers = headers, .header_count = 2});
    assert_int_equal(note.status, 503);
    assert_string_equal(note.body, "busy");
    assert_int_equal(note.retry_after_ms, 7000);
    server_close(&s);
    assert_ptr_equal(strstr(s.request, "POST /hook HTTP/1.1\r\n"), s.request);
    assert_non_null(strstr(s.request, "User-Agent: Tocsin/test\r\n"));
    assert_non_null(strstr(s.request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(s.request, "Authorization: Bearer t\r\n"));
    assert_non_null(strstr(s.request, "Content-Length: 8\r\n"));
    assert_null(strstr(s.request, "Expect:"));
    assert_non_null(strstr(s.request, "\r\n\r\n{\"a\":1}\n"));
}

static void a_retry_after_beyond_all_reason_is_a_long_one(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ANSWER,
                "HTTP/1.1 503 No\r\nRetry-After: 9223372036854775807\r\nContent-Length: 0\r\n\r\n");
    post(s.url, (struct net_request){0});
    server_close(&s);
    assert_int_equal(note.retry_after_ms, INT32_MAX * INT64_C(1000));
}

static void what_a_receiver_has_written_is_told(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ANSWER,
                "HTTP/1.1 204 No\r\nx-prometheus-remote-write-samples-written: 17\r\n"
                "X-Prometheus-Remote-Write-Histograms-Written:4\r\nX-Prometheus-Remote-Write-Exemplars-"
                "Written: 9\r\n\r\n");
    post(s.url, (struct net_request){0});
    server_close(&s);
    assert_true(note.tells_written);
    assert_int_equal(note.samples_written, 17);
    assert_int_equal(note.histograms_written, 4);
    note.calls = 0;
    server_open(
        &s, ANSWER,
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Prometheus-Remote-Write-Samples-Written: -1\r\n\r\n");
    post(s.url, (struct net_request){0});
    server_close(&s);
    assert_false(note.tells_written);
}

static void a_redirect_is_an_answer_like_any_other(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ANSWER, "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    post(s.url, (struct net_request){0});
    assert_int_equal(note.status, 302);
    assert_int_equal(note.retry_after_ms, -1);
    server_close(&s);
}

/* ---- http_config ---- */

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static void credentials_and_headers_are_read_from_their_files_each_time(void **state)
{
    (void)state;
    struct server s;
    char folder[] = "/tmp/tocsin-courier-XXXXXX", password[64], token[64];
    assert_non_null(mkdtemp(folder));
    snprintf(password, sizeof password, "%s/password", folder);
    snprintf(token, sizeof token, "%s/token", folder);
    struct http_header header = {.name = STR("X-Token"),
                                 .values = {(struct str[]){STR("one"), STR("two")}, 2},
                                 .secrets = {(struct str[]){STR("three")}, 1},
                                 .files = {(struct str[]){str_of(token)}, 1}};
    struct http_config http = {.basic = true,
                               .username.text = STR("Aladdin"),
                               .password.file = str_of(password),
                               .headers = {&header, 1}};
    post("http://127.0.0.1:1/", (struct net_request){.http = &http});
    assert_int_equal(note.error.code, ERR_NOT_FOUND);
    assert_non_null(strstr(note.error.text, "unable to read basic auth password: open "));
    write_file(password, "open sesame\n");
    write_file(token, " four \n");
    note.calls = 0;
    server_open(&s, ANSWER, fine);
    post(s.url, (struct net_request){.http = &http});
    assert_int_equal(note.status, 200);
    assert_non_null(strstr(s.request, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    assert_non_null(
        strstr(s.request, "\r\nX-Token: one\r\nX-Token: two\r\nX-Token: three\r\nX-Token: four\r\n"));
    write_file(password, "changed");
    note.calls = 0;
    post(s.url, (struct net_request){.http = &http});
    assert_non_null(strstr(s.request, "\r\nAuthorization: Basic QWxhZGRpbjpjaGFuZ2Vk\r\n"));
    server_close(&s);
    remove(password);
    remove(token);
    remove(folder);
}

static void a_certificate_that_is_just_being_written_is_waited_for(void **state)
{
    (void)state;
    struct server s;
    char path[] = "/tmp/tocsin-courier-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct http_config http = {.tls.cert.file = str_of(path), .tls.key.file = str_of(path)};
    server_open(&s, ANSWER, fine);
    post(s.url, (struct net_request){.http = &http});
    server_close(&s);
    remove(path);
    assert_int_equal(note.status, 0);
    assert_string_equal(note.error.text, "unable to read specified client cert: the file is empty");
    assert_int_equal(s.requests, 0);
}

static void credentials_with_a_line_break_are_refused(void **state)
{
    (void)state;
    struct http_config http = {.auth_type = STR("Bearer"), .credentials.text = STR("a\r\nX-B: c")};
    post("http://127.0.0.1:1/", (struct net_request){.http = &http});
    assert_int_equal(note.error.code, ERR_ARG);
    assert_string_equal(note.error.text, "the header Authorization is not sound");
}

static void a_proxy_is_asked_for_what_it_is_not_spared(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ANSWER, fine);
    struct http_config http = {.proxy = {.url = str_of(s.url), .no_proxy = STR("spared.invalid")}};
    post("http://somewhere.invalid/x", (struct net_request){.http = &http});
    assert_int_equal(note.status, 200);
    assert_ptr_equal(strstr(s.request, "POST http://somewhere.invalid/x HTTP/1.1\r\n"), s.request);
    note.calls = 0;
    post("http://spared.invalid/x", (struct net_request){.http = &http});
    assert_int_equal(note.status, 0); /* there is no such host, and nobody else was asked */
    server_close(&s);
}

static void a_tunnel_is_asked_for_with_its_own_headers(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ANSWER, "HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    struct http_header header = {.name = STR("X-Way"), .secrets = {(struct str[]){STR("through")}, 1}};
    struct http_config http = {.auth_type = STR("Bearer"),
                               .credentials.text = STR("mine"),
                               .proxy = {.url = str_of(s.url), .connect_headers = {&header, 1}}};
    post("https://somewhere.invalid/x", (struct net_request){.http = &http});
    assert_int_equal(note.status, 0);
    server_close(&s);
    assert_ptr_equal(strstr(s.request, "CONNECT somewhere.invalid:443 HTTP/1.1\r\n"), s.request);
    assert_non_null(strstr(s.request, "\r\nX-Way: through\r\n"));
    assert_null(strstr(s.request, "mine"));
}

static void a_redirect_is_followed_on_the_same_host_only(void **state)
{
    (void)state;
    struct server first, second;
    char moved[256], elsewhere[256];
    struct http_config http = {
        .follow_redirects = true, .auth_type = STR("Bearer"), .credentials.text = STR("t")};
    server_open(&second, ANSWER, fine);
    snprintf(moved, sizeof moved,
             "HTTP/1.1 307 Go\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", second.url);
    server_open(&first, ANSWER, moved);
    post(first.url, (struct net_request){.http = &http});
    assert_int_equal(note.status, 200);
    assert_ptr_equal(strstr(second.request, "POST /hook HTTP/1.1\r\n"), second.request);
    assert_non_null(strstr(second.request, "\r\n\r\n{\"a\":1}\n"));
    assert_non_null(strstr(second.request, "Authorization: Bearer t\r\n"));

    note.calls = 0;
    http.follow_redirects = false;
    post(first.url, (struct net_request){.http = &http});
    assert_int_equal(note.status, 307);
    http.follow_redirects = true;

    snprintf(elsewhere, sizeof elsewhere,
             "HTTP/1.1 307 Go\r\nLocation: http://localhost%s\r\nContent-Length: 0\r\n"
             "Connection: close\r\n\r\n",
             strrchr(second.url, ':'));
    first.answer = elsewhere;
    second.request[0] = '\0';
    note.calls = 0;
    post(first.url, (struct net_request){.http = &http});
    assert_int_equal(note.status, 307);
    first.answer = "HTTP/1.1 302 Go\r\nLocation: /other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    note.calls = 0;
    post(first.url, (struct net_request){.http = &http});
    assert_int_equal(note.status, 302); /* it would have become a GET */
    server_close(&first);
    server_close(&second);
    assert_string_equal(second.request, "");
}

static void what_a_redirect_says_is_written_is_not(void **state)
{
    (void)state;
    struct server s;
    struct http_config http = {.follow_redirects = true};
    server_open(&s, ANSWER,
                "HTTP/1.1 307 Go\r\nLocation: /there\r\nX-Prometheus-Remote-Write-Samples-Written: 9\r\n"
                "Content-Length: 0\r\nConnection: close\r\n\r\n");
    s.then = fine;
    post(s.url, (struct net_request){.http = &http});
    server_close(&s);
    assert_int_equal(note.status, 200);
    assert_false(note.tells_written);
}

static void redirects_in_a_circle_end(void **state)
{
    (void)state;
    struct server s;
    struct http_config http = {.follow_redirects = true};
    server_open(&s, ANSWER,
                "HTTP/1.1 308 Go\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    post(s.url, (struct net_request){.http = &http});
    assert_int_equal(note.status, 308);
    server_close(&s);
    assert_ptr_equal(strstr(s.request, "POST /again HTTP/1.1\r\n"), s.request);
}

#define CLOSES "Connection: close\r\n\r\n"

static const char token_answer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n" CLOSES
    "{\"access_token\":\"tok\",\"token_type\":\"bearer\",\"expires_in\":3600}     ";

static void a_token_is_fetched_once_and_used_until_it_is_refused(void **state)
{
    (void)state;
    struct server issuer, target;
    server_open(&issuer, ANSWER, token_answer);
    server_open(&target, ANSWER, fine);
    struct http_oauth2 oauth2 = {.client_id = STR("my id"),
                                 .secret.text = STR("s:c"),
                                 .token_url = str_of(issuer.url),
                                 .scopes = {(struct str[]){STR("a"), STR("b")}, 2},
                                 .params = &(struct label){STR("aud"), STR("x&y")},
                                 .param_count = 1};
    struct http_config http = {.oauth2 = &oauth2};
    for (int i = 0; i < 2; i++) {
        note.calls = 0;
        target.request[0] = '\0';
        post(target.url, (struct net_request){.http = &http});
        assert_int_equal(note.status, 200);
        assert_non_null(strstr(target.request, "\r\nAuthorization: Bearer tok\r\n"));
    }
    assert_int_equal(issuer.requests, 1);
    assert_non_null(
        strstr(issuer.request, "\r\nAuthorization: Basic bXkraWQ6cyUzQWM=\r\n")); /* my+id:s%3Ac */
    assert_non_null(strstr(issuer.request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(issuer.request, "\r\n\r\ngrant_type=client_credentials&scope=a+b&aud=x%26y"));
    target.then = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n" CLOSES;
    for (int i = 0; i < 2; i++) {
        note.calls = 0;
        post(target.url, (struct net_request){.http = &http});
        assert_int_equal(note.status, 401);
    }
    assert_int_equal(issuer.requests, 2);
    server_close(&target);
    server_close(&issuer);
}

static void an_issuer_that_wants_the_secret_in_the_body_gets_it_there(void **state)
{
    (void)state;
    struct server issuer, target;
    server_open(&issuer, ANSWER, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n" CLOSES);
    issuer.then = token_answer;
    server_open(&target, ANSWER, fine);
    struct http_oauth2 oauth2 = {
        .client_id = STR("id"), .secret.text = STR("s"), .token_url = str_of(issuer.url)};
    struct http_config http = {.oauth2 = &oauth2};
    post(target.url, (struct net_request){.http = &http});
    assert_int_equal(note.status, 200);
    assert_non_null(
        strstr(issuer.request, "\r\n\r\ngrant_type=client_credentials&client_id=id&client_secret=s"));
    assert_null(strstr(issuer.request, "Authorization"));
    server_close(&target);
    server_close(&issuer);
}

static void without_a_token_nothing_is_sent(void **state)
{
    (void)state;
    struct server issuer, target;
    server_open(&issuer, ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" CLOSES "{}");
    server_open(&target, ANSWER, fine);
    struct http_oauth2 oauth2 = {
        .client_id = STR("id"), .secret.text = STR("s"), .token_url = str_of(issuer.url)};
    struct http_config http = {.oauth2 = &oauth2};
    post(target.url, (struct net_request){.http = &http});
    assert_int_equal(note.error.code, ERR_AUTH);
    assert_string_equal(note.error.text, "oauth2: cannot fetch token: 200");
    oauth2.secret = (struct http_secret){.file = STR("/none/such")};
    note.calls = 0;
    post(target.url, (struct net_request){.http = &http});
    assert_int_equal(note.error.code, ERR_NOT_FOUND);
    assert_non_null(strstr(note.error.text, "unable to read oauth2 client secret: "));
    server_close(&target);
    server_close(&issuer);
    assert_int_equal(target.requests, 0);
    assert_int_equal(courier_pending(courier), 0);
}

static void an_endless_body_is_cut_and_still_an_answer(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ENDLESS_BODY, NULL);
    post(s.url, (struct net_request){0});
    assert_int_equal(note.status, 200);
    assert_int_equal(note.body_bytes, limits.answer_bytes);
    server_close(&s);
}

static void endless_headers_are_an_error(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ENDLESS_HEADERS, NULL);
    post(s.url, (struct net_request){0});
    assert_int_equal(note.status, 0);
    assert_int_equal(note.error.code, ERR_IO);
    server_close(&s);
}

static void a_silent_server_runs_into_the_deadline(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, SILENT, NULL);
    post(s.url, (struct net_request){.timeout_ms = 50});
    assert_int_equal(note.status, 0);
    assert_int_equal(note.error.code, ERR_TIMEOUT);
    server_close(&s);
}

static void a_refused_connection_is_an_error_without_the_address(void **state)
{
    (void)state;
    int port;
    char url[64];
    close(listen_anywhere(&port));
    snprintf(url, sizeof url, "http://127.0.0.1:%d/secret", port);
    post(url, (struct net_request){.secret_url = true});
    assert_int_equal(note.status, 0);
    assert_int_equal(note.error.code, ERR_IO);
    assert_null(strstr(note.error.text, "127.0.0.1"));
    assert_null(strstr(note.error.text, "secret"));
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"};
    for (size_t i = 0; i < 3; i++) {
        note.calls = 0;
        post(urls[i], (struct net_request){0});
        assert_int_equal(note.status, 0);
        assert_int_equal(note.body_bytes, 0);
        assert_int_equal(note.error.code, ERR_IO);
    }
}

static void a_header_that_would_be_two_is_refused(void **state)
{
    (void)state;
    static const struct net_header bad[] = {{"X-A", "1\r\nX-B: 2"},
                                            {"X-A", "1\nX-B: 2"},
                                            {"X-A\r\nX-B", "1"},
                                            {"X A", "1"},
                                            {"", "1"},
                                            {"X:A", "1"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        note.calls = 0;
        post("http://127.0.0.1:1/", (struct net_request){.headers = &bad[i], .header_count = 1});
        assert_int_equal(note.error.code, ERR_ARG);
    }
}

static void what_is_under_way_at_the_end_is_answered_as_stopped(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, SILENT, NULL);
    struct net_request request = {.method = "POST", .url = s.url, .timeout_ms = 60000};
    assert_int_equal(world.send(&world, &request, note_answer, &note), 0);
    courier_close(courier, 0);
    assert_int_equal(note.calls, 1);
    assert_int_equal(note.error.code, ERR_CANCEL);
    assert_null(world.send);
    server_close(&s);
    assert_int_equal(courier_open(&world, "Tocsin/test", &courier, NULL), 0);
}

static void grace_lets_running_requests_finish(void **state)
{
    (void)state;
    struct server s;
    server_open(&s, ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct net_request request = {.method = "POST", .url = s.url};
    assert_int_equal(world.send(&world, &request, note_answer, &note), 0);
    courier_close(courier, 30000);
    assert_int_equal(note.calls, 1);
    assert_int_equal(note.status, 200);
    server_close(&s);
    assert_int_equal(courier_open(&world, "Tocsin/test", &courier, NULL), 0);
}

static void more_requests_than_the_limit_are_refused_at_once(void **state)
{
    (void)state;
    int64_t before = limits.page_queue;
    limits.page_queue = 0;
    struct net_request request = {.method = "POST", .url = "http://127.0.0.1:1/"};
    assert_int_equal(world.send(&world, &request, note_answer, &note), ERR_FULL);
    limits.page_queue = before;
    assert_int_equal(note.calls, 0);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(a_request_goes_out_whole_and_its_answer_comes_back),
        FRESH(a_retry_after_beyond_all_reason_is_a_long_one),
        FRESH(what_a_receiver_has_written_is_told),
        FRESH(a_redirect_is_an_answer_like_any_other),
        FRESH(credentials_and_headers_are_read_from_their_files_each_time),
        FRESH(a_certificate_that_is_just_being_written_is_waited_for),
        FRESH(credentials_with_a_line_break_are_refused),
        FRESH(a_proxy_is_asked_for_what_it_is_not_spared),
        FRESH(a_tunnel_is_asked_for_with_its_own_headers),
        FRESH(a_redirect_is_followed_on_the_same_host_only),
        FRESH(what_a_redirect_says_is_written_is_not),
        FRESH(redirects_in_a_circle_end),
        FRESH(a_token_is_fetched_once_and_used_until_it_is_refused),
        FRESH(an_issuer_that_wants_the_secret_in_the_body_gets_it_there),
        FRESH(without_a_token_nothing_is_sent),
        FRESH(an_endless_body_is_cut_and_still_an_answer),
        FRESH(endless_headers_are_an_error),
        FRESH(a_silent_server_runs_into_the_deadline),
        FRESH(a_refused_connection_is_an_error_without_the_address),
        FRESH(other_schemes_are_refused),
        FRESH(a_header_that_would_be_two_is_refused),
        FRESH(what_is_under_way_at_the_end_is_answered_as_stopped),
        FRESH(grace_lets_running_requests_finish),
        FRESH(more_requests_than_the_limit_are_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
