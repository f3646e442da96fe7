/* Books on disk. */
#include "budget_priv.h"

/* ---- back ---- */

static void recall_book(void *context, int64_t settled_ms, int64_t next_ms)
{
    struct book *book = context;
    book->is_known = true;
    book->settled_ms = settled_ms;
    book->next_ms = next_ms;
}

static void recall_epoch(void *context, const struct budget_epoch_row *row)
{
    struct book *book = context;
    struct ledger_terms terms;
    if (ledger_terms_decode(row->terms, &terms) == 0)
        book_open_epoch(book, row->number, row->from_ms, &terms);
    else
        log_error("an epoch of a budget in the state file cannot be read: its slices are not known",
                  LOG_STR("objective", book->objective->id), LOG_INT("epoch", row->number));
}

/* Days of epochs that gave way are left to expire. */
static void recall_day(void *context, const struct budget_day_row *row)
{
    struct book *book = context;
    struct account *account = book_account(book, row->group);
    if (book->epoch_count == 0)
        return;
    if (account == NULL)
        account = book_add_account(book, row->group);
    if (ledger_day_decode(account->ledger, row->epoch, row->day, row->slices) == ERR_CORRUPT)
        log_error("a day of a budget in the state file cannot be read: its slices are not known",
                  LOG_STR("objective", book->objective->id), LOG_INT("day", row->day));
}

static void recall_correction(void *context, const struct budget_correction_row *row)
{
    struct book *book = context;
    if (row->change < CHANGE_NONE || row->change >= CHANGE_MAINTENANCE)
        return;
    struct ledger_correction correction = {.id = row->id,
                                           .change = (enum ledger_change)row->change,
                                           .from_ms = row->from_ms,
                                           .to_ms = row->to_ms,
                                           .at_ms = row->at_ms,
                                           .author = row->author,
                                           .reason = row->reason};
    book_add_correction(book, &correction);
}

/* Bounds of a damaged row must not send us back to the beginning of time. */
static void check_bounds(struct book *book, int64_t now_ms)
{
    int64_t slice_ms = book->epoch_count > 0 ? book->epochs[book->epoch_count - 1].terms.slice_ms : 1;
    int64_t first_ms = slice_of(now_ms - book_keep_ms(book), slice_ms);
    if (book->next_ms % slice_ms != 0 || book->settled_ms % slice_ms != 0)
        book->is_known = false;
    if (book->next_ms < first_ms)
        book->next_ms = first_ms;
    if (book->settled_ms < first_ms || book->settled_ms > book->next_ms)
        book->settled_ms = book->next_ms;
}

int book_recall(struct book *book, struct state *state, struct err *err)
{
    const struct budget_reader reader = {recall_book, recall_epoch, recall_day, recall_correction, book};
    int rc = state_budget_read(state, book->objective->id, &reader, err);
    if (rc != 0)
        return rc;
    book->is_known = book->is_known && book->epoch_count > 0;
    if (book->is_known)
        check_bounds(book, book->opened_ms);
    book_lay(book);
    return 0;
}

/* ---- out ---- */

struct draft {
    struct arena arena;
    struct budget_news *news;
    size_t count;
};

static void draft_days(struct arena *arena, const struct account *account, struct budget_news *news,
                       struct budget_day_row *rows)
{
    struct buf slices;
    buf_init(&slices, (size_t)LEDGER_DAY_MS);
    for (size_t i = 0; i < account->dirty_count; i++) {
        buf_clear(&slices);
        ledger_day_encode(account->ledger, account->dirty[i].epoch, account->dirty[i].day, &slices);
        rows[news->day_count++] = (struct budget_day_row){.group = account->labels,
                                                          .epoch = account->dirty[i].epoch,
                                                          .day = account->dirty[i].day,
                                                          .slices = str_copy(arena, buf_slice(&slices))};
    }
    buf_release(&slices);
    news->days = rows;
}

static void draft_epochs(struct arena *arena, const struct book *book, struct budget_news *news)
{
    struct budget_epoch_row *rows = ARENA_ARRAY(arena, struct budget_epoch_row, book->epoch_count);
    for (size_t i = 0; rows != NULL && i < book->epoch_count; i++) {
        struct buf terms;
        buf_init(&terms, LEDGER_TERMS_BYTES);
        ledger_terms_encode(&book->epochs[i].terms, &terms);
        rows[i] = (struct budget_epoch_row){book->epochs[i].number, book->epochs[i].from_ms,
                                            str_copy(arena, buf_slice(&terms))};
        buf_release(&terms);
    }
    news->epochs = rows;
    news->epoch_count = rows != NULL ? book->epoch_count : 0;
}

static void draft_book(struct draft *draft, const struct book *book)
{
    struct budget_news *news = &draft->news[draft->count++];
    size_t days = 0;
    for (size_t i = 0; i < book->account_count; i++)
        days += book->accounts[i]->dirty_count;
    struct budget_day_row *rows = ARENA_ARRAY(&draft->arena, struct budget_day_row, days);
    *news = (struct budget_news){
        .objective = book->objective->id,
        .settled_ms = book->settled_ms,
        .next_ms = book->next_ms,
        .expire_before_day = book->expires ? book->expired_day : INT64_MIN,
    };
    if (book->epochs_dirty)
        draft_epochs(&draft->arena, book, news);
    for (size_t i = 0; rows != NULL && i < book->account_count; i++)
        draft_days(&draft->arena, book->accounts[i], news, rows);
}

static void settle_book(struct book *book)
{
    book->dirty = book->epochs_dirty = book->expires = false;
    for (size_t i = 0; i < book->account_count; i++)
        book->accounts[i]->dirty_count = 0;
}

static void complain(struct budgets *budgets, const struct err *err)
{
    static struct log_rate rate;
    if (log_allowed(&rate, budgets->options.world->mono_ns(budgets->options.world)))
        log_error("budgets not written; a restart evaluates again what the store still holds", LOG_ERR(err));
}

static void write_draft(struct budgets *budgets, const struct draft *draft)
{
    struct err err = {0};
    int rc = arena_exhausted(&draft->arena)
                 ? err_set(&err, ERR_LIMIT, "they take more memory than generation_arena_bytes allows")
                 : state_budgets_put(budgets->options.state, draft->news, draft->count, &err);
    if (rc != 0) {
        complain(budgets, &err);
        return;
    }
    for (size_t i = 0; i < budgets->count; i++)
        if (budgets->books[i]->dirty)
            settle_book(budgets->books[i]);
}

/* What could not be written is tried again with the next step. */
void budgets_keep(struct budgets *budgets)
{
    struct draft draft = {.count = 0};
    size_t dirty = 0;
    for (size_t i = 0; i < budgets->count; i++)
        dirty += budgets->books[i]->dirty;
    if (dirty == 0 || budgets->options.state == NULL)
        return;
    arena_init(&draft.arena, (size_t)limits.generation_arena_bytes);
    draft.news = ARENA_ARRAY(&draft.arena, struct budget_news, dirty);
    for (size_t i = 0; draft.news != NULL && i < budgets->count; i++)
        if (budgets->books[i]->dirty)
            draft_book(&draft, budgets->books[i]);
    write_draft(budgets, &draft);
    arena_release(&draft.arena);
}
