/*
 * md5: MD5 (RFC 1321) of a few bytes at once, because a format says so (`hashmod` of relabel.h, alertmanager_config_hash). Not for secrets.
 */
#ifndef TOCSIN_MD5_H
#define TOCSIN_MD5_H

#include "tocsin/str.h"

#include <stdint.h>

/* The last eight of its sixteen bytes as a number, most significant byte first. */
uint64_t md5_low(struct str bytes);

/* The first six, least significant byte first: Alertmanager's hash of a configuration. */
uint64_t md5_first48(struct str bytes);

#endif
