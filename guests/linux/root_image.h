// SPDX-License-Identifier: Apache-2.0
//
// The root image: a read-only file system that the host has mapped into physical
// memory. What it contains is checked each time it is followed, because the host's
// file may be damaged. Indexes and offsets that are not valid are -EIO.

#ifndef LINUX_ROOT_IMAGE_H
#define LINUX_ROOT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_ROOT 0
#define IMAGE_NAME_SIZE 255

struct image_node {
    uint32_t mode, links, uid, gid;
    uint64_t size;
    int64_t seconds;
    uint32_t nanoseconds;
    // Of a directory.
    uint32_t entry_count;
    // Of a file or a link: an offset in the image; of a directory: its first entry.
    uint64_t start;
    uint32_t parent;
};

struct image_entry {
    const char *name;
    size_t length;
    uint32_t node;
};

// Takes the image from physical memory. NULL, or what is wrong with it.
const char *image_open(uint64_t physical, uint64_t size);

bool image_is_open(void);
// Whether a physical page is one of it.
bool image_has_page(uint64_t page);
uint32_t image_node_count(void);

int64_t image_read_node(uint32_t index, struct image_node *node);

// An entry of a directory by its place in the directory, or by its name: -ENOENT. That it can be a name, and follows
// the one before, is checked by image_check_entry: by name only those are found.
int64_t image_read_entry(const struct image_node *directory, uint32_t index, struct image_entry *entry);
int64_t image_check_entry(const struct image_node *directory, uint32_t index, const struct image_entry *entry);
int64_t image_find_entry(const struct image_node *directory, const char *name, size_t length,
                         struct image_entry *entry);

// The kernel's address of bytes of the image, in one piece. NULL if they are not in
// it, or without memory for page tables.
const void *image_bytes(uint64_t offset, uint64_t size);

#endif
