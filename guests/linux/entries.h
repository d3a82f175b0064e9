// SPDX-License-Identifier: Apache-2.0
//
// The names in directories: those of the image, and those in memory, which come
// first and can hide a name of the image.

#ifndef LINUX_ENTRIES_H
#define LINUX_ENTRIES_H

#include "node.h"

void entries_start(void);

// The node of a name: 0, -ENOENT, -ENOMEM or -EIO.
int64_t directory_find(struct node *directory, const char *name, size_t length, struct node **node);

// Adds a name, or gives it to another node: the caller has looked whether it is
// there. -ENOSPC without memory.
int64_t directory_set(struct node *directory, const char *name, size_t length, struct node *node);
// Removes a name that is there.
int64_t directory_remove(struct node *directory, const char *name, size_t length);

int64_t directory_is_empty(struct node *directory, bool *is_empty);

// The entry at a place or after it, without "." and "..". -ENOENT after the last.
struct directory_item {
    // That of the next entry.
    uint64_t next_place;
    char name[NAME_SIZE + 1];
    size_t length;
    uint64_t inode;
    uint32_t mode;
    // The name is not one of the image.
    bool is_in_memory;
};
int64_t directory_item_at(struct node *directory, uint64_t place, struct directory_item *item);

// For a directory that is freed: only hidden names are left.
void directory_free_entries(struct node *directory);

#endif
