#include "histogram_math_priv.h"

int histogram_step(struct arena *arena, const struct histogram *base, const struct histogram *step,
                   bool minus, const struct histogram **out, struct err *err)
{
    (void)arena;
    (void)base;
    (void)step;
    (void)minus;
    (void)out;
    return err_set(err, ERR_UNSUPPORTED, "series of growing native histograms are not supported");
}
