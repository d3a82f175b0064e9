// SPDX-License-Identifier: Apache-2.0
//
// Calls about memory: locks, presence, advice, synchronization, placement.

#include "calls.h"

#define PAGE 4096UL
#define PAGES 8UL
#define KERNEL 0xFFFFFF0000000000UL
#define READ 1
#define WRITE 2
#define SEMAPHORES 8
#define NO_PROTECTION 0x100
#define SHARED 1
#define PRIVATE 2
#define FIXED 0x10
#define ANONYMOUS 0x20
#define FIXED_NOREPLACE 0x100000

static uint64_t start, gap;

static int64_t map(uint64_t address, uint64_t size, uint64_t protection, uint64_t flags, int64_t file, uint64_t offset)
{
    return call6(CALL_MMAP, address, size, protection, flags, (uint64_t)file, offset);
}

static void locks(void)
{
    print_line("mlock", call(CALL_MLOCK, start, PAGE, 0, 0));
    print_line("a part of a page", call(CALL_MLOCK, start + 100, 1, 0, 0));
    print_line("nothing", call(CALL_MLOCK, start, 0, 0, 0));
    print_line("not mapped", call(CALL_MLOCK, gap, PAGE, 0, 0));
    print_line("into a gap", call(CALL_MLOCK, gap - PAGE, 2 * PAGE, 0, 0));
    print_line("of the kernel", call(CALL_MLOCK, KERNEL, PAGE, 0, 0));
    print_line("munlock", call(CALL_MUNLOCK, start, PAGE, 0, 0));
    print_line("a part of a page", call(CALL_MUNLOCK, start + 100, 1, 0, 0));
    print_line("nothing", call(CALL_MUNLOCK, start, 0, 0, 0));
    print_line("not locked", call(CALL_MUNLOCK, start + PAGE, PAGE, 0, 0));
    print_line("not mapped", call(CALL_MUNLOCK, gap, PAGE, 0, 0));
    print_line("of the kernel", call(CALL_MUNLOCK, KERNEL, PAGE, 0, 0));
    print_line("beyond all addresses", call(CALL_MUNLOCK, start, -start - PAGE + 1, 0, 0));
    print_line("around all addresses", call(CALL_MUNLOCK, start, -PAGE, 0, 0));
    print_line("nothing after rounding", call(CALL_MUNLOCK, start, UINT64_MAX, 0, 0));
    print_line("nothing after rounding", call(CALL_MLOCK, start, UINT64_MAX, 0, 0));
    print_line("beyond what is mapped", call(CALL_MUNLOCK, start, 1UL << 50, 0, 0));
}

static void presence(void)
{
    uint8_t present[PAGES] = { 0 };
    print_line("mincore", call(CALL_MINCORE, start, 4 * PAGE, at(present), 0));
    print_line("present", (present[0] & 1) + 2 * (present[3] & 1));
    print_line("nothing", call(CALL_MINCORE, start, 0, at(present), 0));
    print_line("odd address", call(CALL_MINCORE, start + 1, PAGE, at(present), 0));
    print_line("not mapped", call(CALL_MINCORE, gap, PAGE, at(present), 0));
    print_line("into a gap", call(CALL_MINCORE, gap - PAGE, 2 * PAGE, at(present), 0));
    print_line("of the kernel", call(CALL_MINCORE, KERNEL, PAGE, at(present), 0));
    print_line("bad address", call(CALL_MINCORE, start, PAGE, BAD_ADDRESS, 0));
    print_line("address of the kernel", call(CALL_MINCORE, start, PAGE, KERNEL, 0));
}

