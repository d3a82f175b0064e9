// SPDX-License-Identifier: Apache-2.0
//
// The calls for files of a directory that is open: what they do, and flags that are wrong.

#include "calls.h"

#define NOFOLLOW 0x100
#define REMOVEDIR 0x200
#define EACCESS 0x200
#define FOLLOW 0x400
#define NO_AUTOMOUNT 0x800
#define EMPTY_PATH 0x1000
#define REGULAR 0100000
#define FIFO 0010000
#define DEVICE 0020000
#define DIRECTORY 0040000
#define LINK 0120000
#define NO_TYPE 0170000

static uint64_t directory;
static char buffer[512];

static void creation(void)
{
    print_line("mkdirat", call(CALL_MKDIRAT, directory, at("inner"), 0750, 0));
    print_status("inner", "directory/inner");
    print_line("again", call(CALL_MKDIRAT, directory, at("inner"), 0750, 0));
    print_line("with a slash", call(CALL_MKDIRAT, directory, at("other/"), 0700, 0));
    print_line("openat", close_file(call(CALL_OPENAT, directory, at("file"), O_RDWR | O_CREAT, 0640)));
    print_line("exclusively", call(CALL_OPENAT, directory, at("file"), O_RDWR | O_CREAT | O_EXCL, 0640));
    print_line("without a name, for reading", call(CALL_OPENAT, directory, at("."), O_RDONLY | O_TMPFILE, 0600));
    print_line("absolute", close_file(call(CALL_OPENAT, CLOSED_DESCRIPTOR, at("/"), O_RDONLY, 0)));
    print_line("creat", close_file(call(CALL_CREAT, at("directory/created"), 0604, 0, 0)));
    print_status("created", "directory/created");
    print_line("creat of a directory", call(CALL_CREAT, at("directory"), 0600, 0, 0));
    print_line("mknod", call(CALL_MKNOD, at("directory/node"), REGULAR | 0622, 0, 0));
    print_status("node", "directory/node");
    print_line("mknodat", call(CALL_MKNODAT, directory, at("pipe"), FIFO | 0600, 0));
    print_status("pipe", "directory/pipe");
    print_line("without a type", call(CALL_MKNODAT, directory, at("plain"), 0600, 0));
    print_status("plain", "directory/plain");
    print_line("again", call(CALL_MKNODAT, directory, at("plain"), 0600, 0));
    print_line("a directory", call(CALL_MKNODAT, directory, at("none"), DIRECTORY | 0700, 0));
    print_line("a device", call(CALL_MKNODAT, directory, at("none"), DEVICE | 0600, 0x103));
    print_line("a link", call(CALL_MKNODAT, directory, at("none"), LINK | 0600, 0));
    print_line("no type", call(CALL_MKNODAT, directory, at("none"), NO_TYPE | 0600, 0));
    print_line("symlinkat", call(CALL_SYMLINKAT, at("file"), directory, at("link"), 0));
    print_status("link", "directory/link");
    print_line("again", call(CALL_SYMLINKAT, at("file"), directory, at("link"), 0));
    print_line("readlinkat", call(CALL_READLINKAT, directory, at("link"), at(buffer), sizeof buffer));
    print_line("a part", call(CALL_READLINKAT, directory, at("link"), at(buffer), 2));
    print_line("no space", call(CALL_READLINKAT, directory, at("link"), at(buffer), 0));
    print_line("bad address", call(CALL_READLINKAT, directory, at("link"), BAD_ADDRESS, 10));
    print_line("of a file", call(CALL_READLINKAT, directory, at("file"), at(buffer), sizeof buffer));
    print_names("directory");
}

static void links(void)
{
    print_line("linkat", call6(CALL_LINKAT, directory, at("file"), AT_FDCWD, at("second"), 0, 0));
    print_status("second", "second");
    print_line("again", call6(CALL_LINKAT, directory, at("file"), AT_FDCWD, at("second"), 0, 0));
    print_line("of a link", call6(CALL_LINKAT, directory, at("link"), directory, at("link to the link"), 0, 0));
    print_status("link", "directory/link to the link");
    print_line("through the link", call6(CALL_LINKAT, directory, at("link"), directory, at("third"), FOLLOW, 0));
    print_status("third", "directory/third");
    print_line("of a directory", call6(CALL_LINKAT, directory, at("inner"), directory, at("none"), 0, 0));
    print_line("wrong flags", call6(CALL_LINKAT, directory, at("file"), directory, at("none"), NOFOLLOW, 0));
    print_line("unlinkat", call(CALL_UNLINKAT, directory, at("third"), 0, 0));
    print_line("again", call(CALL_UNLINKAT, directory, at("third"), 0, 0));
    print_line("of a directory", call(CALL_UNLINKAT, directory, at("inner"), 0, 0));
    print_line("of a file as one", call(CALL_UNLINKAT, directory, at("file"), REMOVEDIR, 0));
    print_line("of dot", call(CALL_UNLINKAT, directory, at("."), REMOVEDIR, 0));
    print_line("wrong flags", call(CALL_UNLINKAT, directory, at("file"), 1, 0));
    print_line("directory", call(CALL_UNLINKAT, directory, at("other"), REMOVEDIR, 0));
    print_names("directory");
}

static int64_t rename(const char *from, const char *to, uint64_t flags)
{
    return call6(CALL_RENAMEAT2, directory, at(from), directory, at(to), flags, 0);
}

