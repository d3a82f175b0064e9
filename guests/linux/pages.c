// SPDX-License-Identifier: Apache-2.0

#include "pages.h"

#include "kernel_mappings.h"
#include "kernel_pages.h"
#include "page_tables.h"

#include "../runtime/cpu.h"

#include <string.h>

void pages_start(uint64_t limit)
{
    physical_pages_start(limit);
    page_tables_forget_walk();
    kernel_mappings_start();
    kernel_pages_start();
}

uint8_t *page_contents(uint64_t address, bool *is_shared)
{
    unsigned missing;
    volatile uint64_t *leaf = leaf_find(address, &missing);
    if (leaf == NULL || !(*leaf & HL_PTE_PRESENT)) {
        return NULL;
    }
    *is_shared = leaf_is_foreign(*leaf);
    return hl_scratch_pointer(*leaf & HL_PTE_ADDRESS);
}

bool page_map_new(uint64_t address, unsigned access, uint8_t **contents)
{
    volatile uint64_t *leaf = leaf_make(address);
    uint64_t page = leaf != NULL ? physical_page_allocate() : 0;
    if (page == 0) {
        return false;
    }
    *contents = hl_scratch_pointer(page);
    leaf_set(leaf, address, page | leaf_flags(access));
    return true;
}

bool page_map_shared(uint64_t address, unsigned access, const uint8_t *source)
{
    unsigned missing;
    volatile uint64_t *leaf = leaf_make(address);
    if (leaf == NULL) {
        return false;
    }
    volatile uint64_t *original = leaf_find((uint64_t)source, &missing);
    if ((*original & HL_PTE_AVAILABLE) == HL_PTE_COW) {
        // A snapshot has it: it becomes a copy now, and not when only the kernel sees that.
        *(volatile uint8_t *)source = *(volatile const uint8_t *)source;
    }
    uint64_t entry = (*original & HL_PTE_ADDRESS) | leaf_flags(access) | PTE_SHARED;
    // Often the kernel needs the contents of a page that the program has, and may write.
    if (*leaf != entry && *leaf != (entry | HL_PTE_WRITABLE)) {
        leaf_set(leaf, address, entry);
    }
    return true;
}

void pages_unmap(uint64_t start, uint64_t end)
{
    unsigned missing;
    for (uint64_t page = start; page < end;) {
        volatile uint64_t *leaf = leaf_find(page, &missing);
        if (leaf == NULL) {
            page = leaf_after_missing(page, missing);
            continue;
        }
        if (*leaf & HL_PTE_PRESENT) {
            uint64_t entry = *leaf;
            *leaf = 0;
            hl_invalidate_page(page);
            if (!leaf_is_foreign(entry)) {
                physical_page_release(entry & HL_PTE_ADDRESS);
            }
        }
        page += PAGE_SIZE;
    }
}

bool pages_move(uint64_t from, uint64_t to, uint64_t size)
{
    unsigned missing;
    // First the tables, then what cannot fail.
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t offset = 0; offset < size;) {
            volatile uint64_t *leaf = leaf_find(from + offset, &missing);
            if (leaf == NULL) {
                offset = leaf_after_missing(from + offset, missing) - from;
                continue;
            }
            if (*leaf & HL_PTE_PRESENT) {
                volatile uint64_t *target = leaf_make(to + offset);
                if (target == NULL) {
                    return false;
                }
                if (pass == 1) {
                    *target = *leaf;
                    *leaf = 0;
                    hl_invalidate_page(from + offset);
                    hl_invalidate_page(to + offset);
                }
            }
            offset += PAGE_SIZE;
        }
    }
    return true;
}

void pages_protect(uint64_t start, uint64_t end, unsigned access)
{
    unsigned missing;
    for (uint64_t page = start; page < end;) {
        volatile uint64_t *leaf = leaf_find(page, &missing);
        if (leaf == NULL) {
            page = leaf_after_missing(page, missing);
            continue;
        }
        if (*leaf & HL_PTE_PRESENT) {
            // What may be written of a shared page is found out by a fault.
            uint64_t shared = (*leaf & PTE_COPY) | (leaf_is_foreign(*leaf) ? PTE_SHARED : 0);
            unsigned permitted = shared ? access & ~(unsigned)PAGE_WRITE : access;
            *leaf = (*leaf & HL_PTE_ADDRESS) | shared | leaf_flags(permitted);
            hl_invalidate_page(page);
        }
        page += PAGE_SIZE;
    }
}

bool page_make_own(uint64_t address, unsigned access, uint8_t **contents)
{
    unsigned missing;
    volatile uint64_t *leaf = leaf_find(address, &missing);
    uint64_t page = *leaf & HL_PTE_ADDRESS;
    if (!(*leaf & PTE_COPY)) {
        return true;
    }
    uint8_t *share = physical_page_share(page, false);
    if (share != NULL && *share != 0) {
        uint64_t copy = physical_page_allocate();
        if (copy == 0) {
            return false;
        }
        memcpy(hl_scratch_pointer(copy), hl_scratch_pointer(page), PAGE_SIZE);
        --*share;
        page = copy;
    }
    *contents = hl_scratch_pointer(page);
    *leaf = page | leaf_flags(access);
    hl_invalidate_page(address);
    return true;
}
