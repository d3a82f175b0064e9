// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing with several buffers, and copies between files.

#include "calls.h"
#include "vector.h"

#define POSITION_OF_FILE UINT64_MAX
#define UNKNOWN_FLAG 0x100000

static char buffer[64];
static int64_t file;
static int32_t ends[2];

static void print_buffer(uint64_t size)
{
    buffer[size] = 0;
    print("  ");
    print(buffer);
    print("\n");
}

static void clear(void)
{
    for (size_t i = 0; i < sizeof buffer; i++) {
        buffer[i] = '-';
    }
}

static const struct vector two[2] = { { "one", 3 }, { " two", 4 } };
static const struct vector into[3] = { { buffer, 2 }, { buffer, 0 }, { buffer + 2, 20 } };

static void positions(uint64_t reading, uint64_t writing, uint64_t is_extended)
{
    uint64_t descriptor = (uint64_t)file;
    clear();
    print_line("write", call6(writing, descriptor, at(two), 2, 5, 0, 0));
    print_line("read", call6(reading, descriptor, at(into), 3, 5, 0, 0));
    print_buffer(10);
    print_line("position", call(CALL_LSEEK, descriptor, 0, 1, 0));
    print_line("at the end", call6(reading, descriptor, at(into), 3, 1000, 0, 0));
    print_line("no vectors", call6(reading, descriptor, at(into), 0, 0, 0, 0));
    print_line("no vectors", call6(writing, descriptor, BAD_ADDRESS, 0, 0, 0, 0));
    print_line("too many", call6(reading, descriptor, at(into), 1025, 0, 0, 0));
    print_line("too many", call6(writing, descriptor, at(two), 1025, 0, 0, 0));
    print_line("negative number", call6(reading, descriptor, at(into), (uint64_t)-1, 0, 0, 0));
    print_line("bad address", call6(reading, descriptor, BAD_ADDRESS, 1, 0, 0, 0));
    print_line("bad address", call6(writing, descriptor, BAD_ADDRESS, 1, 0, 0, 0));
    print_line("negative position", call6(reading, descriptor, at(into), 3, (uint64_t)-2, (uint64_t)-1, 0));
    print_line("negative position", call6(writing, descriptor, at(two), 2, (uint64_t)-2, (uint64_t)-1, 0));
    print_line("of nothing", call6(reading, CLOSED_DESCRIPTOR, at(into), 3, (uint64_t)-2, (uint64_t)-1, 0));
    print_line("pipe", call6(reading, (uint64_t)ends[0], at(into), 3, 0, 0, 0));
    print_line("pipe", call6(writing, (uint64_t)ends[1], at(two), 2, 0, 0, 0));
    if (!is_extended) {
        return;
    }
    call(CALL_LSEEK, descriptor, 2, 0, 0);
    print_line("at its position", call6(writing, descriptor, at(two), 2, POSITION_OF_FILE, 0, 0));
    print_line("position", call(CALL_LSEEK, descriptor, 0, 1, 0));
    call(CALL_LSEEK, descriptor, 2, 0, 0);
    print_line("at its position", call6(reading, descriptor, at(into), 3, POSITION_OF_FILE, 0, 0));
    print_buffer(10);
    print_line("wrong flags", call6(reading, descriptor, at(into), 3, 0, 0, UNKNOWN_FLAG));
    print_line("wrong flags", call6(writing, descriptor, at(two), 2, 0, 0, UNKNOWN_FLAG));
    print_line("wrong flags of nothing", call6(reading, CLOSED_DESCRIPTOR, at(into), 3, 0, 0, UNKNOWN_FLAG));
    print_line("a pipe at its position", call6(writing, (uint64_t)ends[1], at(two), 2, POSITION_OF_FILE, 0, 0));
    print_line("a pipe at its position", call6(reading, (uint64_t)ends[0], at(into), 3, POSITION_OF_FILE, 0, 0));
}

