/* A label set as the state file holds it: what is taken for one has the form that it is written in, to the byte. */
#include "../../engine/state/state_priv.h"

#include "tocsin/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const uint8_t *data, size_t size, bool annotations)
{
    struct arena arena;
    struct buf again;
    struct str bytes = {(const char *)data, size};
    arena_init(&arena, 16 * size + (64 << 10));
    const struct labels *ls = state_labels_decode(&arena, bytes, annotations);
    must(!arena_exhausted(&arena));
    if (ls != NULL) {
        for (size_t i = 1; i < ls->count; i++)
            must(str_cmp(ls->item[i - 1].name, ls->item[i].name) < 0);
        state_labels_encode(&again, ls);
        must(str_eq(buf_slice(&again), bytes));
        buf_release(&again);
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode(data, size, false);
    decode(data, size, true);
    return 0;
}
