// SPDX-License-Identifier: Apache-2.0
//
// The system calls of descriptors.

#include "errors.h"
#include "files.h"
#include "host_changes.h"
#include "node.h"
#include "pipe.h"
#include "processes.h"
#include "program.h"
#include "record_locks.h"
#include "resource_limits.h"
#include "system_calls.h"
#include "user.h"

enum {
    F_DUPFD = 0,
    F_GETFD = 1,
    F_SETFD = 2,
    F_GETFL = 3,
    F_SETFL = 4,
    F_NOTIFY = 1026,
    F_DUPFD_CLOEXEC = 1030,
    F_SETPIPE_SZ = 1031,
    F_GETPIPE_SZ = 1032,
};

#define FD_CLOEXEC 1U
#define DN_MULTISHOT 0x80000000U
#define CHANGEABLE_FLAGS ((uint32_t)(O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME))

#define FIOCLEX 0x5451U
#define FIONCLEX 0x5450U
#define FIONBIO 0x5421U

#define CLOSE_RANGE_UNSHARE 2U
#define CLOSE_RANGE_CLOEXEC 4U

int64_t system_call_close(const uint64_t arguments[6])
{
    return files_close(current_files(), arguments[0]);
}

// The threads of a process have one table: none of them can have another one.
static int64_t unshare_files(void)
{
    if (current_process->threads > 1) {
        return -EINVAL;
    }
    struct files *files = files_unshare(program.files);
    if (files == NULL) {
        return -ENOMEM;
    }
    files_release(program.files);
    program.files = files;
    return 0;
}

int64_t system_call_close_range(const uint64_t arguments[6])
{
    uint32_t first = (uint32_t)arguments[0];
    uint32_t last = (uint32_t)arguments[1];
    if (first > last || (uint32_t)arguments[2] & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) {
        return -EINVAL;
    }
    int64_t error = (uint32_t)arguments[2] & CLOSE_RANGE_UNSHARE ? unshare_files() : 0;
    if (error != 0) {
        return error;
    }
    last = last < MOST_DESCRIPTORS - 1 ? last : MOST_DESCRIPTORS - 1;
    for (uint32_t i = first; i <= last; i++) {
        if (current_file(i) != NULL && arguments[2] & CLOSE_RANGE_CLOEXEC) {
            files_set_close_on_exec(current_files(), i, true);
        } else {
            files_close(current_files(), i);
        }
    }
    return 0;
}

static int64_t duplicate(struct file *file, uint64_t lowest, bool closes_on_exec)
{
    if ((uint32_t)lowest >= resource_limit(RLIMIT_NOFILE)) {
        return -EINVAL;
    }
    file_retain(file);
    return files_add(current_files(), file, closes_on_exec, (uint32_t)lowest);
}

int64_t system_call_dup(const uint64_t arguments[6])
{
    struct file *file = current_file(arguments[0]);
    return file != NULL ? duplicate(file, 0, false) : -EBADF;
}

static int64_t duplicate_to(uint64_t from, uint64_t to, bool closes_on_exec)
{
    struct file *file = current_file(from);
    if (file == NULL) {
        return -EBADF;
    }
    file_retain(file);
    return files_replace(current_files(), to, file, closes_on_exec);
}

int64_t system_call_dup2(const uint64_t arguments[6])
{
    if ((uint32_t)arguments[0] == (uint32_t)arguments[1]) {
        return current_file(arguments[0]) != NULL ? (int64_t)(uint32_t)arguments[0] : -EBADF;
    }
    return duplicate_to(arguments[0], arguments[1], false);
}

int64_t system_call_dup3(const uint64_t arguments[6])
{
    if ((uint32_t)arguments[2] & ~(uint32_t)O_CLOEXEC || (uint32_t)arguments[0] == (uint32_t)arguments[1]) {
        return -EINVAL;
    }
    return duplicate_to(arguments[0], arguments[1], arguments[2] & O_CLOEXEC);
}

