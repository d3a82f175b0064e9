// SPDX-License-Identifier: Apache-2.0
//
// The page faults that belong to normal operation. Runs on the page-fault stack
// and writes to scratch only.

#include "page_fault.h"

#include "cpu.h"
#include "layout.h"
#include "page_alloc.h"
#include "page_table.h"

#include <stddef.h>
#include <string.h>

enum {
    FAULT_PRESENT = 1 << 0,
    FAULT_WRITE = 1 << 1,
    FAULT_USER = 1 << 2,
    FAULT_RESERVED = 1 << 3,
    FAULT_FETCH = 1 << 4,
};

static bool grow_stack(uint64_t page)
{
    if (page < HL_MAIN_STACK_LIMIT || page >= HL_MAIN_STACK_TOP) {
        return false;
    }
    // No invalidation: what was not present is not cached, and iretq serialises.
    *hl_make_leaf(page) =
        hl_allocate_physical_pages(1) | HL_PTE_READ_WRITE | HL_PTE_NO_EXECUTE;
    return true;
}

static bool copy_page(uint64_t page)
{
    volatile uint64_t *leaf = hl_find_leaf(page);
    if (leaf == NULL) {
        return false;
    }
    uint64_t entry = *leaf;
    if (!(entry & HL_PTE_PRESENT) || (entry & HL_PTE_AVAILABLE) != HL_PTE_COW) {
        return false;
    }
    uint64_t copy = hl_allocate_physical_pages(1);
    memcpy(hl_scratch_pointer(copy), (const void *)page, HL_PAGE_SIZE);
    *leaf = copy | HL_PTE_READ_WRITE | (entry & HL_PTE_NO_EXECUTE);
    hl_invalidate_page(page);
    return true;
}

bool hl_handle_page_fault(uint64_t error_code, uint64_t address)
{
    uint64_t page = address & ~(HL_PAGE_SIZE - 1);

    if (!(error_code & FAULT_PRESENT)) {
        return grow_stack(page);
    }
    const uint64_t kind = FAULT_WRITE | FAULT_USER | FAULT_RESERVED | FAULT_FETCH;
    return (error_code & kind) == FAULT_WRITE && copy_page(page);
}