// Of vectors that are not all right, none is transferred.
static void wrong_vectors(void)
{
    const struct vector negative[2] = { { "one", 3 }, { "two", 1UL << 63 } };
    const struct vector bad[2] = { { "one", 3 }, { (const void *)BAD_ADDRESS, 3 } };
    const struct vector bad_first[2] = { { (const void *)BAD_ADDRESS, 3 }, { "one", 3 } };
    const struct vector large[1] = { { buffer, 1UL << 62 } };
    const struct vector bad_empty[2] = { { (const void *)BAD_ADDRESS, 0 }, { "one", 3 } };
    uint64_t descriptor = (uint64_t)file;
    uint64_t page = (uint64_t)call6(CALL_MMAP, 0, 8192, 3, 0x22, (uint64_t)-1, 0);
    call(CALL_MUNMAP, page + 4096, 4096, 0, 0);
    struct vector *last = (struct vector *)(page + 4096) - 1;
    *last = two[0];
    call(CALL_FTRUNCATE, descriptor, 0, 0, 0);
    call(CALL_LSEEK, descriptor, 0, 0, 0);
    print_line("negative length", call(CALL_WRITEV, descriptor, at(negative), 2, 0));
    print_line("negative length", call(CALL_READV, descriptor, at(negative), 2, 0));
    print_line("negative length", call(CALL_PWRITEV, descriptor, at(negative), 2, 0));
    print_line("not all readable", call(CALL_WRITEV, descriptor, at(last), 2, 0));
    print_line("size", call(CALL_LSEEK, descriptor, 0, 2, 0));
    print_line("bad first address", call(CALL_WRITEV, descriptor, at(bad_first), 2, 0));
    print_line("bad address of nothing", call(CALL_WRITEV, descriptor, at(bad_empty), 2, 0));
    print_line("pipe", call(CALL_WRITEV, (uint64_t)ends[1], at(negative), 2, 0));
    print_line("large length", call(CALL_READV, descriptor, at(large), 1, 0) >= 0);
    print_line("one is readable", call(CALL_WRITEV, descriptor, at(bad), 1, 0));
    print_line("closed", call(CALL_READV, CLOSED_DESCRIPTOR, at(into), 3, 0));
    print_line("wrong end", call(CALL_READV, (uint64_t)ends[1], at(into), 3, 0));
    print_line("wrong end", call(CALL_WRITEV, (uint64_t)ends[0], at(two), 2, 0));
    print_line("negative position", call(CALL_PREAD64, CLOSED_DESCRIPTOR, at(buffer), 1, (uint64_t)-1));
    print_line("negative position", call(CALL_PWRITE64, CLOSED_DESCRIPTOR, at(buffer), 1, (uint64_t)-1));
}

static int begin(void)
{
    give_up_privileges();
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    file = open_file("file", O_RDWR | O_CREAT, 0600);
    call(CALL_PIPE2, at(ends), O_NONBLOCK, 0, 0);
    return 0;
}

int vectored_transfers(void)
{
    if (begin() != 0) {
        return 1;
    }
    print_line("writev", call(CALL_WRITEV, (uint64_t)file, at(two), 2, 0));
    call(CALL_LSEEK, (uint64_t)file, 0, 0, 0);
    print_line("readv", call(CALL_READV, (uint64_t)file, at(into), 3, 0));
    print_buffer(10);
    positions(CALL_PREADV, CALL_PWRITEV, 0);
    positions(CALL_PREADV2, CALL_PWRITEV2, 1);
    wrong_vectors();
    close_file(file);
    return leave_directory();
}

static int64_t copy(int64_t from, int64_t *from_position, int64_t to, int64_t *to_position, uint64_t size)
{
    return call6(CALL_COPY_FILE_RANGE, (uint64_t)from, at(from_position), (uint64_t)to, at(to_position), size, 0);
}

