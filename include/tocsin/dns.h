/*
 * dns: what a name server answers, taken apart (RFC 1035, 2782, 3596). world.h asks it.
 */
#ifndef TOCSIN_DNS_H
#define TOCSIN_DNS_H

#include "tocsin/arena.h"
#include "tocsin/err.h"
#include "tocsin/str.h"

#include <stdint.h>

enum dns_type { DNS_A = 1, DNS_NS = 2, DNS_MX = 15, DNS_AAAA = 28, DNS_SRV = 33 };

/* More records than this nobody means; the rest is left out. */
enum { DNS_RECORDS_MAX = 1024, DNS_MESSAGE_MAX = 64 << 10 };

struct dns_record {
    struct str name; /* an address, or a host's name with its last dot; odd bytes as \DDD */
    uint16_t port;   /* of SRV */
};

/* The answers of that type, in the message's order; others (CNAME on the way to an address) are passed over. 0, ERR_CORRUPT, or
 * ERR_LIMIT. */
int dns_parse(struct arena *arena, struct str message, enum dns_type type, struct dns_record **out,
              size_t *count, struct err *err);

#endif
