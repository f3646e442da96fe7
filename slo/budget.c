/* All objectives' books: opened, loaded, run, corrected. */
#include "budget_priv.h"

enum { TELL_AFTER_S = 2, FORGET_DAYS = 800 };

struct budgets *budgets_open(const struct budgets_options *options)
{
    struct budgets *budgets = MEM_NEW(struct budgets);
    budgets->options = *options;
    if (budgets->options.data_wait_ms == 0)
        budgets->options.data_wait_ms = BUDGETS_DATA_WAIT_MS;
    if (budgets->options.late_ms == 0)
        budgets->options.late_ms = BUDGETS_LATE_MS;
    lock_init(&budgets->running, LOCK_budgeting);
    lock_init(&budgets->lock, LOCK_budgets);
    return budgets;
}

static void free_books(struct book **books, size_t count)
{
    for (size_t i = 0; i < count; i++)
        book_free(books[i]);
    mem_free(books);
}

void budgets_close(struct budgets *budgets)
{
    if (budgets == NULL)
        return;
    free_books(budgets->books, budgets->count);
    lock_release(&budgets->running);
    lock_release(&budgets->lock);
    mem_free(budgets);
}

static struct book *find_book(struct budgets *budgets, struct str id)
{
    for (size_t i = 0; i < budgets->count; i++)
        if (str_eq(budgets->books[i]->objective->id, id))
            return budgets->books[i];
    return NULL;
}

/* ---- loading: all that can fail first ---- */

static int prepare_book(struct budgets *budgets, const struct objective *objective, struct book **out,
                        struct err *err)
{
    struct ledger_terms terms;
    objective_terms(objective, &terms);
    struct book *book = *out = book_new(objective, &terms);
    book->opened_ms = world_now_ms(budgets->options.world);
    int rc = book_prepare_queries(book, &budgets->options, err);
    if (rc == 0)
        rc = zone_load(budgets->options.world, &book->zone_arena, objective->period.zone, &book->zone, err);
    if (rc == 0 && find_book(budgets, objective->id) == NULL && budgets->options.state != NULL)
        rc = book_recall(book, budgets->options.state, err);
    if (rc == 0 && !book->is_known)
        book->oldest_ms = book_oldest_ms(book, &budgets->options);
    return rc;
}

/* What an objective had before goes over into its new book; the old one keeps what is to be closed. */
static void inherit(struct book *book, struct book *old)
{
    struct book fresh = *book;
    *book = *old;
    *old = (struct book){.counted = old->counted, .total = old->total, .zone_arena = old->zone_arena};
    old->objective = book->objective;
    map_init(&old->by_labels);
    book->objective = fresh.objective;
    book->terms = fresh.terms;
    book->counted = fresh.counted;
    book->total = fresh.total;
    book->zone = fresh.zone;
    book->zone_arena = fresh.zone_arena;
    book->is_known = true;
}

/* Slices not looked at yet are the new epoch's, and those looked at stay what they were. */
static void begin_epoch(struct book *book)
{
    const struct book_epoch *last = book->epoch_count > 0 ? &book->epochs[book->epoch_count - 1] : NULL;
    if (last != NULL && ledger_terms_equal(&last->terms, &book->terms))
        return;
    int64_t from_ms = slice_of(book->next_ms, book->terms.slice_ms);
    bool same_slices = last != NULL && last->terms.slice_ms == book->terms.slice_ms &&
                       last->terms.meaning == book->terms.meaning;
    book_open_epoch(book, last != NULL ? last->number + 1 : 1, last != NULL ? from_ms : LEDGER_ALWAYS_MS,
                    &book->terms);
    book->next_ms = from_ms;
    if (!same_slices)
        book->settled_ms = from_ms;
    book->epochs_dirty = book->dirty = true;
}

