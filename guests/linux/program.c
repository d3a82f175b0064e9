// SPDX-License-Identifier: Apache-2.0

#include "program.h"

#include "areas.h"
#include "connection.h"
#include "datagram.h"
#include "epoll.h"
#include "errors.h"
#include "exchange.h"
#include "executable.h"
#include "faults.h"
#include "file_context.h"
#include "file_system.h"
#include "files.h"
#include "host_clock.h"
#include "host_directory.h"
#include "processes.h"
#include "processor.h"
#include "random.h"
#include "record_locks.h"
#include "registers.h"
#include "ring.h"
#include "scheduler.h"
#include "signals.h"
#include "sockets.h"
#include "stack.h"
#include "streams.h"
#include "system_calls.h"
#include "threads.h"
#include "ticks.h"
#include "timers.h"
#include "user.h"
#include "vdso.h"
#include "vectors.h"
#include "virtual_clock.h"
#include "working_set.h"

#include <string.h>

#define VECTOR_PAGE_FAULT 14

struct registers program_registers;
struct program program;
struct program_end program_end;

void program_exit(uint32_t code)
{
    if (!program_end.is_ended) {
        program_end.is_ended = true;
        program_end.exit_code = code & 0xFF;
    }
}

void program_kill(uint32_t signal, enum end_reason reason)
{
    if (!program_end.is_ended) {
        program_end.is_ended = true;
        program_end.signal = signal;
        program_end.reason = reason;
    }
}

static void handle_system_call(void)
{
    struct registers *registers = &program_registers;
    if (!system_call_may_begin()) {
        program_kill(SIGKILL, END_BY_SYSTEM_CALL_LIMIT);
        return;
    }
    if (virtual_clock_is_used()) {
        virtual_clock_pass_call();
    }
    const uint64_t arguments[6] = {
        registers->rdi, registers->rsi, registers->rdx,
        registers->r10, registers->r8, registers->r9,
    };
    current_thread->system_call = registers->rax;
    current_thread->is_in_system_call = true;
    current_thread->awaits_input = false;
    registers->rax = (uint64_t)system_call(registers->rax, arguments);
}

// Some KVM hosts execute SYSCALL without a change of CPL: the fetch at its entry
// is a page fault of the program then, if no interrupt comes first.
static bool is_unprivileged_system_call(uint32_t trap)
{
    return program_registers.rip == (uint64_t)system_call_entry &&
           (trap == TRAP_TICK ||
            (trap == VECTOR_PAGE_FAULT && program_registers.fault_address == (uint64_t)system_call_entry));
}

static void handle(uint32_t trap)
{
    if (trap == TRAP_SYSTEM_CALL) {
        handle_system_call();
    } else if (is_unprivileged_system_call(trap)) {
        program_registers.rip = program_registers.rcx;
        program_registers.rflags = program_registers.r11;
        handle_system_call();
    } else if (trap == TRAP_TICK) {
        scheduler_tick();
    } else {
        handle_exception(trap);
    }
}

// IRETQ with an address that is not the program's would fault in the kernel, or
// continue in it. Handlers may have such an address as well.
static void prepare_to_continue(void)
{
    signals_deliver();
    while (!program_end.is_ended && !current_process->is_ending && program_registers.rip >= PROGRAM_END) {
        fault_at_instruction();
        signals_deliver();
    }
    program_registers.rflags = (program_registers.rflags & PROGRAM_RFLAGS) | INITIAL_RFLAGS;
}

void program_execute(void)
{
    scheduler_check_slice();
    prepare_to_continue();
    if (program_end.is_ended) {
        scheduler_leave();
    }
    if (process_ends_thread(current_thread)) {
        thread_end(0);
    }
    ticks_start_if(scheduler_needs_ticks());
    handle(enter_program());
}

static const char no_memory[] = "its memory limit is too low for it to start";

// What does not depend on the program.
static const char *start_files(const char *working_directory)
{
    struct lookup lookup;
    files_start();
    record_locks_start();
    epoll_start();
    rings_start();
    socket_pairs_start();
    connections_start();
    datagrams_start();
    host_directories_start();
    file_contexts_start();
    if (!file_system_start()) {
        return "no image is loaded, or its memory limit is too low for it to start";
    }
    program.files = files_create();
    program.file_context = file_context_create(root_node());
    if (program.files == NULL || program.file_context == NULL) {
        return no_memory;
    }
    const char *problem = input_files_receive();
    if (problem != NULL) {
        return problem;
    }
    if (path_lookup_text(root_node(), working_directory, LOOKUP_FOLLOW, &lookup) != 0 || lookup.node == NULL ||
        !node_is_directory(lookup.node)) {
        return "its working directory does not exist";
    }
    file_context_change_directory(program.file_context, lookup.node);
    return NULL;
}

