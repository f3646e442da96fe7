#include "call_priv.h"

#include <math.h>

#define PI 3.14159265358979323846

double math_deg(double v)
{
    return v * 180 / PI;
}

double math_rad(double v)
{
    return v * PI / 180;
}

double math_sgn(double v)
{
    return v < 0 ? -1 : v > 0 ? 1 : v;
}

/* As Go: unlike fmax and fmin, NaN wins over everything but the infinity that is looked for. */
double go_max(double a, double b)
{
    if (isinf(a) && a > 0)
        return a;
    if (isinf(b) && b > 0)
        return b;
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

double go_min(double a, double b)
{
    if (isinf(a) && a < 0)
        return a;
    if (isinf(b) && b < 0)
        return b;
    return isnan(a) || isnan(b) ? NAN : fmin(a, b);
}

static bool take_float(struct cell *cell)
{
    if (cell->kind != CELL_FLOAT)
        cell->kind = CELL_NONE;
    return cell->kind == CELL_FLOAT;
}

int element_clamp(struct call *c, struct cell *cell)
{
    double low = call_param(c, 0), high = call_param(c, 1);
    if (!take_float(cell))
        return 0;
    if (low > high)
        cell->kind = CELL_NONE;
    cell->value = go_max(low, go_min(high, cell->value));
    return 0;
}

int element_clamp_max(struct call *c, struct cell *cell)
{
    if (take_float(cell))
        cell->value = go_min(call_param(c, 0), cell->value);
    return 0;
}

int element_clamp_min(struct call *c, struct cell *cell)
{
    if (take_float(cell))
        cell->value = go_max(call_param(c, 0), cell->value);
    return 0;
}

/* The inverse first, so that round(v, 0.1) does not end in ...0000001. */
int element_round(struct call *c, struct cell *cell)
{
    double inverse = 1 / (c->param_count > 0 ? call_param(c, 0) : 1);
    if (take_float(cell))
        cell->value = floor(cell->value * inverse + 0.5) / inverse;
    return 0;
}
