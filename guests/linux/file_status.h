// SPDX-License-Identifier: Apache-2.0
//
// What stat and its relatives say of a file.

#ifndef LINUX_FILE_STATUS_H
#define LINUX_FILE_STATUS_H

#include <stdint.h>

struct node;
struct file;

#define DEVICE_OF_FILES 1
#define DEVICE_OF_STREAMS 2

static inline uint32_t device_number(uint32_t major, uint32_t minor)
{
    return major << 8 | minor;
}

struct file_status {
    uint64_t device, inode;
    uint32_t mode, links, uid, gid;
    uint64_t represented_device;
    uint64_t size, block_size, blocks;
    // Nanoseconds.
    int64_t accessed, modified, changed;
};

void node_status(struct node *node, struct file_status *status);
int64_t file_status(struct file *file, struct file_status *status);

#endif
