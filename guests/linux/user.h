// SPDX-License-Identifier: Apache-2.0
//
// Access to the memory of the program. The kernel never uses its addresses: each
// page is looked up and checked, made present, and accessed at an address of the
// kernel. So no pointer of the program can cause an exception in the kernel.

#ifndef LINUX_USER_H
#define LINUX_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// False if the program may not do so itself; a part may have been copied then.
bool copy_from_user(void *destination, uint64_t source, size_t size);
bool copy_to_user(uint64_t destination, const void *source, size_t size);

// The kernel's address of a byte of the program, and how many bytes are there on
// its page. NULL if the program may not access it.
const uint8_t *user_bytes(uint64_t address, uint64_t *size);

// Whether the program may write to all of a range, with memory for its pages.
bool user_can_write(uint64_t address, uint64_t size);

// A string that ends with a zero, of less than `size` bytes: 0, -EFAULT or
// -ENAMETOOLONG.
int64_t copy_string_from_user(char *destination, uint64_t source, size_t size);

#endif
