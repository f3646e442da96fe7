#include "tocsin/courier.h"

#include "tocsin/http_config.h"
#include "tocsin/limits.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A mail server that reads from a list: "> TEXT" is said, "< TEXT" is what the next line must begin with, "< DATA..." reads up to the lone
 * dot, "!" says nothing for ever. Each connection begins a part of the list, ended by NULL. What is heard is kept. */
struct server {
    int listener, port;
    const char *const *script;
    char heard[8192];
    size_t used;
    bool broken; /* something else was heard */
    pthread_t thread;
};

static bool hear_line(struct server *s, int fd, char *line, size_t room)
{
    size_t n = 0;
    while (n + 1 < room && recv(fd, line + n, 1, 0) == 1) {
        if (line[n++] == '\n')
            break;
    }
    line[n] = '\0';
    int added = snprintf(s->heard + s->used, sizeof s->heard - s->used, "%s", line);
    s->used += (size_t)added;
    assert_true(s->used < sizeof s->heard);
    return n > 0;
}

static void say(int fd, const char *text)
{
    send(fd, text, strlen(text), MSG_NOSIGNAL);
    send(fd, "\r\n", 2, MSG_NOSIGNAL);
}

static void talk(struct server *s, int fd)
{
    char line[1024];
    for (; *s->script != NULL; s->script++) {
        const char *step = *s->script;
        if (*step == '>') {
            say(fd, step + 2);
        } else if (*step == '!') {
            while (recv(fd, line, sizeof line, 0) > 0) {
            }
        } else if (strcmp(step, "< DATA...") == 0) {
            while (hear_line(s, fd, line, sizeof line) && strcmp(line, ".\r\n") != 0) {
            }
        } else if (!hear_line(s, fd, line, sizeof line) || strncmp(line, step + 2, strlen(step + 2)) != 0) {
            s->broken = true;
        }
    }
    s->script++;
}

static void *accept_all(void *context)
{
    struct server *s = context;
    int fd;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        if (*s->script == NULL)
            s->broken = true;
        else
            talk(s, fd);
        close(fd);
    }
    return NULL;
}

static void server_open(struct server *s, const char *const *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *s = (struct server){.script = script, .listener = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &size), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, accept_all, s), 0);
}

