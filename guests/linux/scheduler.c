// SPDX-License-Identifier: Apache-2.0

#include "scheduler.h"

#include "checkpoint.h"
#include "clock.h"
#include "connection.h"
#include "errors.h"
#include "host.h"
#include "host_clock.h"
#include "host_events.h"
#include "processes.h"
#include "processor.h"
#include "program.h"
#include "signals.h"
#include "threads.h"
#include "ticks.h"
#include "timers.h"
#include "vectors.h"
#include "virtual_clock.h"

#include <string.h>

// In ticks of the time stamp counter: some milliseconds.
#define SLICE 0x1000000UL
// In nanoseconds of the virtual clock.
#define VIRTUAL_SLICE 4000000UL

static struct {
    struct thread *first;
    struct thread *last;
    // Of scheduler_run.
    uint64_t stack;
    uint64_t slice_start;
    uint64_t wait_count;
    // The threads that wait for standard input, besides what they wait for.
    unsigned input_waits;
    // Something may have a deadline.
    bool has_deadlines;
} scheduler;

void scheduler_clear(void)
{
    memset(&scheduler, 0, sizeof scheduler);
}

void scheduler_make_ready(struct thread *thread)
{
    if (thread->state == THREAD_WAITING && thread->awaits_input) {
        scheduler.input_waits--;
        thread->awaits_input = false;
    }
    thread->state = THREAD_READY;
    thread->channel = NULL;
    thread->deadline = NEVER;
    thread->next = NULL;
    if (scheduler.first == NULL) {
        scheduler.first = thread;
    } else {
        scheduler.last->next = thread;
    }
    scheduler.last = thread;
}

void scheduler_wake_thread(struct thread *thread, int64_t result)
{
    thread->wait_result = result;
    scheduler_make_ready(thread);
}

void scheduler_wake(const void *channel)
{
    FOR_EACH_THREAD (thread) {
        if (thread->state == THREAD_WAITING && thread->channel == channel) {
            scheduler_wake_thread(thread, 0);
        }
    }
}

static int64_t next_deadline(void)
{
    int64_t next = timers_next_deadline();
    FOR_EACH_THREAD (thread) {
        if (thread->state == THREAD_WAITING && thread->deadline < next) {
            next = thread->deadline;
        }
    }
    return next;
}

static void look_for_deadlines(void)
{
    scheduler.has_deadlines = next_deadline() != NEVER;
}

static void wake_expired(int64_t now)
{
    FOR_EACH_THREAD (thread) {
        if (thread->state == THREAD_WAITING && thread->deadline <= now && !deadline_is_early(thread->wall_time, &thread->deadline)) {
            scheduler_wake_thread(thread, -ETIMEDOUT);
        }
    }
    timers_expire(now);
}

bool scheduler_awaits_input(void)
{
    return scheduler.input_waits != 0;
}

bool scheduler_has_waiting(void)
{
    FOR_EACH_THREAD (thread) {
        if (thread->state == THREAD_WAITING) {
            return true;
        }
    }
    return false;
}

// Wakes what waits for the host while other threads run. A host that fails is found
// out when there is nothing else to do.
static void look_at_host(void)
{
    if (host_events_are_awaited()) {
        (void)host_events_wait(0);
    }
}

// Until something comes from the host, or a time has passed. What comes from outside takes the
// time that it takes, of the virtual clock as well.
static bool wait_for_host(int64_t nanoseconds)
{
    int64_t start, end;
    if (!virtual_clock_is_used()) {
        return host_events_wait(nanoseconds);
    }
    if (!connections_are_open() && !scheduler_awaits_input()) {
        return virtual_clock_pass(nanoseconds);
    }
    return host_read_clock(true, &start) && host_events_wait(nanoseconds) && host_read_clock(true, &end) && end >= start &&
           virtual_clock_pass(end - start);
}

// False if nothing will ever happen.
static bool wait_for_something(void)
{
    int64_t deadline = next_deadline();
    int64_t now;
    if (deadline == NEVER) {
        return (connections_are_open() || scheduler_awaits_input()) && wait_for_host(NEVER);
    }
    if (!host_clock(true, &now)) {
        return false;
    }
    if (deadline > now && (!wait_for_host(deadline - now) || !host_clock(true, &now))) {
        return false;
    }
    wake_expired(now);
    look_for_deadlines();
    return true;
}