static void ranges(int64_t other)
{
    int64_t from = 2, to = 5, negative = -1, far = 1000;
    int64_t directory = open_file(".", O_RDONLY | O_DIRECTORY, 0);
    int64_t reader = open_file("file", O_RDONLY, 0);
    int64_t appender = open_file("other", O_WRONLY | O_APPEND, 0);
    print_line("copy_file_range", copy(file, &from, other, &to, 4));
    print_line("from", from);
    print_line("to", to);
    print_line("size", call(CALL_LSEEK, (uint64_t)other, 0, 2, 0));
    call(CALL_LSEEK, (uint64_t)other, 0, 0, 0);
    call(CALL_LSEEK, (uint64_t)file, 0, 0, 0);
    print_line("at their positions", copy(file, NULL, other, NULL, 100));
    print_line("position", call(CALL_LSEEK, (uint64_t)other, 0, 1, 0));
    print_line("at the end", copy(file, NULL, other, NULL, 100));
    print_line("beyond the end", copy(file, &far, other, NULL, 100));
    print_line("nothing", copy(file, &from, other, NULL, 0));
    print_line("negative", copy(file, &negative, other, NULL, 1));
    print_line("negative", copy(file, NULL, other, &negative, 1));
    print_line("bad address", call6(CALL_COPY_FILE_RANGE, (uint64_t)file, BAD_ADDRESS, (uint64_t)other, 0, 1, 0));
    print_line("bad address", call6(CALL_COPY_FILE_RANGE, (uint64_t)file, 0, (uint64_t)other, BAD_ADDRESS, 1, 0));
    print_line("flags", call6(CALL_COPY_FILE_RANGE, (uint64_t)file, 0, (uint64_t)other, 0, 1, 1));
    from = 0;
    to = 2;
    print_line("over itself", copy(file, &from, file, &to, 4));
    to = 20;
    print_line("within a file", copy(file, &from, file, &to, 4));
    print_line("from a directory", copy(directory, NULL, other, NULL, 1));
    print_line("to a directory", copy(file, NULL, directory, NULL, 1));
    print_line("from a pipe", copy(ends[0], NULL, other, NULL, 1));
    print_line("to a pipe", copy(file, NULL, ends[1], NULL, 1));
    print_line("to a reader", copy(other, NULL, reader, NULL, 1));
    print_line("from a writer", copy(appender, NULL, file, NULL, 1));
    print_line("to the end", copy(file, NULL, appender, NULL, 1));
    close_file(appender);
    close_file(reader);
    close_file(directory);
}

static int64_t send(int64_t to, int64_t from, int64_t *position, uint64_t size)
{
    return call(CALL_SENDFILE, (uint64_t)to, (uint64_t)from, at(position), size);
}

static void sends(int64_t other)
{
    int64_t position = 3, negative = -1, far = 1000;
    int64_t reader = open_file("file", O_RDONLY, 0);
    int64_t appender = open_file("other", O_WRONLY | O_APPEND, 0);
    print_line("sendfile", send(ends[1], file, &position, 4));
    print_line("position", position);
    print_line("received", call(CALL_READ, (uint64_t)ends[0], at(buffer), 10, 0));
    print_buffer(4);
    call(CALL_LSEEK, (uint64_t)file, 0, 0, 0);
    print_line("at its position", send(other, file, NULL, 5));
    print_line("position", call(CALL_LSEEK, (uint64_t)file, 0, 1, 0));
    print_line("beyond the end", send(other, file, &far, 10));
    print_line("nothing", send(other, file, NULL, 0));
    print_line("negative", send(other, file, &negative, 1));
    print_line("bad address", call(CALL_SENDFILE, (uint64_t)other, (uint64_t)file, BAD_ADDRESS, 1));
    position = 1;
    print_line("negative size", send(other, file, NULL, UINT64_MAX));
    print_line("beyond all positions", send(other, file, &position, INT64_MAX));
    print_line("from a pipe", send(other, ends[0], NULL, 1));
    print_line("from a place of a pipe", send(other, ends[0], &position, 1));
    print_line("from a writer", send(other, appender, NULL, 1));
    print_line("to a reader", send(reader, other, NULL, 1));
    print_line("to the end", send(appender, file, NULL, 1));
    close_file(appender);
    close_file(reader);
}

static void synchronization(void)
{
    uint64_t descriptor = (uint64_t)file;
    print_line("fsync", call(CALL_FSYNC, descriptor, 0, 0, 0));
    print_line("fdatasync", call(CALL_FDATASYNC, descriptor, 0, 0, 0));
    print_line("syncfs", call(CALL_SYNCFS, descriptor, 0, 0, 0));
    print_line("sync", call(CALL_SYNC, 0, 0, 0, 0));
    print_line("sync_file_range", call(CALL_SYNC_FILE_RANGE, descriptor, 0, 0, 7));
    print_line("negative", call(CALL_SYNC_FILE_RANGE, descriptor, (uint64_t)-1, 0, 0));
    print_line("negative size", call(CALL_SYNC_FILE_RANGE, descriptor, 0, (uint64_t)-1, 0));
    print_line("too large", call(CALL_SYNC_FILE_RANGE, descriptor, INT64_MAX, 1, 0));
    print_line("wrong flags", call(CALL_SYNC_FILE_RANGE, descriptor, 0, 0, 8));
    print_line("readahead", call(CALL_READAHEAD, descriptor, 0, 100, 0));
    print_line("fadvise64", call(CALL_FADVISE64, descriptor, 0, 0, 3));
    print_line("negative size", call(CALL_FADVISE64, descriptor, 0, (uint64_t)-1, 0));
    print_line("no advice", call(CALL_FADVISE64, descriptor, 0, 0, 6));
    print_line("no advice", call(CALL_FADVISE64, descriptor, 0, 0, (uint64_t)-1));
}

