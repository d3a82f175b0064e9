// SPDX-License-Identifier: Apache-2.0

#include "program.h"

#include "areas.h"
#include "epoll.h"
#include "errors.h"
#include "exchange.h"
#include "executable.h"
#include "faults.h"
#include "file_context.h"
#include "file_system.h"
#include "files.h"
#include "processes.h"
#include "processor.h"
#include "random.h"
#include "registers.h"
#include "ring.h"
#include "scheduler.h"
#include "signals.h"
#include "sockets.h"
#include "stack.h"
#include "system_calls.h"
#include "threads.h"
#include "ticks.h"
#include "timers.h"
#include "vectors.h"

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
    const uint64_t arguments[6] = {
        registers->rdi, registers->rsi, registers->rdx,
        registers->r10, registers->r8, registers->r9,
    };
    current_thread->system_call = registers->rax;
    current_thread->is_in_system_call = true;
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
    epoll_start();
    rings_start();
    sockets_start();
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

static const char *start(const struct program_request *request)
{
    static struct executable executable;
    struct loaded_image image;
    const char *problem;
    memset(&program, 0, sizeof program);
    memset(&program_end, 0, sizeof program_end);
    memset(&program_registers, 0, sizeof program_registers);
    pages_start(request->memory_limit / PAGE_SIZE);
    areas_start();
    processes_start();
    threads_clear();
    scheduler_clear();
    signals_clear();
    timers_clear();
    ticks_clear(request->tick_period);
    random_seed(request->random);

    problem = start_files(request->working_directory);
    if (problem != NULL || executable_open(request->path, &executable, &problem) != 0) {
        return problem;
    }
    struct thread *thread = thread_create(current_process);
    if (thread == NULL || !stack_place() || !executable_map(&executable, &image) ||
        !stack_build(&request->arguments, &executable, &image, &thread->registers.rsp)) {
        return no_memory;
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
