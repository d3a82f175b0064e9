// SPDX-License-Identifier: Apache-2.0
//
// The system calls of memory.

#include "areas.h"
#include "errors.h"
#include "program.h"
#include "system_calls.h"

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define PROT_BITS 7

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_TYPE 0x0F
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FIXED_NOREPLACE 0x100000

#define MADV_DONTNEED 4

_Static_assert(PROT_READ == (int)PAGE_READ && PROT_WRITE == (int)PAGE_WRITE && PROT_EXEC == (int)PAGE_EXECUTE,
               "the same bits");

// Whether a range is whole pages of the program's address space. The size is
// rounded up.
static bool check_range(uint64_t start, uint64_t *size)
{
    if (start & PAGE_MASK || *size > PROGRAM_END) {
        return false;
    }
    *size = round_up_to_page(*size);
    return start >= PROGRAM_START && start < PROGRAM_END && *size <= PROGRAM_END - start;
}

int64_t system_call_brk(const uint64_t arguments[6])
{
    uint64_t wanted = arguments[0];
    if (wanted < program.break_start || wanted >= PROGRAM_END) {
        return (int64_t)program.break_end;
    }
    uint64_t end = round_up_to_page(program.break_end);
    uint64_t wanted_end = round_up_to_page(wanted);
    struct area heap = {
        .start = end,
        .end = wanted_end,
        .access = PAGE_READ | PAGE_WRITE,
        .is_committed = true,
    };
    struct area *last = end > program.break_start ? area_find(end - 1) : NULL;
    bool is_changed = true;
    if (wanted_end < end) {
        is_changed = areas_remove(wanted_end, end);
    } else if (wanted_end > end && last != NULL && last->access == heap.access && last->source == NULL) {
        is_changed = area_resize(last, wanted_end);
    } else if (wanted_end > end) {
        is_changed = area_is_free(end, wanted_end) && area_add(&heap);
    }
    if (is_changed) {
        program.break_end = wanted;
    }
    return (int64_t)program.break_end;
}

static int64_t place(uint64_t hint, uint64_t size, uint64_t flags)
{
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        uint64_t checked = size;
        if (hint & PAGE_MASK) {
            return -EINVAL;
        }
        if (!check_range(hint, &checked)) {
            return hint < PROGRAM_START ? -EPERM : -ENOMEM;
        }
        if (flags & MAP_FIXED_NOREPLACE && !area_is_free(hint, hint + size)) {
            return -EEXIST;
        }
        return (int64_t)hint;
    }
    hint = page_of(hint);
    if (hint >= PROGRAM_START && hint < PROGRAM_END && size <= PROGRAM_END - hint &&
        area_is_free(hint, hint + size)) {
        return (int64_t)hint;
    }
    uint64_t found = area_find_free(size, program.mapping_top);
    return found != 0 ? (int64_t)found : -ENOMEM;
}

int64_t system_call_mmap(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    uint64_t flags = arguments[3];
    uint64_t type = flags & MAP_TYPE;
    if (size == 0 || (type != MAP_PRIVATE && type != MAP_SHARED) || arguments[2] & ~(uint64_t)PROT_BITS) {
        return -EINVAL;
    }
    if (!(flags & MAP_ANONYMOUS)) {
        return (uint32_t)arguments[4] < 3 && program.open_descriptors & 1U << (uint32_t)arguments[4]
                   ? -ENODEV : -EBADF;
    }
    if (size > PROGRAM_END) {
        return -ENOMEM;
    }
    size = round_up_to_page(size);
    int64_t start = place(arguments[0], size, flags);
    if (start < 0) {
        return start;
    }
    const struct area area = {
        .start = (uint64_t)start,
        .end = (uint64_t)start + size,
        .access = (unsigned)arguments[2],
        .is_committed = !(flags & MAP_NORESERVE),
    };
    if (flags & MAP_FIXED && !areas_remove(area.start, area.end)) {
        return -ENOMEM;
    }
    return area_add(&area) ? start : -ENOMEM;
}

int64_t system_call_munmap(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    if (size == 0 || !check_range(arguments[0], &size)) {
        return -EINVAL;
    }
    return areas_remove(arguments[0], arguments[0] + size) ? 0 : -ENOMEM;
}

int64_t system_call_mprotect(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    if (arguments[0] & PAGE_MASK || arguments[2] & ~(uint64_t)PROT_BITS) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (!check_range(arguments[0], &size) || !areas_cover(arguments[0], arguments[0] + size)) {
        return -ENOMEM;
    }
    return areas_protect(arguments[0], arguments[0] + size, (unsigned)arguments[2]) ? 0 : -ENOMEM;
}

int64_t system_call_madvise(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    if (arguments[0] & PAGE_MASK) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (!check_range(arguments[0], &size) || !areas_cover(arguments[0], arguments[0] + size)) {
        return -ENOMEM;
    }
    if (arguments[2] == MADV_DONTNEED) {
        pages_unmap(arguments[0], arguments[0] + size);
    }
    return 0;
}

int64_t system_call_mremap(const uint64_t arguments[6])
{
    uint64_t old_size = arguments[1];
    uint64_t new_size = arguments[2];
    if (arguments[3] & ~1UL || new_size == 0 || !check_range(arguments[0], &old_size) ||
        !check_range(arguments[0], &new_size)) {
        return -EINVAL;
    }
    struct area *area = area_find(arguments[0]);
    if (area == NULL || old_size == 0 || area->end < arguments[0] + old_size) {
        return -EFAULT;
    }
    if (new_size < old_size) {
        return areas_remove(arguments[0] + new_size, arguments[0] + old_size) ? (int64_t)arguments[0] : -ENOMEM;
    }
    if (new_size == old_size) {
        return (int64_t)arguments[0];
    }
    return area->end == arguments[0] + old_size && area_resize(area, arguments[0] + new_size)
               ? (int64_t)arguments[0] : -ENOMEM;
}
