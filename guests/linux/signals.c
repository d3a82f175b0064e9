// SPDX-License-Identifier: Apache-2.0

#include "signals.h"

#include "errors.h"
#include "posix_timers.h"
#include "processes.h"
#include "program.h"
#include "scheduler.h"
#include "signal_frame.h"
#include "threads.h"

#include <stddef.h>
#include <string.h>

#define MOST_QUEUED 128
// Of SYSCALL.
#define INSTRUCTION_SIZE 2

enum { SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000 };
#define SA_RESETHAND 0x80000000U

struct queued_signal {
    struct queued_signal *next;
    struct signal_info info;
};

static struct {
    struct queued_signal entries[MOST_QUEUED];
    struct queued_signal *free;
} signals;

#define ALWAYS_DELIVERED (1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1))

// Exceptions come first: their handlers shall find the place of the fault.
#define SYNCHRONOUS (1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1) | 1UL << (SIGILL - 1) | \
                     1UL << (SIGTRAP - 1) | 1UL << (SIGFPE - 1))

void signals_clear(void)
{
    memset(&signals, 0, sizeof signals);
    for (unsigned i = 0; i < MOST_QUEUED; i++) {
        signals.entries[i].next = signals.free;
        signals.free = &signals.entries[i];
    }
}

struct signal_action *signal_action(uint32_t signal)
{
    return &current_process->signals.actions[signal - 1];
}

uint64_t signals_blockable(uint64_t mask)
{
    return mask & ~ALWAYS_DELIVERED;
}

// Without a handler: no effect. Stopping is without an effect too, as nothing
// could continue the program.
static bool has_no_effect(const struct process *process, uint32_t signal)
{
    const uint64_t ignored = signal_bit(SIGCHLD) | signal_bit(SIGCONT) | signal_bit(SIGURG) |
                             signal_bit(SIGWINCH) | signal_bit(SIGSTOP) | signal_bit(SIGTSTP) |
                             signal_bit(SIGTTIN) | signal_bit(SIGTTOU);
    uint64_t handler = process->signals.actions[signal - 1].handler;
    return handler == SIG_IGN || (handler == SIG_DFL && ignored & signal_bit(signal));
}

// Takes the oldest entry of a signal. False if it has none.
static bool unlink_entry(struct signal_queue *queue, uint32_t signal, struct signal_info *info)
{
    for (struct queued_signal **link = &queue->first; *link != NULL; link = &(*link)->next) {
        struct queued_signal *entry = *link;
        if (entry->info.signal == signal) {
            *info = entry->info;
            *link = entry->next;
            entry->next = signals.free;
            signals.free = entry;
            return true;
        }
    }
    return false;
}

static bool has_entry(const struct signal_queue *queue, uint32_t signal)
{
    for (const struct queued_signal *entry = queue->first; entry != NULL; entry = entry->next) {
        if (entry->info.signal == signal) {
            return true;
        }
    }
    return false;
}

static int64_t add(struct signal_queue *queue, const struct signal_info *info)
{
    uint64_t bit = signal_bit(info->signal);
    if (info->signal < FIRST_REAL_TIME_SIGNAL && queue->pending & bit) {
        return 0;
    }
    struct queued_signal *entry = signals.free;
    if (entry == NULL && info->signal >= FIRST_REAL_TIME_SIGNAL && info->code != SI_USER) {
        return -EAGAIN;
    }
    queue->pending |= bit;
    if (entry != NULL) {
        signals.free = entry->next;
        *entry = (struct queued_signal){ .info = *info };
        struct queued_signal **link = &queue->first;
        while (*link != NULL) {
            link = &(*link)->next;
        }
        *link = entry;
    }
    return 0;
}

static void drop(struct signal_queue *queue, uint32_t signal)
{
    struct signal_info unused;
    while (unlink_entry(queue, signal, &unused)) {
    }
    queue->pending &= ~signal_bit(signal);
}

void signals_drop(uint32_t signal)
{
    if (!has_no_effect(current_process, signal)) {
        return;
    }
    drop(&current_process->signals.queue, signal);
    FOR_EACH_THREAD (thread) {
        if (thread->process == current_process) {
            drop(&thread->signals.queue, signal);
        }
    }
}

void signals_forget(struct signal_queue *queue)
{
    for (uint32_t signal = 1; signal <= SIGNALS; signal++) {
        drop(queue, signal);
    }
}

