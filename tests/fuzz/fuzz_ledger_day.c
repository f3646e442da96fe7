/* A day of slices, and terms, as the state file holds them: what is taken for one has the form that it is written in, to the byte, and sums of it
 * are finite. */
#include "tocsin/ledger.h"

#include "tocsin/check.h"
#include "tocsin/hash.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOUR_MS = 3600 * 1000, DAY = 19700 };

static void check_sums(struct ledger *ledger)
{
    struct ledger_sum sum;
    ledger_sum(ledger, DAY * LEDGER_DAY_MS, (DAY + 1) * LEDGER_DAY_MS, &sum);
    must(sum.known <= sum.expected && sum.expected == 24 && sum.weighed <= sum.known &&
         sum.bad_slices <= sum.weighed);
    must(!isnan(sum.bad) && !isnan(sum.total) && !isnan(sum.shares));
    must(sum.bad >= 0 && sum.shares >= 0 && sum.shares <= 24.000001);
}

/* The hash is ours: nobody would find one by chance. */
static void decode_day(struct ledger *ledger, const uint8_t *data, size_t size)
{
    struct buf bytes, again;
    uint64_t hash = hash_stable(data, size);
    buf_init(&bytes, size + 16);
    buf_init(&again, 1 << 20);
    for (int i = 0; i < 8; i++)
        buf_char(&bytes, (char)(unsigned char)(hash >> 8 * i));
    buf_add(&bytes, data, size);
    int rc = ledger_day_decode(ledger, 1, DAY, buf_slice(&bytes));
    must(rc == 0 || rc == ERR_CORRUPT);
    ledger_day_encode(ledger, 1, DAY, &again);
    must(rc != 0 || str_eq(buf_slice(&bytes), buf_slice(&again)));
    check_sums(ledger);
    buf_release(&bytes);
    buf_release(&again);
}

static void decode_terms(const uint8_t *data, size_t size)
{
    struct ledger_terms terms;
    struct buf again;
    if (ledger_terms_decode((struct str){(const char *)data, size}, &terms) != 0)
        return;
    buf_init(&again, LEDGER_TERMS_BYTES);
    ledger_terms_encode(&terms, &again);
    must(str_eq(buf_slice(&again), (struct str){(const char *)data, size}));
    struct ledger *ledger = ledger_new();
    ledger_open_epoch(ledger, 1, LEDGER_ALWAYS_MS, &terms);
    ledger_free(ledger);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ledger_terms terms = {
        .target = {99, 100}, .slice_target = {9, 10}, .slice_ms = HOUR_MS};
    struct ledger *ledger = ledger_new();
    ledger_open_epoch(ledger, 1, LEDGER_ALWAYS_MS, &terms);
    decode_day(ledger, data, size);
    decode_terms(data, size);
    ledger_free(ledger);
    return 0;
}
