// SPDX-License-Identifier: Apache-2.0

#include "connection.h"

#include "clock.h"
#include "errors.h"
#include "kernel_pages.h"
#include "readiness.h"
#include "scheduler.h"
#include "user.h"

#include <string.h>

#define FIONREAD 0x541BU

// Of a socket that leads nowhere.
#define UNCONNECTED_EVENTS (POLLOUT | POLLHUP)

// What a host function of connections answers begins with.
struct answer {
    int32_t result;
    uint32_t events;
};

static struct pool pool;
static struct connection *connections;

void connections_start(void)
{
    pool = (struct pool){ .size = (sizeof(struct connection) + 7) & ~7UL };
    connections = NULL;
}

static void note_events(struct connection *connection, uint32_t events)
{
    if (connection->events != events) {
        connection->events = events;
        readiness_changed(connection);
    }
}

// What the host answers: its result, and what follows it.
static int64_t ask(struct connection *connection, enum host_socket_step step, int64_t value, const void *bytes, size_t size,
                   const uint8_t **rest, size_t *count)
{
    struct answer answer;
    if (!host_socket(step, connection->handle, value, bytes, size, rest, count) || *count < sizeof answer) {
        return -EIO;
    }
    memcpy(&answer, *rest, sizeof answer);
    *rest += sizeof answer;
    *count -= sizeof answer;
    note_events(connection, answer.events);
    return answer.result;
}

static int64_t ask_simply(struct connection *connection, enum host_socket_step step, int64_t value)
{
    const uint8_t *rest;
    size_t count;
    return ask(connection, step, value, NULL, 0, &rest, &count);
}

int64_t connection_begin(struct connection *connection)
{
    const uint8_t *rest;
    size_t count;
    int64_t result =
        ask(connection, HOST_SOCKET_CONNECT, 0, connection->peer.bytes, connection->peer.size, &rest, &count);
    if (result < 0) {
        note_events(connection, UNCONNECTED_EVENTS);
        return result;
    }
    connection->handle = (int32_t)result;
    connection->is_reported = false;
    connection->kept_error = 0;
    return 0;
}

void connection_forget(struct connection *connection)
{
    // Another thread may have ended the connection meanwhile.
    if (connection->handle >= 0) {
        (void)ask_simply(connection, HOST_SOCKET_CLOSE, 0);
    }
    connection->handle = -1;
    note_events(connection, UNCONNECTED_EVENTS);
}

void connection_disconnect(struct connection *connection)
{
    if (connection->handle < 0) {
        return;
    }
    uint32_t events = connection_events(connection);
    bool has_failed = (events & (HOST_SOCKET_CONNECTED | POLLHUP)) == POLLHUP;
    connection->kept_error = has_failed ? connection_take_error(connection) : ECONNRESET;
    connection_forget(connection);
}

uint32_t connection_events(struct connection *connection)
{
    if (connection->handle >= 0) {
        (void)ask_simply(connection, HOST_SOCKET_EVENTS, 0);
    }
    return connection->events;
}

uint32_t connection_take_error(struct connection *connection)
{
    uint32_t error = connection->kept_error;
    connection->kept_error = 0;
    return error != 0 || connection->handle < 0 ? error : (uint32_t)-ask_simply(connection, HOST_SOCKET_ERROR, 0);
}

// The host tells an error once.
static void keep_error(struct file *file, int64_t error)
{
    struct connection *connection = file->object;
    bool is_of_host = error != -EAGAIN && error != -EFAULT && error != -EPIPE && error != -EINTR && error != -ERESTARTSYS;
    if (is_of_host) {
        connection->kept_error = (uint32_t)-error;
    }
}

// The result of a transfer that ends with `result`: the kept error comes before it.
static int64_t result_or_kept(struct connection *connection, int64_t result)
{
    return connection->kept_error != 0 ? -(int64_t)connection_take_error(connection) : result;
}

