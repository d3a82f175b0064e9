// SPDX-License-Identifier: Apache-2.0

#include "root_tables.h"

#include "page_tables.h"

#include "../runtime/cpu.h"

#define KERNEL_ENTRIES 256

uint64_t pages_root(void)
{
    return hl_read_cr3() & HL_PTE_ADDRESS;
}

void pages_select_root(uint64_t root)
{
    page_tables_forget_walk();
    __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

// Whether everything that an entry of a table covers is the kernel's, below the program.
static bool is_kernel_entry(uint64_t address, unsigned shift)
{
    return address + (1UL << shift) <= PROGRAM_START;
}

static void free_table(uint64_t table, unsigned shift, uint64_t base)
{
    volatile uint64_t *entries = table_entries(table);
    for (uint64_t i = 0; i < (shift == TOP_SHIFT ? KERNEL_ENTRIES : TABLE_ENTRIES); i++) {
        uint64_t entry = entries[i];
        if (!(entry & HL_PTE_PRESENT) || is_kernel_entry(base + (i << shift), shift)) {
            continue;
        }
        if (shift != LEAF_SHIFT) {
            free_table(entry, shift - LEVEL_BITS, base + (i << shift));
        } else if (!leaf_is_foreign(entry)) {
            physical_page_release(entry & HL_PTE_ADDRESS);
        }
    }
    physical_page_release(table & HL_PTE_ADDRESS);
}

void pages_free_root(uint64_t root)
{
    page_tables_forget_walk();
    free_table(root, TOP_SHIFT, 0);
}

// The tables of the kernel's own pages, which are the same in all address spaces.
static bool copy_kernel(uint64_t from, uint64_t to, unsigned shift, uint64_t base)
{
    volatile uint64_t *source = table_entries(from);
    volatile uint64_t *target = table_entries(to);
    for (uint64_t i = shift == TOP_SHIFT ? KERNEL_ENTRIES : TABLE_ENTRIES; i < TABLE_ENTRIES; i++) {
        target[i] = source[i];
    }
    for (uint64_t i = 0; i < TABLE_ENTRIES && base + (i << shift) < PROGRAM_START; i++) {
        if (is_kernel_entry(base + (i << shift), shift)) {
            target[i] = source[i];
            continue;
        }
        uint64_t table = physical_page_allocate();
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
    uint64_t root = physical_page_allocate();
    if (root != 0 && !copy_kernel(pages_root(), root, TOP_SHIFT, 0)) {
        pages_free_root(root);
        return 0;
    }
    return root;
}

static bool copy_table(uint64_t from, uint64_t to, unsigned shift, uint64_t base)
{
    volatile uint64_t *source = table_entries(from);
    volatile uint64_t *target = table_entries(to);
    for (uint64_t i = 0; i < (shift == TOP_SHIFT ? KERNEL_ENTRIES : TABLE_ENTRIES); i++) {
        uint64_t entry = source[i];
        uint64_t address = base + (i << shift);
        if (!(entry & HL_PTE_PRESENT) || is_kernel_entry(address, shift)) {
            continue;
        }
        if (shift != LEAF_SHIFT) {
            if (!(target[i] & HL_PTE_PRESENT)) {
                uint64_t table = physical_page_allocate();
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
        if (!leaf_is_foreign(entry)) {
            uint8_t *share = physical_page_share(entry & HL_PTE_ADDRESS, true);
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
