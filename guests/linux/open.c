// SPDX-License-Identifier: Apache-2.0
//
// The system calls that open files.

#include "entries.h"
#include "errors.h"
#include "file_context.h"
#include "files.h"
#include "host_changes.h"
#include "host_directory.h"
#include "node.h"
#include "path.h"
#include "process.h"
#include "regular_file.h"
#include "system_calls.h"
#include "user.h"

#define MFD_CLOEXEC 1U
#define MFD_ALLOW_SEALING 2U
#define MFD_NOEXEC_SEAL 8U
#define MFD_EXEC 16U
#define MOST_MEMFD_NAME 250

static uint32_t access_of(uint32_t flags)
{
    static const uint32_t access[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
    return access[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

static int64_t create(struct lookup *lookup, uint32_t mode)
{
    int64_t error = node_check_access(lookup->directory, MAY_WRITE | MAY_EXECUTE);
    if (error == 0 && lookup->directory->directory.operations != NULL) {
        error = -EACCES;
    }
    if (error == 0 && lookup->directory->links == 0) {
        error = -ENOENT;
    }
    if (error != 0) {
        return error;
    }
    mode = S_IFREG | (mode & S_MODE & ~current_file_context()->mask);
    if (lookup->directory->is_written_through) {
        return host_create(lookup, mode);
    }
    struct node *node = node_create(mode);
    if (node == NULL) {
        return -ENOSPC;
    }
    error = directory_set(lookup->directory, lookup->name, lookup->length, node);
    if (error != 0) {
        node_unlink(node);
    }
    lookup->node = node;
    return error;
}

// What must hold to open a node that exists.
static int64_t check_existing(struct node *node, uint32_t flags)
{
    if (flags & O_DIRECTORY && !node_is_directory(node)) {
        return -ENOTDIR;
    }
    if (is_link(node->mode)) {
        return -ELOOP;
    }
    if (node_is_directory(node) && (flags & (O_CREAT | O_TRUNC) || (flags & O_ACCMODE) != O_RDONLY)) {
        return -EISDIR;
    }
    if (flags & O_NOATIME && node->uid != USER_ID) {
        return -EPERM;
    }
    int64_t error = node_check_access(node, access_of(flags));
    return error == 0 && access_of(flags) & MAY_WRITE ? host_check_writing(node) : error;
}

static int64_t open_temporary(struct node *directory, uint32_t flags, uint32_t mode, struct file **file)
{
    if (!node_is_directory(directory)) {
        return -ENOTDIR;
    }
    int64_t error = node_check_access(directory, MAY_WRITE | MAY_EXECUTE);
    if (error == 0 && directory->is_of_host) {
        return -EOPNOTSUPP;
    }
    struct node *node = error == 0 ? node_create(S_IFREG | (mode & S_MODE & ~current_file_context()->mask)) : NULL;
    if (node == NULL) {
        return error != 0 ? error : -ENOSPC;
    }
    node_retain(node);
    error = node_open(node, flags & ~(uint32_t)O_TMPFILE, file);
    node_unlink(node);
    node_release(node);
    return error;
}

// Only so is a link opened.
static int64_t open_path(struct node *node, uint32_t flags, struct file **file)
{
    struct node *kept = node_keep(node);
    if (kept == NULL) {
        return -ENOMEM;
    }
    int64_t error = node_open(kept, flags, file);
    node_release(kept);
    return error;
}

static int64_t open_found(struct lookup *lookup, uint32_t flags, uint32_t mode, struct file **file)
{
    bool is_created = false;
    int64_t error = 0;
    if (flags & O_PATH) {
        if (lookup->node == NULL) {
            return -ENOENT;
        }
        return flags & O_DIRECTORY && !node_is_directory(lookup->node) ? -ENOTDIR : open_path(lookup->node, flags, file);
    }
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        return lookup->node == NULL ? -ENOENT
               : (flags & O_ACCMODE) == O_RDONLY ? -EINVAL : open_temporary(lookup->node, flags, mode, file);
    }
    if (lookup->node == NULL) {
        error = flags & O_CREAT ? create(lookup, mode) : -ENOENT;
        is_created = error == 0;
        if (error == -EEXIST && !(flags & O_EXCL)) {
            // Since the directory was listed.
            error = host_directory_add(lookup->directory, lookup->name, lookup->length, &lookup->node);
            error = error == 0 ? check_existing(lookup->node, flags) : error == -ENOENT ? -EACCES : error;
        }
    } else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        error = -EEXIST;
    } else {
        error = check_existing(lookup->node, flags);
    }
    if (error == 0 && !is_created && flags & O_TRUNC && is_regular(lookup->node->mode) && !lookup->node->is_text) {
        error = file_resize(lookup->node, 0);
    }
    return error != 0 ? error : node_open(lookup->node, flags, file);
}

// What the flag O_PATH leaves of the others.
static uint32_t simplify(uint32_t flags)
{
    if (flags & O_PATH) {
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    }
    return flags;
}

static int64_t open_at(uint64_t descriptor, uint64_t path, uint64_t all_flags, uint64_t mode)
{
    struct lookup lookup;
    struct file *file = NULL;
    uint32_t flags = simplify((uint32_t)all_flags);
    if ((flags & O_TMPFILE) == O_DIRECTORY && flags & O_CREAT) {
        return -EINVAL;
    }
    // Before a file is created or truncated.
    int64_t descriptor_or_error = files_find_free(current_files(), 0);
    if (descriptor_or_error < 0) {
        return descriptor_or_error;
    }
    bool follows = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    int64_t error = path_lookup(descriptor, path, (follows ? LOOKUP_FOLLOW : 0) | (flags & O_CREAT ? LOOKUP_NAME : 0), &lookup);
    if (error != 0) {
        return error;
    }
    if (flags & O_CREAT && lookup.directory != NULL && lookup.has_trailing_slash) {
        return -EISDIR;
    }
    if (lookup.file != NULL && lookup.node == NULL) {
        // A link to an open file that has no name, such as a pipe.
        file = lookup.file;
        file_retain(file);
    } else {
        error = open_found(&lookup, flags, (uint32_t)mode, &file);
    }
    return error != 0 ? error : files_add(current_files(), file, flags & O_CLOEXEC, 0);
}

int64_t system_call_open(const uint64_t arguments[6])
{
    return open_at((uint64_t)AT_FDCWD, arguments[0], arguments[1], arguments[2]);
}

int64_t system_call_openat(const uint64_t arguments[6])
{
    return open_at(arguments[0], arguments[1], arguments[2], arguments[3]);
}

int64_t system_call_creat(const uint64_t arguments[6])
{
    return open_at((uint64_t)AT_FDCWD, arguments[0], O_CREAT | O_WRONLY | O_TRUNC, arguments[1]);
}

int64_t system_call_memfd_create(const uint64_t arguments[6])
{
    char name[MOST_MEMFD_NAME];
    struct file *file;
    uint32_t flags = (uint32_t)arguments[1];
    if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)) {
        return -EINVAL;
    }
    int64_t error = copy_string_from_user(name, arguments[0], sizeof name);
    if (error != 0) {
        return error == -ENAMETOOLONG ? -EINVAL : error;
    }
    struct node *node = node_create(S_IFREG | 0777);
    if (node == NULL) {
        return -ENOMEM;
    }
    node_retain(node);
    node_unlink(node);
    error = node_open(node, O_RDWR | O_LARGEFILE, &file);
    node_release(node);
    return error != 0 ? error : files_add(current_files(), file, flags & MFD_CLOEXEC, 0);
}
