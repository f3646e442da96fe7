#include "state_priv.h"

#include "tocsin/mem.h"

static struct str as_bytes(const uint64_t *hashes, size_t count)
{
    return (struct str){(const char *)hashes, count * sizeof *hashes};
}

int state_nflog_write(struct state *state, enum state_statement id, const struct nflog_entry *entry,
                      struct err *err)
{
    sqlite3_stmt *put = state->statement[id];
    struct buf kept = {0};
    state_bind_text(put, 1, entry->key);
    sqlite3_bind_int64(put, 2, entry->sent_ns);
    sqlite3_bind_int64(put, 3, entry->expires_ns);
    state_bind_text(put, 4, as_bytes(entry->firing, entry->firing_count));
    state_bind_text(put, 5, as_bytes(entry->resolved, entry->resolved_count));
    if (entry->kept != NULL)
        state_labels_encode(&kept, entry->kept);
    state_bind_text(put, 6, (struct str){kept.bytes, kept.used});
    state_bind_text(put, 7, as_bytes(entry->owed, entry->owed_count));
    state_bind_text(put, 8, as_bytes(entry->missed, entry->missed_count));
    int rc = state_step(state, put, err);
    buf_release(&kept);
    return rc;
}

struct entries {
    const struct nflog_entry *items;
    size_t count;
};

static int put_entries(struct state *state, void *context, struct err *err)
{
    const struct entries *list = context;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->count; i++)
        rc = state_nflog_write(state, STATE_nflog_put, &list->items[i], err);
    return rc;
}

static bool all_relaxed(const struct entries *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].relaxed)
            return false;
    return true;
}

int state_nflog_put_all(struct state *state, const struct nflog_entry *entries, size_t count, struct err *err)
{
    struct entries list = {entries, count};
    if (count == 0)
        return 0;
    bool relaxed = all_relaxed(&list);
    lock_take(&state->lock);
    int rc = state_together(state, relaxed, put_entries, &list, err);
    if (!relaxed)
        state->unsynced = state->unsynced && rc != 0;
    lock_drop(&state->lock);
    return rc;
}

int state_nflog_put(struct state *state, const struct nflog_entry *entry, struct err *err)
{
    return state_nflog_put_all(state, entry, 1, err);
}

/* Copied out because a blob column promises no alignment. */
static uint64_t *copy_hashes(struct str bytes, size_t *count)
{
    *count = bytes.n / sizeof(uint64_t);
    uint64_t *hashes = MEM_ARRAY(uint64_t, *count + 1);
    if (*count > 0)
        memcpy(hashes, bytes.p, *count * sizeof *hashes);
    return hashes;
}

enum { KEPT_ARENA_BYTES = 1 << 20 };

/* What cannot be read was not kept. */
static const struct labels *read_kept(struct arena *arena, struct str bytes)
{
    arena_init(arena, KEPT_ARENA_BYTES);
    return bytes.n > 0 ? state_labels_decode(arena, bytes, false) : NULL;
}

static void visit_row(sqlite3_stmt *row, void (*visit)(void *context, const struct nflog_entry *entry),
                      void *context)
{
    struct nflog_entry entry = {
        .key = state_column(row, 0),
        .sent_ns = sqlite3_column_int64(row, 1),
        .expires_ns = sqlite3_column_int64(row, 2),
    };
    uint64_t *firing = copy_hashes(state_column(row, 3), &entry.firing_count);
    uint64_t *resolved = copy_hashes(state_column(row, 4), &entry.resolved_count);
    uint64_t *owed = copy_hashes(state_column(row, 6), &entry.owed_count);
    uint64_t *missed = copy_hashes(state_column(row, 7), &entry.missed_count);
    entry.firing = firing;
    entry.resolved = resolved;
    entry.owed = owed;
    entry.missed = missed;
    struct arena arena;
    entry.kept = read_kept(&arena, state_column(row, 5));
    visit(context, &entry);
    arena_release(&arena);
    mem_free(firing);
    mem_free(resolved);
    mem_free(owed);
    mem_free(missed);
}

int state_nflog_each(struct state *state, void (*visit)(void *context, const struct nflog_entry *entry),
                     void *context, struct err *err)
{
    sqlite3_stmt *each = state_begin(state, STATE_nflog_each);
    int step;
    while ((step = sqlite3_step(each)) == SQLITE_ROW)
        visit_row(each, visit, context);
    int rc = step == SQLITE_DONE ? 0 : state_error(state, "cannot read the notification log", err);
    state_done(state, each);
    return rc;
}

int state_nflog_expire(struct state *state, int64_t now_ns, struct err *err)
{
    sqlite3_stmt *expire = state_begin(state, STATE_nflog_expire);
    sqlite3_bind_int64(expire, 1, now_ns);
    int rc = state_run(state, expire, err);
    state_done(state, expire);
    return rc;
}
