// SPDX-License-Identifier: Apache-2.0

#include "page_table.h"

#include "cpu.h"
#include "layout.h"
#include "page_alloc.h"

#include <stddef.h>
#include <string.h>

#define TOP_LEVEL_SHIFT 39
#define LEAF_SHIFT 12
#define LEVEL_BITS 9

static volatile uint64_t *entry_of(uint64_t table, uint64_t address, unsigned shift)
{
    volatile uint64_t *entries = hl_scratch_pointer(table & HL_PTE_ADDRESS);
    return &entries[(address >> shift) & 0x1FF];
}

volatile uint64_t *hl_find_leaf(uint64_t address)
{
    uint64_t table = hl_read_cr3();
    for (unsigned shift = TOP_LEVEL_SHIFT; shift > LEAF_SHIFT; shift -= LEVEL_BITS) {
        table = *entry_of(table, address, shift);
        if (!(table & HL_PTE_PRESENT)) {
            return NULL;
        }
    }
    return entry_of(table, address, LEAF_SHIFT);
}

volatile uint64_t *hl_make_leaf(uint64_t address)
{
    uint64_t table = hl_read_cr3();
    for (unsigned shift = TOP_LEVEL_SHIFT; shift > LEAF_SHIFT; shift -= LEVEL_BITS) {
        volatile uint64_t *entry = entry_of(table, address, shift);
        table = *entry;
        if (!(table & HL_PTE_PRESENT)) {
            table = hl_allocate_physical_pages(1);
            memset(hl_scratch_pointer(table), 0, HL_PAGE_SIZE);
            *entry = table | HL_PTE_TABLE;
        }
    }
    return entry_of(table, address, LEAF_SHIFT);
}

void hl_map_page(uint64_t address, uint64_t physical, uint64_t flags)
{
    *hl_make_leaf(address) = physical | flags;
    // An entry that was not valid is not cached, but the page walk must not run
    // ahead of the store: a write to CR0 serialises.
    hl_write_cr0(hl_read_cr0());
}

bool hl_is_mapped(uint64_t address, uint64_t size)
{
    uint64_t last = address + size - 1;
    if (last < address || ((address ^ (address << 16 >> 16)) && (address >> 47) != 0x1FFFF)) {
        return false;
    }
    for (uint64_t page = address & ~(HL_PAGE_SIZE - 1); page <= last; page += HL_PAGE_SIZE) {
        volatile uint64_t *leaf = hl_find_leaf(page);
        if (leaf == NULL || !(*leaf & HL_PTE_PRESENT)) {
            return false;
        }
        if (page > UINT64_MAX - HL_PAGE_SIZE) {
            break;
        }
    }
    return true;
}
