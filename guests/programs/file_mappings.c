// SPDX-License-Identifier: Apache-2.0
//
// Mappings of files, and files that the system has.

#include "files.h"

#define PAGE 4096UL
#define READ 1
#define WRITE 2
#define SHARED 1
#define PRIVATE 2
#define FIXED 16
#define ANONYMOUS 32
#define LONG_AGO 1000000000

static int64_t map(uint64_t size, uint64_t protection, uint64_t flags, int64_t file, uint64_t offset)
{
    return call6(CALL_MMAP, 0, size, protection, flags, (uint64_t)file, offset);
}

static int64_t first_of(int64_t file, uint64_t offset)
{
    char byte = 0;
    call(CALL_PREAD64, (uint64_t)file, (uint64_t)&byte, 1, offset);
    return byte;
}

static void file_of(int64_t file)
{
    for (int i = 0; i < 3; i++) {
        const char text[] = { (char)('A' + i), 0 };
        call(CALL_PWRITE64, (uint64_t)file, (uint64_t)text, 1, (uint64_t)i * PAGE);
    }
}

int file_mappings(void)
{
    if (enter_directory() != 0) {
        return 1;
    }
    int64_t file = open_file("f", O_RDWR | O_CREAT, 0600);
    int64_t reader = open_file("f", O_RDONLY, 0);
    int64_t writer = open_file("f", O_WRONLY, 0);
    file_of(file);
    volatile char *private = (volatile char *)map(3 * PAGE, READ | WRITE, PRIVATE, reader, 0);
    volatile char *shared = (volatile char *)map(3 * PAGE, READ | WRITE, SHARED, file, 0);
    volatile char *second = (volatile char *)map(PAGE, READ, SHARED, reader, PAGE);
    print_line("private", private[PAGE]);
    private[PAGE] = 'p';
    print_line("file", first_of(file, PAGE));
    shared[PAGE] = 's';
    print_line("file", first_of(file, PAGE));
    print_line("second", second[0]);
    call(CALL_PWRITE64, (uint64_t)file, (uint64_t)"w", 1, PAGE);
    print_line("shared", shared[PAGE]);
    print_line("second", second[0]);
    print_line("private", private[PAGE]);
    print_line("size", shared[2 * PAGE + 100]);
    print_line("read into it", call(CALL_PREAD64, (uint64_t)file, (uint64_t)shared + 10, 1, 0));
    print_line("read", shared[10]);
    print_line("protect for writing", call(CALL_MPROTECT, (uint64_t)second, PAGE, READ | WRITE, 0));
    print_line("sync", call(CALL_MSYNC, (uint64_t)shared, PAGE, 4, 0));
    print_line("sync with wrong flags", call(CALL_MSYNC, (uint64_t)shared, PAGE, 5, 0));
    print_line("forget", call(CALL_MADVISE, (uint64_t)private, 3 * PAGE, 4, 0));
    print_line("again", private[PAGE]);

    print_line("writing to what is for reading", map(PAGE, READ | WRITE, SHARED, reader, 0));
    print_line("private of it", map(PAGE, READ | WRITE, PRIVATE, reader, 0) > 0);
    print_line("of what is for writing", map(PAGE, READ, PRIVATE, writer, 0));
    print_line("odd offset", map(PAGE, READ, PRIVATE, reader, 5));
    print_line("no file", map(PAGE, READ, PRIVATE, 99, 0));
    print_line("pipe", map(PAGE, READ, PRIVATE, 0, 0));
    int64_t directory = open_file(".", O_RDONLY, 0);
    print_line("directory", map(PAGE, READ, PRIVATE, directory, 0));
    int64_t zero = open_file("/dev/zero", O_RDWR, 0);
    volatile char *zeroes = (volatile char *)map(PAGE, READ | WRITE, PRIVATE, zero, 0);
    zeroes[5] = 1;
    print_line("zeroes", zeroes[4] + zeroes[5]);

    // Larger and elsewhere, with what was there.
    volatile char *memory = (volatile char *)map(4 * PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
    for (int i = 0; i < 4; i++) {
        memory[i * PAGE] = (char)('a' + i);
    }
    map(PAGE, READ, PRIVATE | ANONYMOUS, -1, 0);
    volatile char *moved = (volatile char *)call6(CALL_MREMAP, (uint64_t)memory, 4 * PAGE, 4000 * PAGE, 1, 0, 0);
    print_line("moved", moved[0] + moved[3 * PAGE] + moved[3999 * PAGE]);
    print_line("smaller", call6(CALL_MREMAP, (uint64_t)moved, 4000 * PAGE, PAGE, 0, 0, 0) == (int64_t)moved);
    // Versions of Linux have different errors.
    print_line("no place", call6(CALL_MREMAP, (uint64_t)moved, PAGE, 1UL << 50, 1, 0, 0) < 0);
    print_line("no mapping", call6(CALL_MREMAP, 0x10000000000UL, PAGE, 2 * PAGE, 1, 0, 0));
    uint8_t present[3];
    print_line("present", call(CALL_MINCORE, (uint64_t)moved, PAGE, (uint64_t)present, 0));
    print_line("yes", present[0] & 1);
    print_line("over the file", call6(CALL_MMAP, (uint64_t)shared + PAGE, PAGE, READ | WRITE, PRIVATE | ANONYMOUS | FIXED, (uint64_t)-1, 0) ==
                                    (int64_t)(shared + PAGE));
    print_line("new", shared[PAGE]);
    print_line("beside it", shared[0] + shared[2 * PAGE]);
    call(CALL_FTRUNCATE, (uint64_t)file, PAGE, 0, 0);
    close_file(file);
    call(CALL_UNLINK, (uint64_t)"f", 0, 0, 0);
    print_line("without a name", shared[0]);
    leave_directory();
    // After the end of the file: SIGBUS.
    volatile char *beyond = shared + 2 * PAGE;
    call(CALL_MADVISE, (uint64_t)beyond, PAGE, 4, 0);
    return *beyond;
}

static void print_modified(const char *name, const char *path)
{
    struct status status;
    call(CALL_STAT, (uint64_t)path, (uint64_t)&status, 0, 0);
    print_line(name, status.times[2] != LONG_AGO);
}

// A file that was modified long ago is modified by the first write to its memory, not by a
// read before. Not compared with Linux: there it depends on the file system.
int shared_file(const char *path)
{
    int64_t file = open_file(path, O_RDWR, 0);
    int64_t null = open_file("/dev/null", O_WRONLY, 0);
    volatile char *shared = (volatile char *)map(PAGE, READ | WRITE, SHARED, file, 0);
    print_line("read", shared[0]);
    print_line("read by the kernel", call(CALL_WRITE, (uint64_t)null, (uint64_t)shared, 1, 0));
    print_modified("modified by that", path);
    shared[0] = 'w';
    print_modified("modified by a write", path);
    print_line("file", first_of(file, 0));
    close_file(null);
    return close_file(file) != 0;
}

static void print_text(const char *path, size_t most)
{
    static char text[4096];
    int64_t file = open_file(path, O_RDONLY, 0);
    print(path);
    print(" ");
    if (file < 0) {
        print_number(file);
    } else {
        int64_t size = call(CALL_READ, (uint64_t)file, (uint64_t)text, most, 0);
        call(CALL_WRITE, 1, (uint64_t)text, (uint64_t)(size > 0 ? size : 0), 0);
    }
    print("\n");
    close_file(file);
}

int system_files(void)
{
    static char buffer[8192];
    int64_t file = open_file("/dev/null", O_RDWR, 0);
    print_line("null", write_text(file, "text"));
    print_line("null", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, 10, 0));
    close_file(file);
    file = open_file("/dev/full", O_RDWR, 0);
    print_line("full", write_text(file, "text"));
    print_line("full", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, 10, 0));
    close_file(file);
    file = open_file("/dev/zero", O_RDONLY, 0);
    buffer[5000] = 1;
    print_line("zero", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, sizeof buffer, 0));
    print_line("zero", buffer[5000]);
    close_file(file);
    file = open_file("/dev/urandom", O_RDONLY, 0);
    print_line("random", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, 16, 0));
    close_file(file);
    print_status("device", "/dev/null");
    print_status("descriptors", "/dev/fd");
    make_unique(buffer, "/dev/shm/hyperlight-");
    print_line("shared memory", close_file(open_file(buffer, O_RDWR | O_CREAT, 0600)));
    print_line("unlink", call(CALL_UNLINK, (uint64_t)buffer, 0, 0, 0));
    file = open_file("/proc/self/fd/1", O_WRONLY, 0);
    print_line("to the output", write_text(file, "by its link\n"));
    close_file(file);
    print_text("/proc/self/comm", 100);
    print_text("/proc/self/cmdline", 7);
    print_text("/proc/sys/kernel/none", 100);
    file = open_file("/proc/self/exe", O_RDONLY, 0);
    print_line("executable", call(CALL_READ, (uint64_t)file, (uint64_t)buffer, 4, 0));
    print_line("magic", buffer[0] + buffer[1]);
    close_file(file);
    print_line("length of its name", call(CALL_READLINK, (uint64_t)"/proc/self/exe", (uint64_t)buffer, sizeof buffer, 0) > 5);
    static const char *const readable[] = {
        "/proc/self/maps", "/proc/self/status", "/proc/self/stat", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
        "/proc/uptime", "/proc/self/statm", "/proc/self/mountinfo", "/sys/devices/system/cpu/online",
    };
    for (size_t i = 0; i < sizeof readable / sizeof readable[0]; i++) {
        file = open_file(readable[i], O_RDONLY, 0);
        print_line(readable[i], call(CALL_READ, (uint64_t)file, (uint64_t)buffer, sizeof buffer, 0) > 0);
        close_file(file);
    }
    uint64_t words[15];
    print_line("statfs", call(CALL_STATFS, (uint64_t)"/tmp", (uint64_t)words, 0, 0));
    print_line("statfs of nothing", call(CALL_STATFS, (uint64_t)"/none", (uint64_t)words, 0, 0));
    return 0;
}

