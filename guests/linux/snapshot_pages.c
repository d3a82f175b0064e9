// SPDX-License-Identifier: Apache-2.0

#include "snapshot_pages.h"

#include "kernel_mappings.h"
#include "page_tables.h"
#include "root_image.h"

#include "../runtime/cpu.h"

#include <string.h>

bool page_is_kept(uint64_t address)
{
    unsigned missing;
    volatile uint64_t *leaf = leaf_find(address, &missing);
    uint64_t page = *leaf & HL_PTE_ADDRESS;
    return !physical_page_is_own(page) && !image_has_page(page);
}

bool pages_open(uint64_t address, uint64_t start, uint64_t end, unsigned access)
{
    // Within one table.
    uint64_t base = address & ~(TABLE_ENTRIES * PAGE_SIZE - 1);
    volatile uint64_t *leaf = leaf_make(address);
    if (leaf == NULL) {
        return false;
    }
    start = start > base ? start : base;
    end = end < base + TABLE_ENTRIES * PAGE_SIZE ? end : base + TABLE_ENTRIES * PAGE_SIZE;
    uint64_t scratch = scratch_start();
    uint64_t flags = PTE_SHARED | leaf_flags(access & ~(unsigned)PAGE_WRITE);
    leaf -= (address - start) / PAGE_SIZE;
    for (uint64_t page = start; page < end; page += PAGE_SIZE, leaf++) {
        uint64_t entry = *leaf;
        // The processor keeps no translation of a page that the program could not access.
        if ((entry & (HL_PTE_PRESENT | PTE_USER)) == HL_PTE_PRESENT && (entry & HL_PTE_ADDRESS) < scratch) {
            *leaf = (entry & HL_PTE_ADDRESS) | flags;
        }
    }
    return true;
}

#define FLAG_ALIGNMENT_CHECK 0x40000UL

static uint64_t read_flags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; pop %0" : "=r"(flags));
    return flags;
}

static void write_flags(uint64_t flags)
{
    __asm__ volatile("push %0; popfq" : : "r"(flags) : "memory", "cc");
}

bool pages_permit_user_access(bool is_permitted)
{
    uint64_t flags = read_flags();
    bool was_permitted = (flags & FLAG_ALIGNMENT_CHECK) != 0;
    if (was_permitted != is_permitted) {
        write_flags(flags ^ FLAG_ALIGNMENT_CHECK);
    }
    return was_permitted;
}

bool page_copy_kept(uint64_t address, unsigned access, uint8_t **contents)
{
    volatile uint64_t *leaf = leaf_make(address);
    uint64_t page = leaf != NULL ? physical_page_allocate() : 0;
    if (page == 0) {
        return false;
    }
    *contents = hl_scratch_pointer(page);
    // The only address of the page is the program's.
    bool was_permitted = pages_permit_user_access(true);
    memcpy(*contents, (const void *)address, PAGE_SIZE);
    pages_permit_user_access(was_permitted);
    leaf_set(leaf, address, page | leaf_flags(access));
    return true;
}

void pages_unmap_shared(uint64_t start, uint64_t end)
{
    unsigned missing;
    for (uint64_t page = start; page < end;) {
        volatile uint64_t *leaf = leaf_find(page, &missing);
        if (leaf == NULL) {
            page = leaf_after_missing(page, missing);
            continue;
        }
        if (*leaf & HL_PTE_PRESENT && *leaf & PTE_SHARED && physical_page_is_own(*leaf & HL_PTE_ADDRESS)) {
            *leaf = 0;
            hl_invalidate_page(page);
        }
        page += PAGE_SIZE;
    }
}

void pages_prepare_snapshot(void)
{
    page_tables_forget_walk();
    // No page is shared by address spaces: there is one.
    physical_pages_forget_shares();
}

void pages_continue(uint64_t limit)
{
    // Pages of the snapshot are no memory of this run. The kernel's are counted all the
    // same, because a copy that a write makes of them is not.
    physical_pages_continue(limit, kernel_mappings_count());
    page_tables_forget_walk();
}
