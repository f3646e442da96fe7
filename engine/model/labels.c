#include "tocsin/labels.h"

#include "labels_priv.h"
#include "tocsin/hash.h"
#include "tocsin/mem.h"

#include <stdarg.h>

enum { LENGTH_BYTES_MAX = 4, HASH_STACK_BYTES = 1024 };

/* ---- hash --------------------------------------------------------------------------------------------- */

static char *put_sized(char *to, struct str s)
{
    if (s.n < 255) {
        *to++ = (char)s.n;
    } else {
        *to++ = (char)0xFF;
        *to++ = (char)(s.n & 0xFF);
        *to++ = (char)(s.n >> 8 & 0xFF);
        *to++ = (char)(s.n >> 16 & 0xFF);
    }
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    return to + s.n;
}

uint64_t labels_hash(const struct label *items, size_t count)
{
    char small[HASH_STACK_BYTES] __attribute__((uninitialized)); /* to fill it would cost more than most hashes */
    small[0] = '\0';
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += items[i].name.n + items[i].value.n + 2 * LENGTH_BYTES_MAX;
    char *all = bytes <= sizeof small ? small : mem_new(bytes, 1);
    char *end = all;
    for (size_t i = 0; i < count; i++)
        end = put_sized(put_sized(end, items[i].name), items[i].value);
    uint64_t hash = hash_stable(all, (size_t)(end - all));
    if (all != small)
        mem_free(all);
    return hash;
}

/* ---- making ------------------------------------------------------------------------------------------- */

static struct labels *allocate(struct arena *arena, size_t count)
{
    return arena_alloc(arena, sizeof(struct labels) + count * sizeof(struct label));
}

static struct labels *seal(struct labels *ls)
{
    ls->hash = labels_hash(ls->item, ls->count);
    return ls;
}

static void append(struct labels *ls, struct label l)
{
    if (l.value.n > 0)
        ls->item[ls->count++] = l;
}

/* Insertion keeps equal names in their order, so that the last one can win; sets are small and mostly sorted.
 */
static void sort(struct label *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct label l = items[i];
        size_t lo = 0, hi = i;
        if (str_cmp(items[i - 1].name, l.name) <= 0)
            continue;
        while (lo < hi) {
            size_t mid = (lo + hi) / 2;
            if (str_cmp(items[mid].name, l.name) <= 0)
                lo = mid + 1;
            else
                hi = mid;
        }
        memmove(items + lo + 1, items + lo, (i - lo) * sizeof *items);
        items[lo] = l;
    }
}

static struct labels *make(struct arena *arena, struct label *items, size_t count, bool keep_empty)
{
    sort(items, count);
    struct labels *ls = allocate(arena, count);
    if (ls == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && str_eq(items[i].name, items[i + 1].name))
            continue;
        if (items[i].value.n > 0)
            append(ls, items[i]);
        else if (keep_empty)
            ls->item[ls->count++] = items[i];
    }
    return seal(ls);
}

struct labels *labels_make(struct arena *arena, struct label *items, size_t count)
{
    return make(arena, items, count, false);
}

struct labels *labels_make_texts(struct arena *arena, struct label *items, size_t count)
{
    return make(arena, items, count, true);
}

struct labels *labels_of(struct arena *arena, ...)
{
    size_t texts = 0;
    va_list args;
    va_start(args, arena);
    while (va_arg(args, const char *) != NULL)
        texts++;
    va_end(args);
    struct label *items = ARENA_ARRAY(arena, struct label, texts / 2);
    if (items == NULL)
        return NULL;
    va_start(args, arena);
    for (size_t i = 0; i < texts / 2; i++) {
        items[i].name = str_of(va_arg(args, const char *));
        items[i].value = str_of(va_arg(args, const char *));
    }
    va_end(args);
    return labels_make(arena, items, texts / 2);
}

struct labels *labels_empty(struct arena *arena)
{
    return labels_make(arena, NULL, 0);
}

/* ---- copying ------------------------------------------------------------------------------------------ */

size_t labels_flat_bytes(const struct labels *ls)
{
    size_t bytes = sizeof *ls + ls->count * sizeof ls->item[0];
    for (size_t i = 0; i < ls->count; i++)
        bytes += ls->item[i].name.n + ls->item[i].value.n + 2;
    return (bytes + _Alignof(struct labels) - 1) & ~(_Alignof(struct labels) - 1);
}

