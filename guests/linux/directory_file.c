// SPDX-License-Identifier: Apache-2.0
//
// Open directories. The position is 0 for ".", 1 for "..", then 2 and the place of
// an entry.

#include "entries.h"
#include "errors.h"
#include "files.h"
#include "regular_file.h"
#include "system_calls.h"

#include <string.h>

#define FIRST_PLACE 2
// struct linux_dirent64.
#define HEADER_SIZE 19

static int64_t item_at(struct file *file, uint64_t position, struct directory_item *item)
{
    struct node *directory = file->node;
    if (position >= FIRST_PLACE) {
        int64_t error = directory_item_at(directory, position - FIRST_PLACE, item);
        item->next_place += FIRST_PLACE;
        return error;
    }
    const struct node *parent = directory->directory.parent;
    *item = (struct directory_item){
        .next_place = position + 1,
        .length = position + 1,
        .inode = position == 0 || parent == NULL ? directory->inode : parent->inode,
        .mode = S_IFDIR,
        .name = "..",
    };
    item->name[item->length] = 0;
    return 0;
}

static int64_t list(struct file *file, struct buffer *buffer)
{
    uint64_t size = buffer->size;
    struct directory_item item;
    if (file->node->links == 0) {
        return -ENOENT;
    }
    for (;;) {
        int64_t error = item_at(file, file->position, &item);
        bool is_first = buffer->size == size;
        if (error == -ENOENT) {
            return (int64_t)(size - buffer->size);
        }
        if (error != 0) {
            return is_first ? error : (int64_t)(size - buffer->size);
        }
        uint8_t bytes[(HEADER_SIZE + NAME_SIZE + 1 + 7) & ~7UL] = { 0 };
        uint16_t length = (uint16_t)((HEADER_SIZE + item.length + 1 + 7) & ~7UL);
        if (length > buffer->size) {
            return is_first ? -EINVAL : (int64_t)(size - buffer->size);
        }
        memcpy(bytes, &item.inode, 8);
        memcpy(bytes + 8, &item.next_place, 8);
        memcpy(bytes + 16, &length, 2);
        bytes[18] = (uint8_t)((item.mode & S_IFMT) >> 12);
        memcpy(bytes + HEADER_SIZE, item.name, item.length);
        if (!buffer_put(buffer, bytes, length)) {
            return is_first ? -EFAULT : (int64_t)(size - buffer->size);
        }
        file->position = item.next_place;
    }
}

static int64_t seek(struct file *file, int64_t offset, uint32_t origin)
{
    return seek_to(file, INT64_MAX, offset, origin);
}

const struct file_operations directory_file = {
    .seek = seek,
    .list = list,
};

int64_t system_call_getdents64(const uint64_t arguments[6])
{
    struct file *file = current_file(arguments[0]);
    struct buffer buffer = user_buffer(arguments[1], (uint32_t)arguments[2]);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    return file->operations->list != NULL ? file->operations->list(file, &buffer) : -ENOTDIR;
}
