/*
 * hash: 64-bit hashing (XXH64) and a small open-addressing map of pointers.
 *
 * The map stores (hash, item) pairs and knows nothing of keys: look-ups compare through the caller's
 * function, so one struct can sit in several maps. Hashes are XXH64 with a per-process seed where the bytes
 * come from a stranger (hash_bytes), and the seedless form (hash_stable) where the value itself is part of a
 * format, as Prometheus' label hash is.
 *
 * Drawback: iteration order is meaningless; sort what a user will see. One writer at a time.
 */
#ifndef TOCSIN_HASH_H
#define TOCSIN_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For tables: seeded once per process by hash_seed, so that nobody outside can aim at collisions. */
uint64_t hash_bytes(const void *bytes, size_t n);

/* 128 bits, seeded likewise: where equal hashes are taken for equal bytes. */
struct hash128 {
    uint64_t low, high;
};
struct hash128 hash_wide(const void *bytes, size_t n);

/* XXH64 with seed 0: the same in every process and every version. */
uint64_t hash_stable(const void *bytes, size_t n);

/* Sets the seed of hash_bytes; once, at start-up, before the first map is filled. */
void hash_seed(uint64_t seed);

/* Mixes another value into a hash. */
uint64_t hash_mix(uint64_t hash, uint64_t value);

struct map_slot {
    uint64_t hash;
    void *item; /* NULL: free */
};

struct map {
    struct map_slot *slots; /* private */
    size_t count;           /* items held */
    size_t capacity;        /* a power of two, or 0; private */
};

/* True if `item` is the one meant by `key`. */
typedef bool map_equal(const void *item, const void *key);

void map_init(struct map *m);
void map_release(struct map *m); /* the items stay the caller's */
void map_clear(struct map *m);

/* The item for key, or NULL. */
void *map_find(const struct map *m, uint64_t hash, map_equal *equal, const void *key);

/* Adds an item (never NULL) that is not in the map yet. */
void map_add(struct map *m, uint64_t hash, void *item);

/* Takes out this very item (pointer identity). False if it was not there. */
bool map_remove(struct map *m, uint64_t hash, const void *item);

/* Iteration: `for (size_t at = 0; (item = map_next(m, &at)) != NULL;)`. The map must not change meanwhile. */
void *map_next(const struct map *m, size_t *at);

#endif
