// SPDX-License-Identifier: Apache-2.0
//
// The system calls of memory.

#include "areas.h"
#include "devices.h"
#include "errors.h"
#include "files.h"
#include "node.h"
#include "program.h"
#include "resource_limits.h"
#include "system_calls.h"
#include "user.h"

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define PROT_BITS 7

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE 0x0F
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_STACK 0x20000
#define MAP_FIXED_NOREPLACE 0x100000

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

#define MREMAP_MAYMOVE 1U
#define MREMAP_FIXED 2U

#define MS_ASYNC 1U
#define MS_INVALIDATE 2U
#define MS_SYNC 4U

// Bytes of the answer of mincore at a time.
#define PRESENCE_SIZE 256

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
    bool is_changed = true;
    if (wanted_end < end) {
        is_changed = areas_remove(wanted_end, end);
    } else if (wanted_end > end && (!area_is_free(end, wanted_end) || !resource_allows_memory(wanted_end - end, 0))) {
        is_changed = false;
    } else if (wanted_end > end) {
        is_changed = area_add(&heap);
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

// What of a file an area shows: 0, or why it cannot be mapped.
static int64_t describe_file(uint64_t descriptor, uint64_t offset, struct area *area)
{
    const struct file *file = current_file(descriptor);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    if (!file_can_read(file)) {
        return -EACCES;
    }
    area->can_write_file = file_can_write(file);
    if (area->is_shared && area->access & PAGE_WRITE && !area->can_write_file) {
        return -EACCES;
    }
    if (file->node == NULL) {
        return -ENODEV;
    }
    // What is written to memory would not reach the host.
    if (file->node->is_written_through && area->is_shared) {
        area->can_write_file = false;
        if (area->access & PAGE_WRITE) {
            return -ENODEV;
        }
    }
    if (is_zero_device(file->node)) {
        area->is_committed = true;
        return 0;
    }
    if (!is_regular(file->node->mode) || file->node->is_text) {
        return -ENODEV;
    }
    area->node = file->node;
    area->offset = offset;
    area->source_size = WHOLE_FILE;
    area->is_committed &= !area->is_shared;
    return 0;
}

// Memory that processes share is a file without a name.
static int64_t describe_shared_memory(uint64_t size, struct area *area)
{
    area->node = node_create(S_IFREG | 0600);
    if (area->node == NULL) {
        return -ENOMEM;
    }
    node_retain(area->node);
    node_unlink(area->node);
    area->source_size = WHOLE_FILE;
    area->is_committed = false;
    int64_t error = node_resize(area->node, size);
    if (error != 0) {
        node_release(area->node);
    }
    return error != 0 ? -ENOMEM : 0;
}

static int64_t map(struct area *area, uint64_t hint, uint64_t size, uint64_t flags)
{
    int64_t start = place(hint, size, flags);
    if (start < 0) {
        return start;
    }
    area->start = (uint64_t)start;
    area->end = (uint64_t)start + size;
    if (!resource_allows_memory(size, areas_size(area->start, area->end))) {
        return -ENOMEM;
    }
    if (flags & MAP_FIXED && !areas_remove(area->start, area->end)) {
        return -ENOMEM;
    }
    return area_add(area) ? start : -ENOMEM;
}

int64_t system_call_mmap(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    uint64_t flags = arguments[3];
    uint64_t type = flags & MAP_TYPE;
    if (size == 0 || (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE) ||
        arguments[2] & ~(uint64_t)PROT_BITS || arguments[5] & PAGE_MASK) {
        return -EINVAL;
    }
    if (size > PROGRAM_END) {
        return -ENOMEM;
    }
    size = round_up_to_page(size);
    struct area area = {
        .access = (unsigned)arguments[2],
        // Threads use little of the stacks they ask for.
        .is_committed = !(flags & (MAP_NORESERVE | MAP_STACK)),
        .is_shared = type != MAP_PRIVATE,
        .can_write_file = (flags & MAP_ANONYMOUS) != 0,
    };
    if (!(flags & MAP_ANONYMOUS)) {
        if (arguments[5] > INT64_MAX - size) {
            return -EOVERFLOW;
        }
        int64_t error = describe_file(arguments[4], arguments[5], &area);
        if (error != 0 || area.node != NULL) {
            return error != 0 ? error : map(&area, arguments[0], size, flags);
        }
        // What is left is /dev/zero, which is memory.
    }
    if (!area.is_shared) {
        return map(&area, arguments[0], size, flags);
    }
    int64_t result = describe_shared_memory(size, &area);
    if (result == 0) {
        result = map(&area, arguments[0], size, flags);
        node_release(area.node);
    }
    return result;
}

int64_t system_call_munmap(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    if (size == 0 || !check_range(arguments[0], &size)) {
        return -EINVAL;
    }
    return areas_remove(arguments[0], arguments[0] + size) ? 0 : -ENOMEM;
}

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
    if (arguments[0] & PAGE_MASK || arguments[2] & ~(uint64_t)PROT_BITS) {
        return -EINVAL;
    }
    if (size == 0) {
        return 0;
    }
    if (!check_range(arguments[0], &size)) {
        return -ENOMEM;
    }
    return change_areas(arguments[0], arguments[0] + size, false, protect, arguments[2]);
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
    if (!check_range(arguments[0], &size)) {
        return -ENOMEM;
    }
    return change_areas(arguments[0], arguments[0] + size, true, advise, (uint32_t)arguments[2]);
}

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
    if (!check_range(target, &new_size) || (target < arguments[0] + old_size && arguments[0] < target + new_size)) {
        return -EINVAL;
    }
    *replaced = areas_size(target, target + new_size);
    return 0;
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
    if (!check_range(start, &old_size)) {
        return -EFAULT;
    }
    if (new_size > PROGRAM_END) {
        return -EINVAL;
    }
    new_size = round_up_to_page(new_size);
    struct area *area = area_find(start);
    if (area == NULL || old_size == 0 || area->end < start + old_size) {
        return area != NULL && old_size == 0 ? -EINVAL : -EFAULT;
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
        if (new_size < old_size) {
            return areas_remove(start + new_size, start + old_size) ? (int64_t)start : -ENOMEM;
        }
        if (new_size == old_size || (area->end == start + old_size && start + new_size <= PROGRAM_END &&
                                     area_resize(area, start + new_size))) {
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

// Whether all of a range is mapped; an empty one is.
static int64_t check_mapped(uint64_t start, uint64_t size)
{
    if (size == 0) {
        return 0;
    }
    return check_range(start, &size) && areas_cover(start, start + size) ? 0 : -ENOMEM;
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
    return size > PROGRAM_END ? -EINVAL : check_mapped(first, size + (start - first));
}

int64_t system_call_mlock(const uint64_t arguments[6])
{
    return lock_pages(arguments[0], arguments[1]);
}

int64_t system_call_munlock(const uint64_t arguments[6])
{
    return lock_pages(arguments[0], arguments[1]);
}
