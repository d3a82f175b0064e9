// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_ADDRESS_SPACE_H
#define LINUX_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stdint.h>

// Page tables, and a list of areas.
struct address_space {
    uint32_t references;
    uint64_t root;
};

// The first one, which is there already.
struct address_space *address_spaces_start(void);

// Without areas, or with those and the pages of the current one that a new process inherits. NULL
// without memory.
struct address_space *address_space_create(void);
struct address_space *address_space_copy(const struct address_space *current);

void address_space_retain(struct address_space *space);
// Another one must be selected.
void address_space_release(struct address_space *space);

// The kernel keeps the tables of the only one, which is selected: false if processes
// have several, or share it.
bool address_space_become_kernel(void);
// After a restore: the page tables are those that the host has made.
void address_space_continue(void);

// Unmaps the pages of a file from an offset on from all of them.
struct node;
void address_spaces_unmap_file(const struct node *node, uint64_t offset);

void address_space_select(const struct address_space *space);

// The tables of the kernel, with which it returns to the host.
void address_space_select_kernel(void);

#endif
