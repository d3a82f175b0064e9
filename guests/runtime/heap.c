// SPDX-License-Identifier: Apache-2.0
//
// A boundary-tag allocator: free blocks are merged with their neighbours at once
// and kept in lists by size class. The part of the heap that was never used is
// one block at the end (the tail) that is cut from only when no list has a fit,
// so that as few pages as possible are touched: each costs a physical page.
//
// Running out ends the guest with code 13, as callers of this interface expect.
// A block that is freed twice, or whose header was overwritten, ends it with 12.

#include "heap.h"

#include "abort.h"
#include "hyperlight_guest.h"
#include "layout.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16UL
#define HEADER_SIZE 16UL
#define MINIMUM_BLOCK 48UL
#define CLASSES 48

// The heap that every host starts with, and what a guest can have at most.
#define USUAL_HEAP 0x20000UL
#define LARGEST_HEAP 0xFE000000UL

#define IN_USE 1UL
#define PREVIOUS_IN_USE 2UL
#define FLAGS (ALIGNMENT - 1)

struct block {
    // Size of the block with its header, and the flags.
    uint64_t tag;
    // Of a block in use: a value nobody else knows, so that only a pointer that
    // malloc returned, once, is accepted by free.
    uint64_t seal;
    // Of a free block only. Its size is repeated in its last eight bytes.
    struct block *next;
    struct block *previous;
};

static struct {
    uint64_t start;
    uint64_t end;
    struct block *tail;
    uint64_t secret;
    uint64_t class_map;
    struct block *classes[CLASSES];
} heap;

static uint64_t size_of(const struct block *block)
{
    return block->tag & ~FLAGS;
}

static struct block *block_at(uint64_t address)
{
    return (struct block *)address;
}

static struct block *after(const struct block *block)
{
    return block_at((uint64_t)block + size_of(block));
}

static uint64_t *footer_of(const struct block *block)
{
    return (uint64_t *)((uint64_t)block + size_of(block)) - 1;
}

static uint64_t seal_of(const struct block *block)
{
    return heap.secret ^ (uint64_t)block ^ size_of(block) << 20;
}

static void *payload_of(struct block *block)
{
    return (char *)block + HEADER_SIZE;
}

// Which heap would do, as far as can be known; 0 for none. What is asked for is
// often not the last of its size: a call has its message, its result and their
// copies on the heap.
static uint64_t sufficient_heap(uint64_t size)
{
    uint64_t whole = heap.end - heap.start;
    if (size > LARGEST_HEAP) {
        return 0;
    }
    uint64_t sufficient = 2 * whole + 4 * size;
    if (sufficient > LARGEST_HEAP) {
        sufficient = whole + size + HL_PAGE_SIZE;
    }
    if (sufficient < USUAL_HEAP) {
        sufficient = USUAL_HEAP;
    }
    return sufficient <= LARGEST_HEAP ? (sufficient + HL_PAGE_SIZE - 1) & ~(HL_PAGE_SIZE - 1) : 0;
}

__attribute__((noreturn)) static void out_of_memory(uint64_t size)
{
    uint64_t sufficient = sufficient_heap(size);
    struct hl_abort_writer writer = { 0 };
    hl_abort_put_byte(&writer, hl_ErrorCode_MallocFailed);
    hl_abort_flush(&writer);
    hl_abort_put_text(&writer, "out of memory: ");
    hl_abort_put_decimal(&writer, size);
    hl_abort_put_text(&writer, " bytes were asked for, and the heap has ");
    hl_abort_put_decimal(&writer, heap.end - heap.start);
    if (sufficient != 0) {
        hl_abort_put_text(&writer, ": set HeapSize to ");
        hl_abort_put_decimal(&writer, sufficient);
        hl_abort_put_text(&writer, " or more");
    }
    hl_abort_finish(&writer);
}

__attribute__((noreturn)) static void corrupt(const char *text)
{
    hl_abort_with_text(hl_ErrorCode_FailureInDlmalloc, text);
}

// Up to 512 bytes a class per 16 bytes, above that one per power of two.
static unsigned class_of(uint64_t size)
{
    if (size < 512) {
        return (unsigned)(size >> 4);
    }
    unsigned class = 32 + (63 - (unsigned)__builtin_clzl(size)) - 9;
    return class < CLASSES ? class : CLASSES - 1;
}

