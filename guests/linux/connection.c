// SPDX-License-Identifier: Apache-2.0

#include "connection.h"

#include "errors.h"
#include "file_modes.h"
#include "file_status.h"
#include "host.h"
#include "kernel_pages.h"
#include "process.h"
#include "readiness.h"
#include "scheduler.h"
#include "signals.h"
#include "threads.h"

#include <string.h>

// What a host function of connections answers begins with.
struct answer {
    int32_t result;
    uint32_t events;
};

struct wanted {
    int32_t handle;
    uint32_t events;
};

#define MOST_WAITED (HOST_BYTES / sizeof(struct wanted))

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
    int64_t result = ask(connection, HOST_SOCKET_CONNECT, 0, connection->peer, connection->peer_size, &rest, &count);
    if (result < 0) {
        return result;
    }
    connection->handle = (int32_t)result;
    connection->is_connecting = true;
    return 0;
}

int64_t connection_take_error(struct connection *connection)
{
    int64_t error = connection->handle < 0 ? 0 : ask_simply(connection, HOST_SOCKET_ERROR, 0);
    if (error != -EINPROGRESS && connection->is_connecting) {
        connection->is_connecting = false;
        connection->is_connected = error == 0;
    }
    return error;
}

int64_t connection_outcome(struct connection *connection)
{
    int64_t error = connection_take_error(connection);
    if (error != 0 && error != -EINPROGRESS) {
        // Another attempt may follow.
        (void)ask_simply(connection, HOST_SOCKET_CLOSE, 0);
        connection->handle = -1;
        note_events(connection, POLLOUT | POLLHUP);
    }
    return error;
}

int64_t connection_receive(struct connection *connection, struct buffer *buffer)
{
    const uint8_t *bytes;
    size_t count;
    struct buffer part = *buffer;
    part.size = part.size < HOST_BYTES ? part.size : HOST_BYTES;
    if (connection->handle < 0) {
        return -ENOTCONN;
    }
    if (part.size == 0) {
        return 0;
    }
    // Nothing is taken from the host unless the program can have it.
    if (!buffer_can_be_written(&part)) {
        return -EFAULT;
    }
    int64_t result = ask(connection, HOST_SOCKET_RECEIVE, (int64_t)part.size, NULL, 0, &bytes, &count);
    if (result < 0) {
        return result;
    }
    if ((uint64_t)result != count || count > part.size) {
        return -EIO;
    }
    return buffer_put(buffer, bytes, count) ? result : -EFAULT;
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
    if (result > (int64_t)size) {
        return -EIO;
    }
    if (result > 0) {
        buffer->address += (uint64_t)result;
        buffer->size -= (uint64_t)result;
    }
    return result;
}

int64_t connection_send(struct connection *connection, struct buffer *buffer, bool signals)
{
    int64_t total = 0;
    int64_t result = connection->handle < 0 ? -ENOTCONN : 0;
    while (result >= 0 && buffer->size != 0) {
        result = send_part(connection, buffer);
        total += result > 0 ? result : 0;
        if (result == 0) {
            result = -EAGAIN;
        }
    }
    if (total == 0 && result == -EPIPE && signals) {
        signal_send(current_thread, &(struct signal_info){ .signal = SIGPIPE, .code = SI_USER });
    }
    return total != 0 || result >= 0 ? total : result;
}

int64_t connection_shut(struct connection *connection, uint32_t how)
{
    return connection->handle < 0 ? -ENOTCONN : ask_simply(connection, HOST_SOCKET_SHUT, how);
}

static int64_t read_connection(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return connection_receive(file->object, buffer);
}

static int64_t write_connection(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return connection_send(file->object, buffer, true);
}

static uint32_t poll_connection(struct file *file)
{
    struct connection *connection = file->object;
    if (connection->handle >= 0) {
        (void)ask_simply(connection, HOST_SOCKET_EVENTS, 0);
    }
    return connection->events;
}

static int64_t status(struct file *file, struct file_status *status)
{
    status->device = DEVICE_OF_STREAMS;
    status->inode = (uint64_t)file->object >> 4 & UINT32_MAX;
    status->mode = S_IFSOCK | 0777;
    status->links = 1;
    status->uid = status->gid = USER_ID;
    status->block_size = 4096;
    return 0;
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

static const struct file_operations operations = {
    .read = read_connection,
    .write = write_connection,
    .status = status,
    .poll = poll_connection,
    .release = release,
};

bool file_is_connection(const struct file *file)
{
    return file->operations == &operations;
}

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
    connection->events = POLLOUT | POLLHUP;
    connection->family = family;
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

static struct connection *find(int32_t handle)
{
    struct connection *connection = connections;
    while (connection != NULL && connection->handle != handle) {
        connection = connection->next;
    }
    return connection;
}

bool connections_wait(int64_t nanoseconds)
{
    static struct wanted wanted[MOST_WAITED];
    const uint8_t *bytes;
    size_t size;
    size_t count = 0;
    for (const struct connection *connection = connections; connection != NULL; connection = connection->next) {
        if (connection->handle >= 0 && count < MOST_WAITED) {
            wanted[count++] = (struct wanted){ connection->handle, connection->events };
        }
    }
    if (!host_socket(HOST_SOCKET_WAIT, -1, nanoseconds, wanted, count * sizeof wanted[0], &bytes, &size) ||
        size != count * sizeof(uint32_t)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t events;
        struct connection *connection = find(wanted[i].handle);
        memcpy(&events, bytes + i * sizeof events, sizeof events);
        if (connection != NULL) {
            note_events(connection, events);
        }
    }
    return true;
}
