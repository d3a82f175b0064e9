// SPDX-License-Identifier: Apache-2.0
//
// Pipes: a ring with a file at each end.

#include "errors.h"
#include "file_modes.h"
#include "file_pair.h"
#include "file_status.h"
#include "files.h"
#include "pipe.h"
#include "process.h"
#include "ring.h"
#include "signals.h"
#include "system_calls.h"
#include "user.h"

#define FIONREAD 0x541BU
#define PIPE_BLOCK_SIZE 4096
#define LARGEST_PIPE_SIZE 0x80000000U

int64_t pipe_read(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return ring_read(file->object, buffer);
}

int64_t pipe_write(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    int64_t result = ring_write(file->object, buffer);
    if (result == -EPIPE) {
        signal_broken_pipe();
    }
    return result;
}

static int64_t status(struct file *file, struct file_status *status)
{
    status->device = DEVICE_OF_STREAMS;
    status->inode = (uint64_t)file->object >> 6 & UINT32_MAX;
    status->mode = S_IFIFO | 0600;
    status->links = 1;
    status->uid = status->gid = USER_ID;
    status->block_size = PIPE_BLOCK_SIZE;
    return 0;
}

static uint32_t poll_pipe(struct file *file)
{
    return file_can_read(file) ? ring_poll_reader(file->object) : ring_poll_writer(file->object);
}

int64_t pipe_control(struct file *file, uint64_t request, uint64_t argument)
{
    const struct ring *ring = file->object;
    if ((uint32_t)request != FIONREAD) {
        return -ENOTTY;
    }
    return copy_to_user(argument, &ring->count, sizeof ring->count) ? 0 : -EFAULT;
}

static void release(struct file *file)
{
    if (file_can_read(file)) {
        ring_close_reader(file->object);
    } else {
        ring_close_writer(file->object);
    }
}

static const struct file_operations operations = {
    .read = pipe_read,
    .write = pipe_write,
    .status = status,
    .poll = poll_pipe,
    .ioctl = pipe_control,
    .release = release,
};

int64_t pipe_size(const struct file *file)
{
    const struct ring *ring = file->object;
    if (file->operations->read != pipe_read) {
        return -EBADF;
    }
    return ring->limit;
}

int64_t pipe_set_size(struct file *file, uint64_t size)
{
    if (file->operations->read != pipe_read) {
        return -EBADF;
    }
    if ((uint32_t)size > LARGEST_PIPE_SIZE) {
        return -EINVAL;
    }
    if ((uint32_t)size > RING_SIZE) {
        return -EPERM;
    }
    uint32_t limit = RING_ATOMIC_SIZE;
    while (limit < (uint32_t)size) {
        limit *= 2;
    }
    int64_t error = ring_set_limit(file->object, limit);
    return error != 0 ? error : limit;
}

// The two files, each with one end of the ring, which is freed without memory for them.
static bool open_ends(struct ring *ring, uint32_t flags, struct file *files[2])
{
    files[0] = file_create(&operations, O_RDONLY | flags);
    if (files[0] == NULL) {
        ring_close_reader(ring);
        ring_close_writer(ring);
        return false;
    }
    files[0]->object = ring;
    files[1] = file_create(&operations, O_WRONLY | flags);
    if (files[1] == NULL) {
        ring_close_writer(ring);
        file_release(files[0]);
        return false;
    }
    files[1]->object = ring;
    return true;
}

static int64_t create(uint64_t address, uint32_t flags)
{
    struct file *files[2];
    if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    struct ring *ring = ring_create();
    if (ring == NULL || !open_ends(ring, flags & O_NONBLOCK, files)) {
        return -ENFILE;
    }
    return files_add_pair(files, (flags & O_CLOEXEC) != 0, address);
}

int64_t system_call_pipe(const uint64_t arguments[6])
{
    return create(arguments[0], 0);
}

int64_t system_call_pipe2(const uint64_t arguments[6])
{
    return create(arguments[0], (uint32_t)arguments[1]);
}
