// SPDX-License-Identifier: Apache-2.0
//
// Open files and directories of the file system.

#ifndef LINUX_REGULAR_FILE_H
#define LINUX_REGULAR_FILE_H

#include "files.h"
#include "node.h"

// The kinds of files that have a node, by what the node is.
extern const struct file_operations regular_file;
extern const struct file_operations directory_file;
extern const struct file_operations named_pipe;

// An open file of a node that exists, whose permissions were checked: an error, or
// 0 with a file.
int64_t node_open(struct node *node, uint32_t flags, struct file **file);

// lseek for files whose size is known.
int64_t seek_to(struct file *file, uint64_t size, int64_t offset, uint32_t origin);

enum seek_origin { SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4 };

#endif
