// SPDX-License-Identifier: Apache-2.0
//
// The system calls that change attributes of files: mode, owner, times, size.

#include "errors.h"
#include "file_context.h"
#include "files.h"
#include "host_changes.h"
#include "node.h"
#include "path.h"
#include "process.h"
#include "regular_file.h"
#include "resource_limits.h"
#include "system_calls.h"
#include "user.h"

#define NANOSECONDS 1000000000L
#define MOST_SECONDS (INT64_MAX / NANOSECONDS - 1)
#define UTIME_NOW ((1L << 30) - 1)
#define UTIME_OMIT ((1L << 30) - 2)
#define KEEP UINT32_MAX

#define FALLOC_KEEP_SIZE 1U
#define FALLOC_PUNCH_HOLE 2U
#define FALLOC_ZERO_RANGE 0x10U

struct timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

static int64_t change_mode(struct node *node, uint64_t mode)
{
    if (node->uid != USER_ID) {
        return -EPERM;
    }
    if (is_link(node->mode)) {
        return -EOPNOTSUPP;
    }
    // Programs leave no files on the host that act as another user.
    mode &= node->is_written_through ? 0777 : S_MODE;
    int64_t error = host_set_mode(node, (uint32_t)mode);
    if (error != 0) {
        return error;
    }
    node->mode = (node->mode & S_IFMT) | (uint32_t)mode;
    node_touch_attributes(node);
    return 0;
}

static int64_t change_mode_at(uint64_t descriptor, uint64_t path, uint64_t mode)
{
    struct lookup lookup;
    int64_t error = path_find(descriptor, path, LOOKUP_FOLLOW, &lookup);
    return error != 0 ? error : change_mode(lookup.node, mode);
}

int64_t system_call_chmod(const uint64_t arguments[6])
{
    return change_mode_at((uint64_t)AT_FDCWD, arguments[0], arguments[1]);
}

int64_t system_call_fchmodat(const uint64_t arguments[6])
{
    return change_mode_at(arguments[0], arguments[1], arguments[2]);
}

// The node of a descriptor that was not opened by O_PATH.
static int64_t find_node(uint64_t descriptor, struct node **node)
{
    const struct file *file = current_file(descriptor);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    *node = file->node;
    return file->node != NULL ? 0 : -EPERM;
}

int64_t system_call_fchmod(const uint64_t arguments[6])
{
    struct node *node;
    int64_t error = find_node(arguments[0], &node);
    return error != 0 ? error : change_mode(node, arguments[1]);
}

// To the user and the group that a file has already; others need privileges.
static int64_t change_owner(struct node *node, uint64_t user, uint64_t group)
{
    bool keeps_user = (uint32_t)user == KEEP || ((uint32_t)user == node->uid && node->uid == USER_ID);
    bool keeps_group = (uint32_t)group == KEEP || ((uint32_t)group == USER_ID && node->uid == USER_ID);
    if (!keeps_user || !keeps_group) {
        return -EPERM;
    }
    if ((uint32_t)group != KEEP) {
        node->gid = (uint32_t)group;
    }
    node_remove_privileges(node);
    node_touch_attributes(node);
    return 0;
}

static int64_t change_owner_at(uint64_t descriptor, uint64_t path, uint64_t user, uint64_t group, uint32_t flags)
{
    struct lookup lookup;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    unsigned lookup_flags = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int64_t error = path_find(descriptor, path, lookup_flags, &lookup);
    return error != 0 ? error : change_owner(lookup.node, user, group);
}

int64_t system_call_chown(const uint64_t arguments[6])
{
    return change_owner_at((uint64_t)AT_FDCWD, arguments[0], arguments[1], arguments[2], 0);
}

int64_t system_call_lchown(const uint64_t arguments[6])
{
    return change_owner_at((uint64_t)AT_FDCWD, arguments[0], arguments[1], arguments[2], AT_SYMLINK_NOFOLLOW);
}

int64_t system_call_fchownat(const uint64_t arguments[6])
{
    return change_owner_at(arguments[0], arguments[1], arguments[2], arguments[3], (uint32_t)arguments[4]);
}

