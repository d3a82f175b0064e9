// SPDX-License-Identifier: Apache-2.0
//
// The system calls of attributes: stat, statx, access, readlink, statfs.

#include "errors.h"
#include "file_status.h"
#include "files.h"
#include "node.h"
#include "pages.h"
#include "path.h"
#include "physical_pages.h"
#include "system_calls.h"
#include "user.h"

#include <string.h>

#define BLOCK_SIZE 4096
#define SECTOR_SIZE 512
#define NANOSECONDS 1000000000L

#define STATX_BASIC 0x7FFU
#define STATX_RESERVED 0x80000000U
#define AT_STATX_SYNC 0x6000U

#define AT_EACCESS 0x200U
#define TMPFS_MAGIC 0x01021994

void node_status(struct node *node, struct file_status *status)
{
    node_settle_times(node);
    *status = (struct file_status){
        .device = DEVICE_OF_FILES,
        .inode = node->inode,
        .mode = node->mode,
        .links = node->links,
        .uid = node->uid,
        .gid = node->gid,
        .represented_device = node->represented_device,
        .size = node_is_directory(node) ? BLOCK_SIZE : node->size,
        .block_size = BLOCK_SIZE,
        .accessed = node->accessed,
        .modified = node->modified,
        .changed = node->changed,
    };
    if (is_regular(node->mode) && !node->is_text) {
        uint64_t pages = node->file.image_size / PAGE_SIZE + (node->file.image_size % PAGE_SIZE != 0);
        pages = pages > node->file.page_count ? pages : node->file.page_count;
        status->blocks = pages * (PAGE_SIZE / SECTOR_SIZE);
    }
}

int64_t file_status(struct file *file, struct file_status *status)
{
    if (file->operations->status != NULL) {
        memset(status, 0, sizeof *status);
        return file->operations->status(file, status);
    }
    if (file->node == NULL) {
        return -EBADF;
    }
    node_status(file->node, status);
    return 0;
}

static int64_t lookup_status(uint64_t descriptor, uint64_t path, unsigned flags, struct file_status *status)
{
    struct lookup lookup;
    int64_t error = path_lookup(descriptor, path, flags, &lookup);
    if (error != 0) {
        return error;
    }
    if (lookup.file != NULL) {
        return file_status(lookup.file, status);
    }
    if (lookup.node == NULL) {
        return -ENOENT;
    }
    node_status(lookup.node, status);
    return 0;
}

// Seconds are rounded down, also before 1970.
static int64_t seconds_of(int64_t time)
{
    return time / NANOSECONDS - (time % NANOSECONDS < 0);
}

static int64_t rest_of(int64_t time)
{
    return time - seconds_of(time) * NANOSECONDS;
}

static int64_t put_status(const struct file_status *status, uint64_t address)
{
    // struct stat.
    const struct {
        uint64_t device, inode, links;
        uint32_t mode, uid, gid, padding;
        uint64_t represented_device;
        int64_t size, block_size, blocks;
        int64_t times[6];
        int64_t unused[3];
    } stored = {
        .device = status->device,
        .inode = status->inode,
        .links = status->links,
        .mode = status->mode,
        .uid = status->uid,
        .gid = status->gid,
        .represented_device = status->represented_device,
        .size = (int64_t)status->size,
        .block_size = (int64_t)status->block_size,
        .blocks = (int64_t)status->blocks,
        .times = { seconds_of(status->accessed), rest_of(status->accessed), seconds_of(status->modified),
                   rest_of(status->modified), seconds_of(status->changed), rest_of(status->changed) },
    };
    _Static_assert(sizeof stored == 144, "struct stat");
    return copy_to_user(address, &stored, sizeof stored) ? 0 : -EFAULT;
}

static int64_t stat_path(uint64_t descriptor, uint64_t path, unsigned flags, uint64_t address)
{
    struct file_status status;
    int64_t error = lookup_status(descriptor, path, flags, &status);
    return error != 0 ? error : put_status(&status, address);
}

int64_t system_call_stat(const uint64_t arguments[6])
{
    return stat_path((uint64_t)AT_FDCWD, arguments[0], LOOKUP_FOLLOW, arguments[1]);
}

int64_t system_call_lstat(const uint64_t arguments[6])
{
    return stat_path((uint64_t)AT_FDCWD, arguments[0], 0, arguments[1]);
}

