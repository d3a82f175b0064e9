// SPDX-License-Identifier: Apache-2.0
//
// The areas of the program's address space: sorted, apart, whole pages.

#ifndef LINUX_AREAS_H
#define LINUX_AREAS_H

#include "pages.h"

struct node;

struct area {
    uint64_t start;
    uint64_t end;
    // The file that is mapped, from an offset of whole pages on; NULL for memory.
    struct node *node;
    uint64_t offset;
    // How many bytes of the area are the file's: what follows is zero. Without a
    // limit the area ends where the file does: accesses after its last page fail.
    uint64_t source_size;
    unsigned access;
    // Counts against the memory limit before it is used.
    bool is_committed;
    // Writes change the file.
    bool is_shared;
    // The file may be written through this area.
    bool can_write_file;
    // New processes do not get it, or get it without its contents.
    bool is_not_inherited;
    bool is_wiped;
};

#define WHOLE_FILE UINT64_MAX

// One for each process, one more for execve, and that of the kernel. A page counts
// fewer than 256; see physical_pages.c.
#define MOST_ADDRESS_SPACES 36

// Forgets all areas; the pages are gone already.
void areas_start(void);

// Each address space has a list; that of the first is selected at the start.
void areas_select(unsigned space);

// Removes all areas with their pages.
void areas_clear(void);

// The area at a place in the list, NULL after the last.
const struct area *area_at(unsigned index);

struct area *area_find(uint64_t address);

// The area of an address, or else the next one. NULL if there is none.
const struct area *area_after(uint64_t address);

// How many bytes of a range are mapped.
uint64_t areas_size(uint64_t start, uint64_t end);

// Whether nothing is mapped in a range.
bool area_is_free(uint64_t start, uint64_t end);

// The highest free range of a size below an address. 0 if there is none.
uint64_t area_find_free(uint64_t size, uint64_t below);

// Adds an area to a free range, with a reference to its file. False if there are
// too many areas, or if the memory it commits itself to is more than there is.
bool area_add(const struct area *area);

// Removes everything in a range with its pages: parts of areas are divided. False without
// a change if there are too many areas.
bool areas_remove(uint64_t start, uint64_t end);

// Changes the access of a part of an area, or what new processes get of it. False if there
// are too many areas; for a change of access also if the memory limit does not permit it.
// The caller joins areas afterwards, also after a failure: once for all parts that it changes.
bool area_protect(uint64_t start, uint64_t end, unsigned access);
bool area_set_inheritance(uint64_t start, uint64_t end, bool is_not_inherited, bool is_wiped);

// Joins what can be joined from the area before a range to the one after it. Without that,
// programs that map or protect a page at a time would soon have too many areas.
void areas_join(uint64_t start, uint64_t end);

// Whether areas cover a range without a gap.
bool areas_cover(uint64_t start, uint64_t end);

// Moves a part of one area with its pages to a free range, where it may be larger.
// False without a change if there is not enough memory, or too many areas.
bool area_move(uint64_t start, uint64_t size, uint64_t new_start, uint64_t new_size);

// Moves the end of an area to the end of the free range after it, or shortens it.
bool area_resize(struct area *area, uint64_t end);

// Unmaps the pages of a file from an offset on, copies of them included: they are behind its end.
void areas_unmap_file(const struct node *node, uint64_t offset);

// Unmaps what cannot be in a snapshot; it is mapped again when it is used.
void areas_prepare_snapshot(void);

#endif
