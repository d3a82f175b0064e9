// SPDX-License-Identifier: Apache-2.0

#include "buffer.h"
#include "entries.h"
#include "errors.h"
#include "exchange.h"
#include "host.h"
#include "path.h"

#include <string.h>

static const char refused[] = "the host refused a file";
static const char damaged[] = "its files cannot be read";

// What the host has answered: it may want no more files.
static bool is_stopped;

// Files and directories whose paths are too long to be named.
static uint32_t unnamed;

static const char *send_contents(struct node *node)
{
    static uint8_t bytes[HOST_BYTES];
    for (uint64_t offset = 0; offset < node->size && !is_stopped;) {
        int32_t answer;
        struct buffer buffer = kernel_buffer(bytes, sizeof bytes);
        int64_t count = node_read(node, &buffer, offset);
        if (count <= 0) {
            return damaged;
        }
        if (!host_output_bytes(bytes, (size_t)count, &answer)) {
            return refused;
        }
        is_stopped = answer != 0;
        offset += (uint64_t)count;
    }
    return NULL;
}

static const char *send_file(struct node *node, const char *path)
{
    int32_t answer;
    if (!host_output_file(path, node->mode, node->size, &answer)) {
        return refused;
    }
    is_stopped = answer != 0;
    return is_stopped ? NULL : send_contents(node);
}

// Appends a name to a path. False if it would be too long.
static bool descend(char *path, const struct directory_item *item)
{
    size_t length = strlen(path);
    if (length + 1 + item->length >= PATH_SIZE) {
        return false;
    }
    path[length] = '/';
    memcpy(path + length + 1, item->name, item->length + 1);
    return true;
}

// The walk has no stack: a program can nest directories as deep as it wants. Each
// directory on the way keeps the place where the walk continues in it.
static const char *send_below(struct node *top, char *path)
{
    struct node *directory = top;
    uint64_t place = 0;
    while (!is_stopped) {
        struct directory_item item;
        struct node *node;
        int64_t error = directory_item_at(directory, place, &item);
        if (error == -ENOENT) {
            if (directory == top) {
                return NULL;
            }
            directory = directory->directory.parent;
            place = directory->directory.walk_place;
            *strrchr(path, '/') = 0;
            continue;
        }
        if (error != 0 || directory_find(directory, item.name, item.length, &node) != 0) {
            return damaged;
        }
        place = item.next_place;
        if (!node_is_directory(node) && !(is_regular(node->mode) && !node->is_text && !node->is_of_host && (node->is_modified || item.is_in_memory))) {
            continue;
        }
        if (!descend(path, &item)) {
            unnamed++;
            continue;
        }
        if (node_is_directory(node)) {
            directory->directory.walk_place = place;
            directory = node;
            place = 0;
            continue;
        }
        const char *problem = send_file(node, path);
        if (problem != NULL) {
            return problem;
        }
        *strrchr(path, '/') = 0;
    }
    return NULL;
}

const char *output_files_send(const char *directory, uint32_t *left_out)
{
    static char path[PATH_SIZE];
    struct lookup lookup;
    size_t length = strlen(directory);
    if (directory[0] != '/' || length >= sizeof path) {
        return "the directory is not an absolute path";
    }
    strcpy(path, directory);
    while (length != 0 && path[length - 1] == '/') {
        path[--length] = 0;
    }
    is_stopped = false;
    unnamed = 0;
    const char *problem = NULL;
    if (path_lookup_text(root_node(), directory, LOOKUP_FOLLOW, &lookup) == 0 && lookup.node != NULL &&
        node_is_directory(lookup.node)) {
        problem = send_below(lookup.node, path);
    }
    *left_out = unnamed;
    return problem;
}
