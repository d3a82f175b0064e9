// SPDX-License-Identifier: Apache-2.0
//
// Extended attributes: what is wrong with a call. Whether files can have attributes depends on
// the file system, but none has those of a name space that is not there.

#include "calls.h"

#define NO_NAME_SPACE "none.a"
#define MOST_VALUE 65536

static char long_name[300];
static char value[16];

// By path, of a link itself, and by descriptor.
static void each(const char *name, const uint16_t numbers[3], uint64_t descriptor, uint64_t a, uint64_t b, uint64_t c,
                 uint64_t d)
{
    print(name);
    print("\n");
    print_line("  path", call6(numbers[0], at("file"), a, b, c, d, 0));
    print_line("  link", call6(numbers[1], at("link"), a, b, c, d, 0));
    print_line("  descriptor", call6(numbers[2], descriptor, a, b, c, d, 0));
}

static void set(uint64_t file)
{
    static const uint16_t numbers[3] = { CALL_SETXATTR, CALL_LSETXATTR, CALL_FSETXATTR };
    each("set", numbers, file, at(NO_NAME_SPACE), at(value), 1, 0);
    each("no name space", numbers, file, at("none"), at(value), 1, 0);
    each("bad address", numbers, file, BAD_ADDRESS, at(value), 1, 0);
    each("bad address of the value", numbers, file, at(NO_NAME_SPACE), BAD_ADDRESS, 1, 0);
    each("empty name", numbers, file, at(""), at(value), 1, 0);
    each("long name", numbers, file, at(long_name), at(value), 1, 0);
    each("large value", numbers, file, at(NO_NAME_SPACE), at(value), MOST_VALUE + 1, 0);
    each("wrong flags", numbers, file, at(NO_NAME_SPACE), at(value), 1, 4);
}

static void get(uint64_t file)
{
    static const uint16_t numbers[3] = { CALL_GETXATTR, CALL_LGETXATTR, CALL_FGETXATTR };
    each("get", numbers, file, at(NO_NAME_SPACE), at(value), 1, 0);
    each("size", numbers, file, at(NO_NAME_SPACE), 0, 0, 0);
    each("bad address", numbers, file, BAD_ADDRESS, at(value), 1, 0);
    each("empty name", numbers, file, at(""), at(value), 1, 0);
    each("long name", numbers, file, at(long_name), at(value), 1, 0);
}

static void remove(uint64_t file)
{
    static const uint16_t numbers[3] = { CALL_REMOVEXATTR, CALL_LREMOVEXATTR, CALL_FREMOVEXATTR };
    each("remove", numbers, file, at(NO_NAME_SPACE), 0, 0, 0);
    each("bad address", numbers, file, BAD_ADDRESS, 0, 0, 0);
    each("empty name", numbers, file, at(""), 0, 0, 0);
    each("long name", numbers, file, at(long_name), 0, 0, 0);
}

// Some systems give each file an attribute.
static void list(uint64_t file)
{
    char *names = new_memory(MOST_VALUE);
    print_line("list", call(CALL_LISTXATTR, at("file"), at(names), MOST_VALUE, 0) >= 0);
    print_line("list of a link", call(CALL_LLISTXATTR, at("link"), at(names), MOST_VALUE, 0) >= 0);
    print_line("list of a descriptor", call(CALL_FLISTXATTR, file, at(names), MOST_VALUE, 0) >= 0);
    print_line("size", call(CALL_LISTXATTR, at("file"), 0, 0, 0) >= 0);
    print_line("closed", call(CALL_FLISTXATTR, CLOSED_DESCRIPTOR, at(names), MOST_VALUE, 0));
}

int extended_attributes(void)
{
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    for (size_t i = 0; i < sizeof long_name - 1; i++) {
        long_name[i] = 'n';
    }
    int64_t file = open_file("file", O_RDWR | O_CREAT, 0600);
    call(CALL_SYMLINK, at("file"), at("link"), 0, 0);
    set((uint64_t)file);
    get((uint64_t)file);
    remove((uint64_t)file);
    list((uint64_t)file);
    close_file(file);
    return leave_directory();
}
