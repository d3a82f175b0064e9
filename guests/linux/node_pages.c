// SPDX-License-Identifier: Apache-2.0
//
// The contents of regular files: pages in memory over those of the image.

#include "address_space.h"
#include "buffer.h"
#include "errors.h"
#include "files.h"
#include "kernel_pages.h"
#include "node.h"
#include "pages.h"
#include "root_image.h"

#include <string.h>

#define SLOTS 512
#define SLOT_BITS 9
#define MOST_HEIGHT 3
#define MOST_PAGES (1UL << SLOT_BITS * MOST_HEIGHT)
#define MOST_SIZE (MOST_PAGES * PAGE_SIZE)

static uint64_t span_of(unsigned height)
{
    return 1UL << SLOT_BITS * height;
}

static uint8_t *find_page(const struct node *node, uint64_t index)
{
    if (index >= span_of(node->file.height)) {
        return NULL;
    }
    void *page = node->file.pages;
    for (unsigned height = node->file.height; height != 0 && page != NULL; height--) {
        page = ((void **)page)[index >> SLOT_BITS * (height - 1) & (SLOTS - 1)];
    }
    return page;
}

// Adds a level at the top until an index fits.
static bool grow(struct node *node, uint64_t index)
{
    while (index >= span_of(node->file.height)) {
        if (node->file.pages != NULL) {
            void **table = kernel_page_allocate();
            if (table == NULL) {
                return false;
            }
            table[0] = node->file.pages;
            node->file.pages = table;
        }
        node->file.height++;
    }
    return true;
}

// A page in memory: of zeroes, if there was none.
static uint8_t *make_page(struct node *node, uint64_t index)
{
    if (index >= MOST_PAGES || !grow(node, index)) {
        return NULL;
    }
    void **slot = &node->file.pages;
    for (unsigned height = node->file.height; ; height--) {
        if (*slot == NULL) {
            *slot = kernel_page_allocate();
            if (*slot == NULL) {
                return NULL;
            }
            node->file.page_count += height == 0;
        }
        if (height == 0) {
            return *slot;
        }
        slot = (void **)*slot + (index >> SLOT_BITS * (height - 1) & (SLOTS - 1));
    }
}

static bool is_in_image(const struct node *node, uint64_t index)
{
    return index < MOST_PAGES && index * PAGE_SIZE < node->file.image_size;
}

// The first page from an index on below a table or a page, which spans the result if there is none.
static uint64_t find_next(void *page, unsigned height, uint64_t index)
{
    if (page == NULL || height == 0) {
        return page == NULL ? span_of(height) : index;
    }
    uint64_t span = span_of(height - 1);
    for (uint64_t slot = index / span; slot < SLOTS; slot++) {
        uint64_t start = slot * span;
        uint64_t found = find_next(((void **)page)[slot], height - 1, index > start ? index - start : 0);
        if (found < span) {
            return start + found;
        }
    }
    return span_of(height);
}

uint64_t node_next_page(const struct node *node, uint64_t index)
{
    if (is_in_image(node, index)) {
        return index;
    }
    uint64_t span = span_of(node->file.height);
    uint64_t found = index < span ? find_next(node->file.pages, node->file.height, index) : span;
    return found < span ? found : NO_PAGE;
}

int64_t node_page(struct node *node, uint64_t index, bool is_writable, uint8_t **page)
{
    const uint8_t *original = NULL;
    *page = find_page(node, index);
    if (*page != NULL) {
        return 0;
    }
    if (is_in_image(node, index)) {
        // The rest after the end of the file is zero.
        original = image_bytes(node->file.image_start + index * PAGE_SIZE, PAGE_SIZE);
        if (original == NULL) {
            return -ENOSPC;
        }
    }
    if (!is_writable) {
        *page = (uint8_t *)original;
        return 0;
    }
    *page = make_page(node, index);
    if (*page != NULL && original != NULL) {
        memcpy(*page, original, PAGE_SIZE);
    }
    return *page != NULL ? 0 : -ENOSPC;
}

int64_t node_read(struct node *node, struct buffer *buffer, uint64_t offset)
{
    int64_t total = 0;
    while (buffer->size != 0 && offset < node->size) {
        uint64_t in_page = offset & PAGE_MASK;
        uint64_t size = PAGE_SIZE - in_page;
        size = size < buffer->size ? size : buffer->size;
        size = size < node->size - offset ? size : node->size - offset;
        uint8_t *page;
        if (node_page(node, offset / PAGE_SIZE, false, &page) != 0) {
            return total != 0 ? total : -ENOMEM;
        }
        bool is_copied = page != NULL ? buffer_put(buffer, page + in_page, size) : buffer_put_zeroes(buffer, size);
        if (!is_copied) {
            return total != 0 ? total : -EFAULT;
        }
        total += (int64_t)size;
        offset += size;
    }
    return total;
}

