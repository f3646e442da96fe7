#include "tocsin/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>

#include "../../engine/base/world_priv.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A message with one question and so many answers. Names end in a pointer to the question's. */
#define HEAD(answers) "\x12\x34\x81\x80\0\1\0" answers "\0\0\0\0"
#define QUESTION(type) "\3_am\4_tcp\7example\3com\0\0" type "\0\1"
#define TO_EXAMPLE "\xc0\x15" /* example.com in the question */
#define RECORD(type, bytes) "\xc0\x0c\0" type "\0\1\0\0\0\x3c\0" bytes

static const char srv[] =
    HEAD("\3") QUESTION("\x21") RECORD("\x21", "\x0a") "\0\1\0\2\x23\x85\1a" TO_EXAMPLE RECORD("\5", "\2")
        TO_EXAMPLE RECORD("\x21", "\x0f") "\0\0\0\0\x23\x86\3b.c\3org\0";
static const char v4[] =
    HEAD("\2") QUESTION("\1") RECORD("\1", "\4") "\x0a\1\2\3" RECORD("\1", "\4") "\x0a\1\2\4";
static const char v6[] =
    HEAD("\1") QUESTION("\x1c") RECORD("\x1c", "\x10") "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1";
static const char mx[] = HEAD("\1") QUESTION("\x0f") RECORD("\x0f", "\4") "\0\x0a" TO_EXAMPLE;
static const char ns[] = HEAD("\1") QUESTION("\2") RECORD("\2", "\2") TO_EXAMPLE;
static const char none[] = HEAD("\0") QUESTION("\1");
static const char circle[] = HEAD("\1") "\xc0\x0c\0\1\0\1";
static const char long_label[] = HEAD("\1") "\x41";

#define MESSAGE(name) ((struct str){name, sizeof name - 1})

static const char *print(struct str message, enum dns_type type)
{
    static char text[2048];
    size_t used = 0, count;
    struct dns_record *records;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena, 1 << 20);
    text[0] = '\0';
    if (dns_parse(&arena, message, type, &records, &count, &err) != 0)
        snprintf(text, sizeof text, "%s", err.text);
    else
        for (size_t i = 0; i < count; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s:%d", i > 0 ? " " : "",
                                     STR_ARG(records[i].name), records[i].port);
    arena_release(&arena);
    return text;
}

static void answers_are_taken_apart(void **state)
{
    (void)state;
    assert_string_equal(print(MESSAGE(srv), DNS_SRV), "a.example.com.:9093 b\\046c.org.:9094");
    assert_string_equal(print(MESSAGE(v4), DNS_A), "10.1.2.3:0 10.1.2.4:0");
    assert_string_equal(print(MESSAGE(v6), DNS_AAAA), "fd00::1:0");
    assert_string_equal(print(MESSAGE(mx), DNS_MX), "example.com.:0");
    assert_string_equal(print(MESSAGE(ns), DNS_NS), "example.com.:0");
    assert_string_equal(print(MESSAGE(none), DNS_A), "");
    assert_string_equal(print(MESSAGE(v4), DNS_AAAA), "");
}

static void what_is_cut_or_runs_in_a_circle_is_broken(void **state)
{
    (void)state;
    const char *const broken = "the name server's answer is broken";
    for (size_t n = 0; n < sizeof srv - 1; n++)
        assert_non_null(strstr(print((struct str){srv, n}, DNS_SRV), "the name server's answer is "));
    assert_string_equal(print(MESSAGE(circle), DNS_A), broken);
    assert_string_equal(print(MESSAGE(long_label), DNS_A), broken);
}

/* ---- over the network: a name server of our own ---- */

struct server {
    int fd;
    struct sockaddr_in address;
    struct str message; /* what it answers, with the question's id; code: instead */
    int code;
    char asked[256];
    pthread_t thread;
};

static void *answer_one(void *context)
{
    struct server *s = context;
    unsigned char in[512], out[512];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(s->fd, in, sizeof in, 0, (struct sockaddr *)&from, &size);
    if (n < 12)
        return NULL;
    memcpy(s->asked, in + 12, (size_t)n - 12 < sizeof s->asked ? (size_t)n - 12 : sizeof s->asked);
    if (s->code == 0) {
        memcpy(out, s->message.p, s->message.n);
        n = (ssize_t)s->message.n;
    } else {
        memcpy(out, in, (size_t)n);
        out[2] |= 0x80;
        out[3] = (unsigned char)s->code;
    }
    memcpy(out, in, 2);
    sendto(s->fd, out, (size_t)n, 0, (struct sockaddr *)&from, size);
    return NULL;
}

static int ask(struct server *s, const char *name, enum dns_type type, struct buf *answer, struct err *err)
{
    socklen_t size = sizeof s->address;
    s->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    s->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&s->address, sizeof s->address), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&s->address, &size), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, answer_one, s), 0);
    buf_init(answer, DNS_MESSAGE_MAX * 2);
    int rc = dns_ask(&s->address, name, (int)type, answer, err);
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    return rc;
}

static void a_name_server_is_asked(void **state)
{
    (void)state;
    struct server s = {.message = MESSAGE(srv)};
    struct buf answer;
    assert_int_equal(ask(&s, "_am._tcp.example.com.", DNS_SRV, &answer, NULL), 0);
    assert_string_equal(s.asked, "\3_am\4_tcp\7example\3com");
    assert_string_equal(print(buf_slice(&answer), DNS_SRV), "a.example.com.:9093 b\\046c.org.:9094");
    buf_release(&answer);
}

static void a_name_that_is_not_there_is_told_from_one_that_nobody_knows(void **state)
{
    (void)state;
    struct buf answer;
    struct err err = {0};
    struct server no = {.code = 3}, fails = {.code = 2};
    assert_int_equal(ask(&no, "nothing.example.com.", DNS_A, &answer, &err), ERR_NOT_FOUND);
    buf_release(&answer);
    assert_int_equal(ask(&fails, "nothing.example.com.", DNS_A, &answer, &err), ERR_IO);
    assert_string_equal(err.text,
                        "could not resolve \"nothing.example.com.\": no server gave a usable answer");
    buf_release(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_taken_apart),
        cmocka_unit_test(what_is_cut_or_runs_in_a_circle_is_broken),
        cmocka_unit_test(a_name_server_is_asked),
        cmocka_unit_test(a_name_that_is_not_there_is_told_from_one_that_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
