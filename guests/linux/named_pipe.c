// SPDX-License-Identifier: Apache-2.0
//
// Named pipes: their ring exists while a file has them open.

#include "errors.h"
#include "files.h"
#include "node.h"
#include "pipe.h"
#include "readiness.h"
#include "regular_file.h"
#include "ring.h"
#include "scheduler.h"

static void release(struct file *file)
{
    struct ring *ring = file->object;
    bool reads = file_can_read(file);
    bool writes = file_can_write(file);
    if (ring == NULL) {
        return;
    }
    if (ring->readers + ring->writers == (uint32_t)reads + (uint32_t)writes) {
        file->node->pipe.ring = NULL;
    }
    if (reads) {
        ring_close_reader(ring);
    }
    if (writes) {
        ring_close_writer(ring);
    }
}

// Waits until the other end has been opened, even if it is closed again by then.
static int64_t wait_for_other(const uint32_t *openings, const uint32_t *ends)
{
    uint32_t before = *openings;
    while (*ends == 0 && *openings == before) {
        int64_t error = scheduler_wait(openings, NEVER);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int64_t open(struct file *file)
{
    struct node *node = file->node;
    struct ring *ring = node->pipe.ring;
    bool reads = file_can_read(file);
    bool writes = file_can_write(file);
    if (!reads && file->flags & O_NONBLOCK && (ring == NULL || ring->readers == 0)) {
        return -ENXIO;
    }
    if (ring == NULL) {
        ring = ring_create();
        if (ring == NULL) {
            return -ENOMEM;
        }
        ring->readers = ring->writers = 0;
        node->pipe.ring = ring;
    }
    file->object = ring;
    // A reader meets no end before there was a writer: it may be there already.
    file->position = node->pipe.writer_openings - (ring->writers != 0);
    if (reads) {
        ring->readers++;
        node->pipe.reader_openings++;
        scheduler_wake(&node->pipe.reader_openings);
    }
    if (writes) {
        ring->writers++;
        node->pipe.writer_openings++;
        scheduler_wake(&node->pipe.writer_openings);
    }
    readiness_changed(ring);
    if (reads == writes || file->flags & O_NONBLOCK) {
        return 0;
    }
    return reads ? wait_for_other(&node->pipe.writer_openings, &ring->writers)
                 : wait_for_other(&node->pipe.reader_openings, &ring->readers);
}

static uint32_t poll(struct file *file)
{
    const struct ring *ring = file->object;
    uint32_t events = 0;
    if (file_can_read(file)) {
        events = ring_poll_reader(ring);
        if (file->position == file->node->pipe.writer_openings) {
            events &= ~POLLHUP;
        }
    }
    return events | (file_can_write(file) ? ring_poll_writer(ring) : 0);
}

const struct file_operations named_pipe = {
    .open = open,
    .read = pipe_read,
    .write = pipe_write,
    .poll = poll,
    .ioctl = pipe_control,
    .release = release,
};
