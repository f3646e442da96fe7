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

static struct hash_set copy_set(const struct hash_set *set)
{
    struct hash_set copy = {.items = MEM_ARRAY(uint64_t, set->count + 1), .count = set->count};
    if (set->count > 0)
        memcpy(copy.items, set->items, set->count * sizeof *copy.items);
    return copy;
}

struct nflog_note *nflog_note_make(struct str key, const struct hash_set *firing,
                                   const struct hash_set *resolved, const struct labels *kept,
                                   int64_t sent_ns, int64_t expires_ns)
{
    struct nflog_note *note = MEM_NEW(struct nflog_note);
    note->key = (struct str){mem_copy_text(key.p, key.n), key.n};
    note->told = (struct dedup_told){copy_set(firing), copy_set(resolved), sent_ns};
    note->kept = kept != NULL && kept->count > 0 ? labels_copy_heap(kept) : NULL;
    note->expires_ns = expires_ns;
    return note;
}

void nflog_note_free(struct nflog_note *note)
{
    mem_free((void *)(uintptr_t)note->key.p);
    mem_free(note->told.firing.items);
    mem_free(note->told.resolved.items);
    mem_free(note->kept);
    mem_free(note);
}

struct loading {
    struct nflog *log;
    int64_t now_ns;
};

static void load_one(void *context, const struct nflog_entry *entry)
{
    struct loading *loading = context;
    if (entry->expires_ns <= loading->now_ns)
        return;
    struct hash_set firing = {(uint64_t *)(uintptr_t)entry->firing, entry->firing_count};
    struct hash_set resolved = {(uint64_t *)(uintptr_t)entry->resolved, entry->resolved_count};
    struct nflog_note *note =
        nflog_note_make(entry->key, &firing, &resolved, entry->kept, entry->sent_ns, entry->expires_ns);
    hash_set_sort(&note->told.firing);
    hash_set_sort(&note->told.resolved);
    nflog_put(loading->log, note);
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

bool nflog_holds_firing(const struct nflog *log, uint64_t alert, int64_t now_ns)
{
    const struct nflog_note *note;
    for (size_t at = 0; (note = map_next(&log->entries, &at)) != NULL;)
        if (note->expires_ns > now_ns && hash_set_has(&note->told.firing, alert))
            return true;
    return false;
}

void nflog_put(struct nflog *log, struct nflog_note *note)
{
    uint64_t hash = key_hash(note->key);
    struct nflog_note *old = map_find(&log->entries, hash, has_key, &note->key);
    if (old != NULL && old->told.sent_ns > note->told.sent_ns) {
        nflog_note_free(note);
        return;
    }
    if (old != NULL) {
        map_remove(&log->entries, hash, old);
        nflog_note_free(old);
    }
    map_add(&log->entries, hash, note);
}

int nflog_save(struct state *state, const struct nflog_note *note, struct err *err)
{
    if (state == NULL)
        return 0;
    struct nflog_entry entry = {
        .key = note->key,
        .sent_ns = note->told.sent_ns,
        .expires_ns = note->expires_ns,
        .firing = note->told.firing.items,
        .firing_count = note->told.firing.count,
        .resolved = note->told.resolved.items,
        .resolved_count = note->told.resolved.count,
        .kept = note->kept,
    };
    return state_nflog_put(state, &entry, err);
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
