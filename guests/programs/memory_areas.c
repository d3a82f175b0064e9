// SPDX-License-Identifier: Apache-2.0
//
// Areas of memory: many of them, divided and joined again, and what a new process gets of them.

#include "files.h"

#define PAGE 4096UL
#define NONE 0
#define READ 1
#define WRITE 2
#define PRIVATE 2
#define SHARED 1
#define FIXED 16
#define ANONYMOUS 32
#define MAY_MOVE 1
#define MANY_PAGES 2000UL

#define CALL_FORK 57
#define CALL_WAIT4 61
#define CALL_WAITID 247

#define ADVICE_FREE 8
#define ADVICE_REMOVE 9
#define ADVICE_DONTFORK 10
#define ADVICE_DOFORK 11
#define ADVICE_WIPEONFORK 18
#define ADVICE_KEEPONFORK 19

static uint64_t map(uint64_t pages, uint64_t protection, uint64_t type)
{
    return (uint64_t)call6(CALL_MMAP, 0, pages * PAGE, protection, type | ANONYMOUS, (uint64_t)-1, 0);
}

static int64_t protect(uint64_t start, uint64_t pages, uint64_t protection)
{
    return call(CALL_MPROTECT, start, pages * PAGE, protection, 0);
}

static int64_t advise(uint64_t start, uint64_t pages, uint64_t advice)
{
    return call(CALL_MADVISE, start, pages * PAGE, advice, 0);
}

static volatile uint8_t *byte_of(uint64_t start, uint64_t page)
{
    return (volatile uint8_t *)(start + page * PAGE);
}

// As a heap grows into what it has reserved.
static void grow_by_pages(void)
{
    uint64_t start = map(MANY_PAGES, NONE, PRIVATE);
    uint64_t count = 0;
    while (count < MANY_PAGES && protect(start + count * PAGE, 1, READ | WRITE) == 0) {
        *byte_of(start, count) = (uint8_t)count;
        count++;
    }
    print_line("pages opened", (int64_t)count);
    print_line("the last one", *byte_of(start, count - 1));
    call(CALL_MUNMAP, start, MANY_PAGES * PAGE, 0, 0);
}

// Each new area is below the last one.
static void map_by_pages(void)
{
    uint64_t count = 0;
    uint64_t first = 0;
    while (count < MANY_PAGES) {
        uint64_t page = map(1, READ | WRITE, PRIVATE);
        if ((int64_t)page < 0) {
            break;
        }
        first = count++ == 0 ? page : first;
        *byte_of(page, 0) = 1;
    }
    print_line("pages mapped", (int64_t)count);
    print_line("the first one", *byte_of(first, 0));
}

static void alternate(void)
{
    uint64_t start = map(MANY_PAGES, READ | WRITE, PRIVATE);
    uint64_t changed = 0;
    for (uint64_t page = 0; page < MANY_PAGES; page += 2) {
        changed += protect(start + page * PAGE, 1, READ) == 0;
    }
    print_line("every second page", (int64_t)changed);
    print_line("all again", protect(start, MANY_PAGES, READ | WRITE));
    *byte_of(start, 2) = 1;
    call(CALL_MUNMAP, start, MANY_PAGES * PAGE, 0, 0);
}

static void divide_and_join(int64_t file)
{
    uint64_t memory = map(2, READ | WRITE, PRIVATE);
    *byte_of(memory, 0) = 5;
    *byte_of(memory, 1) = 6;
    protect(memory, 1, NONE);
    protect(memory, 1, READ | WRITE);
    uint64_t moved = (uint64_t)call(CALL_MREMAP, memory, 2 * PAGE, 600 * PAGE, MAY_MOVE);
    print_line("joined", (int64_t)moved > 0 ? *byte_of(moved, 0) + *byte_of(moved, 1) : (int64_t)moved);

    memory = (uint64_t)call6(CALL_MMAP, 0, 3 * PAGE, READ | WRITE, PRIVATE, (uint64_t)file, 0);
    protect(memory + PAGE, 1, READ);
    protect(memory + PAGE, 1, READ | WRITE);
    moved = (uint64_t)call(CALL_MREMAP, memory, 3 * PAGE, 600 * PAGE, MAY_MOVE);
    print_line("joined file", (int64_t)moved > 0 ? *byte_of(moved, 0) + *byte_of(moved, 2) : (int64_t)moved);

    // A page of the file that is not the next one stays apart, and so does one that is shared.
    memory = map(4, READ, PRIVATE);
    call6(CALL_MMAP, memory, PAGE, READ, PRIVATE | FIXED, (uint64_t)file, 0);
    call6(CALL_MMAP, memory + PAGE, PAGE, READ, PRIVATE | FIXED, (uint64_t)file, 2 * PAGE);
    call6(CALL_MMAP, memory + 2 * PAGE, PAGE, READ, SHARED | FIXED, (uint64_t)file, 2 * PAGE);
    print_line("first", *byte_of(memory, 0));
    print_line("third", *byte_of(memory, 1));
    print_line("third, shared", *byte_of(memory, 2));
    print_line("memory", *byte_of(memory, 3));
}