static int64_t receive_part(struct connection *connection, struct buffer *buffer, enum host_socket_step step)
{
    const uint8_t *bytes;
    size_t count;
    struct buffer part = *buffer;
    part.size = part.size < HOST_BYTES ? part.size : HOST_BYTES;
    // Nothing is taken from the host unless the program can have it.
    if (!buffer_can_be_written(&part)) {
        return -EFAULT;
    }
    int64_t result = ask(connection, step, (int64_t)part.size, NULL, 0, &bytes, &count);
    if (result < 0) {
        return result;
    }
    if ((uint64_t)result != count || count > part.size) {
        return -EIO;
    }
    return buffer_put(buffer, bytes, count) ? result : -EFAULT;
}

// All that there is: a program may take less than it has asked for as a sign that
// nothing is left, and wait for more.
static int64_t receive(struct file *file, struct buffer *buffer, uint32_t flags)
{
    struct connection *connection = file->object;
    int64_t total = 0;
    if (connection->handle < 0) {
        return result_or_kept(connection, -ENOTCONN);
    }
    while (buffer->size != 0) {
        int64_t result = receive_part(connection, buffer, flags & MSG_PEEK ? HOST_SOCKET_PEEK : HOST_SOCKET_RECEIVE);
        if (result <= 0) {
            // What was received before an error comes before it.
            return total != 0 || result == -EFAULT ? file_end_transfer(file, total, result)
                                                   : result_or_kept(connection, result);
        }
        total += result;
        if (flags & MSG_PEEK || !(connection->events & POLLIN)) {
            break;
        }
    }
    return total;
}

static int64_t send_part(struct connection *connection, struct buffer *buffer)
{
    const uint8_t *rest;
    size_t count;
    uint64_t size;
    const uint8_t *bytes = buffer_bytes(buffer, &size);
    if (bytes == NULL) {
        return -EFAULT;
    }
    size = size < HOST_BYTES ? size : HOST_BYTES;
    int64_t result = ask(connection, HOST_SOCKET_SEND, 0, bytes, size, &rest, &count);
    if (result > (int64_t)size || result == 0) {
        return -EIO;
    }
    if (result > 0) {
        buffer->address += (uint64_t)result;
        buffer->size -= (uint64_t)result;
    }
    return result;
}

static int64_t send(struct file *file, struct buffer *buffer)
{
    struct connection *connection = file->object;
    int64_t total = 0;
    if (connection->handle < 0 || connection->kept_error != 0) {
        return result_or_kept(connection, -EPIPE);
    }
    while (buffer->size != 0) {
        int64_t result = send_part(connection, buffer);
        if (result < 0) {
            return file_end_transfer(file, total, result);
        }
        total += result;
        if (!(connection->events & POLLOUT)) {
            break;
        }
    }
    return total;
}

static int64_t shut(struct file *file, bool in, bool out)
{
    struct connection *connection = file->object;
    uint32_t events = connection_events(connection);
    if (!(events & (HOST_SOCKET_CONNECTED | POLLHUP))) {
        // It is connecting.
        connection_disconnect(connection);
        return 0;
    }
    if (!(events & HOST_SOCKET_CONNECTED)) {
        return -ENOTCONN;
    }
    return ask_simply(connection, HOST_SOCKET_SHUT, (in ? 1 : 0) | (out ? 2 : 0));
}

static int64_t name(struct file *file, bool is_peer, struct socket_name *name)
{
    struct connection *connection = file->object;
    const uint16_t family = (uint16_t)connection->family;
    if (is_peer) {
        *name = connection->peer;
        return connection_events(connection) & HOST_SOCKET_CONNECTED ? 0 : -ENOTCONN;
    }
    // That of the host is not the program's: the family alone.
    memcpy(name->bytes, &family, sizeof family);
    name->size = connection->family == AF_INET ? 16 : MOST_ADDRESS;
    return 0;
}

static int64_t read_connection(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return receive(file, buffer, 0);
}