/* A sample at a slice's end is in it. */
static void begin_slices(struct book *book)
{
    int64_t from_ms = book->oldest_ms - 1, first_ms = book->opened_ms - book_keep_ms(book);
    from_ms = from_ms > first_ms ? from_ms : first_ms;
    from_ms = from_ms < book->opened_ms ? from_ms : book->opened_ms;
    book->next_ms = book->settled_ms = slice_of(from_ms, book->terms.slice_ms);
}

/* Where there are no groups, there is something to tell of before there are data. */
static void add_only_account(struct book *book)
{
    const struct labels none = {.hash = labels_hash(NULL, 0)};
    book_add_account(book, &none);
}

static void begin_book(struct book *book)
{
    if (!book->is_known)
        begin_slices(book);
    begin_epoch(book);
    size_t open = (size_t)((book->next_ms - book->settled_ms) / book->terms.slice_ms);
    if (open >= book->quiet_capacity) {
        book->quiet_capacity = 2 * open + 16;
        book->quiet = mem_resize(book->quiet, book->quiet_capacity, 1);
    }
    memset(book->quiet, 0, book->quiet_capacity);
    book->pass_ms = INT64_MAX;
    book->next_pass_ms = 0;
    book->not_before_ms = 0;
    if (book->objective->by_count == 0 && book->account_count == 0)
        add_only_account(book);
    book_lay(book);
}

static void take_over(struct budgets *budgets, struct book **books, size_t count)
{
    struct book **old = budgets->books;
    size_t old_count = budgets->count;
    lock_take(&budgets->lock);
    for (size_t i = 0; i < count; i++) {
        struct book *before = find_book(budgets, books[i]->objective->id);
        if (before != NULL)
            inherit(books[i], before);
        begin_book(books[i]);
    }
    budgets->books = books;
    budgets->count = count;
    lock_drop(&budgets->lock);
    free_books(old, old_count);
}

struct budgets_change {
    struct budgets *budgets;
    struct book **books;
    size_t count;
};

int budgets_prepare(struct budgets *budgets, const struct objective_set *set, struct budgets_change **out,
                    struct err *err)
{
    struct budgets_change *change = MEM_NEW(struct budgets_change);
    int rc = 0;
    *change = (struct budgets_change){budgets, MEM_ARRAY(struct book *, set->count + 1), 0};
    lock_take(&budgets->running);
    for (; rc == 0 && change->count < set->count; change->count++)
        rc = prepare_book(budgets, &set->items[change->count], &change->books[change->count], err);
    if (rc == 0 && budgets->options.state != NULL && budgets->books == NULL)
        rc = state_budgets_expire(budgets->options.state,
                                  day_of(world_now_ms(budgets->options.world)) - FORGET_DAYS, err);
    lock_drop(&budgets->running);
    *out = rc == 0 ? change : NULL;
    if (rc != 0)
        budgets_abandon(change);
    return rc;
}

void budgets_commit(struct budgets_change *change)
{
    struct budgets *budgets = change->budgets;
    lock_take(&budgets->running);
    take_over(budgets, change->books, change->count);
    budgets_keep(budgets);
    lock_drop(&budgets->running);
    mem_free(change);
}

void budgets_abandon(struct budgets_change *change)
{
    free_books(change->books, change->count);
    mem_free(change);
}

int budgets_load(struct budgets *budgets, const struct objective_set *set, struct err *err)
{
    struct budgets_change *change;
    int rc = budgets_prepare(budgets, set, &change, err);
    if (rc == 0)
        budgets_commit(change);
    return rc;
}

/* ---- running ---- */

