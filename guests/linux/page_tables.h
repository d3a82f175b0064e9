// SPDX-License-Identifier: Apache-2.0
//
// The entries of the page tables: those of the current address space, by addresses, and
// what their bits mean.

#ifndef LINUX_PAGE_TABLES_H
#define LINUX_PAGE_TABLES_H

#include "pages.h"
#include "physical_pages.h"

#include "../runtime/page_table.h"

#define PTE_USER 0x4UL
// A page of a file. One of the bits that the processor ignores; the host's rule
// for copy-on-write pages is another value of them.
#define PTE_SHARED 0x400UL

// A page that several address spaces have, until one of them writes to it.
#define PTE_COPY 0x800UL

#define TOP_SHIFT 39
#define LEAF_SHIFT 12
#define LEVEL_BITS 9
#define TABLE_ENTRIES 512

static inline volatile uint64_t *table_entries(uint64_t table)
{
    return hl_scratch_pointer(table & HL_PTE_ADDRESS);
}

// The leaf entry of an address. Without one: NULL, and `missing` is the shift of
// the level that has no entry.
volatile uint64_t *leaf_find(uint64_t address, unsigned *missing);

// With missing tables added, those of the program's addresses open to it. NULL
// without memory. The tables of the kernel's own pages are below 4 MiB and in the
// upper half, and stay closed.
volatile uint64_t *leaf_make(uint64_t address);

// The processor has no translation of an entry that was not present, and the way
// back to the program serialises. Dropping a translation costs much on emulators.
void leaf_set(volatile uint64_t *leaf, uint64_t address, uint64_t entry);

// After the tables or the address space have changed.
void page_tables_forget_walk(void);

// Whether an entry has a page that is not to be written or released. A snapshot loses
// the bit, and has pages of its own.
static inline bool leaf_is_foreign(uint64_t entry)
{
    return (entry & PTE_SHARED) != 0 || !physical_page_is_own(entry & HL_PTE_ADDRESS);
}

// An inaccessible page keeps its contents: it loses the user bit.
static inline uint64_t leaf_flags(unsigned access)
{
    return (access != PAGE_NONE ? PTE_USER : 0) | (access & PAGE_WRITE ? HL_PTE_READ_WRITE : HL_PTE_READ_ONLY) |
           (access & PAGE_EXECUTE ? 0 : HL_PTE_NO_EXECUTE);
}

// The next page, or the first one after everything that the missing table covers.
static inline uint64_t leaf_after_missing(uint64_t address, unsigned shift)
{
    return ((address >> shift) + 1) << shift;
}

#endif
