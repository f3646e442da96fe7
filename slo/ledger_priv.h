/* ledger_priv: how the ledger's files see its days. */
#ifndef TOCSIN_LEDGER_PRIV_H
#define TOCSIN_LEDGER_PRIV_H

#include "tocsin/check.h"
#include "tocsin/kahan.h"
#include "tocsin/ledger.h"
#include "tocsin/mem.h"

enum { SLICE_KNOWN = 1, SLICE_ODD = 2 };

struct counted {
    double bad, total;
};

/* A sum under way. */
struct tally {
    struct kahan bad, total, shares;
    int64_t weighed, expected, known, excluded, bad_slices, odd;
};

struct ledger_day {
    int64_t day;            /* since 1970 */
    bool summed;            /* `sum` is of all its slices as they are */
    struct tally sum;       /* all of it */
    struct counted *counts; /* of each slice of the day */
    uint8_t *flags;
};

struct ledger_epoch {
    uint32_t number;
    int64_t from_ms;
    struct ledger_terms terms;
    struct ledger_day *days; /* in order; there is none where nothing was put */
    size_t count, capacity;
};

struct ledger {
    struct ledger_epoch *epochs;
    size_t count, capacity;
    struct ledger_overlay overlay;
    int64_t began_ms;
};

static inline int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b < 0);
}

static inline int64_t ceil_div(int64_t a, int64_t b)
{
    return -floor_div(-a, b);
}

static inline size_t slices_a_day(const struct ledger_terms *terms)
{
    return (size_t)(LEDGER_DAY_MS / terms->slice_ms);
}

/* Which epoch a slice belongs to; the first one holds for all that was before. There is one. */
struct ledger_epoch *ledger_epoch_of(const struct ledger *ledger, int64_t begin_ms);
struct ledger_epoch *ledger_epoch_numbered(const struct ledger *ledger, uint32_t number);
int64_t ledger_epoch_until_ms(const struct ledger *ledger, const struct ledger_epoch *epoch);

/* NULL: there is none. */
struct ledger_day *ledger_day_of(const struct ledger_epoch *epoch, int64_t day);
struct ledger_day *ledger_day_need(struct ledger_epoch *epoch, int64_t day);

/* What is laid over a slice. */
enum ledger_change overlay_at(const struct ledger_overlay *overlay, int64_t begin_ms, int64_t end_ms);

/* Is anything laid over a part of it? */
bool overlay_touches(const struct ledger_overlay *overlay, int64_t from_ms, int64_t to_ms);

/* Slices of one epoch that begin in from <= t < to. */
void ledger_tally(struct ledger *ledger, struct ledger_epoch *epoch, int64_t from_ms, int64_t to_ms,
                  struct tally *to);
void tally_add(struct tally *to, const struct tally *more);
void tally_finish(const struct tally *tally, struct ledger_sum *out);

#endif