static void synchronization(int64_t file)
{
    enum { ASYNC = 1, INVALIDATE = 2, SYNC = 4 };
    int64_t shared = map(0, PAGE, READ | WRITE, SHARED, file, 0);
    *(volatile char *)shared = 'x';
    print_line("msync", call(CALL_MSYNC, (uint64_t)shared, PAGE, SYNC, 0));
    print_line("later", call(CALL_MSYNC, (uint64_t)shared, PAGE, ASYNC, 0));
    print_line("no flags", call(CALL_MSYNC, (uint64_t)shared, PAGE, 0, 0));
    print_line("invalidate", call(CALL_MSYNC, (uint64_t)shared, PAGE, INVALIDATE | SYNC, 0));
    print_line("nothing", call(CALL_MSYNC, (uint64_t)shared, 0, SYNC, 0));
    print_line("of a program", call(CALL_MSYNC, start, PAGE, SYNC, 0));
    print_line("both", call(CALL_MSYNC, (uint64_t)shared, PAGE, SYNC | ASYNC, 0));
    print_line("wrong flags", call(CALL_MSYNC, (uint64_t)shared, PAGE, 8, 0));
    print_line("odd address", call(CALL_MSYNC, (uint64_t)shared + 1, PAGE, SYNC, 0));
    print_line("not mapped", call(CALL_MSYNC, gap, PAGE, SYNC, 0));
    print_line("into a gap", call(CALL_MSYNC, gap - PAGE, 2 * PAGE, SYNC, 0));
    print_line("around all addresses", call(CALL_MSYNC, start, -PAGE, SYNC, 0));
    call(CALL_MUNMAP, (uint64_t)shared, PAGE, 0, 0);
}

static void advice(int64_t file)
{
    enum { DONTNEED = 4, FREE = 8, REMOVE = 9, WIPEONFORK = 18 };
    static const uint8_t known[] = { 0, 1, 2, 10, 11, 16, 17, 19, 20 };
    uint64_t shared = (uint64_t)map(0, PAGE, READ | WRITE, SHARED | ANONYMOUS, -1, 0);
    uint64_t mapped = (uint64_t)map(0, PAGE, READ | WRITE, PRIVATE, file, 0);
    for (size_t i = 0; i < sizeof known; i++) {
        print_line("madvise", call(CALL_MADVISE, start, PAGE, known[i], 0));
    }
    volatile char *bytes = (volatile char *)start;
    bytes[5] = 'x';
    print_line("not needed", call(CALL_MADVISE, start, PAGE, DONTNEED, 0));
    print_line("cleared", bytes[5]);
    bytes = (volatile char *)mapped;
    bytes[0] = 'y';
    print_line("not needed", call(CALL_MADVISE, mapped, PAGE, DONTNEED, 0));
    print_line("of the file", bytes[0]);
    print_line("free", call(CALL_MADVISE, start, PAGE, FREE, 0));
    print_line("free of a file", call(CALL_MADVISE, mapped, PAGE, FREE, 0));
    print_line("free of shared memory", call(CALL_MADVISE, shared, PAGE, FREE, 0));
    print_line("wipe of a file", call(CALL_MADVISE, mapped, PAGE, WIPEONFORK, 0));
    print_line("wipe of shared memory", call(CALL_MADVISE, shared, PAGE, WIPEONFORK, 0));
    print_line("remove of private memory", call(CALL_MADVISE, start, PAGE, REMOVE, 0));
    print_line("no advice", call(CALL_MADVISE, start, PAGE, 99, 0));
    print_line("no advice", call(CALL_MADVISE, start, PAGE, 5, 0));
    print_line("negative", call(CALL_MADVISE, start, PAGE, (uint64_t)-1, 0));
    print_line("nothing", call(CALL_MADVISE, start, 0, DONTNEED, 0));
    print_line("odd address", call(CALL_MADVISE, start + 1, PAGE, DONTNEED, 0));
    print_line("not mapped", call(CALL_MADVISE, gap, PAGE, DONTNEED, 0));
    print_line("into a gap", call(CALL_MADVISE, gap - PAGE, 2 * PAGE, DONTNEED, 0));
    print_line("of the kernel", call(CALL_MADVISE, KERNEL, PAGE, DONTNEED, 0));
    print_line("around all addresses", call(CALL_MADVISE, start, -PAGE, DONTNEED, 0));
    print_line("all of it", call(CALL_MADVISE, start, UINT64_MAX, DONTNEED, 0));
    call(CALL_MUNMAP, shared, PAGE, 0, 0);
    call(CALL_MUNMAP, mapped, PAGE, 0, 0);
}

