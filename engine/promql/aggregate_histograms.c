#include "aggregate_priv.h"

static int tell(struct aggregation *a, const struct histogram_remarks *remarks)
{
    size_t position = annotation_position(a->expr);
    if (remarks->conflict)
        TRY(note_add(a->ev, ANNOTATION_WARNING, position,
                     "conflicting counter resets during histogram aggregation"));
    if (remarks->reconciled)
        TRY(note_add(a->ev, ANNOTATION_INFO, position,
                     "mismatched custom buckets were reconciled during aggregation"));
    return 0;
}

static int finish(struct aggregation *a, const struct histogram_total *total, struct cell *out)
{
    const struct histogram *sum = histogram_total_finish(&a->ev->scratch, total);
    out->kind = CELL_HISTOGRAM;
    out->histogram = sum != NULL ? histogram_copy(a->ev->arena, sum) : NULL;
    return out->histogram != NULL ? 0 : eval_no_memory(a->ev);
}

static size_t count_histograms(const struct group *group, size_t step)
{
    size_t count = 0;
    for (size_t i = 0; i < group->member_count; i++)
        count += group->members[i]->kinds[step] == CELL_HISTOGRAM;
    return count;
}

/* An average adds up parts, so that it does not overflow where the sum would. */
static int add_member(struct aggregation *a, const struct histogram *h, size_t count,
                      struct histogram_total **total, struct histogram_remarks *remarks)
{
    struct arena *scratch = &a->ev->scratch;
    if (a->expr->aggregate.op == AGG_AVG)
        h = histogram_divide(scratch, h, (double)count);
    return h != NULL ? histogram_total_add(scratch, total, h, remarks) : ERR_LIMIT;
}

int aggregate_histograms(struct aggregation *a, const struct group *group, size_t step, struct cell *out)
{
    struct histogram_total *total = NULL;
    struct histogram_remarks remarks = {0};
    size_t count = count_histograms(group, step);
    if (a->expr->aggregate.op != AGG_SUM && a->expr->aggregate.op != AGG_AVG)
        return 0;
    arena_clear(&a->ev->scratch);
    for (size_t i = 0; i < group->member_count; i++) {
        const struct column *c = group->members[i];
        if (c->kinds[step] != CELL_HISTOGRAM)
            continue;
        int code = add_member(a, c->histograms[step], count, &total, &remarks);
        if (code == HISTOGRAMS_INCOMPATIBLE)
            return note_add(
                a->ev, ANNOTATION_WARNING, annotation_position(a->expr),
                "vector contains a mix of histograms with exponential and custom buckets schemas for "
                "aggregation");
        if (code != 0)
            return eval_no_memory(a->ev);
    }
    TRY(tell(a, &remarks));
    return finish(a, total, out);
}
