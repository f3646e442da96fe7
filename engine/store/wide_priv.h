/*
 * wide: up to 64 histograms, and floats among them, as few bytes.
 *
 * Histograms of one layout that follow each other are packed by columns: what one bucket counted in all of them is
 * a list of values like that of a series (group_priv.h), so that an idle bucket costs five bits and a busy one what its
 * noise is worth. Every number comes back to the bit, hints too. Whoever wants one of them unpacks all before it.
 */
#ifndef TOCSIN_STORE_WIDE_PRIV_H
#define TOCSIN_STORE_WIDE_PRIV_H

#include "account_priv.h"
#include "group_priv.h"
#include "tocsin/arena.h"
#include "tocsin/sample.h"

enum { WIDE_SAMPLES_MAX = GROUP_SAMPLES };

/* Packs 1 to WIDE_SAMPLES_MAX samples with rising times. The bytes are the caller's; *bytes says how many. */
uint8_t *wide_pack(struct account *account, const struct sample *samples, size_t count, uint32_t *bytes);

/* The times of all `count` samples; the first one is at oldest_ms. */
void wide_times(const uint8_t *in, int64_t oldest_ms, size_t count, int64_t *times);

/* Unpacks samples from <= i < to of `count` into `out`, their histograms into the arena. 0, or ERR_LIMIT. */
int wide_unpack(const uint8_t *in, int64_t oldest_ms, size_t count, size_t from, size_t to,
                struct arena *arena, struct sample *out);

#endif
