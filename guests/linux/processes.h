// SPDX-License-Identifier: Apache-2.0
//
// The processes. When the first one ends, the program has ended.

#ifndef LINUX_PROCESSES_H
#define LINUX_PROCESSES_H

#include "address_space.h"
#include "program.h"
#include "resource_limits.h"
#include "signals.h"

#define MOST_PROCESSES 32

enum process_state { PROCESS_UNUSED, PROCESS_RUNNING, PROCESS_ENDED };

struct thread;

struct process {
    enum process_state state;
    uint32_t id, group, session;
    // What setpriority has set: without an effect.
    int32_t nice;
    // NULL: its end interests no process.
    struct process *parent;
    // The thread of the parent that has started it, or another one when that has ended.
    const struct thread *parent_thread;
    // What the parent is sent, 0 for nothing.
    uint32_t exit_signal;
    // As wait4 reports it.
    uint32_t status;
    uint32_t threads;
    // All its threads end; those besides one end, for execve.
    bool is_ending;
    struct thread *remaining;
    // Of vfork: who waits until this process has its own address space.
    struct thread *waiter;
    bool has_executed;
    struct address_space *space;
    struct process_signals signals;
    struct resource_limit limits[RESOURCES];
    // While another process runs.
    struct program program;
};

extern struct process processes[MOST_PROCESSES];
extern struct process *current_process;

#define FOR_EACH_PROCESS(variable) \
    for (struct process *variable = processes; variable < processes + MOST_PROCESSES; variable++) \
        if (variable->state != PROCESS_UNUSED)

// The first process, which runs. There may be `limit` of them, MOST_PROCESSES at most;
// those that have ended count until they are waited for.
void processes_start(unsigned limit);

// The id of the parent, that of the process outside for the first one.
uint32_t process_parent(const struct process *process);

struct process *process_find(uint32_t id);
// The same by the id of any of its threads.
struct process *process_find_of_thread(uint32_t id);

// Another process runs now, in its address space.
void process_select(struct process *process);

// A process like the current one, without threads. `shares_memory`: with the same
// address space. NULL without memory, or if there are too many.
struct process *process_create(bool shares_memory, bool shares_files, bool shares_context);

// Undoes process_create.
void process_discard(struct process *process);

// Ends the current process with a status of wait4: its threads end when they continue.
void process_end(uint32_t status);

// Whether the current thread must end instead of continuing.
bool process_ends_thread(const struct thread *thread);

// The last thread of the current process has ended.
void process_finish(uint32_t status);

// Lets the thread continue that waits until the process has its own memory.
void process_release_waiter(struct process *process);

// The children that a thread has started, which ends, are those of another thread of its process.
void process_leave_children(const struct thread *thread);

#endif
