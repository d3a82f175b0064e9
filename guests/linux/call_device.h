// SPDX-License-Identifier: Apache-2.0
//
// /dev/hyperlight/call: calls of tools of the host. A program writes requests, each
// a line, and reads as many lines with answers. The host knows what is in the lines.

#ifndef LINUX_CALL_DEVICE_H
#define LINUX_CALL_DEVICE_H

#include "files.h"

extern const struct file_operations call_device;

#endif
