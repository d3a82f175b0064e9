// SPDX-License-Identifier: Apache-2.0

#include "page_tables.h"

#include "../runtime/cpu.h"

// Of the addresses that have one page table.
#define REGION_SHIFT (LEAF_SHIFT + LEVEL_BITS)

// The last page table that was found for an address of the current address space. Its
// region is one page table's part of the addresses, and no region without a table.
#define NO_REGION UINT64_MAX
static struct {
    uint64_t region;
    volatile uint64_t *entries;
} walked = { .region = NO_REGION };

void page_tables_forget_walk(void)
{
    walked.region = NO_REGION;
}

static volatile uint64_t *entry_of(uint64_t table, uint64_t address, unsigned shift)
{
    volatile uint64_t *entries = hl_scratch_pointer(table & HL_PTE_ADDRESS);
    return &entries[(address >> shift) & 0x1FF];
}

volatile uint64_t *leaf_find(uint64_t address, unsigned *missing)
{
    if (walked.region == address >> REGION_SHIFT) {
        return &walked.entries[(address >> LEAF_SHIFT) & 0x1FF];
    }
    uint64_t table = hl_read_cr3();
    for (unsigned shift = TOP_SHIFT; shift > LEAF_SHIFT; shift -= LEVEL_BITS) {
        table = *entry_of(table, address, shift);
        if (!(table & HL_PTE_PRESENT)) {
            *missing = shift;
            return NULL;
        }
    }
    return entry_of(table, address, LEAF_SHIFT);
}

volatile uint64_t *leaf_make(uint64_t address)
{
    if (walked.region == address >> REGION_SHIFT) {
        return &walked.entries[(address >> LEAF_SHIFT) & 0x1FF];
    }
    uint64_t table = hl_read_cr3();
    uint64_t user = address < PROGRAM_END ? PTE_USER : 0;
    bool opened = false;
    for (unsigned shift = TOP_SHIFT; shift > LEAF_SHIFT; shift -= LEVEL_BITS) {
        volatile uint64_t *entry = entry_of(table, address, shift);
        table = *entry;
        if (!(table & HL_PTE_PRESENT)) {
            table = physical_page_allocate();
            if (table == 0) {
                return NULL;
            }
            *entry = table | HL_PTE_TABLE | user;
        } else if ((table & user) != user) {
            *entry = table | PTE_USER;
            opened = true;
        }
    }
    if (opened) {
        __asm__ volatile("mov %0, %%cr3" : : "r"(hl_read_cr3()) : "memory");
    }
    walked.region = address >> REGION_SHIFT;
    walked.entries = hl_scratch_pointer(table & HL_PTE_ADDRESS);
    return entry_of(table, address, LEAF_SHIFT);
}

void leaf_set(volatile uint64_t *leaf, uint64_t address, uint64_t entry)
{
    bool was_present = *leaf & HL_PTE_PRESENT;
    *leaf = entry;
    if (was_present) {
        hl_invalidate_page(address);
    }
}
