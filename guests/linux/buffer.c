// SPDX-License-Identifier: Apache-2.0

#include "buffer.h"

#include "user.h"

#include <string.h>

static void advance(struct buffer *buffer, uint64_t size)
{
    buffer->address += size;
    buffer->size -= size;
}

bool buffer_put(struct buffer *buffer, const void *bytes, uint64_t size)
{
    size = size < buffer->size ? size : buffer->size;
    if (buffer->is_kernel) {
        memcpy((void *)buffer->address, bytes, size);
    } else if (!copy_to_user(buffer->address, bytes, size)) {
        return false;
    }
    advance(buffer, size);
    return true;
}

bool buffer_put_zeroes(struct buffer *buffer, uint64_t size)
{
    static const uint8_t zeroes[4096];
    size = size < buffer->size ? size : buffer->size;
    while (size != 0) {
        uint64_t part = size < sizeof zeroes ? size : sizeof zeroes;
        if (!buffer_put(buffer, zeroes, part)) {
            return false;
        }
        size -= part;
    }
    return true;
}

bool buffer_take(struct buffer *buffer, void *bytes, uint64_t size)
{
    size = size < buffer->size ? size : buffer->size;
    if (buffer->is_kernel) {
        memcpy(bytes, (const void *)buffer->address, size);
    } else if (!copy_from_user(bytes, buffer->address, size)) {
        return false;
    }
    advance(buffer, size);
    return true;
}

const uint8_t *buffer_bytes(const struct buffer *buffer, uint64_t *size)
{
    if (buffer->is_kernel) {
        *size = buffer->size;
        return (const uint8_t *)buffer->address;
    }
    const uint8_t *bytes = user_bytes(buffer->address, size);
    *size = *size < buffer->size ? *size : buffer->size;
    return bytes;
}

bool buffer_can_be_written(const struct buffer *buffer)
{
    return buffer->is_kernel || user_can_write(buffer->address, buffer->size);
}
