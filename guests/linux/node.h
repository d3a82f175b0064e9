// SPDX-License-Identifier: Apache-2.0
//
// Nodes (inodes) of the file system: files, directories, links and devices, of the
// root image or in memory. A node of the image becomes a structure when a path
// reaches it, and it is changed in place: its pages and entries that were changed
// are in memory, all else stays in the image.

#ifndef LINUX_NODE_H
#define LINUX_NODE_H

#include "file_modes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct file_operations;
struct host_file;
struct entry;
struct node;
struct buffer;
struct record_lock;
struct ring;

#define NODE_IN_MEMORY UINT32_MAX
#define NAME_SIZE 255

// Entries of a directory that is made up when it is used (/proc/self/fd).
struct directory_operations {
    // -ENOENT if there is none.
    int64_t (*find)(struct node *directory, const char *name, size_t length, struct node **node);
    // The entry at a place, or at the next one that has one. False after the last.
    bool (*entry_at)(struct node *directory, uint64_t *place, char name[NAME_SIZE + 1], struct node **node);
};

struct node {
    // By open files, mappings, working directories, and directories below.
    uint32_t references;
    uint32_t links;
    uint32_t mode, uid, gid;
    uint32_t represented_device;
    uint64_t inode;
    uint64_t size;
    // Nanoseconds.
    int64_t accessed, modified, changed;
    // A time is set when it is asked for, so that not each change asks the host:
    // with `has_changed` that of the change, and others that are -1.
    bool has_changed;
    // Locks of open files: see file_locks.c.
    uint32_t shared_locks;
    bool is_locked;
    // Of parts of the file: see record_locks.c.
    struct record_lock *record_locks;
    // Mappings that show the pages: they are not freed while there are any.
    uint32_t mappings;

    // The index in the image, or NODE_IN_MEMORY.
    uint32_t image_index;
    struct node *next_in_bucket;

    union {
        struct {
            // The part of the image that is not replaced: offset and size.
            uint64_t image_start, image_size;
            // Pages in memory: a page if `height` is 0, else a table of 512.
            void *pages;
            unsigned height;
            uint64_t page_count;
            // Of a file of the host: where it is, as long as that matters.
            struct host_file *source;
        } file;
        struct {
            uint64_t image_start;
            uint32_t image_count;
            // Entries in memory, in the order of their sequence numbers.
            struct entry *first, *last;
            // The one that was listed last, NULL if it is gone.
            struct entry *cursor;
            uint32_t next_sequence;
            struct node *parent;
            // Its name there; NULL for the root, and when it was removed.
            const char *name;
            size_t name_length;
            // Where a walk over all directories continues in it.
            uint64_t walk_place;
            const struct directory_operations *operations;
            // Adds the entries, before the first one is looked for. Until then.
            int64_t (*fill)(struct node *directory);
        } directory;
        struct {
            // `size` long: in the image, of the kernel, or the first bytes of a page.
            const char *target;
            bool has_page;
            // Instead of a target.
            int64_t (*follow)(struct node *link, struct node **node, struct file **file);
            size_t (*describe)(struct node *link, char *target, size_t size);
            uint64_t number;
        } link;
        struct {
            const struct file_operations *operations;
        } device;
        struct {
            // While it is open.
            struct ring *ring;
            // How often each end was opened.
            uint32_t reader_openings, writer_openings;
        } pipe;
        struct {
            // Writes the contents when the file is opened.
            bool (*generate)(const struct node *node, struct node *contents);
            uint64_t number;
        } text;
    };
    // A regular file whose contents are `text`.
    bool is_text;
    // A directory that the kernel needs where it is.
    bool is_fixed;
    // Made up when it is looked up, and used for another one soon: it is not counted.
    bool is_transient;
    // Its contents are not, or not all, those of the image.
    bool is_modified;
    // In a directory of the host.
    bool is_of_host;
    // In one that may be changed: what changes is changed on the host first.
    bool is_written_through;
};

// Forgets all nodes.
void nodes_start(void);

void nodes_set_root(struct node *root);
struct node *root_node(void);

// A node in memory without a name, owned by the program; or NULL.
struct node *node_create(uint32_t mode);
// The node of the image: 0, -ENOMEM, -EIO. `parent` is the directory in which it
// was found.
int64_t node_of_image(uint32_t index, struct node *parent, const char *name, size_t length, struct node **node);

void node_retain(struct node *node);
// A node to keep: it is counted for the caller. That of a transient one is a copy; NULL without memory.
struct node *node_keep(struct node *node);
void node_release(struct node *node);
// Without links and references it is freed.
void node_unlink(struct node *node);

static inline bool node_is_directory(const struct node *node)
{
    return is_directory(node->mode);
}

// What MAY_* permit the program: 0 or -EACCES.
int64_t node_check_access(const struct node *node, uint32_t access);

// Whether it is a file of the image that the program cannot change.
bool node_is_constant(const struct node *node);

// Notes that contents or attributes have changed.
void node_touch(struct node *node);
void node_touch_attributes(struct node *node);

// Of a file that acts as its user or group: it no longer does so when it has changed.
void node_remove_privileges(struct node *node);
// Sets the times, if a change was noted.
void node_settle_times(struct node *node);
int64_t file_clock(void);

// Regular files. Transfers up to the end of the file, or of the buffer.
int64_t node_read(struct node *node, struct buffer *buffer, uint64_t offset);
int64_t node_write(struct node *node, struct buffer *buffer, uint64_t offset);
int64_t node_resize(struct node *node, uint64_t size);
// Makes sure that there is memory for a range, so that a write does not fail.
int64_t node_reserve(struct node *node, uint64_t offset, uint64_t size);
// Makes a range zero and gives its pages back.
int64_t node_clear(struct node *node, uint64_t start, uint64_t end);
void node_free_pages(struct node *node);
// Unmaps what is behind the end of a file that was longer, copies included.
void node_unmap_behind(struct node *node, uint64_t former_size);

// The kernel's address of a page of a file: of the image or in memory, NULL for a
// hole; with `is_writable` always in memory. -ENOSPC without memory.
int64_t node_page(struct node *node, uint64_t index, bool is_writable, uint8_t **page);

// A mapping shows pages of a file from now on, or does not any more.
void node_add_mapping(struct node *node);
void node_remove_mapping(struct node *node);

// The first page from an index on that is not a hole, or NO_PAGE.
#define NO_PAGE UINT64_MAX
uint64_t node_next_page(const struct node *node, uint64_t index);

// The target of a link, not terminated. The number of its bytes, or an error.
int64_t node_link_target(struct node *node, char *target, size_t size);

#endif
