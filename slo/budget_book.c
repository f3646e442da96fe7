/* Books: what is kept of one objective in memory. */
#include "budget_priv.h"

static bool has_labels(const void *item, const void *key)
{
    const struct account *account = item;
    return labels_equal(account->labels, key);
}

struct book *book_new(const struct objective *objective, const struct ledger_terms *terms)
{
    struct book *book = MEM_NEW(struct book);
    book->objective = objective;
    book->terms = *terms;
    book->pass_ms = INT64_MAX;
    arena_init(&book->zone_arena, 4 << 20);
    map_init(&book->by_labels);
    return book;
}

static void account_free(struct account *account)
{
    ledger_free(account->ledger);
    mem_free(account->labels);
    mem_free(account->dirty);
    mem_free(account);
}

static void correction_release(struct ledger_correction *correction)
{
    mem_free((void *)(uintptr_t)correction->author.p);
    mem_free((void *)(uintptr_t)correction->reason.p);
}

void book_free(struct book *book)
{
    if (book == NULL)
        return;
    book_query_close(&book->counted);
    book_query_close(&book->total);
    for (size_t i = 0; i < book->account_count; i++)
        account_free(book->accounts[i]);
    for (size_t i = 0; i < book->correction_count; i++)
        correction_release(&book->corrections[i]);
    map_release(&book->by_labels);
    mem_free(book->accounts);
    mem_free(book->corrections);
    mem_free(book->epochs);
    mem_free(book->quiet);
    arena_release(&book->zone_arena);
    mem_free(book);
}

struct account *book_account(const struct book *book, const struct labels *labels)
{
    return map_find(&book->by_labels, labels->hash, has_labels, labels);
}

static struct ledger_overlay overlay_of(const struct book *book)
{
    return (struct ledger_overlay){.corrections = book->corrections,
                                   .correction_count = book->correction_count,
                                   .maintenance = book->objective->maintenance,
                                   .maintenance_count = book->objective->maintenance_count};
}

struct account *book_add_account(struct book *book, const struct labels *labels)
{
    struct account *account = MEM_NEW(struct account);
    struct ledger_overlay overlay = overlay_of(book);
    account->labels = labels_copy_heap(labels);
    account->ledger = ledger_new();
    for (size_t i = 0; i < book->epoch_count; i++)
        ledger_open_epoch(account->ledger, book->epochs[i].number, book->epochs[i].from_ms,
                          &book->epochs[i].terms);
    ledger_lay(account->ledger, &overlay);
    MEM_GROW(book->accounts, book->account_count, book->account_capacity);
    book->accounts[book->account_count++] = account;
    map_add(&book->by_labels, account->labels->hash, account);
    return account;
}

void book_lay(struct book *book)
{
    struct ledger_overlay overlay = overlay_of(book);
    for (size_t i = 0; i < book->account_count; i++)
        ledger_lay(book->accounts[i]->ledger, &overlay);
}

static struct str keep_text(struct str s)
{
    return (struct str){mem_copy_text(s.p, s.n), s.n};
}

void book_add_correction(struct book *book, const struct ledger_correction *correction)
{
    MEM_GROW(book->corrections, book->correction_count, book->correction_capacity);
    struct ledger_correction *to = &book->corrections[book->correction_count++];
    *to = *correction;
    to->author = keep_text(correction->author);
    to->reason = keep_text(correction->reason);
}

void book_open_epoch(struct book *book, uint32_t number, int64_t from_ms, const struct ledger_terms *terms)
{
    while (book->epoch_count > 0 && book->epochs[book->epoch_count - 1].from_ms >= from_ms)
        book->epoch_count--;
    bool first = book->epoch_count == 0;
    MEM_GROW(book->epochs, book->epoch_count, book->epoch_capacity);
    book->epochs[book->epoch_count++] =
        (struct book_epoch){number, first ? LEDGER_ALWAYS_MS : from_ms, *terms};
    for (size_t i = 0; i < book->account_count; i++)
        ledger_open_epoch(book->accounts[i]->ledger, number, from_ms, terms);
}

static uint32_t epoch_of(const struct book *book, int64_t begin_ms)
{
    size_t at = book->epoch_count - 1;
    while (at > 0 && book->epochs[at].from_ms > begin_ms)
        at--;
    return book->epochs[at].number;
}

void book_soil(struct book *book, struct account *account, int64_t begin_ms)
{
    uint32_t epoch = epoch_of(book, begin_ms);
    int64_t day = day_of(begin_ms);
    book->dirty = true;
    for (size_t i = account->dirty_count; i-- > 0;)
        if (account->dirty[i].epoch == epoch && account->dirty[i].day == day)
            return;
    MEM_GROW(account->dirty, account->dirty_count, account->dirty_capacity);
    account->dirty[account->dirty_count++] = (struct dirty_day){epoch, day};
}

/* The last period can still be asked for when this one ends. */
int64_t book_keep_ms(const struct book *book)
{
    return 2 * period_longest_ms(&book->objective->period) + 2 * LEDGER_DAY_MS;
}

size_t book_account_slices(const struct book *book)
{
    return (size_t)(book_keep_ms(book) / book->objective->slice_ms);
}

void book_drop_empty(struct book *book)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->account_count; i++) {
        struct account *account = book->accounts[i];
        bool stays = ledger_slices_held(account->ledger) > 0 || book->objective->by_count == 0;
        if (stays) {
            book->accounts[kept++] = account;
        } else {
            map_remove(&book->by_labels, account->labels->hash, account);
            account_free(account);
        }
    }
    book->account_count = kept;
}
