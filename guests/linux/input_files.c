// SPDX-License-Identifier: Apache-2.0

#include "buffer.h"
#include "entries.h"
#include "errors.h"
#include "exchange.h"
#include "host.h"
#include "host_directory.h"
#include "path.h"

#include <string.h>

#define HEADER_SIZE 16
#define DIRECTORY_MODE (S_IFDIR | 0755U)
// A directory of the host that may be changed.
#define WRITABLE_DIRECTORY 2

struct input_file {
    uint32_t mode, host_directory;
    uint64_t size;
    char path[PATH_SIZE];
};

// False if the host refused, or if what it sent is invalid. Without a path after
// the last file.
static bool receive(int32_t index, struct input_file *file)
{
    const uint8_t *bytes;
    size_t count;
    file->path[0] = 0;
    if (!host_input_file(index, &bytes, &count)) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    if (count <= HEADER_SIZE || count - HEADER_SIZE >= sizeof file->path) {
        return false;
    }
    memcpy(file, bytes, HEADER_SIZE);
    memcpy(file->path, bytes + HEADER_SIZE, count - HEADER_SIZE);
    file->path[count - HEADER_SIZE] = 0;
    return file->path[0] == '/' && (is_regular(file->mode) || is_directory(file->mode));
}

static int64_t add(struct lookup *lookup, uint32_t mode, struct node **node)
{
    *node = node_create(mode & (S_IFMT | S_MODE));
    int64_t error = *node != NULL ? directory_set(lookup->directory, lookup->name, lookup->length, *node) : -ENOSPC;
    if (error != 0) {
        if (*node != NULL) {
            node_unlink(*node);
        }
        return error;
    }
    lookup->directory->links += is_directory(mode);
    return 0;
}

// A directory, unless it is there.
static int64_t make_directory(const char *path, uint32_t mode)
{
    struct lookup lookup;
    struct node *node;
    int64_t error = path_lookup_text(root_node(), path, LOOKUP_FOLLOW, &lookup);
    if (error != 0 || lookup.node != NULL) {
        return error != 0 ? error : node_is_directory(lookup.node) ? 0 : -ENOTDIR;
    }
    return add(&lookup, mode, &node);
}

static int64_t make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int64_t error = make_directory(path, DIRECTORY_MODE);
        *slash = '/';
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

// A directory of the host instead of what has its path. One that is there already is
// read again.
static int64_t make_host_directory(const char *path, bool is_writable)
{
    struct lookup lookup;
    int64_t error = path_lookup_text(root_node(), path, LOOKUP_NAME, &lookup);
    if (error != 0) {
        return error;
    }
    if (lookup.directory == NULL || lookup.directory->directory.operations != NULL ||
        (lookup.node != NULL && lookup.node->is_fixed && !lookup.node->is_of_host)) {
        return -EACCES;
    }
    struct node *node = host_directory_create(is_writable);
    error = node != NULL ? directory_set(lookup.directory, lookup.name, lookup.length, node) : -ENOSPC;
    if (error == 0) {
        node->is_fixed = true;
        lookup.directory->links += lookup.node == NULL || !node_is_directory(lookup.node);
    }
    return error;
}

// A new file instead of what has its path.
static int64_t make_file(const struct input_file *file, struct node **node)
{
    struct lookup lookup;
    int64_t error = path_lookup_text(root_node(), file->path, LOOKUP_NAME, &lookup);
    if (error != 0) {
        return error;
    }
    if (lookup.directory == NULL || lookup.has_trailing_slash ||
        (lookup.node != NULL && node_is_directory(lookup.node))) {
        return -EISDIR;
    }
    if (lookup.directory->directory.operations != NULL) {
        return -EACCES;
    }
    error = add(&lookup, file->mode, node);
    if (error == 0 && lookup.node != NULL) {
        node_unlink(lookup.node);
    }
    return error;
}

static int64_t fill(struct node *node, int32_t index, uint64_t size)
{
    while (node->size < size) {
        const uint8_t *bytes;
        size_t count;
        size_t part = size - node->size < HOST_BYTES ? (size_t)(size - node->size) : HOST_BYTES;
        if (!host_input_bytes(index, node->size, part, &bytes, &count) || count == 0) {
            return -EIO;
        }
        struct buffer buffer = kernel_buffer(bytes, count);
        int64_t written = node_write(node, &buffer, node->size);
        if (written != (int64_t)count) {
            return written < 0 ? written : -ENOSPC;
        }
    }
    return 0;
}

const char *input_files_receive(void)
{
    static struct input_file file;
    struct node *node;
    for (int32_t index = 0; ; index++) {
        if (!receive(index, &file)) {
            return "a file that it is handed is invalid";
        }
        if (file.path[0] == 0) {
            return NULL;
        }
        int64_t error = make_parents(file.path);
        if (error == 0 && file.host_directory != 0) {
            error = make_host_directory(file.path, file.host_directory == WRITABLE_DIRECTORY);
        } else if (error == 0 && is_directory(file.mode)) {
            error = make_directory(file.path, file.mode);
        } else if (error == 0) {
            error = make_file(&file, &node);
            error = error == 0 ? fill(node, index, file.size) : error;
        }
        if (error != 0) {
            return error == -ENOSPC || error == -ENOMEM ? "there is not enough memory for the files that it is handed"
                   : error == -EIO                      ? "a file that it is handed cannot be read"
                                                        : "the path of a file that it is handed cannot be used";
        }
    }
}
