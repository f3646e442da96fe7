#include "between_priv.h"

double between_floats(const struct sample *a, const struct sample *b, int64_t t_ms, bool counter)
{
    double from = counter && b->value < a->value ? 0 : a->value;
    return from + (b->value - from) * (double)(t_ms - a->t_ms) / (double)(b->t_ms - a->t_ms);
}

int between_histograms(struct arena *arena, const struct sample *a, const struct sample *b, int64_t t_ms,
                       bool counter, const struct histogram **out, struct histogram_remarks *remarks)
{
    double part = (double)(t_ms - a->t_ms) / (double)(b->t_ms - a->t_ms);
    const struct histogram *rise = b->histogram;
    if (histogram_is_custom(a->histogram) != histogram_is_custom(b->histogram))
        return HISTOGRAMS_INCOMPATIBLE;
    bool anew = counter && histogram_is_reset(a->histogram, b->histogram);
    if (!anew && histogram_add(arena, rise, a->histogram, -1, &rise, remarks) != 0)
        return ERR_LIMIT;
    *out = histogram_multiply(arena, rise, part);
    if (*out == NULL)
        return ERR_LIMIT;
    return anew ? 0 : histogram_add(arena, a->histogram, *out, 1, out, remarks);
}