static int64_t write_connection(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return send(file, buffer);
}

static uint32_t poll_connection(struct file *file)
{
    struct connection *connection = file->object;
    uint32_t events = connection_events(connection) & HOST_SOCKET_POLL_EVENTS;
    return events | (connection->kept_error != 0 ? POLLERR : 0);
}

// With a limit of SO_RCVTIMEO or SO_SNDTIMEO, a call does not go on after a signal.
static int64_t wait_for_connection(struct file *file, uint32_t events)
{
    struct connection *connection = file->object;
    int64_t timeout = events & POLLIN ? connection->receive_timeout : connection->send_timeout;
    int64_t deadline = NEVER;
    int64_t result = timeout != 0 ? deadline_from(timeout, &deadline) : 0;
    // Something else of the connection may have changed. The host has told the events
    // with what the caller waits for.
    while (result == 0 && !(connection->events & (events | POLLERR | POLLHUP))) {
        result = scheduler_wait(connection, deadline);
    }
    if (timeout == 0) {
        return result;
    }
    return result == -ETIMEDOUT ? -EAGAIN : result == -ERESTARTSYS ? -EINTR : result;
}

static int64_t control(struct file *file, uint64_t request, uint64_t argument)
{
    struct connection *connection = file->object;
    if ((uint32_t)request != FIONREAD) {
        return -ENOTTY;
    }
    int64_t count = connection->handle < 0 ? 0 : ask_simply(connection, HOST_SOCKET_AVAILABLE, 0);
    int32_t value = (int32_t)count;
    return count < 0 ? count : copy_to_user(argument, &value, sizeof value) ? 0 : -EFAULT;
}

static void release(struct file *file)
{
    struct connection *connection = file->object;
    if (connection->handle >= 0) {
        (void)ask_simply(connection, HOST_SOCKET_CLOSE, 0);
    }
    struct connection **link = &connections;
    while (*link != connection) {
        link = &(*link)->next;
    }
    *link = connection->next;
    pool_free(&pool, connection);
}

static const struct socket_operations socket_operations = {
    .receive = receive,
    .send = send,
    .shut = shut,
    .name = name,
    .get_option = connection_get_option,
    .set_option = connection_set_option,
    .connect = connection_connect,
    .can_peek = true,
    .ignores_address = true,
};

static const struct file_operations operations = {
    .read = read_connection,
    .write = write_connection,
    .status = socket_status,
    .poll = poll_connection,
    .wait = wait_for_connection,
    .ioctl = control,
    .release = release,
    .keep_error = keep_error,
    .socket = &socket_operations,
};

struct file *connection_create(uint32_t family, uint32_t flags)
{
    struct connection *connection = pool_allocate(&pool);
    if (connection == NULL) {
        return NULL;
    }
    struct file *file = file_create(&operations, O_RDWR | flags);
    if (file == NULL) {
        pool_free(&pool, connection);
        return NULL;
    }
    connection->handle = -1;
    connection->events = UNCONNECTED_EVENTS;
    connection->family = family;
    connection_set_defaults(connection);
    connection->next = connections;
    connections = connection;
    file->object = connection;
    return file;
}

bool connections_are_open(void)
{
    for (const struct connection *connection = connections; connection != NULL; connection = connection->next) {
        if (connection->handle >= 0) {
            return true;
        }
    }
    return false;
}

size_t connections_list(struct host_connection *list, size_t most)
{
    size_t count = 0;
    for (const struct connection *connection = connections; connection != NULL; connection = connection->next) {
        if (connection->handle >= 0 && count < most) {
            list[count++] = (struct host_connection){ connection->handle, connection->events };
        }
    }
    return count;
}

void connection_note_events(int32_t handle, uint32_t events)
{
    for (struct connection *connection = connections; connection != NULL; connection = connection->next) {
        if (connection->handle == handle) {
            note_events(connection, events);
            return;
        }
    }
}
