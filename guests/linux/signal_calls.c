// SPDX-License-Identifier: Apache-2.0
//
// The system calls of signals.

#include "clock.h"
#include "errors.h"
#include "process.h"
#include "processes.h"
#include "scheduler.h"
#include "signals.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"

#include <string.h>

enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 };

#define INFO_SIZE 128
#define INFO_WORDS 16

static int64_t copy_mask(uint64_t *mask, uint64_t address, uint64_t size)
{
    if (size != SIGNAL_MASK_SIZE) {
        return -EINVAL;
    }
    return copy_from_user(mask, address, sizeof *mask) ? 0 : -EFAULT;
}

int64_t signals_block_for_call(uint64_t address, uint64_t size)
{
    uint64_t mask;
    int64_t error = address != 0 ? copy_mask(&mask, address, size) : 0;
    if (address != 0 && error == 0) {
        signals_block_temporarily(mask);
    }
    return error;
}

int64_t system_call_rt_sigaction(const uint64_t arguments[6])
{
    uint64_t signal = (uint32_t)arguments[0];
    struct signal_action action;
    if (signal == 0 || signal > SIGNALS || arguments[3] != SIGNAL_MASK_SIZE) {
        return -EINVAL;
    }
    if (arguments[1] != 0 && !copy_from_user(&action, arguments[1], sizeof action)) {
        return -EFAULT;
    }
    if (arguments[1] != 0 && signals_blockable(signal_bit((uint32_t)signal)) == 0) {
        return -EINVAL;
    }
    struct signal_action *current = signal_action((uint32_t)signal);
    struct signal_action previous = *current;
    if (arguments[1] != 0) {
        *current = action;
        current->mask = signals_blockable(action.mask);
        signals_drop((uint32_t)signal);
    }
    return arguments[2] == 0 || copy_to_user(arguments[2], &previous, sizeof previous) ? 0 : -EFAULT;
}

