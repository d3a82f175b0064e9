// SPDX-License-Identifier: Apache-2.0
//
// The physical pages, tables included: how many there are, how many are used, and which.

#ifndef LINUX_PHYSICAL_PAGES_H
#define LINUX_PHYSICAL_PAGES_H

#include "../runtime/layout.h"

#include <stdbool.h>
#include <stdint.h>

// See pages_start and pages_continue. `used`: how many of a snapshot count.
void physical_pages_start(uint64_t limit);
void physical_pages_continue(uint64_t limit, uint64_t used);

uint64_t pages_limit(void);
uint64_t pages_used(void);

// Pages that are promised: writable memory of programs, and what files use. False
// if they would be more than the limit.
bool pages_commit(uint64_t count);
void pages_uncommit(uint64_t count);
// What was promised before, whatever the limit.
void pages_commit_again(uint64_t count);
uint64_t pages_committed(void);

// A page of zeroes, or 0.
uint64_t physical_page_allocate(void);
// Frees a page, or has one address space less that shares it.
void physical_page_release(uint64_t page);

// How many address spaces have a page besides the first one. NULL for a page that
// was never shared; with `creates` without memory.
uint8_t *physical_page_share(uint64_t page, bool creates);

// When each page is of one address space.
void physical_pages_forget_shares(void);

static inline uint64_t scratch_start(void)
{
    return HL_SCRATCH_TOP_GPA - *HL_SCRATCH_SIZE_SLOT;
}

// Whether a page is memory of this run: not one of a file, nor of a snapshot.
static inline bool physical_page_is_own(uint64_t page)
{
    return page >= scratch_start();
}

#endif