static void renames(void)
{
    enum { NOREPLACE = 1, EXCHANGE = 2, UNKNOWN = 8 };
    print_line("renameat", call(CALL_RENAMEAT, directory, at("plain"), AT_FDCWD, at("moved")));
    print_status("moved", "moved");
    print_line("back", call(CALL_RENAMEAT, AT_FDCWD, at("moved"), directory, at("plain")));
    print_line("into itself", call(CALL_RENAMEAT, AT_FDCWD, at("directory"), directory, at("none")));
    print_line("renameat2", rename("plain", "renamed", 0));
    print_line("nothing", rename("plain", "renamed", 0));
    print_line("not over", rename("renamed", "node", NOREPLACE));
    print_line("to a new name", rename("renamed", "plain", NOREPLACE));
    print_line("exchange", rename("plain", "inner", EXCHANGE));
    print_status("file", "directory/inner");
    print_status("directory", "directory/plain");
    print_line("exchange again", rename("plain", "inner", EXCHANGE));
    print_line("exchange with nothing", rename("plain", "none", EXCHANGE));
    print_line("both", rename("plain", "none", NOREPLACE | EXCHANGE));
    print_line("wrong flags", rename("plain", "none", UNKNOWN));
    print_line("file over a directory", rename("plain", "inner", 0));
    print_line("directory over a file", rename("inner", "plain", 0));
    print_line("dot", rename(".", "none", 0));
    print_names("directory");
}

static int64_t access(const char *path, uint64_t mode, uint64_t flags)
{
    return call(CALL_FACCESSAT2, directory, at(path), mode, flags);
}

static int64_t extended(uint64_t descriptor, const char *path, uint64_t flags, uint64_t mask)
{
    return call6(CALL_STATX, descriptor, at(path), flags, mask, at(buffer), 0);
}

static void attributes(void)
{
    struct status status;
    print_line("fchmodat", call(CALL_FCHMODAT, directory, at("file"), 0444, 0));
    print_status("file", "directory/file");
    print_line("faccessat", call(CALL_FACCESSAT, directory, at("file"), 4, 0));
    print_line("write", call(CALL_FACCESSAT, directory, at("file"), 2, 0));
    print_line("wrong mode", call(CALL_FACCESSAT, directory, at("file"), 8, 0));
    print_line("faccessat2", access("file", 4, EACCESS));
    print_line("write", access("file", 2, EACCESS));
    print_line("a link", access("link", 0, NOFOLLOW));
    print_line("empty path", access("", 0, EMPTY_PATH));
    print_line("wrong mode", access("file", 16, 0));
    print_line("wrong flags", access("file", 4, 1));
    print_line("open for writing", call(CALL_OPENAT, directory, at("file"), O_WRONLY, 0));
    call(CALL_FCHMODAT, directory, at("file"), 0640, 0);
    print_line("of root", call(CALL_FCHMODAT, AT_FDCWD, at("/"), 0755, 0));
    print_line("newfstatat", call(CALL_NEWFSTATAT, directory, at("link"), at(&status), 0));
    print_line("mode", status.mode);
    print_line("of the link", call(CALL_NEWFSTATAT, directory, at("link"), at(&status), NOFOLLOW | NO_AUTOMOUNT));
    print_line("mode", status.mode);
    print_line("size", status.size);
    print_line("empty path", call(CALL_NEWFSTATAT, directory, at(""), at(&status), EMPTY_PATH));
    print_line("mode", status.mode);
    print_line("wrong flags", call(CALL_NEWFSTATAT, directory, at("file"), at(&status), 1));
    print_line("bad address", call(CALL_NEWFSTATAT, directory, at("file"), BAD_ADDRESS, 0));
    print_line("statx", extended(directory, "file", 0, 0x7FF));
    print_line("mode", *(uint16_t *)(buffer + 28));
    print_line("links", *(uint32_t *)(buffer + 16));
    print_line("mask", *(uint32_t *)buffer & 0x7FF);
    print_line("of the link", extended(directory, "link", NOFOLLOW, 0x7FF));
    print_line("mode", *(uint16_t *)(buffer + 28));
    print_line("empty path", extended(directory, "", EMPTY_PATH, 0x7FF));
    print_line("mode", *(uint16_t *)(buffer + 28));
    print_line("synchronized", extended(directory, "file", 0x2000, 0x7FF));
    print_line("both kinds", extended(directory, "file", 0x6000, 0x7FF));
    print_line("wrong flags", extended(directory, "file", 1, 0x7FF));
    print_line("reserved mask", extended(directory, "file", 0, 0x80000000));
    print_line("bad address", call6(CALL_STATX, directory, at("file"), 0, 0x7FF, BAD_ADDRESS, 0));
    print_line("statfs", call(CALL_STATFS, at("directory"), at(buffer), 0, 0));
    print_line("fstatfs", call(CALL_FSTATFS, directory, at(buffer), 0, 0));
    print_line("longest name", *(uint64_t *)(buffer + 64) >= 255);
    print_line("umask", call(CALL_UMASK, 0xFFFFFF12, 0, 0, 0));
    print_line("umask", call(CALL_UMASK, 022, 0, 0, 0));
}

int directory_calls(void)
{
    give_up_privileges();
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    call(CALL_MKDIR, at("directory"), 0755, 0, 0);
    directory = (uint64_t)open_file("directory", O_RDONLY | O_DIRECTORY, 0);
    creation();
    links();
    renames();
    attributes();
    close_file((int64_t)directory);
    return leave_directory();
}
