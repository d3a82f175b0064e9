// SPDX-License-Identifier: Apache-2.0
//
// Each call that takes a descriptor, with descriptors of the wrong kind.

#include "calls.h"

#define NONE 0xFF

static uint8_t buffer[1024];
static const uint64_t vector[2] = { (uint64_t)buffer, 1 };
static const uint64_t message[7] = { 0, 0, (uint64_t)vector, 1, 0, 0, 0 };
static const uint32_t size = sizeof buffer;

// Where the descriptor is among the arguments of a call. None of these calls does anything to a
// file of the wrong kind.
static const struct {
    const char *name;
    uint16_t number;
    uint8_t descriptor;
    uint64_t others[6];
} calls[] = {
    { "read", CALL_READ, 0, { 0, (uint64_t)buffer, 1 } },
    { "fstat", CALL_FSTAT, 0, { 0, (uint64_t)buffer } },
    { "lseek", CALL_LSEEK, 0, { 0, 0, 1 } },
    { "mmap", CALL_MMAP, 4, { 0, 4096, 1, 2, 0, 0 } },
    { "ioctl", CALL_IOCTL, 0, { 0, 0x5401, (uint64_t)buffer } },
    { "pread64", CALL_PREAD64, 0, { 0, (uint64_t)buffer, 1, 0 } },
    { "readv", CALL_READV, 0, { 0, (uint64_t)vector, 1 } },
    { "writev of nothing", CALL_WRITEV, 0, { 0, (uint64_t)vector, 0 } },
    { "preadv", CALL_PREADV, 0, { 0, (uint64_t)vector, 1, 0 } },
    { "pwritev of nothing", CALL_PWRITEV, 0, { 0, (uint64_t)vector, 0, 0 } },
    { "preadv2", CALL_PREADV2, 0, { 0, (uint64_t)vector, 1, 0, 0, 0 } },
    { "pwritev2 of nothing", CALL_PWRITEV2, 0, { 0, (uint64_t)vector, 0, 0, 0, 0 } },
    { "sendfile to", CALL_SENDFILE, 0, { 0, 3, 0, 0 } },
    { "sendfile from", CALL_SENDFILE, 1, { 5, 0, 0, 1 } },
    { "connect", CALL_CONNECT, 0, { 0, (uint64_t)buffer, 16 } },
    { "accept", CALL_ACCEPT, 0, { 0, 0, 0 } },
    { "accept4", CALL_ACCEPT4, 0, { 0, 0, 0, 0 } },
    { "sendto", CALL_SENDTO, 0, { 0, (uint64_t)buffer, 1 } },
    { "recvfrom", CALL_RECVFROM, 0, { 0, (uint64_t)buffer, 1 } },
    { "sendmsg", CALL_SENDMSG, 0, { 0, (uint64_t)message, 0 } },
    { "recvmsg", CALL_RECVMSG, 0, { 0, (uint64_t)message, 0 } },
    { "shutdown", CALL_SHUTDOWN, 0, { 0, 2 } },
    { "bind", CALL_BIND, 0, { 0, (uint64_t)buffer, 16 } },
    { "listen", CALL_LISTEN, 0, { 0, 1 } },
    { "getsockname", CALL_GETSOCKNAME, 0, { 0, (uint64_t)buffer, (uint64_t)&size } },
    { "getpeername", CALL_GETPEERNAME, 0, { 0, (uint64_t)buffer, (uint64_t)&size } },
    { "setsockopt", CALL_SETSOCKOPT, 0, { 0, 1, 2, (uint64_t)&size, 4 } },
    { "getsockopt", CALL_GETSOCKOPT, 0, { 0, 1, 2, (uint64_t)buffer, (uint64_t)&size } },
    { "fcntl, duplicate", CALL_FCNTL, 0, { 0, 0, 1 << 20 } },
    { "fcntl, flags", CALL_FCNTL, 0, { 0, 4, O_NONBLOCK } },
    { "fcntl, size of a pipe", CALL_FCNTL, 0, { 0, 1032, 0 } },
    { "fcntl, no command", CALL_FCNTL, 0, { 0, 9999, 0 } },
    { "flock", CALL_FLOCK, 0, { 0, 8 } },
    { "fsync", CALL_FSYNC, 0, { 0 } },
    { "fdatasync", CALL_FDATASYNC, 0, { 0 } },
    { "syncfs", CALL_SYNCFS, 0, { 0 } },
    { "sync_file_range", CALL_SYNC_FILE_RANGE, 0, { 0, 0, 0, 0 } },
    { "readahead", CALL_READAHEAD, 0, { 0, 0, 1 } },
    { "fadvise64", CALL_FADVISE64, 0, { 0, 0, 0, 0 } },
    { "ftruncate", CALL_FTRUNCATE, 0, { 0, 100 } },
    { "fallocate", CALL_FALLOCATE, 0, { 0, 0, 0, 100 } },
    { "fchdir", CALL_FCHDIR, 0, { 0 } },
    { "fchmod", CALL_FCHMOD, 0, { 0, 0700 } },
    { "fchown", CALL_FCHOWN, 0, { 0, UINT32_MAX, UINT32_MAX } },
    { "fstatfs", CALL_FSTATFS, 0, { 0, (uint64_t)buffer } },
    { "getdents64", CALL_GETDENTS64, 0, { 0, (uint64_t)buffer, 5 } },
    { "fsetxattr", CALL_FSETXATTR, 0, { 0, (uint64_t)"none.a", (uint64_t)"b", 1, 0 } },
    { "fgetxattr", CALL_FGETXATTR, 0, { 0, (uint64_t)"none.a", (uint64_t)buffer, 1 } },
    { "fremovexattr", CALL_FREMOVEXATTR, 0, { 0, (uint64_t)"none.a" } },
    { "futimesat", CALL_FUTIMESAT, 0, { 0, 0, 0 } },
    { "utimensat", CALL_UTIMENSAT, 0, { 0, 0, 0, 0 } },
    { "dup3", CALL_DUP3, 0, { 0, 1 << 20, 0 } },
    { "dup2", CALL_DUP2, 0, { 0, 1 << 20 } },
    { "epoll_ctl of", CALL_EPOLL_CTL, 0, { 0, 1, 4, (uint64_t)buffer } },
    { "epoll_wait", CALL_EPOLL_WAIT, 0, { 0, (uint64_t)buffer, 1, 0 } },
    { "epoll_pwait", CALL_EPOLL_PWAIT, 0, { 0, (uint64_t)buffer, 1, 0, 0, 8 } },
    { "copy_file_range from", CALL_COPY_FILE_RANGE, 0, { 0, 0, 5, 0, 1, 0 } },
    { "copy_file_range to", CALL_COPY_FILE_RANGE, 2, { 3, 0, 0, 0, 1, 0 } },
};

