// SPDX-License-Identifier: Apache-2.0
//
// Writing the text of a file of the kernel.

#ifndef LINUX_TEXT_H
#define LINUX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;

struct text {
    // At its end.
    struct node *node;
    bool has_failed;
};

void text_put(struct text *text, const char *string);
void text_put_bytes(struct text *text, const void *bytes, size_t size);
void text_put_number(struct text *text, uint64_t value);
// With at least as many digits.
void text_put_hexadecimal(struct text *text, uint64_t value, unsigned digits);
// A line of /proc/meminfo and the like: name, spaces, a number, the rest.
void text_put_line(struct text *text, const char *name, uint64_t value, const char *rest);

#endif