static void server_close(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

struct note {
    pthread_mutex_t mutex;
    pthread_cond_t come;
    int calls, status;
    struct err error;
    char body[256];
};

static void note_answer(void *context, const struct net_answer *answer)
{
    struct note *n = context;
    pthread_mutex_lock(&n->mutex);
    n->calls++;
    n->status = answer->status;
    n->error = answer->error;
    snprintf(n->body, sizeof n->body, "%.*s", STR_ARG(answer->body));
    pthread_cond_signal(&n->come);
    pthread_mutex_unlock(&n->mutex);
}

static void note_wait(struct note *n, int calls)
{
    pthread_mutex_lock(&n->mutex);
    while (n->calls < calls)
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
    note = (struct note){0};
    pthread_mutex_init(&note.mutex, NULL);
    pthread_cond_init(&note.come, NULL);
    return courier_open(&world, "Tocsin/test", &courier, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    courier_close(courier, 0);
    return 0;
}

static const char *const two[] = {"a@example.org", "b@example.org"};

static struct net_mail mail_to(size_t count)
{
    return (struct net_mail){.from = "me@example.org", .to = two, .to_count = count};
}

/* Sends through a server that talks so, and waits for the answer. */
static void send_mail(struct server *s, const char *const *script, const struct net_mail *mail,
                      struct str body)
{
    char url[64];
    server_open(s, script);
    snprintf(url, sizeof url, "smtp://127.0.0.1:%d/my.host", s->port);
    struct net_request request = {.url = url, .body = body, .mail = mail, .timeout_ms = 20000};
    assert_int_equal(world.send(&world, &request, note_answer, &note), 0);
    note_wait(&note, 1);
    server_close(s);
    assert_int_equal(note.calls, 1);
}

#define HELLO "> 220 here", "< EHLO my.host", "> 250-here", "> 250 HELP"
#define FROM "< MAIL FROM:<me@example.org>", "> 250 ok"
#define BYE "< QUIT", "> 221 bye", NULL

static void a_mail_goes_out_whole(void **state)
{
    (void)state;
    static const char *const script[] = {HELLO,
                                         FROM,
                                         "< RCPT TO:<a@example.org>",
                                         "> 250 ok",
                                         "< RCPT TO:<b@example.org>",
                                         "> 250 ok",
                                         "< DATA",
                                         "> 354 go",
                                         "< DATA...",
                                         "> 250 2.0.0 taken",
                                         BYE,
                                         NULL};
    struct server s;
    struct net_mail mail = mail_to(2);
    send_mail(&s, script, &mail, STR("Subject: x\r\n\r\n.dot\r\n.\r\nQUIT\r\nend\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 250);
    assert_string_equal(note.body, "250 2.0.0 taken");
    const char *message = strstr(s.heard, "DATA\r\n");
    assert_non_null(message);
    assert_string_equal(message, "DATA\r\nSubject: x\r\n\r\n..dot\r\n..\r\nQUIT\r\nend\r\n.\r\nQUIT\r\n");
}

static void one_refused_recipient_ends_all_with_the_servers_words(void **state)
{
    (void)state;
    static const char *const script[] = {HELLO,
                                         FROM,
                                         "< RCPT TO:<a@example.org>",
                                         "> 250 ok",
                                         "< RCPT TO:<b@example.org>",
                                         "> 550-5.1.1 nobody",
                                         "> 550 5.1.1 at all",
                                         BYE,
                                         NULL};
    struct server s;
    struct net_mail mail = mail_to(2);
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 550);
    assert_string_equal(note.body, "550-5.1.1 nobody 550 5.1.1 at all");
}

static void a_server_in_trouble_is_told_apart(void **state)
{
    (void)state;
    static const char *const script[] = {HELLO,      FROM,        "< RCPT TO:", "> 250 ok", "< DATA",
                                         "> 354 go", "< DATA...", "> 452 full", BYE,        NULL};
    struct server s;
    struct net_mail mail = mail_to(1);
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 452);
}

static void a_server_that_ends_in_the_middle_is_no_answer(void **state)
{
    (void)state;
    static const char *const script[] = {HELLO, FROM, NULL, NULL};
    struct server s;
    struct net_mail mail = mail_to(1);
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_int_equal(note.status, 0);
    assert_int_equal(note.error.code, ERR_IO);
}

static void who_has_taken_a_mail_need_not_say_goodbye(void **state)
{
    (void)state;
    static const char *const script[] = {HELLO,    FROM,       "< RCPT TO:", "> 250 ok",
                                         "< DATA", "> 354 go", "< DATA...",  "> 250 ok",
                                         "!",      NULL,       NULL};
    struct server s;
    struct net_mail mail = mail_to(1);
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_int_equal(note.status, 250);
}

static void an_old_server_is_greeted_in_the_old_way(void **state)
{
    (void)state;
    static const char *const script[] = {
        "> 220 here", "< EHLO", "> 502 what", "< HELO my.host", "> 250 here", FROM, "< RCPT",
        "> 250 ok",   "< DATA", "> 354 go",   "< DATA...",      "> 250 ok",   BYE,  NULL};
    struct server s;
    struct net_mail mail = mail_to(1);
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 250);
}

static void nothing_is_told_to_a_server_without_the_tls_that_is_asked_for(void **state)
{
    (void)state;
    static const char *const script[] = {HELLO, BYE, NULL};
    struct server s;
    struct net_mail mail = mail_to(1);
    mail.starttls = true;
    mail.user = "u";
    mail.password = "p";
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_int_equal(note.status, 0);
    assert_int_equal(note.error.code, ERR_IO);
    assert_null(strstr(s.heard, "MAIL"));
    assert_null(strstr(s.heard, "AUTH"));
}

/* ---- who one is ---- */

#define TAKEN FROM, "< RCPT", "> 250 ok", "< DATA", "> 354 go", "< DATA...", "> 250 ok", BYE

static struct net_mail mail_of(const char *password, const char *secret)
{
    struct net_mail mail = mail_to(1);
    mail.user = "ops";
    mail.password = password;
    mail.secret = secret;
    mail.plain = true;
    return mail;
}

static void a_server_that_offers_no_login_gets_none(void **state)
{
    (void)state;
    static const char *const script[] = {HELLO, TAKEN, NULL};
    struct server s;
    struct net_mail mail = mail_of("pw", "key");
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 250);
}

#define OFFERS(ways) "> 220 here", "< EHLO", "> 250-here", "> 250 AUTH " ways

static void plain_carries_an_identity(void **state)
{
    (void)state;
    static const char *const script[] = {OFFERS("LOGIN PLAIN CRAM-MD5"),
                                         "< AUTH PLAIN",
                                         "> 334 ",
                                         "< aWQAb3BzAHB3\r\n", /* id NUL ops NUL pw */
                                         "> 235 in",
                                         TAKEN,
                                         NULL};
    struct server s;
    struct net_mail mail = mail_of("pw", NULL);
    mail.identity = "id";
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 250);
}

