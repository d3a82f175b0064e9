// SPDX-License-Identifier: Apache-2.0

#include "host_directory.h"

#include "buffer.h"
#include "entries.h"
#include "errors.h"
#include "host.h"
#include "kernel_pages.h"
#include "path.h"
#include "process.h"

#include <string.h>

#define NANOSECONDS 1000000000L
#define READ_PERMISSIONS 0444
#define EXECUTE_PERMISSIONS 0111
#define ROOT 0

// Where a file is, until its contents are fetched. The directory cannot be removed.
struct host_file {
    struct node *directory;
    uint8_t length;
    char name[NAME_SIZE + 1];
};

// An entry of a directory as the host sends it, followed by its name.
struct host_entry {
    uint32_t mode;
    uint32_t name_length;
    uint64_t size;
    int64_t seconds;
    uint64_t nanoseconds;
};

static struct pool files;
static char path[PATH_SIZE];

void host_directories_start(void)
{
    files = (struct pool){ .size = (sizeof(struct host_file) + 7) & ~7UL };
}

// The path of a directory, or of a file in it.
static int64_t make_path(struct node *directory, const char *name, size_t length)
{
    int64_t size = path_of_directory(directory, path, sizeof path);
    if (size < 0 || length == 0) {
        return size < 0 ? size : 0;
    }
    if ((size_t)size + length + 1 > sizeof path) {
        return -ENAMETOOLONG;
    }
    path[size - 1] = '/';
    memcpy(path + size, name, length);
    path[(size_t)size + length] = 0;
    return 0;
}

// Asks for the part at an offset. What precedes the part is an error number.
static int64_t ask(enum host_directory_step step, uint64_t offset, const uint8_t **bytes, size_t *count)
{
    int32_t error;
    if (!host_directory(step, path, offset, bytes, count) || *count < sizeof error || *count > HOST_BYTES + sizeof error) {
        return -EIO;
    }
    memcpy(&error, *bytes, sizeof error);
    *bytes += sizeof error;
    *count -= sizeof error;
    return error < 0 || error > EOVERFLOW ? -EIO : -error;
}

static void set_attributes(struct node *node, const struct host_entry *entry)
{
    bool is_valid = entry->seconds > INT64_MIN / NANOSECONDS && entry->seconds < INT64_MAX / NANOSECONDS &&
                    entry->nanoseconds < NANOSECONDS;
    node->uid = node->gid = ROOT;
    node->is_of_host = true;
    node->modified = is_valid ? entry->seconds * NANOSECONDS + (int64_t)entry->nanoseconds : 0;
    node->accessed = node->changed = node->modified;
    node->has_changed = false;
    node->is_modified = false;
}

static int64_t fill(struct node *directory);

static struct node *create_directory(const struct host_entry *entry)
{
    struct node *node = node_create(S_IFDIR | READ_PERMISSIONS | EXECUTE_PERMISSIONS);
    if (node != NULL) {
        set_attributes(node, entry);
        node->directory.fill = fill;
    }
    return node;
}

static struct node *create_file(struct node *directory, const struct host_entry *entry, const char *name)
{
    struct host_file *source = pool_allocate(&files);
    struct node *node = source != NULL ? node_create(S_IFREG | READ_PERMISSIONS | (entry->mode & EXECUTE_PERMISSIONS)) : NULL;
    if (node == NULL) {
        if (source != NULL) {
            pool_free(&files, source);
        }
        return NULL;
    }
    set_attributes(node, entry);
    node->size = entry->size;
    source->directory = directory;
    source->length = (uint8_t)entry->name_length;
    memcpy(source->name, name, entry->name_length);
    node->file.source = source;
    return node;
}

static int64_t add(struct node *directory, const struct host_entry *entry, const char *name)
{
    struct node *node;
    if (directory_find(directory, name, entry->name_length, &node) == 0) {
        return 0;
    }
    node = is_directory(entry->mode) ? create_directory(entry) : create_file(directory, entry, name);
    if (node == NULL || directory_set(directory, name, entry->name_length, node) != 0) {
        return -ENOSPC;
    }
    directory->links += is_directory(entry->mode);
    return 0;
}

// The entries of one part. Their number, or an error.
static int64_t add_part(struct node *directory, const uint8_t *bytes, size_t count)
{
    static uint8_t part[HOST_BYTES];
    int64_t entries = 0;
    // Adding asks for nothing, but the bytes are the host's until the next call.
    memcpy(part, bytes, count);
    for (size_t offset = 0; offset < count; entries++) {
        struct host_entry entry;
        if (count - offset < sizeof entry) {
            return -EIO;
        }
        memcpy(&entry, part + offset, sizeof entry);
        offset += sizeof entry;
        if (entry.name_length == 0 || entry.name_length > NAME_SIZE || entry.name_length > count - offset ||
            (!is_directory(entry.mode) && !is_regular(entry.mode))) {
            return -EIO;
        }
        int64_t error = add(directory, &entry, (const char *)part + offset);
        if (error != 0) {
            return error;
        }
        offset += entry.name_length;
    }
    return entries;
}

static int64_t receive_entries(struct node *directory)
{
    uint64_t place = 0;
    for (;;) {
        const uint8_t *bytes;
        size_t count;
        int64_t error = make_path(directory, "", 0);
        error = error == 0 ? ask(HOST_DIRECTORY_LIST, place, &bytes, &count) : error;
        if (error != 0 || count == 0) {
            return error;
        }
        int64_t entries = add_part(directory, bytes, count);
        if (entries < 0) {
            return entries;
        }
        place += (uint64_t)entries;
    }
}

// After an error, the rest is asked for again the next time.
static int64_t fill(struct node *directory)
{
    int64_t modified = directory->modified;
    directory->directory.fill = NULL;
    int64_t error = receive_entries(directory);
    directory->modified = modified;
    directory->has_changed = false;
    if (error != 0) {
        directory->directory.fill = fill;
    }
    return error;
}

struct node *host_directory_create(void)
{
    const struct host_entry entry = { .mode = S_IFDIR };
    return create_directory(&entry);
}

static int64_t receive_contents(struct node *node)
{
    for (;;) {
        const uint8_t *bytes;
        size_t count;
        int64_t error = ask(HOST_DIRECTORY_READ, node->size, &bytes, &count);
        if (error != 0 || count == 0) {
            return error;
        }
        struct buffer buffer = kernel_buffer(bytes, count);
        if (node_write(node, &buffer, node->size) != (int64_t)count) {
            return -ENOMEM;
        }
    }
}

int64_t host_file_fetch(struct node *node)
{
    struct host_file *source = node->file.source;
    if (source == NULL) {
        return 0;
    }
    uint64_t size = node->size;
    int64_t modified = node->modified;
    int64_t error = make_path(source->directory, source->name, source->length);
    if (error != 0) {
        return error;
    }
    node->size = 0;
    error = receive_contents(node);
    if (error != 0) {
        node_resize(node, 0);
        node->size = size;
    } else {
        pool_free(&files, source);
        node->file.source = NULL;
    }
    node->modified = modified;
    node->has_changed = false;
    node->is_modified = false;
    return error;
}
