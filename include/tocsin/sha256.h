/*
 * sha256: SHA-256 (FIPS 180-4) of a few bytes at once.
 *
 * For values that are part of a format, as the tokens of Prometheus' rule pages; tables are keyed with hash.h. Not for
 * secrets: nothing here takes the same time for all input.
 */
#ifndef TOCSIN_SHA256_H
#define TOCSIN_SHA256_H

#include "tocsin/str.h"

enum { SHA256_BYTES = 32, SHA256_HEX_BYTES = 2 * SHA256_BYTES + 1 };

/* In lower-case hexadecimal digits, with a NUL. */
void sha256_hex(struct str bytes, char text[SHA256_HEX_BYTES]);

#endif
