// SPDX-License-Identifier: Apache-2.0
//
// Each call that takes a path, with paths that lead nowhere. The kernel's answer to a wrong
// path does not depend on the call, but each call has to look it up.

#include "calls.h"

#define NONE 0xFF
#define TARGET ((uint64_t)"target")

static char buffer[512];
static char long_name[300];
static char long_path[5000];

// Where the descriptor is among the arguments of a call, if it has one, and where the path is.
static const struct {
    const char *name;
    uint16_t number;
    uint8_t descriptor, path;
    uint64_t others[5];
} calls[] = {
    { "open", CALL_OPEN, NONE, 0, { 0, O_RDONLY } },
    { "creat", CALL_CREAT, NONE, 0, { 0, 0600 } },
    { "stat", CALL_STAT, NONE, 0, { 0, (uint64_t)buffer } },
    { "lstat", CALL_LSTAT, NONE, 0, { 0, (uint64_t)buffer } },
    { "access", CALL_ACCESS, NONE, 0, { 0, 0 } },
    { "chdir", CALL_CHDIR, NONE, 0, { 0 } },
    { "truncate", CALL_TRUNCATE, NONE, 0, { 0, 0 } },
    { "rename from", CALL_RENAME, NONE, 0, { 0, TARGET } },
    { "rename to", CALL_RENAME, NONE, 1, { (uint64_t)"file" } },
    { "mkdir", CALL_MKDIR, NONE, 0, { 0, 0700 } },
    { "rmdir", CALL_RMDIR, NONE, 0, { 0 } },
    { "link from", CALL_LINK, NONE, 0, { 0, TARGET } },
    { "link to", CALL_LINK, NONE, 1, { (uint64_t)"file" } },
    { "unlink", CALL_UNLINK, NONE, 0, { 0 } },
    { "symlink from", CALL_SYMLINK, NONE, 0, { 0, (uint64_t)"none/link" } },
    { "symlink to", CALL_SYMLINK, NONE, 1, { TARGET } },
    { "readlink", CALL_READLINK, NONE, 0, { 0, (uint64_t)buffer, sizeof buffer } },
    { "chmod", CALL_CHMOD, NONE, 0, { 0, 0700 } },
    { "chown", CALL_CHOWN, NONE, 0, { 0, UINT32_MAX, UINT32_MAX } },
    { "lchown", CALL_LCHOWN, NONE, 0, { 0, UINT32_MAX, UINT32_MAX } },
    { "utime", CALL_UTIME, NONE, 0, { 0, 0 } },
    { "utimes", CALL_UTIMES, NONE, 0, { 0, 0 } },
    { "mknod", CALL_MKNOD, NONE, 0, { 0, 0600 } },
    { "statfs", CALL_STATFS, NONE, 0, { 0, (uint64_t)buffer } },
    { "execve", CALL_EXECVE, NONE, 0, { 0, 0, 0 } },
    { "setxattr", CALL_SETXATTR, NONE, 0, { 0, (uint64_t)"user.a", (uint64_t)"b", 1, 0 } },
    { "lsetxattr", CALL_LSETXATTR, NONE, 0, { 0, (uint64_t)"user.a", (uint64_t)"b", 1, 0 } },
    { "getxattr", CALL_GETXATTR, NONE, 0, { 0, (uint64_t)"user.a", (uint64_t)buffer, 1 } },
    { "lgetxattr", CALL_LGETXATTR, NONE, 0, { 0, (uint64_t)"user.a", (uint64_t)buffer, 1 } },
    { "listxattr", CALL_LISTXATTR, NONE, 0, { 0, 0, 0 } },
    { "llistxattr", CALL_LLISTXATTR, NONE, 0, { 0, 0, 0 } },
    { "removexattr", CALL_REMOVEXATTR, NONE, 0, { 0, (uint64_t)"user.a" } },
    { "lremovexattr", CALL_LREMOVEXATTR, NONE, 0, { 0, (uint64_t)"user.a" } },
    { "openat", CALL_OPENAT, 0, 1, { 0, 0, O_RDONLY } },
    { "mkdirat", CALL_MKDIRAT, 0, 1, { 0, 0, 0700 } },
    { "mknodat", CALL_MKNODAT, 0, 1, { 0, 0, 0600 } },
    { "fchownat", CALL_FCHOWNAT, 0, 1, { 0, 0, UINT32_MAX, UINT32_MAX, 0 } },
    { "futimesat", CALL_FUTIMESAT, 0, 1, { 0, 0, 0 } },
    { "newfstatat", CALL_NEWFSTATAT, 0, 1, { 0, 0, (uint64_t)buffer, 0 } },
    { "unlinkat", CALL_UNLINKAT, 0, 1, { 0, 0, 0 } },
    { "unlinkat of a directory", CALL_UNLINKAT, 0, 1, { 0, 0, 0x200 } },
    { "renameat from", CALL_RENAMEAT, 0, 1, { 0, 0, AT_FDCWD, TARGET } },
    { "renameat to", CALL_RENAMEAT, 2, 3, { AT_FDCWD, (uint64_t)"file" } },
    { "renameat2 from", CALL_RENAMEAT2, 0, 1, { 0, 0, AT_FDCWD, TARGET, 1 } },
    { "renameat2 to", CALL_RENAMEAT2, 2, 3, { AT_FDCWD, (uint64_t)"file", 0, 0, 1 } },
    { "linkat from", CALL_LINKAT, 0, 1, { 0, 0, AT_FDCWD, TARGET, 0 } },
    { "linkat to", CALL_LINKAT, 2, 3, { AT_FDCWD, (uint64_t)"file", 0, 0, 0 } },
    { "symlinkat", CALL_SYMLINKAT, 1, 2, { TARGET } },
    { "readlinkat", CALL_READLINKAT, 0, 1, { 0, 0, (uint64_t)buffer, sizeof buffer } },
    { "fchmodat", CALL_FCHMODAT, 0, 1, { 0, 0, 0700 } },
    { "faccessat", CALL_FACCESSAT, 0, 1, { 0, 0, 0 } },
    { "faccessat2", CALL_FACCESSAT2, 0, 1, { 0, 0, 0, 0 } },
    { "utimensat", CALL_UTIMENSAT, 0, 1, { 0, 0, 0, 0 } },
    { "statx", CALL_STATX, 0, 1, { 0, 0, 0, 0x7FF, (uint64_t)buffer } },
};

