#include "tocsin/intern.h"

#include "tocsin/check.h"
#include "tocsin/hash.h"
#include "tocsin/lock.h"
#include "tocsin/mem.h"

struct intern {
    struct lock lock;
    struct map strings;
    size_t string_bytes;
};

static size_t bytes_of(size_t length)
{
    return sizeof(struct interned) + length + 1;
}

struct intern *intern_open(void)
{
    struct intern *table = MEM_NEW(struct intern);
    lock_init(&table->lock, LOCK_intern);
    map_init(&table->strings);
    return table;
}

void intern_free(struct intern *table)
{
    if (table == NULL)
        return;
    must(table->strings.count == 0);
    map_release(&table->strings);
    lock_release(&table->lock);
    mem_free(table);
}

static bool is_text(const void *item, const void *key)
{
    return str_eq(intern_str(item), *(const struct str *)key);
}

static struct interned *add(struct intern *table, struct str s, uint64_t hash)
{
    struct interned *string = mem_new(1, bytes_of(s.n));
    string->hash = hash;
    string->length = (uint32_t)s.n;
    if (s.n > 0)
        memcpy(string->text, s.p, s.n);
    map_add(&table->strings, hash, string);
    table->string_bytes += bytes_of(s.n);
    return string;
}

const struct interned *intern_get(struct intern *table, struct str s)
{
    must(s.n <= UINT32_MAX);
    uint64_t hash = hash_bytes(s.p, s.n);
    lock_take(&table->lock);
    struct interned *string = map_find(&table->strings, hash, is_text, &s);
    if (string == NULL)
        string = add(table, s, hash);
    must(__atomic_fetch_add(&string->refs, 1, __ATOMIC_RELAXED) < UINT32_MAX);
    lock_drop(&table->lock);
    return string;
}

/* References are counted in what is otherwise constant. */
static struct interned *mutable(const struct interned *string)
{
    return (struct interned *)(uintptr_t)string;
}

const struct interned *intern_hold(const struct interned *string)
{
    must(__atomic_fetch_add(&mutable(string)->refs, 1, __ATOMIC_RELAXED) < UINT32_MAX);
    return string;
}

/* Only under the lock may the last reference go, because intern_get revives what it finds in the table. */
static bool drop_one_of_many(struct interned *string)
{
    uint32_t refs = __atomic_load_n(&string->refs, __ATOMIC_RELAXED);
    while (refs > 1)
        if (__atomic_compare_exchange_n(&string->refs, &refs, refs - 1, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

void intern_drop(struct intern *table, const struct interned *shared)
{
    struct interned *string = mutable(shared);
    if (drop_one_of_many(string))
        return;
    lock_take(&table->lock);
    uint32_t before = __atomic_fetch_sub(&string->refs, 1, __ATOMIC_ACQ_REL);
    must(before > 0);
    if (before == 1) {
        must(map_remove(&table->strings, string->hash, string));
        table->string_bytes -= bytes_of(string->length);
        mem_free(string);
    }
    lock_drop(&table->lock);
}

size_t intern_count(struct intern *table)
{
    lock_take(&table->lock);
    size_t count = table->strings.count;
    lock_drop(&table->lock);
    return count;
}

size_t intern_bytes(struct intern *table)
{
    lock_take(&table->lock);
    size_t bytes =
        sizeof *table + table->string_bytes + table->strings.capacity * sizeof table->strings.slots[0];
    lock_drop(&table->lock);
    return bytes;
}
