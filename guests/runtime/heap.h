// SPDX-License-Identifier: Apache-2.0
//
// The heap. malloc and its relatives are declared in stdlib.h.

#ifndef HL_HEAP_H
#define HL_HEAP_H

#include <stdint.h>

void hl_heap_init(uint64_t address, uint64_t size, uint64_t secret);

#endif
