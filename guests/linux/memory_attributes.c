// SPDX-License-Identifier: Apache-2.0
//
// The system calls that change memory in which several areas can be: mprotect and madvise.

#include "areas.h"
#include "errors.h"
#include "memory.h"
#include "system_calls.h"

enum {
    MADV_NORMAL = 0,
    MADV_RANDOM = 1,
    MADV_SEQUENTIAL = 2,
    MADV_WILLNEED = 3,
    MADV_DONTNEED = 4,
    MADV_FREE = 8,
    MADV_DONTFORK = 10,
    MADV_DOFORK = 11,
    MADV_MERGEABLE = 12,
    MADV_UNMERGEABLE = 13,
    MADV_HUGEPAGE = 14,
    MADV_NOHUGEPAGE = 15,
    MADV_DONTDUMP = 16,
    MADV_DODUMP = 17,
    MADV_WIPEONFORK = 18,
    MADV_KEEPONFORK = 19,
    MADV_COLD = 20,
    MADV_PAGEOUT = 21,
    MADV_DONTNEED_LOCKED = 24,
};

// Shared areas of a file that is open for reading only stay so.
static bool can_become_writable(const struct area *area)
{
    return !area->is_shared || area->node == NULL || area->can_write_file;
}

// What a system call does with the part of an area that is in its range: 0, or the error
// that ends it.
typedef int64_t (*area_change)(const struct area *area, uint64_t start, uint64_t end, uint64_t argument);

// Changes all areas in a range. What is before an error is changed. A gap is an error, at
// once or after everything else was changed.
static int64_t change_areas(uint64_t start, uint64_t end, bool passes_gaps, area_change change, uint64_t argument)
{
    int64_t error = 0;
    bool has_gap = false;
    for (uint64_t place = start; place < end && error == 0;) {
        const struct area *area = area_after(place);
        has_gap |= area == NULL || area->start > place;
        if (area == NULL || area->start >= end || (has_gap && !passes_gaps)) {
            break;
        }
        uint64_t part = area->start > place ? area->start : place;
        place = area->end < end ? area->end : end;
        error = change(area, part, place, argument);
    }
    areas_join(start, end);
    return error == 0 && has_gap ? -ENOMEM : error;
}

static int64_t protect(const struct area *area, uint64_t start, uint64_t end, uint64_t access)
{
    if (access & PROT_WRITE && !can_become_writable(area)) {
        return -EACCES;
    }
    return area->access == access || area_protect(start, end, (unsigned)access) ? 0 : -ENOMEM;
}

int64_t system_call_mprotect(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    if (arguments[0] & PAGE_MASK) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (arguments[2] & ~(uint64_t)(PROT_BITS | PROT_SEM)) {
        return -EINVAL;
    }
    if (!memory_check_range(arguments[0], &size)) {
        return -ENOMEM;
    }
    return change_areas(arguments[0], arguments[0] + size, false, protect, arguments[2] & PROT_BITS);
}

// Advice that programs must be able to rely on is followed, or it is an error; other advice has no
// effect here.
static int64_t advise(const struct area *area, uint64_t start, uint64_t end, uint64_t advice)
{
    bool is_private_memory = !area->is_shared && area->node == NULL;
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
        pages_unmap(start, end);
        return 0;
    case MADV_DONTFORK:
        return area_set_inheritance(start, end, true, area->is_wiped) ? 0 : -ENOMEM;
    case MADV_DOFORK:
        return area_set_inheritance(start, end, false, area->is_wiped) ? 0 : -ENOMEM;
    case MADV_KEEPONFORK:
        return area_set_inheritance(start, end, area->is_not_inherited, false) ? 0 : -ENOMEM;
    case MADV_WIPEONFORK:
        if (!is_private_memory) {
            return -EINVAL;
        }
        return area_set_inheritance(start, end, area->is_not_inherited, true) ? 0 : -ENOMEM;
    case MADV_FREE:
        return is_private_memory ? 0 : -EINVAL;
    default:
        return 0;
    }
}

static bool is_known_advice(uint32_t advice)
{
    return advice <= MADV_DONTNEED || advice == MADV_FREE || (advice >= MADV_DONTFORK && advice <= MADV_PAGEOUT) ||
           advice == MADV_DONTNEED_LOCKED;
}

int64_t system_call_madvise(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    if (arguments[0] & PAGE_MASK || !is_known_advice((uint32_t)arguments[2])) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (size > UINT64_MAX - PAGE_MASK || arguments[0] > UINT64_MAX - size) {
        return -EINVAL;
    }
    if (!memory_check_range(arguments[0], &size)) {
        return -ENOMEM;
    }
    return change_areas(arguments[0], arguments[0] + size, true, advise, (uint32_t)arguments[2]);
}
