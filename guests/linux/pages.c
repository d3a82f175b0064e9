// SPDX-License-Identifier: Apache-2.0

#include "pages.h"

#include "kernel_pages.h"
#include "root_image.h"

#include "../runtime/cpu.h"
#include "../runtime/page_alloc.h"
#include "../runtime/page_table.h"
#include "../runtime/state.h"

#include <string.h>

#define PTE_USER 0x4UL
// A page of a file. One of the bits that the processor ignores; the host's rule
// for copy-on-write pages is another value of them.
#define PTE_SHARED 0x400UL

// A page that several address spaces have, until one of them writes to it.
#define PTE_COPY 0x800UL

#define TOP_SHIFT 39
#define LEAF_SHIFT 12
#define LEVEL_BITS 9
// Of the addresses that have one page table.
#define REGION_SHIFT (LEAF_SHIFT + LEVEL_BITS)

// What the kernel itself may still need: a copy of each page of its data and its
// heap, its stack, and tables.
#define KERNEL_PAGES 128

static struct {
    uint64_t limit;
    uint64_t used;
    uint64_t committed;
    // Of those that are used: at addresses of the kernel.
    uint64_t kernel;
    // A list through the first words of the pages that were given back.
    uint64_t free;
} pages;

#define SHARES_IN_PAGE PAGE_SIZE
#define MOST_SHARE_PAGES 544

// For each physical page a byte, in pages that are added when they are used.
static uint8_t *share_pages[MOST_SHARE_PAGES];

// The last page table that was found for an address of the current address space. Its
// region is one page table's part of the addresses, and no region without a table.
#define NO_REGION UINT64_MAX
static struct {
    uint64_t region;
    volatile uint64_t *entries;
} walked = { .region = NO_REGION };

static void forget_walk(void)
{
    walked.region = NO_REGION;
}

// How many pages are left that the kernel itself does not need.
static uint64_t available_pages(void)
{
    uint64_t image = (hl_state.peb->heap.address + hl_state.peb->heap.size) / PAGE_SIZE;
    uint64_t available = (HL_RESERVED_TOP_GPA - *HL_ALLOCATOR_SLOT) / PAGE_SIZE;
    uint64_t kernel = image + KERNEL_PAGES;
    return available > kernel ? available - kernel : 0;
}

void pages_start(uint64_t limit)
{
    uint64_t available = available_pages();
    pages.limit = limit < available ? limit : available;
    pages.used = 0;
    pages.committed = 0;
    pages.kernel = 0;
    pages.free = 0;
    forget_walk();
    memset(share_pages, 0, sizeof share_pages);
    kernel_pages_start();
}

uint64_t pages_limit(void)
{
    return pages.limit;
}

uint64_t pages_used(void)
{
    return pages.used;
}

uint64_t pages_committed(void)
{
    return pages.committed;
}

bool pages_commit(uint64_t count)
{
    if (count > pages.limit || pages.committed > pages.limit - count) {
        return false;
    }
    pages.committed += count;
    return true;
}

void pages_commit_again(uint64_t count)
{
    pages.committed += count;
}

void pages_uncommit(uint64_t count)
{
    pages.committed -= count;
}

static uint64_t scratch_start(void)
{
    return HL_SCRATCH_TOP_GPA - *HL_SCRATCH_SIZE_SLOT;
}

// Whether a page is memory of this run: not one of a file, nor of a snapshot.
static bool is_in_scratch(uint64_t page)
{
    return page >= scratch_start();
}

// Whether an entry has a page that is not to be written or released. A snapshot loses
// the bit, and has pages of its own.
static bool is_foreign(uint64_t entry)
{
    return (entry & PTE_SHARED) != 0 || !is_in_scratch(entry & HL_PTE_ADDRESS);
}

