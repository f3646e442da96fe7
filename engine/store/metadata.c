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

static bool is_of_family(const void *item, const void *key)
{
    return str_eq(((const struct meaning *)item)->says.family, *(const struct str *)key);
}

/* The first meaning of a family. */
static struct meaning *find(const struct families *f, struct str name, uint64_t hash)
{
    return map_find(&f->by_name, hash, is_of_family, &name);
}

/* ---- one meaning in the list and the table --------------------------------------------------------------- */

static void to_end(struct families *f, struct meaning *meaning)
{
    meaning->before = f->last;
    meaning->after = NULL;
    *(f->last != NULL ? &f->last->after : &f->first) = meaning;
    f->last = meaning;
}

static void out_of_list(struct families *f, struct meaning *meaning)
{
    *(meaning->before != NULL ? &meaning->before->after : &f->first) = meaning->after;
    *(meaning->after != NULL ? &meaning->after->before : &f->last) = meaning->before;
}

static size_t bytes_of(const struct metadata *m)
{
    return sizeof(struct meaning) + m->family.n + m->help.n + m->unit.n;
}

static void add(struct families *f, const struct metadata *m, uint64_t hash, int64_t now_ns)
{
    size_t bytes = bytes_of(m);
    struct meaning *meaning = account_take(f->account, bytes), *first = find(f, m->family, hash);
    char *text = (char *)(meaning + 1);
    meaning->hash = hash;
    meaning->bytes = bytes;
    meaning->told_ns = now_ns;
    meaning->says.family = text_put(&text, m->family);
    meaning->says.type = m->type;
    meaning->says.help = text_put(&text, m->help);
    meaning->says.unit = text_put(&text, m->unit);
    if (first == NULL) {
        account_map_add(f->account, &f->by_name, hash, meaning);
    } else {
        meaning->sibling = first->sibling;
        first->sibling = meaning;
    }
    to_end(f, meaning);
}

static void out_of_family(struct families *f, struct meaning *meaning)
{
    struct meaning *other = find(f, meaning->says.family, meaning->hash);
    if (other == meaning) {
        map_remove(&f->by_name, meaning->hash, meaning);
        if (meaning->sibling != NULL)
            account_map_add(f->account, &f->by_name, meaning->hash, meaning->sibling);
        return;
    }
    while (other->sibling != meaning)
        other = other->sibling;
    other->sibling = meaning->sibling;
}

static void drop(struct families *f, struct meaning *meaning)
{
    out_of_family(f, meaning);
    out_of_list(f, meaning);
    account_give(f->account, meaning, meaning->bytes);
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

static bool says(const struct meaning *meaning, const struct metadata *m)
{
    return meaning->says.type == m->type && str_eq(meaning->says.help, m->help) &&
           str_eq(meaning->says.unit, m->unit);
}

static bool has_room(const struct families *f, const struct metadata *m)
{
    enum { SLOTS = 4 /* doubling, shared out over those that caused it */ };
    if (account_has_room(f->account, bytes_of(m) + SLOTS * sizeof(struct map_slot)))
        return true;
    limit_hit(LIMIT_store_bytes);
    return false;
}

/* What a family meant until a release of what it measures is not what two senders do not agree on. */
static void forget_outdated(struct families *f, struct str name, uint64_t hash, int64_t now_ns)
{
    struct meaning *next;
    for (struct meaning *meaning = find(f, name, hash); meaning != NULL; meaning = next) {
        next = meaning->sibling;
        if (now_ns - meaning->told_ns > METADATA_OUTDATED_MS * NS_PER_MS)
            drop(f, meaning);
    }
}

/* Makes room for another meaning: the one goes that nobody has told of for longest. */
static void keep_few(struct families *f, struct str name, uint64_t hash)
{
    struct meaning *oldest = find(f, name, hash);
    int64_t count = 0;
    for (struct meaning *meaning = oldest; meaning != NULL; meaning = meaning->sibling, count++)
        if (meaning->told_ns < oldest->told_ns)
            oldest = meaning;
    if (count < limits.metadata_per_family)
        return;
    drop(f, oldest);
    limit_hit(LIMIT_metadata_per_family);
}

static void note(struct families *f, const struct metadata *m, int64_t now_ns)
{
    uint64_t hash = hash_bytes(m->family.p, m->family.n);
    struct meaning *known = find(f, m->family, hash);
    while (known != NULL && !says(known, m))
        known = known->sibling;
    if (known != NULL) {
        known->told_ns = now_ns;
        out_of_list(f, known);
        to_end(f, known);
    }
    forget_outdated(f, m->family, hash, now_ns);
    if (known != NULL || !has_room(f, m))
        return;
    keep_few(f, m->family, hash);
    add(f, m, hash, now_ns);
    if (f->by_name.count <= (size_t)limits.metadata_families)
        return;
    while (f->by_name.count > (size_t)limits.metadata_families)
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
    note(&s->families, &m, s->world->mono_ns(s->world));
    lock_drop(&s->families.lock);
}

/* ---- the way out ---------------------------------------------------------------------------------------- */

static void copy_out(struct arena *arena, const struct metadata *from, struct metadata *to)
{
    to->family = str_copy(arena, from->family);
    to->type = from->type;
    to->help = str_copy(arena, from->help);
    to->unit = str_copy(arena, from->unit);
}

static size_t count_of(const struct meaning *first, bool all)
{
    size_t count = 0;
    for (const struct meaning *meaning = first; meaning != NULL;
         meaning = all ? meaning->after : meaning->sibling)
        count++;
    return count;
}

static int list(const struct families *f, struct str name, struct arena *arena, struct metadata **out,
                size_t *count)
{
    bool all = name.n == 0;
    const struct meaning *first = all ? f->first : find(f, name, hash_bytes(name.p, name.n));
    size_t room = count_of(first, all);
    struct metadata *to = *out = ARENA_ARRAY(arena, struct metadata, room);
    if (to == NULL)
        return ERR_LIMIT;
    for (const struct meaning *meaning = first; meaning != NULL;
         meaning = all ? meaning->after : meaning->sibling)
        copy_out(arena, &meaning->says, to++);
    *count = room;
    return arena_exhausted(arena) ? ERR_LIMIT : 0;
}

/* By what they say within a family, so that asking twice gives the same. */
static int compare(const void *a, const void *b)
{
    const struct metadata *x = a, *y = b;
    int order = str_cmp(x->family, y->family);
    if (order == 0)
        order = (int)x->type - (int)y->type;
    if (order == 0)
        order = str_cmp(x->help, y->help);
    return order != 0 ? order : str_cmp(x->unit, y->unit);
}

int store_list_metadata(struct store *s, struct str family, struct arena *arena, struct metadata **out,
                        size_t *count)
{
    *count = 0;
    lock_take(&s->families.lock);
    int rc = list(&s->families, family, arena, out, count);
    lock_drop(&s->families.lock);
    if (rc == 0)
        qsort(*out, *count, sizeof **out, compare);
    return rc;
}