static void where_plain_may_not_be_used_login_is(void **state)
{
    (void)state;
    static const char *const script[] = {OFFERS("PLAIN LOGIN"),
                                         "< AUTH LOGIN",
                                         "> 334 VXNlcm5hbWU6",
                                         "< b3Bz\r\n",
                                         "> 334 UGFzc3dvcmQ6",
                                         "< cHc=\r\n",
                                         "> 235 in",
                                         TAKEN,
                                         NULL};
    struct server s;
    struct net_mail mail = mail_of("pw", NULL);
    mail.plain = false;
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 250);
}

/* RFC 2195's example: tim, tanstaaftanstaaf. */
static void a_secret_never_travels(void **state)
{
    (void)state;
    static const char *const script[] = {OFFERS("PLAIN CRAM-MD5"),
                                         "< AUTH CRAM-MD5",
                                         "> 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+",
                                         "< dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n",
                                         "> 235 in",
                                         TAKEN,
                                         NULL};
    struct server s;
    struct net_mail mail = mail_of("pw", "tanstaaftanstaaf");
    mail.user = "tim";
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 250);
}

static void a_server_that_wants_the_password_gets_it_where_there_is_one(void **state)
{
    (void)state;
    static const char *const script[] = {
        OFFERS("PLAIN"), "!",   NULL, OFFERS("PLAIN"), "< AUTH PLAIN", "> 334 ", "< AG9wcwBwdw==\r\n",
        "> 235 in",      TAKEN, NULL};
    struct server s;
    struct net_mail mail = mail_of("pw", "key");
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 250);
}

static void no_way_to_log_in_is_an_error(void **state)
{
    (void)state;
    static const char *const script[] = {OFFERS("XYZ"), "!", NULL, NULL};
    struct server s;
    struct net_mail mail = mail_of("pw", NULL);
    send_mail(&s, script, &mail, STR("x\r\n"));
    assert_false(s.broken);
    assert_int_equal(note.status, 0);
    assert_int_equal(note.error.code, ERR_AUTH);
    assert_null(strstr(s.heard, "MAIL"));
}

/* ---- who else waits ---- */

static void a_web_hook_does_not_wait_for_a_mail_server(void **state)
{
    (void)state;
    static const char *const silent[] = {"!", NULL, NULL};
    static const char *const http[] = {"> HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n", "!",
                                       NULL, NULL};
    struct server mails, hooks;
    char mail_url[64], hook_url[64];
    struct note mail_note = note;
    struct net_mail mail = mail_to(1);
    server_open(&mails, silent);
    server_open(&hooks, http);
    pthread_mutex_init(&mail_note.mutex, NULL);
    pthread_cond_init(&mail_note.come, NULL);
    snprintf(mail_url, sizeof mail_url, "smtp://127.0.0.1:%d/h", mails.port);
    snprintf(hook_url, sizeof hook_url, "http://127.0.0.1:%d/", hooks.port);
    struct net_request a = {.url = mail_url, .body = STR("x\r\n"), .mail = &mail, .timeout_ms = 600000};
    struct net_request b = {.method = "POST", .url = hook_url, .body = STR("{}")};
    assert_int_equal(world.send(&world, &a, note_answer, &mail_note), 0);
    assert_int_equal(world.send(&world, &b, note_answer, &note), 0);
    note_wait(&note, 1);
    assert_int_equal(note.status, 200);
    assert_int_equal(mail_note.calls, 0);
    courier_close(courier, 0); /* does not wait for it either */
    assert_int_equal(mail_note.calls, 1);
    assert_int_equal(mail_note.error.code, ERR_CANCEL);
    assert_int_equal(courier_open(&world, "Tocsin/test", &courier, NULL), 0);
    server_close(&mails);
    server_close(&hooks);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_mail_goes_out_whole),
        TEST(one_refused_recipient_ends_all_with_the_servers_words),
        TEST(a_server_in_trouble_is_told_apart),
        TEST(a_server_that_ends_in_the_middle_is_no_answer),
        TEST(who_has_taken_a_mail_need_not_say_goodbye),
        TEST(an_old_server_is_greeted_in_the_old_way),
        TEST(nothing_is_told_to_a_server_without_the_tls_that_is_asked_for),
        TEST(a_server_that_offers_no_login_gets_none),
        TEST(plain_carries_an_identity),
        TEST(where_plain_may_not_be_used_login_is),
        TEST(a_secret_never_travels),
        TEST(a_server_that_wants_the_password_gets_it_where_there_is_one),
        TEST(no_way_to_log_in_is_an_error),
        TEST(a_web_hook_does_not_wait_for_a_mail_server),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
