#include "call_priv.h"
#include "held_priv.h"

/* info(): series enriched with the labels of the info series that tell of the same instance and job. */

static const struct str identifying[] = {{"instance", 8}, {"job", 3}};
enum { IDENTIFYING_COUNT = 2 };

/* One info series: labels, and the time of its newest sample at each step. */
struct info_series {
    const struct column *column;
    size_t identity; /* number in identities */
    size_t metric;   /* number in metrics: one info metric of one identity */
};

struct enrichment {
    struct call *c;
    const struct expr *selector; /* of the info series */
    struct vector base, infos;
    struct label_index identities, metrics;
    struct info_series *series;
    size_t *newest; /* per metric, for the step at hand: which info series counts; SIZE_MAX: none */
    struct label_index out_labels;
    struct vector *out;
};

static bool is_name(struct str label)
{
    return str_is(label, LABEL_METRIC_NAME);
}

/* ---- where the info series are read ---- */

/* One shift after the other. */
static void add_shift(struct shift *sum, const struct shift *s)
{
    if (s->fixed)
        *sum = *s;
    else
        sum->offset_ms += s->offset_ms;
}

/* The shifts on the way to the first selector of e. *found: there is one. */
static int shift_of_first(struct evaluation *ev, const struct expr *e, struct shift *sum, bool *found)
{
    struct shift own = {0}, before = *sum;
    *found = e->kind == EXPR_SELECTOR;
    if (e->kind == EXPR_SELECTOR || e->kind == EXPR_SUBQUERY)
        TRY(shift_resolve(ev, e->kind == EXPR_SELECTOR ? &e->selector.shift : &e->subquery.shift, &own));
    add_shift(sum, &own);
    for (size_t i = 0; !*found && promql_child(e, i) != NULL; i++)
        TRY(shift_of_first(ev, promql_child(e, i), sum, found));
    if (!*found)
        *sum = before;
    return 0;
}

/* An info series is not explained by info series. */
static bool is_info(const struct enrichment *n, const struct labels *ls)
{
    const struct expr *s = n->selector;
    for (size_t i = 0; i < s->selector.matcher_count; i++) {
        const struct matcher *m = &s->selector.matchers[i];
        if (is_name(m->name) && !matcher_matches(m, labels_metric(ls)))
            return false;
    }
    return true;
}

/* The values of one identifying label among the series to be enriched. */
static int collect_values(struct enrichment *n, const struct str *label, struct label_index *values)
{
    for (size_t i = 0; i < n->base.count; i++) {
        const struct labels *ls = n->base.items[i]->labels;
        size_t number;
        if (labels_has(ls, *label) && !is_info(n, ls))
            TRY(label_index_add(n->c->ev, values, labels_keep(n->c->ev->arena, ls, label, 1), &number));
    }
    return 0;
}

static int fits(struct evaluation *ev, const struct labels *info, const struct label_index *values,
                bool *wanted)
{
    *wanted = true;
    for (size_t k = 0; *wanted && k < IDENTIFYING_COUNT; k++) {
        const struct labels *own = labels_keep(ev->arena, info, &identifying[k], 1);
        if (own == NULL)
            return eval_no_memory(ev);
        *wanted = values[k].count == 0 || label_index_find(&values[k], own) != SIZE_MAX;
    }
    return 0;
}

/* Only info series whose identifying labels have values that occur: of those labels that occur at all. */
static int select_infos(struct enrichment *n, struct series_set *set)
{
    struct evaluation *ev = n->c->ev;
    struct label_index values[IDENTIFYING_COUNT] = {{0}};
    size_t kept = 0, occurring = 0;
    for (size_t k = 0; k < IDENTIFYING_COUNT; k++) {
        TRY(collect_values(n, &identifying[k], &values[k]));
        occurring += values[k].count > 0;
    }
    TRY(eval_series(ev, n->selector, set));
    series_ref *refs = ARENA_ARRAY(ev->arena, series_ref, set->count);
    if (refs == NULL)
        return eval_no_memory(ev);
    for (size_t i = 0; occurring > 0 && i < set->count; i++) {
        bool wanted;
        TRY(fits(ev, view_labels(ev->view, set->refs[i]), values, &wanted));
        if (wanted)
            refs[kept++] = set->refs[i];
    }
    *set = (struct series_set){.refs = refs, .count = kept, .untyped = set->untyped};
    return 0;
}

