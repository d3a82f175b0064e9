// SPDX-License-Identifier: Apache-2.0

#include "stack.h"

#include "areas.h"
#include "process.h"
#include "processor.h"
#include "program.h"
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
    AT_SYSINFO_EHDR = 33,
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

// The addresses of `count` strings that follow one another. Returns the address
// after them.
static uint64_t put_pointers(struct writer *writer, const char **strings, uint64_t address,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t size = strlen(*strings) + 1;
        put_word(writer, address);
        address += size;
        *strings += size;
    }
    return address;
}

static void put_auxiliary_vector(struct writer *writer, const struct loaded_image *image,
                                 uint64_t name, uint64_t platform, uint64_t random)
{
    put_auxiliary(writer, AT_PHDR, image->program_headers);
    put_auxiliary(writer, AT_PHENT, PROGRAM_HEADER_SIZE);
    put_auxiliary(writer, AT_PHNUM, image->program_header_count);
    put_auxiliary(writer, AT_PAGESZ, PAGE_SIZE);
    put_auxiliary(writer, AT_BASE, image->interpreter_base);
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
    if (image->vdso != 0) {
        put_auxiliary(writer, AT_SYSINFO_EHDR, image->vdso);
    }
    put_auxiliary(writer, AT_NULL, 0);
}

// Without AT_SYSINFO_EHDR.
#define AUXILIARY_WORDS (2 * 19)

bool stack_place(void)
{
    uint64_t top = PROGRAM_END - PAGE_SIZE - random_offset(RANDOM_STACK_BITS);
    const struct area area = {
        .start = top - STACK_SIZE,
        .end = top,
        .access = PAGE_READ | PAGE_WRITE,
    };
    program.stack_start = area.start;
    program.stack_end = top;
    program.mapping_top = area.start - STACK_GAP - random_offset(RANDOM_MAPPING_BITS);
    return area_add(&area);
}

// The last component of the executable's path.
static void set_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    memset(program.name, 0, sizeof program.name);
    strncpy(program.name, slash != NULL ? slash + 1 : path, sizeof program.name - 1);
}

void stack_replace_random(void)
{
    uint8_t value[RANDOM_VALUE_SIZE];
    random_bytes(value, sizeof value);
    // A program that has no memory there any more does not need it.
    (void)copy_to_user(program.random_value, value, sizeof value);
}

bool stack_build(const struct program_arguments *arguments, const struct executable *executable,
                 const struct loaded_image *image, uint64_t top, uint64_t *stack_pointer)
{
    // For a script, other strings stand for the first argument.
    size_t skipped = executable->prefix_count != 0 ? strlen(arguments->strings) + 1 : 0;
    const char *strings = arguments->strings + skipped;
    size_t strings_size = arguments->size - skipped;
    uint32_t argument_count = arguments->argument_count - (skipped != 0) + executable->prefix_count;
    size_t path_size = strlen(executable->path) + 1;

    uint64_t words = 1 + argument_count + 1 + arguments->environment_count + 1 + AUXILIARY_WORDS +
                     (image->vdso != 0 ? 2 : 0);
    uint64_t data_size = executable->prefix_size + strings_size + path_size + sizeof PLATFORM + RANDOM_VALUE_SIZE;
    top -= 16;
    if (data_size + words * 8 > STACK_SIZE / 4) {
        return false;
    }
    uint64_t data = (top - data_size) & ~15UL;
    *stack_pointer = (data - words * 8) & ~15UL;
    uint64_t path = data + executable->prefix_size + strings_size;
    uint64_t platform = path + path_size;
    uint64_t random = platform + sizeof PLATFORM;

    struct writer writer = { .address = data };
    uint8_t value[RANDOM_VALUE_SIZE];
    random_bytes(value, sizeof value);
    put(&writer, executable->prefix, executable->prefix_size);
    put(&writer, strings, strings_size);
    put(&writer, executable->path, path_size);
    put(&writer, PLATFORM, sizeof PLATFORM);
    put(&writer, value, sizeof value);

    writer.address = *stack_pointer;
    const char *prefix = executable->prefix;
    put_word(&writer, argument_count);
    uint64_t address = put_pointers(&writer, &prefix, data, executable->prefix_count);
    program.arguments_start = data;
    program.environment_start = put_pointers(&writer, &strings, address, argument_count - executable->prefix_count);
    put_word(&writer, 0);
    program.environment_pointers = writer.address;
    program.environment_count = arguments->environment_count;
    program.environment_end = put_pointers(&writer, &strings, program.environment_start, arguments->environment_count);
    put_word(&writer, 0);
    put_auxiliary_vector(&writer, image, path, platform, random);
    program.random_value = random;
    set_name(executable->path);
    return !writer.has_failed;
}
