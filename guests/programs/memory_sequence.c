// SPDX-License-Identifier: Apache-2.0
//
// A random sequence of operations on the mappings of a few pages, from a seed. Each result is
// printed: it is that of Linux. Memory is read and written by system calls, which have an error
// where an access would end the program.

#include "chance.h"
#include "files.h"

#define PAGE 4096UL
#define PAGES 48UL
#define FILE_PAGES 8UL
#define PRIVATE 2
#define SHARED 1
#define FIXED 16
#define ANONYMOUS 32
#define DONTNEED 4
#define MAY_MOVE_TO_FIXED 3

static uint64_t state;
static uint64_t base;
static int64_t file;
// Takes what is read from memory, and has what is written to it.
static int64_t other;

static uint64_t next(uint64_t limit)
{
    return next_random(&state) % limit;
}

// The number of a page and a number of pages, which are printed.
static void choose_range(uint64_t most, uint64_t *start, uint64_t *size)
{
    uint64_t count = 1 + next(most);
    uint64_t page = next(PAGES - count + 1);
    print_number((int64_t)page);
    print("+");
    print_number((int64_t)count);
    print(" ");
    *start = base + page * PAGE;
    *size = count * PAGE;
}

static uint64_t choose_protection(void)
{
    static const uint8_t protections[] = { 0, 1, 3, 3 };
    return protections[next(sizeof protections)];
}

static int64_t map(uint64_t type)
{
    uint64_t start, size;
    choose_range(8, &start, &size);
    uint64_t protection = choose_protection();
    int64_t from = type & ANONYMOUS ? -1 : file;
    uint64_t offset = type & ANONYMOUS ? 0 : next(FILE_PAGES + 2) * PAGE;
    int64_t result = call6(CALL_MMAP, start, size, protection, type | FIXED, (uint64_t)from, offset);
    return result == (int64_t)start ? 0 : result;
}

static int64_t change(uint64_t number, uint64_t argument)
{
    uint64_t start, size;
    choose_range(number == CALL_MUNMAP ? 4 : 12, &start, &size);
    return call(number, start, size, argument, 0);
}

// One page, which is in one area, to elsewhere, where it can become larger. Versions of Linux
// differ in what they check first.
static int64_t move(void)
{
    uint8_t present;
    uint64_t start = base + next(PAGES) * PAGE;
    uint64_t target, size;
    choose_range(3, &target, &size);
    if (call(CALL_MINCORE, start, PAGE, (uint64_t)&present, 0) != 0 || (start >= target && start < target + size)) {
        return 0;
    }
    int64_t result = call6(CALL_MREMAP, start, PAGE, size, MAY_MOVE_TO_FIXED, target, 0);
    return result == (int64_t)target ? 0 : result;
}

// Within one page.
static uint64_t choose_place(uint64_t *size)
{
    uint64_t offset = next(PAGE);
    *size = 1 + next(PAGE - offset);
    uint64_t page = next(PAGES);
    print_number((int64_t)page);
    print(" ");
    return base + page * PAGE + offset;
}

static uint64_t sum_of(int64_t from, uint64_t position, uint64_t size)
{
    static uint8_t bytes[PAGE];
    int64_t count = call(CALL_PREAD64, (uint64_t)from, (uint64_t)bytes, size < PAGE ? size : PAGE, position);
    uint64_t sum = (uint64_t)count;
    for (int64_t i = 0; i < count; i++) {
        sum = sum * 31 + bytes[i];
    }
    return sum & 0xFFFFFFFF;
}

static void read_memory(void)
{
    uint64_t size;
    uint64_t place = choose_place(&size);
    int64_t count = call(CALL_PWRITE64, (uint64_t)other, place, size, 0);
    print_number(count);
    if (count > 0) {
        print(" ");
        print_number((int64_t)sum_of(other, 0, (uint64_t)count));
    }
}

static int64_t write_memory(void)
{
    static uint8_t bytes[PAGE];
    uint64_t size;
    uint64_t place = choose_place(&size);
    for (uint64_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(next(251) + 1);
    }
    call(CALL_PWRITE64, (uint64_t)other, (uint64_t)bytes, size, 0);
    return call(CALL_PREAD64, (uint64_t)other, place, size, 0);
}

static void step(void)
{
    switch (next(16)) {
    case 0:
    case 1:
        print("memory ");
        print_number(map(PRIVATE | ANONYMOUS));
        break;
    case 2:
        print("file ");
        print_number(map(PRIVATE));
        break;
    case 3:
        print("shared file ");
        print_number(map(SHARED));
        break;
    case 4:
        print("unmap ");
        print_number(change(CALL_MUNMAP, 0));
        break;
    case 5:
    case 6:
        print("protect ");
        print_number(change(CALL_MPROTECT, choose_protection()));
        break;
    case 7:
        print("move ");
        print_number(move());
        break;
    case 8:
        print("forget ");
        print_number(change(CALL_MADVISE, DONTNEED));
        break;
    case 9:
        print("size of the file ");
        print_number(call(CALL_FTRUNCATE, (uint64_t)file, next(FILE_PAGES * PAGE + 1), 0, 0));
        break;
    case 10:
        print("file ");
        print_number((int64_t)sum_of(file, next(FILE_PAGES) * PAGE, PAGE));
        break;
    case 11:
    case 12:
    case 13:
        print("write ");
        print_number(write_memory());
        break;
    default:
        print("read ");
        read_memory();
        break;
    }
}

int memory_sequence(uint64_t seed, uint64_t count)
{
    state = random_state(seed);
    base = (uint64_t)call6(CALL_MMAP, 0, PAGES * PAGE, 3, PRIVATE | ANONYMOUS, (uint64_t)-1, 0);
    file = call(CALL_MEMFD_CREATE, (uint64_t)"file", 0, 0, 0);
    other = call(CALL_MEMFD_CREATE, (uint64_t)"other", 0, 0, 0);
    for (uint64_t i = 0; i < count; i++) {
        print_number((int64_t)i);
        print(": ");
        step();
        print("\n");
    }
    return 0;
}
