// SPDX-License-Identifier: Apache-2.0

#include "node.h"

#include "entries.h"
#include "errors.h"
#include "host.h"
#include "host_directory.h"
#include "kernel_pages.h"
#include "process.h"
#include "root_image.h"

#include <string.h>

#define BUCKETS 1024
// So that names and nodes cannot use all memory of a program that only meant to
// create files: then they are refused.
#define MOST_NODES 0x100000U
#define NANOSECONDS 1000000000L

static struct {
    // Those of the image.
    struct node *buckets[BUCKETS];
    struct pool pool;
    struct node *root;
    uint64_t next_inode;
    uint32_t count;
} nodes;

void nodes_start(void)
{
    memset(&nodes, 0, sizeof nodes);
    nodes.pool.size = (sizeof(struct node) + 7) & ~7UL;
    nodes.next_inode = (uint64_t)image_node_count() + 1;
    entries_start();
}

void nodes_set_root(struct node *root)
{
    nodes.root = root;
}

struct node *root_node(void)
{
    return nodes.root;
}

int64_t file_clock(void)
{
    int64_t now;
    return host_clock(false, &now) ? now : 0;
}

static struct node *allocate(void)
{
    struct node *node = nodes.count < MOST_NODES ? pool_allocate(&nodes.pool) : NULL;
    nodes.count += node != NULL;
    return node;
}

struct node *node_create(uint32_t mode)
{
    struct node *node = allocate();
    if (node == NULL) {
        return NULL;
    }
    node->mode = mode;
    node->uid = USER_ID;
    node->gid = USER_ID;
    node->links = is_directory(mode) ? 2 : 1;
    node->image_index = NODE_IN_MEMORY;
    node->inode = nodes.next_inode++;
    node->has_changed = true;
    node->is_modified = true;
    node->accessed = node->modified = -1;
    return node;
}

static bool fill(struct node *node, const struct image_node *image)
{
    node->mode = image->mode;
    node->uid = image->uid;
    node->gid = image->gid;
    node->links = image->links != 0 ? image->links : 1;
    node->size = image->size;
    // Times outside of the 584 years around 1970 are those of 1970.
    bool is_valid = image->seconds > INT64_MIN / NANOSECONDS && image->seconds < INT64_MAX / NANOSECONDS &&
                    image->nanoseconds < NANOSECONDS;
    node->modified = is_valid ? image->seconds * NANOSECONDS + image->nanoseconds : 0;
    node->accessed = node->changed = node->modified;
    if (is_regular(image->mode)) {
        node->file.image_start = image->start;
        node->file.image_size = image->size;
    } else if (is_directory(image->mode)) {
        node->directory.image_start = image->start;
        node->directory.image_count = image->entry_count;
    } else {
        node->link.target = image_bytes(image->start, image->size);
    }
    return !is_link(image->mode) || node->link.target != NULL;
}

int64_t node_of_image(uint32_t index, struct node *parent, const char *name, size_t length, struct node **found)
{
    struct node **bucket = &nodes.buckets[index % BUCKETS];
    for (struct node *node = *bucket; node != NULL; node = node->next_in_bucket) {
        if (node->image_index == index) {
            // A directory has one name. Those that were removed have none.
            bool is_wrong = node_is_directory(node) &&
                            (node->directory.parent != parent || node->directory.name_length != length ||
                             node->directory.name == NULL || memcmp(node->directory.name, name, length) != 0);
            *found = node;
            return is_wrong ? -EIO : 0;
        }
    }
    struct image_node image;
    int64_t error = image_read_node(index, &image);
    if (error != 0) {
        return error;
    }
    struct node *node = allocate();
    if (node == NULL) {
        return -ENOMEM;
    }
    node->image_index = index;
    node->inode = (uint64_t)index + 1;
    if (!fill(node, &image)) {
        pool_free(&nodes.pool, node);
        nodes.count--;
        return -ENOMEM;
    }
    node->next_in_bucket = *bucket;
    *bucket = node;
    if (is_directory(image.mode) && parent != NULL) {
        node->directory.parent = parent;
        node->directory.name = name;
        node->directory.name_length = length;
        node_retain(parent);
    }
    *found = node;
    return 0;
}

// Returns the parent of a directory, whose reference to it is to be released.
static struct node *free_node(struct node *node)
{
    struct node *parent = NULL;
    if (is_regular(node->mode) && !node->is_text) {
        node_free_pages(node);
        host_file_forget(node);
    }
    if (node->image_index != NODE_IN_MEMORY) {
        // It stays: a damaged image can have more names of it than links.
        return NULL;
    }
    if (node_is_directory(node)) {
        parent = node->directory.parent;
        directory_free_entries(node);
    } else if (is_link(node->mode) && node->link.has_page) {
        kernel_page_free((void *)node->link.target);
    }
    pool_free(&nodes.pool, node);
    nodes.count--;
    return parent;
}

void node_retain(struct node *node)
{
    node->references++;
}

struct node *node_keep(struct node *node)
{
    struct node *kept = node->is_transient ? allocate() : node;
    if (kept == NULL) {
        return NULL;
    }
    if (kept != node) {
        *kept = *node;
        kept->is_transient = false;
        kept->references = kept->links = 0;
    }
    node_retain(kept);
    return kept;
}

// Not recursive: removed directories that are still used can be nested as deep as the program wants.
void node_release(struct node *node)
{
    while (node != NULL && --node->references == 0) {
        if (node->links != 0) {
            if (node->is_written_through) {
                host_file_release(node);
            }
            return;
        }
        node = free_node(node);
    }
}

void node_unlink(struct node *node)
{
    node->links -= node->links != 0;
    if (node_is_directory(node)) {
        node->links = 0;
        node->directory.name = NULL;
    }
    node_touch_attributes(node);
    if (node->references == 0 && node->links == 0) {
        node_release(free_node(node));
    }
}

int64_t node_check_access(const struct node *node, uint32_t access)
{
    unsigned shift = node->uid == USER_ID ? 6 : node->gid == USER_ID ? 3 : 0;
    return (node->mode >> shift & access) == access ? 0 : -EACCES;
}

bool node_is_constant(const struct node *node)
{
    return node->image_index != NODE_IN_MEMORY && node->uid != USER_ID && node_check_access(node, MAY_WRITE) != 0;
}

void node_touch(struct node *node)
{
    node->has_changed = true;
    node->is_modified = true;
    node->modified = -1;
}

void node_remove_privileges(struct node *node)
{
    if (is_regular(node->mode)) {
        // Without the permission to execute, the bit of the group has another meaning.
        node->mode &= ~(S_ISUID | (node->mode & S_IXGRP ? S_ISGID : 0));
    }
}

void node_touch_attributes(struct node *node)
{
    node->has_changed = true;
}

void node_settle_times(struct node *node)
{
    if (!node->has_changed) {
        return;
    }
    int64_t now = file_clock();
    node->has_changed = false;
    node->changed = now;
    node->modified = node->modified == -1 ? now : node->modified;
    node->accessed = node->accessed == -1 ? now : node->accessed;
}

int64_t node_link_target(struct node *node, char *target, size_t size)
{
    if (node->link.describe != NULL) {
        return (int64_t)node->link.describe(node, target, size);
    }
    size_t length = node->size < size ? node->size : size;
    memcpy(target, node->link.target, length);
    return (int64_t)length;
}
