#include "tocsin/hash.h"

#include "tocsin/check.h"
#include "tocsin/mem.h"

#include <string.h>
#include <xxhash.h>

static uint64_t process_seed = 0x9E3779B97F4A7C15u;

void hash_seed(uint64_t seed)
{
    process_seed = seed;
}

uint64_t hash_bytes(const void *bytes, size_t n)
{
    return XXH64(bytes, n, process_seed);
}

struct hash128 hash_wide(const void *bytes, size_t n)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(bytes, n, process_seed);
    return (struct hash128){h.low64, h.high64};
}

uint64_t hash_stable(const void *bytes, size_t n)
{
    return XXH64(bytes, n, 0);
}

uint64_t hash_mix(uint64_t hash, uint64_t value)
{
    uint64_t h = (hash ^ value) * 0x9E3779B97F4A7C15u;
    h = (h ^ (h >> 32)) * 0xD6E8FEB86659FD93u;
    return h ^ (h >> 32);
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_release(struct map *m)
{
    mem_free(m->slots);
    map_init(m);
}

void map_clear(struct map *m)
{
    if (m->capacity > 0)
        memset(m->slots, 0, m->capacity * sizeof *m->slots);
    m->count = 0;
}

void *map_find(const struct map *m, uint64_t hash, map_equal *equal, const void *key)
{
    if (m->count == 0)
        return NULL;
    size_t mask = m->capacity - 1;
    for (size_t i = hash & mask; m->slots[i].item != NULL; i = (i + 1) & mask)
        if (m->slots[i].hash == hash && equal(m->slots[i].item, key))
            return m->slots[i].item;
    return NULL;
}

static void place(struct map *m, uint64_t hash, void *item)
{
    size_t mask = m->capacity - 1;
    size_t i = hash & mask;
    while (m->slots[i].item != NULL)
        i = (i + 1) & mask;
    m->slots[i] = (struct map_slot){hash, item};
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->capacity = old.capacity > 0 ? old.capacity * 2 : 16;
    m->slots = MEM_ARRAY(struct map_slot, m->capacity);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].item != NULL)
            place(m, old.slots[i].hash, old.slots[i].item);
    mem_free(old.slots);
}

void map_add(struct map *m, uint64_t hash, void *item)
{
    must(item != NULL);
    if ((m->count + 1) * 4 > m->capacity * 3)
        grow(m);
    place(m, hash, item);
    m->count++;
}

/* Closes the gap at `hole` by moving later items of the same run back, so that no tombstones are needed. */
static void close_gap(struct map *m, size_t hole)
{
    size_t mask = m->capacity - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i].item != NULL; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies after the hole: it must stay */
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){0};
}

bool map_remove(struct map *m, uint64_t hash, const void *item)
{
    if (m->count == 0)
        return false;
    size_t mask = m->capacity - 1;
    for (size_t i = hash & mask; m->slots[i].item != NULL; i = (i + 1) & mask) {
        if (m->slots[i].item != item)
            continue;
        close_gap(m, i);
        m->count--;
        return true;
    }
    return false;
}

void *map_next(const struct map *m, size_t *at)
{
    while (*at < m->capacity) {
        void *item = m->slots[(*at)++].item;
        if (item != NULL)
            return item;
    }
    return NULL;
}
