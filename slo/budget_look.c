/* One look at one slice. */
#include "budget_priv.h"

#include <math.h>

static bool has_labels(const void *item, const void *key)
{
    const struct found *found = item;
    return labels_equal(found->labels, key);
}

static struct found *found_of(struct look *look, const struct labels *labels)
{
    struct found *found = map_find(&look->by_labels, labels->hash, has_labels, labels);
    if (found != NULL)
        return found;
    found = ARENA_NEW(&look->arena, struct found);
    if (found == NULL)
        return NULL;
    found->labels = labels;
    map_add(&look->by_labels, labels->hash, found);
    return found;
}

/* ---- results ---- */

static double worst(const struct indicator *in, double a, double b)
{
    bool low_is_good =
        in->kind == INDICATOR_RATIO || in->compare == COMPARE_LESS || in->compare == COMPARE_LESS_EQUAL;
    if (isnan(a) || isnan(b))
        return isnan(a) ? b : a;
    return low_is_good == (a > b) ? a : b;
}

static void take_value(const struct objective *objective, double value, bool more, bool events, double *to)
{
    *to = !more ? value : events ? *to + value : worst(&objective->indicator, *to, value);
}

static int take_point(struct look *look, const struct book *book, const struct labels *labels,
                      const struct promql_point *point, bool is_total)
{
    const struct objective *objective = book->objective;
    const struct labels *key = labels_keep(&look->arena, labels, objective->by, objective->by_count);
    struct found *found = key != NULL ? found_of(look, key) : NULL;
    double value = point->histogram == NULL ? point->value : (double)NAN;
    if (found == NULL)
        return ERR_LIMIT;
    if (is_total) {
        take_value(objective, value, found->has_total, true, &found->total);
        found->has_total = true;
    } else {
        take_value(objective, value, found->has_counted, book->terms.events, &found->counted);
        found->has_counted = true;
    }
    return 0;
}

static int take_result(struct look *look, const struct book *book, const struct promql_result *result,
                       bool is_total, struct err *err)
{
    int rc = 0;
    if (result->type == PROMQL_SCALAR) {
        struct promql_point point = {result->t_ms, result->scalar, NULL};
        const struct labels *none = labels_empty(&look->arena);
        rc = none != NULL ? take_point(look, book, none, &point, is_total) : ERR_LIMIT;
    } else if (result->type != PROMQL_VECTOR) {
        return err_set(err, ERR_EXEC, "the result is not a vector or scalar");
    }
    for (size_t i = 0; rc == 0 && result->type == PROMQL_VECTOR && i < result->count; i++)
        rc = take_point(look, book, result->series[i].labels, &result->series[i].points[0], is_total);
    return rc == 0 ? 0 : err_set(err, rc, "the results take more memory than query_arena_bytes allows");
}

static int ask(struct look *look, const struct book *book, struct view *view, int64_t end_ms, bool is_total,
               struct err *err)
{
    struct promql_result result;
    const struct promql *promql = is_total ? book->total.promql : book->counted.promql;
    int rc = promql_instant(promql, view, end_ms, &look->arena, &result, err);
    return rc == 0 ? take_result(look, book, &result, is_total, err) : rc;
}

/* ---- slices ---- */

static bool keeps_threshold(const struct indicator *in, double value)
{
    return in->compare == COMPARE_LESS         ? value < in->threshold
           : in->compare == COMPARE_LESS_EQUAL ? value <= in->threshold
           : in->compare == COMPARE_GREATER    ? value > in->threshold
                                               : value >= in->threshold;
}

/* What none of is there while the total is: no bad ones, or no good ones. Bad ones of no total are nobody's. */
static struct ledger_slice events_of(struct look *look, const struct indicator *in, const struct found *found)
{
    double counted = found->has_counted && !isnan(found->counted) ? found->counted : 0;
    double bad = in->kind == INDICATOR_GOOD ? found->total - counted : counted;
    if (found->has_total)
        return ledger_slice_events(bad, found->total);
    look->unmatched += counted > 0;
    return (struct ledger_slice){.odd = counted > 0};
}

