// SPDX-License-Identifier: Apache-2.0
//
// The system calls that copy from a file to another one: sendfile and copy_file_range.

#include "errors.h"
#include "files.h"
#include "kernel_pages.h"
#include "node.h"
#include "system_calls.h"
#include "user.h"

#define COPY_SIZE 4096

// Through a page of the kernel. What could not be written is not read: the
// positions advance by the number of bytes that were written.
static int64_t copy_through(uint8_t *bytes, struct file *from, uint64_t *from_position, struct file *to,
                            uint64_t *to_position, uint64_t size)
{
    int64_t total = 0;
    size = size < MOST_TRANSFER_BYTES ? size : MOST_TRANSFER_BYTES;
    while ((uint64_t)total < size) {
        uint64_t part = size - (uint64_t)total < COPY_SIZE ? size - (uint64_t)total : COPY_SIZE;
        uint64_t position = from_position != NULL ? *from_position : from->position;
        struct buffer target = kernel_buffer(bytes, part);
        int64_t count = file_read(from, &target, &position);
        if (count <= 0) {
            return total != 0 ? total : count;
        }
        struct buffer source = kernel_buffer(bytes, (uint64_t)count);
        int64_t written = file_write(to, &source, to_position);
        if (written < 0) {
            return total != 0 ? total : written;
        }
        *(from_position != NULL ? from_position : &from->position) += (uint64_t)written;
        total += written;
        if (written < (int64_t)part) {
            break;
        }
    }
    return total;
}

// The page and the files are kept while the copy waits: other threads may copy and
// close files.
static int64_t copy(struct file *from, uint64_t *from_position, struct file *to, uint64_t *to_position, uint64_t size)
{
    uint8_t *bytes = kernel_page_allocate();
    if (bytes == NULL) {
        return -ENOMEM;
    }
    file_retain(from);
    file_retain(to);
    int64_t result = copy_through(bytes, from, from_position, to, to_position, size);
    file_release(from);
    file_release(to);
    kernel_page_free(bytes);
    return result;
}

// A position in the program's memory: 0 is none.
static int64_t take_position(uint64_t address, uint64_t *position)
{
    if (address != 0 && !copy_from_user(position, address, sizeof *position)) {
        return -EFAULT;
    }
    return address != 0 && (int64_t)*position < 0 ? -EINVAL : 0;
}

int64_t system_call_sendfile(const uint64_t arguments[6])
{
    uint64_t position;
    struct file *to = current_file(arguments[0]);
    struct file *from = current_file(arguments[1]);
    if (to == NULL || from == NULL || !file_can_read(from) || !file_can_write(to)) {
        return -EBADF;
    }
    if (from->operations->seek == NULL && arguments[2] != 0) {
        return -ESPIPE;
    }
    bool is_readable = from->operations->seek != NULL && !(from->node != NULL && node_is_directory(from->node));
    if (!is_readable || to->flags & O_APPEND) {
        return -EINVAL;
    }
    int64_t error = take_position(arguments[2], &position);
    if (error != 0) {
        return error;
    }
    // Also where the file ends before.
    uint64_t end = (arguments[2] != 0 ? position : from->position) + arguments[3];
    if ((int64_t)arguments[3] < 0 || (int64_t)end < 0) {
        return -EINVAL;
    }
    int64_t result = copy(from, arguments[2] != 0 ? &position : NULL, to, NULL, arguments[3]);
    bool is_stored = arguments[2] == 0 || result < 0 || copy_to_user(arguments[2], &position, sizeof position);
    return is_stored ? result : -EFAULT;
}

static int64_t check_copy(const struct file *from, const struct file *to)
{
    if (from == NULL || to == NULL || (from->flags | to->flags) & O_PATH) {
        return -EBADF;
    }
    const uint32_t from_mode = from->node != NULL ? from->node->mode : 0;
    const uint32_t to_mode = to->node != NULL ? to->node->mode : 0;
    if (is_directory(from_mode) || is_directory(to_mode)) {
        return -EISDIR;
    }
    if (!is_regular(from_mode) || !is_regular(to_mode)) {
        return -EINVAL;
    }
    return file_can_read(from) && file_can_write(to) && !(to->flags & O_APPEND) ? 0 : -EBADF;
}

// A position from which so many bytes are copied.
static int64_t take_start(uint64_t address, uint64_t size, uint64_t *position)
{
    int64_t error = take_position(address, position);
    return error == -EINVAL && *position + size < *position ? -EOVERFLOW : error;
}

int64_t system_call_copy_file_range(const uint64_t arguments[6])
{
    uint64_t from_position, to_position;
    struct file *from = current_file(arguments[0]);
    struct file *to = current_file(arguments[2]);
    int64_t error = check_copy(from, to);
    error = error == 0 && arguments[5] != 0 ? -EINVAL : error;
    error = error == 0 ? take_start(arguments[1], arguments[4], &from_position) : error;
    error = error == 0 ? take_start(arguments[3], arguments[4], &to_position) : error;
    if (error != 0) {
        return error;
    }
    uint64_t source = arguments[1] != 0 ? from_position : from->position;
    uint64_t target = arguments[3] != 0 ? to_position : to->position;
    uint64_t size = arguments[4] < MOST_TRANSFER_BYTES ? arguments[4] : MOST_TRANSFER_BYTES;
    if (from->node == to->node && source < target + size && target < source + size) {
        return -EINVAL;
    }
    int64_t result = copy(from, arguments[1] != 0 ? &from_position : NULL, to, arguments[3] != 0 ? &to_position : NULL,
                          size);
    bool is_stored = (arguments[1] == 0 || copy_to_user(arguments[1], &from_position, sizeof from_position)) &&
                     (arguments[3] == 0 || copy_to_user(arguments[3], &to_position, sizeof to_position));
    return is_stored ? result : -EFAULT;
}
