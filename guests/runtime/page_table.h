// SPDX-License-Identifier: Apache-2.0
//
// Reading and editing the page tables. Only 4 KiB leaves: neither the host nor
// this runtime understands larger ones.

#ifndef HL_PAGE_TABLE_H
#define HL_PAGE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define HL_PTE_PRESENT 0x1UL
#define HL_PTE_WRITABLE 0x2UL
#define HL_PTE_ACCESSED 0x20UL
#define HL_PTE_DIRTY 0x40UL
#define HL_PTE_COW 0x200UL
#define HL_PTE_AVAILABLE 0xE00UL
#define HL_PTE_NO_EXECUTE 0x8000000000000000UL
#define HL_PTE_ADDRESS 0x000FFFFFFFFFF000UL

#define HL_PTE_TABLE (HL_PTE_PRESENT | HL_PTE_WRITABLE | HL_PTE_ACCESSED)
#define HL_PTE_READ_ONLY (HL_PTE_PRESENT | HL_PTE_ACCESSED | HL_PTE_DIRTY)
#define HL_PTE_READ_WRITE (HL_PTE_READ_ONLY | HL_PTE_WRITABLE)

// The leaf entry of an address, or NULL if a table on the way is missing.
volatile uint64_t *hl_find_leaf(uint64_t address);

// The same, with missing tables added.
volatile uint64_t *hl_make_leaf(uint64_t address);

// Maps a page that was not mapped.
void hl_map_page(uint64_t address, uint64_t physical, uint64_t flags);

// Whether every page of a range can be read.
bool hl_is_mapped(uint64_t address, uint64_t size);

#endif
