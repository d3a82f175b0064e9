// SPDX-License-Identifier: Apache-2.0
//
// /proc: the process, the machine.

#ifndef LINUX_PROC_H
#define LINUX_PROC_H

#include "node.h"

// Fills the directory. False without memory.
bool proc_create(struct node *directory);

// The directory of the process.
bool proc_create_process(struct node *directory);

// A file whose text is made when it is opened.
bool proc_add_text(struct node *directory, const char *name, bool (*generate)(const struct node *, struct node *));

#endif
