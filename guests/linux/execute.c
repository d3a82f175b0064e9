// SPDX-License-Identifier: Apache-2.0
//
// execve: another program in the current process.

#include "errors.h"
#include "files.h"
#include "node.h"
#include "posix_timers.h"
#include "processes.h"
#include "processor.h"
#include "scheduler.h"
#include "stack.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"
#include "vectors.h"

#include <string.h>

#define MOST_STRINGS 0x20000

// Of the call that is executed: nothing waits while they are used.
static char strings[MOST_STRINGS];
static char path[PATH_SIZE];
static struct executable executable;

// Appends the strings of an array that ends with a zero.
static int64_t copy_array(uint64_t address, size_t *size, uint32_t *count)
{
    *count = 0;
    for (; address != 0; address += sizeof(uint64_t)) {
        uint64_t string;
        if (!copy_from_user(&string, address, sizeof string)) {
            return -EFAULT;
        }
        if (string == 0) {
            return 0;
        }
        int64_t error = *size < MOST_STRINGS ? copy_string_from_user(strings + *size, string, MOST_STRINGS - *size)
                                             : -ENAMETOOLONG;
        if (error != 0) {
            return error == -ENAMETOOLONG ? -E2BIG : error;
        }
        *size += strlen(strings + *size) + 1;
        ++*count;
    }
    return 0;
}

static int64_t copy_arguments(const uint64_t arguments[6], struct program_arguments *copy)
{
    size_t size = 0;
    int64_t error = copy_string_from_user(path, arguments[0], sizeof path);
    error = error != 0 ? error : copy_array(arguments[1], &size, &copy->argument_count);
    // A program has a first argument, at least an empty one.
    if (error == 0 && copy->argument_count == 0) {
        strings[size++] = 0;
        copy->argument_count = 1;
    }
    error = error != 0 ? error : copy_array(arguments[2], &size, &copy->environment_count);
    copy->strings = strings;
    copy->size = size;
    return error;
}

// The other threads of the process end.
static void end_other_threads(void)
{
    struct process *process = current_process;
    process->remaining = current_thread;
    FOR_EACH_THREAD (thread) {
        if (thread->process == process && thread != current_thread && thread->state == THREAD_WAITING &&
            !thread->is_uninterruptible) {
            scheduler_wake_thread(thread, -ERESTARTSYS);
        }
    }
    while (process->threads > 1 && !process->is_ending && !program_end.is_ended) {
        scheduler_wait_uninterrupted(&process->threads);
    }
    process->remaining = NULL;
    current_thread->id = process->id;
}

static void reset_signals(void)
{
    for (uint32_t signal = 1; signal <= SIGNALS; signal++) {
        struct signal_action *action = signal_action(signal);
        *action = (struct signal_action){ .handler = action->handler == SIG_IGN ? SIG_IGN : SIG_DFL };
    }
    current_thread->signals.stack = 0;
    current_thread->signals.stack_size = 0;
    current_thread->signals.stack_flags = 0;
}

// Nothing of the old program is left now: without memory the process is killed.
static void start_program(const struct program_arguments *arguments)
{
    struct loaded_image image = { 0 };
    uint64_t stack = 0;
    bool is_mapped = stack_place() && executable_map(&executable, &image) &&
                     stack_build(arguments, &executable, &image, program.stack_end, &stack);
    node_retain(executable.node);
    node_release(program.executable);
    program.executable = executable.node;
    strcpy(program.executable_path, executable.path);
    program.break_start = program.break_end = image.end;
    program.is_not_dumpable = program.uses_barriers = false;
    memset(&program_registers, 0, sizeof program_registers);
    program_registers.rip = image.start;
    program_registers.rsp = stack;
    program_registers.rflags = INITIAL_RFLAGS;
    if (!is_mapped) {
        process_end(SIGKILL);
    }
}

int64_t system_call_execve(const uint64_t arguments[6])
{
    struct program_arguments copy;
    const char *problem;
    int64_t error = copy_arguments(arguments, &copy);
    error = error != 0 ? error : executable_open(path, &executable, &problem);
    if (error != 0) {
        return error;
    }
    executable_close(&executable);
    end_other_threads();
    // They may have changed the files.
    error = copy_arguments(arguments, &copy);
    error = error != 0 ? error : executable_open(path, &executable, &problem);
    struct files *files = error == 0 ? files_unshare(program.files) : NULL;
    struct address_space *space = files != NULL ? address_space_create() : NULL;
    if (space == NULL) {
        if (files != NULL) {
            files_release(files);
        }
        if (error == 0) {
            executable_close(&executable);
        }
        return error != 0 ? error : -ENOMEM;
    }
    files_release(program.files);
    program.files = files;
    files_close_on_exec(files);
    struct address_space *previous = current_process->space;
    current_process->space = space;
    address_space_select(space);
    address_space_release(previous);
    // That of the first process is selected to be emptied.
    address_space_select(space);
    process_release_waiter(current_process);
    current_process->has_executed = true;
    current_process->exit_signal = SIGCHLD;
    current_thread->clear_child_tid = 0;
    current_thread->robust_list = 0;
    reset_signals();
    posix_timers_forget(current_process);
    start_program(&copy);
    executable_close(&executable);
    write_msr(MSR_FS_BASE, 0);
    write_msr(MSR_GS_BASE, 0);
    vectors_reset();
    memset(current_thread->name, 0, sizeof current_thread->name);
    strncpy(current_thread->name, program.name, sizeof current_thread->name - 1);
    return 0;
}