static void use_advice(int64_t file)
{
    uint64_t memory = map(4, READ | WRITE, PRIVATE);
    uint64_t shared = (uint64_t)call6(CALL_MMAP, 0, PAGE, READ | WRITE, SHARED, (uint64_t)file, 0);
    print_line("no advice", advise(memory, 1, 77));
    print_line("no advice for nothing", advise(memory, 0, 77));
    print_line("remove of memory", advise(memory, 1, ADVICE_REMOVE));
    print_line("free", advise(memory, 1, ADVICE_FREE));
    print_line("free of a file", advise(shared, 1, ADVICE_FREE));
    print_line("wipe a file", advise(shared, 1, ADVICE_WIPEONFORK));
    print_line("keep a file", advise(shared, 1, ADVICE_KEEPONFORK));
    for (uint64_t page = 0; page < 4; page++) {
        *byte_of(memory, page) = (uint8_t)(page + 1);
    }
    print_line("wipe", advise(memory, 1, ADVICE_WIPEONFORK));
    print_line("not inherited", advise(memory + PAGE, 1, ADVICE_DONTFORK));
    print_line("wipe", advise(memory + 2 * PAGE, 2, ADVICE_WIPEONFORK));
    print_line("keep", advise(memory + 3 * PAGE, 1, ADVICE_KEEPONFORK));
    print_line("no file", advise(shared, 1, ADVICE_DONTFORK));
    // Each of them has an opposite of its own.
    print_line("still wiped", advise(memory, 1, ADVICE_DOFORK));
    print_line("still not inherited", advise(memory + PAGE, 1, ADVICE_KEEPONFORK));
    int64_t child = call6(CALL_FORK, 0, 0, 0, 0, 0, 0);
    if (child == 0) {
        uint8_t present;
        print_line("wiped", *byte_of(memory, 0));
        print_line("not there", call(CALL_MINCORE, memory + PAGE, PAGE, (uint64_t)&present, 0));
        print_line("wiped", *byte_of(memory, 2));
        print_line("kept", *byte_of(memory, 3));
        print_line("no file", call(CALL_MINCORE, shared, PAGE, (uint64_t)&present, 0));
        *byte_of(memory, 0) = 9;
        exit_program(3);
    }
    uint32_t information[32];
    uint64_t usage[18];
    for (unsigned i = 0; i < 18; i++) {
        usage[i] = UINT64_MAX;
    }
    print_line("waited", call6(CALL_WAITID, 1, (uint64_t)child, (uint64_t)information, 4, (uint64_t)usage, 0));
    print_line("code", information[6]);
    print_line("usage is set", usage[0] != UINT64_MAX && usage[17] != UINT64_MAX);
    print_line("of the parent", *byte_of(memory, 0) + *byte_of(memory, 1) + *byte_of(memory, 2) + *byte_of(memory, 3));
    print_line("inherited again", advise(memory + PAGE, 1, ADVICE_DOFORK));
    print_line("kept again", advise(memory, 4, ADVICE_KEEPONFORK));
    child = call6(CALL_FORK, 0, 0, 0, 0, 0, 0);
    if (child == 0) {
        exit_program(*byte_of(memory, 0) + *byte_of(memory, 1) + *byte_of(memory, 2) + *byte_of(memory, 3));
    }
    uint32_t status = 0;
    call(CALL_WAIT4, (uint64_t)child, (uint64_t)&status, 0, 0);
    print_line("code", status >> 8);
}