// A page of zeroes, or 0.
static uint64_t allocate(void)
{
    if (pages.used >= pages.limit) {
        return 0;
    }
    pages.used++;
    uint64_t page = pages.free;
    if (page == 0) {
        return hl_allocate_physical_pages(1);
    }
    uint64_t *contents = hl_scratch_pointer(page);
    pages.free = *contents;
    memset(contents, 0, PAGE_SIZE);
    return page;
}

// How many address spaces have a page besides the first one. NULL for a page that
// was never shared; with `creates` without memory.

static uint8_t *share_of(uint64_t page, bool creates)
{
    uint64_t index = (page - scratch_start()) / PAGE_SIZE;
    if (index / SHARES_IN_PAGE >= MOST_SHARE_PAGES) {
        return NULL;
    }
    uint8_t **shares = &share_pages[index / SHARES_IN_PAGE];
    if (*shares == NULL && creates) {
        *shares = kernel_page_allocate();
    }
    return *shares != NULL ? *shares + index % SHARES_IN_PAGE : NULL;
}

static void release(uint64_t page)
{
    uint8_t *share = share_of(page, false);
    if (share != NULL && *share != 0) {
        --*share;
        return;
    }
    pages.used--;
    if (is_in_scratch(page)) {
        *(uint64_t *)hl_scratch_pointer(page) = pages.free;
        pages.free = page;
    }
}

static volatile uint64_t *entry_of(uint64_t table, uint64_t address, unsigned shift)
{
    volatile uint64_t *entries = hl_scratch_pointer(table & HL_PTE_ADDRESS);
    return &entries[(address >> shift) & 0x1FF];
}

// The leaf entry of an address. Without one: NULL, and `missing` is the shift of
// the level that has no entry.
static volatile uint64_t *find_leaf(uint64_t address, unsigned *missing)
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

// With missing tables added, those of the program's addresses open to it. NULL
// without memory. The tables of the kernel's own pages are below 4 MiB and in the
// upper half, and stay closed.
static volatile uint64_t *make_leaf(uint64_t address)
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
            table = allocate();
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

// An inaccessible page keeps its contents: it loses the user bit.
static uint64_t flags_of(unsigned access)
{
    return (access != PAGE_NONE ? PTE_USER : 0) | (access & PAGE_WRITE ? HL_PTE_READ_WRITE : HL_PTE_READ_ONLY) |
           (access & PAGE_EXECUTE ? 0 : HL_PTE_NO_EXECUTE);
}

uint8_t *page_contents(uint64_t address, bool *is_shared)
{
    unsigned missing;
    volatile uint64_t *leaf = find_leaf(address, &missing);
    if (leaf == NULL || !(*leaf & HL_PTE_PRESENT)) {
        return NULL;
    }
    *is_shared = is_foreign(*leaf);
    return hl_scratch_pointer(*leaf & HL_PTE_ADDRESS);
}

// The processor has no translation of an entry that was not present, and the way
// back to the program serialises. Dropping a translation costs much on emulators.
static void set_leaf(volatile uint64_t *leaf, uint64_t address, uint64_t entry)
{
    bool was_present = *leaf & HL_PTE_PRESENT;
    *leaf = entry;
    if (was_present) {
        hl_invalidate_page(address);
    }
}

bool page_map_new(uint64_t address, unsigned access, uint8_t **contents)
{
    volatile uint64_t *leaf = make_leaf(address);
    uint64_t page = leaf != NULL ? allocate() : 0;
    if (page == 0) {
        return false;
    }
    *contents = hl_scratch_pointer(page);
    set_leaf(leaf, address, page | flags_of(access));
    return true;
}