static void sizes(void)
{
    uint64_t descriptor = (uint64_t)file;
    print_line("ftruncate", call(CALL_FTRUNCATE, descriptor, 100, 0, 0));
    print_line("negative", call(CALL_FTRUNCATE, descriptor, (uint64_t)-1, 0, 0));
    print_line("negative of nothing", call(CALL_FTRUNCATE, CLOSED_DESCRIPTOR, (uint64_t)-1, 0, 0));
    print_line("fallocate", call(CALL_FALLOCATE, descriptor, 0, 0, 200));
    print_line("size", call(CALL_LSEEK, descriptor, 0, 2, 0));
    print_line("size is kept", call(CALL_FALLOCATE, descriptor, 1, 0, 300));
    print_line("size", call(CALL_LSEEK, descriptor, 0, 2, 0));
    print_line("larger than all memory", call(CALL_READ, descriptor, at(buffer), 1UL << 62, 0));
    print_line("larger than all memory", call(CALL_WRITE, descriptor, at(buffer), 1UL << 62, 0));
    print_line("larger than all memory", call(CALL_WRITE, (uint64_t)ends[1], at(buffer), 1UL << 62, 0));
    print_line("negative size", call(CALL_PREAD64, descriptor, at(buffer), UINT64_MAX, 0));
    print_line("memory of the kernel", call(CALL_READ, descriptor, 0xFFFFFF0000000000UL, 0, 0));
    print_line("beyond all positions", call(CALL_PREAD64, descriptor, at(buffer), 2, INT64_MAX));
    print_line("beyond all positions", call(CALL_PWRITE64, descriptor, at(buffer), 2, INT64_MAX));
    print_line("pipe", call(CALL_FALLOCATE, (uint64_t)ends[1], 0, 0, 100));
    print_line("hole without a flag", call(CALL_FALLOCATE, descriptor, 2, 0, 100));
    print_line("wrong flags", call(CALL_FALLOCATE, descriptor, 0x1000, 0, 100));
    print_line("nothing", call(CALL_FALLOCATE, descriptor, 0, 0, 0));
    print_line("negative", call(CALL_FALLOCATE, descriptor, 0, (uint64_t)-1, 1));
    print_line("negative size", call(CALL_FALLOCATE, descriptor, 0, 0, (uint64_t)-1));
    print_line("too large", call(CALL_FALLOCATE, descriptor, 0, INT64_MAX, 1));
    print_line("nothing of nothing", call(CALL_FALLOCATE, CLOSED_DESCRIPTOR, 0, 0, 0));
    print_line("wrong flags of nothing", call(CALL_FALLOCATE, CLOSED_DESCRIPTOR, 0x1000, 0, 100));
    print_line("truncate", call(CALL_TRUNCATE, at("file"), 50, 0, 0));
    print_line("negative", call(CALL_TRUNCATE, at("file"), (uint64_t)-1, 0, 0));
    print_line("negative of nothing", call(CALL_TRUNCATE, at("none"), (uint64_t)-1, 0, 0));
    print_line("a directory", call(CALL_TRUNCATE, at("."), 0, 0, 0));
    call(CALL_MKNOD, at("pipe"), 0010600, 0, 0);
    print_line("a pipe", call(CALL_TRUNCATE, at("pipe"), 0, 0, 0));
    call(CALL_CHMOD, at("file"), 0400, 0, 0);
    print_line("without permission", call(CALL_TRUNCATE, at("file"), 0, 0, 0));
}

int copies(void)
{
    if (begin() != 0) {
        return 1;
    }
    int64_t other = open_file("other", O_RDWR | O_CREAT, 0600);
    write_text(file, "0123456789");
    ranges(other);
    sends(other);
    synchronization();
    sizes();
    close_file(other);
    close_file(file);
    return leave_directory();
}
