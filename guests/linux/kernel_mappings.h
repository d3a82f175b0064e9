// SPDX-License-Identifier: Apache-2.0
//
// Pages at addresses of the kernel, in the upper half.

#ifndef LINUX_KERNEL_MAPPINGS_H
#define LINUX_KERNEL_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>

// Forgets all; the pages are gone already.
void kernel_mappings_start(void);

// How many pages kernel_map_new has mapped.
uint64_t kernel_mappings_count(void);

// A physical page to be read, or a new page of zeroes. False if there is no memory. After
// the last of several kernel_map, kernel_settle makes sure that no page walk runs ahead of
// the stores.
bool kernel_map(uint64_t address, uint64_t physical);
void kernel_settle(uint64_t address);
bool kernel_map_new(uint64_t address);
bool kernel_is_mapped(uint64_t address);

// Gives a page back that kernel_map_new has mapped. Its entry in the page table
// keeps a note until it is used again: a multiple of the page size below 2^52. A
// snapshot does not have the notes: they are 0 then.
void kernel_unmap(uint64_t address, uint64_t note);
uint64_t kernel_note(uint64_t address);

#endif
