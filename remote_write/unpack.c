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

/* ---- counting before unpacking: a walk over the outermost fields, which costs no memory ---- */

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, FIELD_TIMESERIES = 1 };

static bool take_varint(struct str *rest, uint64_t *v)
{
    *v = 0;
    for (int shift = 0; rest->n > 0 && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*rest->p++;
        rest->n--;
        *v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool skip_field(struct str *rest, uint64_t tag)
{
    uint64_t bytes = 0;
    switch (tag & 7) {
    case WIRE_VARINT:
        return take_varint(rest, &bytes);
    case WIRE_64:
        bytes = 8;
        break;
    case WIRE_BYTES:
        if (!take_varint(rest, &bytes))
            return false;
        break;
    case WIRE_32:
        bytes = 4;
        break;
    default:
        return false;
    }
    if (bytes > rest->n)
        return false;
    rest->p += bytes;
    rest->n -= bytes;
    return true;
}

/* Malformed bytes end the count; what is wrong with them is protobuf-c's to say. */
static bool has_too_many_series(const struct push *p)
{
    struct str rest = {p->decoded, p->decoded_bytes};
    int64_t count = 0;
    uint64_t tag;
    while (count <= limits.push_series && take_varint(&rest, &tag) && tag >> 3 != 0 && skip_field(&rest, tag))
        count += tag >> 3 == FIELD_TIMESERIES;
    return count > limits.push_series;
}

int push_unpack(struct push *p, Prometheus__WriteRequest **request)
{
    if (has_too_many_series(p)) {
        limit_hit(LIMIT_push_series);
        return push_fail(p, 413, "more than %lld series in one push", (long long)limits.push_series);
    }
    ProtobufCAllocator allocator = {.alloc = take, .free = give, .allocator_data = p};
    *request = prometheus__write_request__unpack(&allocator, p->decoded_bytes, (const uint8_t *)p->decoded);
    if (*request != NULL)
        return 0;
    if (p->flight_full || arena_exhausted(&p->arena))
        return push_out_of_memory(p);
    return push_fail(p, 400, "proto: corrupt input");
}
