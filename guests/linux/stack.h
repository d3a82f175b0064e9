// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_STACK_H
#define LINUX_STACK_H

#include "image.h"
#include "program.h"

#define STACK_SIZE 0x800000UL

// Adds the stack area and fills it as a program finds it: arguments, environment
// and auxiliary vector. False if the memory does not suffice.
bool stack_build(const struct program_request *request, const struct loaded_image *image,
                 uint64_t *stack_pointer);

#endif
