// SPDX-License-Identifier: Apache-2.0
//
// A part of memory of the calls that transfer several.

#ifndef PROGRAMS_VECTOR_H
#define PROGRAMS_VECTOR_H

#include <stdint.h>

struct vector {
    const void *base;
    uint64_t length;
};

#endif
