// SPDX-License-Identifier: Apache-2.0
//
// The physical page allocator: a cursor in the scratch metadata.

#include "page_alloc.h"

#include "abort.h"
#include "layout.h"

uint64_t hl_allocate_physical_pages(uint64_t count)
{
    uint64_t size = count * HL_PAGE_SIZE;
    uint64_t first = size;

    __asm__ volatile("lock xaddq %0, %1" : "+r"(first), "+m"(*HL_ALLOCATOR_SLOT) : : "memory");
    if (first + size < first || first + size > HL_RESERVED_TOP_GPA) {
        hl_abort_with_text(13, "out of physical memory: the scratch region is used up");
    }
    return first;
}
