// SPDX-License-Identifier: Apache-2.0
//
// Files that the host mapped into physical memory: finding them by label, and
// giving them virtual addresses.

#include "hyperlight_guest_ext.h"

#include "cpu.h"
#include "layout.h"
#include "page_table.h"
#include "state.h"

#include <string.h>

#define MOST_FILE_MAPPINGS 32

const hl_FileMapping *hl_find_file_mapping(const char *label)
{
    // Without a table the bytes behind the block are zero, so that there is no
    // mistaking one: it begins right behind its descriptor.
    const volatile struct hl_region *table = (const struct hl_region *)(hl_state.peb + 1);
    if (table->address != (uint64_t)(table + 1) || table->size > MOST_FILE_MAPPINGS) {
        return NULL;
    }
    const hl_FileMapping *mapping = (const hl_FileMapping *)table->address;
    for (uint64_t i = 0; i < table->size; i++) {
        if (strncmp(mapping[i].label, label, sizeof mapping[i].label) == 0) {
            return &mapping[i];
        }
    }
    return NULL;
}

void *hl_map_physical(uint64_t physical, uint64_t size)
{
    for (uint64_t page = physical; page - physical < size; page += HL_PAGE_SIZE) {
        volatile uint64_t *leaf = hl_make_leaf(page);
        if (!(*leaf & HL_PTE_PRESENT)) {
            *leaf = page | HL_PTE_READ_ONLY | HL_PTE_COW | HL_PTE_NO_EXECUTE;
        }
    }
    // As hl_map_page does, once for all of them.
    hl_write_cr0(hl_read_cr0());
    return (void *)physical;
}

void hl_unmap_physical(uint64_t physical, uint64_t size)
{
    for (uint64_t page = physical; page - physical < size; page += HL_PAGE_SIZE) {
        volatile uint64_t *leaf = hl_find_leaf(page);
        if (leaf != NULL) {
            *leaf = 0;
            hl_invalidate_page(page);
        }
    }
}
