// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_EPOLL_H
#define LINUX_EPOLL_H

struct file;

void epoll_start(void);

// For entries that report changes: files with this object have changed.
void epoll_note_change(const void *object);

// The file is closed: no entry may have it any more.
void epoll_forget(const struct file *file);

#endif