static struct str move_text(char **to, struct str s)
{
    struct str copy = {*to, s.n};
    if (s.n > 0)
        memcpy(*to, s.p, s.n);
    (*to)[s.n] = '\0';
    *to += s.n + 1;
    return copy;
}

struct labels *labels_flatten(void *to, const struct labels *ls)
{
    struct labels *copy = to;
    char *text = (char *)&copy->item[ls->count];
    copy->hash = ls->hash;
    copy->count = ls->count;
    for (size_t i = 0; i < ls->count; i++) {
        copy->item[i].name = move_text(&text, ls->item[i].name);
        copy->item[i].value = move_text(&text, ls->item[i].value);
    }
    return copy;
}

struct labels *labels_copy(struct arena *arena, const struct labels *ls)
{
    void *to = arena_alloc(arena, labels_flat_bytes(ls));
    return to != NULL ? labels_flatten(to, ls) : NULL;
}

struct labels *labels_copy_heap(const struct labels *ls)
{
    return labels_flatten(mem_new(labels_flat_bytes(ls), 1), ls);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

/* The place of a name, or where it would stand. */
static size_t find(const struct labels *ls, struct str name, bool *found)
{
    size_t lo = 0, hi = ls->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int order = str_cmp(ls->item[mid].name, name);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = false;
    return lo;
}

struct str labels_get(const struct labels *ls, struct str name)
{
    bool found;
    size_t at = find(ls, name, &found);
    return found ? ls->item[at].value : (struct str){NULL, 0};
}

bool labels_has(const struct labels *ls, struct str name)
{
    bool found;
    find(ls, name, &found);
    return found;
}

bool labels_equal(const struct labels *a, const struct labels *b)
{
    if (a->hash != b->hash || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_eq(a->item[i].name, b->item[i].name) || !str_eq(a->item[i].value, b->item[i].value))
            return false;
    return true;
}

int labels_compare(const struct labels *a, const struct labels *b)
{
    size_t n = a->count < b->count ? a->count : b->count;
    for (size_t i = 0; i < n; i++) {
        int order = str_cmp(a->item[i].name, b->item[i].name);
        if (order == 0)
            order = str_cmp(a->item[i].value, b->item[i].value);
        if (order != 0)
            return order;
    }
    return (a->count > b->count) - (a->count < b->count);
}

/* ---- changing ----------------------------------------------------------------------------------------- */

struct labels *labels_with(struct arena *arena, const struct labels *ls, struct str name, struct str value)
{
    bool found;
    size_t at = find(ls, name, &found);
    struct labels *made = allocate(arena, ls->count + 1);
    if (made == NULL)
        return NULL;
    for (size_t i = 0; i < at; i++)
        append(made, ls->item[i]);
    append(made, (struct label){name, value});
    for (size_t i = at + found; i < ls->count; i++)
        append(made, ls->item[i]);
    return seal(made);
}

struct labels *labels_merge(struct arena *arena, const struct labels *base, const struct labels *over)
{
    struct labels *made = allocate(arena, base->count + over->count);
    if (made == NULL)
        return NULL;
    size_t i = 0, j = 0;
    while (i < base->count && j < over->count) {
        int order = str_cmp(base->item[i].name, over->item[j].name);
        append(made, order < 0 ? base->item[i] : over->item[j]);
        i += order <= 0;
        j += order >= 0;
    }
    while (i < base->count)
        append(made, base->item[i++]);
    while (j < over->count)
        append(made, over->item[j++]);
    return seal(made);
}

static bool named(struct str name, const struct str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static struct labels *filter(struct arena *arena, const struct labels *ls, const struct str *names,
                             size_t count, bool keep)
{
    struct labels *made = allocate(arena, ls->count);
    if (made == NULL)
        return NULL;
    for (size_t i = 0; i < ls->count; i++)
        if (named(ls->item[i].name, names, count) == keep)
            append(made, ls->item[i]);
    if (made->count < ls->count)
        return seal(made);
    made->hash = ls->hash;
    return made;
}

struct labels *labels_keep(struct arena *arena, const struct labels *ls, const struct str *names,
                           size_t count)
{
    return filter(arena, ls, names, count, true);
}

struct labels *labels_drop(struct arena *arena, const struct labels *ls, const struct str *names,
                           size_t count)
{
    return filter(arena, ls, names, count, false);
}

struct labels *labels_drop_name(struct arena *arena, const struct labels *ls)
{
    return labels_drop(arena, ls, &STR(LABEL_METRIC_NAME), 1);
}
