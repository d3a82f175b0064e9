// SPDX-License-Identifier: Apache-2.0

#include "ring.h"

#include "errors.h"
#include "files.h"
#include "kernel_pages.h"
#include "pages.h"
#include "readiness.h"

_Static_assert(RING_PAGES * PAGE_SIZE == RING_SIZE, "whole pages");

static struct pool rings;

void rings_start(void)
{
    rings = (struct pool){ .size = sizeof(struct ring) };
}

struct ring *ring_create(void)
{
    struct ring *ring = pool_allocate(&rings);
    if (ring != NULL) {
        ring->readers = ring->writers = 1;
        ring->limit = RING_SIZE;
        ring->reader = ring->writer = ring;
    }
    return ring;
}

static void changed(const struct ring *ring)
{
    readiness_changed(ring->reader);
    if (ring->writer != ring->reader) {
        readiness_changed(ring->writer);
    }
}

static void changed_end(struct ring *ring)
{
    changed(ring);
    if (ring->readers != 0 || ring->writers != 0) {
        return;
    }
    for (unsigned i = 0; i < RING_PAGES; i++) {
        if (ring->pages[i] != NULL) {
            kernel_page_free(ring->pages[i]);
        }
    }
    pool_free(&rings, ring);
}

void ring_close_reader(struct ring *ring)
{
    ring->readers--;
    changed_end(ring);
}

void ring_close_writer(struct ring *ring)
{
    ring->writers--;
    changed_end(ring);
}

// The bytes from a position to the end of its page, at most `size`.
static uint8_t *part_at(struct ring *ring, uint32_t position, uint64_t *size)
{
    uint8_t **page = &ring->pages[position / PAGE_SIZE % RING_PAGES];
    uint64_t offset = position % PAGE_SIZE;
    if (*page == NULL) {
        *page = kernel_page_allocate();
    }
    *size = *size < PAGE_SIZE - offset ? *size : PAGE_SIZE - offset;
    return *page != NULL ? *page + offset : NULL;
}

int64_t ring_read(struct ring *ring, struct buffer *buffer)
{
    int64_t total = 0;
    if (ring->count == 0 && buffer->size != 0) {
        return ring->writers != 0 ? -EAGAIN : 0;
    }
    while (buffer->size != 0 && ring->count != 0) {
        uint64_t size = buffer->size < ring->count ? buffer->size : ring->count;
        const uint8_t *bytes = part_at(ring, ring->first, &size);
        if (!buffer_put(buffer, bytes, size)) {
            total = total != 0 ? total : -EFAULT;
            break;
        }
        ring->first = (ring->first + (uint32_t)size) % RING_SIZE;
        ring->count -= (uint32_t)size;
        total += (int64_t)size;
    }
    if (total > 0) {
        changed(ring);
    }
    return total;
}

int64_t ring_write(struct ring *ring, struct buffer *buffer)
{
    int64_t total = 0;
    if (ring->readers == 0) {
        return -EPIPE;
    }
    uint32_t space = ring->limit - ring->count;
    if (buffer->size != 0 && (space == 0 || (buffer->size <= RING_ATOMIC_SIZE && buffer->size > space))) {
        return -EAGAIN;
    }
    while (buffer->size != 0 && ring->count != ring->limit) {
        uint64_t size = buffer->size < ring->limit - ring->count ? buffer->size : ring->limit - ring->count;
        uint8_t *bytes = part_at(ring, (ring->first + ring->count) % RING_SIZE, &size);
        if (bytes == NULL || !buffer_take(buffer, bytes, size)) {
            total = total != 0 ? total : bytes == NULL ? -ENOMEM : -EFAULT;
            break;
        }
        ring->count += (uint32_t)size;
        total += (int64_t)size;
    }
    if (total > 0) {
        changed(ring);
    }
    return total;
}

int64_t ring_set_limit(struct ring *ring, uint32_t limit)
{
    if (ring->count > limit) {
        return -EBUSY;
    }
    ring->limit = limit;
    changed(ring);
    return 0;
}

uint32_t ring_poll_reader(const struct ring *ring)
{
    return (ring->count != 0 ? POLLIN : 0) | (ring->writers == 0 ? POLLHUP : 0);
}

uint32_t ring_poll_writer(const struct ring *ring)
{
    return (ring->limit - ring->count >= RING_ATOMIC_SIZE ? POLLOUT : 0) | (ring->readers == 0 ? POLLERR : 0);
}
