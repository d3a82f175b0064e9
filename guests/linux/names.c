// SPDX-License-Identifier: Apache-2.0
//
// The system calls that change the names in directories.

#include "names.h"

#include "entries.h"
#include "errors.h"
#include "file_context.h"
#include "host_changes.h"
#include "host_directory.h"
#include "kernel_pages.h"
#include "path.h"
#include "process.h"
#include "system_calls.h"
#include "user.h"

#include <string.h>

// Whether names may be added to a directory or removed from it.
static int64_t check_directory(const struct node *directory)
{
    int64_t error = node_check_access(directory, MAY_WRITE | MAY_EXECUTE);
    return error == 0 && directory->directory.operations != NULL ? -EPERM : error;
}

int64_t names_check_addition(const struct node *directory)
{
    return directory->links == 0 ? -ENOENT : check_directory(directory);
}

int64_t names_check_removal(const struct node *directory, const struct node *node)
{
    int64_t error = check_directory(directory);
    bool is_protected = directory->mode & S_ISVTX && directory->uid != USER_ID && node->uid != USER_ID;
    return error == 0 && is_protected ? -EPERM : error;
}

// The place of a new name.
static int64_t find_new(uint64_t descriptor, uint64_t path, bool is_for_directory, struct lookup *lookup)
{
    int64_t error = path_lookup(descriptor, path, LOOKUP_NAME, lookup);
    if (error != 0) {
        return error;
    }
    if (lookup->node != NULL) {
        return -EEXIST;
    }
    return lookup->has_trailing_slash && !is_for_directory ? -ENOENT : names_check_addition(lookup->directory);
}

// Gives a new node its name, or frees it.
static int64_t add(struct lookup *lookup, struct node *node)
{
    if (node == NULL) {
        return -ENOSPC;
    }
    int64_t error = directory_set(lookup->directory, lookup->name, lookup->length, node);
    if (error != 0) {
        node_unlink(node);
    }
    return error;
}

static int64_t make_directory(uint64_t descriptor, uint64_t path, uint64_t mode)
{
    struct lookup lookup;
    int64_t error = find_new(descriptor, path, true, &lookup);
    if (error != 0) {
        return error;
    }
    const uint32_t permissions = (uint32_t)mode & (S_MODE & ~(S_ISUID | S_ISGID)) & ~current_file_context()->mask;
    error = lookup.directory->is_written_through ? host_create(&lookup, S_IFDIR | permissions)
                                                 : add(&lookup, node_create(S_IFDIR | permissions));
    lookup.directory->links += error == 0;
    return error;
}

int64_t system_call_mkdir(const uint64_t arguments[6])
{
    return make_directory((uint64_t)AT_FDCWD, arguments[0], arguments[1]);
}

int64_t system_call_mkdirat(const uint64_t arguments[6])
{
    return make_directory(arguments[0], arguments[1], arguments[2]);
}

// Regular files and pipes: other kinds would have no use.
static int64_t make_node(uint64_t descriptor, uint64_t path, uint64_t mode)
{
    struct lookup lookup;
    uint32_t type = (uint32_t)mode & S_IFMT;
    if (type != 0 && type != S_IFREG && type != S_IFIFO) {
        return type == S_IFCHR || type == S_IFBLK || type == S_IFSOCK || type == S_IFDIR ? -EPERM : -EINVAL;
    }
    int64_t error = find_new(descriptor, path, false, &lookup);
    if (error != 0) {
        return error;
    }
    if (type == S_IFIFO && lookup.directory->is_of_host) {
        return -EPERM;
    }
    const uint32_t permissions = (uint32_t)mode & S_MODE & ~current_file_context()->mask;
    return lookup.directory->is_written_through ? host_create(&lookup, S_IFREG | permissions)
                                                : add(&lookup, node_create((type == S_IFIFO ? S_IFIFO : S_IFREG) | permissions));
}

int64_t system_call_mknod(const uint64_t arguments[6])
{
    return make_node((uint64_t)AT_FDCWD, arguments[0], arguments[1]);
}

int64_t system_call_mknodat(const uint64_t arguments[6])
{
    return make_node(arguments[0], arguments[1], arguments[2]);
}

static struct node *create_link(const char *target, size_t length)
{
    struct node *node = node_create(S_IFLNK | 0777);
    if (node == NULL) {
        return NULL;
    }
    char *page = kernel_page_allocate();
    if (page == NULL) {
        node_unlink(node);
        return NULL;
    }
    memcpy(page, target, length);
    node->link.target = page;
    node->link.has_page = true;
    node->size = length;
    return node;
}

