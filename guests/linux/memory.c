// SPDX-License-Identifier: Apache-2.0
//
// The system calls that map and unmap memory.

#include "memory.h"

#include "areas.h"
#include "devices.h"
#include "errors.h"
#include "files.h"
#include "node.h"
#include "program.h"
#include "resource_limits.h"
#include "system_calls.h"

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE 0x0F
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_STACK 0x20000
#define MAP_FIXED_NOREPLACE 0x100000

bool memory_check_range(uint64_t start, uint64_t *size)
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
        if (!memory_check_range(hint, &checked)) {
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
static int64_t describe_file(const struct file *file, uint64_t offset, struct area *area)
{
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
static int64_t describe_shared_memory(struct area *area)
{
    area->node = node_create(S_IFREG | 0600);
    if (area->node == NULL) {
        return -ENOMEM;
    }
    node_retain(area->node);
    node_unlink(area->node);
    area->source_size = WHOLE_FILE;
    area->is_committed = false;
    int64_t error = node_resize(area->node, area->end - area->start);
    if (error != 0) {
        node_release(area->node);
    }
    return error != 0 ? -ENOMEM : 0;
}

static int64_t map(struct area *area, uint64_t flags)
{
    if (!resource_allows_memory(area->end - area->start, areas_size(area->start, area->end)) ||
        (flags & MAP_FIXED && !areas_remove(area->start, area->end))) {
        return -ENOMEM;
    }
    return area_add(area) ? (int64_t)area->start : -ENOMEM;
}

// MAP_SHARED_VALIDATE is of files alone.
static bool has_type(uint64_t flags)
{
    uint64_t type = flags & MAP_TYPE;
    return type == MAP_PRIVATE || type == MAP_SHARED || (type == MAP_SHARED_VALIDATE && !(flags & MAP_ANONYMOUS));
}

// Of several errors, the one that Linux finds first.
int64_t system_call_mmap(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    uint64_t flags = arguments[3];
    uint64_t offset = arguments[5];
    bool is_of_file = !(flags & MAP_ANONYMOUS);
    const struct file *file = is_of_file ? current_file(arguments[4]) : NULL;
    if (offset & PAGE_MASK) {
        return -EINVAL;
    }
    if (is_of_file && (file == NULL || file->flags & O_PATH)) {
        return -EBADF;
    }
    if (size == 0 || size > PROGRAM_END) {
        return size == 0 ? -EINVAL : -ENOMEM;
    }
    size = round_up_to_page(size);
    int64_t start = place(arguments[0], size, flags);
    if (start < 0) {
        return start;
    }
    if (is_of_file && offset > INT64_MAX - size) {
        return -EOVERFLOW;
    }
    if (!has_type(flags)) {
        return -EINVAL;
    }
    struct area area = {
        .start = (uint64_t)start,
        .end = (uint64_t)start + size,
        .access = (unsigned)(arguments[2] & PROT_BITS),
        // Threads use little of the stacks they ask for.
        .is_committed = !(flags & (MAP_NORESERVE | MAP_STACK)),
        .is_shared = (flags & MAP_TYPE) != MAP_PRIVATE,
        .can_write_file = !is_of_file,
    };
    int64_t result = is_of_file ? describe_file(file, offset, &area) : 0;
    if (result != 0) {
        return result;
    }
    // Without a node it is memory: that of /dev/zero as well.
    if (area.node != NULL || !area.is_shared) {
        return map(&area, flags);
    }
    result = describe_shared_memory(&area);
    if (result == 0) {
        result = map(&area, flags);
        node_release(area.node);
    }
    return result;
}

int64_t system_call_munmap(const uint64_t arguments[6])
{
    uint64_t size = arguments[1];
    if (size == 0 || !memory_check_range(arguments[0], &size)) {
        return -EINVAL;
    }
    return areas_remove(arguments[0], arguments[0] + size) ? 0 : -ENOMEM;
}
