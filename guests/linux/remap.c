// SPDX-License-Identifier: Apache-2.0
//
// The system call that moves memory: mremap.

#include "areas.h"
#include "errors.h"
#include "memory.h"
#include "program.h"
#include "resource_limits.h"
#include "system_calls.h"

#define MREMAP_MAYMOVE 1U
#define MREMAP_FIXED 2U

// Where a moved area begins, or an error.
static int64_t find_target(const uint64_t arguments[6], uint64_t new_size)
{
    uint64_t target = arguments[4];
    if (!(arguments[3] & MREMAP_FIXED)) {
        uint64_t found = area_find_free(new_size, program.mapping_top);
        return found != 0 ? (int64_t)found : -ENOMEM;
    }
    return areas_remove(target, target + new_size) ? (int64_t)target : -ENOMEM;
}

// MREMAP_FIXED: what is at the target is replaced, so that it does not count.
static int64_t check_target(const uint64_t arguments[6], uint64_t old_size, uint64_t new_size, uint64_t *replaced)
{
    uint64_t target = arguments[4];
    *replaced = 0;
    if (!(arguments[3] & MREMAP_FIXED)) {
        return 0;
    }
    if (!memory_check_range(target, &new_size) || (target < arguments[0] + old_size && arguments[0] < target + new_size)) {
        return -EINVAL;
    }
    *replaced = areas_size(target, target + new_size);
    return 0;
}

// Nothing of an area is moved: what is shared gets a further place, from an address of it on.
static int64_t map_again(const uint64_t arguments[6], uint64_t new_size)
{
    const struct area *area = area_find(arguments[0]);
    uint64_t replaced;
    if (!area->is_shared || area->node == NULL) {
        return -EINVAL;
    }
    int64_t error = check_target(arguments, 0, new_size, &replaced);
    if (error != 0) {
        return error;
    }
    if (!(arguments[3] & MREMAP_MAYMOVE) || !resource_allows_memory(new_size, replaced)) {
        return -ENOMEM;
    }
    int64_t target = find_target(arguments, new_size);
    if (target < 0) {
        return target;
    }
    // What was replaced can be a part of the area, or all of it: its file may be gone.
    area = area_find(arguments[0]);
    if (area == NULL) {
        return -EFAULT;
    }
    struct area again = *area;
    again.offset += arguments[0] - again.start;
    again.start = (uint64_t)target;
    again.end = (uint64_t)target + new_size;
    return area_add(&again) ? target : -ENOMEM;
}

int64_t system_call_mremap(const uint64_t arguments[6])
{
    uint64_t start = arguments[0];
    uint64_t old_size = arguments[1];
    uint64_t new_size = arguments[2];
    if (arguments[3] & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED) || arguments[3] == MREMAP_FIXED || new_size == 0 ||
        start & PAGE_MASK) {
        return -EINVAL;
    }
    if (!memory_check_range(start, &old_size)) {
        return -EFAULT;
    }
    if (new_size > PROGRAM_END) {
        return -EINVAL;
    }
    new_size = round_up_to_page(new_size);
    struct area *area = area_find(start);
    if (area == NULL) {
        return -EFAULT;
    }
    if (old_size == 0) {
        return map_again(arguments, new_size);
    }
    // What stays in its place may be several areas, with gaps between them.
    if (!(arguments[3] & MREMAP_FIXED) && new_size <= old_size) {
        return new_size == old_size || areas_remove(start + new_size, start + old_size) ? (int64_t)start : -ENOMEM;
    }
    if (area->end < start + (new_size < old_size ? new_size : old_size)) {
        return -EFAULT;
    }
    uint64_t replaced;
    int64_t error = check_target(arguments, old_size, new_size, &replaced);
    if (error != 0) {
        return error;
    }
    if (new_size > old_size && !resource_allows_memory(new_size, old_size + replaced)) {
        return -ENOMEM;
    }
    if (!(arguments[3] & MREMAP_FIXED)) {
        if (area->end == start + old_size && start + new_size <= PROGRAM_END && area_resize(area, start + new_size)) {
            return (int64_t)start;
        }
        if (!(arguments[3] & MREMAP_MAYMOVE)) {
            return -ENOMEM;
        }
    }
    int64_t target = find_target(arguments, new_size);
    if (target < 0) {
        return target;
    }
    if (new_size < old_size) {
        if (!areas_remove(start + new_size, start + old_size)) {
            return -ENOMEM;
        }
        old_size = new_size;
    }
    return area_move(start, old_size, (uint64_t)target, new_size) ? target : -ENOMEM;
}
