// SPDX-License-Identifier: Apache-2.0
//
// Locks of parts of files (fcntl). They belong to the table of descriptors of a
// process, or to an open file description (F_OFD_*).

#ifndef LINUX_RECORD_LOCKS_H
#define LINUX_RECORD_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct file;
struct files;
struct node;
struct record_lock;

// Forgets all locks.
void record_locks_start(void);

bool is_record_lock_command(uint32_t command);

// The commands of fcntl, for a descriptor and its file.
int64_t record_lock_control(struct file *file, uint64_t descriptor, uint32_t command, uint64_t address);

// A table closes one of its descriptors, or a file is closed: what it holds on the
// node is gone.
void record_locks_release(struct node *node, const void *owner);

#endif
