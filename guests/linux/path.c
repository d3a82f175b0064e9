// SPDX-License-Identifier: Apache-2.0

#include "path.h"

#include "entries.h"
#include "errors.h"
#include "file_context.h"
#include "files.h"
#include "user.h"

#include <string.h>

#define MOST_LINKS 40

struct walk {
    struct node *current;
    const char *rest;
    unsigned flags;
    unsigned links;
    struct lookup *lookup;
};

// What is left of the path, when a link was replaced by its target.
static char expanded[2][PATH_SIZE];

static int64_t expand(struct walk *walk, struct node *link)
{
    char *buffer = expanded[walk->links % 2];
    int64_t length = node_link_target(link, buffer, PATH_SIZE);
    size_t rest = strlen(walk->rest);
    if (length <= 0) {
        return length == 0 ? -ENOENT : length;
    }
    if ((size_t)length + rest + 1 > PATH_SIZE) {
        return -ENAMETOOLONG;
    }
    memcpy(buffer + length, walk->rest, rest + 1);
    walk->rest = buffer;
    if (buffer[0] == '/') {
        walk->current = root_node();
    }
    return 0;
}

// The component that begins at `rest`, and what follows it without slashes.
static int64_t next_component(struct walk *walk, bool *is_last, bool *has_slash)
{
    size_t length = strcspn(walk->rest, "/");
    if (length > NAME_SIZE) {
        return -ENAMETOOLONG;
    }
    memcpy(walk->lookup->name, walk->rest, length);
    walk->lookup->name[length] = 0;
    walk->lookup->length = length;
    const char *after = walk->rest + length;
    size_t slashes = strspn(after, "/");
    *has_slash = slashes != 0;
    *is_last = after[slashes] == 0;
    // With the slashes, for the target of a link.
    walk->rest = after;
    return 0;
}

static bool is_name(const struct lookup *lookup, const char *name)
{
    return strcmp(lookup->name, name) == 0;
}

// Replaces a link. True if the walk ends: the link is one to an open file.
static int64_t follow(struct walk *walk, struct node *link, bool is_last, bool *is_end)
{
    *is_end = false;
    if (++walk->links > MOST_LINKS) {
        return -ELOOP;
    }
    if (link->link.follow == NULL) {
        return expand(walk, link);
    }
    struct node *node = NULL;
    struct file *file = NULL;
    int64_t error = link->link.follow(link, &node, &file);
    if (error != 0) {
        return error;
    }
    if (is_last) {
        walk->lookup->node = node;
        walk->lookup->file = file;
        walk->lookup->directory = NULL;
        *is_end = true;
        return 0;
    }
    walk->current = node;
    return node != NULL ? 0 : -ENOTDIR;
}

static bool is_followed(unsigned flags, bool is_last, bool has_slash)
{
    return !is_last || (has_slash ? !(flags & LOOKUP_NAME) : (flags & LOOKUP_FOLLOW) != 0);
}

static int64_t step(struct walk *walk, bool *is_end)
{
    struct lookup *lookup = walk->lookup;
    bool is_last, has_slash;
    lookup->node = lookup->directory = NULL;
    if (!node_is_directory(walk->current)) {
        return -ENOTDIR;
    }
    int64_t error = node_check_access(walk->current, MAY_EXECUTE);
    if (error == 0) {
        error = next_component(walk, &is_last, &has_slash);
    }
    if (error != 0) {
        return error;
    }
    *is_end = is_last;
    if (is_name(lookup, ".") || is_name(lookup, "..")) {
        struct node *parent = walk->current->directory.parent;
        walk->current = lookup->name[1] == 0 || parent == NULL ? walk->current : parent;
        lookup->node = walk->current;
        lookup->directory = NULL;
        return 0;
    }
    struct node *directory = walk->current;
    struct node *node;
    error = directory_find(directory, lookup->name, lookup->length, &node);
    if (error == 0 && is_link(node->mode) && is_followed(walk->flags, is_last, has_slash)) {
        return follow(walk, node, is_last && !has_slash, is_end);
    }
    if (error != 0 && !(error == -ENOENT && is_last)) {
        return error;
    }
    lookup->node = error == 0 ? node : NULL;
    lookup->directory = directory;
    lookup->has_trailing_slash = has_slash;
    if (error == 0 && is_last && has_slash && !node_is_directory(node) && !(walk->flags & LOOKUP_NAME)) {
        return -ENOTDIR;
    }
    walk->current = node;
    return 0;
}

int64_t path_lookup_text(struct node *start, const char *path, unsigned flags, struct lookup *lookup)
{
    struct walk walk = { .current = path[0] == '/' ? root_node() : start, .rest = path, .flags = flags, .lookup = lookup };
    memset(lookup, 0, sizeof *lookup);
    if (path[0] == 0) {
        return -ENOENT;
    }
    for (bool is_end = false; !is_end;) {
        walk.rest += strspn(walk.rest, "/");
        if (walk.rest[0] == 0) {
            // "/", or a link to a path with a slash at its end.
            lookup->node = walk.current;
            lookup->directory = NULL;
            return node_is_directory(walk.current) ? 0 : -ENOTDIR;
        }
        int64_t error = step(&walk, &is_end);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int64_t find_start(uint64_t descriptor, const char *path, struct node **start)
{
    *start = current_file_context()->working_directory;
    if (path[0] == '/' || (int32_t)descriptor == AT_FDCWD) {
        return 0;
    }
    const struct file *file = current_file(descriptor);
    if (file == NULL) {
        return -EBADF;
    }
    *start = file->node;
    return *start != NULL && node_is_directory(*start) ? 0 : -ENOTDIR;
}

static int64_t lookup_descriptor(uint64_t descriptor, struct lookup *lookup)
{
    memset(lookup, 0, sizeof *lookup);
    lookup->is_empty = true;
    if ((int32_t)descriptor == AT_FDCWD) {
        lookup->node = current_file_context()->working_directory;
        return 0;
    }
    lookup->file = current_file(descriptor);
    if (lookup->file == NULL) {
        return -EBADF;
    }
    lookup->node = lookup->file->node;
    return 0;
}

int64_t path_lookup(uint64_t descriptor, uint64_t path, unsigned flags, struct lookup *lookup)
{
    static char text[PATH_SIZE];
    struct node *start;
    int64_t error = copy_string_from_user(text, path, sizeof text);
    if (error != 0) {
        return error;
    }
    if (text[0] == 0 && flags & LOOKUP_EMPTY) {
        return lookup_descriptor(descriptor, lookup);
    }
    error = text[0] == 0 ? -ENOENT : find_start(descriptor, text, &start);
    return error != 0 ? error : path_lookup_text(start, text, flags, lookup);
}

int64_t path_find(uint64_t descriptor, uint64_t path, unsigned flags, struct lookup *lookup)
{
    int64_t error = path_lookup(descriptor, path, flags, lookup);
    return error == 0 && lookup->node == NULL ? -ENOENT : error;
}

int64_t path_of_directory(struct node *directory, char *path, size_t size)
{
    // From the end.
    size_t start = size - 1;
    path[start] = 0;
    for (struct node *node = directory; node != root_node(); node = node->directory.parent) {
        size_t length = node->directory.name_length;
        if (node->directory.name == NULL) {
            return -ENOENT;
        }
        if (start < length + 1) {
            return -ENAMETOOLONG;
        }
        start -= length + 1;
        path[start] = '/';
        memcpy(path + start + 1, node->directory.name, length);
    }
    if (start == size - 1) {
        path[--start] = '/';
    }
    memmove(path, path + start, size - start);
    return (int64_t)(size - start);
}
