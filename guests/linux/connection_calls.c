// SPDX-License-Identifier: Apache-2.0

#include "connection_calls.h"

#include "errors.h"
#include "host.h"
#include "system_calls.h"
#include "user.h"

#include <string.h>

enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, IPPROTO_TCP = 6, SOL_SOCKET = 1 };
enum { SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_LINGER = 13,
       SO_ACCEPTCONN = 30, SO_PROTOCOL = 38, SO_DOMAIN = 39 };
enum { TCP_NODELAY = 1, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6, TCP_QUICKACK = 12, TCP_USER_TIMEOUT = 18 };
enum { SHUT_WR = 1, SHUT_RDWR = 2 };

#define MSG_DONTWAIT 0x40U
#define MSG_NOSIGNAL 0x4000U
#define MSG_CMSG_CLOEXEC 0x40000000U
#define ADDRESS_SIZE_4 16U
#define ADDRESS_SIZE_6 28U
#define BUFFER_SIZE 0x10000

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
    if (type != SOCK_STREAM) {
        return type == SOCK_DGRAM ? -EACCES : -ESOCKTNOSUPPORT;
    }
    if (protocol != 0 && protocol != IPPROTO_TCP) {
        return -EPROTONOSUPPORT;
    }
    if (!has_network()) {
        return -EACCES;
    }
    struct file *file = connection_create(family, flags & O_NONBLOCK);
    return file != NULL ? files_add(current_files(), file, (flags & O_CLOEXEC) != 0, 0) : -ENOMEM;
}

static struct file *find_connection(uint64_t descriptor, int64_t *error)
{
    struct file *file = current_file(descriptor);
    *error = file == NULL ? -EBADF : !file_is_connection(file) ? -ENOTSOCK : 0;
    return *error == 0 ? file : NULL;
}

// The caller keeps the file.
static int64_t wait_for_connection(struct file *file)
{
    for (;;) {
        int64_t result = connection_outcome(file->object);
        if (result != -EINPROGRESS || file->flags & O_NONBLOCK) {
            return result;
        }
        result = file_wait(file, POLLOUT);
        if (result != 0) {
            return result;
        }
    }
}

static int64_t take_address(struct connection *connection, uint64_t address, uint32_t size)
{
    uint16_t family;
    uint32_t needed = connection->family == AF_INET ? ADDRESS_SIZE_4 : ADDRESS_SIZE_6;
    if (size < needed) {
        return -EINVAL;
    }
    if (!copy_from_user(connection->peer, address, needed)) {
        return -EFAULT;
    }
    memcpy(&family, connection->peer, sizeof family);
    connection->peer_size = needed;
    return family == connection->family ? 0 : -EAFNOSUPPORT;
}

int64_t system_call_connect(const uint64_t arguments[6])
{
    int64_t error;
    struct file *file = find_connection(arguments[0], &error);
    if (error != 0) {
        return error;
    }
    struct connection *connection = file->object;
    if (connection->is_connected) {
        return -EISCONN;
    }
    if (!connection->is_connecting) {
        error = take_address(connection, arguments[1], (uint32_t)arguments[2]);
        error = error == 0 ? connection_begin(connection) : error;
        if (error != 0) {
            return error;
        }
    } else if (file->flags & O_NONBLOCK) {
        error = connection_outcome(connection);
        return error == -EINPROGRESS ? -EALREADY : error;
    }
    file_retain(file);
    error = wait_for_connection(file);
    file_release(file);
    return error;
}

static int64_t transfer_once(struct file *file, struct buffer *buffer, uint32_t flags, bool is_send)
{
    return is_send ? connection_send(file->object, buffer, !(flags & MSG_NOSIGNAL)) : connection_receive(file->object, buffer);
}

