#include "account_priv.h"

#include "tocsin/limits.h"
#include "tocsin/mem.h"

void account_add(struct account *a, int64_t bytes)
{
    atomic_fetch_add_explicit(&a->bytes, bytes, memory_order_relaxed);
}

void *account_take(struct account *a, size_t bytes)
{
    account_add(a, (int64_t)bytes);
    return mem_new(1, bytes);
}

void *account_take_lines(struct account *a, size_t bytes)
{
    account_add(a, (int64_t)bytes);
    return mem_new_lines(bytes);
}

void *account_resize(struct account *a, void *p, size_t from_bytes, size_t to_bytes)
{
    account_add(a, (int64_t)to_bytes - (int64_t)from_bytes);
    return mem_resize(p, 1, to_bytes);
}

void account_give(struct account *a, void *p, size_t bytes)
{
    if (p == NULL)
        return;
    account_add(a, -(int64_t)bytes);
    mem_free(p);
}

static int64_t map_bytes(const struct map *m)
{
    return (int64_t)(m->capacity * sizeof *m->slots);
}

void account_map_add(struct account *a, struct map *m, uint64_t hash, void *item)
{
    int64_t before = map_bytes(m);
    map_add(m, hash, item);
    account_add(a, map_bytes(m) - before);
}

void account_map_release(struct account *a, struct map *m)
{
    account_add(a, -map_bytes(m));
    map_release(m);
}

bool account_has_room(const struct account *a, size_t bytes)
{
    int64_t used = atomic_load_explicit(&((struct account *)a)->bytes, memory_order_relaxed);
    return (int64_t)bytes <= limits.store_bytes + a->beyond - used;
}
