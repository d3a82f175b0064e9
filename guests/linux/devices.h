// SPDX-License-Identifier: Apache-2.0
//
// The devices in /dev.

#ifndef LINUX_DEVICES_H
#define LINUX_DEVICES_H

#include "node.h"

// Fills the directory. False without memory.
bool devices_create(struct node *directory);

// A mapping of /dev/zero is memory.
bool is_zero_device(const struct node *node);

#endif