static void insert(struct block *block)
{
    unsigned class = class_of(size_of(block));
    block->previous = NULL;
    block->next = heap.classes[class];
    if (block->next != NULL) {
        block->next->previous = block;
    }
    heap.classes[class] = block;
    heap.class_map |= 1UL << class;
}

static void unlink(struct block *block)
{
    unsigned class = class_of(size_of(block));
    if (block->previous != NULL) {
        if (block->previous->next != block) {
            corrupt("heap corruption: a free list is broken");
        }
        block->previous->next = block->next;
    } else {
        if (heap.classes[class] != block) {
            corrupt("heap corruption: a free list is broken");
        }
        heap.classes[class] = block->next;
        if (block->next == NULL) {
            heap.class_map &= ~(1UL << class);
        }
    }
    if (block->next != NULL) {
        block->next->previous = block->previous;
    }
}

void hl_heap_init(uint64_t address, uint64_t size, uint64_t secret)
{
    heap.start = (address + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    heap.end = (address + size) & ~(ALIGNMENT - 1);
    heap.secret = secret * 0x9E3779B97F4A7C15UL | 1;
    heap.tail = NULL;
    if (heap.end >= heap.start + MINIMUM_BLOCK) {
        heap.tail = block_at(heap.start);
        heap.tail->tag = (heap.end - heap.start) | PREVIOUS_IN_USE;
    }
}

static void mark_used(struct block *block, uint64_t size, uint64_t previous_flag)
{
    block->tag = size | IN_USE | previous_flag;
    block->seal = seal_of(block);
}

// Makes a free block, which must have no free neighbour, known to the lists.
static void mark_free(struct block *block, uint64_t size)
{
    block->tag = size | PREVIOUS_IN_USE;
    block->seal = 0;
    *footer_of(block) = size;
    after(block)->tag &= ~PREVIOUS_IN_USE;
    insert(block);
}

static struct block *find_fit(uint64_t size)
{
    unsigned class = class_of(size);
    uint64_t map = heap.class_map >> class << class;
    while (map != 0) {
        class = (unsigned)__builtin_ctzl(map);
        for (struct block *block = heap.classes[class]; block != NULL; block = block->next) {
            if (size_of(block) >= size) {
                return block;
            }
        }
        map &= map - 1;
    }
    return NULL;
}

static void *take_free(struct block *block, uint64_t size)
{
    uint64_t whole = size_of(block);
    unlink(block);
    if (whole - size >= MINIMUM_BLOCK) {
        mark_used(block, size, PREVIOUS_IN_USE);
        mark_free(after(block), whole - size);
    } else {
        mark_used(block, whole, PREVIOUS_IN_USE);
        after(block)->tag |= PREVIOUS_IN_USE;
    }
    return payload_of(block);
}

// The tail keeps at least one minimal block, so that there is always a block
// after every block in use.
static void *take_tail(uint64_t size)
{
    struct block *block = heap.tail;
    if (block == NULL || size_of(block) < size + MINIMUM_BLOCK) {
        out_of_memory(size);
    }
    uint64_t rest = size_of(block) - size;
    mark_used(block, size, block->tag & PREVIOUS_IN_USE);
    heap.tail = after(block);
    heap.tail->tag = rest | PREVIOUS_IN_USE;
    return payload_of(block);
}

static uint64_t block_size_for(size_t size)
{
    if (size > heap.end - heap.start) {
        out_of_memory(size);
    }
    uint64_t needed = (size + HEADER_SIZE + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    return needed < MINIMUM_BLOCK ? MINIMUM_BLOCK : needed;
}

void *malloc(size_t size)
{
    if (size == 0) {
        return NULL;
    }
    uint64_t needed = block_size_for(size);
    struct block *block = find_fit(needed);
    return block != NULL ? take_free(block, needed) : take_tail(needed);
}

static struct block *block_of(void *pointer)
{
    uint64_t address = (uint64_t)pointer - HEADER_SIZE;
    struct block *block = block_at(address);
    if (address < heap.start || address >= (uint64_t)heap.tail || (address & FLAGS) != 0 ||
        !(block->tag & IN_USE) || block->seal != seal_of(block)) {
        corrupt("heap corruption: not an allocated block, or freed twice");
    }
    return block;
}

static void release(struct block *block)
{
    uint64_t size = size_of(block);
    struct block *next = after(block);

    if (!(block->tag & PREVIOUS_IN_USE)) {
        uint64_t before = ((uint64_t *)block)[-1];
        struct block *previous = block_at((uint64_t)block - before);
        if (before > (uint64_t)block - heap.start || size_of(previous) != before) {
            corrupt("heap corruption: a free block was overwritten");
        }
        unlink(previous);
        block->tag = 0;
        block->seal = 0;
        block = previous;
        size += before;
    }
    block->seal = 0;
    if (next == heap.tail) {
        heap.tail = block;
        block->tag = (size + size_of(next)) | PREVIOUS_IN_USE;
        return;
    }
    if (!(next->tag & IN_USE)) {
        size += size_of(next);
        unlink(next);
    }
    mark_free(block, size);
}

void free(void *pointer)
{
    if (pointer != NULL) {
        release(block_of(pointer));
    }
}

void *calloc(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        out_of_memory(UINT64_MAX);
    }
    void *memory = malloc(total);
    if (memory != NULL) {
        memset(memory, 0, total);
    }
    return memory;
}

// Cuts what a block in use does not need off its end.
static void trim(struct block *block, uint64_t size)
{
    uint64_t whole = size_of(block);
    if (whole < size + MINIMUM_BLOCK) {
        return;
    }
    mark_used(block, size, block->tag & PREVIOUS_IN_USE);
    struct block *rest = after(block);
    mark_used(rest, whole - size, PREVIOUS_IN_USE);
    release(rest);
}

// Lets a block in use take the free memory right after it.
static bool grow(struct block *block, uint64_t size)
{
    struct block *next = after(block);
    uint64_t whole = size_of(block);

    if (next == heap.tail) {
        if (whole + size_of(next) < size + MINIMUM_BLOCK) {
            return false;
        }
        uint64_t rest = whole + size_of(next) - size;
        mark_used(block, size, block->tag & PREVIOUS_IN_USE);
        heap.tail = after(block);
        heap.tail->tag = rest | PREVIOUS_IN_USE;
        return true;
    }
    if ((next->tag & IN_USE) || whole + size_of(next) < size) {
        return false;
    }
    unlink(next);
    mark_used(block, whole + size_of(next), block->tag & PREVIOUS_IN_USE);
    after(block)->tag |= PREVIOUS_IN_USE;
    trim(block, size);
    return true;
}

void *realloc(void *pointer, size_t size)
{
    if (pointer == NULL) {
        return malloc(size);
    }
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    struct block *block = block_of(pointer);
    uint64_t needed = block_size_for(size);
    if (needed <= size_of(block)) {
        trim(block, needed);
        return pointer;
    }
    if (grow(block, needed)) {
        return pointer;
    }
    void *moved = malloc(size);
    memcpy(moved, pointer, size_of(block) - HEADER_SIZE);
    release(block);
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        return NULL;
    }
    if (alignment <= ALIGNMENT || size == 0) {
        return malloc(size);
    }
    uint64_t needed = block_size_for(size);
    size_t room;
    if (__builtin_add_overflow(needed + MINIMUM_BLOCK, alignment, &room)) {
        out_of_memory(UINT64_MAX);
    }
    struct block *block = block_of(malloc(room));
    uint64_t payload = ((uint64_t)payload_of(block) + alignment - 1) & ~(alignment - 1);
    uint64_t skipped = payload - (uint64_t)payload_of(block);

    if (skipped != 0) {
        // What is cut off in front must be able to stand as a block.
        if (skipped < MINIMUM_BLOCK) {
            payload += alignment < MINIMUM_BLOCK ? MINIMUM_BLOCK + alignment - 1 : alignment;
            payload &= ~(alignment - 1);
            skipped = payload - (uint64_t)payload_of(block);
        }
        uint64_t whole = size_of(block);
        mark_used(block, skipped, block->tag & PREVIOUS_IN_USE);
        struct block *aligned = after(block);
        mark_used(aligned, whole - skipped, PREVIOUS_IN_USE);
        release(block);
        block = aligned;
    }
    trim(block, needed);
    return payload_of(block);
}

void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    *result = aligned_alloc(alignment, size);
    return *result == NULL && size != 0 ? 22 : 0;
}

size_t malloc_usable_size(void *pointer)
{
    return pointer == NULL ? 0 : size_of(block_of(pointer)) - HEADER_SIZE;
}
