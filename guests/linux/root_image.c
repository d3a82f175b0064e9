// SPDX-License-Identifier: Apache-2.0

#include "root_image.h"

#include "errors.h"
#include "file_modes.h"
#include "kernel_mappings.h"
#include "pages.h"

#include <string.h>

// Where the kernel sees the image.
#define IMAGE_WINDOW 0xFFFFA00000000000UL
#define MOST_IMAGE_SIZE 0x800000000UL
// Pages that are mapped at a time.
#define PAGES_AROUND 16

#define VERSION 1

struct header {
    char magic[8];
    uint32_t version, node_count;
    uint64_t size, nodes, entries, names, names_size;
    uint32_t entry_count, zero;
};

struct stored_node {
    uint32_t mode, links, uid, gid;
    uint64_t size;
    int64_t seconds;
    uint32_t nanoseconds, entry_count;
    uint64_t start;
    uint32_t parent, zero[3];
};

struct stored_entry {
    uint32_t name;
    uint16_t length, zero16;
    uint32_t node, zero;
};

_Static_assert(sizeof(struct header) == 64 && sizeof(struct stored_node) == 64 && sizeof(struct stored_entry) == 16,
               "the format of the image");

static struct {
    uint64_t physical;
    // 0 without an image.
    uint64_t size;
    struct header header;
} image;

bool image_is_open(void)
{
    return image.size != 0;
}

bool image_has_page(uint64_t page)
{
    return page >= image.physical && page - image.physical < image.size;
}

uint32_t image_node_count(void)
{
    return image.header.node_count;
}

static bool map_around(uint64_t page)
{
    uint64_t first = page & ~(PAGES_AROUND * PAGE_SIZE - 1);
    for (uint64_t offset = first; offset < first + PAGES_AROUND * PAGE_SIZE && offset < image.size; offset += PAGE_SIZE) {
        if (!kernel_is_mapped(IMAGE_WINDOW + offset) &&
            !kernel_map(IMAGE_WINDOW + offset, image.physical + offset)) {
            return false;
        }
    }
    kernel_settle(IMAGE_WINDOW + page);
    return true;
}

const void *image_bytes(uint64_t offset, uint64_t size)
{
    if (offset > image.size || size > image.size - offset) {
        return NULL;
    }
    for (uint64_t page = page_of(offset); page < offset + size; page += PAGE_SIZE) {
        if (!kernel_is_mapped(IMAGE_WINDOW + page) && !map_around(page)) {
            return NULL;
        }
    }
    return (const void *)(IMAGE_WINDOW + offset);
}

// A table of `count` elements at an offset.
static bool is_inside(uint64_t offset, uint64_t count, uint64_t element, uint64_t alignment)
{
    return offset % alignment == 0 && offset <= image.size && count <= (image.size - offset) / element;
}

static const char *check_header(uint64_t mapped_size)
{
    const struct header *header = &image.header;
    if (memcmp(header->magic, "HLPIMAGE", sizeof header->magic) != 0) {
        return "it is not a program image";
    }
    if (header->version != VERSION) {
        return "its version is not supported";
    }
    if (header->size > mapped_size || header->size < PAGE_SIZE || header->size % PAGE_SIZE != 0) {
        return "its size is invalid";
    }
    image.size = header->size;
    if (header->node_count == 0 || header->node_count == UINT32_MAX ||
        !is_inside(header->nodes, header->node_count, sizeof(struct stored_node), 8)) {
        return "its table of nodes is invalid";
    }
    if (!is_inside(header->entries, header->entry_count, sizeof(struct stored_entry), 8)) {
        return "its table of directory entries is invalid";
    }
    return is_inside(header->names, header->names_size, 1, 1) ? NULL : "its names are invalid";
}