static int64_t call_with(size_t index, uint64_t descriptor, uint64_t path)
{
    uint64_t arguments[5];
    for (uint8_t i = 0; i < 5; i++) {
        arguments[i] = i == calls[index].path ? path : i == calls[index].descriptor ? descriptor : calls[index].others[i];
    }
    return call6(calls[index].number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], 0);
}

static void print_results(const char *name, uint64_t descriptor, uint64_t path)
{
    print(name);
    print("\n");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        // The target of a link is not looked up.
        int is_target = calls[i].number == CALL_SYMLINK && calls[i].path == 0;
        if (!is_target || path == BAD_ADDRESS || path == at("") || path == at(long_path)) {
            print_line(calls[i].name, call_with(i, descriptor, path));
        }
    }
}

static void print_results_of_descriptor(const char *name, uint64_t descriptor)
{
    print(name);
    print("\n");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (calls[i].descriptor != NONE) {
            print_line(calls[i].name, call_with(i, descriptor, at("none")));
        }
    }
}

static void fill(char *text, size_t size)
{
    for (size_t i = 0; i < size - 1; i++) {
        text[i] = 'n';
    }
}

int path_errors(void)
{
    give_up_privileges();
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    fill(long_name, sizeof long_name);
    fill(long_path, sizeof long_path);
    int64_t file = open_file("file", O_RDWR | O_CREAT, 0600);
    call(CALL_MKDIR, at("private"), 0700, 0, 0);
    close_file(open_file("private/file", O_RDWR | O_CREAT, 0600));
    call(CALL_CHMOD, at("private"), 0600, 0, 0);
    call(CALL_SYMLINK, at("loop"), at("loop"), 0, 0);
    print_results("bad address", AT_FDCWD, BAD_ADDRESS);
    print_results("empty", AT_FDCWD, at(""));
    print_results("below nothing", AT_FDCWD, at("none/name"));
    print_results("below a file", AT_FDCWD, at("file/name"));
    print_results("below a loop", AT_FDCWD, at("loop/name"));
    print_results("below a directory without permission", AT_FDCWD, at("private/file"));
    print_results("long name", AT_FDCWD, at(long_name));
    print_results("long path", AT_FDCWD, at(long_path));
    print_results_of_descriptor("closed", CLOSED_DESCRIPTOR);
    print_results_of_descriptor("of a file", (uint64_t)file);
    close_file(file);
    call(CALL_CHMOD, at("private"), 0700, 0, 0);
    print_names(".");
    return leave_directory();
}
