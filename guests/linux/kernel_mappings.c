// SPDX-License-Identifier: Apache-2.0

#include "kernel_mappings.h"

#include "page_tables.h"

#include "../runtime/cpu.h"

// How many pages are at addresses of the kernel.
static uint64_t count;

void kernel_mappings_start(void)
{
    count = 0;
}

uint64_t kernel_mappings_count(void)
{
    return count;
}

bool kernel_map(uint64_t address, uint64_t physical)
{
    volatile uint64_t *leaf = leaf_make(address);
    if (leaf == NULL) {
        return false;
    }
    leaf_set(leaf, address, physical | HL_PTE_READ_ONLY | HL_PTE_NO_EXECUTE);
    return true;
}

void kernel_settle(uint64_t address)
{
    hl_invalidate_page(address);
}

bool kernel_is_mapped(uint64_t address)
{
    unsigned missing;
    volatile uint64_t *leaf = leaf_find(address, &missing);
    return leaf != NULL && *leaf & HL_PTE_PRESENT;
}

bool kernel_map_new(uint64_t address)
{
    volatile uint64_t *leaf = leaf_make(address);
    uint64_t page = leaf != NULL ? physical_page_allocate() : 0;
    if (page == 0) {
        return false;
    }
    *leaf = page | HL_PTE_READ_WRITE | HL_PTE_NO_EXECUTE;
    hl_invalidate_page(address);
    count++;
    return true;
}

void kernel_unmap(uint64_t address, uint64_t note)
{
    unsigned missing;
    volatile uint64_t *leaf = leaf_find(address, &missing);
    uint64_t page = *leaf & HL_PTE_ADDRESS;
    *leaf = note & HL_PTE_ADDRESS;
    hl_invalidate_page(address);
    count--;
    physical_page_release(page);
}

uint64_t kernel_note(uint64_t address)
{
    unsigned missing;
    volatile uint64_t *leaf = leaf_find(address, &missing);
    return leaf != NULL && !(*leaf & HL_PTE_PRESENT) ? *leaf & HL_PTE_ADDRESS : 0;
}
