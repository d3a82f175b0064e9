// SPDX-License-Identifier: Apache-2.0
//
// The three standard streams. They behave like pipes.

#include "errors.h"
#include "host.h"
#include "program.h"
#include "system_calls.h"
#include "user.h"

#include <string.h>

#define MOST_BYTES 0x7FFFF000UL
#define MOST_VECTORS 1024

#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define O_RDONLY 0
#define O_WRONLY 1

#define AT_EMPTY_PATH 0x1000
#define STAT_SIZE 144
#define PIPE_MODE 010600
#define PATH_SIZE 4096

enum { STANDARD_INPUT = 0, STANDARD_OUTPUT = 1, STANDARD_ERROR = 2 };

struct io_vector {
    uint64_t base;
    uint64_t length;
};

static bool is_open(uint64_t descriptor)
{
    return (uint32_t)descriptor < 32 && program.open_descriptors & 1U << (uint32_t)descriptor;
}

static bool is_output(uint64_t descriptor)
{
    return is_open(descriptor) && (uint32_t)descriptor != STANDARD_INPUT;
}

static bool is_input(uint64_t descriptor)
{
    return is_open(descriptor) && (uint32_t)descriptor == STANDARD_INPUT;
}

static int64_t write_bytes(uint64_t descriptor, uint64_t address, uint64_t size)
{
    size = size < MOST_BYTES ? size : MOST_BYTES;
    uint64_t written = 0;
    while (written < size) {
        uint64_t part;
        const uint8_t *bytes = user_bytes(address + written, &part);
        if (bytes == NULL) {
            return written != 0 ? (int64_t)written : -EFAULT;
        }
        part = part < size - written ? part : size - written;
        int32_t answer;
        if (!host_write((int)descriptor, bytes, part, &answer)) {
            return -EIO;
        }
        if (answer != 0) {
            program_kill(SIGKILL, END_BY_OUTPUT_LIMIT);
            return -EIO;
        }
        written += part;
    }
    return (int64_t)written;
}

// One call of the host: what it has, as from a pipe. Nothing is taken from the
// host unless the program can have it.
static int64_t read_bytes(uint64_t address, uint64_t size)
{
    size = size < HOST_BYTES ? size : HOST_BYTES;
    if (size == 0) {
        return 0;
    }
    if (!user_can_write(address, size)) {
        return -EFAULT;
    }
    const uint8_t *bytes;
    size_t count;
    if (!host_read(size, &bytes, &count)) {
        return -EIO;
    }
    return copy_to_user(address, bytes, count) ? (int64_t)count : -EFAULT;
}

int64_t system_call_read(const uint64_t arguments[6])
{
    return is_input(arguments[0]) ? read_bytes(arguments[1], arguments[2]) : -EBADF;
}

int64_t system_call_write(const uint64_t arguments[6])
{
    return is_output(arguments[0]) ? write_bytes((uint32_t)arguments[0], arguments[1], arguments[2]) : -EBADF;
}

// Ends with the first vector that is not transferred whole.
static int64_t transfer_vectors(const uint64_t arguments[6], bool is_write)
{
    uint64_t count = arguments[2];
    if (count > MOST_VECTORS) {
        return -EINVAL;
    }
    int64_t total = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct io_vector vector;
        if (!copy_from_user(&vector, arguments[1] + i * sizeof vector, sizeof vector)) {
            return total != 0 ? total : -EFAULT;
        }
        if ((int64_t)vector.length < 0) {
            return total != 0 ? total : -EINVAL;
        }
        int64_t result = is_write ? write_bytes((uint32_t)arguments[0], vector.base, vector.length)
                                  : read_bytes(vector.base, vector.length);
        if (result < 0) {
            return total != 0 ? total : result;
        }
        total += result;
        if ((uint64_t)result < vector.length) {
            break;
        }
    }
    return total;
}

int64_t system_call_readv(const uint64_t arguments[6])
{
    return is_input(arguments[0]) ? transfer_vectors(arguments, false) : -EBADF;
}

int64_t system_call_writev(const uint64_t arguments[6])
{
    return is_output(arguments[0]) ? transfer_vectors(arguments, true) : -EBADF;
}

int64_t system_call_close(const uint64_t arguments[6])
{
    if (!is_open(arguments[0])) {
        return -EBADF;
    }
    program.open_descriptors &= ~(1U << (uint32_t)arguments[0]);
    return 0;
}

int64_t system_call_lseek(const uint64_t arguments[6])
{
    return is_open(arguments[0]) ? -ESPIPE : -EBADF;
}

int64_t system_call_ioctl(const uint64_t arguments[6])
{
    return is_open(arguments[0]) ? -ENOTTY : -EBADF;
}

int64_t system_call_fcntl(const uint64_t arguments[6])
{
    if (!is_open(arguments[0])) {
        return -EBADF;
    }
    switch (arguments[1]) {
    case F_GETFD:
    case F_SETFD:
        return 0;
    case F_GETFL:
        return is_output(arguments[0]) ? O_WRONLY : O_RDONLY;
    default:
        return -EINVAL;
    }
}

// struct stat, by the offsets of its fields.
static int64_t describe(uint64_t descriptor, uint64_t address)
{
    if (!is_open(descriptor)) {
        return -EBADF;
    }
    uint64_t words[STAT_SIZE / 8] = { 0 };
    words[1] = (uint32_t)descriptor + 1; // st_ino
    words[2] = 1; // st_nlink
    words[3] = PIPE_MODE; // st_mode, st_uid
    words[7] = 4096; // st_blksize
    return copy_to_user(address, words, sizeof words) ? 0 : -EFAULT;
}

int64_t system_call_fstat(const uint64_t arguments[6])
{
    return describe(arguments[0], arguments[1]);
}

int64_t system_call_newfstatat(const uint64_t arguments[6])
{
    static char path[PATH_SIZE];
    int64_t error = copy_string_from_user(path, arguments[1], sizeof path);
    if (error != 0) {
        return error;
    }
    return path[0] == 0 && arguments[3] & AT_EMPTY_PATH ? describe(arguments[0], arguments[2]) : -ENOENT;
}

static int64_t read_link(uint64_t path_address, uint64_t address, uint64_t size)
{
    static char path[PATH_SIZE];
    if ((int32_t)size <= 0) {
        return -EINVAL;
    }
    int64_t error = copy_string_from_user(path, path_address, sizeof path);
    if (error != 0) {
        return error;
    }
    if (strcmp(path, "/proc/self/exe") != 0) {
        return -ENOENT;
    }
    uint64_t length = strlen(program.name);
    length = length < (uint32_t)size ? length : (uint32_t)size;
    return copy_to_user(address, program.name, length) ? (int64_t)length : -EFAULT;
}

int64_t system_call_readlink(const uint64_t arguments[6])
{
    return read_link(arguments[0], arguments[1], arguments[2]);
}

int64_t system_call_readlinkat(const uint64_t arguments[6])
{
    return read_link(arguments[1], arguments[2], arguments[3]);
}
