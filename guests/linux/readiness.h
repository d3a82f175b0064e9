// SPDX-License-Identifier: Apache-2.0
//
// Waiting until a file can be read or written.

#ifndef LINUX_READINESS_H
#define LINUX_READINESS_H

#include <stdint.h>

// The poll_events of files with this object may have changed: wakes what waits for
// one of them, and what waits for any file.
void readiness_changed(const void *object);

// Waits for a change of any file: 0, -ETIMEDOUT or -EINTR.
int64_t readiness_wait(int64_t deadline);

#endif
