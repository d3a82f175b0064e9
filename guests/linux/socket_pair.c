// SPDX-License-Identifier: Apache-2.0
//
// socketpair: two connected sockets, with a ring for each direction.

#include "errors.h"
#include "file_pair.h"
#include "kernel_pages.h"
#include "process.h"
#include "ring.h"
#include "sockets.h"
#include "system_calls.h"
#include "user.h"

#include <string.h>

#define FIONREAD 0x541BU

struct socket {
    // NULL when they are shut down.
    struct ring *in;
    struct ring *out;
};

static struct pool sockets;

void socket_pairs_start(void)
{
    sockets = (struct pool){ .size = sizeof(struct socket) };
}

static int64_t receive(struct file *file, struct buffer *buffer, uint32_t flags)
{
    const struct socket *socket = file->object;
    (void)flags;
    return socket->in != NULL ? ring_read(socket->in, buffer) : 0;
}

static int64_t send(struct file *file, struct buffer *buffer)
{
    const struct socket *socket = file->object;
    return socket->out != NULL ? ring_write(socket->out, buffer) : -EPIPE;
}

static int64_t read_socket(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return receive(file, buffer, 0);
}

static int64_t write_socket(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)position;
    return send(file, buffer);
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

static int64_t shut_socket(struct file *file, bool in, bool out)
{
    shut(file->object, in, out);
    return 0;
}

// Only the family: the sockets have no names.
static int64_t name(struct file *file, bool is_peer, struct socket_name *name)
{
    const uint16_t family = AF_UNIX;
    (void)file;
    (void)is_peer;
    memcpy(name->bytes, &family, sizeof family);
    name->size = sizeof family;
    return 0;
}

static int64_t get_option(struct file *file, uint32_t level, uint32_t option, uint8_t value[MOST_OPTION])
{
    uint32_t number = 0;
    (void)file;
    switch (level == SOL_SOCKET ? option : 0) {
    case SO_TYPE:
        number = SOCK_STREAM;
        break;
    case SO_DOMAIN:
        number = AF_UNIX;
        break;
    case SO_ERROR:
    case SO_PROTOCOL:
        break;
    default:
        return -ENOPROTOOPT;
    }
    memcpy(value, &number, sizeof number);
    return sizeof number;
}

static const struct socket_operations socket_operations = {
    .receive = receive,
    .send = send,
    .shut = shut_socket,
    .name = name,
    .get_option = get_option,
};

static const struct file_operations operations = {
    .read = read_socket,
    .write = write_socket,
    .status = socket_status,
    .poll = poll_socket,
    .ioctl = control,
    .release = release,
    .socket = &socket_operations,
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
        return (uint32_t)arguments[0] == AF_INET || (uint32_t)arguments[0] == AF_INET6 ? -EOPNOTSUPP : -EAFNOSUPPORT;
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
