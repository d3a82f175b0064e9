// SPDX-License-Identifier: Apache-2.0
//
// The system calls: system_calls.def is the table of them.

#ifndef LINUX_SYSTEM_CALLS_H
#define LINUX_SYSTEM_CALLS_H

#include <stdbool.h>
#include <stdint.h>

// All numbers are below.
#define SYSTEM_CALL_NUMBERS 512

// Executes a call and returns what the program finds in RAX.
int64_t system_call(uint64_t number, const uint64_t arguments[6]);

// Whether a call that is not there was made; how often, for each number, and its
// name: NULL for a number without a call. Numbers beyond the table are counted as
// SYSTEM_CALL_NUMBERS.
bool is_call_missing(void);
uint32_t missing_calls(uint32_t number);
const char *system_call_name(uint32_t number);

// Before a run: nothing is counted, and it may make so many calls.
void system_calls_start(uint64_t limit);

// Counts a call. Whether it is not one too many.
bool system_call_may_begin(void);
uint64_t system_calls_count(void);

#define IMPLEMENTED(number, name, note) int64_t system_call_##name(const uint64_t arguments[6]);
#define MISSING(number, name)
#include "system_calls.def"
#undef IMPLEMENTED
#undef MISSING

#endif
