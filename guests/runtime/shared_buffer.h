// SPDX-License-Identifier: Apache-2.0
//
// The two buffers shared with the host. Each is a stack of elements: a word with
// the offset of the first free byte, then per element its bytes and a word with
// the offset where it starts.

#ifndef HL_SHARED_BUFFER_H
#define HL_SHARED_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HL_BUFFER_EMPTY 8

struct hl_element {
    const uint8_t *data;
    // Room the element may occupy; its own size prefix delimits it.
    uint64_t capacity;
};

// The newest element of the input buffer. False if there is none.
bool hl_input_peek(struct hl_element *element);

// Removes the newest element of the input buffer and clears its bytes.
void hl_input_drop(void);

// Where an element of up to `size` bytes can be written, NULL if it does not fit.
uint8_t *hl_output_reserve(size_t size);

// Makes an element of the first `size` bytes written at what was reserved.
void hl_output_commit(size_t size);

bool hl_output_push(const void *data, size_t size);

// Says that an element of `size` bytes does not fit, and which buffer would do.
void hl_output_describe_shortage(char *text, size_t room, const char *what, size_t size);

#endif
