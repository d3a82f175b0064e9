// SPDX-License-Identifier: Apache-2.0
//
// The calls that set the times of files.

#include "calls.h"

#define NOFOLLOW 0x100
#define EMPTY_PATH 0x1000
#define NOW ((1L << 30) - 1)
#define OMIT ((1L << 30) - 2)
#define LONG_AGO 1600000000

static void print_times(const char *path)
{
    struct status status;
    call(CALL_LSTAT, at(path), at(&status), 0, 0);
    print_line("  accessed", status.times[0] > LONG_AGO ? -1 : status.times[0]);
    print_line("  nanoseconds", status.times[0] > LONG_AGO ? -1 : status.times[1]);
    print_line("  modified", status.times[2] > LONG_AGO ? -1 : status.times[2]);
    print_line("  nanoseconds", status.times[2] > LONG_AGO ? -1 : status.times[3]);
}

static int64_t set_at(uint64_t descriptor, const char *path, int64_t accessed, int64_t modified, uint64_t flags)
{
    const int64_t times[4] = { 1000, accessed, 2000, modified };
    return call(CALL_UTIMENSAT, descriptor, at(path), at(times), flags);
}

static void by_seconds(void)
{
    const int64_t seconds[2] = { 11, 22 };
    const int64_t times[4] = { 33, 44, 55, 66 };
    const int64_t negative[4] = { 0, -1, 0, 0 };
    const int64_t too_much[4] = { 0, 0, 0, 1000000 };
    print_line("utime", call(CALL_UTIME, at("file"), at(seconds), 0, 0));
    print_times("file");
    print_line("now", call(CALL_UTIME, at("file"), 0, 0, 0));
    print_times("file");
    print_line("bad address", call(CALL_UTIME, at("file"), BAD_ADDRESS, 0, 0));
    print_line("utimes", call(CALL_UTIMES, at("file"), at(times), 0, 0));
    print_times("file");
    print_line("through a link", call(CALL_UTIME, at("link"), at(seconds), 0, 0));
    print_times("file");
    print_line("bad address", call(CALL_UTIMES, at("file"), BAD_ADDRESS, 0, 0));
    print_line("negative microseconds", call(CALL_UTIMES, at("file"), at(negative), 0, 0));
    print_line("too many microseconds", call(CALL_UTIMES, at("file"), at(too_much), 0, 0));
    print_line("now", call(CALL_UTIMES, at("file"), 0, 0, 0));
    print_times("file");
    // Another user's.
    print_line("of root", call(CALL_UTIME, at("/"), at(seconds), 0, 0));
    print_line("of root, now", call(CALL_UTIME, at("/"), 0, 0, 0));
}

static void at_descriptors(uint64_t file, uint64_t directory)
{
    const int64_t times[4] = { 77, 88, 99, 111 };
    const int64_t too_much[4] = { 0, 0, 0, 1000000 };
    print_line("futimesat", call(CALL_FUTIMESAT, directory, at("inner"), at(times), 0));
    print_times("directory/inner");
    print_line("of a descriptor", call(CALL_FUTIMESAT, file, 0, at(times), 0));
    print_times("file");
    print_line("no path", call(CALL_FUTIMESAT, AT_FDCWD, 0, at(times), 0));
    print_line("no file", call(CALL_FUTIMESAT, CLOSED_DESCRIPTOR, 0, at(times), 0));
    print_line("bad address", call(CALL_FUTIMESAT, directory, at("inner"), BAD_ADDRESS, 0));
    print_line("too many microseconds", call(CALL_FUTIMESAT, directory, at("inner"), at(too_much), 0));
    print_line("utimensat", set_at(directory, "inner", 5, 6, 0));
    print_times("directory/inner");
    print_line("of a descriptor", set_at(file, NULL, 7, 8, 0));
    print_times("file");
    print_line("flags of a descriptor", set_at(file, NULL, 7, 8, NOFOLLOW));
    print_line("no path", set_at(AT_FDCWD, NULL, 7, 8, 0));
    print_line("modified only", set_at(AT_FDCWD, "file", OMIT, 10, 0));
    print_times("file");
    print_line("accessed now", set_at(AT_FDCWD, "file", NOW, OMIT, 0));
    print_times("file");
    print_line("nothing", set_at(AT_FDCWD, "file", OMIT, OMIT, 0));
    print_times("file");
    print_line("nothing of nothing", set_at(AT_FDCWD, "none", OMIT, OMIT, 0));
    print_line("a link", set_at(AT_FDCWD, "link", 12, 13, NOFOLLOW));
    print_times("link");
    print_times("file");
    print_line("empty path", set_at(file, "", 14, 15, 0));
    print_line("bad address", call(CALL_UTIMENSAT, AT_FDCWD, at("file"), BAD_ADDRESS, 0));
    print_line("negative nanoseconds", set_at(AT_FDCWD, "file", -1, 0, 0));
    print_line("too many nanoseconds", set_at(AT_FDCWD, "file", 0, 1000000000, 0));
    print_line("wrong flags", set_at(AT_FDCWD, "file", 0, 0, 1));
    print_line("of root", set_at(AT_FDCWD, "/", 0, 0, 0));
    print_line("of root, now", set_at(AT_FDCWD, "/", NOW, NOW, 0));
    print_line("of root, one now", set_at(AT_FDCWD, "/", NOW, OMIT, 0));
    int64_t path = open_file("file", O_PATH, 0);
    print_line("of a path", set_at((uint64_t)path, NULL, 1, 1, 0));
    close_file(path);
    const int64_t before[4] = { -5, 500000000, -1, 0 };
    print_line("before 1970", call(CALL_UTIMENSAT, AT_FDCWD, at("file"), at(before), 0));
    print_times("file");
}

int file_times(void)
{
    give_up_privileges();
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    int64_t file = open_file("file", O_RDWR | O_CREAT, 0600);
    call(CALL_MKDIR, at("directory"), 0700, 0, 0);
    close_file(open_file("directory/inner", O_RDWR | O_CREAT, 0600));
    call(CALL_SYMLINK, at("file"), at("link"), 0, 0);
    int64_t directory = open_file("directory", O_RDONLY | O_DIRECTORY, 0);
    by_seconds();
    at_descriptors((uint64_t)file, (uint64_t)directory);
    close_file(directory);
    close_file(file);
    return leave_directory();
}
