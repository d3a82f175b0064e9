// SPDX-License-Identifier: Apache-2.0
//
// The little that a program without a C library needs.

#ifndef PROGRAMS_START_H
#define PROGRAMS_START_H

#include <stddef.h>
#include <stdint.h>

static inline int64_t call6(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                            uint64_t f)
{
    int64_t result;
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define CALL_READ 0
#define CALL_WRITE 1
#define CALL_MMAP 9
#define CALL_MPROTECT 10
#define CALL_MUNMAP 11
#define CALL_BRK 12
#define CALL_GETPID 39
#define CALL_KILL 62
#define CALL_EXIT 60
#define CALL_EXIT_GROUP 231

size_t length(const char *text);
int equal(const char *one, const char *other);
uint64_t parse_number(const char *text);

void print(const char *text);
void print_number(int64_t value);
void print_line(const char *name, int64_t value);

__attribute__((noreturn)) void exit_program(int code);

// Of the stack as the program found it.
struct start {
    uint64_t argument_count;
    char **arguments;
    char **environment;
    uint64_t *auxiliary;
};

int program_main(const struct start *start);

// A thread that executes a function on a stack of its own, and ends. `identifier` is
// set while it exists. The id of the thread, or what clone returned.
int64_t start_thread(uint64_t function, uint64_t argument, uint64_t stack_top, volatile uint32_t *identifier);
void join_thread(volatile uint32_t *identifier);

int system_calls(const char *name, const struct start *start);
int threads(const char *name);
int signals(const char *name);
int received_signals(const char *name);
int hostile(const char *name, const struct start *start);
int pipe_commands(const char *name);
int process_commands(const char *name, const struct start *start);
int host_files(const char *name, const struct start *start);
int tools(const char *name, const struct start *start);
int network(const char *name, const struct start *start);
int random_calls(uint64_t seed, uint64_t count);
int checkpoints(const char *name);
int faults(const char *name);
int slices(const char *name);
int standard_input(const char *name);
int thread_sequence(uint64_t seed, uint64_t count);
int chance_commands(const char *name, const struct start *start);

#endif
