/* What the books say. */
#include "budget_priv.h"

#include <stdlib.h>

/* ---- windows ---- */

static int compare_lengths(const void *a, const void *b)
{
    const struct ledger_window *x = a, *y = b;
    return x->length_ms < y->length_ms ? -1 : x->length_ms > y->length_ms;
}

static struct ledger_window *windows_of(const struct objective *objective, struct arena *arena, size_t *count)
{
    static const int64_t usual_ms[] = {LEDGER_DAY_MS / 24, LEDGER_DAY_MS / 4, LEDGER_DAY_MS,
                                       3 * LEDGER_DAY_MS};
    struct ledger_window *windows = ARENA_ARRAY(arena, struct ledger_window, 2 * objective->tier_count + 4);
    size_t all = 0;
    *count = 0;
    if (windows == NULL)
        return NULL;
    for (size_t i = 0; i < objective->tier_count; i++) {
        windows[all++].length_ms = objective->tiers[i].short_ms;
        windows[all++].length_ms = objective->tiers[i].long_ms;
    }
    for (size_t i = 0; objective->tier_count == 0 && i < 4; i++)
        windows[all++].length_ms = usual_ms[i];
    qsort(windows, all, sizeof *windows, compare_lengths);
    for (size_t i = 0; i < all; i++)
        if (*count == 0 || windows[*count - 1].length_ms != windows[i].length_ms)
            windows[(*count)++] = windows[i];
    return windows;
}

/* ---- one objective ---- */

static int64_t asked_ms(const struct book *book, int64_t at_ms)
{
    return slice_of(at_ms < book->next_ms ? at_ms : book->next_ms, book->terms.slice_ms);
}

static int compare_accounts(const void *a, const void *b)
{
    const struct account *const *x = a, *const *y = b;
    return labels_compare((*x)->labels, (*y)->labels);
}

static int report_group(const struct book *book, struct account *account, int64_t at_ms, struct arena *arena,
                        struct budget_group *out)
{
    out->labels = labels_copy(arena, account->labels);
    out->windows = windows_of(book->objective, arena, &out->window_count);
    if (out->labels == NULL || out->windows == NULL)
        return ERR_LIMIT;
    ledger_figures(account->ledger, &book->objective->period, book->zone, asked_ms(book, at_ms), out->windows,
                   out->window_count, &out->figures);
    return 0;
}

static int report_groups(const struct book *book, int64_t at_ms, struct arena *arena,
                         struct budget_report *out)
{
    struct account **sorted = arena_copy(arena, book->accounts, book->account_count, sizeof *sorted);
    out->groups = ARENA_ARRAY(arena, struct budget_group, book->account_count);
    if (sorted == NULL || out->groups == NULL)
        return ERR_LIMIT;
    qsort(sorted, book->account_count, sizeof *sorted, compare_accounts);
    for (size_t i = 0; i < book->account_count; i++)
        if (report_group(book, sorted[i], at_ms, arena, &out->groups[out->group_count++]) != 0)
            return ERR_LIMIT;
    return 0;
}

static int report_corrections(const struct book *book, struct arena *arena, struct budget_report *out)
{
    struct ledger_correction *copy =
        arena_copy(arena, book->corrections, book->correction_count, sizeof *copy);
    out->corrections = copy;
    for (size_t i = 0; copy != NULL && i < book->correction_count; i++) {
        copy[i].author = str_copy(arena, copy[i].author);
        copy[i].reason = str_copy(arena, copy[i].reason);
        out->correction_count++;
    }
    return copy != NULL ? 0 : ERR_LIMIT;
}

static int report_book(const struct book *book, int64_t at_ms, struct arena *arena, struct budget_report *out)
{
    const struct objective *objective = book->objective;
    *out = (struct budget_report){
        .objective = str_copy(arena, objective->id),
        .service = str_copy(arena, objective->service),
        .name = str_copy(arena, objective->name),
        .target = objective->target,
        .budgeting = objective->budgeting,
        .counts_events = book->terms.events,
        .epoch = book->epochs[book->epoch_count - 1].number,
        .next_ms = book->next_ms,
        .settled_ms = book->settled_ms,
        .error = str_copy(arena, str_of(book->error.text)),
        .unmatched = book->unmatched,
        .refused = book->refused,
    };
    int rc = report_groups(book, at_ms, arena, out);
    return rc == 0 ? report_corrections(book, arena, out) : rc;
}

int budgets_report(struct budgets *budgets, int64_t at_ms, struct arena *arena,
                   struct budget_report **reports, size_t *count)
{
    int rc = 0;
    *count = 0;
    lock_take(&budgets->lock);
    *reports = ARENA_ARRAY(arena, struct budget_report, budgets->count);
    for (size_t i = 0; *reports != NULL && rc == 0 && i < budgets->count; i++)
        rc = report_book(budgets->books[i], at_ms, arena, &(*reports)[(*count)++]);
    lock_drop(&budgets->lock);
    return rc == 0 && !arena_exhausted(arena) ? 0 : ERR_LIMIT;
}
