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

uint64_t pages_limit(void);
uint64_t pages_used(void);

enum page_access {
    PAGE_NONE = 0,
    PAGE_READ = 1,
    PAGE_WRITE = 2,
    PAGE_EXECUTE = 4,
};

// The contents of a page that is present, or NULL. `is_shared` says whether it
// is a page of the image, which must not be written.
uint8_t *page_contents(uint64_t address, bool *is_shared);

// Maps a new page of zeroes, or an existing page of the image at the kernel's
// address `source`. False if there is no memory.
bool page_map_new(uint64_t address, unsigned access, uint8_t **contents);
bool page_map_shared(uint64_t address, unsigned access, const uint8_t *source);

// Drops the translation that the processor may have of a page.
void page_refresh(uint64_t address);

// Removes all pages of a range; changes what all pages of it permit.
void pages_unmap(uint64_t start, uint64_t end);
void pages_protect(uint64_t start, uint64_t end, unsigned access);

#endif
