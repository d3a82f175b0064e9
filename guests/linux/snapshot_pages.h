// SPDX-License-Identifier: Apache-2.0
//
// The pages of a snapshot, which are read-only. Some hosts close them to the program, so that
// each is opened when it is used first.

#ifndef LINUX_SNAPSHOT_PAGES_H
#define LINUX_SNAPSHOT_PAGES_H

#include <stdbool.h>
#include <stdint.h>

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
