// SPDX-License-Identifier: Apache-2.0
//
// Bytes on their way from a writer to a reader: one direction of a pipe or of a pair
// of sockets.

#ifndef LINUX_RING_H
#define LINUX_RING_H

#include "buffer.h"

#define RING_SIZE 0x10000U
// Writes of this size are not divided.
#define RING_ATOMIC_SIZE 0x1000U
#define RING_PAGES 16

struct ring {
    uint32_t readers;
    uint32_t writers;
    // The position of the first byte, and how many there are.
    uint32_t first;
    uint32_t count;
    // How many there may be: a power of two, from a page to RING_SIZE.
    uint32_t limit;
    // The objects of the files at the two ends.
    const void *reader;
    const void *writer;
    // Added when they are used.
    uint8_t *pages[RING_PAGES];
};

void rings_start(void);

// With a reader and a writer, which have the ring itself as their object. NULL
// without memory.
struct ring *ring_create(void);

// The reader or a writer is gone; the ring is freed with the last of them.
void ring_close_reader(struct ring *ring);
void ring_close_writer(struct ring *ring);

// -EAGAIN if there is nothing now; 0 if there will be nothing.
int64_t ring_read(struct ring *ring, struct buffer *buffer);

// What has space. -EAGAIN without space, -EPIPE without a reader.
int64_t ring_write(struct ring *ring, struct buffer *buffer);

// Changes how many bytes there may be. -EBUSY if there are more.
int64_t ring_set_limit(struct ring *ring, uint32_t limit);

// The poll_events of each end.
uint32_t ring_poll_reader(const struct ring *ring);
uint32_t ring_poll_writer(const struct ring *ring);

#endif