static int64_t make_link(uint64_t target_address, uint64_t descriptor, uint64_t path)
{
    static char target[PATH_SIZE];
    struct lookup lookup;
    int64_t error = copy_string_from_user(target, target_address, sizeof target);
    if (error == 0 && target[0] == 0) {
        error = -ENOENT;
    }
    error = error == 0 ? find_new(descriptor, path, false, &lookup) : error;
    if (error != 0) {
        return error;
    }
    return lookup.directory->is_of_host ? -EPERM : add(&lookup, create_link(target, strlen(target)));
}

int64_t system_call_symlink(const uint64_t arguments[6])
{
    return make_link(arguments[0], (uint64_t)AT_FDCWD, arguments[1]);
}

int64_t system_call_symlinkat(const uint64_t arguments[6])
{
    return make_link(arguments[0], arguments[1], arguments[2]);
}

static int64_t add_link(uint64_t from_descriptor, uint64_t from_path, uint64_t descriptor, uint64_t path, uint32_t flags)
{
    struct lookup from, lookup;
    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    unsigned lookup_flags = (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int64_t error = path_find(from_descriptor, from_path, lookup_flags, &from);
    error = error == 0 ? find_new(descriptor, path, false, &lookup) : error;
    if (error != 0) {
        return error;
    }
    if (node_is_directory(from.node)) {
        return -EPERM;
    }
    if (from.node->links == 0) {
        return -ENOENT;
    }
    if (from.node->is_transient || from.node->is_of_host != lookup.directory->is_of_host) {
        return -EXDEV;
    }
    if (from.node->is_of_host) {
        bool is_apart = from.directory != NULL && host_directory_top(from.directory) != host_directory_top(lookup.directory);
        return is_apart ? -EXDEV : -EPERM;
    }
    // As many as a damaged image says.
    if (from.node->links == UINT32_MAX) {
        return -EMLINK;
    }
    error = directory_set(lookup.directory, lookup.name, lookup.length, from.node);
    if (error == 0) {
        from.node->links++;
        node_touch_attributes(from.node);
    }
    return error;
}

int64_t system_call_link(const uint64_t arguments[6])
{
    return add_link((uint64_t)AT_FDCWD, arguments[0], (uint64_t)AT_FDCWD, arguments[1], 0);
}

int64_t system_call_linkat(const uint64_t arguments[6])
{
    return add_link(arguments[0], arguments[1], arguments[2], arguments[3], (uint32_t)arguments[4]);
}

static int64_t remove_file(uint64_t descriptor, uint64_t path)
{
    struct lookup lookup;
    int64_t error = path_find(descriptor, path, LOOKUP_NAME, &lookup);
    if (error != 0) {
        return error;
    }
    if (node_is_directory(lookup.node)) {
        return -EISDIR;
    }
    if (lookup.has_trailing_slash) {
        return -ENOTDIR;
    }
    error = names_check_removal(lookup.directory, lookup.node);
    error = error == 0 ? host_remove(&lookup) : error;
    error = error == 0 ? directory_remove(lookup.directory, lookup.name, lookup.length) : error;
    if (error == 0) {
        node_unlink(lookup.node);
    }
    return error;
}

static int64_t remove_directory(uint64_t descriptor, uint64_t path)
{
    struct lookup lookup;
    bool is_empty;
    int64_t error = path_find(descriptor, path, LOOKUP_NAME, &lookup);
    if (error != 0) {
        return error;
    }
    if (!node_is_directory(lookup.node)) {
        return -ENOTDIR;
    }
    if (lookup.directory == NULL) {
        // "/" is in use; the others are not names.
        return lookup.node == root_node() ? -EBUSY : strcmp(lookup.name, "..") == 0 ? -ENOTEMPTY : -EINVAL;
    }
    error = names_check_removal(lookup.directory, lookup.node);
    error = error == 0 ? directory_is_empty(lookup.node, &is_empty) : error;
    if (error == 0 && (!is_empty || lookup.node->is_fixed)) {
        error = lookup.node->is_fixed ? -EBUSY : -ENOTEMPTY;
    }
    error = error == 0 ? host_remove(&lookup) : error;
    error = error == 0 ? directory_remove(lookup.directory, lookup.name, lookup.length) : error;
    if (error == 0) {
        lookup.directory->links -= lookup.directory->links > 2;
        node_unlink(lookup.node);
    }
    return error;
}

int64_t system_call_unlink(const uint64_t arguments[6])
{
    return remove_file((uint64_t)AT_FDCWD, arguments[0]);
}

int64_t system_call_rmdir(const uint64_t arguments[6])
{
    return remove_directory((uint64_t)AT_FDCWD, arguments[0]);
}

int64_t system_call_unlinkat(const uint64_t arguments[6])
{
    if ((uint32_t)arguments[2] & ~AT_REMOVEDIR) {
        return -EINVAL;
    }
    return arguments[2] & AT_REMOVEDIR ? remove_directory(arguments[0], arguments[1])
                                       : remove_file(arguments[0], arguments[1]);
}