int64_t system_call_fchown(const uint64_t arguments[6])
{
    struct node *node;
    int64_t error = find_node(arguments[0], &node);
    return error != 0 ? error : change_owner(node, arguments[1], arguments[2]);
}

static bool is_valid(const struct timespec *time)
{
    return time->nanoseconds == UTIME_NOW || time->nanoseconds == UTIME_OMIT ||
           (time->nanoseconds >= 0 && time->nanoseconds < NANOSECONDS);
}

static void set_time(int64_t *target, const struct timespec *time, int64_t now)
{
    if (time->nanoseconds == UTIME_NOW) {
        *target = now;
    } else if (time->nanoseconds != UTIME_OMIT) {
        int64_t seconds = time->seconds < MOST_SECONDS ? time->seconds : MOST_SECONDS;
        seconds = seconds > -MOST_SECONDS ? seconds : -MOST_SECONDS;
        *target = seconds * NANOSECONDS + time->nanoseconds;
    }
}

// `times` is NULL for the present time.
static int64_t change_times(struct node *node, const struct timespec *times)
{
    static const struct timespec both_now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
    if (times != NULL && (!is_valid(&times[0]) || !is_valid(&times[1]))) {
        return -EINVAL;
    }
    const struct timespec *wanted = times != NULL ? times : both_now;
    if (wanted[0].nanoseconds == UTIME_OMIT && wanted[1].nanoseconds == UTIME_OMIT) {
        return 0;
    }
    bool is_now = wanted[0].nanoseconds == UTIME_NOW && wanted[1].nanoseconds == UTIME_NOW;
    if (node->uid != USER_ID && !(is_now && node_check_access(node, MAY_WRITE) == 0)) {
        return is_now ? -EACCES : -EPERM;
    }
    int64_t error = host_set_times(node, (const int64_t *)wanted);
    if (error != 0) {
        return error;
    }
    node_settle_times(node);
    int64_t now = file_clock();
    set_time(&node->accessed, &wanted[0], now);
    set_time(&node->modified, &wanted[1], now);
    node->changed = now;
    return 0;
}

// Without a path, of the descriptor itself.
static int64_t change_times_at(uint64_t descriptor, uint64_t path, const struct timespec *times, uint32_t flags)
{
    struct lookup lookup;
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    if (path == 0 && (int32_t)descriptor != AT_FDCWD) {
        struct node *node;
        int64_t error = flags != 0 ? -EINVAL : find_node(descriptor, &node);
        return error != 0 ? error : change_times(node, times);
    }
    unsigned lookup_flags = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int64_t error = path_find(descriptor, path, lookup_flags, &lookup);
    return error != 0 ? error : change_times(lookup.node, times);
}

int64_t system_call_utimensat(const uint64_t arguments[6])
{
    struct timespec times[2];
    if (arguments[2] != 0 && !copy_from_user(times, arguments[2], sizeof times)) {
        return -EFAULT;
    }
    // Then the file does not matter.
    if (arguments[2] != 0 && times[0].nanoseconds == UTIME_OMIT && times[1].nanoseconds == UTIME_OMIT) {
        return 0;
    }
    return change_times_at(arguments[0], arguments[1], arguments[2] != 0 ? times : NULL, (uint32_t)arguments[3]);
}

// Two pairs of seconds and microseconds.
static int64_t change_times_by_microseconds(uint64_t descriptor, uint64_t path, uint64_t address)
{
    struct timespec times[2];
    if (address != 0) {
        if (!copy_from_user(times, address, sizeof times)) {
            return -EFAULT;
        }
        for (int i = 0; i < 2; i++) {
            if (times[i].nanoseconds < 0 || times[i].nanoseconds >= 1000000) {
                return -EINVAL;
            }
            times[i].nanoseconds *= 1000;
        }
    }
    return change_times_at(descriptor, path, address != 0 ? times : NULL, 0);
}

int64_t system_call_utimes(const uint64_t arguments[6])
{
    return change_times_by_microseconds((uint64_t)AT_FDCWD, arguments[0], arguments[1]);
}

int64_t system_call_futimesat(const uint64_t arguments[6])
{
    return change_times_by_microseconds(arguments[0], arguments[1], arguments[2]);
}

