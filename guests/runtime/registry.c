// SPDX-License-Identifier: Apache-2.0

#include "registry.h"

#include "abort.h"
#include "layout.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 64
#define NONE 0xFFFF
#define FIRST_CAPACITY 16

// Read-only part of the image, from the linker script.
extern const char hl_image_start[];
extern const char hl_image_constants_end[];

static struct {
    struct hl_definition *definitions;
    uint32_t count;
    uint32_t capacity;
    // Index of the first definition plus one, so that zero is an empty bucket.
    uint16_t buckets[BUCKETS];
} registry;

// Eight bytes at a time; what is left over overlaps the word before, or is put
// together if there is none.
static uint32_t hash_of(const char *name, size_t length)
{
    const uint64_t multiplier = 0x9E3779B97F4A7C15UL;
    uint64_t hash = length;
    uint64_t word = 0;
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        __builtin_memcpy(&word, name + at, 8);
        hash = (hash ^ word) * multiplier;
    }
    if (length >= 8) {
        __builtin_memcpy(&word, name + length - 8, 8);
    } else {
        for (; at < length; at++) {
            word = word << 8 | (uint8_t)name[at];
        }
    }
    hash = (hash ^ word) * multiplier;
    return (uint32_t)(hash >> 32);
}

// Constants of the image outlive every caller; anything else is copied.
static const void *keep(const void *data, size_t size)
{
    const char *bytes = data;
    if (size == 0 || (bytes >= hl_image_start && bytes + size <= hl_image_constants_end)) {
        return data;
    }
    return memcpy(malloc(size), data, size);
}

static struct hl_definition *find(const char *name, size_t length, uint32_t hash)
{
    uint32_t index = registry.buckets[hash % BUCKETS];
    while (index != 0) {
        struct hl_definition *definition = &registry.definitions[index - 1];
        if (definition->hash == hash && definition->length == length &&
            memcmp(definition->name, name, length) == 0) {
            return definition;
        }
        index = definition->next;
    }
    return NULL;
}

const struct hl_definition *hl_find_definition(const char *name, uint32_t length)
{
    return find(name, length, hash_of(name, length));
}

static struct hl_definition *append(const char *name, size_t length, uint32_t hash)
{
    if (registry.count == NONE) {
        hl_abort_with_text(hl_ErrorCode_TooManyGuestFunctions, "too many guest functions");
    }
    if (registry.count == registry.capacity) {
        registry.capacity = registry.capacity == 0 ? FIRST_CAPACITY : 2 * registry.capacity;
        registry.definitions =
            realloc(registry.definitions, registry.capacity * sizeof *registry.definitions);
    }
    struct hl_definition *definition = &registry.definitions[registry.count];
    definition->name = keep(name, length + 1);
    definition->length = (uint32_t)length;
    definition->hash = hash;
    definition->next = registry.buckets[hash % BUCKETS];
    registry.count++;
    registry.buckets[hash % BUCKETS] = (uint16_t)registry.count;
    return definition;
}

void hl_register_function_definition(const char *function_name, hl_CGuestFunc func_ptr,
                                     uintptr_t param_no, const hl_ParameterType *params_type,
                                     hl_ReturnType return_type)
{
    // A result says its own type, so the declared one is never consulted.
    (void)return_type;

    size_t length = strlen(function_name);
    uint32_t hash = hash_of(function_name, length);
    struct hl_definition *definition = find(function_name, length, hash);
    if (definition == NULL) {
        definition = append(function_name, length, hash);
    }
    definition->function = func_ptr;
    definition->count = (uint32_t)param_no;
    definition->types = keep(params_type, param_no * sizeof *params_type);
}
