// SPDX-License-Identifier: Apache-2.0
//
// Copies of several sizes, from a few bytes to several pages.

#include "programs.h"

#include <stddef.h>
#include <string.h>

#define LARGEST 65536

static const size_t sizes[] = { 7, 16, 100, 1000, 4096, LARGEST };

static uint8_t from[LARGEST + 64];
static uint8_t to[LARGEST + 64];

uint64_t run_memcpy(uint32_t seed)
{
    uint64_t sum = 0;

    memset(from, (int)(seed & 0xFF), sizeof from);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t copies = 2 * LARGEST / (sizes[i] + 2000);

        for (size_t k = 0; k < copies; k++) {
            size_t offset = next_number(&seed) % 64;

            from[offset] = (uint8_t)k;
            memcpy(to + k % 64, from + offset, sizes[i]);
            sum = sum * 31 + to[k % 64] + to[k % 64 + sizes[i] - 1];
        }
    }
    return sum;
}
