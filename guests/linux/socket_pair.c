// SPDX-License-Identifier: Apache-2.0
//
// socketpair: two connected sockets, with a ring for each direction.

#include "connection_calls.h"
#include "errors.h"
#include "file_modes.h"
#include "file_pair.h"
#include "file_status.h"
#include "kernel_pages.h"
#include "process.h"
#include "ring.h"
#include "signals.h"
#include "sockets.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"

#include <string.h>

enum { AF_UNIX = 1, SOCK_STREAM = 1, SOL_SOCKET = 1, SO_TYPE = 3, SO_ERROR = 4, SO_PROTOCOL = 38, SO_DOMAIN = 39 };
enum { SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 };

#define MSG_DONTWAIT 0x40U
#define MSG_WAITALL 0x100U
#define MSG_NOSIGNAL 0x4000U
#define MSG_CMSG_CLOEXEC 0x40000000U
#define FIONREAD 0x541BU

struct socket {
    // NULL when they are shut down.
    struct ring *in;
    struct ring *out;
};

static struct pool sockets;

void sockets_start(void)
{
    sockets = (struct pool){ .size = sizeof(struct socket) };
}

static int64_t receive(struct socket *socket, struct buffer *buffer)
{
    return socket->in != NULL ? ring_read(socket->in, buffer) : 0;
}

static int64_t send(struct socket *socket, struct buffer *buffer, bool signals)
{
    int64_t result = socket->out != NULL ? ring_write(socket->out, buffer) : -EPIPE;
    if (result == -EPIPE && signals) {
        signal_send(current_thread, &(struct signal_info){ .signal = SIGPIPE, .code = SI_USER });
    }
    return result;
}

static int64_t read_socket(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return receive(file->object, buffer);
}

static int64_t write_socket(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return send(file->object, buffer, true);
}

static uint32_t poll_socket(struct file *file)
{
    const struct socket *socket = file->object;
    bool ends = socket->in == NULL || socket->in->writers == 0;
    bool is_closed = ends && (socket->out == NULL || socket->out->readers == 0);
    return (ends || socket->in->count != 0 ? POLLIN : 0) | (ends ? POLLRDHUP : 0) | (is_closed ? POLLHUP : 0) |
           (socket->out == NULL ? POLLOUT
                                : ring_poll_writer(socket->out) & POLLOUT) | (is_closed ? POLLOUT : 0);
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

static int64_t control(struct file *file, uint64_t request, uint64_t argument)
{
    const struct socket *socket = file->object;
    uint32_t count = socket->in != NULL ? socket->in->count : 0;
    if ((uint32_t)request != FIONREAD) {
        return -ENOTTY;
    }
    return copy_to_user(argument, &count, sizeof count) ? 0 : -EFAULT;
}

static void shut(struct socket *socket, bool in, bool out)
{
    if (in && socket->in != NULL) {
        struct ring *ring = socket->in;
        socket->in = NULL;
        ring_close_reader(ring);
    }
    if (out && socket->out != NULL) {
        struct ring *ring = socket->out;
        socket->out = NULL;
        ring_close_writer(ring);
    }
}

static void release(struct file *file)
{
    shut(file->object, true, true);
    pool_free(&sockets, file->object);
}

static const struct file_operations operations = {
    .read = read_socket,
    .write = write_socket,
    .status = status,
    .poll = poll_socket,
    .ioctl = control,
    .release = release,
};

// A file with a socket that has no rings yet, or NULL without memory.
static struct file *create(uint32_t flags)
{
    struct socket *socket = pool_allocate(&sockets);
    struct file *file = socket != NULL ? file_create(&operations, O_RDWR | flags) : NULL;
    if (file == NULL && socket != NULL) {
        pool_free(&sockets, socket);
    } else if (file != NULL) {
        file->object = socket;
    }
    return file;
}

static bool connect_sockets(struct socket *from, struct socket *to)
{
    struct ring *ring = ring_create();
    if (ring == NULL) {
        return false;
    }
    ring->writer = from;
    ring->reader = to;
    from->out = ring;
    to->in = ring;
    return true;
}

int64_t system_call_socketpair(const uint64_t arguments[6])
{
    struct file *files[2];
    uint32_t flags = (uint32_t)arguments[1] & (O_CLOEXEC | O_NONBLOCK);
    if ((uint32_t)arguments[0] != AF_UNIX) {
        return -EOPNOTSUPP;
    }
    if (((uint32_t)arguments[1] & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK)) != SOCK_STREAM) {
        return -ESOCKTNOSUPPORT;
    }
    if ((uint32_t)arguments[2] > AF_UNIX) {
        return -EPROTONOSUPPORT;
    }
    files[0] = create(flags & O_NONBLOCK);
    files[1] = create(flags & O_NONBLOCK);
    if (files[0] != NULL && files[1] != NULL && connect_sockets(files[0]->object, files[1]->object) &&
        connect_sockets(files[1]->object, files[0]->object)) {
        return files_add_pair(files, (flags & O_CLOEXEC) != 0, arguments[3]);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (files[i] != NULL) {
            file_release(files[i]);
        }
    }
    return -ENOMEM;
}

static struct file *find_connection(uint64_t descriptor)
{
    struct file *file = current_file(descriptor);
    return file != NULL && file_is_connection(file) ? file : NULL;
}

static struct file *find_socket(uint64_t descriptor, int64_t *error)
{
    struct file *file = current_file(descriptor);
    *error = file == NULL ? -EBADF : file->operations != &operations ? -ENOTSOCK : 0;
    return *error == 0 ? file : NULL;
}

