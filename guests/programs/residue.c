// SPDX-License-Identifier: Apache-2.0
//
// What a program finds when it starts: it must not depend on what ran before.

#include "storm.h"

#include "files.h"

static uint64_t sum_of(const void *bytes, size_t size)
{
    uint64_t sum = 14695981039346656037UL;
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ ((const uint8_t *)bytes)[i]) * 1099511628211UL;
    }
    return sum >> 1;
}

// The last line: the memory that the kernel has promised. What is free depends on where mappings are.
static void print_promised_memory(void)
{
    static char text[4096];
    const char *line = text;
    int64_t file = open_file("/proc/meminfo", O_RDONLY, 0);
    int64_t size = call(CALL_READ, (uint64_t)file, (uint64_t)text, sizeof text - 1, 0);
    for (int64_t i = 0; i + 1 < size; i++) {
        line = text[i] == '\n' ? text + i + 1 : line;
    }
    print(line);
    close_file(file);
}

static int64_t names_in(const char *path)
{
    static uint8_t entries[4096];
    int64_t file = open_file(path, O_RDONLY | O_DIRECTORY, 0);
    int64_t size = call(CALL_GETDENTS64, (uint64_t)file, (uint64_t)entries, sizeof entries, 0);
    close_file(file);
    return size;
}

static void print_registers(void)
{
    uint16_t selectors[5];
    uint64_t flags;
    static uint8_t image[512] __attribute__((aligned(16)));
    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3; mov %%ss, %4"
                     : "=r"(selectors[0]), "=r"(selectors[1]), "=r"(selectors[2]), "=r"(selectors[3]), "=r"(selectors[4]));
    for (unsigned i = 0; i < 5; i++) {
        print_line("selector", selectors[i]);
    }
    __asm__ volatile("pushfq; pop %0" : "=r"(flags));
    print_line("flags", (int64_t)(flags & 0x3F7700));
    __asm__ volatile("fxsave64 %0" : "=m"(image));
    print_line("control", *(uint16_t *)image);
    print_line("mxcsr", *(uint32_t *)(image + 24));
    // Below the registers that this program uses itself.
    print_line("x87", (int64_t)sum_of(image + 32, 128));
    print_line("vectors", (int64_t)sum_of(image + 160 + 32, 224));
}

static void print_memory(void)
{
    const int64_t memory = call6(CALL_MMAP, 0, 0x40000, 3, 0x22, (uint64_t)-1, 0);
    uint64_t bits = 0;
    for (uint64_t offset = 0; offset < 0x40000; offset += 8) {
        bits |= *(uint64_t *)(memory + (int64_t)offset);
    }
    print_line("memory", (int64_t)bits);
    call(CALL_MUNMAP, (uint64_t)memory, 0x40000, 0, 0);
}

int residue(void)
{
    uint64_t value = 0;
    print_registers();
    for (uint64_t base = 0x1003; base <= 0x1004; base++) {
        call(158, base, (uint64_t)&value, 0, 0);
        print_line("base", (int64_t)value);
    }
    call6(14, 0, 0, (uint64_t)&value, 8, 0, 0);
    print_line("mask", (int64_t)value);
    call6(127, (uint64_t)&value, 8, 0, 0, 0, 0);
    print_line("pending", (int64_t)value);
    print_line("identifier", call6(CALL_GETPID, 0, 0, 0, 0, 0, 0));
    print_line("child", call6(61, (uint64_t)-1, 0, 1, 0, 0, 0));
    print_memory();
    print_line("root", names_in("/"));
    print_line("temporary", names_in("/tmp"));
    print_line("shared", names_in("/dev/shm"));
    print_line("files", names_in("/proc/self/fd"));
    print_promised_memory();
    return 0;
}
