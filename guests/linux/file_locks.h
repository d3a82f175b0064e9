// SPDX-License-Identifier: Apache-2.0
//
// Locks of whole files, which open file descriptions hold (flock).

#ifndef LINUX_FILE_LOCKS_H
#define LINUX_FILE_LOCKS_H

struct file;

// Before the file is closed.
void file_locks_release(struct file *file);

#endif
