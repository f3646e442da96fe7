#include "timers_priv.h"

#include "tocsin/mem.h"

static bool before(const struct timer *a, const struct timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static size_t rise(struct timers *timers, size_t place)
{
    struct timer *timer = timers->heap[place];
    while (place > 1 && before(timer, timers->heap[place / 2])) {
        put(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    put(timers, place, timer);
    return place;
}

static void sink(struct timers *timers, size_t place)
{
    struct timer *timer = timers->heap[place];
    for (size_t child; (child = place * 2) <= timers->count; place = child) {
        if (child < timers->count && before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!before(timers->heap[child], timer))
            break;
        put(timers, place, timers->heap[child]);
    }
    put(timers, place, timer);
}

void timers_release(struct timers *timers)
{
    mem_free(timers->heap);
    *timers = (struct timers){0};
}

void timer_clear(struct timers *timers, struct timer *timer)
{
    if (!timer_is_set(timer))
        return;
    size_t place = timer->place;
    struct timer *last = timers->heap[timers->count--];
    timer->place = 0;
    if (last == timer)
        return;
    put(timers, place, last);
    sink(timers, rise(timers, place));
}

void timer_set(struct timers *timers, struct timer *timer, int64_t at_ns)
{
    timer_clear(timers, timer);
    if (timers->count + 1 >= timers->capacity) {
        timers->capacity = timers->capacity == 0 ? 16 : timers->capacity * 2;
        timers->heap = mem_resize(timers->heap, timers->capacity, sizeof(struct timer *));
    }
    timer->at_ns = at_ns;
    timer->order = timers->next_order++;
    put(timers, ++timers->count, timer);
    rise(timers, timers->count);
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[1] : NULL;
}

void timers_shift(struct timers *timers, int64_t by_ns)
{
    for (size_t i = 1; i <= timers->count; i++)
        timers->heap[i]->at_ns += by_ns;
}
