// SPDX-License-Identifier: Apache-2.0
//
// Connections over TCP, which the host has: it checks where they lead to.

#ifndef LINUX_CONNECTION_H
#define LINUX_CONNECTION_H

#include "host.h"
#include "sockets.h"

#define CONNECTION_OPTIONS 16

struct connection {
    struct connection *next;
    // Of the host; negative: none.
    int32_t handle;
    // What the host told last: see HOST_SOCKET_POLL_EVENTS.
    uint32_t events;
    uint32_t family;
    // An error that the next call gets, or 0.
    uint32_t kept_error;
    // connect has told the program that it is connected.
    bool is_reported;
    // The sockaddr that the program has connected to.
    struct socket_name peer;
    // Nanoseconds that receiving and sending may wait; 0: no limit.
    int64_t receive_timeout, send_timeout;
    // The values of options that have no effect: see connection_options.c.
    uint32_t options[CONNECTION_OPTIONS];
};

void connections_start(void);

// A file with a connection that leads nowhere yet, or NULL without memory.
struct file *connection_create(uint32_t family, uint32_t flags);

// The error of SO_ERROR, a number without a minus sign, which is forgotten then.
uint32_t connection_take_error(struct connection *connection);

// connect: what inet_stream_connect does.
int64_t connection_connect(struct file *file, uint64_t address, uint32_t size);
// Begins to connect to `peer`: 0 or an error number with a minus sign.
int64_t connection_begin(struct connection *connection);
// Ends a connection, also one that is being made, for which there is an error then.
void connection_disconnect(struct connection *connection);
// Leads nowhere again.
void connection_forget(struct connection *connection);
// Asks the host for the events.
uint32_t connection_events(struct connection *connection);

// The defaults of the options.
void connection_set_defaults(struct connection *connection);
int64_t connection_get_option(struct file *file, uint32_t level, uint32_t option, uint8_t value[MOST_OPTION]);
int64_t connection_set_option(struct file *file, uint32_t level, uint32_t option, const uint8_t *value, uint32_t size);

// Whether the host has connections, which may change while nothing runs.
bool connections_are_open(void);
// Those that the host has, with the events that are known, as many as there is room for.
size_t connections_list(struct host_connection *list, size_t most);
// The host tells the events of a connection: wakes what waits for it.
void connection_note_events(int32_t handle, uint32_t events);

#endif
