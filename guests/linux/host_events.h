// SPDX-License-Identifier: Apache-2.0
//
// What happens on the host while nothing runs: on connections, and on the standard input.

#ifndef LINUX_HOST_EVENTS_H
#define LINUX_HOST_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

// Whether what happens there may let a waiting thread go on.
bool host_events_are_awaited(void);

// Waits until something happens, at most for a time (NEVER: without an end), and
// wakes what waits for it. False if the host refused.
bool host_events_wait(int64_t nanoseconds);

#endif
