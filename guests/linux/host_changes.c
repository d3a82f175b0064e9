// SPDX-License-Identifier: Apache-2.0

#include "host_changes.h"

#include "buffer.h"
#include "entries.h"
#include "errors.h"
#include "host.h"
#include "host_directory.h"
#include "path.h"

#include <string.h>

#define TIMES_SIZE (4 * sizeof(int64_t))

static char path[PATH_SIZE];
static char new_path[PATH_SIZE];

// Makes a change at `path`.
static int64_t change(enum host_change_step step, const void *bytes, size_t size, uint64_t value, struct host_change *answer)
{
    if (!host_change(step, path, bytes, size, value, answer)) {
        return -EIO;
    }
    return answer->error < 0 || answer->error > EDQUOT ? -EIO : -answer->error;
}

static int64_t change_path(enum host_change_step step, const void *bytes, size_t size, uint64_t value)
{
    struct host_change answer;
    return change(step, bytes, size, value, &answer);
}

static int64_t make_path(const struct node *node)
{
    if (node_is_directory(node)) {
        return host_path((struct node *)node, "", 0, path);
    }
    const struct host_file *source = node->file.source;
    return host_path(source->directory, source->name, source->length, path);
}

static int64_t change_node(const struct node *node, enum host_change_step step, const void *bytes, size_t size, uint64_t value)
{
    int64_t error = make_path(node);
    return error == 0 ? change_path(step, bytes, size, value) : error;
}

static int64_t make_path_of(const struct lookup *lookup)
{
    return host_path(lookup->directory, lookup->name, lookup->length, path);
}

int64_t host_create(struct lookup *lookup, uint32_t mode)
{
    struct node *node = node_create(mode & (S_IFMT | 0777));
    if (node == NULL) {
        return -ENOSPC;
    }
    node->is_of_host = true;
    node->is_written_through = true;
    int64_t error = make_path_of(lookup);
    if (error == 0 && is_regular(mode)) {
        error = host_file_place(node, lookup->directory, lookup->name, lookup->length);
    }
    error = error == 0 ? directory_set(lookup->directory, lookup->name, lookup->length, node) : error;
    if (error == 0) {
        error = change_path(is_regular(mode) ? HOST_CREATE_FILE : HOST_CREATE_DIRECTORY, NULL, 0, mode & 0777);
        if (error != 0) {
            directory_remove(lookup->directory, lookup->name, lookup->length);
        }
    }
    if (error != 0) {
        node_unlink(node);
        return error;
    }
    lookup->node = node;
    return 0;
}

int64_t host_remove(const struct lookup *lookup)
{
    if (!lookup->directory->is_written_through) {
        return 0;
    }
    int64_t error = make_path_of(lookup);
    if (error == 0) {
        error = change_path(node_is_directory(lookup->node) ? HOST_REMOVE_DIRECTORY : HOST_REMOVE_FILE, NULL, 0, 0);
    }
    if (error == 0) {
        host_file_forget(lookup->node);
    }
    return error;
}

int64_t host_rename(const struct lookup *from, const struct lookup *to, uint32_t flags)
{
    if (!from->directory->is_written_through) {
        return 0;
    }
    int64_t error = make_path_of(from);
    error = error == 0 ? host_path(to->directory, to->name, to->length, new_path) : error;
    return error == 0 ? change_path(HOST_RENAME, new_path, strlen(new_path), flags) : error;
}

void host_moved(struct node *node, const struct lookup *place)
{
    if (node->is_written_through && is_regular(node->mode)) {
        // It has a place, which is used again.
        host_file_place(node, place->directory, place->name, place->length);
    }
}

int64_t host_check_writing(struct node *node)
{
    return node->is_written_through && is_regular(node->mode) ? change_node(node, HOST_CHECK, NULL, 0, 0) : 0;
}

// As many bytes of the program as there are for one call.
static size_t take(struct buffer *buffer, uint8_t *part)
{
    size_t taken = 0;
    while (taken < HOST_BYTES && buffer->size != 0) {
        uint64_t size;
        if (buffer_bytes(buffer, &size) == NULL) {
            break;
        }
        size = size < HOST_BYTES - taken ? size : HOST_BYTES - taken;
        if (!buffer_take(buffer, part + taken, size)) {
            break;
        }
        taken += size;
    }
    return taken;
}

// The bytes that the host has, at the place where it has them.
static int64_t follow(struct node *node, uint8_t *part, const struct host_change *answer, uint64_t *position)
{
    bool is_elsewhere = answer->offset != *position;
    *position = answer->offset + answer->count;
    if (is_elsewhere) {
        // Others have changed the file.
        node->file.source->is_fetched = false;
        return host_file_fetch(node);
    }
    struct buffer buffer = kernel_buffer(part, answer->count);
    return node_write(node, &buffer, answer->offset) == (int64_t)answer->count ? 0 : -EIO;
}

int64_t host_write_file(struct node *node, struct buffer *buffer, uint64_t *position, bool is_append)
{
    static uint8_t part[HOST_BYTES];
    int64_t total = 0;
    int64_t error = 0;
    while (error == 0 && buffer->size != 0) {
        struct host_change answer;
        *position = is_append ? node->size : *position;
        size_t size = take(buffer, part);
        error = size == 0 ? -EFAULT : node_reserve(node, *position, size);
        error = error == 0 ? make_path(node) : error;
        error = error == 0 ? change(is_append ? HOST_APPEND : HOST_WRITE, part, size, *position, &answer) : error;
        if (error != 0) {
            break;
        }
        if (answer.count == 0 || answer.count > size || (!is_append && answer.offset != *position)) {
            error = -EIO;
            break;
        }
        error = follow(node, part, &answer, position);
        total += answer.count;
        if (answer.count < size) {
            break;
        }
    }
    return total != 0 ? total : error;
}

int64_t file_resize(struct node *node, uint64_t size)
{
    if (!node->is_written_through) {
        return node_resize(node, size);
    }
    int64_t error = size != 0 ? node_reserve(node, size - 1, 0) : 0;
    error = error == 0 ? change_node(node, HOST_RESIZE, NULL, 0, size) : error;
    if (error != 0 || node->file.source->is_fetched) {
        return error != 0 ? error : node_resize(node, size);
    }
    node->size = size;
    node_touch(node);
    return 0;
}

int64_t host_set_mode(struct node *node, uint32_t mode)
{
    return node->is_written_through ? change_node(node, HOST_SET_MODE, NULL, 0, mode & 0777) : 0;
}

int64_t host_set_times(struct node *node, const int64_t times[4])
{
    return node->is_written_through ? change_node(node, HOST_SET_TIMES, times, TIMES_SIZE, 0) : 0;
}

int64_t host_synchronize(struct node *node)
{
    return node->is_written_through ? change_node(node, HOST_SYNCHRONIZE, NULL, 0, 0) : 0;
}
