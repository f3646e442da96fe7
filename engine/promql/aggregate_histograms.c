#include "aggregate_priv.h"
#include "histogram_math_priv.h"

static int tell(struct aggregation *a, const struct histogram_remarks *remarks)
{
    size_t position = annotation_position(a->expr);
    if (remarks->conflict)
        TRY(note_add(a->ev, ANNOTATION_WARNING, position, "conflicting counter resets during histogram aggregation"));
    if (remarks->reconciled)
        TRY(note_add(a->ev, ANNOTATION_INFO, position,
                     "mismatched custom buckets were reconciled during aggregation"));
    return 0;
}

static int finish(struct aggregation *a, const struct histogram *sum, size_t count, struct cell *out)
{
    if (a->expr->aggregate.op == AGG_AVG)
        sum = histogram_divide(&a->ev->scratch, sum, (double)count);
    out->kind = CELL_HISTOGRAM;
    out->histogram = sum != NULL ? histogram_copy(a->ev->arena, sum) : NULL;
    return out->histogram != NULL ? 0 : eval_no_memory(a->ev);
}

int aggregate_histograms(struct aggregation *a, const struct group *group, size_t step, struct cell *out)
{
    const struct histogram *sum = NULL;
    struct histogram_remarks remarks = {0};
    size_t count = 0;
    if (a->expr->aggregate.op != AGG_SUM && a->expr->aggregate.op != AGG_AVG)
        return 0;
    arena_clear(&a->ev->scratch);
    for (size_t i = 0; i < group->member_count; i++) {
        const struct column *c = group->members[i];
        if (c->kinds[step] != CELL_HISTOGRAM)
            continue;
        int code = 0;
        if (count++ == 0)
            sum = c->histograms[step];
        else
            code = histogram_add(&a->ev->scratch, sum, c->histograms[step], 1, &sum, &remarks);
        if (code == HISTOGRAMS_INCOMPATIBLE)
            return note_add(a->ev, ANNOTATION_WARNING, annotation_position(a->expr),
                            "vector contains a mix of histograms with exponential and custom buckets schemas for "
                            "aggregation");
        if (code != 0)
            return eval_no_memory(a->ev);
    }
    TRY(tell(a, &remarks));
    return finish(a, sum, count, out);
}
