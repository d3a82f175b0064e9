// SPDX-License-Identifier: Apache-2.0
//
// eventfd: a counter.

#include "errors.h"
#include "file_modes.h"
#include "file_status.h"
#include "files.h"
#include "process.h"
#include "readiness.h"
#include "system_calls.h"

#define EFD_SEMAPHORE 1U
#define MOST_COUNT (UINT64_MAX - 1)

// The counter is the position of the file; its state is whether it is a semaphore.
static int64_t read_event(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    if (buffer->size < sizeof(uint64_t)) {
        return -EINVAL;
    }
    if (file->position == 0) {
        return -EAGAIN;
    }
    uint64_t value = file->state != 0 ? 1 : file->position;
    if (!buffer_put(buffer, &value, sizeof value)) {
        return -EFAULT;
    }
    file->position -= value;
    readiness_changed(file);
    return sizeof value;
}

static int64_t write_event(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    uint64_t value;
    // The call is made again after it has waited.
    struct buffer copy = *buffer;
    if (buffer->size < sizeof value) {
        return -EINVAL;
    }
    if (!buffer_take(&copy, &value, sizeof value)) {
        return -EFAULT;
    }
    if (value == UINT64_MAX) {
        return -EINVAL;
    }
    if (value > MOST_COUNT - file->position) {
        return -EAGAIN;
    }
    // Of a longer buffer only the first number counts.
    *buffer = copy;
    buffer->size = 0;
    file->position += value;
    readiness_changed(file);
    return sizeof value;
}

static uint32_t poll_event(struct file *file)
{
    return (file->position != 0 ? POLLIN : 0) | (file->position < MOST_COUNT ? POLLOUT : 0);
}

static int64_t status(struct file *file, struct file_status *status)
{
    (void)file;
    status->device = DEVICE_OF_STREAMS;
    status->inode = 1;
    status->mode = 0600;
    status->links = 1;
    status->uid = status->gid = USER_ID;
    status->block_size = 4096;
    return 0;
}

static const struct file_operations operations = {
    .read = read_event,
    .write = write_event,
    .poll = poll_event,
    .status = status,
};

static int64_t create(uint32_t value, uint32_t flags)
{
    if (flags & ~(EFD_SEMAPHORE | (uint32_t)(O_CLOEXEC | O_NONBLOCK))) {
        return -EINVAL;
    }
    struct file *file = file_create(&operations, O_RDWR | (flags & O_NONBLOCK));
    if (file == NULL) {
        return -ENFILE;
    }
    file->object = file;
    file->position = value;
    file->state = flags & EFD_SEMAPHORE;
    return files_add(current_files(), file, (flags & O_CLOEXEC) != 0, 0);
}

int64_t system_call_eventfd(const uint64_t arguments[6])
{
    return create((uint32_t)arguments[0], 0);
}

int64_t system_call_eventfd2(const uint64_t arguments[6])
{
    return create((uint32_t)arguments[0], (uint32_t)arguments[1]);
}
