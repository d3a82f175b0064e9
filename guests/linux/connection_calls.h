// SPDX-License-Identifier: Apache-2.0
//
// The system calls of sockets, for those that are connections over TCP.

#ifndef LINUX_CONNECTION_CALLS_H
#define LINUX_CONNECTION_CALLS_H

#include "connection.h"

int64_t connection_transfer(struct file *file, struct buffer *buffer, uint32_t flags, bool is_send);
int64_t connection_shutdown(struct file *file, uint32_t how);
int64_t connection_get_name(struct file *file, const uint64_t arguments[6], bool is_peer);
int64_t connection_get_option(struct file *file, uint32_t level, uint32_t option, uint32_t *value);

#endif
