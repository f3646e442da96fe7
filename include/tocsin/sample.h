/*
 * sample: one point of one series, as it travels from a push to an expression.
 *
 * Times are milliseconds since the Unix epoch. A sample is either a float (histogram == NULL) or a native
 * histogram. Staleness is a NaN of one special bit pattern; it must survive every copy, so values are
 * moved as doubles only (no arithmetic on the way) and compared by bits.
 */
#ifndef TOCSIN_SAMPLE_H
#define TOCSIN_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct histogram;

struct sample {
    int64_t t_ms;
    int64_t start_ms; /* start timestamp; 0: unknown */
    double value;
    const struct histogram *histogram; /* NULL for a float */
};

#define STALE_NAN_BITS UINT64_C(0x7ff0000000000002)
#define NORMAL_NAN_BITS UINT64_C(0x7ff8000000000001) /* what Prometheus writes for an ordinary NaN */

static inline uint64_t double_bits(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static inline double double_from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline double stale_nan(void)
{
    return double_from_bits(STALE_NAN_BITS);
}

static inline bool is_stale_nan(double v)
{
    return double_bits(v) == STALE_NAN_BITS;
}

#endif
