/* When slices are looked at: first when their data have come, then again until they are settled. */
#include "budget_priv.h"

enum {
    POLL_MS = 1000,
    OUTAGE_MS = 24 * 3600 * 1000 /* what is older when it is looked at first is not waited for */
};

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From when on nothing is expected of a slice any more. After a pause of ours senders have time to send what they kept. */
static int64_t settles_ms(const struct book *book, const struct budgets_options *options, int64_t begin_ms)
{
    int64_t end_ms = begin_ms + book->terms.slice_ms;
    if (end_ms < book->opened_ms - OUTAGE_MS)
        return INT64_MIN;
    return most(end_ms, book->opened_ms) + options->late_ms;
}

static size_t quiet_at(const struct book *book, int64_t begin_ms)
{
    return (size_t)((begin_ms - book->settled_ms) / book->terms.slice_ms);
}

static bool is_known(const struct book *book, int64_t begin_ms)
{
    for (size_t i = 0; i < book->account_count; i++)
        if (ledger_get(book->accounts[i]->ledger, begin_ms).known)
            return true;
    return false;
}

/* Where the store may have let go of samples, what is known is worth more than another look. */
static bool may_look(const struct book *book, const struct budgets_options *options, int64_t begin_ms,
                     int64_t now_ms)
{
    int64_t held_ms = options->late_ms + book->terms.slice_ms;
    return begin_ms + book->terms.slice_ms >= now_ms - held_ms || !is_known(book, begin_ms);
}

/* ---- the first look ---- */

static void note_next(struct book *book)
{
    size_t at = quiet_at(book, book->next_ms);
    if (at >= book->quiet_capacity) {
        book->quiet_capacity = 2 * at + 16;
        book->quiet = mem_resize(book->quiet, book->quiet_capacity, 1);
    }
    book->quiet[at] = 0;
    book->next_ms += book->terms.slice_ms;
    book->not_before_ms = 0;
    book->dirty = true;
    book_forget_waits(book);
}

static bool look_first(struct budgets *budgets, struct book *book, int64_t now_ms)
{
    bool changed, known;
    int64_t end_ms = book->next_ms + book->terms.slice_ms, until_ms = INT64_MAX;
    if (end_ms > now_ms || now_ms < book->not_before_ms)
        return false;
    if (!book_arrived(book, &budgets->options, end_ms, now_ms, &until_ms)) {
        book->not_before_ms = until_ms < now_ms + POLL_MS ? until_ms : now_ms + POLL_MS;
        return false;
    }
    book_look(budgets, book, book->next_ms, &changed, &known);
    lock_take(&budgets->lock);
    note_next(book);
    lock_drop(&budgets->lock);
    return true;
}

/* ---- looks after that ---- */

static void look_again(struct budgets *budgets, struct book *book, int64_t begin_ms)
{
    bool changed, known;
    book_look(budgets, book, begin_ms, &changed, &known);
    book->quiet[quiet_at(book, begin_ms)] = known && !changed;
}

static bool look_pass(struct budgets *budgets, struct book *book, int64_t now_ms)
{
    if (book->pass_ms == INT64_MAX && now_ms < book->next_pass_ms)
        return false;
    int64_t at_ms = book->pass_ms == INT64_MAX ? book->settled_ms : most(book->pass_ms, book->settled_ms);
    int64_t stop_ms = most(book->next_ms - book->terms.slice_ms, book->settled_ms);
    for (; at_ms < stop_ms; at_ms += book->terms.slice_ms) {
        if (book->quiet[quiet_at(book, at_ms)] != 0 || !may_look(book, &budgets->options, at_ms, now_ms))
            continue;
        look_again(budgets, book, at_ms);
        book->pass_ms = at_ms + book->terms.slice_ms;
        return true;
    }
    book->pass_ms = INT64_MAX;
    book->next_pass_ms = now_ms + book->terms.slice_ms;
    return false;
}

static bool look_last(struct budgets *budgets, struct book *book, int64_t now_ms)
{
    int64_t begin_ms = book->settled_ms, settles = settles_ms(book, &budgets->options, begin_ms);
    if (begin_ms >= book->next_ms || settles > now_ms)
        return false;
    if (settles != INT64_MIN && may_look(book, &budgets->options, begin_ms, now_ms))
        look_again(budgets, book, begin_ms);
    size_t left = quiet_at(book, book->next_ms) - 1;
    lock_take(&budgets->lock);
    memmove(book->quiet, book->quiet + 1, left);
    book->settled_ms += book->terms.slice_ms;
    book->dirty = true;
    lock_drop(&budgets->lock);
    return true;
}

bool book_step(struct budgets *budgets, struct book *book, int64_t now_ms)
{
    return look_first(budgets, book, now_ms) || look_last(budgets, book, now_ms) ||
           look_pass(budgets, book, now_ms);
}

int64_t book_due_ms(const struct book *book, const struct budgets_options *options)
{
    int64_t due_ms = most(book->next_ms + book->terms.slice_ms, book->not_before_ms);
    if (book->settled_ms < book->next_ms) {
        int64_t settles = settles_ms(book, options, book->settled_ms);
        int64_t again_ms = book->pass_ms != INT64_MAX ? 0 : book->next_pass_ms;
        due_ms = settles < due_ms ? settles : due_ms;
        due_ms = again_ms < due_ms ? again_ms : due_ms;
    }
    return due_ms;
}

/* ---- once a day ---- */

void book_expire(struct budgets *budgets, struct book *book, int64_t now_ms)
{
    int64_t before_ms = now_ms - book_keep_ms(book), day = day_of(before_ms);
    if (book->expired_day == day)
        return;
    lock_take(&budgets->lock);
    book->expired_day = day;
    book->expires = book->dirty = true;
    for (size_t i = 0; i < book->account_count; i++)
        ledger_expire(book->accounts[i]->ledger, before_ms);
    book_drop_empty(book);
    lock_drop(&budgets->lock);
}