static struct ledger_slice slice_from(struct look *look, const struct indicator *in,
                                      const struct found *found)
{
    if (in->kind == INDICATOR_RATIO)
        return ledger_slice_share(found->counted);
    if (in->kind != INDICATOR_THRESHOLD)
        return events_of(look, in, found);
    if (isnan(found->counted))
        return (struct ledger_slice){.known = false};
    return ledger_slice_verdict(!keeps_threshold(in, found->counted));
}

/* ---- into the ledgers ---- */

static bool has_room(struct budgets *budgets, struct book *book)
{
    size_t held = 0;
    for (size_t i = 0; i < budgets->count; i++)
        held += budgets->books[i]->account_count * book_account_slices(budgets->books[i]);
    if (held + book_account_slices(book) <= (size_t)limits.budget_slices)
        return true;
    static struct log_rate rate;
    book->refused++;
    limit_hit(LIMIT_budget_slices);
    if (log_allowed(&rate, budgets->options.world->mono_ns(budgets->options.world)))
        log_warn("a group of an objective has no budget: limits.budget_slices",
                 LOG_STR("objective", book->objective->id));
    return false;
}

static bool same(struct ledger_slice a, struct ledger_slice b)
{
    return a.known == b.known && a.odd == b.odd && a.bad == b.bad && a.total == b.total;
}

/* Counters must not go back. */
static void count_events(struct account *account, struct ledger_slice before, struct ledger_slice now)
{
    double bad = now.bad - before.bad, good = now.total - now.bad - (before.total - before.bad);
    account->bad += bad > 0 ? bad : 0;
    account->good += good > 0 ? good : 0;
}

/* True if it is news. What was known is not given up for nothing. */
static bool enter(struct book *book, struct account *account, int64_t begin_ms, struct ledger_slice slice)
{
    struct ledger_slice before = ledger_get(account->ledger, begin_ms);
    if (same(before, slice) || (before.known && !slice.known))
        return false;
    ledger_put(account->ledger, begin_ms, slice);
    book_soil(book, account, begin_ms);
    count_events(account, before, slice);
    return true;
}

static void enter_all(struct budgets *budgets, struct look *look, struct book *book, int64_t begin_ms,
                      bool *changed, bool *known)
{
    struct found *found;
    for (size_t at = 0; (found = map_next(&look->by_labels, &at)) != NULL;) {
        struct ledger_slice slice = slice_from(look, &book->objective->indicator, found);
        struct account *account = book_account(book, found->labels);
        if (account == NULL && slice.known && has_room(budgets, book))
            account = book_add_account(book, found->labels);
        if (account != NULL)
            *changed |= enter(book, account, begin_ms, slice);
        *known |= slice.known;
    }
    book->unmatched += look->unmatched;
}

static void complain(struct budgets *budgets, const struct book *book)
{
    static struct log_rate rate;
    if (log_allowed(&rate, budgets->options.world->mono_ns(budgets->options.world)))
        log_warn("a slice of an objective was not evaluated", LOG_STR("objective", book->objective->id),
                 LOG_ERR(&book->error));
}

void book_look(struct budgets *budgets, struct book *book, int64_t begin_ms, bool *changed, bool *known)
{
    struct look look = {.options = &budgets->options};
    struct err err = {0};
    int64_t end_ms = begin_ms + book->terms.slice_ms;
    *changed = *known = false;
    arena_init(&look.arena, (size_t)limits.query_arena_bytes);
    map_init(&look.by_labels);
    struct view *view = view_open(budgets->options.store);
    int rc = ask(&look, book, view, end_ms, false, &err);
    if (rc == 0 && book->terms.events)
        rc = ask(&look, book, view, end_ms, true, &err);
    lock_take(&budgets->lock);
    book->error = err;
    if (rc == 0)
        enter_all(budgets, &look, book, begin_ms, changed, known);
    lock_drop(&budgets->lock);
    view_close(view);
    if (rc != 0)
        complain(budgets, book);
    map_release(&look.by_labels);
    arena_release(&look.arena);
}
