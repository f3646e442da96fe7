#include "tocsin/histogram.h"

#include <float.h>
#include <math.h>

enum { FINEST_SCHEMA = 8, FINEST_STEPS = 1 << FINEST_SCHEMA };

/* The bounds between 0.5 and 1 are part of the format as Prometheus has written them, and those are not the
 * doubles nearest to the powers of two. This is how many units in the last place each lies below the nearest
 * one, plus one; for schema 8, whose every other bound is one of schema 7, and so on. */
static const char strays[FINEST_STEPS + 1] =
    "1111112111211111112311222222222211211121122211221122102211221122"
    "1111112222332132112111211112111111121011213311221222112121332222"
    "2121223322322122222222323233323311221121223321332233212232332232"
    "2243223233433343333333444455435422322333324422333243223333543344";

static double fraction(int step)
{
    double v = (double)exp2l((long double)step / FINEST_STEPS - 1);
    int below = strays[step] - '1';
    for (; below > 0; below--)
        v = nextafter(v, 0);
    return below < 0 ? nextafter(v, 1) : v;
}

/* 2^exponent * v, where the first power of two that is no double stands for the largest double: only above
 * it begins the bucket of infinity. */
static double scale(double v, int64_t exponent)
{
    enum { BEYOND = 1 << 14 };
    if (v == 0.5 && exponent == DBL_MAX_EXP + 1)
        return DBL_MAX;
    int64_t near = exponent > BEYOND ? BEYOND : exponent < -BEYOND ? -BEYOND : exponent;
    return ldexp(v, (int)near);
}

static double exponential_bound(int32_t schema, int64_t index)
{
    if (schema <= 0)
        return scale(0.5, index * ((int64_t)1 << -schema) + 1);
    int64_t steps = (int64_t)1 << schema;
    int64_t step = index & (steps - 1);
    return scale(fraction((int)(step * (FINEST_STEPS / steps))), (index - step) / steps + 1);
}

static double custom_bound(const struct histogram *h, int64_t index)
{
    if (index < 0)
        return -INFINITY;
    return (uint64_t)index < h->custom_count ? h->custom_bounds[index] : INFINITY;
}

static double bound(const struct histogram *h, int64_t index)
{
    return h->schema == HISTOGRAM_CUSTOM ? custom_bound(h, index) : exponential_bound(h->schema, index);
}

double histogram_upper_bound(const struct histogram *h, int32_t index)
{
    return bound(h, index);
}

double histogram_lower_bound(const struct histogram *h, int32_t index)
{
    return bound(h, (int64_t)index - 1);
}
