// SPDX-License-Identifier: Apache-2.0
//
// The three standard streams, which the host has. They behave like pipes.

#include "streams.h"

#include "errors.h"
#include "file_modes.h"
#include "file_status.h"
#include "host.h"
#include "process.h"
#include "program.h"
#include "user.h"

#define PIPE_BUFFER 4096

// One call of the host: what it has, as from a pipe. Nothing is taken from the
// host unless the program can have it.
static int64_t read_stream(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    (void)position;
    struct buffer part = *buffer;
    part.size = part.size < HOST_BYTES ? part.size : HOST_BYTES;
    if (part.size == 0) {
        return 0;
    }
    if (!buffer_can_be_written(&part)) {
        return -EFAULT;
    }
    const uint8_t *bytes;
    size_t count;
    if (!host_read(part.size, &bytes, &count)) {
        return -EIO;
    }
    return buffer_put(buffer, bytes, count) ? (int64_t)count : -EFAULT;
}

static int64_t write_stream(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    int64_t written = 0;
    while (buffer->size != 0) {
        uint64_t size;
        const uint8_t *bytes = buffer_bytes(buffer, &size);
        if (bytes == NULL) {
            return written != 0 ? written : -EFAULT;
        }
        int32_t answer;
        size = size < HOST_BYTES ? size : HOST_BYTES;
        if (!host_write((int)file->state, bytes, size, &answer)) {
            return -EIO;
        }
        if (answer != 0) {
            program_kill(SIGKILL, END_BY_OUTPUT_LIMIT);
            return -EIO;
        }
        buffer->address += size;
        buffer->size -= size;
        written += (int64_t)size;
    }
    return written;
}

static int64_t status(struct file *file, struct file_status *status)
{
    status->device = DEVICE_OF_STREAMS;
    status->inode = file->state + 1;
    status->mode = S_IFIFO | 0600;
    status->links = 1;
    status->uid = status->gid = USER_ID;
    status->block_size = PIPE_BUFFER;
    return 0;
}

struct file *stream_open(int stream)
{
    static const struct file_operations operations = {
        .read = read_stream,
        .write = write_stream,
        .status = status,
    };
    struct file *file = file_create(&operations, stream == 0 ? O_RDONLY : O_WRONLY);
    if (file != NULL) {
        file->state = (uint64_t)stream;
    }
    return file;
}
