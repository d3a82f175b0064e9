// SPDX-License-Identifier: Apache-2.0
//
// Memory of the kernel that grows with what a program does: pages, and objects of
// one size. It counts against the memory limit, and it is mapped, so that a
// snapshot has it.

#ifndef LINUX_KERNEL_PAGES_H
#define LINUX_KERNEL_PAGES_H

#include <stddef.h>

void kernel_pages_start(void);

// A page of zeroes, or NULL without memory.
void *kernel_page_allocate(void);
void kernel_page_free(void *page);

// Objects of one size, at most a page. Their memory is used again for objects of
// the same pool.
struct pool {
    size_t size;
    void *free;
};

// Zeroes, or NULL without memory.
void *pool_allocate(struct pool *pool);
void pool_free(struct pool *pool, void *object);

#endif
