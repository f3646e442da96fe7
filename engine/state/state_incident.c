#include "state_priv.h"

int state_incident_put(struct state *state, struct incident_row *row, struct err *err)
{
    sqlite3_stmt *put = state_begin(state, row->id == 0 ? STATE_incident_add : STATE_incident_put);
    state_bind_text(put, 1, row->key);
    sqlite3_bind_int64(put, 2, row->opened_ns);
    sqlite3_bind_int64(put, 3, row->closed_ns);
    state_bind_text(put, 4, row->body);
    if (row->id != 0)
        sqlite3_bind_int64(put, 5, row->id);
    int rc = state_run(state, put, err);
    if (rc == 0 && row->id == 0)
        row->id = sqlite3_last_insert_rowid(state->db);
    else if (rc == 0 && sqlite3_changes(state->db) == 0)
        rc = err_set(err, ERR_NOT_FOUND, "no incident %lld", (long long)row->id);
    state_done(state, put);
    return rc;
}

int state_incident_note(struct state *state, int64_t incident, int64_t at_ns, struct str body,
                        struct err *err)
{
    sqlite3_stmt *note = state_begin(state, STATE_incident_note);
    sqlite3_bind_int64(note, 1, incident);
    sqlite3_bind_int64(note, 2, at_ns);
    state_bind_text(note, 3, body);
    int rc = state_run(state, note, err);
    state_done(state, note);
    return rc;
}

int state_incident_each(struct state *state, int64_t since_ns, size_t limit,
                        void (*visit)(void *context, const struct incident_row *row), void *context,
                        struct err *err)
{
    sqlite3_stmt *each = state_begin(state, STATE_incident_each);
    sqlite3_bind_int64(each, 1, since_ns);
    sqlite3_bind_int64(each, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    int step;
    while ((step = sqlite3_step(each)) == SQLITE_ROW) {
        struct incident_row row = {
            .id = sqlite3_column_int64(each, 0),
            .key = state_column(each, 1),
            .opened_ns = sqlite3_column_int64(each, 2),
            .closed_ns = sqlite3_column_int64(each, 3),
            .body = state_column(each, 4),
        };
        visit(context, &row);
    }
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read the incidents", err);
    state_done(state, each);
    return rc;
}

int state_incident_notes(struct state *state, int64_t incident,
                         void (*visit)(void *context, int64_t at_ns, struct str body), void *context,
                         struct err *err)
{
    sqlite3_stmt *notes = state_begin(state, STATE_incident_notes);
    sqlite3_bind_int64(notes, 1, incident);
    int step;
    while ((step = sqlite3_step(notes)) == SQLITE_ROW)
        visit(context, sqlite3_column_int64(notes, 0), state_column(notes, 1));
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read an incident's timeline", err);
    state_done(state, notes);
    return rc;
}