// What was loaded at the start: its path, and of a script the interpreter's arguments.
static struct executable executable;
static struct loaded_image image;

static const char *start(const struct program_request *request)
{
    const char *problem;
    memset(&program, 0, sizeof program);
    memset(&program_end, 0, sizeof program_end);
    memset(&program_registers, 0, sizeof program_registers);
    pages_start(request->memory_limit / PAGE_SIZE);
    areas_start();
    threads_clear();
    threads_set_limit(request->threads);
    processes_start(request->processes);
    scheduler_clear();
    signals_clear();
    timers_clear();
    ticks_clear(request->tick_period);
    system_calls_start(request->system_calls);
    random_seed(request->random);
    host_clock_start();
    vdso_start();
    virtual_clock_start(request->wall_clock);
    checkpoint_start(request->checkpoint);
    ready_device_start(&request->run);

    problem = start_files(request->working_directory);
    if (problem != NULL || executable_open(request->path, &executable, &problem) != 0) {
        return problem;
    }
    struct thread *thread = thread_create(current_process);
    if (thread == NULL || !stack_place() || !executable_map(&executable, &image) ||
        !stack_build(&request->arguments, &executable, &image, program.stack_end, &thread->registers.rsp)) {
        return no_memory;
    }
    if (request->checkpoint == CHECKPOINT_AT_ENTRY && !checkpoint_set_breakpoint(image.entry)) {
        return "a checkpoint cannot be set at its entry point";
    }
    program.executable = executable.node;
    node_retain(program.executable);
    strcpy(program.executable_path, executable.path);
    executable_close(&executable);
    program.break_start = program.break_end = image.end;
    thread->registers.rip = image.start;
    thread->registers.rflags = INITIAL_RFLAGS;
    vectors_reset();
    vectors_save(thread_vectors(thread));
    scheduler_make_ready(thread);
    return NULL;
}

const char *program_run(const struct program_request *request)
{
    const char *problem = start(request);
    if (problem != NULL) {
        return problem;
    }
    scheduler_run();
    return NULL;
}

// What a program that has not begun yet finds on its stack. The C library may have kept
// the address of the environment: the variables there change their values.
static const char *replace_arguments(const struct program_arguments *arguments, struct thread *thread)
{
    uint64_t pointers = program.environment_pointers;
    uint64_t count = program.environment_count;
    if (arguments->environment_count != count) {
        return "its environment must have the variables that it had before its checkpoint";
    }
    if (!stack_build(arguments, &executable, &image, thread->registers.rsp - STACK_RED_ZONE, &thread->registers.rsp)) {
        return no_memory;
    }
    for (uint64_t offset = 0; offset < count * sizeof(uint64_t); offset += sizeof(uint64_t)) {
        uint64_t pointer;
        if (!copy_from_user(&pointer, program.environment_pointers + offset, sizeof pointer) ||
            !copy_to_user(pointers + offset, &pointer, sizeof pointer)) {
            return no_memory;
        }
    }
    return NULL;
}

const char *program_continue(const struct program_request *request)
{
    if (!checkpoint_is_reached()) {
        return "the program is not at its checkpoint";
    }
    checkpoint_continue(request->memory_limit / PAGE_SIZE);
    working_set_prepare();
    memset(&program_end, 0, sizeof program_end);
    ticks_clear(request->tick_period);
    system_calls_start(request->system_calls);
    random_seed(request->random);
    virtual_clock_start(request->wall_clock);
    host_clock_forget();
    ready_device_start(&request->run);
    stream_input_continue();
    const char *problem = input_files_receive();
    if (checkpoint_kind() != CHECKPOINT_AT_ENTRY) {
        stack_replace_random();
    } else if (problem == NULL) {
        problem = replace_arguments(&request->arguments, checkpoint_thread());
    }
    if (problem != NULL) {
        return problem;
    }
    scheduler_run();
    return NULL;
}

const char *program_try(const struct program_request *request)
{
    working_set_record();
    return program_continue(request);
}
