// SPDX-License-Identifier: Apache-2.0

#include "checkpoint.h"

#include "address_space.h"
#include "area_faults.h"
#include "areas.h"
#include "errors.h"
#include "host.h"
#include "host_clock.h"
#include "registers.h"
#include "scheduler.h"
#include "snapshot_pages.h"
#include "threads.h"

#include <stddef.h>
#include <string.h>

#define BREAKPOINT 0xCC

static struct {
    // The one that the host wants, and the one that was reached.
    enum checkpoint_kind wanted, reached;
    bool is_reached;
    struct thread *thread;
    // The monotonic clock at the checkpoint.
    int64_t clock;
    uint64_t entry;
    // What the breakpoint stands for.
    uint8_t instruction;
} checkpoint;

void checkpoint_start(enum checkpoint_kind kind)
{
    memset(&checkpoint, 0, sizeof checkpoint);
    checkpoint.wanted = kind;
}

bool checkpoint_set_breakpoint(uint64_t entry)
{
    uint64_t page = page_of(entry);
    uint8_t *contents;
    bool is_shared;
    if (area_fault(entry, PAGE_EXECUTE, &contents) != FAULT_RESOLVED) {
        return false;
    }
    (void)page_contents(page, &is_shared);
    if (is_shared) {
        uint8_t *copy;
        if (!page_map_new(page, area_find(entry)->access, &copy)) {
            return false;
        }
        memcpy(copy, contents, PAGE_SIZE);
        contents = copy;
    }
    checkpoint.entry = entry;
    checkpoint.instruction = contents[entry & PAGE_MASK];
    contents[entry & PAGE_MASK] = BREAKPOINT;
    return true;
}

bool checkpoint_take_breakpoint(void)
{
    uint64_t entry = checkpoint.entry;
    uint8_t *contents;
    bool is_shared;
    if (!checkpoint_is_wanted(CHECKPOINT_AT_ENTRY) || program_registers.rip != entry + 1 ||
        area_fault(entry, PAGE_EXECUTE, &contents) != FAULT_RESOLVED || contents[entry & PAGE_MASK] != BREAKPOINT) {
        return false;
    }
    // The program can have replaced the page, also by one that nobody may write, or forked.
    if (page_contents(page_of(entry), &is_shared) == NULL || is_shared ||
        !page_make_own(page_of(entry), area_find(entry)->access, &contents)) {
        return false;
    }
    contents[entry & PAGE_MASK] = checkpoint.instruction;
    program_registers.rip = entry;
    // With several processes the program goes on, and ends without a checkpoint.
    (void)checkpoint_reach();
    return true;
}

bool checkpoint_is_wanted(enum checkpoint_kind kind)
{
    return checkpoint.wanted == kind;
}

int64_t checkpoint_reach(void)
{
    if (!host_clock(true, &checkpoint.clock)) {
        return -EIO;
    }
    if (!address_space_become_kernel()) {
        return -EBUSY;
    }
    host_clock_forget();
    areas_prepare_snapshot();
    pages_prepare_snapshot();
    checkpoint.reached = checkpoint.wanted;
    checkpoint.wanted = CHECKPOINT_NONE;
    checkpoint.thread = current_thread;
    checkpoint.is_reached = true;
    scheduler_wait_uninterrupted(&checkpoint);
    return 0;
}

bool checkpoint_is_reached(void)
{
    return checkpoint.is_reached;
}

struct thread *checkpoint_thread(void)
{
    return checkpoint.thread;
}

enum checkpoint_kind checkpoint_kind(void)
{
    return checkpoint.reached;
}

void checkpoint_continue(uint64_t page_limit)
{
    pages_continue(page_limit);
    address_space_continue();
    host_continue_clock(checkpoint.clock);
    checkpoint.is_reached = false;
    scheduler_wake(&checkpoint);
}