static unsigned lookup_flags_of(uint64_t flags)
{
    return (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

int64_t system_call_newfstatat(const uint64_t arguments[6])
{
    if ((uint32_t)arguments[3] & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    return stat_path(arguments[0], arguments[1], lookup_flags_of(arguments[3]), arguments[2]);
}

int64_t system_call_fstat(const uint64_t arguments[6])
{
    struct file_status status;
    struct file *file = current_file(arguments[0]);
    int64_t error = file == NULL ? -EBADF : file_status(file, &status);
    return error != 0 ? error : put_status(&status, arguments[1]);
}

struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds, reserved;
};

static struct statx_time statx_time_of(int64_t time)
{
    return (struct statx_time){ seconds_of(time), (uint32_t)rest_of(time), 0 };
}

int64_t system_call_statx(const uint64_t arguments[6])
{
    struct file_status status;
    uint32_t flags = (uint32_t)arguments[2];
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC) ||
        (flags & AT_STATX_SYNC) == AT_STATX_SYNC || (uint32_t)arguments[3] & STATX_RESERVED) {
        return -EINVAL;
    }
    int64_t error = lookup_status(arguments[0], arguments[1], lookup_flags_of(flags), &status);
    if (error != 0) {
        return error;
    }
    // struct statx.
    const struct {
        uint32_t mask, block_size;
        uint64_t attributes;
        uint32_t links, uid, gid;
        uint16_t mode, padding;
        uint64_t inode, size, blocks, attributes_mask;
        struct statx_time accessed, born, changed, modified;
        uint32_t represented_device[2], device[2];
        uint64_t unused[14];
    } stored = {
        .mask = STATX_BASIC,
        .block_size = (uint32_t)status.block_size,
        .links = status.links,
        .uid = status.uid,
        .gid = status.gid,
        .mode = (uint16_t)status.mode,
        .inode = status.inode,
        .size = status.size,
        .blocks = status.blocks,
        .accessed = statx_time_of(status.accessed),
        .changed = statx_time_of(status.changed),
        .modified = statx_time_of(status.modified),
        .represented_device = { (uint32_t)(status.represented_device >> 8), status.represented_device & 0xFF },
        .device = { (uint32_t)(status.device >> 8), status.device & 0xFF },
    };
    _Static_assert(sizeof stored == 256, "struct statx");
    return copy_to_user(arguments[4], &stored, sizeof stored) ? 0 : -EFAULT;
}

static int64_t check_access(uint64_t descriptor, uint64_t path, uint64_t access, uint64_t flags)
{
    struct lookup lookup;
    if ((uint32_t)access & ~(MAY_READ | MAY_WRITE | MAY_EXECUTE) ||
        (uint32_t)flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    int64_t error = path_lookup(descriptor, path, lookup_flags_of(flags), &lookup);
    if (error != 0 || lookup.file != NULL) {
        return error;
    }
    return lookup.node != NULL ? node_check_access(lookup.node, (uint32_t)access) : -ENOENT;
}

int64_t system_call_access(const uint64_t arguments[6])
{
    return check_access((uint64_t)AT_FDCWD, arguments[0], arguments[1], 0);
}

int64_t system_call_faccessat(const uint64_t arguments[6])
{
    return check_access(arguments[0], arguments[1], arguments[2], 0);
}

int64_t system_call_faccessat2(const uint64_t arguments[6])
{
    return check_access(arguments[0], arguments[1], arguments[2], arguments[3]);
}

static int64_t read_link(uint64_t descriptor, uint64_t path, unsigned flags, uint64_t address, uint64_t size)
{
    static char target[PATH_SIZE];
    struct lookup lookup;
    if ((int32_t)size <= 0) {
        return -EINVAL;
    }
    int64_t error = path_find(descriptor, path, flags, &lookup);
    if (error != 0) {
        return error;
    }
    if (!is_link(lookup.node->mode)) {
        return lookup.is_empty ? -ENOENT : -EINVAL;
    }
    int64_t length = node_link_target(lookup.node, target, sizeof target);
    if (length < 0) {
        return length;
    }
    length = length < (int32_t)size ? length : (int32_t)size;
    return copy_to_user(address, target, (size_t)length) ? length : -EFAULT;
}

int64_t system_call_readlink(const uint64_t arguments[6])
{
    return read_link((uint64_t)AT_FDCWD, arguments[0], 0, arguments[1], arguments[2]);
}

int64_t system_call_readlinkat(const uint64_t arguments[6])
{
    return read_link(arguments[0], arguments[1], LOOKUP_EMPTY, arguments[2], arguments[3]);
}

// struct statfs, by its words: all files are in one file system, whose free space
// is the memory that is left.
static int64_t put_file_system(uint64_t address)
{
    uint64_t words[15] = { 0 };
    uint64_t free = pages_limit() - pages_committed();
    words[0] = TMPFS_MAGIC;
    words[1] = PAGE_SIZE;
    words[2] = pages_limit();
    words[3] = free;
    words[4] = free;
    words[7] = DEVICE_OF_FILES;
    words[8] = NAME_SIZE;
    words[9] = PAGE_SIZE;
    return copy_to_user(address, words, sizeof words) ? 0 : -EFAULT;
}

int64_t system_call_statfs(const uint64_t arguments[6])
{
    struct lookup lookup;
    int64_t error = path_find((uint64_t)AT_FDCWD, arguments[0], LOOKUP_FOLLOW, &lookup);
    return error != 0 ? error : put_file_system(arguments[1]);
}

int64_t system_call_fstatfs(const uint64_t arguments[6])
{
    return current_file(arguments[0]) != NULL ? put_file_system(arguments[1]) : -EBADF;
}
