// SPDX-License-Identifier: Apache-2.0

#include "shared_buffer.h"

#include "state.h"

#include <stdio.h>
#include <string.h>

#define WORD 8

// Elements have no alignment, hence neither have the words between them.
typedef uint64_t unaligned_word __attribute__((aligned(1), may_alias));

static uint64_t load(const uint8_t *at)
{
    return *(const volatile unaligned_word *)at;
}

static void store(uint8_t *at, uint64_t value)
{
    *(volatile unaligned_word *)at = value;
}

static bool newest(const struct hl_region *region, uint64_t *start, uint64_t *end)
{
    const uint8_t *base = (const uint8_t *)region->address;
    *end = load(base);
    if (*end < HL_BUFFER_EMPTY + WORD || *end > region->size) {
        return false;
    }
    *start = load(base + *end - WORD);
    return *start >= HL_BUFFER_EMPTY && *start <= *end - WORD;
}

bool hl_input_peek(struct hl_element *element)
{
    const struct hl_region *input = &hl_state.peb->input;
    uint64_t start, end;
    if (!newest(input, &start, &end)) {
        return false;
    }
    element->data = (const uint8_t *)input->address + start;
    element->capacity = end - WORD - start;
    return true;
}

void hl_input_drop(void)
{
    const struct hl_region *input = &hl_state.peb->input;
    uint8_t *base = (uint8_t *)input->address;
    uint64_t start, end;
    if (newest(input, &start, &end)) {
        store(base, start);
        memset(base + start, 0, end - start);
    }
}

uint8_t *hl_output_reserve(size_t size)
{
    const struct hl_region *output = &hl_state.peb->output;
    uint8_t *base = (uint8_t *)output->address;
    uint64_t end = load(base);
    if (end < HL_BUFFER_EMPTY || end > output->size || output->size - end < WORD ||
        size > output->size - end - WORD) {
        return NULL;
    }
    return base + end;
}

void hl_output_commit(size_t size)
{
    uint8_t *base = (uint8_t *)hl_state.peb->output.address;
    uint64_t end = load(base);
    store(base + end + size, end);
    store(base, end + size + WORD);
}

void hl_output_describe_shortage(char *text, size_t room, const char *what, size_t size)
{
    const struct hl_region *output = &hl_state.peb->output;
    uint64_t end = load((const uint8_t *)output->address);
    uint64_t advice = (end + size + WORD + HL_PAGE_SIZE - 1) & ~(HL_PAGE_SIZE - 1);
    snprintf(text, room,
             "%s needs %lu bytes of the output buffer, which has %lu: "
             "set OutputBufferSize to %lu or more before the guest starts",
             what, size, output->size, advice);
}

bool hl_output_push(const void *data, size_t size)
{
    uint8_t *room = hl_output_reserve(size);
    if (room == NULL) {
        return false;
    }
    memcpy(room, data, size);
    hl_output_commit(size);
    return true;
}
