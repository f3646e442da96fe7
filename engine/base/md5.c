#include "tocsin/md5.h"

#include <nettle/md5.h>

uint64_t md5_low(struct str bytes)
{
    struct md5_ctx hash;
    uint8_t digest[MD5_DIGEST_SIZE];
    md5_init(&hash);
    md5_update(&hash, bytes.n, (const uint8_t *)bytes.p);
    md5_digest(&hash, sizeof digest, digest);
    uint64_t low = 0;
    for (size_t i = sizeof digest - sizeof low; i < sizeof digest; i++)
        low = low << 8 | digest[i];
    return low;
}
