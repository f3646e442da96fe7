#include "state_priv.h"

#include "tocsin/log.h"

/* ---- writing ---- */

static int put_epochs(struct state *state, const struct budget_news *news, struct err *err)
{
    sqlite3_stmt *remove = state->statement[STATE_budget_epochs_remove];
    sqlite3_stmt *put = state->statement[STATE_budget_epoch_put];
    state_bind_text(remove, 1, news->objective);
    int rc = state_step(state, remove, err);
    for (size_t i = 0; rc == 0 && i < news->epoch_count; i++) {
        state_bind_text(put, 1, news->objective);
        sqlite3_bind_int64(put, 2, news->epochs[i].number);
        sqlite3_bind_int64(put, 3, news->epochs[i].from_ms);
        state_bind_text(put, 4, news->epochs[i].terms);
        rc = state_step(state, put, err);
    }
    return rc;
}

static int put_day(struct state *state, struct str objective, const struct budget_day_row *row,
                   struct err *err)
{
    sqlite3_stmt *put = state->statement[STATE_budget_day_put];
    struct buf group;
    state_labels_encode(&group, row->group);
    state_bind_text(put, 1, objective);
    state_bind_text(put, 2, buf_slice(&group));
    sqlite3_bind_int64(put, 3, row->epoch);
    sqlite3_bind_int64(put, 4, row->day);
    state_bind_text(put, 5, row->slices);
    int rc = state_step(state, put, err);
    buf_release(&group);
    return rc;
}

static int expire_days(struct state *state, const struct budget_news *news, struct err *err)
{
    sqlite3_stmt *expire = state->statement[STATE_budget_days_expire];
    state_bind_text(expire, 1, news->objective);
    sqlite3_bind_int64(expire, 2, news->expire_before_day);
    return state_step(state, expire, err);
}

static int put_one(struct state *state, const struct budget_news *news, struct err *err)
{
    sqlite3_stmt *put = state->statement[STATE_budget_put];
    state_bind_text(put, 1, news->objective);
    sqlite3_bind_int64(put, 2, news->settled_ms);
    sqlite3_bind_int64(put, 3, news->next_ms);
    int rc = state_step(state, put, err);
    if (rc == 0 && news->epoch_count > 0)
        rc = put_epochs(state, news, err);
    for (size_t i = 0; rc == 0 && i < news->day_count; i++)
        rc = put_day(state, news->objective, &news->days[i], err);
    return rc == 0 && news->expire_before_day != INT64_MIN ? expire_days(state, news, err) : rc;
}

struct all_news {
    const struct budget_news *news;
    size_t count;
};

static int put_all(struct state *state, void *context, struct err *err)
{
    const struct all_news *all = context;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < all->count; i++)
        rc = put_one(state, &all->news[i], err);
    return rc;
}

int state_budgets_put(struct state *state, const struct budget_news *news, size_t count, struct err *err)
{
    struct all_news all = {news, count};
    lock_take(&state->lock);
    int rc = state_together(state, false, put_all, &all, err);
    lock_drop(&state->lock);
    return rc;
}

int state_budgets_expire(struct state *state, int64_t before_day, struct err *err)
{
    sqlite3_stmt *expire = state_begin(state, STATE_budgets_expire);
    sqlite3_bind_int64(expire, 1, before_day);
    int rc = state_run(state, expire, err);
    state_done(state, expire);
    return rc;
}

int state_budget_correct(struct state *state, struct str objective, struct budget_correction_row *row,
                         struct err *err)
{
    sqlite3_stmt *put = state_begin(state, STATE_budget_correct);
    const int64_t figures[] = {row->change, row->from_ms, row->to_ms, row->at_ms};
    state_bind_text(put, 1, objective);
    for (int i = 0; i < 4; i++)
        sqlite3_bind_int64(put, 2 + i, figures[i]);
    state_bind_text(put, 6, row->author);
    state_bind_text(put, 7, row->reason);
    int rc = state_run(state, put, err);
    if (rc == 0)
        row->id = sqlite3_last_insert_rowid(state->db);
    state_done(state, put);
    return rc;
}

/* ---- reading ---- */

static void visit_found(sqlite3_stmt *row, const struct budget_reader *reader)
{
    reader->found(reader->context, sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1));
}

static void visit_epoch(sqlite3_stmt *row, const struct budget_reader *reader)
{
    struct budget_epoch_row epoch = {(uint32_t)sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                                     state_column(row, 2)};
    reader->epoch(reader->context, &epoch);
}

static void visit_day(sqlite3_stmt *row, const struct budget_reader *reader)
{
    struct str group = state_column(row, 0);
    struct arena arena;
    arena_init(&arena, 16 * group.n + (64 << 10));
    struct budget_day_row day = {.group = state_labels_decode(&arena, group, false),
                                 .epoch = (uint32_t)sqlite3_column_int64(row, 1),
                                 .day = sqlite3_column_int64(row, 2),
                                 .slices = state_column(row, 3)};
    if (day.group != NULL)
        reader->day(reader->context, &day);
    else
        log_error("a day of a budget in the state file cannot be read: its slices are not known",
                  LOG_INT("day", day.day));
    arena_release(&arena);
}

static void visit_correction(sqlite3_stmt *row, const struct budget_reader *reader)
{
    struct budget_correction_row correction = {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                                               sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3),
                                               sqlite3_column_int64(row, 4), state_column(row, 5),
                                               state_column(row, 6)};
    reader->correction(reader->context, &correction);
}

static int read_rows(struct state *state, enum state_statement id, struct str objective,
                     void (*visit)(sqlite3_stmt *row, const struct budget_reader *reader),
                     const struct budget_reader *reader, struct err *err)
{
    sqlite3_stmt *each = state_begin(state, id);
    int step;
    state_bind_text(each, 1, objective);
    while ((step = sqlite3_step(each)) == SQLITE_ROW)
        visit(each, reader);
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read the budgets", err);
    state_done(state, each);
    return rc;
}

int state_budget_read(struct state *state, struct str objective, const struct budget_reader *reader,
                      struct err *err)
{
    int rc = read_rows(state, STATE_budget_find, objective, visit_found, reader, err);
    if (rc == 0)
        rc = read_rows(state, STATE_budget_epochs, objective, visit_epoch, reader, err);
    if (rc == 0)
        rc = read_rows(state, STATE_budget_days, objective, visit_day, reader, err);
    return rc == 0 ? read_rows(state, STATE_budget_corrections, objective, visit_correction, reader, err)
                   : rc;
}
