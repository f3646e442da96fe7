#include "tocsin/sha256.h"

#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <stdint.h>

_Static_assert(SHA256_BYTES == SHA256_DIGEST_SIZE, "as in the header");

static void write_hex(const uint8_t digest[SHA256_BYTES], char text[SHA256_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[SHA256_HEX_BYTES - 1] = '\0';
}

void sha256_hex(struct str bytes, char text[SHA256_HEX_BYTES])
{
    struct sha256_ctx hash;
    uint8_t digest[SHA256_BYTES];
    sha256_init(&hash);
    sha256_update(&hash, bytes.n, (const uint8_t *)bytes.p);
    sha256_digest(&hash, sizeof digest, digest);
    write_hex(digest, text);
}

void sha256_hmac(struct str key, struct str message, unsigned char mac[SHA256_BYTES])
{
    struct hmac_sha256_ctx hash;
    hmac_sha256_set_key(&hash, key.n, (const uint8_t *)key.p);
    hmac_sha256_update(&hash, message.n, (const uint8_t *)message.p);
    hmac_sha256_digest(&hash, SHA256_BYTES, mac);
}

void sha256_hmac_hex(struct str key, struct str message, char text[SHA256_HEX_BYTES])
{
    unsigned char mac[SHA256_BYTES];
    sha256_hmac(key, message, mac);
    write_hex(mac, text);
}
