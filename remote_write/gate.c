/* Snappy declares its length first and the library believes it: four gigabytes in seven bytes. We do not. */
#include "push_priv.h"
#include "tocsin/limits.h"
#include "tocsin/mem.h"

#include <snappy-c.h>

static int declared_length(struct push *p, struct str compressed, size_t *bytes)
{
    if (snappy_uncompressed_length(compressed.p, compressed.n, bytes) != SNAPPY_OK)
        return push_fail(p, 400, "snappy: corrupt input");
    if (*bytes / (size_t)limits.push_ratio > compressed.n) {
        limit_hit(LIMIT_push_ratio);
        return push_fail(p, 400, "snappy: corrupt input: %zu bytes cannot hold %zu", compressed.n, *bytes);
    }
    if (*bytes > (size_t)limits.push_decoded_bytes) {
        limit_hit(LIMIT_push_decoded_bytes);
        return push_fail(p, 413, "snappy: decoded length %zu is larger than %lld", *bytes,
                         (long long)limits.push_decoded_bytes);
    }
    return 0;
}

int push_uncompress(struct push *p, struct str compressed)
{
    if (compressed.n > (size_t)limits.push_body_bytes) {
        limit_hit(LIMIT_push_body_bytes);
        return push_fail(p, 413, "body of %zu bytes is larger than %lld", compressed.n,
                         (long long)limits.push_body_bytes);
    }
    int rc = declared_length(p, compressed, &p->decoded_bytes);
    if (rc != 0)
        return rc;
    if (!push_charge(p, (int64_t)p->decoded_bytes))
        return push_out_of_memory(p);
    p->decoded = mem_resize(NULL, p->decoded_bytes, 1); /* not zeroed: all of it is written */
    size_t bytes = p->decoded_bytes;
    if (snappy_uncompress(compressed.p, compressed.n, p->decoded, &bytes) != SNAPPY_OK ||
        bytes != p->decoded_bytes)
        return push_fail(p, 400, "snappy: corrupt input");
    return 0;
}