int64_t system_call_utime(const uint64_t arguments[6])
{
    int64_t seconds[2];
    struct lookup lookup;
    if (arguments[1] != 0 && !copy_from_user(seconds, arguments[1], sizeof seconds)) {
        return -EFAULT;
    }
    int64_t error = path_find((uint64_t)AT_FDCWD, arguments[0], LOOKUP_FOLLOW, &lookup);
    if (error != 0) {
        return error;
    }
    const struct timespec times[2] = { { seconds[0], 0 }, { seconds[1], 0 } };
    return change_times(lookup.node, arguments[1] != 0 ? times : NULL);
}

int64_t system_call_umask(const uint64_t arguments[6])
{
    struct file_context *context = current_file_context();
    uint32_t previous = context->mask;
    context->mask = (uint32_t)arguments[0] & 0777;
    return previous;
}

static int64_t resize(struct node *node, uint64_t size)
{
    if (size > node->size && !resource_allows_file_size(size)) {
        return -EFBIG;
    }
    return file_resize(node, size);
}

int64_t system_call_truncate(const uint64_t arguments[6])
{
    struct lookup lookup;
    if ((int64_t)arguments[1] < 0) {
        return -EINVAL;
    }
    int64_t error = path_find((uint64_t)AT_FDCWD, arguments[0], LOOKUP_FOLLOW, &lookup);
    if (error != 0) {
        return error;
    }
    if (!is_regular(lookup.node->mode) || lookup.node->is_text) {
        return node_is_directory(lookup.node) ? -EISDIR : -EINVAL;
    }
    error = node_check_access(lookup.node, MAY_WRITE);
    return error != 0 ? error : resize(lookup.node, arguments[1]);
}

// The open file of a call that changes its contents.
static int64_t find_writable(uint64_t descriptor, struct file **file)
{
    *file = current_file(descriptor);
    if (*file == NULL || (*file)->flags & O_PATH) {
        return -EBADF;
    }
    return (*file)->operations == &regular_file && file_can_write(*file) ? 0 : -EINVAL;
}

int64_t system_call_ftruncate(const uint64_t arguments[6])
{
    struct file *file;
    if ((int64_t)arguments[1] < 0) {
        return -EINVAL;
    }
    int64_t error = find_writable(arguments[0], &file);
    return error != 0 ? error : resize(file->node, arguments[1]);
}

// Pages for all of a range, so that a later write does not fail.
static int64_t allocate(struct node *node, uint64_t start, uint64_t end, bool keeps_size)
{
    for (uint64_t page = start / 4096; page * 4096 < end; page++) {
        uint8_t *contents;
        if (node_page(node, page, true, &contents) != 0) {
            return -ENOSPC;
        }
    }
    return keeps_size || end <= node->size ? 0 : node_resize(node, end);
}

int64_t system_call_fallocate(const uint64_t arguments[6])
{
    uint32_t mode = (uint32_t)arguments[1];
    uint64_t start = arguments[2];
    uint64_t end;
    struct file *file = current_file(arguments[0]);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    if ((int64_t)start < 0 || (int64_t)arguments[3] <= 0) {
        return -EINVAL;
    }
    if (mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE)) {
        return -EOPNOTSUPP;
    }
    if (!file_can_write(file)) {
        return -EBADF;
    }
    if (file->operations != &regular_file) {
        return file->operations->seek == NULL ? -ESPIPE : -ENODEV;
    }
    if (__builtin_add_overflow(start, arguments[3], &end) || (int64_t)end < 0) {
        return -EFBIG;
    }
    if (mode & FALLOC_PUNCH_HOLE && !(mode & FALLOC_KEEP_SIZE)) {
        return -EOPNOTSUPP;
    }
    struct node *node = file->node;
    if (node->is_written_through) {
        return -EOPNOTSUPP;
    }
    if (!(mode & FALLOC_KEEP_SIZE) && end > node->size && !resource_allows_file_size(end)) {
        return -EFBIG;
    }
    node_remove_privileges(node);
    if (mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE)) {
        uint64_t last = end < node->size ? end : node->size;
        int64_t error = start < last ? node_clear(node, start, last) : 0;
        if (error != 0 || mode & FALLOC_PUNCH_HOLE) {
            return error;
        }
    }
    return allocate(node, start, end, mode & FALLOC_KEEP_SIZE);
}
