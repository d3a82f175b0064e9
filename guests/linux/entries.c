// SPDX-License-Identifier: Apache-2.0

#include "entries.h"

#include "errors.h"
#include "kernel_pages.h"
#include "root_image.h"

#include <string.h>

#define BUCKETS 1024

struct entry {
    struct entry *previous, *next;
    struct entry *next_in_bucket;
    struct node *directory;
    // NULL: the name of the image is hidden.
    struct node *node;
    uint32_t sequence;
    uint32_t hash;
    uint8_t length;
    char name[NAME_SIZE + 1];
};

static struct entry *buckets[BUCKETS];
static struct pool pool;

void entries_start(void)
{
    memset(buckets, 0, sizeof buckets);
    pool = (struct pool){ .size = (sizeof(struct entry) + 7) & ~7UL };
}

// FNV-1a, over the directory too.
static uint32_t hash_of(const struct node *directory, const char *name, size_t length)
{
    uint32_t hash = (uint32_t)(2166136261U ^ directory->inode * 2654435761U);
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)name[i]) * 16777619U;
    }
    return hash;
}

static struct entry *find_entry(const struct node *directory, const char *name, size_t length)
{
    uint32_t hash = hash_of(directory, name, length);
    struct entry *entry = buckets[hash % BUCKETS];
    while (entry != NULL && (entry->hash != hash || entry->directory != directory || entry->length != length ||
                             memcmp(entry->name, name, length) != 0)) {
        entry = entry->next_in_bucket;
    }
    return entry;
}

static struct image_node image_part(const struct node *directory)
{
    return (struct image_node){ .start = directory->directory.image_start, .entry_count = directory->directory.image_count };
}

static int64_t find_in_image(struct node *directory, const char *name, size_t length, struct image_entry *found)
{
    const struct image_node image = image_part(directory);
    return image_find_entry(&image, name, length, found);
}

// What is not there yet.
static int64_t complete(struct node *directory)
{
    return directory->directory.fill != NULL ? directory->directory.fill(directory) : 0;
}

int64_t directory_find(struct node *directory, const char *name, size_t length, struct node **node)
{
    int64_t incomplete = complete(directory);
    if (incomplete != 0) {
        return incomplete;
    }
    if (directory->directory.operations != NULL) {
        return directory->directory.operations->find(directory, name, length, node);
    }
    const struct entry *entry = find_entry(directory, name, length);
    if (entry != NULL) {
        *node = entry->node;
        return entry->node != NULL ? 0 : -ENOENT;
    }
    struct image_entry found;
    int64_t error = find_in_image(directory, name, length, &found);
    return error != 0 ? error : node_of_image(found.node, directory, found.name, found.length, node);
}

static struct entry *add_entry(struct node *directory, const char *name, size_t length)
{
    struct entry *entry = pool_allocate(&pool);
    if (entry == NULL) {
        return NULL;
    }
    entry->directory = directory;
    entry->sequence = directory->directory.next_sequence++;
    entry->hash = hash_of(directory, name, length);
    entry->length = (uint8_t)length;
    memcpy(entry->name, name, length);
    struct entry **bucket = &buckets[entry->hash % BUCKETS];
    entry->next_in_bucket = *bucket;
    *bucket = entry;
    entry->previous = directory->directory.last;
    *(entry->previous != NULL ? &entry->previous->next : &directory->directory.first) = entry;
    directory->directory.last = entry;
    return entry;
}

static void free_entry(struct entry *entry)
{
    struct node *directory = entry->directory;
    struct entry **link = &buckets[entry->hash % BUCKETS];
    while (*link != entry) {
        link = &(*link)->next_in_bucket;
    }
    *link = entry->next_in_bucket;
    *(entry->previous != NULL ? &entry->previous->next : &directory->directory.first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &directory->directory.last) = entry->previous;
    if (directory->directory.cursor == entry) {
        directory->directory.cursor = NULL;
    }
    pool_free(&pool, entry);
}

