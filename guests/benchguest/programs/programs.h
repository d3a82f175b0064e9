// SPDX-License-Identifier: Apache-2.0
//
// Programs of the kinds that guests run. Each needs nothing of the guest's
// runtime but the memory and string functions of its C library, so that the host
// can call the very same machine code in its own process and compare.

#ifndef BENCHGUEST_PROGRAMS_H
#define BENCHGUEST_PROGRAMS_H

#include <stdint.h>

enum program {
    PROGRAM_BYTECODE,
    PROGRAM_SQL,
    PROGRAM_LZ,
    PROGRAM_JSON,
    PROGRAM_SHA256,
    PROGRAM_MATRIX,
    PROGRAM_SORT,
    PROGRAM_MEMCPY,
    PROGRAM_COUNT,
};

// Each returns a checksum of what it computed.
uint64_t run_bytecode(uint32_t seed);
uint64_t run_sql(uint32_t seed);
uint64_t run_lz(uint32_t seed);
uint64_t run_json(uint32_t seed);
uint64_t run_sha256(uint32_t seed);
uint64_t run_sort(uint32_t seed);
uint64_t run_memcpy(uint32_t seed);

// With vectors of floating point: 0 in a guest that has only general registers.
uint64_t run_vector_matrix(uint32_t seed);

uint64_t run_program(uint64_t which, uint64_t rounds);

static inline uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

#endif
