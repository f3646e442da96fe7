/* Records: any bytes are walked without harm, and what comes out, written anew, comes out the same. */
#include "../../engine/store/record_priv.h"
#include "tocsin/check.h"

static int sealed_again(struct record *to, struct series_id id, struct str saved)
{
    struct account account = {0};
    struct sealed s;
    if (sealed_load(&account, saved, &s) != 0)
        return 0;
    record_sealed(to, id, &s);
    sealed_free(&account, &s);
    return 0;
}

static int on_series(void *context, struct series_id id, const struct label *labels, size_t count)
{
    record_series(context, id, labels, count);
    return 0;
}

static int on_sample(void *context, struct series_id id, const struct sample *s)
{
    record_sample(context, id, s);
    return 0;
}

static int on_sealed(void *context, struct series_id id, struct str saved)
{
    return sealed_again(context, id, saved);
}

static int on_end(void *context, uint64_t series, uint64_t samples, int64_t begun_ms)
{
    record_end(context, series, samples, begun_ms);
    return 0;
}

/* Walks `bytes` and writes what is in them, as far as it goes, into *to. */
static int rewrite(struct str bytes, struct record *to, struct arena *arena)
{
    const struct record_sink sink = {to, on_series, on_sample, on_sealed, on_end, NULL};
    return record_walk(bytes, &sink, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct record once, twice;
    arena_init(&arena, 16 << 20);
    record_init(&once, 16 << 20);
    record_init(&twice, 16 << 20);
    rewrite((struct str){(const char *)data, size}, &once, &arena);
    if (!buf_overflow(&once.bytes)) {
        int rc = rewrite(buf_slice(&once.bytes), &twice, &arena);
        must(rc == 0);
        must(str_eq(buf_slice(&once.bytes), buf_slice(&twice.bytes)));
    }
    record_release(&once);
    record_release(&twice);
    arena_release(&arena);
    return 0;
}
