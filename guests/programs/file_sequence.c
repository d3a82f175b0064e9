// SPDX-License-Identifier: Apache-2.0
//
// A random sequence of operations on a few files, from a seed. Each result is
// printed: it is that of Linux.

#include "chance.h"
#include "files.h"

static uint64_t state;

// Without what directories of the host do not have: links and holes.
static int is_on_host;

static uint64_t next(uint64_t limit)
{
    return next_random(&state) % limit;
}

static const char *const paths[] = {
    "a", "b", "c", "d", "a/a", "a/b", "a/c", "b/a", "b/b", "b/c", "c/a/b", "a/b/c", "a/a/a", "d/", "./b", "b/../c", "a/b/..", "c/.",
};

// One of them, which is printed.
static const char *path(void)
{
    const char *chosen = paths[next(sizeof paths / sizeof paths[0])];
    print(chosen);
    print(" ");
    return chosen;
}

static int64_t call_with_path(const char *name, uint64_t number, uint64_t argument)
{
    print(name);
    return call(number, (uint64_t)path(), argument, 0, 0);
}

static int64_t call_with_paths(const char *name, uint64_t number)
{
    print(name);
    const char *first = path();
    return call(number, (uint64_t)first, (uint64_t)path(), 0, 0);
}

static int64_t files[4] = { -1, -1, -1, -1 };

static void reopen(unsigned index)
{
    static const uint32_t flags[] = { O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_CREAT | O_TRUNC,
                                      O_RDWR | O_APPEND, O_RDONLY | O_DIRECTORY, O_RDONLY };
    uint64_t choice = next(sizeof flags / sizeof flags[0]);
    close_file(files[index]);
    print_number((int64_t)choice);
    print(" open ");
    files[index] = open_file(path(), flags[choice], 0640);
    print_number(files[index] < 0 ? files[index] : 0);
}

// A sum of what was read, so that contents are compared.
static void read_some(int64_t file)
{
    static uint8_t bytes[9000];
    uint64_t size = 1 + next(sizeof bytes);
    int64_t count = call(CALL_PREAD64, (uint64_t)file, (uint64_t)bytes, size, next(20000));
    uint64_t sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum = sum * 31 + bytes[i];
    }
    print_number(count);
    print(" ");
    print_number((int64_t)(sum & 0xFFFFFFFF));
}

static int64_t write_some(int64_t file)
{
    static uint8_t bytes[9000];
    uint64_t size = 1 + next(sizeof bytes);
    uint64_t position = next(40000);
    for (uint64_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(next(251) + 1);
    }
    return position < 20000 ? call(CALL_PWRITE64, (uint64_t)file, (uint64_t)bytes, size, position)
                            : call(CALL_WRITE, (uint64_t)file, (uint64_t)bytes, size, 0);
}

static void describe(int64_t result, const struct status *status)
{
    print_number(result);
    if (result == 0) {
        int is_directory = (status->mode & 0170000) == 0040000;
        print(" ");
        print_number(status->mode);
        print(" ");
        print_number(is_directory ? 0 : (int64_t)status->links);
        print(" ");
        print_number(is_directory ? 0 : status->size);
    }
}

static void step(void)
{
    struct status status;
    uint64_t hole;
    int64_t file = files[next(4)];
    uint64_t operation = next(18);
    if (is_on_host && (operation == 11 || operation == 12 || operation == 16)) {
        operation = 3;
    }
    switch (operation) {
    case 0:
    case 1:
    case 2:
        reopen((unsigned)next(4));
        break;
    case 3:
    case 4:
        print_number(write_some(file));
        break;
    case 5:
    case 6:
        read_some(file);
        break;
    case 7:
        print_number(call_with_path("mkdir ", CALL_MKDIR, 0750));
        break;
    case 8:
        print_number(call_with_path("rmdir ", CALL_RMDIR, 0));
        break;
    case 9:
        print_number(call_with_path("unlink ", CALL_UNLINK, 0));
        break;
    case 10:
        print_number(call_with_paths("rename ", CALL_RENAME));
        break;
    case 11:
        print_number(call_with_paths("link ", CALL_LINK));
        break;
    case 12:
        print_number(call_with_paths("symlink ", CALL_SYMLINK));
        break;
    case 13:
        print_number(call(CALL_FTRUNCATE, (uint64_t)file, next(20000), 0, 0));
        break;
    case 14:
        describe(call(CALL_FSTAT, (uint64_t)file, (uint64_t)&status, 0, 0), &status);
        break;
    case 15:
        describe(next(2) == 0 ? call_with_path("stat ", CALL_STAT, (uint64_t)&status)
                              : call_with_path("lstat ", CALL_LSTAT, (uint64_t)&status), &status);
        break;
    case 16:
        hole = next(10000);
        print_number(call(CALL_FALLOCATE, (uint64_t)file, 3, hole, 1 + next(10000)));
        break;
    default:
        print_names(path());
        break;
    }
}

static void perform(uint64_t seed, uint64_t count)
{
    state = random_state(seed);
    call(CALL_UMASK, 022, 0, 0, 0);
    for (uint64_t i = 0; i < count; i++) {
        print_number((int64_t)i);
        print(": ");
        step();
        print("\n");
    }
    for (unsigned i = 0; i < 4; i++) {
        close_file(files[i]);
    }
}

int file_sequence(uint64_t seed, uint64_t count)
{
    if (enter_directory() != 0) {
        return 1;
    }
    perform(seed, count);
    return leave_directory();
}

int host_sequence(const char *directory, uint64_t seed, uint64_t count)
{
    is_on_host = 1;
    if (call(CALL_CHDIR, (uint64_t)directory, 0, 0, 0) != 0) {
        return 1;
    }
    perform(seed, count);
    return 0;
}
