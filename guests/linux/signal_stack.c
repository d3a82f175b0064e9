// SPDX-License-Identifier: Apache-2.0

#include "signal_stack.h"

#include "errors.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"
#include "vectors.h"

#define SS_ONSTACK 1U
#define SS_DISABLE 2U
#define SS_AUTODISARM 0x80000000U
#define SMALLEST_SIZE 2048

bool signal_stack_is_usable(void)
{
    return current_thread->signals.stack_size != 0;
}

bool signal_stack_has(uint64_t address)
{
    const struct thread_signals *own = &current_thread->signals;
    return address > own->stack && address - own->stack <= own->stack_size;
}

bool signal_stack_is_used(void)
{
    return !(current_thread->signals.stack_flags & SS_AUTODISARM) && signal_stack_has(program_registers.rsp);
}

void signal_stack_get(struct signal_stack *stack)
{
    const struct thread_signals *own = &current_thread->signals;
    uint32_t state = own->stack_size == 0 ? SS_DISABLE
                     : signal_stack_is_used() ? SS_ONSTACK : 0;
    *stack = (struct signal_stack){ own->stack, state | (own->stack_flags & SS_AUTODISARM), 0, own->stack_size };
}

int64_t signal_stack_set(const struct signal_stack *stack)
{
    struct thread_signals *own = &current_thread->signals;
    uint32_t mode = stack->flags & ~SS_AUTODISARM;
    if (signal_stack_is_used()) {
        return -EPERM;
    }
    if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE) {
        return -EINVAL;
    }
    if (mode != SS_DISABLE && stack->size < SMALLEST_SIZE) {
        return -ENOMEM;
    }
    own->stack = mode == SS_DISABLE ? 0 : stack->start;
    own->stack_size = mode == SS_DISABLE ? 0 : stack->size;
    own->stack_flags = stack->flags;
    return 0;
}

void signal_stack_entered(bool has_entered)
{
    struct thread_signals *own = &current_thread->signals;
    if (has_entered && own->stack_flags & SS_AUTODISARM) {
        own->stack = 0;
        own->stack_size = 0;
        own->stack_flags = SS_DISABLE;
    }
}

int64_t system_call_sigaltstack(const uint64_t arguments[6])
{
    struct signal_stack stack;
    struct signal_stack previous;
    if (arguments[0] != 0 && !copy_from_user(&stack, arguments[0], sizeof stack)) {
        return -EFAULT;
    }
    signal_stack_get(&previous);
    int64_t error = arguments[0] != 0 ? signal_stack_set(&stack) : 0;
    if (error != 0) {
        return error;
    }
    return arguments[1] == 0 || copy_to_user(arguments[1], &previous, sizeof previous) ? 0 : -EFAULT;
}
