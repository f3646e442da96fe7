#include "tocsin/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include "tocsin/err.h"
#include <cmocka.h>

#include <pthread.h>

static void hands_out_in_order_and_refuses_when_full(void **state)
{
    (void)state;
    int a, b, c;
    struct queue *q = queue_open(2);
    assert_int_equal(queue_push(q, &a), 0);
    assert_int_equal(queue_push(q, &b), 0);
    assert_int_equal(queue_push(q, &c), ERR_FULL);
    assert_ptr_equal(queue_pop(q, 0), &a);
    assert_int_equal(queue_push(q, &c), 0);
    assert_ptr_equal(queue_pop(q, 0), &b);
    assert_ptr_equal(queue_pop(q, -1), &c);
    assert_null(queue_pop(q, 0));
    queue_free(q);
}

static void a_closed_queue_gives_what_is_left(void **state)
{
    (void)state;
    int a;
    struct queue *q = queue_open(2);
    queue_push(q, &a);
    assert_false(queue_is_closed(q));
    queue_close(q);
    assert_true(queue_is_closed(q));
    assert_int_equal(queue_push(q, &a), ERR_CLOSED);
    assert_ptr_equal(queue_pop(q, -1), &a);
    assert_null(queue_pop(q, -1));
    queue_free(q);
}

static void waiting_ends_when_time_is_up(void **state)
{
    (void)state;
    struct queue *q = queue_open(1);
    assert_null(queue_pop(q, 1));
    queue_free(q);
}

enum { ITEMS = 10000 };

static void *produce(void *context)
{
    static char items[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        while (queue_push(context, &items[i]) == ERR_FULL)
            ;
    queue_close(context);
    return items;
}

static void a_waiting_thread_gets_everything_in_order(void **state)
{
    (void)state;
    struct queue *q = queue_open(16);
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, q), 0);
    const char *first = queue_pop(q, -1), *item;
    int count = 1;
    for (; (item = queue_pop(q, INT64_MAX)) != NULL; count++)
        assert_ptr_equal(item, first + count);
    assert_int_equal(count, ITEMS);
    pthread_join(producer, NULL);
    queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_in_order_and_refuses_when_full),
        cmocka_unit_test(a_closed_queue_gives_what_is_left),
        cmocka_unit_test(waiting_ends_when_time_is_up),
        cmocka_unit_test(a_waiting_thread_gets_everything_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
