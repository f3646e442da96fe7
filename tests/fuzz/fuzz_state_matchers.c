/* Matchers as the state file holds them: what is taken for them has the form that they are written in, to the byte. */
#include "../../engine/state/state_priv.h"

#include "tocsin/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf again;
    struct str bytes = {(const char *)data, size};
    size_t count;
    arena_init(&arena, 16 * size + (64 << 10));
    const struct matcher *ms = state_matchers_decode(&arena, bytes, &count);
    must(!arena_exhausted(&arena));
    if (ms != NULL) {
        state_matchers_encode(&again, ms, count);
        must(str_eq(buf_slice(&again), bytes));
        buf_release(&again);
    }
    arena_release(&arena);
    return 0;
}
