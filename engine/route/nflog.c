#include "nflog_priv.h"

#include "tocsin/mem.h"

static bool has_key(const void *item, const void *key)
{
    return str_eq(((const struct nflog_note *)item)->key, *(const struct str *)key);
}

static uint64_t key_hash(struct str key)
{
    return hash_bytes(key.p, key.n);
}

void nflog_told_free(struct dedup_told *told)
{
    hash_set_free(&told->firing);
    hash_set_free(&told->resolved);
    hash_set_free(&told->owed);
    hash_set_free(&told->missed);
}

struct nflog_note *nflog_note_make(struct str key, const struct dedup_told *told, const struct labels *kept,
                                   int64_t expires_ns)
{
    struct nflog_note *note = MEM_NEW(struct nflog_note);
    note->key = (struct str){mem_copy_text(key.p, key.n), key.n};
    note->told = (struct dedup_told){
        .firing = hash_set_copy(&told->firing),
        .resolved = hash_set_copy(&told->resolved),
        .owed = hash_set_copy(&told->owed),
        .missed = hash_set_copy(&told->missed),
        .sent_ns = told->sent_ns,
    };
    note->kept = kept != NULL && kept->count > 0 ? labels_copy_heap(kept) : NULL;
    note->expires_ns = expires_ns;
    return note;
}

void nflog_note_free(struct nflog_note *note)
{
    mem_free((void *)(uintptr_t)note->key.p);
    nflog_told_free(&note->told);
    mem_free(note->kept);
    mem_free(note);
}

struct loading {
    struct nflog *log;
    int64_t now_ns;
};

static struct hash_set borrow(const uint64_t *hashes, size_t count)
{
    return (struct hash_set){(uint64_t *)(uintptr_t)hashes, count};
}

static void load_one(void *context, const struct nflog_entry *entry)
{
    struct loading *loading = context;
    if (entry->expires_ns <= loading->now_ns)
        return;
    struct dedup_told told = {
        .firing = borrow(entry->firing, entry->firing_count),
        .resolved = borrow(entry->resolved, entry->resolved_count),
        .owed = borrow(entry->owed, entry->owed_count),
        .missed = borrow(entry->missed, entry->missed_count),
        .sent_ns = entry->sent_ns,
    };
    nflog_put(loading->log, nflog_note_make(entry->key, &told, entry->kept, entry->expires_ns));
}

int nflog_load(struct nflog *log, struct state *state, int64_t now_ns, struct err *err)
{
    map_init(&log->entries);
    struct loading loading = {log, now_ns};
    return state != NULL ? state_nflog_each(state, load_one, &loading, err) : 0;
}

void nflog_release(struct nflog *log)
{
    struct nflog_note *note;
    for (size_t at = 0; (note = map_next(&log->entries, &at)) != NULL;)
        nflog_note_free(note);
    map_release(&log->entries);
}

const struct dedup_told *nflog_find(const struct nflog *log, struct str key, int64_t now_ns,
                                    const struct labels **kept)
{
    const struct nflog_note *note = map_find(&log->entries, key_hash(key), has_key, &key);
    if (note == NULL || note->expires_ns <= now_ns)
        return NULL;
    *kept = note->kept;
    return &note->told;
}

int64_t nflog_expires(const struct dedup_told *told)
{
    return ((const struct nflog_note *)told)->expires_ns;
}

bool nflog_holds_firing(const struct nflog *log, uint64_t alert, int64_t now_ns)
{
    const struct nflog_note *note;
    for (size_t at = 0; (note = map_next(&log->entries, &at)) != NULL;)
        if (note->expires_ns > now_ns &&
            (hash_set_has(&note->told.firing, alert) || hash_set_has(&note->told.owed, alert) ||
             hash_set_has(&note->told.missed, alert)))
            return true;
    return false;
}

bool nflog_has_prefix(const struct nflog *log, struct str prefix)
{
    const struct nflog_note *note;
    for (size_t at = 0; (note = map_next(&log->entries, &at)) != NULL;)
        if (str_starts(note->key, prefix))
            return true;
    return false;
}

void nflog_put(struct nflog *log, struct nflog_note *note)
{
    uint64_t hash = key_hash(note->key);
    struct nflog_note *old = map_find(&log->entries, hash, has_key, &note->key);
    if (old != NULL && note->told.sent_ns != 0 && old->told.sent_ns > note->told.sent_ns) {
        nflog_note_free(note);
        return;
    }
    if (old != NULL) {
        map_remove(&log->entries, hash, old);
        nflog_note_free(old);
    }
    map_add(&log->entries, hash, note);
}

static struct nflog_entry entry_of(const struct nflog_note *note)
{
    return (struct nflog_entry){
        .key = note->key,
        .sent_ns = note->told.sent_ns,
        .expires_ns = note->expires_ns,
        .firing = note->told.firing.items,
        .firing_count = note->told.firing.count,
        .resolved = note->told.resolved.items,
        .resolved_count = note->told.resolved.count,
        .owed = note->told.owed.items,
        .owed_count = note->told.owed.count,
        .missed = note->told.missed.items,
        .missed_count = note->told.missed.count,
        .kept = note->kept,
        .relaxed = note->relaxed,
    };
}

int nflog_save(struct state *state, struct nflog_note *const *notes, size_t count, struct err *err)
{
    if (state == NULL || count == 0)
        return 0;
    struct nflog_entry *entries = MEM_ARRAY(struct nflog_entry, count);
    for (size_t i = 0; i < count; i++)
        entries[i] = entry_of(notes[i]);
    int rc = state_nflog_put_all(state, entries, count, err);
    mem_free(entries);
    return rc;
}

void nflog_expire(struct nflog *log, int64_t now_ns)
{
    struct nflog_note *note;
    struct nflog_note **gone = NULL;
    size_t count = 0, capacity = 0;
    for (size_t at = 0; (note = map_next(&log->entries, &at)) != NULL;) {
        if (note->expires_ns > now_ns)
            continue;
        MEM_GROW(gone, count, capacity);
        gone[count++] = note;
    }
    for (size_t i = 0; i < count; i++) {
        map_remove(&log->entries, key_hash(gone[i]->key), gone[i]);
        nflog_note_free(gone[i]);
    }
    mem_free(gone);
}