bool page_map_shared(uint64_t address, unsigned access, const uint8_t *source)
{
    unsigned missing;
    volatile uint64_t *leaf = make_leaf(address);
    if (leaf == NULL) {
        return false;
    }
    volatile uint64_t *original = find_leaf((uint64_t)source, &missing);
    if ((*original & HL_PTE_AVAILABLE) == HL_PTE_COW) {
        // A snapshot has it: it becomes a copy now, and not when only the kernel sees that.
        *(volatile uint8_t *)source = *(volatile const uint8_t *)source;
    }
    uint64_t entry = (*original & HL_PTE_ADDRESS) | flags_of(access) | PTE_SHARED;
    // Often the kernel needs the contents of a page that the program has, and may write.
    if (*leaf != entry && *leaf != (entry | HL_PTE_WRITABLE)) {
        set_leaf(leaf, address, entry);
    }
    return true;
}

bool kernel_map(uint64_t address, uint64_t physical)
{
    volatile uint64_t *leaf = make_leaf(address);
    if (leaf == NULL) {
        return false;
    }
    set_leaf(leaf, address, physical | HL_PTE_READ_ONLY | HL_PTE_NO_EXECUTE);
    return true;
}

void kernel_settle(uint64_t address)
{
    hl_invalidate_page(address);
}

bool kernel_is_mapped(uint64_t address)
{
    unsigned missing;
    volatile uint64_t *leaf = find_leaf(address, &missing);
    return leaf != NULL && *leaf & HL_PTE_PRESENT;
}

bool kernel_map_new(uint64_t address)
{
    volatile uint64_t *leaf = make_leaf(address);
    uint64_t page = leaf != NULL ? allocate() : 0;
    if (page == 0) {
        return false;
    }
    *leaf = page | HL_PTE_READ_WRITE | HL_PTE_NO_EXECUTE;
    hl_invalidate_page(address);
    pages.kernel++;
    return true;
}

void kernel_unmap(uint64_t address, uint64_t note)
{
    unsigned missing;
    volatile uint64_t *leaf = find_leaf(address, &missing);
    uint64_t page = *leaf & HL_PTE_ADDRESS;
    *leaf = note & HL_PTE_ADDRESS;
    hl_invalidate_page(address);
    pages.kernel--;
    release(page);
}

uint64_t kernel_note(uint64_t address)
{
    unsigned missing;
    volatile uint64_t *leaf = find_leaf(address, &missing);
    return leaf != NULL && !(*leaf & HL_PTE_PRESENT) ? *leaf & HL_PTE_ADDRESS : 0;
}

// The next page, or the first one after everything that the missing table covers.
static uint64_t after_missing(uint64_t address, unsigned shift)
{
    return ((address >> shift) + 1) << shift;
}

