/* protobuf-c turns two bytes into a hundred; so it gets its memory from the push's capped arena only. */
#include "push_priv.h"
#include "tocsin/limits.h"

/* Memory of the arena, charged to the flight as the arena grows. NULL once either is full. */
static void *take(void *context, size_t size)
{
    struct push *p = context;
    size_t before = p->arena.used_bytes;
    void *memory = arena_alloc(&p->arena, size);
    size_t grown = p->arena.used_bytes - before;
    return grown == 0 || push_charge(p, (int64_t)grown) ? memory : NULL;
}

static void give(void *context, void *memory)
{
    (void)context;
    (void)memory; /* goes with the arena */
}

int push_out_of_memory(struct push *p)
{
    if (p->flight_full) {
        limit_hit(LIMIT_in_flight_bytes);
        return push_fail(p, 503, "too many pushes are under way");
    }
    limit_hit(LIMIT_push_arena_bytes);
    return push_fail(p, 413, "the push needs more than %lld bytes of memory",
                     (long long)limits.push_arena_bytes);
}

int push_unpack(struct push *p, Prometheus__WriteRequest **request)
{
    ProtobufCAllocator allocator = {.alloc = take, .free = give, .allocator_data = p};
    *request = prometheus__write_request__unpack(&allocator, p->decoded_bytes, (const uint8_t *)p->decoded);
    if (*request != NULL)
        return 0;
    if (p->flight_full || arena_exhausted(&p->arena))
        return push_out_of_memory(p);
    return push_fail(p, 400, "proto: corrupt input");
}
