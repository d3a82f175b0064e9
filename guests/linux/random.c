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

// A macro, as the compiler keeps words in registers only if it knows which each is.
#define QUARTER_ROUND(a, b, c, d) \
    do { \
        a += b; \
        d = rotate(d ^ a, 16); \
        c += d; \
        b = rotate(b ^ c, 12); \
        a += b; \
        d = rotate(d ^ a, 8); \
        c += d; \
        b = rotate(b ^ c, 7); \
    } while (0)

static void next_block(void)
{
    uint32_t words[WORDS];
    memcpy(words, state.input, sizeof words);
    for (int i = 0; i < DOUBLE_ROUNDS; i++) {
        QUARTER_ROUND(words[0], words[4], words[8], words[12]);
        QUARTER_ROUND(words[1], words[5], words[9], words[13]);
        QUARTER_ROUND(words[2], words[6], words[10], words[14]);
        QUARTER_ROUND(words[3], words[7], words[11], words[15]);
        QUARTER_ROUND(words[0], words[5], words[10], words[15]);
        QUARTER_ROUND(words[1], words[6], words[11], words[12]);
        QUARTER_ROUND(words[2], words[7], words[8], words[13]);
        QUARTER_ROUND(words[3], words[4], words[9], words[14]);
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
    for (uint8_t *bytes = destination; size > 0;) {
        if (state.used == BLOCK_SIZE) {
            next_block();
        }
        size_t part = BLOCK_SIZE - state.used < size ? BLOCK_SIZE - state.used : size;
        memcpy(bytes, state.block + state.used, part);
        state.used += part;
        bytes += part;
        size -= part;
    }
}

uint64_t random_offset(unsigned bits)
{
    uint64_t value;
    random_bytes(&value, sizeof value);
    return (value & ((1UL << bits) - 1)) << PAGE_SHIFT;
}
