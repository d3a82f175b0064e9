// SPDX-License-Identifier: Apache-2.0
//
// Directories of the tests.

#include "files.h"

#define MOST_NAMES 256
#define NAME_OFFSET 19

static char directory[64];

static void append(char *text, const char *other)
{
    size_t used = length(text);
    for (size_t i = 0; i <= length(other); i++) {
        text[used + i] = other[i];
    }
}

void make_unique(char *path, const char *prefix)
{
    char digits[] = "00000000";
    int64_t process = call(39, 0, 0, 0, 0);
    for (size_t i = sizeof digits - 2; process != 0; i--) {
        digits[i] = (char)('0' + process % 10);
        process /= 10;
    }
    path[0] = 0;
    append(path, prefix);
    append(path, digits);
}

int enter_directory(void)
{
    make_unique(directory, "/tmp/hyperlight-program-");
    int64_t error = call(CALL_MKDIR, (uint64_t)directory, 0755, 0, 0);
    if (error != 0 || call(CALL_CHDIR, (uint64_t)directory, 0, 0, 0) != 0) {
        print_line("no directory", error);
        return 1;
    }
    return 0;
}

// The names of a directory without "." and "..", each with its zero.
static int64_t read_names(const char *path, char *names, size_t size, int *count)
{
    static uint64_t buffer[512];
    int64_t descriptor = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    size_t used = 0;
    *count = 0;
    if (descriptor < 0) {
        return descriptor;
    }
    for (;;) {
        int64_t bytes = call(CALL_GETDENTS64, (uint64_t)descriptor, (uint64_t)buffer, sizeof buffer, 0);
        if (bytes <= 0) {
            close_file(descriptor);
            return bytes;
        }
        for (int64_t offset = 0; offset < bytes;) {
            const uint8_t *entry = (const uint8_t *)buffer + offset;
            const char *name = (const char *)entry + NAME_OFFSET;
            offset += *(const uint16_t *)(entry + 16);
            if (equal(name, ".") || equal(name, "..") || used + length(name) + 1 > size) {
                continue;
            }
            for (size_t i = 0; i <= length(name); i++) {
                names[used + i] = name[i];
            }
            used += length(name) + 1;
            ++*count;
        }
    }
}

static int is_before(const char *one, const char *other)
{
    while (*one != 0 && *one == *other) {
        one++;
        other++;
    }
    return (uint8_t)*one < (uint8_t)*other;
}

void print_names(const char *path)
{
    static char names[16384];
    int count;
    int64_t error = read_names(path, names, sizeof names, &count);
    print_line("names", error < 0 ? error : count);
    const char *last = "";
    for (int i = 0; i < count; i++) {
        const char *next = 0;
        const char *name = names;
        for (int j = 0; j < count; j++) {
            if (is_before(last, name) && (next == 0 || is_before(name, next))) {
                next = name;
            }
            name += length(name) + 1;
        }
        if (next == 0) {
            break;
        }
        print("  ");
        print(next);
        print("\n");
        last = next;
    }
}

static void remove_contents(const char *path, int depth)
{
    char names[2048];
    int count;
    do {
        read_names(path, names, sizeof names, &count);
        const char *name = names;
        for (int i = 0; i < count; i++) {
            char child[512] = "";
            append(child, path);
            append(child, "/");
            append(child, name);
            if (call(CALL_UNLINK, (uint64_t)child, 0, 0, 0) != 0 && depth < 10) {
                remove_contents(child, depth + 1);
                count = call(CALL_RMDIR, (uint64_t)child, 0, 0, 0) != 0 ? 0 : count;
            }
            name += length(name) + 1;
        }
    } while (count != 0);
}

int leave_directory(void)
{
    remove_contents(directory, 0);
    call(CALL_CHDIR, (uint64_t)"/", 0, 0, 0);
    print_line("removed", call(CALL_RMDIR, (uint64_t)directory, 0, 0, 0));
    return 0;
}

void print_status(const char *name, const char *path)
{
    struct status status;
    int64_t error = call(CALL_LSTAT, (uint64_t)path, (uint64_t)&status, 0, 0);
    print(name);
    if (error != 0) {
        print_line("", error);
        return;
    }
    print(" mode ");
    print_number(status.mode);
    // Links of directories differ between file systems.
    print(" links ");
    print_number((status.mode & 0170000) == 0040000 ? 0 : (int64_t)status.links);
    print_line(" size", (status.mode & 0170000) == 0040000 ? 0 : status.size);
}

enum { MOST_ENTRIES = 2000, MOST_DEPTH = 20 };

static int entries;

// Whatever can be done with a path without a change.
static void visit(const char *path, int depth)
{
    char names[2048];
    static char bytes[8192];
    struct status status;
    int count;
    call(CALL_LSTAT, (uint64_t)path, (uint64_t)&status, 0, 0);
    call(CALL_READLINK, (uint64_t)path, (uint64_t)bytes, sizeof bytes, 0);
    int64_t file = open_file(path, O_RDONLY, 0);
    call(CALL_READ, (uint64_t)file, (uint64_t)bytes, sizeof bytes, 0);
    call(CALL_LSEEK, (uint64_t)file, (uint64_t)-100, 2, 0);
    call(CALL_READ, (uint64_t)file, (uint64_t)bytes, sizeof bytes, 0);
    close_file(file);
    entries++;
    if (depth == MOST_DEPTH || read_names(path, names, sizeof names, &count) < 0) {
        return;
    }
    const char *name = names;
    for (int i = 0; i < count && entries < MOST_ENTRIES; i++) {
        char child[512] = "";
        if (length(path) + length(name) + 2 > sizeof child) {
            break;
        }
        append(child, path);
        append(child, "/");
        append(child, name);
        visit(child, depth + 1);
        name += length(name) + 1;
    }
}

int walk(void)
{
    static const char *const tops[] = { "/one", "/three", "/program", "" };
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        visit(tops[i], 0);
    }
    call(CALL_RENAME, (uint64_t)"/one", (uint64_t)"/three/one", 0, 0);
    call(CALL_TRUNCATE, (uint64_t)"/one/two/other", 100, 0, 0);
    call(CALL_UNLINK, (uint64_t)"/one/two/text", 0, 0, 0);
    visit("/three", 0);
    print_line("entries", entries);
    return 0;
}

// Files that a host cannot name: one whose name is not UTF-8, and one whose path is
// longer than a path may be.
int odd_names(void)
{
    static char name[251];
    for (size_t i = 0; i < sizeof name - 1; i++) {
        name[i] = 'd';
    }
    int64_t error = call(CALL_MKDIR, (uint64_t)"/tmp/odd", 0755, 0, 0);
    error |= call(CALL_CHDIR, (uint64_t)"/tmp/odd", 0, 0, 0);
    close_file(open_file("\xFF", O_CREAT | O_WRONLY, 0644));
    close_file(open_file("fine", O_CREAT | O_WRONLY, 0644));
    for (int depth = 0; depth < 17; depth++) {
        error |= call(CALL_MKDIR, (uint64_t)name, 0755, 0, 0);
        error |= call(CALL_CHDIR, (uint64_t)name, 0, 0, 0);
    }
    int64_t deep = open_file("deep", O_CREAT | O_WRONLY, 0644);
    return error == 0 && deep >= 0 ? 0 : 1;
}
