#include "store_priv.h"

#include <stdlib.h>

const char *metadata_type_text(enum metadata_type type)
{
    static const char *const text[METADATA_TYPE_COUNT] = {
        [METADATA_UNKNOWN] = "unknown", [METADATA_COUNTER] = "counter",
        [METADATA_GAUGE] = "gauge",     [METADATA_HISTOGRAM] = "histogram",
        [METADATA_SUMMARY] = "summary", [METADATA_GAUGE_HISTOGRAM] = "gaugehistogram",
        [METADATA_INFO] = "info",       [METADATA_STATESET] = "stateset",
    };
    return text[type];
}

void families_init(struct families *f, struct account *account)
{
    *f = (struct families){.account = account};
    lock_init(&f->lock, LOCK_metadata);
    map_init(&f->by_name);
}

static bool is_family(const void *item, const void *key)
{
    return str_eq(((const struct family *)item)->meaning.family, *(const struct str *)key);
}

static struct family *find(const struct families *f, struct str name, uint64_t hash)
{
    return map_find(&f->by_name, hash, is_family, &name);
}

/* ---- one family in the list and the table --------------------------------------------------------------- */

static void to_end(struct families *f, struct family *family)
{
    family->before = f->last;
    family->after = NULL;
    *(f->last != NULL ? &f->last->after : &f->first) = family;
    f->last = family;
}

static void out_of_list(struct families *f, struct family *family)
{
    *(family->before != NULL ? &family->before->after : &f->first) = family->after;
    *(family->after != NULL ? &family->after->before : &f->last) = family->before;
}

static size_t bytes_of(const struct metadata *m)
{
    return sizeof(struct family) + m->family.n + m->help.n + m->unit.n;
}

static void add(struct families *f, const struct metadata *m, uint64_t hash)
{
    size_t bytes = bytes_of(m);
    struct family *family = account_take(f->account, bytes);
    char *text = (char *)(family + 1);
    family->hash = hash;
    family->bytes = bytes;
    family->meaning.family = text_put(&text, m->family);
    family->meaning.type = m->type;
    family->meaning.help = text_put(&text, m->help);
    family->meaning.unit = text_put(&text, m->unit);
    account_map_add(f->account, &f->by_name, hash, family);
    to_end(f, family);
}

static void drop(struct families *f, struct family *family)
{
    map_remove(&f->by_name, family->hash, family);
    out_of_list(f, family);
    account_give(f->account, family, family->bytes);
}

void families_release(struct families *f)
{
    while (f->first != NULL)
        drop(f, f->first);
    account_map_release(f->account, &f->by_name);
    lock_release(&f->lock);
}

uint64_t families_count(struct families *f)
{
    lock_take(&f->lock);
    uint64_t count = f->by_name.count;
    lock_drop(&f->lock);
    return count;
}

/* ---- the way in ----------------------------------------------------------------------------------------- */

static struct str cut(struct str text)
{
    size_t most = (size_t)limits.metadata_text_bytes;
    if (text.n <= most)
        return text;
    limit_hit(LIMIT_metadata_text_bytes);
    while (most > 0 && ((unsigned char)text.p[most] & 0xc0) == 0x80)
        most--; /* not in the middle of a character */
    return (struct str){text.p, most};
}

static bool says(const struct family *family, const struct metadata *m)
{
    return family->meaning.type == m->type && str_eq(family->meaning.help, m->help) &&
           str_eq(family->meaning.unit, m->unit);
}

static bool has_room(const struct families *f, const struct metadata *m)
{
    enum { SLOTS = 4 /* doubling, shared out over those that caused it */ };
    if (account_has_room(f->account, bytes_of(m) + SLOTS * sizeof(struct map_slot)))
        return true;
    limit_hit(LIMIT_store_bytes);
    return false;
}

static void note(struct families *f, const struct metadata *m)
{
    uint64_t hash = hash_bytes(m->family.p, m->family.n);
    struct family *family = find(f, m->family, hash);
    if (family != NULL && says(family, m)) {
        out_of_list(f, family);
        to_end(f, family);
        return;
    }
    if (family != NULL)
        drop(f, family);
    if (!has_room(f, m))
        return;
    add(f, m, hash);
    if (f->by_name.count <= (size_t)limits.metadata_families)
        return;
    drop(f, f->first);
    limit_hit(LIMIT_metadata_families);
}

void store_note_metadata(struct store *s, const struct metadata *metadata)
{
    if (metadata->family.n == 0)
        return;
    if (metadata->family.n > (size_t)limits.metadata_text_bytes) {
        limit_hit(LIMIT_metadata_text_bytes);
        return;
    }
    struct metadata m = *metadata;
    m.help = cut(m.help);
    m.unit = cut(m.unit);
    lock_take(&s->families.lock);
    note(&s->families, &m);
    lock_drop(&s->families.lock);
}

/* ---- the way out ---------------------------------------------------------------------------------------- */

static void copy_out(struct arena *arena, const struct family *family, struct metadata *to)
{
    to->family = str_copy(arena, family->meaning.family);
    to->type = family->meaning.type;
    to->help = str_copy(arena, family->meaning.help);
    to->unit = str_copy(arena, family->meaning.unit);
}

static int list(const struct families *f, struct str name, struct arena *arena, struct metadata **out,
                size_t *count)
{
    const struct family *only = name.n > 0 ? find(f, name, hash_bytes(name.p, name.n)) : NULL;
    size_t room = name.n == 0 ? f->by_name.count : only != NULL;
    struct metadata *to = *out = ARENA_ARRAY(arena, struct metadata, room);
    if (to == NULL)
        return ERR_LIMIT;
    if (only != NULL)
        copy_out(arena, only, to);
    else if (name.n == 0)
        for (const struct family *family = f->first; family != NULL; family = family->after)
            copy_out(arena, family, to++);
    *count = room;
    return arena_exhausted(arena) ? ERR_LIMIT : 0;
}

static int by_family(const void *a, const void *b)
{
    return str_cmp(((const struct metadata *)a)->family, ((const struct metadata *)b)->family);
}

int store_list_metadata(struct store *s, struct str family, struct arena *arena, struct metadata **out,
                        size_t *count)
{
    *count = 0;
    lock_take(&s->families.lock);
    int rc = list(&s->families, family, arena, out, count);
    lock_drop(&s->families.lock);
    if (rc == 0)
        qsort(*out, *count, sizeof **out, by_family);
    return rc;
}