/* The latest first slice that is still to come, of all. */
static void tell_progress(struct budgets *budgets, int64_t now_ms, bool busy)
{
    struct world *world = budgets->options.world;
    int64_t mono_ns = world->mono_ns(world), behind_ms = 0;
    if (!busy || budgets->busy_since_ns == 0) {
        budgets->busy_since_ns = busy ? mono_ns : 0;
        budgets->told_ns = mono_ns;
        return;
    }
    if (mono_ns - budgets->told_ns < TELL_AFTER_S * NS_PER_S)
        return;
    budgets->told_ns = mono_ns;
    for (size_t i = 0; i < budgets->count; i++)
        if (now_ms - budgets->books[i]->next_ms > behind_ms)
            behind_ms = now_ms - budgets->books[i]->next_ms;
    log_info("budgets are catching up", LOG_MS("behind", behind_ms),
             LOG_MS("since", (mono_ns - budgets->busy_since_ns) / NS_PER_MS));
}

static int64_t next_ms(struct budgets *budgets)
{
    int64_t due_ms = INT64_MAX;
    for (size_t i = 0; i < budgets->count; i++) {
        int64_t one_ms = book_due_ms(budgets->books[i], &budgets->options);
        due_ms = one_ms < due_ms ? one_ms : due_ms;
    }
    return due_ms;
}

int64_t budgets_next_ns(struct budgets *budgets)
{
    lock_take(&budgets->running);
    int64_t due_ms = next_ms(budgets);
    lock_drop(&budgets->running);
    if (due_ms == INT64_MAX)
        return INT64_MAX;
    return due_ms > 0 ? due_ms * NS_PER_MS : 0;
}

bool budgets_run(struct budgets *budgets, int64_t now_ns)
{
    int64_t now_ms = now_ns / NS_PER_MS;
    size_t looks = 0, idle = 0;
    lock_take(&budgets->running);
    for (; looks < STEP_LOOKS && idle < budgets->count; budgets->turn++) {
        struct book *book = budgets->books[budgets->turn % budgets->count];
        bool looked = book_step(budgets, book, now_ms);
        looks += looked;
        idle = looked ? 0 : idle + 1;
        book_expire(budgets, book, now_ms);
    }
    budgets_keep(budgets);
    tell_progress(budgets, now_ms, looks == STEP_LOOKS);
    lock_drop(&budgets->running);
    return looks > 0;
}

/* ---- correcting ---- */

static int check_correction(const struct book *book, const struct ledger_correction *c, struct err *err)
{
    if (c->change < CHANGE_NONE || c->change >= CHANGE_MAINTENANCE)
        return err_set(err, ERR_ARG, "there is no such correction");
    if (c->author.n == 0 || c->reason.n == 0)
        return err_set(err, ERR_ARG, "a correction needs an author and a reason");
    if (c->from_ms >= c->to_ms)
        return err_set(err, ERR_ARG, "a correction ends after it begins");
    if (book->correction_count >= CORRECTIONS_MAX)
        return err_set(err, ERR_LIMIT, "an objective has %d corrections at most", CORRECTIONS_MAX);
    return 0;
}

static int keep_correction(struct budgets *budgets, struct str objective, struct ledger_correction *c,
                           struct err *err)
{
    struct budget_correction_row row = {0,        (int64_t)c->change, c->from_ms, c->to_ms,
                                        c->at_ms, c->author,          c->reason};
    int rc = budgets->options.state == NULL
                 ? 0
                 : state_budget_correct(budgets->options.state, objective, &row, err);
    c->id = row.id;
    return rc;
}

int budgets_correct(struct budgets *budgets, struct str objective, struct ledger_correction *correction,
                    struct err *err)
{
    lock_take(&budgets->running);
    struct book *book = find_book(budgets, objective);
    int rc = book == NULL ? err_set(err, ERR_NOT_FOUND, "no objective \"%.*s\"", STR_ARG(objective))
                          : check_correction(book, correction, err);
    correction->at_ms = world_now_ms(budgets->options.world);
    if (rc == 0)
        rc = keep_correction(budgets, objective, correction, err);
    if (rc == 0) {
        lock_take(&budgets->lock);
        book_add_correction(book, correction);
        book_lay(book);
        lock_drop(&budgets->lock);
    }
    lock_drop(&budgets->running);
    return rc;
}
