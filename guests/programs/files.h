// SPDX-License-Identifier: Apache-2.0
//
// What the tests of files share.

#ifndef PROGRAMS_FILES_H
#define PROGRAMS_FILES_H

#include "start.h"

enum {
    CALL_OPEN = 2,
    CALL_CLOSE = 3,
    CALL_STAT = 4,
    CALL_FSTAT = 5,
    CALL_LSTAT = 6,
    CALL_LSEEK = 8,
    CALL_IOCTL = 16,
    CALL_PREAD64 = 17,
    CALL_PWRITE64 = 18,
    CALL_READV = 19,
    CALL_WRITEV = 20,
    CALL_ACCESS = 21,
    CALL_MREMAP = 25,
    CALL_MSYNC = 26,
    CALL_MINCORE = 27,
    CALL_MADVISE = 28,
    CALL_DUP = 32,
    CALL_DUP2 = 33,
    CALL_SENDFILE = 40,
    CALL_FCNTL = 72,
    CALL_FLOCK = 73,
    CALL_FSYNC = 74,
    CALL_TRUNCATE = 76,
    CALL_FTRUNCATE = 77,
    CALL_GETCWD = 79,
    CALL_CHDIR = 80,
    CALL_FCHDIR = 81,
    CALL_RENAME = 82,
    CALL_MKDIR = 83,
    CALL_RMDIR = 84,
    CALL_CREAT = 85,
    CALL_LINK = 86,
    CALL_UNLINK = 87,
    CALL_SYMLINK = 88,
    CALL_READLINK = 89,
    CALL_CHMOD = 90,
    CALL_FCHMOD = 91,
    CALL_UMASK = 95,
    CALL_STATFS = 137,
    CALL_GETDENTS64 = 217,
    CALL_OPENAT = 257,
    CALL_MKDIRAT = 258,
    CALL_NEWFSTATAT = 262,
    CALL_UNLINKAT = 263,
    CALL_LINKAT = 265,
    CALL_READLINKAT = 267,
    CALL_FACCESSAT = 269,
    CALL_UTIMENSAT = 280,
    CALL_FALLOCATE = 285,
    CALL_DUP3 = 292,
    CALL_RENAMEAT2 = 316,
    CALL_MEMFD_CREATE = 319,
    CALL_COPY_FILE_RANGE = 326,
    CALL_STATX = 332,
    CALL_CLOSE_RANGE = 436,
    CALL_FACCESSAT2 = 439,
};

enum {
    O_RDONLY = 0,
    O_WRONLY = 1,
    O_RDWR = 2,
    O_CREAT = 0100,
    O_EXCL = 0200,
    O_TRUNC = 01000,
    O_APPEND = 02000,
    O_NONBLOCK = 04000,
    O_DIRECTORY = 0200000,
    O_NOFOLLOW = 0400000,
    O_CLOEXEC = 02000000,
    O_PATH = 010000000,
    O_TMPFILE = 020200000,
};

#define AT_FDCWD ((uint64_t)-100)

struct status {
    uint64_t device, inode, links;
    uint32_t mode, uid, gid, padding;
    uint64_t represented_device;
    int64_t size, block_size, blocks;
    int64_t times[6];
    int64_t unused[3];
};

static inline int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return call6(number, a, b, c, d, 0, 0);
}

static inline int64_t open_file(const char *path, uint64_t flags, uint64_t mode)
{
    return call(CALL_OPENAT, AT_FDCWD, (uint64_t)path, flags, mode);
}

static inline int64_t close_file(int64_t descriptor)
{
    return call(CALL_CLOSE, (uint64_t)descriptor, 0, 0, 0);
}

static inline int64_t write_text(int64_t descriptor, const char *text)
{
    return call(CALL_WRITE, (uint64_t)descriptor, (uint64_t)text, length(text), 0);
}

// Mode, links and size of a path, or the error.
void print_status(const char *name, const char *path);

// A path that no other process uses.
void make_unique(char *path, const char *prefix);

// Makes an empty directory below /tmp and enters it; leaves and removes it with all
// that is in it.
int enter_directory(void);
int odd_names(void);
int leave_directory(void);

// Prints the names in the working directory, in ascending order.
void print_names(const char *path);

int walk(void);
int file_calls(void);
int file_mappings(void);
int shared_file(const char *path);
int memory_areas(void);
// As many areas as pages. `calls`: and then two calls that each change all of them.
int many_areas(uint64_t count, uint64_t calls);
int memory_sequence(uint64_t seed, uint64_t count);
int record_locks(const struct start *start);
int named_pipes(void);
int sleep_long(void);
int resource_limits(void);
int moved_memory(void);
int no_privileges(void);
int file_limits(void);
int file_sequence(uint64_t seed, uint64_t count);
// The same in a directory that stays as it is afterwards.
int host_sequence(const char *directory, uint64_t seed, uint64_t count);
int host_changes(const char *name, const struct start *start);
int system_files(void);
int default_files(void);

#endif