// The thread that runs next. NULL if the program has ended, or is at its checkpoint.
static struct thread *take_ready(void)
{
    if (checkpoint_is_reached()) {
        return NULL;
    }
    while (!program_end.is_ended && scheduler.first == NULL) {
        if (!wait_for_something()) {
            program_kill(SIGKILL, END_BY_DEADLOCK);
        }
    }
    if (program_end.is_ended) {
        return NULL;
    }
    struct thread *thread = scheduler.first;
    scheduler.first = thread->next;
    return thread;
}

// The counter of the processor differs from run to run: with a seed, a slice has a number
// of system calls.
static uint64_t slice_clock(void)
{
    return virtual_clock_is_used() ? (uint64_t)virtual_clock(true) : processor_ticks();
}

static void save_registers(struct thread *thread)
{
    thread->registers = program_registers;
    thread->fs_base = read_msr(MSR_FS_BASE);
    thread->gs_base = read_msr(MSR_GS_BASE);
    vectors_save(thread_vectors(thread));
}

static void load_registers(struct thread *thread)
{
    process_select(thread->process);
    program_registers = thread->registers;
    write_msr(MSR_FS_BASE, thread->fs_base);
    write_msr(MSR_GS_BASE, thread->gs_base);
    vectors_load(thread_vectors(thread));
    scheduler.slice_start = slice_clock();
}

static void switch_to(struct thread *thread, uint64_t *stack)
{
    if (thread == NULL) {
        // The host may ask for files of the first process.
        process_select(processes);
        address_space_select_kernel();
        switch_stack(stack, scheduler.stack);
        return;
    }
    load_registers(thread);
    current_thread = thread;
    switch_stack(stack, thread->kernel_stack);
}

static void run_next(void)
{
    struct thread *previous = current_thread;
    struct thread *thread = take_ready();
    if (thread != previous) {
        save_registers(previous);
        switch_to(thread, &previous->kernel_stack);
    }
}

void scheduler_run(void)
{
    switch_to(take_ready(), &scheduler.stack);
}

void scheduler_leave(void)
{
    uint64_t unused;
    switch_to(take_ready(), &unused);
    __builtin_unreachable();
}

void scheduler_start_thread(void)
{
    for (;;) {
        program_execute();
    }
}

void scheduler_yield(void)
{
    int64_t now;
    if (next_deadline() != NEVER && host_clock(true, &now)) {
        wake_expired(now);
    }
    look_at_host();
    if (scheduler.first != NULL) {
        scheduler_make_ready(current_thread);
        run_next();
    }
    scheduler.slice_start = slice_clock();
}

void scheduler_check_slice(void)
{
    if (slice_clock() - scheduler.slice_start >= (virtual_clock_is_used() ? VIRTUAL_SLICE : SLICE)) {
        scheduler_yield();
    }
}

void scheduler_note_deadline(void)
{
    scheduler.has_deadlines = true;
}

bool scheduler_needs_ticks(void)
{
    return scheduler.has_deadlines || scheduler.first != NULL || host_events_are_awaited() || host_clock_needs_ticks();
}

void scheduler_tick(void)
{
    host_clock_tick();
    scheduler_yield();
    look_for_deadlines();
    ticks_stop_unless(scheduler_needs_ticks());
}

// Whether a thread does not wait for anything.
static bool is_interrupted(struct thread *thread)
{
    return signals_are_ready(&thread->signals) || process_ends_thread(thread);
}

bool scheduler_is_idle_but_for_input(void)
{
    return scheduler.first == NULL && next_deadline() == NEVER && !(connections_are_open() && scheduler_has_waiting()) &&
           !is_interrupted(current_thread);
}

static int64_t wait(struct thread *thread, const void *channel, int64_t deadline, int64_t wall_time)
{
    thread->channel = channel;
    thread->deadline = deadline;
    thread->wall_time = wall_time;
    scheduler.has_deadlines |= deadline != NEVER;
    thread->wait_order = ++scheduler.wait_count;
    scheduler.input_waits += thread->awaits_input;
    thread->state = THREAD_WAITING;
    run_next();
    return thread->wait_result;
}

int64_t scheduler_wait_for_time(const void *channel, int64_t deadline, int64_t wall_time)
{
    struct thread *thread = current_thread;
    if (is_interrupted(thread)) {
        return -ERESTARTSYS;
    }
    return wait(thread, channel, deadline, wall_time);
}

int64_t scheduler_wait(const void *channel, int64_t deadline)
{
    return scheduler_wait_for_time(channel, deadline, 0);
}

void scheduler_wait_uninterrupted(const void *channel)
{
    struct thread *thread = current_thread;
    thread->is_uninterruptible = true;
    wait(thread, channel, NEVER, 0);
    thread->is_uninterruptible = false;
}
