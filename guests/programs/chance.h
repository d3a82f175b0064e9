// SPDX-License-Identifier: Apache-2.0
//
// Random numbers from a seed (xorshift), the same everywhere.

#ifndef PROGRAMS_CHANCE_H
#define PROGRAMS_CHANCE_H

#include <stdint.h>

// The state that belongs to a seed: never 0 for those that tests use.
static inline uint64_t random_state(uint64_t seed)
{
    return seed * 0x9E3779B97F4A7C15UL + 1;
}

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
