// SPDX-License-Identifier: Apache-2.0
//
// The top page tables: one for each address space.

#ifndef LINUX_ROOT_TABLES_H
#define LINUX_ROOT_TABLES_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