static int changes_attributes(uint16_t number)
{
    return number == CALL_FCHMOD || number == CALL_FCHOWN || number == CALL_FUTIMESAT || number == CALL_UTIMENSAT;
}

static void print_results(const char *name, uint64_t descriptor, int has_attributes)
{
    print(name);
    print("\n");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (!has_attributes && changes_attributes(calls[i].number)) {
            continue;
        }
        uint64_t arguments[6];
        for (uint8_t k = 0; k < 6; k++) {
            arguments[k] = k == calls[i].descriptor ? descriptor : calls[i].others[k];
        }
        int64_t result = call6(calls[i].number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                               arguments[5]);
        // An address is different everywhere.
        print_line(calls[i].name, calls[i].number == CALL_MMAP && result > 0 ? 0 : result);
    }
}

int descriptor_errors(void)
{
    int32_t ends[2];
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    // Other calls use these by their numbers.
    call(CALL_CLOSE_RANGE, 3, ~0U, 0, 0);
    close_file(open_file("file", O_RDWR | O_CREAT, 0600));
    call(CALL_MKDIR, at("directory"), 0700, 0, 0);
    int64_t file = open_file("file", O_RDONLY, 0);
    call(CALL_PIPE2, at(ends), O_NONBLOCK, 0, 0);
    int64_t path = open_file("file", O_PATH, 0);
    int64_t directory = open_file("directory", O_RDONLY | O_DIRECTORY, 0);
    print_line("numbers", file * 1000 + ends[0] * 100 + ends[1] * 10 + path);
    print_line("close", close_file(CLOSED_DESCRIPTOR));
    print_line("dup", call(CALL_DUP, CLOSED_DESCRIPTOR, 0, 0, 0));
    print_line("write to a closed one", call(CALL_WRITE, CLOSED_DESCRIPTOR, at(buffer), 1, 0));
    print_line("write to a path", call(CALL_WRITE, (uint64_t)path, at(buffer), 1, 0));
    print_line("write to a directory", call(CALL_WRITE, (uint64_t)directory, at(buffer), 1, 0));
    print_line("pwrite64 to a closed one", call(CALL_PWRITE64, CLOSED_DESCRIPTOR, at(buffer), 1, 0));
    print_line("pwrite64 to a path", call(CALL_PWRITE64, (uint64_t)path, at(buffer), 1, 0));
    print_line("pwrite64 to a pipe", call(CALL_PWRITE64, (uint64_t)ends[1], at(buffer), 1, 0));
    print_results("closed", CLOSED_DESCRIPTOR, 1);
    print_results("path", (uint64_t)path, 1);
    // A pipe without a name has none here.
    print_results("pipe", (uint64_t)ends[0], 0);
    print_results("directory", (uint64_t)directory, 1);
    call(CALL_CHDIR, at(".."), 0, 0, 0);
    print_results("file", (uint64_t)file, 1);
    call(CALL_CLOSE_RANGE, 3, ~0U, 0, 0);
    return leave_directory();
}
