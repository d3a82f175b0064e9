// SPDX-License-Identifier: Apache-2.0

#include "files.h"

#include "epoll.h"
#include "errors.h"
#include "file_locks.h"
#include "kernel_pages.h"
#include "node.h"
#include "pages.h"
#include "program.h"
#include "record_locks.h"
#include "resource_limits.h"
#include "streams.h"

#include <string.h>

struct descriptor {
    struct file *file;
    bool closes_on_exec;
};

#define PER_PAGE (PAGE_SIZE / sizeof(struct descriptor))
#define TABLE_PAGES (MOST_DESCRIPTORS / PER_PAGE)

struct files {
    uint32_t references;
    // Pages of descriptors, added when they are used.
    struct descriptor *pages[TABLE_PAGES];
};

static struct pool file_pool;
static struct pool table_pool;

void files_start(void)
{
    file_pool = (struct pool){ .size = (sizeof(struct file) + 7) & ~7UL };
    table_pool = (struct pool){ .size = (sizeof(struct files) + 7) & ~7UL };
}

struct files *current_files(void)
{
    return program.files;
}

struct file *file_create(const struct file_operations *operations, uint32_t flags)
{
    struct file *file = pool_allocate(&file_pool);
    if (file != NULL) {
        file->operations = operations;
        file->references = 1;
        file->flags = flags;
    }
    return file;
}

void file_retain(struct file *file)
{
    file->references++;
}

void file_release(struct file *file)
{
    if (--file->references != 0) {
        return;
    }
    epoll_forget(file);
    if (file->operations->release != NULL) {
        file->operations->release(file);
    }
    if (file->node != NULL) {
        file_locks_release(file);
        record_locks_release(file->node, file);
        node_release(file->node);
    }
    pool_free(&file_pool, file);
}

static struct descriptor *find_descriptor(const struct files *files, uint64_t number)
{
    uint32_t descriptor = (uint32_t)number;
    if (descriptor >= MOST_DESCRIPTORS || files->pages[descriptor / PER_PAGE] == NULL) {
        return NULL;
    }
    return &files->pages[descriptor / PER_PAGE][descriptor % PER_PAGE];
}

struct file *files_find(const struct files *files, uint64_t descriptor)
{
    const struct descriptor *found = find_descriptor(files, descriptor);
    return found != NULL ? found->file : NULL;
}

bool files_closes_on_exec(const struct files *files, uint64_t descriptor)
{
    const struct descriptor *found = find_descriptor(files, descriptor);
    return found != NULL && found->closes_on_exec;
}

void files_set_close_on_exec(struct files *files, uint64_t descriptor, bool closes_on_exec)
{
    find_descriptor(files, descriptor)->closes_on_exec = closes_on_exec;
}

// The descriptor with a page for it, or NULL without memory.
static struct descriptor *make_descriptor(struct files *files, uint32_t descriptor)
{
    struct descriptor **page = &files->pages[descriptor / PER_PAGE];
    if (*page == NULL) {
        *page = kernel_page_allocate();
    }
    return *page != NULL ? &(*page)[descriptor % PER_PAGE] : NULL;
}

int64_t files_find_free(const struct files *files, uint64_t lowest)
{
    uint64_t limit = resource_limit(RLIMIT_NOFILE);
    uint64_t descriptor = lowest;
    while (descriptor < limit && files_find(files, descriptor) != NULL) {
        descriptor++;
    }
    return descriptor < limit ? (int64_t)descriptor : -EMFILE;
}

int64_t files_add(struct files *files, struct file *file, bool closes_on_exec, uint64_t lowest)
{
    int64_t number = files_find_free(files, lowest);
    struct descriptor *descriptor = number >= 0 ? make_descriptor(files, (uint32_t)number) : NULL;
    if (descriptor == NULL) {
        file_release(file);
        return number >= 0 ? -ENOMEM : number;
    }
    *descriptor = (struct descriptor){ file, closes_on_exec };
    return number;
}

// The locks of a process end with the first of its descriptors that is closed.
static void close_file(const struct files *files, struct file *file)
{
    if (file->node != NULL && !(file->flags & O_PATH)) {
        record_locks_release(file->node, files);
    }
    file_release(file);
}

int64_t files_replace(struct files *files, uint64_t number, struct file *file, bool closes_on_exec)
{
    if ((uint32_t)number >= resource_limit(RLIMIT_NOFILE)) {
        file_release(file);
        return -EBADF;
    }
    struct descriptor *descriptor = make_descriptor(files, (uint32_t)number);
    if (descriptor == NULL) {
        file_release(file);
        return -ENOMEM;
    }
    struct file *previous = descriptor->file;
    *descriptor = (struct descriptor){ file, closes_on_exec };
    if (previous != NULL) {
        close_file(files, previous);
    }
    return (int64_t)(uint32_t)number;
}

int64_t files_close(struct files *files, uint64_t number)
{
    struct descriptor *descriptor = find_descriptor(files, number);
    if (descriptor == NULL || descriptor->file == NULL) {
        return -EBADF;
    }
    struct file *file = descriptor->file;
    descriptor->file = NULL;
    close_file(files, file);
    return 0;
}

struct files *files_create(void)
{
    struct files *files = pool_allocate(&table_pool);
    if (files == NULL) {
        return NULL;
    }
    files->references = 1;
    for (int stream = 0; stream < 3; stream++) {
        struct file *file = stream_open(stream);
        if (file == NULL || files_add(files, file, false, 0) < 0) {
            files_release(files);
            return NULL;
        }
    }
    return files;
}

struct files *files_copy(const struct files *files)
{
    struct files *copy = pool_allocate(&table_pool);
    if (copy == NULL) {
        return NULL;
    }
    copy->references = 1;
    for (uint32_t i = 0; i < MOST_DESCRIPTORS; i++) {
        struct file *file = files_find(files, i);
        if (file == NULL) {
            continue;
        }
        struct descriptor *descriptor = make_descriptor(copy, i);
        if (descriptor == NULL) {
            files_release(copy);
            return NULL;
        }
        file_retain(file);
        *descriptor = (struct descriptor){ file, files_closes_on_exec(files, i) };
    }
    return copy;
}

struct files *files_unshare(struct files *files)
{
    if (files->references != 1) {
        return files_copy(files);
    }
    files_retain(files);
    return files;
}

void files_retain(struct files *files)
{
    files->references++;
}

void files_release(struct files *files)
{
    if (--files->references != 0) {
        return;
    }
    for (uint32_t i = 0; i < MOST_DESCRIPTORS; i++) {
        files_close(files, i);
    }
    for (uint32_t i = 0; i < TABLE_PAGES; i++) {
        if (files->pages[i] != NULL) {
            kernel_page_free(files->pages[i]);
        }
    }
    pool_free(&table_pool, files);
}

void files_close_on_exec(struct files *files)
{
    for (uint32_t i = 0; i < MOST_DESCRIPTORS; i++) {
        if (files_closes_on_exec(files, i)) {
            files_close(files, i);
        }
    }
}
