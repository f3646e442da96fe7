/* A log on a simulated disk whose records can be told: each is made from its number. */
#ifndef WAL_HELP_H
#define WAL_HELP_H

#include "../../engine/store/wal_priv.h"
#include "../sim/sim_disk.h"
#include "tocsin/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS_MAX = 4096, RECORD_BYTES_MAX = 16384 };

/* What was put, and what must be read back. */
struct ledger {
    uint32_t count;
    uint32_t forgotten;             /* records before this one may be gone */
    uint32_t first_segment;         /* those before this one are not read; 0: whichever is first */
    uint64_t position[RECORDS_MAX]; /* 0: refused */
    size_t bytes[RECORDS_MAX];
    bool safe[RECORDS_MAX];
    bool found[RECORDS_MAX];
    uint32_t next; /* while reading: order */
    int torn, damages, records;
    uint64_t damaged_bytes;
    uint32_t damaged_segment;
    char why[128];
};

static char record_room[RECORD_BYTES_MAX];

/* "17:" and noise. */
static inline struct str make_record(uint32_t number, size_t bytes)
{
    int n = snprintf(record_room, sizeof record_room, "%u:", number);
    uint64_t noise = number * 0x9E3779B97F4A7C15u + 1;
    for (size_t i = (size_t)n; i < bytes; i++) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        record_room[i] = (char)noise;
    }
    return (struct str){record_room, bytes > (size_t)n ? bytes : (size_t)n};
}

static inline uint64_t put_one(struct ledger *l, struct wal *wal, size_t bytes)
{
    assert_true(l->count < RECORDS_MAX);
    struct str record = make_record(l->count, bytes);
    l->bytes[l->count] = record.n;
    return l->position[l->count++] = wal_put(wal, record);
}

/* From `first` on, for the records of one open log. */
static inline void note_safe(struct ledger *l, const struct wal *wal, uint32_t first)
{
    for (uint32_t i = first; i < l->count; i++)
        l->safe[i] |= l->position[i] != 0 && l->position[i] <= wal_durable(wal);
}

static inline int found_record(void *context, struct str record)
{
    struct ledger *l = context;
    uint32_t number = (uint32_t)strtoul(record.p, NULL, 10);
    assert_true(number < l->count && number >= l->next);
    assert_true(str_eq(record, make_record(number, l->bytes[number])));
    l->found[number] = true;
    l->next = number + 1;
    l->records++;
    return 0;
}

static inline void found_damage(void *context, uint32_t segment, uint64_t offset, uint64_t bytes, bool torn,
                                const char *why)
{
    struct ledger *l = context;
    (void)offset;
    l->torn += torn;
    l->damages += !torn;
    l->damaged_bytes += bytes;
    l->damaged_segment = segment;
    snprintf(l->why, sizeof l->why, "%s", why);
}

/* Reads all that was not forgotten; what was put is read in order, and nothing else. Returns the number of the segment to write next. */
static inline uint32_t read_all(struct ledger *l, struct world *world, const char *folder)
{
    struct wal_range range;
    struct wal_visit visit = {l, found_record, found_damage};
    memset(l->found, 0, sizeof l->found);
    l->next = 0;
    l->torn = l->damages = l->records = 0;
    l->damaged_bytes = 0;
    assert_int_equal(wal_list(world, folder, l->first_segment, &range, NULL), 0);
    if (l->first_segment > 0)
        range.first = l->first_segment;
    assert_int_equal(wal_read(world, folder, &range, &visit, NULL), 0);
    return range.last + 1;
}

static inline void assert_safe_found(const struct ledger *l)
{
    for (uint32_t i = l->forgotten; i < l->count; i++)
        assert_true(l->found[i] || !l->safe[i]);
}

#endif