// All is sent, unless the file is not to wait; what there is is received.
int64_t connection_transfer(struct file *file, struct buffer *buffer, uint32_t flags, bool is_send)
{
    const uint32_t known = MSG_DONTWAIT | MSG_NOSIGNAL | (is_send ? 0 : MSG_CMSG_CLOEXEC);
    bool waits = !(flags & MSG_DONTWAIT) && !(file->flags & O_NONBLOCK);
    int64_t total = 0;
    int64_t result;
    if (flags & ~known) {
        return -EOPNOTSUPP;
    }
    file_retain(file);
    do {
        result = transfer_once(file, buffer, flags, is_send);
        total += result > 0 ? result : 0;
        if (result == -EAGAIN && waits) {
            result = file_wait(file, is_send ? POLLOUT : POLLIN);
        } else if (result >= 0 && (!is_send || buffer->size == 0)) {
            break;
        }
    } while (result >= 0);
    file_release(file);
    return total != 0 || result >= 0 ? total : result;
}

int64_t connection_shutdown(struct file *file, uint32_t how)
{
    struct connection *connection = file->object;
    return how > SHUT_RDWR ? -EINVAL : !connection->is_connected ? -ENOTCONN : connection_shut(connection, how);
}

// Of its own address, a program finds the family only: that of the host is not its.
int64_t connection_get_name(struct file *file, const uint64_t arguments[6], bool is_peer)
{
    const struct connection *connection = file->object;
    uint8_t address[MOST_ADDRESS] = { 0 };
    uint32_t size = connection->family == AF_INET ? ADDRESS_SIZE_4 : ADDRESS_SIZE_6;
    uint32_t space;
    if (is_peer && !connection->is_connected) {
        return -ENOTCONN;
    }
    if (is_peer) {
        memcpy(address, connection->peer, size);
    } else {
        const uint16_t family = (uint16_t)connection->family;
        memcpy(address, &family, sizeof family);
    }
    if (!copy_from_user(&space, arguments[2], sizeof space)) {
        return -EFAULT;
    }
    if ((int32_t)space < 0) {
        return -EINVAL;
    }
    return copy_to_user(arguments[1], address, space < size ? space : size) &&
                   copy_to_user(arguments[2], &size, sizeof size) ? 0 : -EFAULT;
}

static bool is_option(uint32_t level, uint32_t option)
{
    if (level == IPPROTO_TCP) {
        return option == TCP_NODELAY || option == TCP_KEEPIDLE || option == TCP_KEEPINTVL || option == TCP_KEEPCNT ||
               option == TCP_QUICKACK || option == TCP_USER_TIMEOUT;
    }
    return level == SOL_SOCKET && (option == SO_REUSEADDR || option == SO_SNDBUF || option == SO_RCVBUF ||
                                   option == SO_KEEPALIVE || option == SO_LINGER);
}

int64_t connection_get_option(struct file *file, uint32_t level, uint32_t option, uint32_t *value)
{
    struct connection *connection = file->object;
    *value = 0;
    if (level == IPPROTO_TCP && option == TCP_NODELAY) {
        *value = 1;
        return 0;
    }
    if (level != SOL_SOCKET) {
        return -ENOPROTOOPT;
    }
    switch (option) {
    case SO_TYPE:
        *value = SOCK_STREAM;
        return 0;
    case SO_DOMAIN:
        *value = connection->family;
        return 0;
    case SO_PROTOCOL:
        *value = IPPROTO_TCP;
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF:
        *value = BUFFER_SIZE;
        return 0;
    case SO_ERROR: {
        int64_t error = connection_take_error(connection);
        *value = error == -EINPROGRESS ? 0 : (uint32_t)-error;
        return 0;
    }
    case SO_ACCEPTCONN:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

// What the host does is its own choice: the options have no effect.
int64_t system_call_setsockopt(const uint64_t arguments[6])
{
    int64_t error;
    uint32_t value;
    (void)find_connection(arguments[0], &error);
    if (error != 0) {
        return error;
    }
    if (!is_option((uint32_t)arguments[1], (uint32_t)arguments[2])) {
        return -ENOPROTOOPT;
    }
    if ((uint32_t)arguments[4] < sizeof value) {
        return -EINVAL;
    }
    return copy_from_user(&value, arguments[3], sizeof value) ? 0 : -EFAULT;
}