static void mappings(int64_t file)
{
    int64_t writer = open_file("file", O_WRONLY, 0);
    int64_t directory = open_file(".", O_RDONLY | O_DIRECTORY, 0);
    print_line("no type", map(0, PAGE, READ, ANONYMOUS, -1, 0));
    print_line("unknown type", map(0, PAGE, READ, ANONYMOUS | 5, -1, 0));
    print_line("no file and no size", map(0, 0, READ, PRIVATE, 99, 0));
    print_line("no file and no type", map(0, PAGE, READ, 0, 99, 0));
    print_line("no file and too large", map(0, 1UL << 50, READ, PRIVATE, 99, 0));
    print_line("no type and too large", map(0, 1UL << 50, READ, ANONYMOUS, -1, 0));
    print_line("no type and an odd address", map(1, PAGE, READ, ANONYMOUS | FIXED, -1, 0));
    print_line("no type at the kernel", map(KERNEL, PAGE, READ, ANONYMOUS | FIXED, -1, 0));
    print_line("a directory at an odd address", map(1, PAGE, READ, PRIVATE | FIXED, directory, 0));
    print_line("a directory where one is", map(start, PAGE, READ, PRIVATE | FIXED_NOREPLACE, directory, 0));
    print_line("a writer at an odd address", map(1, PAGE, READ, PRIVATE | FIXED, writer, 0));
    print_line("type of files", map(0, PAGE, READ, SHARED | PRIVATE | ANONYMOUS, -1, 0));
    print_line("too far in the file", map(0, PAGE, READ, PRIVATE, file, 0x7FFFFFFFFFFFF000UL));
    print_line("odd offset", map(0, PAGE, READ, PRIVATE, file, 100));
    print_line("of a writer", map(0, PAGE, READ, PRIVATE, writer, 0));
    print_line("of a directory", map(0, PAGE, READ, PRIVATE, directory, 0));
    print_line("there is one", map(start, PAGE, READ, PRIVATE | ANONYMOUS | FIXED_NOREPLACE, -1, 0));
    print_line("there is none", map(gap, PAGE, READ, PRIVATE | ANONYMOUS | FIXED_NOREPLACE, -1, 0) == (int64_t)gap);
    print_line("unmap", call(CALL_MUNMAP, gap, PAGE, 0, 0));
    print_line("at the kernel", map(KERNEL, PAGE, READ, PRIVATE | ANONYMOUS | FIXED, -1, 0));
    print_line("unmap nothing", call(CALL_MUNMAP, start, 0, 0, 0));
    print_line("unmap the kernel", call(CALL_MUNMAP, KERNEL, PAGE, 0, 0));
    print_line("unmap all", call(CALL_MUNMAP, start, UINT64_MAX, 0, 0));
    print_line("protect", call(CALL_MPROTECT, start, PAGE, READ, 0));
    print_line("protect again", call(CALL_MPROTECT, start, PAGE, READ | WRITE, 0));
    print_line("protect nothing", call(CALL_MPROTECT, start, 0, READ, 0));
    print_line("odd address", call(CALL_MPROTECT, start + 1, PAGE, READ, 0));
    print_line("no protection", call(CALL_MPROTECT, start, PAGE, NO_PROTECTION, 0));
    print_line("no protection of nothing", call(CALL_MPROTECT, start, 0, NO_PROTECTION, 0));
    print_line("semaphores", call(CALL_MPROTECT, start, PAGE, READ | WRITE | SEMAPHORES, 0));
    *(volatile char *)start = 2;
    print_line("a gap", call(CALL_MPROTECT, gap, PAGE, READ, 0));
    print_line("the kernel", call(CALL_MPROTECT, KERNEL, PAGE, READ, 0));
    print_line("around all addresses", call(CALL_MPROTECT, start, -PAGE, READ, 0));
    close_file(directory);
    close_file(writer);
}

