/*
 * sha256: SHA-256 (FIPS 180-4) of a few bytes at once, and HMAC-SHA-256 (RFC 2104).
 *
 * For values that are part of a format, as the tokens of Prometheus' rule pages and the signatures that AWS asks for; tables are keyed with
 * hash.h. Not for telling whether a secret is the right one: nothing here takes the same time for all input.
 */
#ifndef TOCSIN_SHA256_H
#define TOCSIN_SHA256_H

#include "tocsin/str.h"

enum { SHA256_BYTES = 32, SHA256_HEX_BYTES = 2 * SHA256_BYTES + 1 };

/* In lower-case hexadecimal digits, with a NUL. */
void sha256_hex(struct str bytes, char text[SHA256_HEX_BYTES]);

void sha256_hmac(struct str key, struct str message, unsigned char mac[SHA256_BYTES]);
void sha256_hmac_hex(struct str key, struct str message, char text[SHA256_HEX_BYTES]);

#endif
