/* The binomial distribution's upper tail, and what follows from it. */
#include "tocsin/confidence.h"

#include <math.h>

enum { EXACT_FACTORIALS = 15, STEPS_MAX = 200 };

static const double two_pi = 6.283185307179586476925;

/* ---- one probability ---- */

/* ln n! less Stirling's ln(sqrt(2 pi n) (n/e)^n), n > 0. Of small n the factorial is exact; of the others the series is. */
static double stirling_rest(double n)
{
    if (n > EXACT_FACTORIALS) {
        double square = 1 / (n * n);
        return (1. / 12 -
                square * (1. / 360 - square * (1. / 1260 - square * (1. / 1680 - square * (1. / 1188))))) /
               n;
    }
    double factorial = 1;
    for (double i = 2; i <= n; i++)
        factorial *= i;
    return log(factorial) - (n + 0.5) * log(n) + n - 0.5 * log(two_pi);
}

/* x ln(x / mean) + mean - x, x and mean > 0. Near the mean the terms cancel, so it is a series of their difference there. */
static double deviance(double x, double mean)
{
    double difference = x - mean, v = difference / (x + mean);
    if (fabs(v) > 0.1)
        return x * log(x / mean) - difference;
    double sum = difference * v, power = 2 * x * v, square = v * v;
    for (int j = 3; j < STEPS_MAX; j += 2) {
        power *= square;
        double next = sum + power / j;
        if (next == sum)
            break;
        sum = next;
    }
    return sum;
}

/* Exactly k of n; 0 <= k <= n, 0 < p < 1. By how far k and n-k are from what is expected: n! itself would leave no digits of large n. */
static double point(double k, double n, double p)
{
    if (k == 0)
        return exp(n * log1p(-p));
    if (k == n)
        return exp(n * log(p));
    double exponent = stirling_rest(n) - stirling_rest(k) - stirling_rest(n - k) - deviance(k, n * p) -
                      deviance(n - k, n * (1 - p));
    return exp(exponent) * sqrt(n / (two_pi * k * (n - k)));
}

/* ---- sums of them ---- */

/* k and more, k over the mean: each term is smaller than the last. */
static double sum_up(double k, double n, double p)
{
    double term = 1, sum = 1, odds = p / (1 - p);
    for (double j = k; j < n; j++) {
        term *= (n - j) / (j + 1) * odds;
        sum += term;
        if (term < sum * 1e-17)
            break;
    }
    return sum * point(k, n, p);
}

/* k and fewer, k under the mean. */
static double sum_down(double k, double n, double p)
{
    double term = 1, sum = 1, odds = (1 - p) / p;
    for (double j = k; j > 0; j--) {
        term *= j / (n - j + 1) * odds;
        sum += term;
        if (term < sum * 1e-17)
            break;
    }
    return sum * point(k, n, p);
}

double confidence_tail(int64_t at_least, int64_t total, double ratio)
{
    double k = (double)at_least, n = (double)total;
    if (at_least <= 0 || (ratio >= 1 && at_least <= total))
        return 1;
    if (at_least > total || ratio <= 0)
        return 0;
    return k > n * ratio ? sum_up(k, n, ratio) : 1 - sum_down(k - 1, n, ratio);
}

/* ---- bounds ---- */

/* Newton's steps on logarithms, kept between two ratios of which one is under the bound and one over it. */
double confidence_lower(int64_t bad, int64_t total, double alpha)
{
    double k = (double)bad, n = (double)total;
    if (bad <= 0)
        return 0;
    if (bad >= total)
        return exp(log(alpha) / n);
    /* The tail is at most (n e p / k)^k. */
    double low = k / n * exp(log(alpha) / k - 1) * (1 - 1e-9), high = 1, p = k / n;
    for (int i = 0; i < STEPS_MAX; i++) {
        double tail = confidence_tail(bad, total, p);
        if (tail < alpha)
            low = p;
        else
            high = p;
        double slope = k * point(k, n, p) / tail;
        double next = p * exp((log(alpha) - log(tail)) / slope);
        if (!(next > low && next < high))
            next = sqrt(low * high);
        if (fabs(next - p) <= 1e-14 * p)
            return next;
        p = next;
    }
    return low;
}

/* The bound is over the limit if, and only if, the limit's tail is under alpha; which needs no search. */
bool guard_fires(int64_t bad, int64_t total, double limit, double alpha)
{
    return total > 0 && confidence_tail(bad < total ? bad : total, total, limit) < alpha;
}

int64_t guard_bad_min(int64_t total, double limit, double alpha)
{
    int64_t low = 0, high = total + 1; /* low never fires, high does or is one too many */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (guard_fires(middle, total, limit, alpha))
            high = middle;
        else
            low = middle;
    }
    return total > 0 ? high : 1;
}
