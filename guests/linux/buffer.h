// SPDX-License-Identifier: Apache-2.0
//
// Memory that a transfer reads or writes: the program's, or the kernel's own.

#ifndef LINUX_BUFFER_H
#define LINUX_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    // Where the transfer continues, and how much is left.
    uint64_t address;
    uint64_t size;
    bool is_kernel;
};

static inline struct buffer user_buffer(uint64_t address, uint64_t size)
{
    return (struct buffer){ .address = address, .size = size };
}

static inline struct buffer kernel_buffer(const void *bytes, uint64_t size)
{
    return (struct buffer){ .address = (uint64_t)bytes, .size = size, .is_kernel = true };
}

// Copies `size` bytes, at most what is left, and advances. False if the program
// may not access its memory; a part may have been copied then.
bool buffer_put(struct buffer *buffer, const void *bytes, uint64_t size);
bool buffer_put_zeroes(struct buffer *buffer, uint64_t size);
bool buffer_take(struct buffer *buffer, void *bytes, uint64_t size);

// The bytes of a buffer that are contiguous for the kernel, for reading: at least
// one of a buffer that is not empty. NULL if the program may not read them.
const uint8_t *buffer_bytes(const struct buffer *buffer, uint64_t *size);

// Whether all of it can be written, with memory for its pages.
bool buffer_can_be_written(const struct buffer *buffer);

#endif
