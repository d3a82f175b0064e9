// SPDX-License-Identifier: Apache-2.0
//
// The system calls that change the names in directories.

#include "entries.h"
#include "errors.h"
#include "file_context.h"
#include "files.h"
#include "host_changes.h"
#include "host_directory.h"
#include "kernel_pages.h"
#include "path.h"
#include "process.h"
#include "system_calls.h"
#include "user.h"

#include <string.h>

#define RENAME_NOREPLACE 1U
#define RENAME_EXCHANGE 2U

// Whether names may be added to a directory or removed from it.
static int64_t check_directory(const struct node *directory)
{
    int64_t error = node_check_access(directory, MAY_WRITE | MAY_EXECUTE);
    return error == 0 && directory->directory.operations != NULL ? -EPERM : error;
}

// A directory to which a name is added: it must not have been removed.
static int64_t check_addition(const struct node *directory)
{
    return directory->links == 0 ? -ENOENT : check_directory(directory);
}

// In a directory with the sticky bit only the owner removes a name.
static int64_t check_removal(const struct node *directory, const struct node *node)
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
    return lookup->has_trailing_slash && !is_for_directory ? -ENOENT : check_addition(lookup->directory);
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
    error = check_removal(lookup.directory, lookup.node);
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
    error = check_removal(lookup.directory, lookup.node);
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

// Whether a directory is another one or above it.
static bool is_above(const struct node *directory, const struct node *other)
{
    while (other != NULL && other != directory) {
        other = other->directory.parent;
    }
    return other != NULL;
}

// Whether a name may be given to another node, which has it until then.
static int64_t check_replacement(const struct lookup *from, const struct lookup *to)
{
    bool is_empty;
    int64_t error = check_removal(to->directory, to->node);
    if (error != 0) {
        return error;
    }
    if (!node_is_directory(to->node)) {
        return node_is_directory(from->node) ? -ENOTDIR : 0;
    }
    if (!node_is_directory(from->node)) {
        return -EISDIR;
    }
    error = directory_is_empty(to->node, &is_empty);
    return error == 0 && !is_empty ? -ENOTEMPTY : error;
}

static int64_t check_rename(const struct lookup *from, const struct lookup *to, uint32_t flags)
{
    if (from->directory == NULL || to->directory == NULL) {
        return -EBUSY;
    }
    if (host_directory_top(from->directory) != host_directory_top(to->directory)) {
        return -EXDEV;
    }
    if (from->node == NULL || (to->node == NULL && flags & RENAME_EXCHANGE)) {
        return -ENOENT;
    }
    if (to->node != NULL && flags & RENAME_NOREPLACE) {
        return -EEXIST;
    }
    // With a slash after either name it is that of a directory.
    bool has_slash = from->has_trailing_slash || (to->has_trailing_slash && !(flags & RENAME_EXCHANGE));
    if (!node_is_directory(from->node) && has_slash) {
        return -ENOTDIR;
    }
    if (node_is_directory(from->node) && is_above(from->node, to->directory)) {
        return -EINVAL;
    }
    if (to->node != NULL && node_is_directory(to->node) && is_above(to->node, from->directory)) {
        return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
    }
    if (from->node->is_fixed || (to->node != NULL && to->node->is_fixed)) {
        return -EBUSY;
    }
    int64_t error = check_removal(from->directory, from->node);
    if (error != 0 || from->node == to->node) {
        return error;
    }
    if (to->node == NULL) {
        return check_addition(to->directory);
    }
    return flags & RENAME_EXCHANGE ? check_removal(to->directory, to->node) : check_replacement(from, to);
}

static void count_directory(struct node *directory, const struct node *node, int change)
{
    if (node != NULL && node_is_directory(node) && (change > 0 || directory->links > 2)) {
        directory->links += (uint32_t)change;
    }
}

// Makes sure that there is an entry in memory for a name, so that what follows
// cannot fail.
static int64_t reserve(struct lookup *lookup)
{
    return lookup->node != NULL ? directory_set(lookup->directory, lookup->name, lookup->length, lookup->node) : 0;
}

static int64_t exchange(struct lookup *from, struct lookup *to)
{
    int64_t error = reserve(from);
    error = error == 0 ? reserve(to) : error;
    error = error == 0 ? host_rename(from, to, RENAME_EXCHANGE) : error;
    if (error != 0) {
        return error;
    }
    host_moved(from->node, to);
    host_moved(to->node, from);
    directory_set(from->directory, from->name, from->length, to->node);
    directory_set(to->directory, to->name, to->length, from->node);
    count_directory(from->directory, to->node, 1);
    count_directory(from->directory, from->node, -1);
    count_directory(to->directory, from->node, 1);
    count_directory(to->directory, to->node, -1);
    node_touch_attributes(from->node);
    node_touch_attributes(to->node);
    return 0;
}

// The names as they were before a move.
static void restore(struct lookup *from, struct lookup *to)
{
    directory_set(from->directory, from->name, from->length, from->node);
    if (to->node != NULL) {
        directory_set(to->directory, to->name, to->length, to->node);
    } else {
        directory_remove(to->directory, to->name, to->length);
    }
}

static int64_t move(struct lookup *from, struct lookup *to, uint32_t flags)
{
    // The old name then has an entry, so that its removal needs no memory.
    int64_t error = reserve(from);
    error = error == 0 ? directory_set(to->directory, to->name, to->length, from->node) : error;
    if (error != 0) {
        return error;
    }
    error = host_rename(from, to, flags);
    if (error != 0) {
        restore(from, to);
        return error;
    }
    host_moved(from->node, to);
    if (to->node != NULL) {
        host_file_forget(to->node);
    }
    directory_remove(from->directory, from->name, from->length);
    count_directory(from->directory, from->node, -1);
    count_directory(to->directory, from->node, 1);
    count_directory(to->directory, to->node, -1);
    node_touch_attributes(from->node);
    if (to->node != NULL) {
        node_unlink(to->node);
    }
    return 0;
}

static int64_t rename(uint64_t from_descriptor, uint64_t from_path, uint64_t to_descriptor, uint64_t to_path, uint32_t flags)
{
    struct lookup from, to;
    if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE)) {
        return -EINVAL;
    }
    int64_t error = path_lookup(from_descriptor, from_path, LOOKUP_NAME, &from);
    error = error == 0 ? path_lookup(to_descriptor, to_path, LOOKUP_NAME, &to) : error;
    error = error == 0 ? check_rename(&from, &to, flags) : error;
    if (error != 0 || from.node == to.node) {
        return error;
    }
    return flags & RENAME_EXCHANGE ? exchange(&from, &to) : move(&from, &to, flags);
}

int64_t system_call_rename(const uint64_t arguments[6])
{
    return rename((uint64_t)AT_FDCWD, arguments[0], (uint64_t)AT_FDCWD, arguments[1], 0);
}

int64_t system_call_renameat(const uint64_t arguments[6])
{
    return rename(arguments[0], arguments[1], arguments[2], arguments[3], 0);
}

int64_t system_call_renameat2(const uint64_t arguments[6])
{
    return rename(arguments[0], arguments[1], arguments[2], arguments[3], (uint32_t)arguments[4]);
}
