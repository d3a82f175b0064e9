// SPDX-License-Identifier: Apache-2.0
//
// The system calls that read and write files.

#include "errors.h"
#include "files.h"
#include "node.h"
#include "pages.h"
#include "signals.h"
#include "system_calls.h"
#include "user.h"

#define MOST_VECTORS 1024

#define RWF_HIPRI 1U
#define RWF_DSYNC 2U
#define RWF_SYNC 4U

struct io_vector {
    uint64_t base;
    uint64_t length;
};

typedef int64_t (*transfer)(struct file *file, struct buffer *buffer, uint64_t *position);

typedef int64_t (*operation)(struct file *file, struct buffer *buffer, uint64_t *position);

static bool may_wait(const struct file *file, int64_t result)
{
    return result == -EAGAIN && !(file->flags & O_NONBLOCK);
}

// Waits as long as nothing can be transferred. The caller keeps the file, whatever
// other threads close.
static int64_t transfer_when_ready(struct file *file, struct buffer *buffer, uint64_t *position, operation operation,
                                   uint32_t events)
{
    int64_t result = operation(file, buffer, position);
    while (may_wait(file, result)) {
        int64_t error = file_wait(file, events);
        if (error != 0) {
            return error;
        }
        result = operation(file, buffer, position);
    }
    return result;
}

// The rest of what a pipe had no space for; other files take all that they can.
static bool has_more_to_write(const struct file *file, const struct buffer *buffer)
{
    return buffer->size != 0 && file->operations->poll != NULL && !(file->flags & O_NONBLOCK);
}

static void limit_size(struct buffer *buffer)
{
    buffer->size = buffer->size < MOST_TRANSFER_BYTES ? buffer->size : MOST_TRANSFER_BYTES;
}

// Memory and positions beyond all that there can be are errors, also where less is transferred.
static int64_t check_range(const struct file *file, const struct buffer *buffer, const uint64_t *position)
{
    if (!buffer->is_kernel && (buffer->size > PROGRAM_END || buffer->address > PROGRAM_END - buffer->size)) {
        return -EFAULT;
    }
    const uint64_t start = position != NULL ? *position : file->position;
    return file->operations->seek != NULL && (int64_t)(start + buffer->size) < 0 ? -EINVAL : 0;
}

int64_t file_read(struct file *file, struct buffer *buffer, uint64_t *position)
{
    if (!file_can_read(file)) {
        return -EBADF;
    }
    if (file->operations->read == NULL) {
        return file->node != NULL && node_is_directory(file->node) ? -EISDIR : -EINVAL;
    }
    int64_t error = check_range(file, buffer, position);
    if (error != 0) {
        return error;
    }
    limit_size(buffer);
    file_retain(file);
    int64_t result = transfer_when_ready(file, buffer, position != NULL ? position : &file->position,
                                         file->operations->read, POLLIN);
    file_release(file);
    return result;
}

static int64_t write_part(struct file *file, struct buffer *buffer, uint64_t *position)
{
    if (!file_can_write(file)) {
        return -EBADF;
    }
    if (file->operations->write == NULL) {
        return -EINVAL;
    }
    int64_t result = check_range(file, buffer, position);
    if (result != 0) {
        return result;
    }
    limit_size(buffer);
    int64_t total = 0;
    file_retain(file);
    do {
        result = transfer_when_ready(file, buffer, position != NULL ? position : &file->position,
                                     file->operations->write, POLLOUT);
        total += result > 0 ? result : 0;
    } while (result > 0 && has_more_to_write(file, buffer));
    result = file_end_transfer(file, total, result);
    file_release(file);
    return result;
}

// For a socket, SIGPIPE is for a call that has transferred nothing. A pipe sends its own,
// also after a part.
static int64_t end_write(const struct file *file, int64_t result)
{
    if (result == -EPIPE && file->operations->socket != NULL) {
        signal_broken_pipe();
    }
    return result;
}

int64_t file_write(struct file *file, struct buffer *buffer, uint64_t *position)
{
    file_retain(file);
    int64_t result = end_write(file, write_part(file, buffer, position));
    file_release(file);
    return result;
}

uint32_t file_poll(struct file *file)
{
    if (file->operations->poll != NULL) {
        return file->operations->poll(file);
    }
    return (file_can_read(file) ? POLLIN : 0) | (file_can_write(file) ? POLLOUT : 0);
}

static int64_t transfer_one(const uint64_t arguments[6], transfer transfer)
{
    struct file *file = current_file(arguments[0]);
    struct buffer buffer = user_buffer(arguments[1], arguments[2]);
    return file != NULL ? transfer(file, &buffer, NULL) : -EBADF;
}

int64_t system_call_read(const uint64_t arguments[6])
{
    return transfer_one(arguments, file_read);
}

int64_t system_call_write(const uint64_t arguments[6])
{
    return transfer_one(arguments, file_write);
}

// The file of a call that has a position, or NULL with an error.
static struct file *file_with_position(uint64_t descriptor, uint64_t position, int64_t *error)
{
    struct file *file = current_file(descriptor);
    *error = 0;
    if ((int64_t)position < 0) {
        *error = -EINVAL;
    } else if (file == NULL) {
        *error = -EBADF;
    } else if (file->operations->seek == NULL) {
        *error = file->flags & O_PATH ? -EBADF : -ESPIPE;
    }
    return *error == 0 ? file : NULL;
}