static int read_infos(struct enrichment *n)
{
    struct call *c = n->c;
    struct shift shift = {0};
    struct grid g = *c->grid;
    bool found;
    struct vector values = {0};
    struct series_set set;
    TRY(select_infos(n, &set));
    TRY(shift_of_first(c->ev, call_arg(c, 0), &shift, &found));
    g.start_ms = shift_time(&shift, g.start_ms);
    g.step_ms = shift.fixed ? 0 : g.step_ms;
    TRY(eval_selected(c->ev, n->selector, &g, SELECT_VALUE, &set, &values));
    for (size_t i = 0; i < values.count; i++)
        if (values.items[i]->histograms != NULL)
            return eval_fail(c->ev, ERR_EXEC, "this should be an info metric, with float samples: %.*s",
                             STR_ARG(labels_metric(values.items[i]->labels)));
    TRY(held_as_input(c->ev, &values, &g, false));
    /* Read once more, counted once. */
    struct tally *tally = c->ev->tally;
    c->ev->tally = NULL;
    int code = eval_selected(c->ev, n->selector, &g, SELECT_TIME, &set, &n->infos);
    c->ev->tally = tally;
    return code;
}

/* ---- which belong together ---- */

static int identify(struct enrichment *n)
{
    struct evaluation *ev = n->c->ev;
    const struct str with_name[] = {
        {LABEL_METRIC_NAME, sizeof LABEL_METRIC_NAME - 1}, identifying[0], identifying[1]};
    n->series = ARENA_ARRAY(ev->arena, struct info_series, n->infos.count);
    n->newest = ARENA_ARRAY(ev->arena, size_t, n->infos.count);
    if (n->series == NULL || n->newest == NULL)
        return eval_no_memory(ev);
    for (size_t i = 0; i < n->infos.count; i++) {
        struct info_series *s = &n->series[i];
        const struct labels *ls = n->infos.items[i]->labels;
        s->column = n->infos.items[i];
        TRY(label_index_add(ev, &n->identities, labels_keep(ev->arena, ls, identifying, IDENTIFYING_COUNT),
                            &s->identity));
        TRY(label_index_add(ev, &n->metrics, labels_keep(ev->arena, ls, with_name, IDENTIFYING_COUNT + 1),
                            &s->metric));
    }
    return 0;
}

static int twins(struct enrichment *n, const struct info_series *s)
{
    struct buf text;
    buf_init(&text, ERR_TEXT_MAX);
    labels_print(&text, s->column->labels);
    int code = eval_fail(n->c->ev, ERR_EXEC, "found duplicate series for info metric: %s", buf_text(&text));
    buf_release(&text);
    return code;
}

/* Of several series of one info metric and identity the one with the newest sample counts. */
static int choose_newest(struct enrichment *n, size_t step)
{
    for (size_t i = 0; i < n->metrics.count; i++)
        n->newest[i] = SIZE_MAX;
    for (size_t i = 0; i < n->infos.count; i++) {
        const struct info_series *s = &n->series[i];
        size_t *newest = &n->newest[s->metric];
        if (s->column->kinds[step] == CELL_NONE)
            continue;
        double t = s->column->values[step];
        double known = *newest == SIZE_MAX ? 0 : n->series[*newest].column->values[step];
        if (*newest != SIZE_MAX && t == known)
            return twins(n, s);
        if (*newest == SIZE_MAX || t > known)
            *newest = i;
    }
    return 0;
}

/* ---- labels ---- */

static const struct expr *data_selector(const struct enrichment *n)
{
    return n->c->expr->call.args.count > 1 ? expr_unwrap(call_arg(n->c, 1)) : NULL;
}

