// SPDX-License-Identifier: Apache-2.0
//
// A Linux program without a C library that the tests run natively and in a micro
// VM: what it does is its first argument. What it prints is the same everywhere.

#include "calls.h"
#include "storm.h"

enum { AT_PHDR = 3, AT_PAGESZ = 6, AT_ENTRY = 9, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31 };

extern void _start(void);

static int arguments(const struct start *start)
{
    print_line("arguments", (int64_t)start->argument_count);
    for (uint64_t i = 1; i < start->argument_count; i++) {
        print(start->arguments[i]);
        print("\n");
    }
    for (char **variable = start->environment; *variable != NULL; variable++) {
        print(*variable);
        print("\n");
    }
    return 0;
}

static uint64_t auxiliary(const struct start *start, uint64_t type)
{
    for (uint64_t *entry = start->auxiliary; entry[0] != 0; entry += 2) {
        if (entry[0] == type) {
            return entry[1];
        }
    }
    return 0;
}

static int vector(const struct start *start)
{
    const uint8_t *random = (const uint8_t *)auxiliary(start, AT_RANDOM);
    int sum = 0;
    for (int i = 0; i < 16; i++) {
        sum |= random[i];
    }
    print_line("page size", (int64_t)auxiliary(start, AT_PAGESZ));
    print_line("entry", auxiliary(start, AT_ENTRY) == (uint64_t)_start);
    print_line("secure", (int64_t)auxiliary(start, AT_SECURE));
    print_line("random", sum != 0);
    print_line("header type", (int64_t)*(const uint32_t *)auxiliary(start, AT_PHDR) != 0);
    print_line("stack", ((uint64_t)(start->arguments - 1) & 15) == 0);
    print_line("name", equal((const char *)auxiliary(start, AT_EXECFN), start->arguments[0]));
    return 0;
}

// Standard input to standard output, and its size to standard error.
static int echo(void)
{
    static char buffer[10000];
    int64_t total = 0;
    for (;;) {
        int64_t count = call6(CALL_READ, 0, (uint64_t)buffer, sizeof buffer, 0, 0, 0);
        if (count <= 0) {
            break;
        }
        total += call6(CALL_WRITE, 1, (uint64_t)buffer, (uint64_t)count, 0, 0, 0);
    }
    call6(CALL_WRITE, 2, (uint64_t)"done\n", 5, 0, 0, 0);
    print_line("bytes", total);
    return 0;
}

// Vectors, floating point and x87 across system calls.
static int floating(void)
{
    volatile double sum = 0;
    volatile float single = 1;
    volatile long double extended = 1;
    for (int i = 1; i <= 1000; i++) {
        sum += 1.0 / i;
        single *= 1.001f;
        extended /= 1.01L;
        if (i % 100 == 0) {
            print_line("sum", (int64_t)(sum * 1e12));
        }
    }
    print_line("single", (int64_t)(single * 1e6f));
    print_line("extended", (int64_t)(extended * 1e18L));
    return 0;
}

static int flood(void)
{
    static char text[4096];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)('a' + i % 26);
    }
    while (call6(CALL_WRITE, 1, (uint64_t)text, sizeof text, 0, 0, 0) > 0) {
    }
    return 1;
}

// Keeps the contents of the last run where a program would find them.
static int remember(void)
{
    static uint64_t value;
    print_line("before", (int64_t)value);
    value = 42;
    return 0;
}

int program_main(const struct start *start)
{
    const char *name = start->argument_count > 1 ? start->arguments[1] : "hello";
    if (equal(name, "hello")) {
        print("hello\n");
        return 7;
    }
    if (equal(name, "exit")) {
        return (int)parse_number(start->arguments[2]);
    }
    if (equal(name, "arguments")) {
        return arguments(start);
    }
    if (equal(name, "vector")) {
        return vector(start);
    }
    if (equal(name, "echo")) {
        return echo();
    }
    if (equal(name, "floating")) {
        return floating();
    }
    if (equal(name, "flood")) {
        return flood();
    }
    if (equal(name, "remember")) {
        return remember();
    }
    if (equal(name, "loop")) {
        for (;;) {
            __asm__ volatile("" : : : "memory");
        }
    }
    if (equal(name, "random-calls")) {
        return random_calls(parse_number(start->arguments[2]), parse_number(start->arguments[3]));
    }
    if (equal(name, "storm") || equal(name, "random-code")) {
        return storms(parse_number(start->arguments[2]), parse_number(start->arguments[3]), equal(name, "random-code"));
    }
    if (equal(name, "balance")) {
        return balance();
    }
    if (equal(name, "residue")) {
        return residue();
    }
    if (equal(name, "file-calls")) {
        return file_calls();
    }
    if (equal(name, "record-locks")) {
        return record_locks(start);
    }
    if (equal(name, "named-pipes")) {
        return named_pipes();
    }
    if (equal(name, "resource-limits")) {
        return resource_limits();
    }
    if (equal(name, "moved-memory")) {
        return moved_memory();
    }
    if (equal(name, "no-privileges")) {
        return no_privileges();
    }
    if (equal(name, "sleep")) {
        return sleep_long();
    }
    if (equal(name, "walk")) {
        return walk();
    }
    if (equal(name, "file-mappings")) {
        return file_mappings();
    }
    if (equal(name, "shared-file")) {
        return shared_file(start->arguments[2]);
    }
    if (equal(name, "memory-areas")) {
        return memory_areas();
    }
    if (equal(name, "many-areas")) {
        return many_areas(parse_number(start->arguments[2]), parse_number(start->arguments[3]));
    }
    if (equal(name, "memory-sequence")) {
        return memory_sequence(parse_number(start->arguments[2]), parse_number(start->arguments[3]));
    }
    if (equal(name, "file-limits")) {
        return file_limits();
    }
    if (equal(name, "file-sequence")) {
        return file_sequence(parse_number(start->arguments[2]), parse_number(start->arguments[3]));
    }
    if (equal(name, "thread-sequence")) {
        return thread_sequence(parse_number(start->arguments[2]), parse_number(start->arguments[3]));
    }
    if (equal(name, "odd-names")) {
        return odd_names();
    }
    if (equal(name, "system-files")) {
        return system_files();
    }
    if (equal(name, "default-files")) {
        return default_files();
    }
    int code = system_calls(name, start);
    code = code >= 0 ? code : threads(name);
    code = code >= 0 ? code : signals(name);
    code = code >= 0 ? code : received_signals(name);
    code = code >= 0 ? code : hostile(name, start);
    code = code >= 0 ? code : attacks(name);
    code = code >= 0 ? code : pipe_commands(name);
    code = code >= 0 ? code : process_commands(name, start);
    code = code >= 0 ? code : checkpoints(name);
    code = code >= 0 ? code : host_files(name, start);
    code = code >= 0 ? code : tools(name, start);
    code = code >= 0 ? code : network(name, start);
    code = code >= 0 ? code : slices(name);
    code = code >= 0 ? code : standard_input(name);
    code = code >= 0 ? code : chance_commands(name, start);
    code = code >= 0 ? code : single_calls(name, start);
    return code >= 0 ? code : faults(name);
}
