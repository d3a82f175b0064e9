// SPDX-License-Identifier: Apache-2.0
//
// Directories of the host, which a program reads. What is in one is asked for when
// a path first reaches it, and the contents of a file when it is first opened; both
// stay as they were then. All of it is root's, so that the program cannot change it.

#ifndef LINUX_HOST_DIRECTORY_H
#define LINUX_HOST_DIRECTORY_H

#include "node.h"

void host_directories_start(void);

// A directory without a name, whose contents are the host's. NULL without memory.
struct node *host_directory_create(void);

// Before the contents of a regular file are used: fetches them, if they are the
// host's. -ENOMEM, -EIO or what the host says.
int64_t host_file_fetch(struct node *node);

#endif