static int64_t transfer_at(const uint64_t arguments[6], transfer transfer)
{
    int64_t error;
    uint64_t position = arguments[3];
    struct file *file = file_with_position(arguments[0], position, &error);
    struct buffer buffer = user_buffer(arguments[1], arguments[2]);
    return file != NULL ? transfer(file, &buffer, &position) : error;
}

int64_t system_call_pread64(const uint64_t arguments[6])
{
    return transfer_at(arguments, file_read);
}

int64_t system_call_pwrite64(const uint64_t arguments[6])
{
    return transfer_at(arguments, file_write);
}

// Nothing is transferred unless all vectors are right.
static int64_t check_vectors(uint64_t address, uint64_t count)
{
    if (count > MOST_VECTORS) {
        return -EINVAL;
    }
    for (uint64_t i = 0; i < count; i++) {
        struct io_vector vector;
        if (!copy_from_user(&vector, address + i * sizeof vector, sizeof vector)) {
            return -EFAULT;
        }
        if ((int64_t)vector.length < 0) {
            return -EINVAL;
        }
    }
    return 0;
}

// Ends with the first vector that is not transferred whole.
static int64_t transfer_each(struct file *file, uint64_t address, uint64_t count, uint64_t *position,
                             transfer transfer)
{
    int64_t total = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct io_vector vector;
        if (!copy_from_user(&vector, address + i * sizeof vector, sizeof vector)) {
            return total != 0 ? total : -EFAULT;
        }
        // Another thread may have changed it.
        if ((int64_t)vector.length < 0) {
            return total != 0 ? total : -EINVAL;
        }
        struct buffer buffer = user_buffer(vector.base, vector.length < MOST_TRANSFER_BYTES ? vector.length : MOST_TRANSFER_BYTES);
        // A read does not wait after a part was transferred.
        if (total != 0 && vector.length != 0 && transfer == file_read && !(file_poll(file) & POLLIN)) {
            break;
        }
        int64_t result = vector.length != 0 || count == 1 ? transfer(file, &buffer, position) : 0;
        if (result < 0) {
            return file_end_transfer(file, total, result);
        }
        total += result;
        if ((uint64_t)result < vector.length) {
            break;
        }
    }
    return total;
}

// The file is kept, whatever other threads close while the call waits.
static int64_t transfer_vectors(struct file *file, uint64_t address, uint64_t count, uint64_t *position,
                                transfer transfer)
{
    int64_t error = check_vectors(address, count);
    if (error != 0) {
        return error;
    }
    file_retain(file);
    int64_t result = transfer_each(file, address, count, position, transfer);
    result = transfer == write_part ? end_write(file, result) : result;
    file_release(file);
    return result;
}

static bool can_transfer(const struct file *file, transfer transfer)
{
    return transfer == file_read ? file_can_read(file) : file_can_write(file);
}

static int64_t transfer_vectors_of(const uint64_t arguments[6], transfer transfer)
{
    struct file *file = current_file(arguments[0]);
    if (file == NULL || !can_transfer(file, transfer)) {
        return -EBADF;
    }
    return transfer_vectors(file, arguments[1], arguments[2], NULL, transfer);
}

int64_t system_call_readv(const uint64_t arguments[6])
{
    return transfer_vectors_of(arguments, file_read);
}

int64_t system_call_writev(const uint64_t arguments[6])
{
    return transfer_vectors_of(arguments, write_part);
}

static int64_t transfer_vectors_at(const uint64_t arguments[6], transfer transfer)
{
    int64_t error;
    uint64_t position = arguments[3];
    struct file *file = file_with_position(arguments[0], position, &error);
    if (file == NULL) {
        return error;
    }
    return can_transfer(file, transfer) ? transfer_vectors(file, arguments[1], arguments[2], &position, transfer) : -EBADF;
}

int64_t system_call_preadv(const uint64_t arguments[6])
{
    return transfer_vectors_at(arguments, file_read);
}

int64_t system_call_pwritev(const uint64_t arguments[6])
{
    return transfer_vectors_at(arguments, write_part);
}

// Of the flags, those for speed and durability have no effect here.
static int64_t transfer_vectors_with_flags(const uint64_t arguments[6], uint32_t permitted, transfer transfer)
{
    if ((uint32_t)arguments[5] & ~permitted) {
        return current_file(arguments[0]) != NULL ? -EOPNOTSUPP : -EBADF;
    }
    return arguments[3] != UINT64_MAX ? transfer_vectors_at(arguments, transfer) : transfer_vectors_of(arguments, transfer);
}

int64_t system_call_preadv2(const uint64_t arguments[6])
{
    return transfer_vectors_with_flags(arguments, RWF_HIPRI, file_read);
}

int64_t system_call_pwritev2(const uint64_t arguments[6])
{
    return transfer_vectors_with_flags(arguments, RWF_HIPRI | RWF_DSYNC | RWF_SYNC, write_part);
}

int64_t system_call_lseek(const uint64_t arguments[6])
{
    struct file *file = current_file(arguments[0]);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    return file->operations->seek != NULL ? file->operations->seek(file, (int64_t)arguments[1], (uint32_t)arguments[2])
                                          : -ESPIPE;
}
