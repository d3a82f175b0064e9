// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_PIPE_H
#define LINUX_PIPE_H

#include <stdint.h>

struct buffer;
struct file;

// What both kinds of pipes do: `object` of the file is the ring.
int64_t pipe_read(struct file *file, struct buffer *buffer, uint64_t *position);
int64_t pipe_write(struct file *file, struct buffer *buffer, uint64_t *position);
int64_t pipe_control(struct file *file, uint64_t request, uint64_t argument);

// How much a pipe holds at most, in bytes; -EBADF for another kind of file.
int64_t pipe_size(const struct file *file);

// Changes it to a power of two that is at least `size`. Returns the new size, or
// -EPERM if it is more than a new pipe has.
int64_t pipe_set_size(struct file *file, uint64_t size);

#endif
