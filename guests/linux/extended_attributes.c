// SPDX-License-Identifier: Apache-2.0
//
// The system calls of extended attributes: files have none, and cannot have any.

#include "errors.h"
#include "files.h"
#include "path.h"
#include "system_calls.h"

static int64_t check_path(const uint64_t arguments[6], unsigned flags, int64_t result)
{
    struct lookup lookup;
    int64_t error = path_find((uint64_t)AT_FDCWD, arguments[0], flags, &lookup);
    return error != 0 ? error : result;
}

static int64_t check_descriptor(const uint64_t arguments[6], int64_t result)
{
    const struct file *file = current_file(arguments[0]);
    return file == NULL || file->flags & O_PATH ? -EBADF : result;
}

#define THREE_CALLS(name, result) \
    int64_t system_call_##name(const uint64_t arguments[6]) \
    { \
        return check_path(arguments, LOOKUP_FOLLOW, result); \
    } \
    int64_t system_call_l##name(const uint64_t arguments[6]) \
    { \
        return check_path(arguments, 0, result); \
    } \
    int64_t system_call_f##name(const uint64_t arguments[6]) \
    { \
        return check_descriptor(arguments, result); \
    }

THREE_CALLS(getxattr, -EOPNOTSUPP)
THREE_CALLS(setxattr, -EOPNOTSUPP)
THREE_CALLS(removexattr, -EOPNOTSUPP)
THREE_CALLS(listxattr, 0)
