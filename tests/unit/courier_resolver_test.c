/* A courier whose resolver does not come back: this program's getaddrinfo stands in front of the C library's. */
#include "tocsin/courier.h"

#include <netdb.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

enum { GIVEN_UP_S = 5 };

static sem_t answered, resolved;
static bool given_up;

/* Knows no name, but only says so once the request that asked has its answer. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    struct timespec until;
    (void)node;
    (void)service;
    (void)hints;
    (void)found;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GIVEN_UP_S;
    given_up = sem_timedwait(&answered, &until) != 0;
    sem_post(&resolved);
    return EAI_NONAME;
}

static int code;

static void note_answer(void *context, const struct net_answer *answer)
{
    (void)context;
    code = answer->error.code;
    sem_post(&answered);
}

static void a_name_server_that_is_silent_holds_up_nobody(void **state)
{
    (void)state;
    struct world world = *world_real();
    struct courier *courier;
    struct net_request request = {.method = "POST", .url = "http://silent.test/", .timeout_ms = 50};
    sem_init(&answered, 0, 0);
    sem_init(&resolved, 0, 0);
    assert_int_equal(courier_open(&world, "Tocsin/test", &courier, NULL), 0);
    assert_int_equal(world.send(&world, &request, note_answer, NULL), 0);
    assert_int_equal(sem_wait(&resolved), 0);
    courier_close(courier, 0);
    assert_int_equal(code, ERR_TIMEOUT);
    assert_false(given_up); /* the answer did not wait for the resolver */
    sem_destroy(&answered);
    sem_destroy(&resolved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_server_that_is_silent_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
