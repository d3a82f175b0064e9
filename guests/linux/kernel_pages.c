// SPDX-License-Identifier: Apache-2.0

#include "kernel_pages.h"

#include "kernel_mappings.h"
#include "pages.h"
#include "physical_pages.h"

#include <string.h>

#define WINDOW 0xFFFFA80000000000UL
#define MOST_PAGES 0x1000000UL

static struct {
    // Addresses that were never used begin here.
    uint64_t unused;
    // The first of the addresses that were given back, 0 for none; the note of
    // each is the distance of the next one from the page before the window.
    uint64_t free;
} window;

void kernel_pages_start(void)
{
    window.unused = WINDOW;
    window.free = 0;
}

void *kernel_page_allocate(void)
{
    bool is_new = window.free == 0;
    uint64_t address = is_new ? window.unused : window.free;
    if (address == WINDOW + MOST_PAGES * PAGE_SIZE || !pages_commit(1)) {
        return NULL;
    }
    uint64_t next = is_new ? 0 : kernel_note(address);
    if (!kernel_map_new(address)) {
        pages_uncommit(1);
        return NULL;
    }
    if (is_new) {
        window.unused += PAGE_SIZE;
    } else {
        window.free = next == 0 ? 0 : WINDOW - PAGE_SIZE + next;
    }
    return (void *)address;
}

void kernel_page_free(void *page)
{
    kernel_unmap((uint64_t)page, window.free == 0 ? 0 : window.free - WINDOW + PAGE_SIZE);
    pages_uncommit(1);
    window.free = (uint64_t)page;
}

void *pool_allocate(struct pool *pool)
{
    if (pool->free == NULL) {
        uint8_t *page = kernel_page_allocate();
        if (page == NULL) {
            return NULL;
        }
        for (size_t offset = 0; offset + pool->size <= PAGE_SIZE; offset += pool->size) {
            *(void **)(page + offset) = pool->free;
            pool->free = page + offset;
        }
    }
    void *object = pool->free;
    pool->free = *(void **)object;
    memset(object, 0, pool->size);
    return object;
}

void pool_free(struct pool *pool, void *object)
{
    *(void **)object = pool->free;
    pool->free = object;
}
