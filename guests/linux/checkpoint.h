// SPDX-License-Identifier: Apache-2.0
//
// The checkpoint of a program: the host takes a snapshot there, and continues the
// program from it any number of times.

#ifndef LINUX_CHECKPOINT_H
#define LINUX_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

// Where it is. The host has the same numbers.
enum checkpoint_kind {
    CHECKPOINT_NONE = 0,
    // Before the first instruction of the executable, after the dynamic linker.
    CHECKPOINT_AT_ENTRY = 1,
    // When the program reads /dev/hyperlight/ready.
    CHECKPOINT_READY = 2,
    MOST_CHECKPOINT_KINDS,
};

void checkpoint_start(enum checkpoint_kind kind);

// Sets the breakpoint at the entry point of the program. False if it has no memory there.
bool checkpoint_set_breakpoint(uint64_t entry);

// Whether a breakpoint exception was that of the checkpoint. If it was, the program
// continues at its entry point, after the checkpoint.
bool checkpoint_take_breakpoint(void);

// Whether the host wants a checkpoint of this kind, and it was not reached yet.
bool checkpoint_is_wanted(enum checkpoint_kind kind);

// The current thread has reached it: returns 0 when the host continues the program.
// -EBUSY if there are several processes, whose memory a snapshot does not have.
int64_t checkpoint_reach(void);

// Whether the program waits for the host to continue it.
bool checkpoint_is_reached(void);

// The thread that has reached it, and where that was.
struct thread *checkpoint_thread(void);
enum checkpoint_kind checkpoint_kind(void);

// After the restore of the snapshot: memory and the clock go on. The thread is ready.
void checkpoint_continue(uint64_t page_limit);

#endif
