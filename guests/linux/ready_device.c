// SPDX-License-Identifier: Apache-2.0

#include "ready_device.h"

#include "checkpoint.h"
#include "errors.h"

#include <stdio.h>

#define NUMBER_SIZE 16

static struct {
    char number[NUMBER_SIZE];
    size_t number_size;
    struct run_strings strings;
} ready;

void ready_device_start(const struct run_strings *strings)
{
    ready.strings = *strings;
    ready.number_size = (size_t)snprintf(ready.number, sizeof ready.number, "%u", strings->argument_count) + 1;
}

// Of one part, what is after the position. `start` is where the part begins.
static bool put_part(struct buffer *buffer, uint64_t *position, uint64_t *start, const char *bytes, size_t size)
{
    uint64_t end = *start + size;
    uint64_t before = buffer->size;
    if (*position < end && before != 0) {
        if (!buffer_put(buffer, bytes + (*position - *start), end - *position)) {
            return false;
        }
        *position += before - buffer->size;
    }
    *start = end;
    return true;
}

static int64_t read_ready(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    if (buffer->size == 0) {
        return 0;
    }
    int64_t error = checkpoint_is_wanted(CHECKPOINT_READY) ? checkpoint_reach() : 0;
    if (error != 0) {
        return error;
    }
    uint64_t first = *position;
    uint64_t start = 0;
    const struct run_strings *strings = &ready.strings;
    bool is_copied = put_part(buffer, position, &start, ready.number, ready.number_size) &&
                     put_part(buffer, position, &start, strings->arguments, strings->arguments_size) &&
                     put_part(buffer, position, &start, strings->environment, strings->environment_size);
    return is_copied ? (int64_t)(*position - first) : -EFAULT;
}

const struct file_operations ready_device = { .read = read_ready };
