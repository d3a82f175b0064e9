// SPDX-License-Identifier: Apache-2.0
//
// The system calls about what is in memory: msync, mincore and mlock. Memory is always the same
// as its file, and never on another medium.

#include "areas.h"
#include "errors.h"
#include "memory.h"
#include "system_calls.h"
#include "user.h"

#define MS_ASYNC 1U
#define MS_INVALIDATE 2U
#define MS_SYNC 4U

// Bytes of the answer of mincore at a time.
#define PRESENCE_SIZE 256

// Whether all of a range is mapped; an empty one is.
static int64_t check_mapped(uint64_t start, uint64_t size)
{
    if (size == 0) {
        return 0;
    }
    return memory_check_range(start, &size) && areas_cover(start, start + size) ? 0 : -ENOMEM;
}

// Shared memory is the file's own.
int64_t system_call_msync(const uint64_t arguments[6])
{
    uint32_t flags = (uint32_t)arguments[2];
    if (arguments[0] & PAGE_MASK || flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) {
        return -EINVAL;
    }
    return check_mapped(arguments[0], arguments[1]);
}

int64_t system_call_mincore(const uint64_t arguments[6])
{
    uint8_t presence[PRESENCE_SIZE];
    uint64_t start = arguments[0];
    uint64_t size = arguments[1];
    if (start & PAGE_MASK) {
        return -EINVAL;
    }
    int64_t error = check_mapped(start, size);
    if (error != 0 || size == 0) {
        return error;
    }
    uint64_t count = round_up_to_page(size) / PAGE_SIZE;
    for (uint64_t done = 0; done < count;) {
        uint64_t part = count - done < sizeof presence ? count - done : sizeof presence;
        for (uint64_t i = 0; i < part; i++) {
            bool is_shared;
            presence[i] = page_contents(start + (done + i) * PAGE_SIZE, &is_shared) != NULL;
        }
        if (!copy_to_user(arguments[2] + done, presence, part)) {
            return -EFAULT;
        }
        done += part;
    }
    return 0;
}

// Pages are never moved to another medium.
static int64_t lock_pages(uint64_t start, uint64_t size)
{
    uint64_t first = page_of(start);
    // What is rounded up to more than all addresses is nothing.
    size = round_up_to_page(size + (start - first));
    return first + size < first ? -EINVAL : check_mapped(first, size);
}

int64_t system_call_mlock(const uint64_t arguments[6])
{
    return lock_pages(arguments[0], arguments[1]);
}

int64_t system_call_munlock(const uint64_t arguments[6])
{
    return lock_pages(arguments[0], arguments[1]);
}
