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
#include "readiness.h"
#include "scheduler.h"
#include "threads.h"
#include "user.h"
#include "virtual_clock.h"

#include <string.h>

#define PIPE_BUFFER 4096

// The standard input, which all files of it share.
static struct {
    // What the host told last, 0 at first: it has nothing, or has to be asked.
    uint32_t events;
} input;

void stream_input_note_events(uint32_t events)
{
    if (input.events != events) {
        input.events = events;
        readiness_changed(&input);
    }
}

void stream_input_continue(void)
{
    stream_input_note_events(0);
}

// One call of the host. Nothing is taken from it unless the program can have it.
static int64_t read_part(struct buffer *buffer, bool waits)
{
    struct buffer part = *buffer;
    part.size = part.size < HOST_BYTES ? part.size : HOST_BYTES;
    if (!buffer_can_be_written(&part)) {
        return -EFAULT;
    }
    uint32_t events;
    const uint8_t *bytes;
    size_t count;
    if (!host_read(part.size, waits, &events, &bytes, &count)) {
        return -EIO;
    }
    stream_input_note_events(events);
    if (count == 0 && !(events & POLLHUP)) {
        return -EAGAIN;
    }
    return buffer_put(buffer, bytes, count) ? (int64_t)count : -EFAULT;
}

// All that there is, as from a pipe: a program may take less than it has asked for as a
// sign that nothing is left. If nothing else can happen meanwhile, the host waits within
// its call, which takes the fewest calls; else the caller waits (file_wait).
static int64_t read_input(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    int64_t total = 0;
    // The virtual clock goes on while the scheduler waits.
    bool waits = !(file->flags & O_NONBLOCK) && !virtual_clock_is_used() && scheduler_is_idle_but_for_input();
    while (buffer->size != 0 && input.events != POLLHUP) {
        int64_t result = read_part(buffer, waits);
        if (result == -EAGAIN) {
            current_thread->awaits_input = true;
        }
        if (result <= 0) {
            return total != 0 ? total : result;
        }
        total += result;
        if (!(input.events & POLLIN)) {
            break;
        }
    }
    return total;
}

static uint32_t poll_input(struct file *file)
{
    (void)file;
    const uint8_t *bytes;
    // Once in a system call: all files of it have the same events then, and what comes meanwhile
    // ends the wait.
    if (input.events == 0 && !current_thread->awaits_input && host_wait(0, true, NULL, 0, &bytes)) {
        uint32_t events;
        memcpy(&events, bytes, sizeof events);
        stream_input_note_events(events);
    }
    current_thread->awaits_input |= input.events == 0;
    return input.events;
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
    static const struct file_operations input_operations = {
        .read = read_input,
        .poll = poll_input,
        .status = status,
    };
    // The host takes all output at once: they are always ready.
    static const struct file_operations output_operations = {
        .write = write_stream,
        .status = status,
    };
    bool is_input = stream == 0;
    struct file *file = file_create(is_input ? &input_operations : &output_operations, is_input ? O_RDONLY : O_WRONLY);
    if (file != NULL) {
        file->state = (uint64_t)stream;
        file->object = is_input ? &input : NULL;
    }
    return file;
}