// A directory knows its place.
static void set_parent(struct node *node, struct node *parent, const char *name, size_t length)
{
    struct node *previous = node->directory.parent;
    if (parent != NULL) {
        node_retain(parent);
    }
    node->directory.parent = parent;
    node->directory.name = name;
    node->directory.name_length = length;
    if (previous != NULL) {
        node_release(previous);
    }
}

int64_t directory_set(struct node *directory, const char *name, size_t length, struct node *node)
{
    struct entry *entry = find_entry(directory, name, length);
    if (entry == NULL) {
        entry = add_entry(directory, name, length);
        if (entry == NULL) {
            return -ENOSPC;
        }
    }
    entry->node = node;
    if (node_is_directory(node)) {
        set_parent(node, directory, entry->name, length);
    }
    node_touch(directory);
    return 0;
}

int64_t directory_remove(struct node *directory, const char *name, size_t length)
{
    struct entry *entry = find_entry(directory, name, length);
    bool is_in_image = find_in_image(directory, name, length, &(struct image_entry){ 0 }) != -ENOENT;
    if (is_in_image && entry == NULL) {
        entry = add_entry(directory, name, length);
        if (entry == NULL) {
            return -ENOSPC;
        }
    }
    entry->node = NULL;
    if (!is_in_image) {
        free_entry(entry);
    }
    node_touch(directory);
    return 0;
}

int64_t directory_is_empty(struct node *directory, bool *is_empty)
{
    struct directory_item item;
    int64_t error = directory_item_at(directory, 0, &item);
    *is_empty = error == -ENOENT;
    return error == -ENOENT ? 0 : error;
}

static void describe(struct directory_item *item, uint64_t next_place, const char *name, size_t length,
                     uint64_t inode, uint32_t mode)
{
    item->next_place = next_place;
    memcpy(item->name, name, length);
    item->name[length] = 0;
    item->length = length;
    item->inode = inode;
    item->mode = mode;
    item->is_in_memory = false;
}

static int64_t image_item_at(struct node *directory, uint64_t place, struct directory_item *item)
{
    const struct image_node image = image_part(directory);
    for (; place < image.entry_count; place++) {
        struct image_entry entry;
        struct image_node node;
        int64_t error = image_read_entry(&image, (uint32_t)place, &entry);
        error = error == 0 ? image_check_entry(&image, (uint32_t)place, &entry) : error;
        if (error != 0) {
            return error;
        }
        if (find_entry(directory, entry.name, entry.length) != NULL) {
            continue;
        }
        error = image_read_node(entry.node, &node);
        if (error == 0) {
            describe(item, place + 1, entry.name, entry.length, (uint64_t)entry.node + 1, node.mode);
        }
        return error;
    }
    return -ENOENT;
}

int64_t directory_item_at(struct node *directory, uint64_t place, struct directory_item *item)
{
    int64_t incomplete = complete(directory);
    if (incomplete != 0) {
        return incomplete;
    }
    if (directory->directory.operations != NULL) {
        struct node *node;
        char name[NAME_SIZE + 1];
        if (!directory->directory.operations->entry_at(directory, &place, name, &node)) {
            return -ENOENT;
        }
        describe(item, place + 1, name, strlen(name), node->inode, node->mode);
        return 0;
    }
    uint64_t image_count = directory->directory.image_count;
    if (place < image_count) {
        int64_t error = image_item_at(directory, place, item);
        if (error != -ENOENT) {
            return error;
        }
        place = image_count;
    }
    struct entry *entry = directory->directory.cursor;
    if (entry == NULL || entry->sequence > place - image_count) {
        entry = directory->directory.first;
    }
    for (; entry != NULL; entry = entry->next) {
        if (entry->node != NULL && entry->sequence >= place - image_count) {
            directory->directory.cursor = entry;
            describe(item, image_count + entry->sequence + 1, entry->name, entry->length, entry->node->inode,
                     entry->node->mode);
            item->is_in_memory = true;
            return 0;
        }
    }
    return -ENOENT;
}

void directory_free_entries(struct node *directory)
{
    while (directory->directory.first != NULL) {
        free_entry(directory->directory.first);
    }
}
