// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_STACK_H
#define LINUX_STACK_H

#include "executable.h"

#define STACK_SIZE 0x800000UL

// Chooses where the stack and mappings are, and adds the stack's area.
bool stack_place(void);

// Below the stack pointer, used by functions without a change of it.
#define STACK_RED_ZONE 128

// Fills the stack below an address as a program finds it: arguments, environment and
// auxiliary vector. False if the memory does not suffice.
bool stack_build(const struct program_arguments *arguments, const struct executable *executable,
                 const struct loaded_image *image, uint64_t top, uint64_t *stack_pointer);

// Gives a program that continues after its checkpoint other bytes of AT_RANDOM.
void stack_replace_random(void);

#endif
