// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_FILE_PAIR_H
#define LINUX_FILE_PAIR_H

#include "files.h"

// Gives the running process descriptors of two files, whose references are taken,
// and stores their numbers in its memory: 0, -EMFILE or -EFAULT.
int64_t files_add_pair(struct file *const pair[2], bool closes_on_exec, uint64_t address);

#endif