// Bits of the protection that mean nothing are ignored.
static void unknown_protection(void)
{
    uint64_t memory = (uint64_t)map(0, PAGE, READ | WRITE | NO_PROTECTION, PRIVATE | ANONYMOUS, -1, 0);
    *(volatile char *)memory = 1;
    print_line("other protection", call(CALL_MUNMAP, memory, PAGE, 0, 0));
}

// What becomes smaller in its place may be several areas, also with gaps.
static void shrink(void)
{
    uint8_t present[PAGES] = { 0 };
    uint64_t memory = (uint64_t)map(0, PAGES * PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
    print_line("protect", call(CALL_MPROTECT, memory + 2 * PAGE, PAGE, READ, 0));
    print_line("the same", call6(CALL_MREMAP, memory, PAGES * PAGE, PAGES * PAGE, 0, 0, 0) == (int64_t)memory);
    print_line("larger", call6(CALL_MREMAP, memory, PAGES * PAGE, 2 * PAGES * PAGE, 1, 0, 0));
    print_line("smaller", call6(CALL_MREMAP, memory, PAGES * PAGE, 4 * PAGE, 0, 0, 0) == (int64_t)memory);
    print_line("kept", call(CALL_MINCORE, memory, 4 * PAGE, at(present), 0));
    print_line("gone", call(CALL_MINCORE, memory + 4 * PAGE, PAGE, at(present), 0));
    call(CALL_MUNMAP, memory + PAGE, PAGE, 0, 0);
    print_line("with a gap", call6(CALL_MREMAP, memory, 4 * PAGE, 3 * PAGE, 1, 0, 0) == (int64_t)memory);
    print_line("kept", call(CALL_MINCORE, memory + 2 * PAGE, PAGE, at(present), 0));
    print_line("gone", call(CALL_MINCORE, memory + 3 * PAGE, PAGE, at(present), 0));
    call(CALL_MUNMAP, memory, 3 * PAGE, 0, 0);
}

// Of what is shared, nothing is moved: it gets a further place.
static void map_again(void)
{
    uint64_t memory = (uint64_t)map(0, 2 * PAGE, READ | WRITE, SHARED | ANONYMOUS, -1, 0);
    volatile char *second = (volatile char *)memory + PAGE;
    *second = 'a';
    volatile char *other = (volatile char *)call6(CALL_MREMAP, memory + PAGE, 0, PAGE, 1, 0, 0);
    print_line("the same contents", *other);
    *other = 'b';
    print_line("the same memory", *second);
    print_line("in its place", call6(CALL_MREMAP, memory, 0, PAGE, 0, 0, 0));
    print_line("at a place", call6(CALL_MREMAP, memory + PAGE, 0, PAGE, 3, gap, 0) == (int64_t)gap);
    print_line("the same contents", *(volatile char *)gap);
    print_line("at its own place", call6(CALL_MREMAP, memory, 0, PAGE, 3, memory, 0));
    print_line("over a part of it", call6(CALL_MREMAP, memory + PAGE, 0, 2 * PAGE, 3, memory, 0));
    print_line("private memory", call6(CALL_MREMAP, start, 0, PAGE, 1, 0, 0));
    print_line("no memory", call6(CALL_MREMAP, 0x10000000000UL, 0, PAGE, 1, 0, 0));
    call(CALL_MUNMAP, gap, PAGE, 0, 0);
    call(CALL_MUNMAP, (uint64_t)other, PAGE, 0, 0);
    call(CALL_MUNMAP, memory, 2 * PAGE, 0, 0);
}

static void moves(void)
{
    print_line("the same", call6(CALL_MREMAP, start, PAGE, PAGE, 0, 0, 0) == (int64_t)start);
    print_line("wrong flags", call6(CALL_MREMAP, start, PAGE, PAGE, 8, 0, 0));
    print_line("fixed only", call6(CALL_MREMAP, start, PAGE, PAGE, 2, gap, 0));
    print_line("odd address", call6(CALL_MREMAP, start + 1, PAGE, PAGE, 1, 0, 0));
    print_line("to nothing", call6(CALL_MREMAP, start, PAGE, 0, 1, 0, 0));
    print_line("not mapped", call6(CALL_MREMAP, gap, PAGE, 2 * PAGE, 1, 0, 0));
    print_line("odd target", call6(CALL_MREMAP, start, PAGE, PAGE, 3, gap + 1, 0));
    print_line("over itself", call6(CALL_MREMAP, start, 2 * PAGE, 2 * PAGE, 3, start + PAGE, 0));
    print_line("to the kernel", call6(CALL_MREMAP, start, PAGE, PAGE, 3, KERNEL, 0));
    print_line("no place", call6(CALL_MREMAP, start, PAGE, 2 * PAGE, 0, 0, 0));
    print_line("too large", call6(CALL_MREMAP, start, PAGE, 1UL << 46, 1, 0, 0));
}

int memory_calls(void)
{
    // Locked memory is limited then.
    give_up_privileges();
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    int64_t file = open_file("file", O_RDWR | O_CREAT, 0600);
    write_text(file, "contents");
    start = (uint64_t)map(0, (PAGES + 1) * PAGE, READ | WRITE, PRIVATE | ANONYMOUS, -1, 0);
    gap = start + PAGES * PAGE;
    call(CALL_MUNMAP, gap, PAGE, 0, 0);
    *(volatile char *)start = 1;
    presence();
    synchronization(file);
    advice(file);
    mappings(file);
    unknown_protection();
    shrink();
    map_again();
    moves();
    locks();
    close_file(file);
    return leave_directory();
}

// A container may forbid it.
int memory_policy(void)
{
    enum { NODE = 1, ADDRESS = 2, ALLOWED = 4 };
    static uint64_t nodes[128];
    int32_t mode = -1;
    print_line("policy", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, 0, 0, 0));
    print_line("mode", mode);
    print_line("nothing", call6(CALL_GET_MEMPOLICY, 0, 0, 0, 0, 0, 0));
    print_line("nodes", call6(CALL_GET_MEMPOLICY, 0, at(nodes), 8192, 0, 0, 0));
    print_line("none", (int64_t)nodes[0]);
    print_line("allowed", call6(CALL_GET_MEMPOLICY, 0, at(nodes), 8192, 0, ALLOWED, 0));
    print_line("one at least", nodes[0] != 0);
    print_line("of an address", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, at(&mode), ADDRESS, 0));
    print_line("node of an address", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, at(&mode), ADDRESS | NODE, 0));
    print_line("bad address", call6(CALL_GET_MEMPOLICY, BAD_ADDRESS, 0, 0, 0, 0, 0));
    print_line("bad address of the nodes", call6(CALL_GET_MEMPOLICY, 0, BAD_ADDRESS, 8192, 0, 0, 0));
    print_line("nothing is there", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, 16, ADDRESS, 0));
    print_line("wrong flags", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, 0, 8, 0));
    print_line("an address without a flag", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, at(&mode), 0, 0));
    print_line("node without an address", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, 0, NODE, 0));
    print_line("allowed of an address", call6(CALL_GET_MEMPOLICY, at(&mode), 0, 0, at(&mode), ALLOWED | ADDRESS, 0));
    print_line("no space for nodes", call6(CALL_GET_MEMPOLICY, 0, at(nodes), 0, 0, 0, 0));
    return 0;
}
