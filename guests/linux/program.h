// SPDX-License-Identifier: Apache-2.0
//
// The running program: how it starts, runs and ends.

#ifndef LINUX_PROGRAM_H
#define LINUX_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_NAME_SIZE 256

// Why the kernel ended a program. The host has the same numbers.
enum end_reason {
    END_BY_PROGRAM = 0,
    END_BY_MEMORY_LIMIT = 1,
    END_BY_OUTPUT_LIMIT = 2,
};

struct program {
    bool is_ended;
    uint32_t exit_code;
    uint32_t signal;
    uint32_t reason;
    uint64_t fault_address;

    // The heap of brk.
    uint64_t break_start;
    uint64_t break_end;
    // Areas without a given address are below.
    uint64_t mapping_top;
    // Bit n: descriptor n is open.
    uint32_t open_descriptors;
    char name[PROGRAM_NAME_SIZE];
};

extern struct program program;

// What the host sends: the strings of the command, then those of the environment,
// each with its zero.
struct program_request {
    uint64_t memory_limit;
    const uint8_t *random;
    uint32_t argument_count;
    uint32_t environment_count;
    const char *strings;
    size_t strings_size;
};

// Loads the program and runs it until it ends. False if its memory limit is too
// small for it to start.
bool program_run(const struct program_request *request);

void program_exit(uint32_t code);
void program_kill(uint32_t signal, enum end_reason reason);

#endif