int64_t system_call_rt_sigprocmask(const uint64_t arguments[6])
{
    struct thread_signals *own = &current_thread->signals;
    uint64_t set;
    uint64_t previous = own->blocked;
    if (arguments[3] != SIGNAL_MASK_SIZE) {
        return -EINVAL;
    }
    if (arguments[1] != 0) {
        if (!copy_from_user(&set, arguments[1], sizeof set)) {
            return -EFAULT;
        }
        switch ((uint32_t)arguments[0]) {
        case SIG_BLOCK:
            set |= previous;
            break;
        case SIG_UNBLOCK:
            set = previous & ~set;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        signals_set_blocked(set);
    }
    return arguments[2] == 0 || copy_to_user(arguments[2], &previous, sizeof previous) ? 0 : -EFAULT;
}

int64_t system_call_rt_sigpending(const uint64_t arguments[6])
{
    const struct thread_signals *own = &current_thread->signals;
    uint64_t pending = signals_pending(own) & own->blocked;
    if (arguments[1] > SIGNAL_MASK_SIZE) {
        return -EINVAL;
    }
    return copy_to_user(arguments[0], &pending, arguments[1]) ? 0 : -EFAULT;
}

static int64_t wait_for_signal(void)
{
    while (scheduler_wait(&system_call_pause, NEVER) != -ERESTARTSYS) {
    }
    return -EINTR;
}

int64_t system_call_pause(const uint64_t arguments[6])
{
    (void)arguments;
    return wait_for_signal();
}

int64_t system_call_rt_sigsuspend(const uint64_t arguments[6])
{
    uint64_t mask;
    int64_t error = copy_mask(&mask, arguments[0], arguments[1]);
    if (error != 0) {
        return error;
    }
    signals_block_temporarily(mask);
    return wait_for_signal();
}

// siginfo_t without what no signal here has.
static bool copy_info_to_user(uint64_t address, const struct signal_info *info)
{
    uint8_t bytes[INFO_SIZE] = { 0 };
    memcpy(bytes, &info->signal, sizeof info->signal);
    memcpy(bytes + 8, &info->code, sizeof info->code);
    memcpy(bytes + INFO_WORDS, info->words, sizeof info->words);
    return copy_to_user(address, bytes, sizeof bytes);
}

int64_t system_call_rt_sigtimedwait(const uint64_t arguments[6])
{
    struct thread_signals *own = &current_thread->signals;
    struct signal_info info;
    uint64_t set;
    int64_t deadline = NEVER;
    int64_t error = copy_mask(&set, arguments[0], arguments[3]);
    if (error == 0 && arguments[2] != 0) {
        error = deadline_after(arguments[2], &deadline);
    }
    if (error != 0) {
        return error;
    }
    set = signals_blockable(set);
    signals_set_awaited(set);
    // A signal of the process may be pending that another thread takes: only what is taken here ends the wait.
    bool is_taken = signal_take(own, set, &info);
    while (!is_taken && error == 0) {
        error = scheduler_wait(own, deadline);
        is_taken = signal_take(own, set, &info);
    }
    signals_set_awaited(0);
    if (!is_taken) {
        return error == -ETIMEDOUT ? -EAGAIN : -EINTR;
    }
    return arguments[1] == 0 || copy_info_to_user(arguments[1], &info) ? (int64_t)info.signal : -EFAULT;
}

static struct signal_info from_self(uint64_t signal, int32_t code)
{
    return (struct signal_info){
        .signal = (uint32_t)signal,
        .code = code,
        .words = { current_process->id | (uint64_t)USER_ID << 32 },
    };
}

// The signal 0 only asks whether the target exists.
static int64_t send(struct thread *thread, const struct signal_info *info)
{
    if (info->signal > SIGNALS) {
        return -EINVAL;
    }
    return info->signal == 0 ? 0 : signal_send(thread, info);
}

static int64_t send_to_process(struct process *process, const struct signal_info *info)
{
    if (info->signal > SIGNALS) {
        return -EINVAL;
    }
    return info->signal == 0 ? 0 : signal_send_to_process(process, info);
}

// -1: all processes but the caller; 0 and other negative numbers: a group.
static bool is_meant(const struct process *process, int32_t target)
{
    if (target == -1) {
        return process != current_process;
    }
    return target > 0 ? process->id == (uint32_t)target
                      : process->group == (target == 0 ? current_process->group : (uint32_t)-target);
}

int64_t system_call_kill(const uint64_t arguments[6])
{
    const struct signal_info info = from_self(arguments[1], SI_USER);
    int64_t result = info.signal > SIGNALS ? -EINVAL : -ESRCH;
    FOR_EACH_PROCESS (process) {
        if (is_meant(process, (int32_t)arguments[0])) {
            result = send_to_process(process, &info);
        }
    }
    return result;
}

// A thread of a process, or NULL.
static struct thread *find_thread(uint64_t process, uint64_t id)
{
    struct thread *thread = thread_find((uint32_t)id);
    return thread != NULL && thread->process->id == (uint32_t)process ? thread : NULL;
}

static int64_t send_to_thread(uint64_t process, uint64_t id, uint64_t signal)
{
    struct signal_info info = from_self(signal, SI_TKILL);
    if ((int32_t)process <= 0 || (int32_t)id <= 0) {
        return -EINVAL;
    }
    struct thread *thread = find_thread(process, id);
    if (thread == NULL) {
        return -ESRCH;
    }
    return send(thread, &info);
}

int64_t system_call_tkill(const uint64_t arguments[6])
{
    const struct thread *thread = thread_find((uint32_t)arguments[0]);
    return send_to_thread(thread != NULL ? thread->process->id : current_process->id, arguments[0], arguments[1]);
}

int64_t system_call_tgkill(const uint64_t arguments[6])
{
    return send_to_thread(arguments[0], arguments[1], arguments[2]);
}

static bool copy_info_from_user(struct signal_info *info, uint64_t signal, uint64_t address)
{
    uint8_t bytes[INFO_SIZE];
    if (!copy_from_user(bytes, address, sizeof bytes)) {
        return false;
    }
    info->signal = (uint32_t)signal;
    info->is_of_timer = false;
    memcpy(&info->code, bytes + 8, sizeof info->code);
    memcpy(info->words, bytes + INFO_WORDS, sizeof info->words);
    return true;
}

// As if the kernel or another call had sent it: only from the first thread of a process to the process.
static bool is_imitation(const struct signal_info *info, uint64_t process)
{
    return (info->code >= 0 || info->code == SI_TKILL) && (uint32_t)process != current_thread->id;
}

int64_t system_call_rt_sigqueueinfo(const uint64_t arguments[6])
{
    struct signal_info info;
    if (!copy_info_from_user(&info, arguments[1], arguments[2])) {
        return -EFAULT;
    }
    if (is_imitation(&info, arguments[0])) {
        return -EPERM;
    }
    struct process *process = process_find((uint32_t)arguments[0]);
    return process != NULL ? send_to_process(process, &info) : -ESRCH;
}

int64_t system_call_rt_tgsigqueueinfo(const uint64_t arguments[6])
{
    struct signal_info info;
    if (!copy_info_from_user(&info, arguments[2], arguments[3])) {
        return -EFAULT;
    }
    if ((int32_t)arguments[0] <= 0 || (int32_t)arguments[1] <= 0) {
        return -EINVAL;
    }
    if (is_imitation(&info, arguments[0])) {
        return -EPERM;
    }
    struct thread *thread = find_thread(arguments[0], arguments[1]);
    return thread != NULL ? send(thread, &info) : -ESRCH;
}
