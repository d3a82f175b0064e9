// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_PIPE_H
#define LINUX_PIPE_H

#include <stdint.h>

struct file;

// How much a pipe holds at most, in bytes; -EBADF for another kind of file.
int64_t pipe_size(const struct file *file);

// Changes it to a power of two that is at least `size`. Returns the new size, or
// -EPERM if it is more than a new pipe has.
int64_t pipe_set_size(struct file *file, uint64_t size);

#endif
