// SPDX-License-Identifier: Apache-2.0
//
// A product of matrices of floating-point numbers, four columns at a time.

#include "programs.h"

#ifdef __SSE2__

#define ORDER 48

typedef float row_part __attribute__((vector_size(16)));

static row_part left[ORDER][ORDER / 4];
static row_part right[ORDER][ORDER / 4];
static row_part product[ORDER][ORDER / 4];

uint64_t run_vector_matrix(uint32_t seed)
{
    uint64_t sum = 0;

    for (int i = 0; i < ORDER; i++) {
        for (int j = 0; j < ORDER; j++) {
            left[i][j / 4][j % 4] = (float)(next_number(&seed) % 16);
            right[i][j / 4][j % 4] = (float)(next_number(&seed) % 16) - 8;
        }
    }
    for (int i = 0; i < ORDER; i++) {
        for (int j = 0; j < ORDER / 4; j++) {
            row_part total = { 0 };

            for (int k = 0; k < ORDER; k++) {
                float factor = left[i][k / 4][k % 4];

                total += (row_part){ factor, factor, factor, factor } * right[k][j];
            }
            product[i][j] = total;
        }
    }
    for (int i = 0; i < ORDER; i++) {
        for (int j = 0; j < ORDER; j++) {
            sum = sum * 17 + (uint64_t)(int64_t)product[i][j / 4][j % 4];
        }
    }
    return sum;
}

#else

uint64_t run_vector_matrix(uint32_t seed)
{
    (void)seed;
    return 0;
}

#endif