void pages_unmap(uint64_t start, uint64_t end)
{
    unsigned missing;
    for (uint64_t page = start; page < end;) {
        volatile uint64_t *leaf = find_leaf(page, &missing);
        if (leaf == NULL) {
            page = after_missing(page, missing);
            continue;
        }
        if (*leaf & HL_PTE_PRESENT) {
            uint64_t entry = *leaf;
            *leaf = 0;
            hl_invalidate_page(page);
            if (!is_foreign(entry)) {
                release(entry & HL_PTE_ADDRESS);
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
            volatile uint64_t *leaf = find_leaf(from + offset, &missing);
            if (leaf == NULL) {
                offset = after_missing(from + offset, missing) - from;
                continue;
            }
            if (*leaf & HL_PTE_PRESENT) {
                volatile uint64_t *target = make_leaf(to + offset);
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
        volatile uint64_t *leaf = find_leaf(page, &missing);
        if (leaf == NULL) {
            page = after_missing(page, missing);
            continue;
        }
        if (*leaf & HL_PTE_PRESENT) {
            // What may be written of a shared page is found out by a fault.
            uint64_t shared = (*leaf & PTE_COPY) | (is_foreign(*leaf) ? PTE_SHARED : 0);
            unsigned permitted = shared ? access & ~(unsigned)PAGE_WRITE : access;
            *leaf = (*leaf & HL_PTE_ADDRESS) | shared | flags_of(permitted);
            hl_invalidate_page(page);
        }
        page += PAGE_SIZE;
    }
}

bool page_make_own(uint64_t address, unsigned access, uint8_t **contents)
{
    unsigned missing;
    volatile uint64_t *leaf = find_leaf(address, &missing);
    uint64_t page = *leaf & HL_PTE_ADDRESS;
    if (!(*leaf & PTE_COPY)) {
        return true;
    }
    uint8_t *share = share_of(page, false);
    if (share != NULL && *share != 0) {
        uint64_t copy = allocate();
        if (copy == 0) {
            return false;
        }
        memcpy(hl_scratch_pointer(copy), hl_scratch_pointer(page), PAGE_SIZE);
        --*share;
        page = copy;
    }
    *contents = hl_scratch_pointer(page);
    *leaf = page | flags_of(access);
    hl_invalidate_page(address);
    return true;
}

uint64_t pages_root(void)
{
    return hl_read_cr3() & HL_PTE_ADDRESS;
}

void pages_select_root(uint64_t root)
{
    forget_walk();
    __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

#define TABLE_ENTRIES 512
#define KERNEL_ENTRIES 256

static volatile uint64_t *entries_of(uint64_t table)
{
    return hl_scratch_pointer(table & HL_PTE_ADDRESS);
}

// Whether everything that an entry of a table covers is the kernel's, below the program.
static bool is_kernel_entry(uint64_t address, unsigned shift)
{
    return address + (1UL << shift) <= PROGRAM_START;
}

static void free_table(uint64_t table, unsigned shift, uint64_t base)
{
    volatile uint64_t *entries = entries_of(table);
    for (uint64_t i = 0; i < (shift == TOP_SHIFT ? KERNEL_ENTRIES : TABLE_ENTRIES); i++) {
        uint64_t entry = entries[i];
        if (!(entry & HL_PTE_PRESENT) || is_kernel_entry(base + (i << shift), shift)) {
            continue;
        }
        if (shift != LEAF_SHIFT) {
            free_table(entry, shift - LEVEL_BITS, base + (i << shift));
        } else if (!is_foreign(entry)) {
            release(entry & HL_PTE_ADDRESS);
        }
    }
    release(table & HL_PTE_ADDRESS);
}

void pages_free_root(uint64_t root)
{
    forget_walk();
    free_table(root, TOP_SHIFT, 0);
}

// The tables of the kernel's own pages, which are the same in all address spaces.
static bool copy_kernel(uint64_t from, uint64_t to, unsigned shift, uint64_t base)
{
    volatile uint64_t *source = entries_of(from);
    volatile uint64_t *target = entries_of(to);
    for (uint64_t i = shift == TOP_SHIFT ? KERNEL_ENTRIES : TABLE_ENTRIES; i < TABLE_ENTRIES; i++) {
        target[i] = source[i];
    }
    for (uint64_t i = 0; i < TABLE_ENTRIES && base + (i << shift) < PROGRAM_START; i++) {
        if (is_kernel_entry(base + (i << shift), shift)) {
            target[i] = source[i];
            continue;
        }
        uint64_t table = allocate();
        if (table == 0) {
            return false;
        }
        target[i] = table | HL_PTE_TABLE | PTE_USER;
        if (!copy_kernel(source[i], table, shift - LEVEL_BITS, base + (i << shift))) {
            return false;
        }
    }
    return true;
}

uint64_t pages_create_root(void)
{
    uint64_t root = allocate();
    if (root != 0 && !copy_kernel(pages_root(), root, TOP_SHIFT, 0)) {
        pages_free_root(root);
        return 0;
    }
    return root;
}

static bool copy_table(uint64_t from, uint64_t to, unsigned shift, uint64_t base)
{
    volatile uint64_t *source = entries_of(from);
    volatile uint64_t *target = entries_of(to);
    for (uint64_t i = 0; i < (shift == TOP_SHIFT ? KERNEL_ENTRIES : TABLE_ENTRIES); i++) {
        uint64_t entry = source[i];
        uint64_t address = base + (i << shift);
        if (!(entry & HL_PTE_PRESENT) || is_kernel_entry(address, shift)) {
            continue;
        }
        if (shift != LEAF_SHIFT) {
            if (!(target[i] & HL_PTE_PRESENT)) {
                uint64_t table = allocate();
                if (table == 0) {
                    return false;
                }
                target[i] = table | HL_PTE_TABLE | PTE_USER;
            }
            if (!copy_table(entry, target[i], shift - LEVEL_BITS, address)) {
                return false;
            }
            continue;
        }
        if (!is_foreign(entry)) {
            uint8_t *share = share_of(entry & HL_PTE_ADDRESS, true);
            if (share == NULL) {
                return false;
            }
            ++*share;
            entry = (entry & ~HL_PTE_WRITABLE) | PTE_COPY;
            source[i] = entry;
        }
        target[i] = entry;
    }
    return true;
}

bool pages_copy_to_root(uint64_t root)
{
    bool is_copied = copy_table(pages_root(), root, TOP_SHIFT, 0);
    // The pages that are here now must not be written any more.
    pages_select_root(pages_root());
    return is_copied;
}

bool page_is_kept(uint64_t address)
{
    unsigned missing;
    volatile uint64_t *leaf = find_leaf(address, &missing);
    uint64_t page = *leaf & HL_PTE_ADDRESS;
    return !is_in_scratch(page) && !image_has_page(page);
}

bool pages_open(uint64_t address, uint64_t start, uint64_t end, unsigned access)
{
    // Within one table.
    uint64_t base = address & ~(TABLE_ENTRIES * PAGE_SIZE - 1);
    volatile uint64_t *leaf = make_leaf(address);
    if (leaf == NULL) {
        return false;
    }
    start = start > base ? start : base;
    end = end < base + TABLE_ENTRIES * PAGE_SIZE ? end : base + TABLE_ENTRIES * PAGE_SIZE;
    uint64_t scratch = scratch_start();
    uint64_t flags = PTE_SHARED | flags_of(access & ~(unsigned)PAGE_WRITE);
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
    volatile uint64_t *leaf = make_leaf(address);
    uint64_t page = leaf != NULL ? allocate() : 0;
    if (page == 0) {
        return false;
    }
    *contents = hl_scratch_pointer(page);
    // The only address of the page is the program's.
    bool was_permitted = pages_permit_user_access(true);
    memcpy(*contents, (const void *)address, PAGE_SIZE);
    pages_permit_user_access(was_permitted);
    set_leaf(leaf, address, page | flags_of(access));
    return true;
}

void pages_unmap_shared(uint64_t start, uint64_t end)
{
    unsigned missing;
    for (uint64_t page = start; page < end;) {
        volatile uint64_t *leaf = find_leaf(page, &missing);
        if (leaf == NULL) {
            page = after_missing(page, missing);
            continue;
        }
        if (*leaf & HL_PTE_PRESENT && *leaf & PTE_SHARED && is_in_scratch(*leaf & HL_PTE_ADDRESS)) {
            *leaf = 0;
            hl_invalidate_page(page);
        }
        page += PAGE_SIZE;
    }
}

void pages_prepare_snapshot(void)
{
    forget_walk();
    // No page is shared by address spaces: there is one.
    for (unsigned i = 0; i < MOST_SHARE_PAGES; i++) {
        uint8_t *shares = share_pages[i];
        share_pages[i] = NULL;
        if (shares != NULL) {
            kernel_page_free(shares);
        }
    }
}

void pages_continue(uint64_t limit)
{
    uint64_t available = available_pages();
    // Pages of the snapshot are no memory of this run. The kernel's are counted all the
    // same, because a copy that a write makes of them is not.
    pages.used = pages.kernel;
    pages.limit = limit < available ? limit : available;
    pages.limit = pages.limit > pages.used ? pages.limit : pages.used;
    pages.free = 0;
    forget_walk();
}
