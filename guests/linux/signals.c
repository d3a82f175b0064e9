// SPDX-License-Identifier: Apache-2.0
//
// Signals: their actions, the mask, and those that a program sends to itself.
// A signal that has a handler ends the program, as its default action would:
// handlers are not called.

#include "signals.h"

#include "errors.h"
#include "process.h"
#include "program.h"
#include "system_calls.h"
#include "user.h"

#define SIGNALS 64
#define MASK_SIZE 8

enum { SIG_DFL = 0, SIG_IGN = 1 };
enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 };

struct action {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

static struct {
    // That of signal n at n - 1.
    struct action actions[SIGNALS];
    uint64_t blocked;
    uint64_t pending;
} signals;

static uint64_t bit_of(uint32_t signal)
{
    return 1UL << (signal - 1);
}

#define ALWAYS_DELIVERED (1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1))

// Without a handler: no effect. Stopping is without an effect too, as nothing
// could continue the program.
static bool has_no_effect(uint32_t signal)
{
    const uint64_t ignored = bit_of(SIGCHLD) | bit_of(SIGCONT) | bit_of(SIGURG) | bit_of(SIGWINCH) |
                             bit_of(SIGSTOP) | bit_of(SIGTSTP) | bit_of(SIGTTIN) | bit_of(SIGTTOU);
    uint64_t handler = signals.actions[signal - 1].handler;
    return handler == SIG_IGN || (handler == SIG_DFL && ignored & bit_of(signal));
}

void signals_deliver(void)
{
    uint64_t ready = signals.pending & ~signals.blocked;
    for (uint32_t signal = 1; ready != 0; signal++, ready >>= 1) {
        if (ready & 1) {
            signals.pending &= ~bit_of(signal);
            if (!has_no_effect(signal)) {
                program_kill(signal, END_BY_PROGRAM);
            }
        }
    }
}

int64_t system_call_rt_sigaction(const uint64_t arguments[6])
{
    uint64_t signal = arguments[0];
    struct action action;
    if (signal == 0 || signal > SIGNALS || arguments[3] != MASK_SIZE) {
        return -EINVAL;
    }
    if (arguments[1] != 0 && bit_of((uint32_t)signal) & ALWAYS_DELIVERED) {
        return -EINVAL;
    }
    if (arguments[1] != 0 && !copy_from_user(&action, arguments[1], sizeof action)) {
        return -EFAULT;
    }
    struct action *current = &signals.actions[signal - 1];
    if (arguments[2] != 0 && !copy_to_user(arguments[2], current, sizeof *current)) {
        return -EFAULT;
    }
    if (arguments[1] != 0) {
        *current = action;
    }
    return 0;
}

int64_t system_call_rt_sigprocmask(const uint64_t arguments[6])
{
    uint64_t set;
    uint64_t previous = signals.blocked;
    if (arguments[3] != MASK_SIZE) {
        return -EINVAL;
    }
    if (arguments[1] != 0) {
        if (!copy_from_user(&set, arguments[1], sizeof set)) {
            return -EFAULT;
        }
        switch (arguments[0]) {
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
        signals.blocked = set & ~ALWAYS_DELIVERED;
    }
    return arguments[2] == 0 || copy_to_user(arguments[2], &previous, sizeof previous) ? 0 : -EFAULT;
}

static int64_t send(uint64_t signal)
{
    if (signal > SIGNALS) {
        return -EINVAL;
    }
    if (signal != 0) {
        signals.pending |= bit_of((uint32_t)signal);
    }
    return 0;
}

int64_t system_call_kill(const uint64_t arguments[6])
{
    int32_t target = (int32_t)arguments[0];
    return target == PROCESS_ID || target == 0 || target == -PROCESS_ID ? send(arguments[1]) : -ESRCH;
}

int64_t system_call_tgkill(const uint64_t arguments[6])
{
    if ((int32_t)arguments[0] <= 0 || (int32_t)arguments[1] <= 0) {
        return -EINVAL;
    }
    return arguments[0] == PROCESS_ID && arguments[1] == PROCESS_ID ? send(arguments[2]) : -ESRCH;
}