// The zero device is shared memory if it is mapped so.
static void share_zeroes(void)
{
    int64_t zero = open_file("/dev/zero", O_RDWR, 0);
    int64_t reader = open_file("/dev/zero", O_RDONLY, 0);
    uint64_t one = (uint64_t)call6(CALL_MMAP, 0, PAGE, READ | WRITE, SHARED, (uint64_t)zero, 0);
    uint64_t other = (uint64_t)call6(CALL_MMAP, 0, PAGE, READ | WRITE, SHARED, (uint64_t)zero, 0);
    uint64_t own = (uint64_t)call6(CALL_MMAP, 0, PAGE, READ | WRITE, PRIVATE, (uint64_t)zero, 0);
    uint64_t to_read = (uint64_t)call6(CALL_MMAP, 0, PAGE, READ, SHARED, (uint64_t)reader, 0);
    print_line("shared for reading", *byte_of(to_read, 0));
    print_line("not for writing", protect(to_read, 1, READ | WRITE));
    print_line("writing", call6(CALL_MMAP, 0, PAGE, READ | WRITE, SHARED, (uint64_t)reader, 0));
    int64_t child = call6(CALL_FORK, 0, 0, 0, 0, 0, 0);
    if (child == 0) {
        *byte_of(one, 0) = 1;
        *byte_of(other, 0) = 2;
        *byte_of(own, 0) = 3;
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("shared", *byte_of(one, 0));
    print_line("shared", *byte_of(other, 0));
    print_line("own", *byte_of(own, 0));
    close_file(reader);
    close_file(zero);
}

// What the heap grows by is an area of its own, whatever a new process does not get of the rest.
static void grow_heap_with_advice(void)
{
    uint64_t start = ((uint64_t)call6(CALL_BRK, 0, 0, 0, 0, 0, 0) + PAGE - 1) & ~(PAGE - 1);
    uint8_t present;
    call6(CALL_BRK, start + PAGE, 0, 0, 0, 0, 0);
    print_line("heap not inherited", advise(start, 1, ADVICE_DONTFORK));
    call6(CALL_BRK, start + 2 * PAGE, 0, 0, 0, 0, 0);
    print_line("heap wiped", advise(start + PAGE, 1, ADVICE_WIPEONFORK));
    print_line("heap", call6(CALL_BRK, start + 3 * PAGE, 0, 0, 0, 0, 0) == (int64_t)(start + 3 * PAGE));
    for (uint64_t page = 0; page < 3; page++) {
        *byte_of(start, page) = (uint8_t)(page + 1);
    }
    int64_t child = call6(CALL_FORK, 0, 0, 0, 0, 0, 0);
    if (child == 0) {
        print_line("not there", call(CALL_MINCORE, start, PAGE, (uint64_t)&present, 0));
        print_line("there", call(CALL_MINCORE, start + PAGE, 2 * PAGE, (uint64_t)&present, 0));
        print_line("wiped", *byte_of(start, 1));
        print_line("kept", *byte_of(start, 2));
        exit_program(0);
    }
    uint32_t status = 0;
    call(CALL_WAIT4, (uint64_t)child, (uint64_t)&status, 0, 0);
    print_line("status", status);
    print_line("shorter", call6(CALL_BRK, start + PAGE, 0, 0, 0, 0, 0) == (int64_t)(start + PAGE));
    print_line("longer", call6(CALL_BRK, start + 2 * PAGE, 0, 0, 0, 0, 0) == (int64_t)(start + 2 * PAGE));
    print_line("new", *byte_of(start, 1));
}

// Gaps are an error of both calls, which change different parts of what there is.
static void change_with_gaps(int64_t file)
{
    uint64_t start = map(6, READ | WRITE, PRIVATE);
    uint8_t present;
    for (uint64_t page = 0; page < 6; page++) {
        *byte_of(start, page) = (uint8_t)(page + 1);
    }
    call(CALL_MUNMAP, start + 2 * PAGE, PAGE, 0, 0);
    print_line("protect", protect(start, 5, READ));
    print_line("before the gap", call(CALL_PREAD64, (uint64_t)file, start, 1, 0));
    print_line("behind it", call(CALL_PREAD64, (uint64_t)file, start + 3 * PAGE, 1, 0));
    print_line("not inherited", advise(start, 5, ADVICE_DONTFORK));
    print_line("from the gap on", advise(start + 2 * PAGE, 2, ADVICE_DOFORK));
    print_line("up to the gap", advise(start, 3, ADVICE_KEEPONFORK));
    *byte_of(start, 3) = 40;
    int64_t child = call6(CALL_FORK, 0, 0, 0, 0, 0, 0);
    if (child == 0) {
        for (uint64_t page = 0; page < 6; page++) {
            print_line("page", call(CALL_MINCORE, start + page * PAGE, PAGE, (uint64_t)&present, 0));
        }
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("after the gap", *byte_of(start, 3));
    call(CALL_MUNMAP, start, 6 * PAGE, 0, 0);
}

int many_areas(uint64_t count, uint64_t calls)
{
    uint64_t start = map(count, READ | WRITE, PRIVATE);
    // Each of them divides what is left.
    for (uint64_t page = 1; page < count; page += 2) {
        protect(start + page * PAGE, 1, READ);
    }
    int64_t result = 0;
    if (calls != 0) {
        result |= advise(start, count, ADVICE_DONTFORK);
        result |= protect(start, count, READ | WRITE);
    }
    return result != 0;
}

int memory_areas(void)
{
    if (enter_directory() != 0) {
        return 1;
    }
    int64_t file = open_file("f", O_RDWR | O_CREAT, 0600);
    for (uint64_t page = 0; page < 3; page++) {
        const uint8_t byte = (uint8_t)(10 + page);
        call(CALL_PWRITE64, (uint64_t)file, (uint64_t)&byte, 1, page * PAGE);
    }
    grow_by_pages();
    map_by_pages();
    alternate();
    divide_and_join(file);
    use_advice(file);
    share_zeroes();
    grow_heap_with_advice();
    change_with_gaps(file);
    close_file(file);
    return leave_directory();
}
