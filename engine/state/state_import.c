#include "state_priv.h"

int state_imported(struct state *state, struct str file, uint64_t hash, bool *known, struct err *err)
{
    sqlite3_stmt *find = state_begin(state, STATE_imported_find);
    state_bind_text(find, 1, file);
    sqlite3_bind_int64(find, 2, (int64_t)hash);
    int step = sqlite3_step(find);
    *known = step == SQLITE_ROW;
    int rc = step == SQLITE_ROW || step == SQLITE_DONE
                 ? 0
                 : state_error(state, "cannot read what has been taken over", err);
    state_done(state, find);
    return rc;
}

static int note_file(struct state *state, const struct state_import *all, struct err *err)
{
    sqlite3_stmt *put = state->statement[STATE_imported_put];
    state_bind_text(put, 1, all->file);
    sqlite3_bind_int64(put, 2, (int64_t)all->hash);
    return state_step(state, put, err);
}

static int put_all(struct state *state, void *context, struct err *err)
{
    const struct state_import *all = context;
    int rc = note_file(state, all, err);
    for (size_t i = 0; rc == 0 && i < all->entry_count; i++)
        rc = state_nflog_write(state, STATE_nflog_merge, &all->entries[i], err);
    for (size_t i = 0; rc == 0 && i < all->silence_count; i++)
        rc = state_silence_write(state, STATE_silence_merge, &all->silences[i], err);
    return rc;
}

int state_import(struct state *state, const struct state_import *all, struct err *err)
{
    struct state_import copy = *all;
    lock_take(&state->lock);
    int rc = state_together(state, false, put_all, &copy, err);
    lock_drop(&state->lock);
    return rc;
}
