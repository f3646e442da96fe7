#include "state_priv.h"

#include "tocsin/log.h"

/* ---- matchers as bytes: of each its operator in one, its name and its value ---- */

void state_matchers_encode(struct buf *out, const struct matcher *ms, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += 1 + 2 * STATE_LENGTH_BYTES + ms[i].name.n + ms[i].value.n;
    buf_init(out, bytes + 1);
    for (size_t i = 0; i < count; i++) {
        buf_char(out, (char)ms[i].op);
        state_text_encode(out, ms[i].name);
        state_text_encode(out, ms[i].value);
    }
}

static bool decode_matcher(struct str *rest, struct matcher *out)
{
    unsigned char op = (unsigned char)rest->p[0];
    *rest = (struct str){rest->p + 1, rest->n - 1};
    out->op = (enum match_op)op;
    return op <= MATCH_NOT_REGEX && state_text_decode(rest, &out->name) &&
           state_text_decode(rest, &out->value);
}

struct matcher *state_matchers_decode(struct arena *arena, struct str bytes, size_t *count)
{
    struct matcher *items = ARENA_ARRAY(arena, struct matcher, bytes.n / (1 + 2 * STATE_LENGTH_BYTES) + 1);
    *count = 0;
    for (struct str rest = bytes; items != NULL && rest.n > 0; ++*count)
        if (!decode_matcher(&rest, &items[*count]))
            return NULL;
    return items;
}

/* ---- writing ---- */

int state_silence_write(struct state *state, enum state_statement id, const struct silence_row *row,
                        struct err *err)
{
    sqlite3_stmt *put = state->statement[id];
    struct buf matchers, annotations;
    state_matchers_encode(&matchers, row->matchers, row->matcher_count);
    state_labels_encode(&annotations, row->annotations);
    state_bind_text(put, 1, row->id);
    state_bind_text(put, 2, buf_slice(&matchers));
    sqlite3_bind_int64(put, 3, row->starts_ns);
    sqlite3_bind_int64(put, 4, row->ends_ns);
    sqlite3_bind_int64(put, 5, row->updated_ns);
    state_bind_text(put, 6, row->created_by);
    state_bind_text(put, 7, row->comment);
    state_bind_text(put, 8, buf_slice(&annotations));
    int rc = state_step(state, put, err);
    buf_release(&matchers);
    buf_release(&annotations);
    return rc;
}

struct row_list {
    const struct silence_row *rows;
    size_t count;
};

static int put_rows(struct state *state, void *context, struct err *err)
{
    const struct row_list *list = context;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->count; i++)
        rc = state_silence_write(state, STATE_silence_put, &list->rows[i], err);
    return rc;
}

int state_silences_put(struct state *state, const struct silence_row *rows, size_t count, struct err *err)
{
    struct row_list list = {rows, count};
    lock_take(&state->lock);
    int rc = state_together(state, false, put_rows, &list, err);
    lock_drop(&state->lock);
    return rc;
}

int state_silences_expire(struct state *state, int64_t before_ns, struct err *err)
{
    sqlite3_stmt *expire = state_begin(state, STATE_silences_expire);
    sqlite3_bind_int64(expire, 1, before_ns);
    int rc = state_run(state, expire, err);
    state_done(state, expire);
    return rc;
}

/* ---- reading ---- */

static void visit_row(sqlite3_stmt *from, void (*visit)(void *context, const struct silence_row *row),
                      void *context)
{
    struct str matchers = state_column(from, 1), annotations = state_column(from, 7);
    struct silence_row row = {
        .id = state_column(from, 0),
        .starts_ns = sqlite3_column_int64(from, 2),
        .ends_ns = sqlite3_column_int64(from, 3),
        .updated_ns = sqlite3_column_int64(from, 4),
        .created_by = state_column(from, 5),
        .comment = state_column(from, 6),
    };
    struct arena arena;
    arena_init(&arena, 16 * (matchers.n + annotations.n) + (64 << 10));
    row.matchers = state_matchers_decode(&arena, matchers, &row.matcher_count);
    row.annotations = state_labels_decode(&arena, annotations, true);
    if (row.matchers != NULL && row.annotations != NULL)
        visit(context, &row);
    else
        log_error("a silence in the state file cannot be read: it does not count", LOG_STR("id", row.id));
    arena_release(&arena);
}

int state_silences_each(struct state *state, void (*visit)(void *context, const struct silence_row *row),
                        void *context, struct err *err)
{
    sqlite3_stmt *each = state_begin(state, STATE_silences_each);
    int step;
    while ((step = sqlite3_step(each)) == SQLITE_ROW)
        visit_row(each, visit, context);
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read the silences", err);
    state_done(state, each);
    return rc;
}
