#include "plan_priv.h"

#include <math.h>

static int refuse(const struct duration_expr *d, const char *reason, struct err *err)
{
    return err_set(err, ERR_EXEC, "%zu:%zu: %s", d->start, d->end, reason);
}

static int seconds_of(const struct duration_expr *d, const struct duration_context *context, double *out,
                      struct err *err);

static int binary_seconds(const struct duration_expr *d, const struct duration_context *context, double *out,
                          struct err *err)
{
    double a, b;
    TRY(seconds_of(d->left, context, &a, err));
    TRY(seconds_of(d->right, context, &b, err));
    if (b == 0 && (d->op == OP_DIV || d->op == OP_MOD))
        return refuse(d, d->op == OP_DIV ? "division by zero" : "modulo by zero", err);
    switch (d->op) {
    case OP_ADD:
        *out = a + b;
        break;
    case OP_SUB:
        *out = a - b;
        break;
    case OP_MUL:
        *out = a * b;
        break;
    case OP_DIV:
        *out = a / b;
        break;
    case OP_MOD:
        *out = fmod(a, b);
        break;
    case OP_POW:
        *out = pow(a, b);
        break;
    default:
        return refuse(d, "unexpected duration expression operator", err);
    }
    return 0;
}

static int extreme_seconds(const struct duration_expr *d, const struct duration_context *context, double *out,
                           struct err *err)
{
    double a, b;
    TRY(seconds_of(d->left, context, &a, err));
    TRY(seconds_of(d->right, context, &b, err));
    *out = (d->kind == DUR_MIN_OF) == (a < b) ? a : b;
    return 0;
}

static int seconds_of(const struct duration_expr *d, const struct duration_context *context, double *out,
                      struct err *err)
{
    switch (d->kind) {
    case DUR_LITERAL:
        *out = d->seconds;
        return 0;
    case DUR_UNARY:
        TRY(seconds_of(d->left, context, out, err));
        *out = d->op == OP_SUB ? -*out : *out;
        return 0;
    case DUR_PAREN:
        return seconds_of(d->left, context, out, err);
    case DUR_BINARY:
        return binary_seconds(d, context, out, err);
    case DUR_STEP:
        *out = (double)context->step_ms / 1000;
        return 0;
    case DUR_RANGE:
        *out = (double)context->range_ms / 1000;
        return 0;
    case DUR_MIN_OF:
    case DUR_MAX_OF:
        return extreme_seconds(d, context, out, err);
    }
    return refuse(d, "unexpected duration expression", err);
}

static bool is_literal(const struct duration_expr *d)
{
    return d->kind == DUR_LITERAL || (d->kind == DUR_UNARY && is_literal(d->left));
}

int duration_value(const struct duration_expr *d, const struct duration_context *context, int64_t *ms,
                   struct err *err)
{
    *ms = 0;
    if (d == NULL)
        return 0;
    double seconds;
    TRY(seconds_of(d, context, &seconds, err));
    if (isnan(seconds) || isinf(seconds) || fabs(seconds) > 9.2e9)
        return refuse(d, "duration is out of range", err);
    /* Literals are exact to the nanosecond; the value of an expression is cut to milliseconds. */
    *ms = is_literal(d) ? llround(seconds * 1e9) / 1000000 : (int64_t)trunc(seconds * 1000);
    return 0;
}

int duration_value_positive(const struct duration_expr *d, const struct duration_context *context,
                            int64_t *ms, struct err *err)
{
    TRY(duration_value(d, context, ms, err));
    return *ms > 0 ? 0 : refuse(d, "duration must be greater than 0", err);
}
