// SPDX-License-Identifier: Apache-2.0
//
// The physical page allocator: a cursor in the scratch metadata.

#include "page_alloc.h"

#include "abort.h"
#include "hyperlight_guest.h"
#include "layout.h"
#include "state.h"

#include <stddef.h>

// Says which size would do: a guest copies each page of its heap once at most.
__attribute__((noreturn)) static void out_of_scratch(void)
{
    uint64_t size = *HL_SCRATCH_SIZE_SLOT;
    uint64_t heap = hl_state.peb != NULL ? hl_state.peb->heap.size : 0;
    struct hl_abort_writer writer = { 0 };
    hl_abort_put_byte(&writer, hl_ErrorCode_MallocFailed);
    hl_abort_flush(&writer);
    hl_abort_put_text(&writer, "out of physical memory: the scratch region of ");
    hl_abort_put_decimal(&writer, size);
    hl_abort_put_text(&writer, " bytes is used up: leave ScratchSize unset if it is set, or set it to ");
    hl_abort_put_decimal(&writer, (2 * size + heap + HL_PAGE_SIZE - 1) & ~(HL_PAGE_SIZE - 1));
    hl_abort_put_text(&writer, " or more");
    hl_abort_finish(&writer);
}

uint64_t hl_allocate_physical_pages(uint64_t count)
{
    uint64_t size = count * HL_PAGE_SIZE;
    uint64_t first = size;

    __asm__ volatile("lock xaddq %0, %1" : "+r"(first), "+m"(*HL_ALLOCATOR_SLOT) : : "memory");
    if (first + size < first || first + size > HL_RESERVED_TOP_GPA) {
        out_of_scratch();
    }
    return first;
}
