// SPDX-License-Identifier: Apache-2.0
//
// New threads and processes.

#include "errors.h"
#include "pages.h"
#include "processes.h"
#include "processor.h"
#include "resource_limits.h"
#include "scheduler.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"
#include "vectors.h"

#include <string.h>

#define CLONE_SIGNAL 0xFFUL
#define CLONE_VM 0x100UL
#define CLONE_FS 0x200UL
#define CLONE_FILES 0x400UL
#define CLONE_SIGHAND 0x800UL
#define CLONE_VFORK 0x4000UL
#define CLONE_THREAD 0x10000UL
#define CLONE_SYSVSEM 0x40000UL
#define CLONE_SETTLS 0x80000UL
#define CLONE_PARENT_SETTID 0x100000UL
#define CLONE_CHILD_CLEARTID 0x200000UL
#define CLONE_DETACHED 0x400000UL
#define CLONE_UNTRACED 0x800000UL
#define CLONE_CHILD_SETTID 0x1000000UL
#define CLONE_IO 0x80000000UL
#define CLONE_CLEAR_SIGHAND 0x100000000UL

// What threads share, and what has no meaning here.
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define KNOWN_FLAGS (THREAD_FLAGS | CLONE_VFORK | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | \
                     CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_UNTRACED | CLONE_CHILD_SETTID | CLONE_IO | \
                     CLONE_CLEAR_SIGHAND)

// struct clone_args.
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    uint64_t set_tid, set_tid_size, cgroup;
};

#define SMALLEST_ARGUMENTS 64

// `stack` is the stack pointer here.
static int64_t check(const struct clone_arguments *request)
{
    uint64_t flags = request->flags;
    if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) || (flags & CLONE_SIGHAND && !(flags & CLONE_VM))) {
        return -EINVAL;
    }
    bool is_thread = (flags & CLONE_THREAD) != 0;
    bool is_partial = is_thread ? (flags & THREAD_FLAGS) != THREAD_FLAGS : (flags & CLONE_SIGHAND) != 0;
    if (is_partial || flags & ~KNOWN_FLAGS) {
        return -ENOSYS;
    }
    return flags & CLONE_SETTLS && request->tls >= PROGRAM_END ? -EPERM : 0;
}

// Like the current one, in a process.
static struct thread *copy_thread(struct process *process, const struct clone_arguments *request)
{
    struct thread *thread = thread_create(process);
    if (thread == NULL) {
        return NULL;
    }
    thread->registers = program_registers;
    thread->registers.rax = 0;
    if (request->stack != 0) {
        thread->registers.rsp = request->stack;
    }
    vectors_save(thread_vectors(thread));
    thread->fs_base = request->flags & CLONE_SETTLS ? request->tls : read_msr(MSR_FS_BASE);
    thread->gs_base = read_msr(MSR_GS_BASE);
    thread->signals.blocked = current_thread->signals.blocked;
    thread->clear_child_tid = request->flags & CLONE_CHILD_CLEARTID ? request->child_tid : 0;
    memcpy(thread->name, current_thread->name, sizeof thread->name);
    // vfork: the handlers of the child are on the stack that the parent has for them.
    if (!(request->flags & CLONE_VM) || request->flags & CLONE_VFORK) {
        thread->signals.stack = current_thread->signals.stack;
        thread->signals.stack_size = current_thread->signals.stack_size;
        thread->signals.stack_flags = current_thread->signals.stack_flags;
    }
    return thread;
}

// Linux does not tell of an address that cannot be written either.
static void store_id(uint64_t address, const struct thread *thread)
{
    (void)copy_to_user(address, &thread->id, sizeof thread->id);
}

