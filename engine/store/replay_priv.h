/*
 * replay: what records do to a store that is being brought back.
 *
 * Order is what the records say: a later definition of a number or of a label set ends an earlier one, because the log
 * does not say when a series died. Samples that are there already are passed over, so a snapshot and the log behind it
 * may overlap.
 *
 * Nobody else uses the store until replay_end. After an error other than damage it can only be closed.
 */
#ifndef TOCSIN_STORE_REPLAY_PRIV_H
#define TOCSIN_STORE_REPLAY_PRIV_H

#include "record_priv.h"
#include "store_priv.h"

struct replay {
    struct store *store;
    struct arena arena;
    bool as_it_was;     /* a snapshot: what the store had made of a sample is kept; else it is made anew */
    bool holds;         /* a stretch waits for what comes behind it: */
    struct sealed held; /* newer than all that its series has */
    series_ref held_ref;
    series_ref like; /* the series made last */
    pair_id *soiled; /* pairs that list a series which is no longer theirs */
    size_t soiled_count, soiled_capacity;

    uint64_t samples;                   /* in the store */
    uint64_t orphans;                   /* of series that no record has introduced */
    uint64_t conflicts;                 /* another sample of that time was there */
    uint64_t spoilt;                    /* stretches that are none, in spite of a sound checksum */
    uint64_t seen_series, seen_samples; /* since replay_begin_file */
    bool ended;                         /* with these numbers: */
    uint64_t end_series, end_samples;
    int64_t begun_ms;
    struct record_bytes bytes;
};

void replay_begin(struct replay *r, struct store *s);

/* Snapshots come before the log. */
void replay_begin_file(struct replay *r, bool snapshot);

/* 0; ERR_PARSE: from somewhere on it is no record; ERR_FULL: limits.store_bytes, ERR_LIMIT: limits.series do not let all
 * of it in. */
int replay_record(struct replay *r, struct str record);

/* Everything is there: makes the store ready for use. 0 or ERR_FULL. */
int replay_end(struct replay *r);

void replay_release(struct replay *r);

#endif
