// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the working directory.

#include "errors.h"
#include "file_context.h"
#include "files.h"
#include "path.h"
#include "system_calls.h"
#include "user.h"

int64_t system_call_getcwd(const uint64_t arguments[6])
{
    static char path[PATH_SIZE];
    int64_t size = path_of_directory(current_file_context()->working_directory, path, sizeof path);
    if (size < 0) {
        return size;
    }
    if ((uint64_t)size > arguments[1]) {
        return -ERANGE;
    }
    return copy_to_user(arguments[0], path, (size_t)size) ? size : -EFAULT;
}

static int64_t change_directory(struct node *node)
{
    if (!node_is_directory(node)) {
        return -ENOTDIR;
    }
    int64_t error = node_check_access(node, MAY_EXECUTE);
    if (error == 0) {
        file_context_change_directory(current_file_context(), node);
    }
    return error;
}

int64_t system_call_chdir(const uint64_t arguments[6])
{
    struct lookup lookup;
    int64_t error = path_find((uint64_t)AT_FDCWD, arguments[0], LOOKUP_FOLLOW, &lookup);
    return error != 0 ? error : change_directory(lookup.node);
}

int64_t system_call_fchdir(const uint64_t arguments[6])
{
    const struct file *file = current_file(arguments[0]);
    if (file == NULL) {
        return -EBADF;
    }
    return file->node != NULL ? change_directory(file->node) : -ENOTDIR;
}
