// SPDX-License-Identifier: Apache-2.0

#include "regular_file.h"

#include "errors.h"
#include "host_changes.h"
#include "host_directory.h"
#include "pages.h"
#include "resource_limits.h"
#include "user.h"

#define FIONREAD 0x541BU

int64_t seek_to(struct file *file, uint64_t size, int64_t offset, uint32_t origin)
{
    int64_t base = 0;
    switch (origin) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = (int64_t)file->position;
        break;
    case SEEK_END:
        base = (int64_t)size;
        break;
    default:
        return -EINVAL;
    }
    int64_t position;
    if (__builtin_add_overflow(base, offset, &position)) {
        return -EOVERFLOW;
    }
    if (position < 0) {
        return -EINVAL;
    }
    file->position = (uint64_t)position;
    return position;
}

static int64_t read_file(struct file *file, struct buffer *buffer, uint64_t *position)
{
    int64_t count = node_read(file->node, buffer, *position);
    *position += count > 0 ? (uint64_t)count : 0;
    return count;
}

static int64_t write_at(struct file *file, struct buffer *buffer, uint64_t *position)
{
    if (file->node->is_written_through) {
        return host_write_file(file->node, buffer, position, file->flags & O_APPEND);
    }
    int64_t count = node_write(file->node, buffer, *position);
    *position += count > 0 ? (uint64_t)count : 0;
    return count;
}

static int64_t write_file(struct file *file, struct buffer *buffer, uint64_t *position)
{
    if (file->flags & O_APPEND) {
        *position = file->node->size;
    }
    if ((int64_t)(*position + buffer->size) < 0) {
        return -EFBIG;
    }
    // What fits into the limit is written.
    uint64_t limit = resource_limit(RLIMIT_FSIZE);
    uint64_t space = *position < limit ? limit - *position : 0;
    if (space == 0 && buffer->size != 0 && !resource_allows_file_size(*position + buffer->size)) {
        return -EFBIG;
    }
    uint64_t rest = buffer->size > space ? buffer->size - space : 0;
    buffer->size -= rest;
    int64_t count = write_at(file, buffer, position);
    buffer->size += rest;
    return count;
}

// The next page of data, or the next hole, from a position on.
static int64_t seek_data(struct file *file, int64_t offset, bool is_hole)
{
    const struct node *node = file->node;
    if (offset < 0 || (uint64_t)offset >= node->size) {
        return -ENXIO;
    }
    uint64_t index = (uint64_t)offset / PAGE_SIZE;
    if (is_hole) {
        while (index * PAGE_SIZE < node->size && node_next_page(node, index) == index) {
            index++;
        }
    } else {
        index = node_next_page(node, index);
    }
    if (!is_hole && (index == NO_PAGE || index * PAGE_SIZE >= node->size)) {
        return -ENXIO;
    }
    uint64_t position = index * PAGE_SIZE > (uint64_t)offset ? index * PAGE_SIZE : (uint64_t)offset;
    position = position < node->size ? position : node->size;
    file->position = position;
    return (int64_t)position;
}

static int64_t seek_file(struct file *file, int64_t offset, uint32_t origin)
{
    if (origin == SEEK_DATA || origin == SEEK_HOLE) {
        return seek_data(file, offset, origin == SEEK_HOLE);
    }
    return seek_to(file, file->node->size, offset, origin);
}

static int64_t control_file(struct file *file, uint64_t request, uint64_t argument)
{
    if ((uint32_t)request != FIONREAD) {
        return -ENOTTY;
    }
    uint64_t rest = file->position < file->node->size ? file->node->size - file->position : 0;
    int32_t value = rest < INT32_MAX ? (int32_t)rest : INT32_MAX;
    return copy_to_user(argument, &value, sizeof value) ? 0 : -EFAULT;
}

const struct file_operations regular_file = {
    .read = read_file,
    .write = write_file,
    .seek = seek_file,
    .ioctl = control_file,
};

// The contents were generated when the file was opened: `object` is a node that
// has no name.
static struct node *contents_of(const struct file *file)
{
    return file->object;
}

static int64_t read_text(struct file *file, struct buffer *buffer, uint64_t *position)
{
    int64_t count = node_read(contents_of(file), buffer, *position);
    *position += count > 0 ? (uint64_t)count : 0;
    return count;
}

static int64_t seek_text(struct file *file, int64_t offset, uint32_t origin)
{
    return seek_to(file, contents_of(file)->size, offset, origin);
}

static void release_text(struct file *file)
{
    node_release(contents_of(file));
}

static const struct file_operations text_file = {
    .read = read_text,
    .seek = seek_text,
    .release = release_text,
};

static int64_t open_text(struct file *file)
{
    struct node *contents = node_create(S_IFREG);
    if (contents == NULL) {
        return -ENOMEM;
    }
    node_retain(contents);
    node_unlink(contents);
    file->object = contents;
    file->operations = &text_file;
    return file->node->text.generate(file->node, contents) ? 0 : -ENOMEM;
}

static const struct file_operations path_file;

static const struct file_operations *operations_of(const struct node *node, uint32_t flags)
{
    if (flags & O_PATH) {
        return &path_file;
    }
    switch (node->mode & S_IFMT) {
    case S_IFREG:
        return &regular_file;
    case S_IFDIR:
        return &directory_file;
    case S_IFCHR:
        return node->device.operations;
    case S_IFIFO:
        return &named_pipe;
    default:
        return NULL;
    }
}

int64_t node_open(struct node *node, uint32_t flags, struct file **file)
{
    const struct file_operations *operations = operations_of(node, flags);
    if (operations == NULL) {
        return -ENXIO;
    }
    if (operations == &regular_file && !node->is_text) {
        int64_t error = host_file_fetch(node);
        if (error != 0) {
            return error;
        }
    }
    *file = file_create(operations, flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));
    if (*file == NULL) {
        return -ENOMEM;
    }
    (*file)->node = node;
    node_retain(node);
    int64_t error = 0;
    if (is_regular(node->mode) && node->is_text && !(flags & O_PATH)) {
        error = open_text(*file);
    } else if (operations->open != NULL) {
        error = operations->open(*file);
    }
    if (error != 0) {
        file_release(*file);
    }
    return error;
}
