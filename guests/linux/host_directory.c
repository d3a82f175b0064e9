// SPDX-License-Identifier: Apache-2.0

#include "host_directory.h"

#include "buffer.h"
#include "entries.h"
#include "errors.h"
#include "host.h"
#include "kernel_pages.h"

#include <string.h>

#define NANOSECONDS 1000000000L
#define READ_PERMISSIONS 0444
#define EXECUTE_PERMISSIONS 0111
#define ALL_PERMISSIONS 0777
#define ROOT 0

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

int64_t host_path(struct node *directory, const char *name, size_t length, char path[PATH_SIZE])
{
    int64_t size = path_of_directory(directory, path, PATH_SIZE);
    if (size < 0 || length == 0) {
        return size < 0 ? size : 0;
    }
    if ((size_t)size + length + 1 > PATH_SIZE) {
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

static void set_attributes(struct node *node, const struct host_entry *entry, bool is_writable)
{
    bool is_valid = entry->seconds > INT64_MIN / NANOSECONDS && entry->seconds < INT64_MAX / NANOSECONDS &&
                    entry->nanoseconds < NANOSECONDS;
    if (!is_writable) {
        node->uid = node->gid = ROOT;
    }
    node->is_of_host = true;
    node->is_written_through = is_writable;
    node->modified = is_valid ? entry->seconds * NANOSECONDS + (int64_t)entry->nanoseconds : 0;
    node->accessed = node->changed = node->modified;
    node->has_changed = false;
    node->is_modified = false;
}

static int64_t fill(struct node *directory);

static struct node *create_directory(const struct host_entry *entry, bool is_writable)
{
    uint32_t permissions = is_writable ? entry->mode & ALL_PERMISSIONS : READ_PERMISSIONS | EXECUTE_PERMISSIONS;
    struct node *node = node_create(S_IFDIR | permissions);
    if (node != NULL) {
        set_attributes(node, entry, is_writable);
        node->directory.fill = fill;
    }
    return node;
}

int64_t host_file_place(struct node *node, struct node *directory, const char *name, size_t length)
{
    struct host_file *source = node->file.source != NULL ? node->file.source : pool_allocate(&files);
    if (source == NULL) {
        return -ENOSPC;
    }
    source->directory = directory;
    source->length = (uint8_t)length;
    memcpy(source->name, name, length);
    node->file.source = source;
    return 0;
}

static struct node *create_file(struct node *directory, const struct host_entry *entry, const char *name)
{
    bool is_writable = directory->is_written_through;
    uint32_t permissions =
        is_writable ? entry->mode & ALL_PERMISSIONS : READ_PERMISSIONS | (entry->mode & EXECUTE_PERMISSIONS);
    struct node *node = node_create(S_IFREG | permissions);
    if (node == NULL) {
        return NULL;
    }
    if (host_file_place(node, directory, name, entry->name_length) != 0) {
        node_unlink(node);
        return NULL;
    }
    set_attributes(node, entry, is_writable);
    node->size = entry->size;
    return node;
}

static int64_t add(struct node *directory, const struct host_entry *entry, const char *name)
{
    struct node *node;
    if (directory_find(directory, name, entry->name_length, &node) == 0) {
        return 0;
    }
    node = is_directory(entry->mode) ? create_directory(entry, directory->is_written_through) : create_file(directory, entry, name);
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
        int64_t error = host_path(directory, "", 0, path);
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

struct node *host_directory_create(bool is_writable)
{
    const struct host_entry entry = { .mode = S_IFDIR | 0755 };
    return create_directory(&entry, is_writable);
}

const struct node *host_directory_top(const struct node *directory)
{
    while (directory->is_of_host && !directory->is_fixed) {
        directory = directory->directory.parent;
    }
    return directory->is_of_host ? directory : NULL;
}

int64_t host_directory_add(struct node *directory, const char *name, size_t length, struct node **node)
{
    const uint8_t *bytes;
    size_t count;
    int64_t error = host_path(directory, name, length, path);
    error = error == 0 ? ask(HOST_DIRECTORY_ENTRY, 0, &bytes, &count) : error;
    if (error != 0) {
        return error;
    }
    int64_t entries = add_part(directory, bytes, count);
    return entries < 0 ? entries : directory_find(directory, name, length, node);
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

static void empty(struct node *node)
{
    node_free_pages(node);
    node->size = 0;
}

int64_t host_file_fetch(struct node *node)
{
    struct host_file *source = node->file.source;
    if (source == NULL || source->is_fetched) {
        return 0;
    }
    uint64_t size = node->size;
    int64_t modified = node->modified;
    int64_t error = host_path(source->directory, source->name, source->length, path);
    if (error != 0) {
        return error;
    }
    // Copies that the program has made of mapped pages stay, except behind a new end.
    empty(node);
    error = receive_contents(node);
    if (error != 0) {
        empty(node);
        node->size = size;
    } else if (node->is_written_through) {
        source->is_fetched = true;
    } else {
        pool_free(&files, source);
        node->file.source = NULL;
    }
    node_unmap_behind(node, size);
    node->modified = modified;
    node->has_changed = false;
    node->is_modified = false;
    return error;
}

void host_file_release(struct node *node)
{
    if (is_regular(node->mode) && node->file.source != NULL && node->file.source->is_fetched) {
        node_free_pages(node);
        node->file.source->is_fetched = false;
    }
}

void host_file_forget(struct node *node)
{
    struct host_file *source = is_regular(node->mode) && node->is_of_host ? node->file.source : NULL;
    node->is_written_through = false;
    if (source == NULL) {
        return;
    }
    if (!source->is_fetched) {
        node->size = 0;
    }
    pool_free(&files, source);
    node->file.source = NULL;
    node->is_of_host = false;
}