// Part by part: a message is whole when its last byte is in the ring.
static int64_t send_all(struct file *file, struct buffer *buffer, uint32_t flags)
{
    int64_t total = 0;
    bool waits = !(flags & MSG_DONTWAIT) && !(file->flags & O_NONBLOCK);
    do {
        int64_t result = send(file->object, buffer, !(flags & MSG_NOSIGNAL));
        if (result == -EAGAIN && waits) {
            result = file_wait(file, POLLOUT);
        }
        if (result < 0) {
            return total != 0 ? total : result;
        }
        total += result;
    } while (buffer->size != 0);
    return total;
}

static int64_t receive_some(struct file *file, struct buffer *buffer, uint32_t flags)
{
    bool waits = !(flags & MSG_DONTWAIT) && !(file->flags & O_NONBLOCK);
    for (;;) {
        int64_t result = receive(file->object, buffer);
        if (result != -EAGAIN || !waits) {
            return result;
        }
        result = file_wait(file, POLLIN);
        if (result != 0) {
            return result;
        }
    }
}

// The file is kept while the call waits.
static int64_t transfer(uint64_t descriptor, struct buffer *buffer, uint32_t flags, bool is_send)
{
    int64_t error;
    struct file *connection = find_connection(descriptor);
    if (connection != NULL) {
        return connection_transfer(connection, buffer, flags, is_send);
    }
    struct file *file = find_socket(descriptor, &error);
    const uint32_t known = MSG_DONTWAIT | MSG_NOSIGNAL | (is_send ? 0 : MSG_WAITALL | MSG_CMSG_CLOEXEC);
    if (error != 0 || flags & ~known) {
        return error != 0 ? error : -EOPNOTSUPP;
    }
    file_retain(file);
    int64_t result = is_send ? send_all(file, buffer, flags) : receive_some(file, buffer, flags);
    file_release(file);
    return result;
}

int64_t system_call_sendto(const uint64_t arguments[6])
{
    struct buffer buffer = user_buffer(arguments[1], arguments[2]);
    return arguments[4] != 0 ? -EISCONN : transfer(arguments[0], &buffer, (uint32_t)arguments[3], true);
}

int64_t system_call_recvfrom(const uint64_t arguments[6])
{
    const uint32_t no_address = 0;
    struct buffer buffer = user_buffer(arguments[1], arguments[2]);
    int64_t result = transfer(arguments[0], &buffer, (uint32_t)arguments[3], false);
    bool is_stored = result < 0 || arguments[4] == 0 || copy_to_user(arguments[5], &no_address, sizeof no_address);
    return is_stored ? result : -EFAULT;
}

int64_t system_call_shutdown(const uint64_t arguments[6])
{
    int64_t error;
    uint32_t how = (uint32_t)arguments[1];
    struct file *connection = find_connection(arguments[0]);
    if (connection != NULL) {
        return connection_shutdown(connection, how);
    }
    struct file *file = find_socket(arguments[0], &error);
    if (error != 0 || how > SHUT_RDWR) {
        return error != 0 ? error : -EINVAL;
    }
    shut(file->object, how != SHUT_WR, how != SHUT_RD);
    return 0;
}

// Only the family: the sockets have no names.
static int64_t get_name(const uint64_t arguments[6], bool is_peer)
{
    int64_t error;
    const uint16_t family = AF_UNIX;
    const uint32_t size = sizeof family;
    uint32_t space;
    struct file *connection = find_connection(arguments[0]);
    if (connection != NULL) {
        return connection_get_name(connection, arguments, is_peer);
    }
    (void)find_socket(arguments[0], &error);
    if (error != 0) {
        return error;
    }
    if (!copy_from_user(&space, arguments[2], sizeof space)) {
        return -EFAULT;
    }
    return copy_to_user(arguments[1], &family, space < size ? space : size) &&
                   copy_to_user(arguments[2], &size, sizeof size) ? 0 : -EFAULT;
}

int64_t system_call_getsockname(const uint64_t arguments[6])
{
    return get_name(arguments, false);
}

int64_t system_call_getpeername(const uint64_t arguments[6])
{
    return get_name(arguments, true);
}

static int64_t pair_option(uint32_t level, uint32_t option, uint32_t *value)
{
    *value = 0;
    switch (level == SOL_SOCKET ? option : 0) {
    case SO_TYPE:
        *value = SOCK_STREAM;
        return 0;
    case SO_DOMAIN:
        *value = AF_UNIX;
        return 0;
    case SO_ERROR:
    case SO_PROTOCOL:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int64_t system_call_getsockopt(const uint64_t arguments[6])
{
    int64_t error;
    uint32_t space;
    uint32_t value;
    uint32_t level = (uint32_t)arguments[1];
    uint32_t option = (uint32_t)arguments[2];
    struct file *connection = find_connection(arguments[0]);
    if (connection != NULL) {
        error = connection_get_option(connection, level, option, &value);
    } else {
        (void)find_socket(arguments[0], &error);
        error = error == 0 ? pair_option(level, option, &value) : error;
    }
    if (error != 0) {
        return error;
    }
    if (!copy_from_user(&space, arguments[4], sizeof space)) {
        return -EFAULT;
    }
    space = space < sizeof value ? space : sizeof value;
    return copy_to_user(arguments[3], &value, space) && copy_to_user(arguments[4], &space, sizeof space) ? 0 : -EFAULT;
}
