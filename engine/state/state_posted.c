#include "state_priv.h"

#include "tocsin/log.h"

/* ---- writing ---- */

enum { TEXTS_MAX = 1 << 30 };

static const struct labels *or_none(const struct labels *ls)
{
    static const struct labels none;
    return ls != NULL ? ls : &none;
}

static int put_row(struct state *state, const struct posted_row *row, struct buf *texts, struct err *err)
{
    sqlite3_stmt *put = state->statement[STATE_posted_put];
    const struct alert_event *e = row->event;
    const int64_t figures[] = {row->id,       row->since_ns,    e->starts_ns,   e->ends_ns,
                               e->updated_ns, e->starts_zone_s, e->ends_zone_s, e->ends_is_timeout};
    const int count = sizeof figures / sizeof *figures;
    buf_clear(texts);
    state_labels_append(texts, or_none(e->labels));
    size_t labels = texts->used;
    state_labels_append(texts, or_none(e->annotations));
    if (buf_overflow(texts))
        return err_set(err, ERR_LIMIT, "an alert's labels and annotations take more than %d bytes",
                       TEXTS_MAX);
    for (int i = 0; i < count; i++)
        sqlite3_bind_int64(put, i + 1, figures[i]);
    state_bind_text(put, count + 1, (struct str){buf_text(texts), labels});
    state_bind_text(put, count + 2, (struct str){buf_text(texts) + labels, texts->used - labels});
    state_bind_text(put, count + 3, e->generator_url);
    return state_step(state, put, err);
}

static int put_tick(struct state *state, const struct tick_row *row, struct err *err)
{
    sqlite3_stmt *put = state->statement[STATE_tick_put];
    sqlite3_bind_int64(put, 1, row->id);
    state_bind_text(put, 2, row->key);
    state_bind_text(put, 3, row->receiver);
    sqlite3_bind_int64(put, 4, row->next_ns);
    return state_step(state, put, err);
}

static int remove_all(struct state *state, enum state_statement id, const int64_t *gone, size_t count,
                      struct err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        sqlite3_bind_int64(state->statement[id], 1, gone[i]);
        rc = state_step(state, state->statement[id], err);
    }
    return rc;
}

static int put_news(struct state *state, void *context, struct err *err)
{
    const struct posted_news *news = context;
    struct buf texts;
    buf_init(&texts, TEXTS_MAX);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < news->row_count; i++)
        rc = put_row(state, &news->rows[i], &texts, err);
    for (size_t i = 0; rc == 0 && i < news->tick_count; i++)
        rc = put_tick(state, &news->ticks[i], err);
    if (rc == 0)
        rc = remove_all(state, STATE_posted_remove, news->gone, news->gone_count, err);
    if (rc == 0)
        rc = remove_all(state, STATE_tick_remove, news->gone_ticks, news->gone_tick_count, err);
    buf_release(&texts);
    return rc;
}

/* The log that SQLite writes ahead; NULL: it has none, in memory. */
static sqlite3_file *log_of(struct state *state)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(state->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    return rc == SQLITE_OK && file != NULL && file->pMethods != NULL ? file : NULL;
}

int state_posted_put(struct state *state, const struct posted_news *news, struct err *err)
{
    struct posted_news all = *news;
    lock_take(&state->lock);
    int rc = state_together(state, true, put_news, &all, err);
    state->unsynced = state->unsynced || (rc == 0 && news->row_count > 0 && log_of(state) != NULL);
    lock_drop(&state->lock);
    return rc;
}

/* ---- for power cuts ---- */

bool state_unsynced(struct state *state)
{
    lock_take(&state->lock);
    bool unsynced = state->unsynced;
    lock_drop(&state->lock);
    return unsynced;
}

int state_sync(struct state *state, struct err *err)
{
    int rc = 0;
    lock_take(&state->lock);
    sqlite3_file *log = state->unsynced ? log_of(state) : NULL;
    if (log != NULL && log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) != SQLITE_OK)
        rc = err_set(err, ERR_IO, "cannot sync the state file");
    state->unsynced = state->unsynced && rc != 0;
    lock_drop(&state->lock);
    return rc;
}

/* ---- reading ---- */

static void visit_alert(sqlite3_stmt *from, void (*visit)(void *context, const struct posted_row *row),
                        void *context)
{
    struct str labels = state_column(from, 8), annotations = state_column(from, 9);
    struct arena arena;
    arena_init(&arena, 16 * (labels.n + annotations.n) + (64 << 10));
    struct alert_event event = {
        .labels = state_labels_decode(&arena, labels, false),
        .annotations = state_labels_decode(&arena, annotations, true),
        .generator_url = state_column(from, 10),
        .starts_ns = sqlite3_column_int64(from, 2),
        .ends_ns = sqlite3_column_int64(from, 3),
        .updated_ns = sqlite3_column_int64(from, 4),
        .starts_zone_s = sqlite3_column_int(from, 5),
        .ends_zone_s = sqlite3_column_int(from, 6),
        .ends_is_timeout = sqlite3_column_int(from, 7) != 0,
    };
    struct posted_row row = {sqlite3_column_int64(from, 0), &event, sqlite3_column_int64(from, 1)};
    if (event.labels != NULL && event.annotations != NULL)
        visit(context, &row);
    else
        log_error("a posted alert in the state file cannot be read: it is not known until it is posted again",
                  LOG_INT("id", row.id));
    arena_release(&arena);
}

int state_posted_each(struct state *state, void (*visit)(void *context, const struct posted_row *row),
                      void *context, struct err *err)
{
    sqlite3_stmt *each = state_begin(state, STATE_posted_each);
    int step;
    while ((step = sqlite3_step(each)) == SQLITE_ROW)
        visit_alert(each, visit, context);
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read the posted alerts", err);
    state_done(state, each);
    return rc;
}

int state_ticks_each(struct state *state, void (*visit)(void *context, const struct tick_row *row),
                     void *context, struct err *err)
{
    sqlite3_stmt *each = state_begin(state, STATE_ticks_each);
    int step;
    while ((step = sqlite3_step(each)) == SQLITE_ROW) {
        struct tick_row row = {sqlite3_column_int64(each, 0), state_column(each, 1), state_column(each, 2),
                               sqlite3_column_int64(each, 3)};
        visit(context, &row);
    }
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read when groups are due", err);
    state_done(state, each);
    return rc;
}
