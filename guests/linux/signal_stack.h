// SPDX-License-Identifier: Apache-2.0
//
// The stack that a thread has for its handlers: sigaltstack.

#ifndef LINUX_SIGNAL_STACK_H
#define LINUX_SIGNAL_STACK_H

#include <stdbool.h>
#include <stdint.h>

// stack_t.
struct signal_stack {
    uint64_t start;
    uint32_t flags, padding;
    uint64_t size;
};

// Whether there is one; whether a stack pointer is in it; whether the thread uses it.
bool signal_stack_is_usable(void);
bool signal_stack_has(uint64_t address);
bool signal_stack_is_used(void);

void signal_stack_get(struct signal_stack *stack);

// 0, or what is wrong.
int64_t signal_stack_set(const struct signal_stack *stack);

// After a frame was written. With SS_AUTODISARM it is unusable until the handler returns.
void signal_stack_entered(bool has_entered);

#endif
