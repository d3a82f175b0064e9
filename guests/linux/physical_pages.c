// SPDX-License-Identifier: Apache-2.0

#include "physical_pages.h"

#include "kernel_pages.h"
#include "pages.h"

#include "../runtime/page_alloc.h"
#include "../runtime/state.h"

#include <string.h>

// What the kernel itself may still need: a copy of each page of its data and its
// heap, its stack, and tables.
#define KERNEL_PAGES 128

static struct {
    uint64_t limit;
    uint64_t used;
    uint64_t committed;
    // A list through the first words of the pages that were given back.
    uint64_t free;
} pages;

#define SHARES_IN_PAGE PAGE_SIZE
#define MOST_SHARE_PAGES 544

// For each physical page a byte, in pages that are added when they are used.
static uint8_t *share_pages[MOST_SHARE_PAGES];

// How many pages are left that the kernel itself does not need.
static uint64_t available_pages(void)
{
    uint64_t image = (hl_state.peb->heap.address + hl_state.peb->heap.size) / PAGE_SIZE;
    uint64_t available = (HL_RESERVED_TOP_GPA - *HL_ALLOCATOR_SLOT) / PAGE_SIZE;
    uint64_t kernel = image + KERNEL_PAGES;
    return available > kernel ? available - kernel : 0;
}

void physical_pages_start(uint64_t limit)
{
    uint64_t available = available_pages();
    pages.limit = limit < available ? limit : available;
    pages.used = 0;
    pages.committed = 0;
    pages.free = 0;
    memset(share_pages, 0, sizeof share_pages);
}

void physical_pages_continue(uint64_t limit, uint64_t used)
{
    uint64_t available = available_pages();
    pages.used = used;
    pages.limit = limit < available ? limit : available;
    pages.limit = pages.limit > pages.used ? pages.limit : pages.used;
    pages.free = 0;
}

uint64_t pages_limit(void)
{
    return pages.limit;
}

uint64_t pages_used(void)
{
    return pages.used;
}

uint64_t pages_committed(void)
{
    return pages.committed;
}

bool pages_commit(uint64_t count)
{
    if (count > pages.limit || pages.committed > pages.limit - count) {
        return false;
    }
    pages.committed += count;
    return true;
}

void pages_commit_again(uint64_t count)
{
    pages.committed += count;
}

void pages_uncommit(uint64_t count)
{
    pages.committed -= count;
}

uint64_t physical_page_allocate(void)
{
    if (pages.used >= pages.limit) {
        return 0;
    }
    pages.used++;
    uint64_t page = pages.free;
    if (page == 0) {
        return hl_allocate_physical_pages(1);
    }
    uint64_t *contents = hl_scratch_pointer(page);
    pages.free = *contents;
    memset(contents, 0, PAGE_SIZE);
    return page;
}

uint8_t *physical_page_share(uint64_t page, bool creates)
{
    uint64_t index = (page - scratch_start()) / PAGE_SIZE;
    if (index / SHARES_IN_PAGE >= MOST_SHARE_PAGES) {
        return NULL;
    }
    uint8_t **shares = &share_pages[index / SHARES_IN_PAGE];
    if (*shares == NULL && creates) {
        *shares = kernel_page_allocate();
    }
    return *shares != NULL ? *shares + index % SHARES_IN_PAGE : NULL;
}

void physical_page_release(uint64_t page)
{
    uint8_t *share = physical_page_share(page, false);
    if (share != NULL && *share != 0) {
        --*share;
        return;
    }
    pages.used--;
    if (physical_page_is_own(page)) {
        *(uint64_t *)hl_scratch_pointer(page) = pages.free;
        pages.free = page;
    }
}

void physical_pages_forget_shares(void)
{
    for (unsigned i = 0; i < MOST_SHARE_PAGES; i++) {
        uint8_t *shares = share_pages[i];
        share_pages[i] = NULL;
        if (shares != NULL) {
            kernel_page_free(shares);
        }
    }
}
