// SPDX-License-Identifier: Apache-2.0
//
// What the system calls of memory have in common.

#ifndef LINUX_MEMORY_H
#define LINUX_MEMORY_H

#include "pages.h"

#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define PROT_BITS 7
// Of atomic operations; it has no effect on this processor.
#define PROT_SEM 8

_Static_assert(PROT_READ == (int)PAGE_READ && PROT_WRITE == (int)PAGE_WRITE && PROT_EXEC == (int)PAGE_EXECUTE,
               "the same bits");

// Whether a range is whole pages of the program's address space. The size is
// rounded up.
bool memory_check_range(uint64_t start, uint64_t *size);

#endif
