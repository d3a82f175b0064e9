// SPDX-License-Identifier: Apache-2.0

#include "text.h"

#include "buffer.h"
#include "node.h"

#include <string.h>

void text_put_bytes(struct text *text, const void *bytes, size_t size)
{
    struct buffer buffer = kernel_buffer(bytes, size);
    text->has_failed |= node_write(text->node, &buffer, text->node->size) != (int64_t)size;
}

void text_put(struct text *text, const char *string)
{
    text_put_bytes(text, string, strlen(string));
}

static void put_digits(struct text *text, uint64_t value, unsigned base, unsigned digits)
{
    char buffer[24];
    char *position = buffer + sizeof buffer;
    do {
        *--position = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 || buffer + sizeof buffer - position < (long)digits);
    text_put_bytes(text, position, (size_t)(buffer + sizeof buffer - position));
}

void text_put_number(struct text *text, uint64_t value)
{
    put_digits(text, value, 10, 1);
}

void text_put_hexadecimal(struct text *text, uint64_t value, unsigned digits)
{
    put_digits(text, value, 16, digits);
}

void text_put_line(struct text *text, const char *name, uint64_t value, const char *rest)
{
    text_put(text, name);
    text_put_number(text, value);
    text_put(text, rest);
}