int64_t node_write(struct node *node, struct buffer *buffer, uint64_t offset)
{
    if (buffer->size != 0 && offset >= MOST_SIZE) {
        return -EFBIG;
    }
    int64_t total = 0;
    while (buffer->size != 0 && offset < MOST_SIZE) {
        uint64_t in_page = offset & PAGE_MASK;
        uint64_t size = PAGE_SIZE - in_page;
        size = size < buffer->size ? size : buffer->size;
        // Before a page is used for them.
        uint64_t readable;
        if (buffer_bytes(buffer, &readable) == NULL) {
            return total != 0 ? total : -EFAULT;
        }
        size = size < readable ? size : readable;
        uint8_t *page;
        if (node_page(node, offset / PAGE_SIZE, true, &page) != 0) {
            return total != 0 ? total : -ENOSPC;
        }
        if (!buffer_take(buffer, page + in_page, size)) {
            return total != 0 ? total : -EFAULT;
        }
        total += (int64_t)size;
        offset += size;
        node->size = offset > node->size ? offset : node->size;
        node_remove_privileges(node);
        node_touch(node);
    }
    return total;
}

int64_t node_reserve(struct node *node, uint64_t offset, uint64_t size)
{
    if (offset >= MOST_SIZE || size > MOST_SIZE - offset) {
        return -EFBIG;
    }
    for (uint64_t index = offset / PAGE_SIZE; size != 0 && index * PAGE_SIZE < offset + size; index++) {
        uint8_t *page;
        int64_t error = node_page(node, index, true, &page);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

// Frees the pages from `first` to `last` below a table or a page, and those tables
// that are empty. While the file is mapped, they are cleared instead.
static void free_range(struct node *node, void **slot, unsigned height, uint64_t first, uint64_t last)
{
    if (*slot == NULL) {
        return;
    }
    if (height == 0) {
        if (node->mappings != 0) {
            memset(*slot, 0, PAGE_SIZE);
            return;
        }
        kernel_page_free(*slot);
        *slot = NULL;
        node->file.page_count--;
        return;
    }
    void **table = *slot;
    uint64_t span = span_of(height - 1);
    bool is_empty = true;
    for (uint64_t i = 0; i < SLOTS; i++) {
        uint64_t start = i * span;
        if (start <= last && first < start + span) {
            uint64_t part_first = first > start ? first - start : 0;
            uint64_t part_last = last - start < span - 1 ? last - start : span - 1;
            free_range(node, &table[i], height - 1, part_first, part_last);
        }
        is_empty &= table[i] == NULL;
    }
    if (is_empty) {
        kernel_page_free(table);
        *slot = NULL;
    }
}

static void free_pages(struct node *node, uint64_t first, uint64_t last)
{
    uint64_t span = span_of(node->file.height);
    if (first < span && first <= last) {
        free_range(node, &node->file.pages, node->file.height, first, last < span ? last : span - 1);
    }
    if (node->file.pages == NULL) {
        node->file.height = 0;
    }
}

// Zeroes in one page. False without memory.
static bool clear_in_page(struct node *node, uint64_t offset, uint64_t size)
{
    uint8_t *page;
    if (size == 0) {
        return true;
    }
    if (node_page(node, offset / PAGE_SIZE, false, &page) != 0) {
        return false;
    }
    if (page == NULL) {
        return true;
    }
    if (node_page(node, offset / PAGE_SIZE, true, &page) != 0) {
        return false;
    }
    memset(page + (offset & PAGE_MASK), 0, size);
    return true;
}

// Whole pages of the image in the middle of a file cannot be taken out of it: they
// are replaced by pages of zeroes.
static bool hide_image(struct node *node, uint64_t first, uint64_t last)
{
    for (uint64_t index = first; index < last; index++) {
        if (!is_in_image(node, index)) {
            break;
        }
        uint8_t *page = make_page(node, index);
        if (page == NULL) {
            return false;
        }
        memset(page, 0, PAGE_SIZE);
    }
    return true;
}

int64_t node_clear(struct node *node, uint64_t start, uint64_t end)
{
    uint64_t first = round_up_to_page(start) / PAGE_SIZE;
    uint64_t last = end / PAGE_SIZE;
    if (first > last) {
        return clear_in_page(node, start, end - start) ? 0 : -ENOSPC;
    }
    if (!clear_in_page(node, start, first * PAGE_SIZE - start) ||
        !clear_in_page(node, last * PAGE_SIZE, end - last * PAGE_SIZE)) {
        return -ENOSPC;
    }
    if (first < last) {
        free_pages(node, first, last - 1);
        if (!hide_image(node, first, last)) {
            return -ENOSPC;
        }
    }
    node_touch(node);
    return 0;
}

void node_unmap_behind(struct node *node, uint64_t former_size)
{
    uint64_t kept = round_up_to_page(node->size);
    if (node->mappings != 0 && kept < former_size) {
        address_spaces_unmap_file(node, kept);
    }
}

int64_t node_resize(struct node *node, uint64_t size)
{
    uint64_t former_size = node->size;
    if (size > MOST_SIZE) {
        return -EFBIG;
    }
    if (size < node->size) {
        uint64_t kept = round_up_to_page(size);
        if (!clear_in_page(node, size, kept - size)) {
            return -ENOSPC;
        }
        free_pages(node, kept / PAGE_SIZE, MOST_PAGES - 1);
        node->file.image_size = node->file.image_size < kept ? node->file.image_size : kept;
    }
    node->size = size;
    node_unmap_behind(node, former_size);
    node_remove_privileges(node);
    node_touch(node);
    return 0;
}

void node_free_pages(struct node *node)
{
    free_pages(node, 0, MOST_PAGES - 1);
}

void node_add_mapping(struct node *node)
{
    node->mappings++;
    node_retain(node);
}

void node_remove_mapping(struct node *node)
{
    node->mappings--;
    node_release(node);
}
