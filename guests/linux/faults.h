// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_FAULTS_H
#define LINUX_FAULTS_H

#include <stdint.h>

// Acts on an exception of the program: adds a page to its memory, or sends it a signal.
void handle_exception(uint32_t vector);

// The program would continue at an address that it does not have.
void fault_at_instruction(void);

#endif
