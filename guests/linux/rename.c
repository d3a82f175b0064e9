// SPDX-License-Identifier: Apache-2.0
//
// The system calls that give a file another name.

#include "entries.h"
#include "errors.h"
#include "host_changes.h"
#include "host_directory.h"
#include "names.h"
#include "path.h"
#include "system_calls.h"

#define RENAME_NOREPLACE 1U
#define RENAME_EXCHANGE 2U

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
    int64_t error = names_check_removal(to->directory, to->node);
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
    int64_t error = names_check_removal(from->directory, from->node);
    if (error != 0 || from->node == to->node) {
        return error;
    }
    if (to->node == NULL) {
        return names_check_addition(to->directory);
    }
    return flags & RENAME_EXCHANGE ? names_check_removal(to->directory, to->node) : check_replacement(from, to);
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
