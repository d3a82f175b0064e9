// SPDX-License-Identifier: Apache-2.0
//
// The running program: how it starts, runs and ends.

#ifndef LINUX_PROGRAM_H
#define LINUX_PROGRAM_H

#include "checkpoint.h"
#include "executable.h"
#include "ready_device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct files;
struct file_context;

#define PROGRAM_NAME_SIZE 16

// Why the kernel ended a program. The host has the same numbers.
enum end_reason {
    END_BY_PROGRAM = 0,
    END_BY_MEMORY_LIMIT = 1,
    END_BY_OUTPUT_LIMIT = 2,
    // All threads wait, and nothing will end that.
    END_BY_DEADLOCK = 3,
    // It has not ended: it is at its checkpoint.
    END_AT_CHECKPOINT = 4,
    END_BY_SYSTEM_CALL_LIMIT = 5,
};

// How the run ends, when it has ended.
struct program_end {
    bool is_ended;
    uint32_t exit_code;
    uint32_t signal;
    uint32_t reason;
    uint64_t fault_address;
};

extern struct program_end program_end;

// Of the process that runs; see processes.h.
struct program {
    // The heap of brk.
    uint64_t break_start;
    uint64_t break_end;
    // Areas without a given address are below.
    uint64_t mapping_top;
    uint64_t stack_start, stack_end;
    // The strings of the command and of the environment, where the program can
    // change them.
    uint64_t arguments_start, environment_start, environment_end;
    // Where it started: the addresses of its environment variables.
    uint64_t environment_pointers;
    uint32_t environment_count;
    // The 16 bytes of AT_RANDOM.
    uint64_t random_value;
    struct files *files;
    struct file_context *file_context;
    // Counted.
    struct node *executable;
    char executable_path[PATH_SIZE];
    char name[PROGRAM_NAME_SIZE];
    // What it has set by prctl and membarrier.
    bool is_not_dumpable;
    bool uses_barriers;
};

extern struct program program;

struct program_request {
    uint64_t memory_limit;
    // In microseconds; see ticks.h.
    uint32_t tick_period;
    const uint8_t *random;
    // See virtual_clock.h.
    int64_t wall_clock;
    // An absolute path of the image.
    const char *path;
    const char *working_directory;
    struct program_arguments arguments;
    enum checkpoint_kind checkpoint;
    // How many there may be.
    uint32_t threads, processes;
    // How many the run may make; UINT64_MAX for no limit.
    uint64_t system_calls;
    // What `arguments` has of the run, and not of the program.
    struct run_strings run;
};

// Loads the program and runs it until it ends or reaches its checkpoint. NULL, or why
// it cannot start.
const char *program_run(const struct program_request *request);

// Continues it after its checkpoint, until it ends. NULL, or why it cannot.
const char *program_continue(const struct program_request *request);

// The same for a trial run, of which the working set is recorded.
const char *program_try(const struct program_request *request);

// Lets the current thread continue, until its next system call, exception or
// interrupt has been handled.
void program_execute(void);

void program_exit(uint32_t code);
void program_kill(uint32_t signal, enum end_reason reason);

#endif
