/* kahan: sums with Neumaier's compensation, in Prometheus' order of operations (Prometheus 3.14). */
#ifndef TOCSIN_KAHAN_H
#define TOCSIN_KAHAN_H

#include <math.h>

struct kahan {
    double sum, rest;
};

static inline void kahan_add(struct kahan *k, double x)
{
    double t = k->sum + x;
    if (isinf(t))
        k->rest = 0; /* an infinite sum stays infinite */
    else if (fabs(k->sum) >= fabs(x))
        k->rest += (k->sum - t) + x;
    else
        k->rest += (x - t) + k->sum;
    k->sum = t;
}

static inline double kahan_sum(const struct kahan *k)
{
    return isinf(k->sum) ? k->sum : k->sum + k->rest;
}

#endif
