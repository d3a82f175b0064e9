// SPDX-License-Identifier: Apache-2.0
//
// Connections over TCP, which the host has: it checks where they lead to.

#ifndef LINUX_CONNECTION_H
#define LINUX_CONNECTION_H

#include "files.h"

// Of a sockaddr_in6, the largest address of a connection.
#define MOST_ADDRESS 28

enum { AF_INET = 2, AF_INET6 = 10 };

struct connection {
    struct connection *next;
    // Of the host; negative: none yet.
    int32_t handle;
    // The poll_events that the host told last.
    uint32_t events;
    uint32_t family;
    bool is_connecting, is_connected;
    // The sockaddr that the program has connected to.
    uint8_t peer[MOST_ADDRESS];
    uint32_t peer_size;
};

void connections_start(void);

// A file with a connection that leads nowhere yet, or NULL without memory.
struct file *connection_create(uint32_t family, uint32_t flags);

// Whether a file has a connection, and not another kind of object.
bool file_is_connection(const struct file *file);

// Begins to connect to `peer`: 0 or an error number with a minus sign.
int64_t connection_begin(struct connection *connection);
// -EINPROGRESS, 0 when it is connected, or why it failed.
int64_t connection_outcome(struct connection *connection);
// The error of SO_ERROR, which is forgotten then.
int64_t connection_take_error(struct connection *connection);

int64_t connection_receive(struct connection *connection, struct buffer *buffer);
int64_t connection_send(struct connection *connection, struct buffer *buffer, bool signals);
int64_t connection_shut(struct connection *connection, uint32_t how);

// Whether the host has connections, which may change while nothing runs.
bool connections_are_open(void);
// Waits until one of them changes, at most for a time (NEVER: without an end), and
// wakes what waits for it. False if the host refused.
bool connections_wait(int64_t nanoseconds);

#endif