/* With matchers of data labels, only those labels are taken over. */
static bool wants_label(const struct enrichment *n, struct str name)
{
    const struct expr *data = data_selector(n);
    bool any = false;
    for (size_t i = 0; data != NULL && i < data->selector.matcher_count; i++) {
        const struct matcher *m = &data->selector.matchers[i];
        any |= !is_name(m->name);
        if (str_eq(m->name, name))
            return true;
    }
    return !any;
}

/* Can a series without info series stay? */
static bool needs_info(const struct enrichment *n)
{
    const struct expr *data = data_selector(n);
    for (size_t i = 0; data != NULL && i < data->selector.matcher_count; i++) {
        const struct matcher *m = &data->selector.matchers[i];
        if (!is_name(m->name) && !matcher_matches_empty(m))
            return true;
    }
    return false;
}

static int take_labels(struct enrichment *n, const struct labels *base, const struct labels *info,
                       const struct labels **sum)
{
    for (size_t i = 0; i < info->count; i++) {
        struct label l = info->item[i];
        if (is_name(l.name) || labels_has(base, l.name) || !wants_label(n, l.name))
            continue;
        struct str known = labels_get(*sum, l.name);
        if (known.n > 0 && !str_eq(known, l.value))
            return eval_fail(n->c->ev, ERR_EXEC, "conflicting label: %.*s", STR_ARG(l.name));
        *sum = labels_with(n->c->ev->arena, *sum, l.name, l.value);
        if (*sum == NULL)
            return eval_no_memory(n->c->ev);
    }
    return 0;
}

/* ---- enriching ---- */

static int put(struct enrichment *n, const struct column *base, const struct labels *ls, size_t step)
{
    struct evaluation *ev = n->c->ev;
    struct cell cell = column_get(base, step);
    struct column *column;
    size_t number;
    TRY(label_index_add(ev, &n->out_labels, ls, &number));
    if (number == n->out->count)
        TRY(vector_add(ev, n->out, n->c->grid, ls, base->drop_name, &column));
    column = n->out->items[number];
    if (column->kinds[step] != CELL_NONE)
        return eval_fail(ev, ERR_EXEC, "vector cannot contain metrics with the same labelset");
    return column_set(ev, column, n->c->grid, step, &cell);
}

static int enrich_cell(struct enrichment *n, const struct column *base, size_t identity, size_t step)
{
    const struct labels *ls = base->labels;
    bool met = false;
    if (is_info(n, base->labels))
        return put(n, base, ls, step);
    for (size_t i = 0; i < n->metrics.count && identity != SIZE_MAX; i++) {
        if (n->newest[i] == SIZE_MAX || n->series[n->newest[i]].identity != identity)
            continue;
        met = true;
        TRY(take_labels(n, base->labels, n->series[n->newest[i]].column->labels, &ls));
    }
    return met || !needs_info(n) ? put(n, base, ls, step) : 0;
}

/* SIZE_MAX: no info series tells of the same instance and job. */
static int identity_of(struct enrichment *n, const struct labels *ls, size_t *identity)
{
    const struct labels *own = labels_keep(n->c->ev->arena, ls, identifying, IDENTIFYING_COUNT);
    if (own == NULL)
        return eval_no_memory(n->c->ev);
    *identity = own->count > 0 ? label_index_find(&n->identities, own) : SIZE_MAX;
    return 0;
}

int call_info(struct call *c, struct vector *out)
{
    struct enrichment n = {.c = c, .out = out, .selector = plan_node(c->ev->q, c->expr)->info};
    TRY(eval_vector(c->ev, call_arg(c, 0), c->grid, &n.base));
    TRY(read_infos(&n));
    TRY(identify(&n));
    size_t *identities = ARENA_ARRAY(c->ev->arena, size_t, n.base.count);
    if (identities == NULL)
        return eval_no_memory(c->ev);
    for (size_t i = 0; i < n.base.count; i++)
        TRY(identity_of(&n, n.base.items[i]->labels, &identities[i]));
    for (size_t step = 0; step < c->grid->count; step++) {
        TRY(choose_newest(&n, step));
        for (size_t i = 0; i < n.base.count; i++)
            if (n.base.items[i]->kinds[step] != CELL_NONE)
                TRY(enrich_cell(&n, n.base.items[i], identities[i], step));
    }
    return 0;
}
