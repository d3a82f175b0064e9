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

// Pages that are promised: writable memory of programs, and what files use. False
// if they would be more than the limit.
bool pages_commit(uint64_t count);
void pages_uncommit(uint64_t count);
// What was promised before, whatever the limit.
void pages_commit_again(uint64_t count);
uint64_t pages_committed(void);

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

// Address spaces are their top page tables, which have the kernel's pages in common.
uint64_t pages_root(void);
void pages_select_root(uint64_t root);

// Without pages of a program. 0 if there is no memory.
uint64_t pages_create_root(void);

// Gives it the pages of the current one, to be copied when they are written. False if
// there is no memory; a part was copied then.
bool pages_copy_to_root(uint64_t root);

// Frees what is not the current one.
void pages_free_root(uint64_t root);

// Removes all pages of a range; changes what all pages of it permit.
void pages_unmap(uint64_t start, uint64_t end);
void pages_protect(uint64_t start, uint64_t end, unsigned access);

// Moves the pages of a range to one that has none. False without memory for tables.
bool pages_move(uint64_t from, uint64_t to, uint64_t size);

// Pages at addresses of the kernel, in the upper half: a physical page to be read,
// or a new page of zeroes. False if there is no memory. After the last of several
// kernel_map, kernel_settle makes sure that no page walk runs ahead of the stores.
bool kernel_map(uint64_t address, uint64_t physical);
void kernel_settle(uint64_t address);
bool kernel_map_new(uint64_t address);
bool kernel_is_mapped(uint64_t address);

// Gives a page back that kernel_map_new has mapped. Its entry in the page table
// keeps a note until it is used again: a multiple of the page size below 2^52. A
// snapshot does not have the notes: they are 0 then.
void kernel_unmap(uint64_t address, uint64_t note);
uint64_t kernel_note(uint64_t address);

// Snapshots. A page of a snapshot is read-only. Some hosts close it to the program, so that it
// is opened when it is used first.

// Whether a page that is present is one of a snapshot, and not one of the image.
bool page_is_kept(uint64_t address);
// Lets the program read the page of an address that it could not access, and those of
// the range that have the same page table: if they are of the snapshot or of the image.
// False without memory.
bool pages_open(uint64_t address, uint64_t start, uint64_t end, unsigned access);
// Makes a page of the snapshot a copy that can be written. False without memory.
bool page_copy_kept(uint64_t address, unsigned access, uint8_t **contents);
// Whether the kernel may read pages of the program at the program's addresses: SMAP
// permits it with AC. Returns what it was. Copies of many pages are faster within one
// permission.
bool pages_permit_user_access(bool is_permitted);

// Before a snapshot, with a single address space. Pages of files in memory are at two
// addresses, which would get a copy each: they are unmapped from the program.
void pages_unmap_shared(uint64_t start, uint64_t end);
void pages_prepare_snapshot(void);
// After it was restored, with the limit of pages.
void pages_continue(uint64_t limit);

#endif
