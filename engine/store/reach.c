#include "reach_priv.h"

#include <math.h>

/* Of values that are equal the first one counts, as there are two zeros: so it does here, for what comes before takes their
 * place. */
static void make_from(struct reach *r, const struct sealed_bounds *b, size_t count)
{
    size_t least = count - 1, most = count - 1;
    for (size_t i = count; i-- > 0;) {
        least = b[i].min <= b[least].min || isnan(b[least].min) ? i : least;
        most = b[i].max >= b[most].max || isnan(b[most].max) ? i : most;
        r[i].least_from = (uint8_t)least;
        r[i].most_from = (uint8_t)most;
    }
}

static void make_upto(struct reach *r, const struct sealed_bounds *b, size_t count)
{
    size_t least = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        least = b[i].min < b[least].min || isnan(b[least].min) ? i : least;
        most = b[i].max > b[most].max || isnan(b[most].max) ? i : most;
        r[i].least_upto = (uint8_t)least;
        r[i].most_upto = (uint8_t)most;
    }
}

void reach_make(struct reach *r, const struct sealed *item, size_t count)
{
    struct sealed_bounds b[REACH_ITEMS];
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        b[i] = sealed_bounds(&item[i]);
    make_from(r, b, count);
    make_upto(r, b, count);
}

static void widen(const struct sealed *item, size_t least, size_t most, struct window_summary *out)
{
    summary_widen(out, sealed_bounds(&item[least]).min, sealed_bounds(&item[most]).max);
}

void reach_widen_from(const struct reach *r, const struct sealed *item, size_t i, struct window_summary *out)
{
    widen(item, r[i].least_from, r[i].most_from, out);
}

void reach_widen_upto(const struct reach *r, const struct sealed *item, size_t i, struct window_summary *out)
{
    widen(item, r[i].least_upto, r[i].most_upto, out);
}