uint64_t signals_pending(const struct thread_signals *own)
{
    return own->queue.pending | current_process->signals.queue.pending;
}

static bool accepts(const struct thread_signals *own, uint32_t signal)
{
    return (signal_bit(signal) & (~own->blocked | own->awaited)) != 0;
}

// The thread that a signal of the process is for: the first that does not block it.
static struct thread *taker_of(const struct process *process, uint32_t signal)
{
    FOR_EACH_THREAD (thread) {
        if (thread->process == process && accepts(&thread->signals, signal)) {
            return thread;
        }
    }
    return NULL;
}

// Those of the pending signals of the process that are for the current thread.
static uint64_t own_process_signals(void)
{
    uint64_t result = 0;
    for (uint64_t rest = current_process->signals.queue.pending; rest != 0; rest &= rest - 1) {
        uint32_t signal = (uint32_t)__builtin_ctzl(rest) + 1;
        result |= taker_of(current_process, signal) == current_thread ? signal_bit(signal) : 0;
    }
    return result;
}

bool signals_are_ready(const struct thread_signals *own)
{
    return ((own->queue.pending & (~own->blocked | own->awaited)) | own_process_signals()) != 0;
}

static void wake_for(struct thread *thread, uint32_t signal)
{
    if (thread != NULL && thread->state == THREAD_WAITING && !thread->is_uninterruptible &&
        accepts(&thread->signals, signal)) {
        scheduler_wake_thread(thread, -ERESTARTSYS);
    }
}

void signals_wake_takers(void)
{
    for (uint64_t rest = current_process->signals.queue.pending; rest != 0; rest &= rest - 1) {
        uint32_t signal = (uint32_t)__builtin_ctzl(rest) + 1;
        wake_for(taker_of(current_process, signal), signal);
    }
}

void signals_set_blocked(uint64_t mask)
{
    current_thread->signals.blocked = signals_blockable(mask);
    signals_wake_takers();
}

void signals_set_awaited(uint64_t set)
{
    current_thread->signals.awaited = set;
    signals_wake_takers();
}

int64_t signal_send(struct thread *thread, const struct signal_info *info)
{
    bool is_blocked = (thread->signals.blocked & signal_bit(info->signal)) != 0;
    if (has_no_effect(thread->process, info->signal) && !is_blocked) {
        return 0;
    }
    int64_t error = add(&thread->signals.queue, info);
    wake_for(thread, info->signal);
    return error;
}

void signal_broken_pipe(void)
{
    (void)signal_send(current_thread, &(struct signal_info){ .signal = SIGPIPE, .code = SI_USER });
}

int64_t signal_send_to_process(struct process *process, const struct signal_info *info)
{
    struct thread *taker = taker_of(process, info->signal);
    // One that waits for it in rt_sigtimedwait takes it, although it has no effect otherwise.
    bool is_blocked = taker == NULL || taker->signals.blocked & signal_bit(info->signal);
    if (process->state != PROCESS_RUNNING || (has_no_effect(process, info->signal) && !is_blocked)) {
        return 0;
    }
    int64_t error = add(&process->signals.queue, info);
    wake_for(taker, info->signal);
    return error;
}

void signal_force(const struct signal_info *info)
{
    struct thread_signals *own = &current_thread->signals;
    struct signal_action *action = signal_action(info->signal);
    uint64_t bit = signal_bit(info->signal);
    if (own->blocked & bit || action->handler == SIG_IGN) {
        *action = (struct signal_action){ .handler = SIG_DFL };
        signals_set_blocked(own->blocked & ~bit);
    }
    drop(&own->queue, info->signal);
    add(&own->queue, info);
}

static struct queued_signal **link_of_timer(struct signal_queue *queue, uint32_t timer)
{
    struct queued_signal **link = &queue->first;
    while (*link != NULL && (!(*link)->info.is_of_timer || (uint32_t)(*link)->info.words[0] != timer)) {
        link = &(*link)->next;
    }
    return link;
}

struct signal_info *signal_of_timer(struct signal_queue *queue, uint32_t timer)
{
    struct queued_signal *entry = *link_of_timer(queue, timer);
    return entry != NULL ? &entry->info : NULL;
}

