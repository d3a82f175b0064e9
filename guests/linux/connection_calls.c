// SPDX-License-Identifier: Apache-2.0
//
// socket and connect.

#include "connection.h"
#include "datagram.h"
#include "errors.h"
#include "host.h"
#include "system_calls.h"
#include "user.h"

#include <string.h>

#define ADDRESS_SIZE_4 16U
// Without the scope, which may be missing.
#define ADDRESS_SIZE_6 24U
#define MOST_ADDRESS_SIZE 128U

// Whether the host has allowed connections to this run.
static bool has_network(void)
{
    const uint8_t *bytes;
    size_t count;
    return host_socket(HOST_SOCKET_QUERY, -1, 0, NULL, 0, &bytes, &count) && count == 1 && bytes[0] != 0;
}

int64_t system_call_socket(const uint64_t arguments[6])
{
    uint32_t family = (uint32_t)arguments[0];
    uint32_t flags = (uint32_t)arguments[1] & (O_CLOEXEC | O_NONBLOCK);
    uint32_t type = (uint32_t)arguments[1] & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK);
    uint32_t protocol = (uint32_t)arguments[2];
    if (family != AF_INET && family != AF_INET6) {
        return -EAFNOSUPPORT;
    }
    if (type != SOCK_STREAM && type != SOCK_DGRAM) {
        return -ESOCKTNOSUPPORT;
    }
    if (protocol != 0 && protocol != (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)) {
        return -EPROTONOSUPPORT;
    }
    if (!has_network()) {
        return -EACCES;
    }
    // What looks for families that can be used finds one.
    if (type == SOCK_DGRAM && family != AF_INET) {
        return -EAFNOSUPPORT;
    }
    struct file *file = type == SOCK_STREAM ? connection_create(family, flags & O_NONBLOCK)
                                            : datagram_create(flags & O_NONBLOCK);
    return file != NULL ? files_add(current_files(), file, (flags & O_CLOEXEC) != 0, 0) : -ENOMEM;
}

int64_t socket_take_name(uint64_t address, uint32_t size, struct socket_name *name)
{
    *name = (struct socket_name){ .size = size < MOST_ADDRESS ? size : MOST_ADDRESS };
    if (size < sizeof(uint16_t) || size > MOST_ADDRESS_SIZE) {
        return -EINVAL;
    }
    return copy_from_user(name->bytes, address, name->size) ? 0 : -EFAULT;
}

uint32_t socket_family(const struct socket_name *name)
{
    uint16_t family;
    memcpy(&family, name->bytes, sizeof family);
    return family;
}

int64_t socket_check_name(uint32_t family, struct socket_name *name)
{
    if (name->size < (family == AF_INET ? ADDRESS_SIZE_4 : ADDRESS_SIZE_6)) {
        return -EINVAL;
    }
    name->size = family == AF_INET ? ADDRESS_SIZE_4 : MOST_ADDRESS;
    return socket_family(name) == family ? 0 : -EAFNOSUPPORT;
}

// Of an attempt that has begun: whether it is connected, -EINPROGRESS, or why it failed.
static int64_t outcome(struct connection *connection)
{
    uint32_t events = connection_events(connection);
    if (events & HOST_SOCKET_CONNECTED) {
        connection->is_reported = true;
        return 0;
    }
    if (!(events & POLLHUP)) {
        return -EINPROGRESS;
    }
    // Another attempt may follow.
    uint32_t error = connection_take_error(connection);
    connection_forget(connection);
    return error != 0 ? -(int64_t)error : -ECONNABORTED;
}

static int64_t wait_for_outcome(struct file *file)
{
    int64_t result;
    while ((result = outcome(file->object)) == -EINPROGRESS) {
        int64_t error = file_wait(file, POLLOUT);
        if (error != 0) {
            return error == -EAGAIN ? -EINPROGRESS : error;
        }
    }
    return result;
}

// Of a connection that there is already, or that is being made.
static int64_t connect_again(struct file *file, bool waits)
{
    struct connection *connection = file->object;
    bool was_reported = connection->is_reported;
    int64_t result = outcome(connection);
    if (result == -EINPROGRESS) {
        return waits ? wait_for_outcome(file) : -EALREADY;
    }
    return result == 0 && was_reported ? -EISCONN : result;
}

int64_t connection_connect(struct file *file, uint64_t address, uint32_t size)
{
    struct connection *connection = file->object;
    bool waits = !(file->flags & O_NONBLOCK);
    struct socket_name peer;
    int64_t error = socket_take_name(address, size, &peer);
    if (error != 0) {
        return error;
    }
    if (socket_family(&peer) == AF_UNSPEC) {
        connection_disconnect(connection);
        return 0;
    }
    if (connection->handle >= 0) {
        return connect_again(file, waits);
    }
    error = socket_check_name(connection->family, &peer);
    if (error == 0) {
        connection->peer = peer;
        error = connection_begin(connection);
    }
    if (error != 0) {
        return error;
    }
    return waits ? wait_for_outcome(file) : -EINPROGRESS;
}
