// SPDX-License-Identifier: Apache-2.0
//
// The frame on the stack of the program from which a handler returns.

#ifndef LINUX_SIGNAL_FRAME_H
#define LINUX_SIGNAL_FRAME_H

#include "signals.h"

// Saves the registers of the program on its stack, or on its stack for signals, and
// lets it continue in the handler. False if that is not possible.
bool signal_frame_push(const struct signal_action *action, const struct signal_info *info,
                       uint64_t mask);

#endif
