// SPDX-License-Identifier: Apache-2.0

#include "processes.h"

#include "errors.h"
#include "file_context.h"
#include "files.h"
#include "node.h"
#include "process.h"
#include "scheduler.h"
#include "threads.h"
#include "timers.h"

#include <string.h>

struct process processes[MOST_PROCESSES];
struct process *current_process = processes;

#define SA_NOCLDWAIT 2U

enum { CLD_EXITED = 1, CLD_KILLED = 2 };

static unsigned most;

void processes_start(unsigned limit)
{
    most = limit < MOST_PROCESSES ? limit : MOST_PROCESSES;
    memset(processes, 0, sizeof processes);
    current_process = &processes[0];
    *current_process = (struct process){
        .state = PROCESS_RUNNING,
        .id = PROCESS_ID,
        .group = PROCESS_ID,
        .session = PROCESS_ID,
        .space = address_spaces_start(),
    };
    resource_limits_start(current_process->limits);
}

uint32_t process_parent(const struct process *process)
{
    return process->parent != NULL ? process->parent->id : PARENT_ID;
}

struct process *process_find(uint32_t id)
{
    FOR_EACH_PROCESS (process) {
        if (process->id == id) {
            return process;
        }
    }
    return NULL;
}

struct process *process_find_of_thread(uint32_t id)
{
    struct process *process = process_find(id);
    const struct thread *thread = process == NULL ? thread_find(id) : NULL;
    return thread != NULL ? thread->process : process;
}

void process_select(struct process *process)
{
    if (process == current_process) {
        return;
    }
    current_process->program = program;
    program = process->program;
    current_process = process;
    address_space_select(process->space);
}

static struct process *find_unused(void)
{
    for (unsigned i = 0; i < most; i++) {
        if (processes[i].state == PROCESS_UNUSED) {
            return &processes[i];
        }
    }
    return NULL;
}

// The tables of the current process, or copies of them.
static bool copy_files(struct program *copy, bool shares_files, bool shares_context)
{
    if (shares_files) {
        files_retain(program.files);
    } else {
        copy->files = files_copy(program.files);
    }
    if (shares_context) {
        file_context_retain(program.file_context);
    } else {
        copy->file_context = file_context_copy(program.file_context);
    }
    if (copy->files != NULL && copy->file_context != NULL) {
        return true;
    }
    if (copy->files != NULL) {
        files_release(copy->files);
    }
    if (copy->file_context != NULL) {
        file_context_release(copy->file_context);
    }
    return false;
}

struct process *process_create(bool shares_memory, bool shares_files, bool shares_context)
{
    struct process *process = find_unused();
    if (process == NULL) {
        return NULL;
    }
    memset(process, 0, sizeof *process);
    process->program = program;
    if (!copy_files(&process->program, shares_files, shares_context)) {
        return NULL;
    }
    process->space = shares_memory ? current_process->space : address_space_copy(current_process->space);
    if (process->space == NULL) {
        files_release(process->program.files);
        file_context_release(process->program.file_context);
        return NULL;
    }
    if (shares_memory) {
        address_space_retain(process->space);
    }
    node_retain(process->program.executable);
    process->state = PROCESS_RUNNING;
    process->group = current_process->group;
    process->nice = current_process->nice;
    process->session = current_process->session;
    process->parent = current_process;
    memcpy(process->signals.actions, current_process->signals.actions, sizeof process->signals.actions);
    memcpy(process->limits, current_process->limits, sizeof process->limits);
    return process;
}

void process_discard(struct process *process)
{
    files_release(process->program.files);
    file_context_release(process->program.file_context);
    node_release(process->program.executable);
    address_space_release(process->space);
    process->state = PROCESS_UNUSED;
}

// Threads that wait go on, to find out that they end.
static void wake_threads(const struct process *process)
{
    FOR_EACH_THREAD (thread) {
        if (thread->process == process && thread->state == THREAD_WAITING && !thread->is_uninterruptible) {
            scheduler_wake_thread(thread, -ERESTARTSYS);
        }
    }
}

void process_end(uint32_t status)
{
    struct process *process = current_process;
    if (process == processes) {
        // The same as a status of a shell.
        if (status & 0x7F) {
            program_kill(status & 0x7F, END_BY_PROGRAM);
        } else {
            program_exit(status >> 8);
        }
        return;
    }
    // Only the end of the first process is reported with an address.
    program_end.fault_address = 0;
    if (!process->is_ending) {
        process->is_ending = true;
        process->status = status;
        wake_threads(process);
    }
}

bool process_ends_thread(const struct thread *thread)
{
    const struct process *process = thread->process;
    return process->is_ending || (process->remaining != NULL && process->remaining != thread);
}

void process_release_waiter(struct process *process)
{
    struct thread *waiter = process->waiter;
    process->waiter = NULL;
    if (waiter != NULL) {
        waiter->is_uninterruptible = false;
        scheduler_wake_thread(waiter, 0);
    }
}

static void notify_parent(struct process *process)
{
    struct process *parent = process->parent;
    const struct signal_action *action = &parent->signals.actions[SIGCHLD - 1];
    bool is_killed = (process->status & 0x7F) != 0;
    bool is_child_signal = process->exit_signal == SIGCHLD;
    if (process->exit_signal != 0 && !(is_child_signal && action->handler == SIG_IGN)) {
        const struct signal_info info = {
            .signal = process->exit_signal,
            .code = is_killed ? CLD_KILLED : CLD_EXITED,
            .words = { process->id | (uint64_t)USER_ID << 32, is_killed ? process->status & 0x7F : process->status >> 8 },
        };
        (void)signal_send_to_process(parent, &info);
    }
    if (is_child_signal && (action->handler == SIG_IGN || action->flags & SA_NOCLDWAIT)) {
        process->state = PROCESS_UNUSED;
    }
    scheduler_wake(parent);
}

// The children of a process that ends belong to no process.
static void leave_children(const struct process *process)
{
    FOR_EACH_PROCESS (child) {
        if (child->parent == process) {
            child->parent = NULL;
            child->state = child->state == PROCESS_ENDED ? PROCESS_UNUSED : child->state;
        }
    }
}

void process_leave_children(const struct thread *thread)
{
    const struct thread *other = NULL;
    FOR_EACH_THREAD (remaining) {
        if (remaining->process == thread->process && other == NULL) {
            other = remaining;
        }
    }
    FOR_EACH_PROCESS (child) {
        if (child->parent == thread->process && child->parent_thread == thread) {
            child->parent_thread = other;
        }
    }
}

void process_finish(uint32_t status)
{
    struct process *process = current_process;
    if (process == processes) {
        program_exit(status >> 8);
        return;
    }
    process->status = process->is_ending ? process->status : status;
    process_release_waiter(process);
    timers_forget(process);
    files_release(program.files);
    file_context_release(program.file_context);
    node_release(program.executable);
    signals_forget(&process->signals.queue);
    process_select(&processes[0]);
    address_space_release(process->space);
    address_space_select(current_process->space);
    process->state = PROCESS_ENDED;
    leave_children(process);
    if (process->parent != NULL) {
        notify_parent(process);
    } else {
        process->state = PROCESS_UNUSED;
    }
}
