// SPDX-License-Identifier: Apache-2.0
//
// The file system that a program starts with: the root image, and what the kernel
// adds to it.

#ifndef LINUX_FILE_SYSTEM_H
#define LINUX_FILE_SYSTEM_H

#include "node.h"

#define ROOT_ID 0

// False without memory, or if the image is invalid.
bool file_system_start(void);

// Add a node of the kernel to a directory of the kernel; the node is freed if there
// is no memory.
bool file_system_add(struct node *directory, const char *name, struct node *node);
// The target must stay.
bool file_system_add_link(struct node *directory, const char *name, const char *target);
// NULL without memory.
struct node *file_system_add_directory(struct node *directory, const char *name, uint32_t permissions);

#endif
