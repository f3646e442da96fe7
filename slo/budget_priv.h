/* budget_priv: the books behind budget.h. */
#ifndef TOCSIN_BUDGET_PRIV_H
#define TOCSIN_BUDGET_PRIV_H

#include "tocsin/arrival.h"
#include "tocsin/budget.h"
#include "tocsin/check.h"
#include "tocsin/hash.h"
#include "tocsin/limits.h"
#include "tocsin/lock.h"
#include "tocsin/log.h"
#include "tocsin/mem.h"

enum {
    STEP_LOOKS = 64, /* slices of a step */
    CORRECTIONS_MAX = 10000
};

struct dirty_day {
    uint32_t epoch;
    int64_t day;
};

/* One group of an objective. */
struct account {
    struct labels *labels;
    struct ledger *ledger;
    struct dirty_day *dirty; /* not written yet */
    size_t dirty_count, dirty_capacity;
    double bad, good; /* since the start, for the metrics */
};

struct book_epoch {
    uint32_t number;
    int64_t from_ms;
    struct ledger_terms terms;
};

/* One query, and how far its series' data have come. */
struct book_query {
    struct promql *promql; /* NULL: the objective has none */
    struct arrival_wait *waits;
    size_t count;
};

/* One objective. Times are where slices begin. */
struct book {
    const struct objective *objective;
    struct ledger_terms terms;
    struct book_query counted, total;
    struct arena zone_arena;
    const struct zone *zone;

    struct book_epoch *epochs;
    size_t epoch_count, epoch_capacity;
    struct account **accounts;
    size_t account_count, account_capacity;
    struct map by_labels; /* of accounts */
    struct ledger_correction *corrections;
    size_t correction_count, correction_capacity;

    int64_t next_ms;    /* the first that was not looked at */
    int64_t settled_ms; /* those before stay as they are */
    bool is_known;      /* next_ms and settled_ms are those of the process before */
    uint8_t *quiet;     /* of those between them: was the last look no news? */
    size_t quiet_capacity;
    int64_t pass_ms; /* the next slice that is looked at again in this pass; INT64_MAX: none is under way */
    int64_t next_pass_ms;  /* wall time */
    int64_t not_before_ms; /* data that are missing may have come then; wall time */
    int64_t opened_ms;     /* wall time */
    int64_t oldest_ms;     /* of all samples when it was opened; INT64_MAX: none */
    int64_t expired_day;   /* when old days went last */

    bool dirty, epochs_dirty, expires; /* what is to be written */
    uint64_t unmatched, refused;
    struct err error;
};

struct budgets {
    struct budgets_options options;
    struct lock running; /* who changes books */
    struct lock lock;    /* what is in them */
    struct book **books;
    size_t count;
    size_t turn;                    /* whose it is first in the next step */
    int64_t busy_since_ns, told_ns; /* monotonic; of catching up */
};

/* ---- budget_book.c ---- */

struct book *book_new(const struct objective *objective, const struct ledger_terms *terms);
void book_free(struct book *book); /* NULL is allowed */
struct account *book_account(const struct book *book, const struct labels *labels);
struct account *book_add_account(struct book *book, const struct labels *labels);

/* Puts its overlay over each ledger again. */
void book_lay(struct book *book);
void book_add_correction(struct book *book, const struct ledger_correction *correction);

/* New terms from a slice on, in all ledgers. */
void book_open_epoch(struct book *book, uint32_t number, int64_t from_ms, const struct ledger_terms *terms);

/* What a slice of that begin is part of is to be written. */
void book_soil(struct book *book, struct account *account, int64_t begin_ms);

/* Groups nothing is known of any more go. */
void book_drop_empty(struct book *book);

int64_t book_keep_ms(const struct book *book);
size_t book_account_slices(const struct book *book);

/* ---- budget_query.c ---- */

void objective_terms(const struct objective *objective, struct ledger_terms *out);
int book_prepare_queries(struct book *book, const struct budgets_options *options, struct err *err);
void book_query_close(struct book_query *query);

/* The oldest sample of all series its queries hold, at the time that would look at it; INT64_MAX: there is none. */
int64_t book_oldest_ms(const struct book *book, const struct budgets_options *options);

/* Has all come up to a slice's end? If not, not before *until_ms. */
bool book_arrived(struct book *book, const struct budgets_options *options, int64_t end_ms, int64_t now_ms,
                  int64_t *until_ms);
void book_forget_waits(struct book *book);

/* ---- budget_look.c ---- */

/* What a slice came to, group by group. */
struct found {
    const struct labels *labels;
    double counted, total;
    bool has_counted, has_total;
};
struct look {
    const struct budgets_options *options;
    struct arena arena;
    struct map by_labels;
    uint64_t unmatched;
};

/* Evaluates it and takes it into the ledgers. *changed: what was known before is different now; *known: anything is. */
void book_look(struct budgets *budgets, struct book *book, int64_t begin_ms, bool *changed, bool *known);

/* ---- budget_keep.c ---- */

int book_recall(struct book *book, struct state *state, struct err *err);
void budgets_keep(struct budgets *budgets);

/* ---- budget_step.c ---- */

bool book_step(struct budgets *budgets, struct book *book, int64_t now_ms);
int64_t book_due_ms(const struct book *book, const struct budgets_options *options);
void book_expire(struct budgets *budgets, struct book *book, int64_t now_ms);

/* Where the slice a moment lies in begins. */
static inline int64_t slice_of(int64_t t_ms, int64_t slice_ms)
{
    int64_t rest = t_ms % slice_ms;
    return t_ms - rest - (rest < 0 ? slice_ms : 0);
}

static inline int64_t day_of(int64_t t_ms)
{
    return slice_of(t_ms, LEDGER_DAY_MS) / LEDGER_DAY_MS;
}

#endif
