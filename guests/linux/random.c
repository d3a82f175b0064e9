// SPDX-License-Identifier: Apache-2.0

#include "random.h"

#include <string.h>

#define WORDS 16
#define BLOCK_SIZE 64
#define DOUBLE_ROUNDS 10
#define PAGE_SHIFT 12

static struct {
    uint32_t input[WORDS];
    uint8_t block[BLOCK_SIZE];
    size_t used;
} state;

static inline uint32_t rotate(uint32_t value, unsigned count)
{
    return value << count | value >> (32 - count);
}

static void quarter_round(uint32_t *words, unsigned a, unsigned b, unsigned c, unsigned d)
{
    words[a] += words[b];
    words[d] = rotate(words[d] ^ words[a], 16);
    words[c] += words[d];
    words[b] = rotate(words[b] ^ words[c], 12);
    words[a] += words[b];
    words[d] = rotate(words[d] ^ words[a], 8);
    words[c] += words[d];
    words[b] = rotate(words[b] ^ words[c], 7);
}

static void next_block(void)
{
    uint32_t words[WORDS];
    memcpy(words, state.input, sizeof words);
    for (int i = 0; i < DOUBLE_ROUNDS; i++) {
        for (unsigned column = 0; column < 4; column++) {
            quarter_round(words, column, column + 4, column + 8, column + 12);
        }
        for (unsigned column = 0; column < 4; column++) {
            quarter_round(words, column, (column + 1) % 4 + 4, (column + 2) % 4 + 8,
                          (column + 3) % 4 + 12);
        }
    }
    for (unsigned i = 0; i < WORDS; i++) {
        words[i] += state.input[i];
    }
    memcpy(state.block, words, sizeof words);
    state.used = 0;
    // A counter of 64 bits in words 12 and 13.
    if (++state.input[12] == 0) {
        state.input[13]++;
    }
}

void random_seed(const uint8_t *seed)
{
    memset(&state, 0, sizeof state);
    memcpy(state.input, "expand 32-byte k", 16);
    memcpy(state.input + 4, seed, RANDOM_SEED_SIZE);
    state.used = BLOCK_SIZE;
}

void random_bytes(void *destination, size_t size)
{
    uint8_t *bytes = destination;
    for (size_t i = 0; i < size; i++) {
        if (state.used == BLOCK_SIZE) {
            next_block();
        }
        bytes[i] = state.block[state.used++];
    }
}

uint64_t random_offset(unsigned bits)
{
    uint64_t value;
    random_bytes(&value, sizeof value);
    return (value & ((1UL << bits) - 1)) << PAGE_SHIFT;
}