// What a descriptor for the place alone (O_PATH) does not have.
static int64_t control(struct file *file, uint64_t descriptor, uint32_t command, uint64_t argument)
{
    if (is_record_lock_command(command)) {
        return record_lock_control(file, descriptor, command, argument);
    }
    switch (command) {
    case F_GETPIPE_SZ:
        return pipe_size(file);
    case F_SETPIPE_SZ:
        return pipe_set_size(file, argument);
    case F_NOTIFY:
        // Without events, a notification is removed: there is none.
        return (uint32_t)argument & ~DN_MULTISHOT ? -EINVAL : 0;
    default:
        return -EINVAL;
    }
}

int64_t system_call_fcntl(const uint64_t arguments[6])
{
    uint64_t descriptor = arguments[0];
    uint64_t argument = arguments[2];
    struct file *file = current_file(descriptor);
    if (file == NULL) {
        return -EBADF;
    }
    switch ((uint32_t)arguments[1]) {
    case F_DUPFD:
        return duplicate(file, argument, false);
    case F_DUPFD_CLOEXEC:
        return duplicate(file, argument, true);
    case F_GETFD:
        return files_closes_on_exec(current_files(), descriptor);
    case F_SETFD:
        files_set_close_on_exec(current_files(), descriptor, argument & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return file->flags;
    case F_SETFL:
        if (file->flags & O_PATH) {
            return -EBADF;
        }
        file->flags = (file->flags & ~CHANGEABLE_FLAGS) | ((uint32_t)argument & CHANGEABLE_FLAGS);
        return 0;
    default:
        return file->flags & O_PATH ? -EBADF : control(file, descriptor, (uint32_t)arguments[1], argument);
    }
}

int64_t system_call_ioctl(const uint64_t arguments[6])
{
    int32_t value;
    struct file *file = current_file(arguments[0]);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    switch ((uint32_t)arguments[1]) {
    case FIOCLEX:
    case FIONCLEX:
        files_set_close_on_exec(current_files(), arguments[0], (uint32_t)arguments[1] == FIOCLEX);
        return 0;
    case FIONBIO:
        if (!copy_from_user(&value, arguments[2], sizeof value)) {
            return -EFAULT;
        }
        file->flags = (file->flags & ~(uint32_t)O_NONBLOCK) | (value != 0 ? O_NONBLOCK : 0);
        return 0;
    default:
        return file->operations->ioctl != NULL ? file->operations->ioctl(file, arguments[1], arguments[2]) : -ENOTTY;
    }
}

// The contents of files are nowhere else, unless they are the host's.
static int64_t synchronize(uint64_t descriptor)
{
    const struct file *file = current_file(descriptor);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    return file->node != NULL && !is_pipe(file->node->mode) ? host_synchronize(file->node) : -EINVAL;
}

int64_t system_call_fsync(const uint64_t arguments[6])
{
    return synchronize(arguments[0]);
}

int64_t system_call_fdatasync(const uint64_t arguments[6])
{
    return synchronize(arguments[0]);
}

int64_t system_call_syncfs(const uint64_t arguments[6])
{
    const struct file *file = current_file(arguments[0]);
    return file == NULL || file->flags & O_PATH ? -EBADF : 0;
}

int64_t system_call_sync_file_range(const uint64_t arguments[6])
{
    if ((int64_t)arguments[1] < 0 || (int64_t)arguments[2] < 0 || (int64_t)(arguments[1] + arguments[2]) < 0 ||
        (uint32_t)arguments[3] & ~7U) {
        return -EINVAL;
    }
    int64_t error = synchronize(arguments[0]);
    return error == -EINVAL ? -ESPIPE : error;
}

int64_t system_call_readahead(const uint64_t arguments[6])
{
    const struct file *file = current_file(arguments[0]);
    if (file == NULL || !file_can_read(file)) {
        return -EBADF;
    }
    return file->operations->seek != NULL && file->node != NULL && !node_is_directory(file->node) ? 0 : -EINVAL;
}

int64_t system_call_sync(const uint64_t arguments[6])
{
    (void)arguments;
    return 0;
}

int64_t system_call_fadvise64(const uint64_t arguments[6])
{
    const struct file *file = current_file(arguments[0]);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    if (file->operations->seek == NULL) {
        return -ESPIPE;
    }
    return (int64_t)arguments[2] >= 0 && arguments[3] <= 5 ? 0 : -EINVAL;
}
