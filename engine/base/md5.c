#include "tocsin/md5.h"

#include <nettle/md5.h>

static void digest_of(struct str bytes, uint8_t digest[MD5_DIGEST_SIZE])
{
    struct md5_ctx hash;
    md5_init(&hash);
    md5_update(&hash, bytes.n, (const uint8_t *)bytes.p);
    md5_digest(&hash, MD5_DIGEST_SIZE, digest);
}

uint64_t md5_low(struct str bytes)
{
    uint8_t digest[MD5_DIGEST_SIZE];
    digest_of(bytes, digest);
    uint64_t low = 0;
    for (size_t i = sizeof digest - sizeof low; i < sizeof digest; i++)
        low = low << 8 | digest[i];
    return low;
}

uint64_t md5_first48(struct str bytes)
{
    uint8_t digest[MD5_DIGEST_SIZE];
    digest_of(bytes, digest);
    uint64_t first = 0;
    for (size_t i = 6; i > 0; i--)
        first = first << 8 | digest[i - 1];
    return first;
}
