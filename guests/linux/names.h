// SPDX-License-Identifier: Apache-2.0
//
// What may be done to the names of files.

#ifndef LINUX_NAMES_H
#define LINUX_NAMES_H

#include "node.h"

// A directory to which a name is added: it must not have been removed.
int64_t names_check_addition(const struct node *directory);

// In a directory with the sticky bit only the owner removes a name.
int64_t names_check_removal(const struct node *directory, const struct node *node);

#endif
