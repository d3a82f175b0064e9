// SPDX-License-Identifier: Apache-2.0
//
// The physical pages and the page tables of the program. The tables are those of
// the kernel: pages of the program have the user bit, those of the kernel do not.

#ifndef LINUX_PAGES_H
#define LINUX_PAGES_H

#include "../runtime/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE HL_PAGE_SIZE
#define PAGE_MASK (HL_PAGE_SIZE - 1)

// The kernel with its heap is below; see main.c.
#define PROGRAM_START 0x400000UL
#define PROGRAM_END 0x7FFFFFFFF000UL

static inline uint64_t page_of(uint64_t address)
{
    return address & ~PAGE_MASK;
}

static inline uint64_t round_up_to_page(uint64_t value)
{
    return (value + PAGE_MASK) & ~PAGE_MASK;
}

// Sets how many pages the program may have, tables included; fewer if there are
// not as many.
void pages_start(uint64_t limit);

enum page_access {
    PAGE_NONE = 0,
    PAGE_READ = 1,
    PAGE_WRITE = 2,
    PAGE_EXECUTE = 4,
};

// The contents of a page that is present, or NULL. `is_shared` says whether it
// is a page of a file; its contents are not at the returned address then.
uint8_t *page_contents(uint64_t address, bool *is_shared);

// Maps a new page of zeroes, or the page of a file at the kernel's address
// `source`. False if there is no memory.
bool page_map_new(uint64_t address, unsigned access, uint8_t **contents);
bool page_map_shared(uint64_t address, unsigned access, const uint8_t *source);

// Before a write to a page that is present: if other address spaces have it too, it
// becomes a copy. False if there is no memory.
bool page_make_own(uint64_t address, unsigned access, uint8_t **contents);

// Removes all pages of a range; changes what all pages of it permit.
void pages_unmap(uint64_t start, uint64_t end);
void pages_protect(uint64_t start, uint64_t end, unsigned access);

// Moves the pages of a range to one that has none. False without memory for tables.
bool pages_move(uint64_t from, uint64_t to, uint64_t size);

#endif
