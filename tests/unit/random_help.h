/* Random numbers that come again with their seed (Marsaglia's xorshift). A state is not 0. */
#ifndef TOCSIN_TESTS_RANDOM_HELP_H
#define TOCSIN_TESTS_RANDOM_HELP_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
    return (random_next(state) >> 20) % n;
}

#endif