static int64_t start_process(const struct clone_arguments *request)
{
    uint64_t flags = request->flags;
    struct process *process = process_create((flags & CLONE_VM) != 0, (flags & CLONE_FILES) != 0, (flags & CLONE_FS) != 0);
    struct thread *thread = process != NULL ? copy_thread(process, request) : NULL;
    if (thread == NULL) {
        if (process != NULL) {
            process_discard(process);
        }
        return -EAGAIN;
    }
    uint32_t id = thread->id;
    process->id = id;
    process->parent_thread = current_thread;
    process->exit_signal = (uint32_t)request->exit_signal;
    if (flags & CLONE_CLEAR_SIGHAND) {
        memset(process->signals.actions, 0, sizeof process->signals.actions);
    }
    if (flags & CLONE_PARENT_SETTID) {
        store_id(request->parent_tid, thread);
    }
    if (flags & CLONE_CHILD_SETTID) {
        address_space_select(process->space);
        store_id(request->child_tid, thread);
        address_space_select(current_process->space);
    }
    scheduler_make_ready(thread);
    if (flags & CLONE_VFORK) {
        process->waiter = current_thread;
        while (process->waiter == current_thread) {
            scheduler_wait_uninterrupted(&process->waiter);
        }
    }
    return id;
}

static int64_t start_thread(const struct clone_arguments *request)
{
    struct thread *thread = copy_thread(current_process, request);
    if (thread == NULL) {
        return -EAGAIN;
    }
    if (request->flags & CLONE_PARENT_SETTID) {
        store_id(request->parent_tid, thread);
    }
    if (request->flags & CLONE_CHILD_SETTID) {
        store_id(request->child_tid, thread);
    }
    scheduler_make_ready(thread);
    return thread->id;
}

static int64_t start_new(const struct clone_arguments *request)
{
    int64_t error = check(request);
    if (error != 0) {
        return error;
    }
    if (threads_count() >= resource_limit(RLIMIT_NPROC)) {
        return -EAGAIN;
    }
    return request->flags & CLONE_THREAD ? start_thread(request) : start_process(request);
}

int64_t system_call_fork(const uint64_t arguments[6])
{
    (void)arguments;
    return start_new(&(struct clone_arguments){ .exit_signal = SIGCHLD });
}

int64_t system_call_vfork(const uint64_t arguments[6])
{
    (void)arguments;
    return start_new(&(struct clone_arguments){ .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD });
}

int64_t system_call_clone(const uint64_t arguments[6])
{
    if ((arguments[0] & CLONE_SIGNAL) > SIGNALS) {
        return -EINVAL;
    }
    return start_new(&(struct clone_arguments){
        .flags = (uint32_t)arguments[0] & ~CLONE_SIGNAL,
        .exit_signal = arguments[0] & CLONE_SIGNAL,
        .stack = arguments[1],
        .parent_tid = arguments[2],
        .child_tid = arguments[3],
        .tls = arguments[4],
    });
}

// What is longer than the structure here must be zero.
static int64_t copy_arguments(struct clone_arguments *request, uint64_t address, uint64_t size)
{
    if (size < SMALLEST_ARGUMENTS) {
        return -EINVAL;
    }
    if (size > PAGE_SIZE) {
        return -E2BIG;
    }
    uint64_t known = size < sizeof *request ? size : sizeof *request;
    memset(request, 0, sizeof *request);
    if (!copy_from_user(request, address, known)) {
        return -EFAULT;
    }
    for (uint64_t offset = known; offset < size; offset++) {
        uint8_t byte;
        if (!copy_from_user(&byte, address + offset, 1)) {
            return -EFAULT;
        }
        if (byte != 0) {
            return -E2BIG;
        }
    }
    return 0;
}

int64_t system_call_clone3(const uint64_t arguments[6])
{
    struct clone_arguments request;
    int64_t error = copy_arguments(&request, arguments[0], arguments[1]);
    if (error != 0) {
        return error;
    }
    bool has_stack = request.stack != 0;
    if (has_stack != (request.stack_size != 0) || request.flags & (CLONE_SIGNAL | CLONE_DETACHED) ||
        request.exit_signal > SIGNALS || (request.flags & CLONE_THREAD && request.exit_signal != 0)) {
        return -EINVAL;
    }
    if (request.set_tid != 0 || request.set_tid_size != 0) {
        return -EPERM;
    }
    request.stack += request.stack_size;
    return start_new(&request);
}

int64_t system_call_set_tid_address(const uint64_t arguments[6])
{
    current_thread->clear_child_tid = arguments[0];
    return current_thread->id;
}

int64_t system_call_gettid(const uint64_t arguments[6])
{
    (void)arguments;
    return current_thread->id;
}

int64_t system_call_exit(const uint64_t arguments[6])
{
    thread_end((uint32_t)arguments[0]);
}
