/* What a query of an objective looks at, and how its results are told apart. */
#include "slo_priv.h"

#include "tocsin/promql_func.h"

#include <stdlib.h>

enum { MINUTE_MS = 60 * 1000, WORK_BYTES = 1 << 24 };

/* ---- by which labels results are told apart ---- */

enum certainty { LABELS_NONE_ASKED, LABELS_KNOWN, LABELS_UNKNOWN }; /* the first one: a number */

struct grouping {
    enum certainty certainty;
    struct name_list labels;
};

static const struct grouping unknown = {LABELS_UNKNOWN, {NULL, 0}};

static bool has_all(const struct name_list *of, const struct name_list *in)
{
    for (size_t i = 0; i < of->count; i++) {
        bool found = false;
        for (size_t j = 0; j < in->count && !found; j++)
            found = str_eq(of->items[i], in->items[j]);
        if (!found)
            return false;
    }
    return true;
}

/* Of two vectors: what is known of both, if it is the same. */
static struct grouping same_of(struct grouping a, struct grouping b)
{
    bool same = a.certainty == LABELS_KNOWN && b.certainty == LABELS_KNOWN && has_all(&a.labels, &b.labels) &&
                has_all(&b.labels, &a.labels);
    return same ? a : unknown;
}

static struct grouping grouping_of(const struct expr *e);

static struct grouping grouping_of_binary(const struct expr *e)
{
    struct grouping left = grouping_of(e->binary.left), right = grouping_of(e->binary.right);
    enum promql_op op = e->binary.op;
    if (left.certainty == LABELS_NONE_ASKED)
        return right;
    if (right.certainty == LABELS_NONE_ASKED || op == OP_AND || op == OP_UNLESS)
        return left;
    if (op != OP_OR && e->binary.matching != NULL && e->binary.matching->card != CARD_ONE_TO_ONE)
        return unknown;
    return same_of(left, right);
}

static struct grouping grouping_of_aggregate(const struct expr *e)
{
    switch (e->aggregate.op) {
    case AGG_TOPK:
    case AGG_BOTTOMK:
    case AGG_LIMITK:
    case AGG_LIMIT_RATIO:
    case AGG_COUNT_VALUES:
        return unknown;
    default:
        return e->aggregate.without ? unknown : (struct grouping){LABELS_KNOWN, e->aggregate.labels};
    }
}

/* Trees are no higher than PROMQL_HEIGHT_MAX. */
static struct grouping grouping_of(const struct expr *e)
{
    if (e->type == PROMQL_SCALAR)
        return (struct grouping){LABELS_NONE_ASKED, {NULL, 0}};
    switch (e->kind) {
    case EXPR_PAREN:
        return grouping_of(e->paren.inner);
    case EXPR_UNARY:
        return grouping_of(e->unary.inner);
    case EXPR_BINARY:
        return grouping_of_binary(e);
    case EXPR_AGGREGATE:
        return grouping_of_aggregate(e);
    case EXPR_CALL:
        return str_is(str_of(e->call.function->name), "vector") ? (struct grouping){LABELS_KNOWN, {NULL, 0}}
                                                                : unknown;
    default:
        return unknown;
    }
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

size_t slo_unique(struct str *texts, size_t count)
{
    size_t kept = 0;
    if (count > 0)
        qsort(texts, count, sizeof *texts, by_text);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !str_eq(texts[kept - 1], texts[i]))
            texts[kept++] = texts[i];
    return kept;
}

static void keep_grouping(struct arena *arena, const struct expr *e, struct slo_look *out)
{
    struct grouping g = grouping_of(e);
    out->by = ARENA_ARRAY(arena, struct str, g.labels.count);
    out->grouping_known = g.certainty == LABELS_KNOWN && out->by != NULL;
    for (size_t i = 0; i < g.labels.count && out->grouping_known; i++)
        out->by[i] = str_copy(arena, g.labels.items[i]);
    out->by_count = out->grouping_known ? slo_unique(out->by, g.labels.count) : 0;
}

void objective_take_grouping(struct objective *o, const struct slo_look *counted,
                             const struct slo_look *total)
{
    bool known = counted->grouping_known || (total != NULL && total->grouping_known);
    const struct slo_look *which = total != NULL && total->grouping_known ? total : counted;
    if (o->by_count > 0 || !known)
        return;
    o->by = which->by;
    o->by_count = which->by_count;
}

static bool same_labels(const struct str *a, size_t a_count, const struct str *b, size_t b_count)
{
    for (size_t i = 0; i < a_count && a_count == b_count; i++)
        if (!str_eq(a[i], b[i]))
            return false;
    return a_count == b_count;
}

static bool fits(const struct objective *o, const struct slo_look *look)
{
    return !look->grouping_known || same_labels(o->by, o->by_count, look->by, look->by_count);
}

int objective_fit_grouping(struct objective *o, const struct slo_look *counted, const struct slo_look *total,
                           struct err *err)
{
    objective_take_grouping(o, counted, total);
    if (fits(o, counted) && (total == NULL || fits(o, total)))
        return 0;
    return err_set(
        err, ERR_PARSE,
        "the queries' results do not have the same labels, or not those that `by` names: group all by "
        "the same labels, such as `sum by (a) (...)`, and say `by: [a]`");
}

/* ---- looking ---- */

/* Two windows make two texts of a query that looks at them. */
static int fill_in(struct arena *arena, struct str query, struct str *text, struct slo_look *out,
                   struct err *err)
{
    struct str other;
    int rc = objective_query(arena, query, MINUTE_MS, text, err);
    rc = rc == 0 ? objective_query(arena, query, 2 * MINUTE_MS, &other, err) : rc;
    out->uses_window = rc == 0 && !str_eq(*text, other);
    return rc;
}

static int look(struct arena *work, struct arena *arena, struct str query, struct slo_look *out,
                struct err *err)
{
    struct str text;
    struct expr *e;
    int rc = fill_in(work, query, &text, out, err);
    rc = rc == 0 ? promql_parse(work, text, &promql_features_all, &e, err) : rc;
    if (rc != 0)
        return rc;
    if (e->type == PROMQL_VECTOR)
        keep_grouping(arena, e, out);
    else
        rc = err_set(err, ERR_PARSE, "its result must be an instant vector, not a %s",
                     promql_type_name(e->type));
    promql_free(e);
    return rc;
}

int slo_query_look(struct arena *arena, struct str query, struct slo_look *out, struct err *err)
{
    struct arena work;
    *out = (struct slo_look){0};
    arena_init(&work, WORK_BYTES);
    int rc = query.n > 0 ? look(&work, arena, query, out, err) : err_set(err, ERR_PARSE, "is empty");
    arena_release(&work);
    return rc;
}