const char *image_open(uint64_t physical, uint64_t size)
{
    struct image_node root;
    if (size < PAGE_SIZE || size > MOST_IMAGE_SIZE || physical % PAGE_SIZE != 0 || physical > UINT64_MAX - size) {
        return "its size is not supported";
    }
    image.physical = physical;
    image.size = size & ~PAGE_MASK;
    const struct header *header = image_bytes(0, sizeof *header);
    if (header == NULL) {
        image.size = 0;
        return "there is no memory for its page tables";
    }
    image.header = *header;
    const char *problem = check_header(image.size);
    if (problem == NULL && (image_read_node(IMAGE_ROOT, &root) != 0 || !is_directory(root.mode))) {
        problem = "its root is not a directory";
    }
    if (problem != NULL) {
        image.size = 0;
    }
    return problem;
}

static bool is_valid(const struct image_node *node)
{
    switch (node->mode & S_IFMT) {
    case S_IFDIR:
        return node->start <= image.header.entry_count &&
               node->entry_count <= image.header.entry_count - node->start;
    case S_IFREG:
        return node->start % PAGE_SIZE == 0 && node->start <= image.size && node->size <= image.size - node->start;
    case S_IFLNK:
        return node->start >= image.header.names && node->size != 0 && node->size < PAGE_SIZE &&
               is_inside(node->start, node->size, 1, 1);
    default:
        return false;
    }
}

int64_t image_read_node(uint32_t index, struct image_node *node)
{
    if (index >= image.header.node_count) {
        return -EIO;
    }
    const struct stored_node *stored =
        image_bytes(image.header.nodes + (uint64_t)index * sizeof *stored, sizeof *stored);
    if (stored == NULL) {
        return image_is_open() ? -ENOMEM : -EIO;
    }
    *node = (struct image_node){
        .mode = stored->mode & (S_IFMT | S_MODE),
        .links = stored->links,
        .uid = stored->uid,
        .gid = stored->gid,
        .size = stored->size,
        .seconds = stored->seconds,
        .nanoseconds = stored->nanoseconds,
        .entry_count = stored->entry_count,
        .start = stored->start,
        .parent = stored->parent,
    };
    if (is_link(node->mode)) {
        // Below 2^63, because the sum is checked against the size.
        node->start = stored->start < image.size ? image.header.names + stored->start : UINT64_MAX;
    }
    return is_valid(node) ? 0 : -EIO;
}

int64_t image_read_entry(const struct image_node *directory, uint32_t index, struct image_entry *entry)
{
    if (index >= directory->entry_count) {
        return -ENOENT;
    }
    const struct stored_entry *stored =
        image_bytes(image.header.entries + (directory->start + index) * sizeof *stored, sizeof *stored);
    if (stored == NULL) {
        return -ENOMEM;
    }
    struct stored_entry copy = *stored;
    if (copy.length == 0 || copy.length > IMAGE_NAME_SIZE || copy.name > image.header.names_size ||
        copy.length > image.header.names_size - copy.name || copy.node >= image.header.node_count) {
        return -EIO;
    }
    entry->name = image_bytes(image.header.names + copy.name, copy.length);
    entry->length = copy.length;
    entry->node = copy.node;
    return entry->name != NULL ? 0 : -ENOMEM;
}

static int compare(const char *name, size_t length, const struct image_entry *entry)
{
    int order = memcmp(name, entry->name, length < entry->length ? length : entry->length);
    return order != 0 ? order : (length > entry->length) - (length < entry->length);
}

int64_t image_check_entry(const struct image_node *directory, uint32_t index, const struct image_entry *entry)
{
    struct image_entry previous;
    bool is_dots = entry->name[0] == '.' && (entry->length == 1 || (entry->length == 2 && entry->name[1] == '.'));
    if (is_dots || memchr(entry->name, '/', entry->length) != NULL || memchr(entry->name, 0, entry->length) != NULL) {
        return -EIO;
    }
    int64_t error = index != 0 ? image_read_entry(directory, index - 1, &previous) : 0;
    return error != 0 || index == 0 || compare(entry->name, entry->length, &previous) > 0 ? error : -EIO;
}

int64_t image_find_entry(const struct image_node *directory, const char *name, size_t length,
                         struct image_entry *entry)
{
    uint32_t low = 0;
    uint32_t high = directory->entry_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t error = image_read_entry(directory, middle, entry);
        if (error != 0) {
            return error;
        }
        int order = compare(name, length, entry);
        if (order == 0) {
            return 0;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return -ENOENT;
}
