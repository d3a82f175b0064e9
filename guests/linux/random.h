// SPDX-License-Identifier: Apache-2.0
//
// Random bytes for a program, from 32 bytes of the host: ChaCha20 in counter mode.

#ifndef LINUX_RANDOM_H
#define LINUX_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_SEED_SIZE 32

void random_seed(const uint8_t *seed);

void random_bytes(void *destination, size_t size);

// A whole number of pages, below 2 to the power of `bits` of them.
uint64_t random_offset(unsigned bits);

#endif
