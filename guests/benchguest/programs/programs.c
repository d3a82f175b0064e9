// SPDX-License-Identifier: Apache-2.0

#include "programs.h"

static uint64_t run_once(uint64_t which, uint32_t seed)
{
    switch (which) {
    case PROGRAM_BYTECODE:
        return run_bytecode(seed);
    case PROGRAM_SQL:
        return run_sql(seed);
    case PROGRAM_LZ:
        return run_lz(seed);
    case PROGRAM_JSON:
        return run_json(seed);
    case PROGRAM_SHA256:
        return run_sha256(seed);
    case PROGRAM_MATRIX:
        return run_vector_matrix(seed);
    case PROGRAM_SORT:
        return run_sort(seed);
    case PROGRAM_MEMCPY:
        return run_memcpy(seed);
    default:
        return 0;
    }
}

uint64_t run_program(uint64_t which, uint64_t rounds)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        sum = sum * 31 + run_once(which, (uint32_t)i + 1);
    }
    return sum;
}