void signal_drop_of_timer(struct signal_queue *queue, uint32_t timer)
{
    struct queued_signal **link = link_of_timer(queue, timer);
    struct queued_signal *entry = *link;
    if (entry == NULL) {
        return;
    }
    *link = entry->next;
    entry->next = signals.free;
    signals.free = entry;
    if (!has_entry(queue, entry->info.signal)) {
        queue->pending &= ~signal_bit(entry->info.signal);
    }
}

bool signal_take(struct thread_signals *own, uint64_t set, struct signal_info *info)
{
    uint64_t ready = own->queue.pending & set;
    struct signal_queue *queue = ready != 0 ? &own->queue : &current_process->signals.queue;
    ready = ready != 0 ? ready : own_process_signals() & set;
    if (ready == 0) {
        return false;
    }
    ready = ready & SYNCHRONOUS ? ready & SYNCHRONOUS : ready;
    uint32_t signal = 1;
    while (!(ready & signal_bit(signal))) {
        signal++;
    }
    if (!unlink_entry(queue, signal, info)) {
        *info = (struct signal_info){ .signal = signal, .code = SI_USER };
    }
    if (info->is_of_timer) {
        posix_timers_note_received((uint32_t)info->words[0], (uint32_t)(info->words[0] >> 32));
    }
    if (!has_entry(queue, signal)) {
        queue->pending &= ~signal_bit(signal);
    }
    return true;
}

void signals_block_temporarily(uint64_t mask)
{
    struct thread_signals *own = &current_thread->signals;
    own->saved_mask = own->blocked;
    own->has_saved_mask = true;
    signals_set_blocked(mask);
}

static void restart_system_call(void)
{
    program_registers.rax = current_thread->system_call;
    program_registers.rip -= INSTRUCTION_SIZE;
}

static bool is_interrupted(void)
{
    return current_thread->is_in_system_call && program_registers.rax == (uint64_t)-ERESTARTSYS;
}

static void call_handler(const struct signal_info *info)
{
    struct thread_signals *own = &current_thread->signals;
    struct signal_action *current = signal_action(info->signal);
    struct signal_action action = *current;
    if (is_interrupted()) {
        if (action.flags & SA_RESTART) {
            restart_system_call();
        } else {
            program_registers.rax = (uint64_t)-EINTR;
        }
    }
    current_thread->is_in_system_call = false;
    uint64_t mask = own->has_saved_mask ? own->saved_mask : own->blocked;
    own->has_saved_mask = false;
    if (action.flags & SA_RESETHAND) {
        current->handler = SIG_DFL;
    }
    if (!signal_frame_push(&action, info, mask)) {
        // A handler for this would need the same stack.
        if (info->signal == SIGSEGV) {
            current->handler = SIG_DFL;
        }
        signal_force(&(struct signal_info){ .signal = SIGSEGV, .code = SI_KERNEL });
        return;
    }
    program_end.fault_address = 0;
    signals_set_blocked(own->blocked | action.mask | (action.flags & SA_NODEFER ? 0 : signal_bit(info->signal)));
}

static void act_on_pending(struct thread_signals *own)
{
    struct signal_info info;
    // Almost always: this is done at each system call.
    if ((own->queue.pending | current_process->signals.queue.pending) == 0) {
        return;
    }
    while (!program_end.is_ended && !current_process->is_ending && signal_take(own, ~own->blocked, &info)) {
        if (has_no_effect(current_process, info.signal)) {
            continue;
        }
        if (signal_action(info.signal)->handler == SIG_DFL) {
            process_end(info.signal);
            return;
        }
        call_handler(&info);
    }
}

// A handler that is called has taken the saved mask over.
static void restore_mask(struct thread_signals *own)
{
    if (own->has_saved_mask) {
        own->has_saved_mask = false;
        signals_set_blocked(own->saved_mask);
    }
}

void signals_deliver(void)
{
    struct thread_signals *own = &current_thread->signals;
    // A call that has succeeded has received no signal, although its mask permits one that is pending.
    if (own->has_saved_mask && !is_interrupted() && program_registers.rax != (uint64_t)-EINTR) {
        restore_mask(own);
    }
    act_on_pending(own);
    if (own->has_saved_mask) {
        restore_mask(own);
        act_on_pending(own);
    }
    if (is_interrupted()) {
        restart_system_call();
    }
    current_thread->is_in_system_call = false;
}
