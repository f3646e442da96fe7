#include "tocsin/sha256.h"

#include <nettle/sha2.h>
#include <stdint.h>

_Static_assert(SHA256_BYTES == SHA256_DIGEST_SIZE, "as in the header");

void sha256_hex(struct str bytes, char text[SHA256_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256_ctx hash;
    uint8_t digest[SHA256_BYTES];
    sha256_init(&hash);
    sha256_update(&hash, bytes.n, (const uint8_t *)bytes.p);
    sha256_digest(&hash, sizeof digest, digest);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[SHA256_HEX_BYTES - 1] = '\0';
}
