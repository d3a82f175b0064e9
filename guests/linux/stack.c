// SPDX-License-Identifier: Apache-2.0

#include "stack.h"

#include "areas.h"
#include "process.h"
#include "processor.h"
#include "random.h"
#include "user.h"

#include <string.h>

#define RANDOM_STACK_BITS 22
#define RANDOM_MAPPING_BITS 28
#define STACK_GAP 0x100000UL
#define RANDOM_VALUE_SIZE 16
#define CLOCK_TICKS 100
#define PLATFORM "x86_64"

enum {
    AT_NULL = 0,
    AT_PHDR = 3,
    AT_PHENT = 4,
    AT_PHNUM = 5,
    AT_PAGESZ = 6,
    AT_BASE = 7,
    AT_FLAGS = 8,
    AT_ENTRY = 9,
    AT_UID = 11,
    AT_EUID = 12,
    AT_GID = 13,
    AT_EGID = 14,
    AT_PLATFORM = 15,
    AT_HWCAP = 16,
    AT_CLKTCK = 17,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_HWCAP2 = 26,
    AT_EXECFN = 31,
};

#define PROGRAM_HEADER_SIZE 56

// Writes upwards from an address.
struct writer {
    uint64_t address;
    bool has_failed;
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
    writer->has_failed |= !copy_to_user(writer->address, bytes, size);
    writer->address += size;
}

static void put_word(struct writer *writer, uint64_t value)
{
    put(writer, &value, sizeof value);
}

static void put_auxiliary(struct writer *writer, uint64_t type, uint64_t value)
{
    put_word(writer, type);
    put_word(writer, value);
}

// The addresses of `count` strings that follow one another, then a zero. Returns
// the address after them.
static uint64_t put_pointers(struct writer *writer, const char **strings, uint64_t address,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t size = strlen(*strings) + 1;
        put_word(writer, address);
        address += size;
        *strings += size;
    }
    put_word(writer, 0);
    return address;
}

static void put_auxiliary_vector(struct writer *writer, const struct loaded_image *image,
                                 uint64_t name, uint64_t platform, uint64_t random)
{
    put_auxiliary(writer, AT_PHDR, image->program_headers);
    put_auxiliary(writer, AT_PHENT, PROGRAM_HEADER_SIZE);
    put_auxiliary(writer, AT_PHNUM, image->program_header_count);
    put_auxiliary(writer, AT_PAGESZ, PAGE_SIZE);
    put_auxiliary(writer, AT_BASE, 0);
    put_auxiliary(writer, AT_FLAGS, 0);
    put_auxiliary(writer, AT_ENTRY, image->entry);
    put_auxiliary(writer, AT_UID, USER_ID);
    put_auxiliary(writer, AT_EUID, USER_ID);
    put_auxiliary(writer, AT_GID, USER_ID);
    put_auxiliary(writer, AT_EGID, USER_ID);
    put_auxiliary(writer, AT_SECURE, 0);
    put_auxiliary(writer, AT_HWCAP, processor_features());
    put_auxiliary(writer, AT_HWCAP2, 0);
    put_auxiliary(writer, AT_CLKTCK, CLOCK_TICKS);
    put_auxiliary(writer, AT_RANDOM, random);
    put_auxiliary(writer, AT_PLATFORM, platform);
    put_auxiliary(writer, AT_EXECFN, name);
    put_auxiliary(writer, AT_NULL, 0);
}

#define AUXILIARY_WORDS (2 * 19)

static bool add_area(uint64_t top)
{
    const struct area area = {
        .start = top - STACK_SIZE,
        .end = top,
        .access = PAGE_READ | PAGE_WRITE,
    };
    return area_add(&area);
}

bool stack_build(const struct program_request *request, const struct loaded_image *image,
                 uint64_t *stack_pointer)
{
    uint64_t top = PROGRAM_END - PAGE_SIZE - random_offset(RANDOM_STACK_BITS);
    program.mapping_top = top - STACK_SIZE - STACK_GAP - random_offset(RANDOM_MAPPING_BITS);
    if (!add_area(top)) {
        return false;
    }
    strncpy(program.name, request->strings, sizeof program.name - 1);

    uint64_t words = 1 + request->argument_count + 1 + request->environment_count + 1 + AUXILIARY_WORDS;
    uint64_t data_size = request->strings_size + sizeof PLATFORM + RANDOM_VALUE_SIZE;
    uint64_t data = (top - 16 - data_size) & ~15UL;
    *stack_pointer = (data - words * 8) & ~15UL;
    uint64_t platform = data + request->strings_size;
    uint64_t random = platform + sizeof PLATFORM;

    struct writer writer = { .address = data };
    uint8_t value[RANDOM_VALUE_SIZE];
    random_bytes(value, sizeof value);
    put(&writer, request->strings, request->strings_size);
    put(&writer, PLATFORM, sizeof PLATFORM);
    put(&writer, value, sizeof value);

    writer.address = *stack_pointer;
    const char *strings = request->strings;
    put_word(&writer, request->argument_count);
    uint64_t environment = put_pointers(&writer, &strings, data, request->argument_count);
    put_pointers(&writer, &strings, environment, request->environment_count);
    put_auxiliary_vector(&writer, image, data, platform, random);
    return !writer.has_failed;
}
