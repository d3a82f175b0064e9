// SPDX-License-Identifier: Apache-2.0

#ifndef HL_PAGE_ALLOC_H
#define HL_PAGE_ALLOC_H

#include <stdint.h>

// Takes physical pages from scratch. They are never given back: the host resets
// the allocator when it restores a snapshot. Ends the guest if there are none.
uint64_t hl_allocate_physical_pages(uint64_t count);

#endif