// Until there is neither memory for files nor a descriptor.
int file_limits(void)
{
    static char block[65536];
    if (enter_directory() != 0) {
        return 1;
    }
    int64_t file = open_file("large", O_RDWR | O_CREAT, 0600);
    int64_t written = 0;
    int64_t result;
    while ((result = call(CALL_WRITE, (uint64_t)file, (uint64_t)block, sizeof block, 0)) > 0) {
        written += result;
    }
    print_line("no space", result);
    print_line("more than a mebibyte", written > (1 << 20));
    print_line("no file either", open_file("other", O_RDWR | O_CREAT, 0600) < 0 ||
                                     call(CALL_PWRITE64, (uint64_t)file, (uint64_t)"x", 1, 1UL << 30) == -28);
    print_line("space again", call(CALL_FTRUNCATE, (uint64_t)file, 0, 0, 0));
    print_line("write", call(CALL_WRITE, (uint64_t)file, (uint64_t)block, 100, 0));
    struct {
        int16_t type, origin;
        int64_t start, size;
        int32_t process;
    } lock = { .size = 1 };
    while ((result = call(CALL_FCNTL, (uint64_t)file, 6, (uint64_t)&lock, 0)) == 0) {
        lock.start += 2;
    }
    print_line("no lock", result);
    print_line("locks", lock.start / 2);
    int64_t last = 0;
    while ((result = call(CALL_DUP, (uint64_t)file, 0, 0, 0)) >= 0) {
        last = result;
    }
    print_line("no descriptor", result);
    print_line("last", last);
    print_line("none to open", open_file("large", O_RDONLY, 0));
    print_line("none to create", open_file("created", O_RDWR | O_CREAT, 0600));
    print_line("not created", call(CALL_ACCESS, (uint64_t)"created", 0, 0, 0));
    call(CALL_CLOSE_RANGE, 3, ~0U, 0, 0);
    return leave_directory();
}

// What /etc has, and that none of it can be changed.
int default_files(void)
{
    static const char *const names[] = { "/etc/passwd", "/etc/group", "/etc/hostname", "/etc/hosts", "/etc/nsswitch.conf" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        print_status(names[i], names[i]);
        print_text(names[i], 200);
        print_line("write", open_file(names[i], O_WRONLY, 0));
        print_line("unlink", call(CALL_UNLINK, (uint64_t)names[i], 0, 0, 0));
    }
    return 0;
}
