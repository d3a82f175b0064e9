// SPDX-License-Identifier: Apache-2.0
//
// The operations of futexes, and the words of mutexes in robust lists.

#ifndef PROGRAMS_FUTEX_H
#define PROGRAMS_FUTEX_H

enum {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAKE_OP = 5,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_PRIVATE = 128,
    FUTEX_REALTIME = 256,
};

#define FUTEX_WAITERS 0x80000000U
#define FUTEX_OWNER_DIED 0x40000000U
#define FUTEX_OWNER 0x3FFFFFFFU

#endif
