// SPDX-License-Identifier: Apache-2.0

#include "start.h"

__asm__(".globl _start\n"
        "_start:\n"
        "    xor %ebp, %ebp\n"
        "    mov %rsp, %rdi\n"
        "    and $-16, %rsp\n"
        "    call start_program\n");

#ifdef __PIE__
struct dynamic_entry {
    int64_t tag;
    uint64_t value;
};

struct relocation {
    uint64_t offset;
    uint64_t type;
    uint64_t addend;
};

enum { DT_NULL = 0, DT_RELA = 7, DT_RELASZ = 8, R_X86_64_RELATIVE = 8 };

extern const struct dynamic_entry _DYNAMIC[] __attribute__((visibility("hidden")));
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

// Before anything uses a table of pointers: what the C library does in a position
// independent program.
static void relocate(void)
{
    uint64_t base = (uint64_t)__ehdr_start;
    uint64_t table = 0;
    uint64_t size = 0;
    for (const struct dynamic_entry *entry = _DYNAMIC; entry->tag != DT_NULL; entry++) {
        table = entry->tag == DT_RELA ? base + entry->value : table;
        size = entry->tag == DT_RELASZ ? entry->value : size;
    }
    for (const struct relocation *entry = (const struct relocation *)table; size >= sizeof *entry; entry++) {
        if ((uint32_t)entry->type == R_X86_64_RELATIVE) {
            *(uint64_t *)(base + entry->offset) = base + entry->addend;
        }
        size -= sizeof *entry;
    }
}
#else
static void relocate(void)
{
}
#endif

size_t length(const char *text)
{
    size_t count = 0;
    while (text[count] != 0) {
        count++;
    }
    return count;
}

int equal(const char *one, const char *other)
{
    while (*one != 0 && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}

uint64_t parse_number(const char *text)
{
    uint64_t value = 0;
    while (*text >= '0' && *text <= '9') {
        value = value * 10 + (uint64_t)(*text++ - '0');
    }
    return value;
}

void print(const char *text)
{
    call6(CALL_WRITE, 1, (uint64_t)text, length(text), 0, 0, 0);
}

void print_number(int64_t value)
{
    char digits[24];
    char *position = digits + sizeof digits - 1;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    *position = 0;
    do {
        *--position = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0) {
        *--position = '-';
    }
    print(position);
}

void print_line(const char *name, int64_t value)
{
    print(name);
    print(" ");
    print_number(value);
    print("\n");
}

void exit_program(int code)
{
    for (;;) {
        call6(CALL_EXIT_GROUP, (uint64_t)code, 0, 0, 0, 0, 0);
    }
}

__attribute__((used, noreturn)) void start_program(uint64_t *stack)
{
    relocate();
    struct start start = { .argument_count = stack[0], .arguments = (char **)(stack + 1) };
    start.environment = start.arguments + start.argument_count + 1;
    char **end = start.environment;
    while (*end != NULL) {
        end++;
    }
    start.auxiliary = (uint64_t *)(end + 1);
    exit_program(program_main(&start));
}
