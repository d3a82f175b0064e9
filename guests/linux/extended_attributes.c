// SPDX-License-Identifier: Apache-2.0
//
// The system calls of extended attributes: files have none, and cannot have any.

#include "errors.h"
#include "files.h"
#include "path.h"
#include "system_calls.h"
#include "user.h"

#define MOST_NAME 255
#define MOST_VALUE 65536
#define XATTR_FLAGS 3U

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

static int64_t check_name(const uint64_t arguments[6])
{
    char name[MOST_NAME + 1];
    int64_t error = copy_string_from_user(name, arguments[1], sizeof name);
    return error == -ENAMETOOLONG || (error == 0 && name[0] == 0) ? -ERANGE : error != 0 ? error : -EOPNOTSUPP;
}

// What is wrong with the name and the value of an attribute, besides that there is none.
static int64_t check_value(const uint64_t arguments[6])
{
    if ((uint32_t)arguments[4] & ~XATTR_FLAGS) {
        return -EINVAL;
    }
    int64_t error = check_name(arguments);
    if (error != -EOPNOTSUPP) {
        return error;
    }
    if (arguments[3] > MOST_VALUE) {
        return -E2BIG;
    }
    for (uint64_t done = 0; done < arguments[3];) {
        uint64_t readable;
        if (user_bytes(arguments[2] + done, &readable) == NULL) {
            return -EFAULT;
        }
        done += readable;
    }
    return -EOPNOTSUPP;
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

THREE_CALLS(getxattr, check_name(arguments))
THREE_CALLS(setxattr, check_value(arguments))
THREE_CALLS(removexattr, check_name(arguments))
THREE_CALLS(listxattr, 0)
