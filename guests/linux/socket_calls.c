// SPDX-License-Identifier: Apache-2.0
//
// The system calls of sockets of every kind, with what they have in common: waiting,
// SIGPIPE, and the structures of the program.

#include "errors.h"
#include "file_modes.h"
#include "file_status.h"
#include "process.h"
#include "signals.h"
#include "sockets.h"
#include "system_calls.h"
#include "user.h"

#define MOST_VECTORS 1024

enum { SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 };

struct io_vector {
    uint64_t base;
    uint64_t length;
};

// struct msghdr.
struct message {
    uint64_t name;
    uint32_t name_size, padding;
    uint64_t vectors;
    uint64_t vector_count;
    uint64_t control;
    uint64_t control_size;
    uint32_t flags, padding_at_end;
};

int64_t socket_status(struct file *file, struct file_status *status)
{
    status->device = DEVICE_OF_STREAMS;
    status->inode = (uint64_t)file->object >> 4 & UINT32_MAX;
    status->mode = S_IFSOCK | 0777;
    status->links = 1;
    status->uid = status->gid = USER_ID;
    status->block_size = 4096;
    return 0;
}

static struct file *find_socket(uint64_t descriptor, int64_t *error)
{
    struct file *file = current_file(descriptor);
    *error = file == NULL || file->flags & O_PATH ? -EBADF : file->operations->socket == NULL ? -ENOTSOCK : 0;
    return *error == 0 ? file : NULL;
}

static bool waits(const struct file *file, uint32_t flags)
{
    return !(flags & MSG_DONTWAIT) && !(file->flags & O_NONBLOCK);
}

// Part by part: all of it, unless the call does not wait.
static int64_t send_all(struct file *file, struct buffer *buffer, uint32_t flags)
{
    int64_t total = 0;
    int64_t result;
    do {
        result = file->operations->socket->send(file, buffer);
        total += result > 0 ? result : 0;
        if (result == -EAGAIN && waits(file, flags)) {
            result = file_wait(file, POLLOUT);
        }
    } while (result >= 0 && buffer->size != 0);
    return file_end_transfer(file, total, result);
}

// Of a call that has sent a part, the next one finds the end.
static int64_t end_call(int64_t result, uint32_t flags, bool is_send)
{
    if (is_send && result == -EPIPE && !(flags & MSG_NOSIGNAL)) {
        signal_broken_pipe();
    }
    return result;
}

// What there is; with MSG_WAITALL all of it, up to the end.
static int64_t receive_some(struct file *file, struct buffer *buffer, uint32_t flags)
{
    bool takes_all = (flags & MSG_WAITALL) && !(flags & MSG_PEEK);
    int64_t total = 0;
    for (;;) {
        int64_t result = file->operations->socket->receive(file, buffer, flags & MSG_PEEK);
        if (result == -EAGAIN && waits(file, flags)) {
            result = file_wait(file, POLLIN);
            if (result == 0) {
                continue;
            }
        }
        total += result > 0 ? result : 0;
        if (result <= 0 || !takes_all || buffer->size == 0) {
            return file_end_transfer(file, total, result);
        }
    }
}

static int64_t check_flags(const struct file *file, uint32_t flags, bool is_send)
{
    uint32_t known = MSG_DONTWAIT | MSG_NOSIGNAL;
    known |= is_send ? MSG_MORE : MSG_WAITALL | MSG_CMSG_CLOEXEC;
    known |= !is_send && file->operations->socket->can_peek ? MSG_PEEK : 0;
    return flags & ~known ? -EOPNOTSUPP : file->operations->socket->refusal;
}

static int64_t transfer(struct file *file, struct buffer *buffer, uint32_t flags, bool is_send)
{
    buffer->size = buffer->size < MOST_TRANSFER_BYTES ? buffer->size : MOST_TRANSFER_BYTES;
    return is_send ? send_all(file, buffer, flags) : receive_some(file, buffer, flags);
}

// The file is kept while the call waits.
static int64_t transfer_one(const uint64_t arguments[6], bool is_send)
{
    int64_t error;
    uint32_t flags = (uint32_t)arguments[3];
    struct file *file = find_socket(arguments[0], &error);
    struct buffer buffer = user_buffer(arguments[1], arguments[2]);
    error = error == 0 ? check_flags(file, flags, is_send) : error;
    if (error != 0) {
        return error;
    }
    if (is_send && arguments[4] != 0 && !file->operations->socket->ignores_address) {
        return -EISCONN;
    }
    file_retain(file);
    int64_t result = transfer(file, &buffer, flags, is_send);
    file_release(file);
    return end_call(result, flags, is_send);
}

int64_t system_call_sendto(const uint64_t arguments[6])
{
    return transfer_one(arguments, true);
}

int64_t system_call_recvfrom(const uint64_t arguments[6])
{
    const uint32_t no_address = 0;
    int64_t result = transfer_one(arguments, false);
    bool is_stored = result < 0 || arguments[4] == 0 || copy_to_user(arguments[5], &no_address, sizeof no_address);
    return is_stored ? result : -EFAULT;
}

// Ends with the first vector that is not transferred whole. What is received is not
// waited for after a part; what is left where it is goes to one vector alone.
static int64_t transfer_vectors(struct file *file, const struct message *message, uint32_t flags, bool is_send)
{
    int64_t total = 0;
    for (uint64_t i = 0; i < message->vector_count; i++) {
        struct io_vector vector;
        if (!copy_from_user(&vector, message->vectors + i * sizeof vector, sizeof vector)) {
            return total != 0 ? total : -EFAULT;
        }
        if ((int64_t)vector.length < 0) {
            return total != 0 ? total : -EINVAL;
        }
        if (vector.length == 0) {
            continue;
        }
        bool waits_no_more = total != 0 && !is_send && !(flags & MSG_WAITALL);
        struct buffer buffer = user_buffer(vector.base, vector.length);
        int64_t result = transfer(file, &buffer, flags | (waits_no_more ? MSG_DONTWAIT : 0), is_send);
        if (result < 0) {
            return file_end_transfer(file, total, result);
        }
        total += result;
        if ((uint64_t)result < vector.length || flags & MSG_PEEK) {
            break;
        }
    }
    return total;
}

static int64_t transfer_message(const uint64_t arguments[6], struct message *message, bool is_send)
{
    int64_t error;
    uint32_t flags = (uint32_t)arguments[2];
    struct file *file = find_socket(arguments[0], &error);
    error = error == 0 ? check_flags(file, flags, is_send) : error;
    if (error != 0) {
        return error;
    }
    if (!copy_from_user(message, arguments[1], sizeof *message)) {
        return -EFAULT;
    }
    if (message->vector_count > MOST_VECTORS) {
        return -EMSGSIZE;
    }
    // Descriptors cannot be sent.
    if (is_send && message->control_size != 0) {
        return -EOPNOTSUPP;
    }
    if (is_send && message->name != 0 && message->name_size != 0 && !file->operations->socket->ignores_address) {
        return -EISCONN;
    }
    file_retain(file);
    int64_t result = transfer_vectors(file, message, flags, is_send);
    file_release(file);
    return end_call(result, flags, is_send);
}

int64_t system_call_sendmsg(const uint64_t arguments[6])
{
    struct message message;
    return transfer_message(arguments, &message, true);
}

int64_t system_call_recvmsg(const uint64_t arguments[6])
{
    struct message message;
    int64_t result = transfer_message(arguments, &message, false);
    if (result < 0) {
        return result;
    }
    message.name_size = 0;
    message.control_size = 0;
    message.flags = 0;
    return copy_to_user(arguments[1], &message, sizeof message) ? result : -EFAULT;
}

int64_t system_call_shutdown(const uint64_t arguments[6])
{
    int64_t error;
    uint32_t how = (uint32_t)arguments[1];
    struct file *file = find_socket(arguments[0], &error);
    if (error != 0 || how > SHUT_RDWR) {
        return error != 0 ? error : -EINVAL;
    }
    return file->operations->socket->shut(file, how != SHUT_WR, how != SHUT_RD);
}

int64_t system_call_connect(const uint64_t arguments[6])
{
    int64_t error;
    struct file *file = find_socket(arguments[0], &error);
    if (error != 0) {
        return error;
    }
    if (file->operations->socket->connect == NULL) {
        return -EISCONN;
    }
    file_retain(file);
    error = file->operations->socket->connect(file, arguments[1], (uint32_t)arguments[2]);
    file_release(file);
    return error;
}

// Programs have no addresses at which others reach them.
static int64_t refuse(uint64_t descriptor, int64_t with)
{
    int64_t error;
    (void)find_socket(descriptor, &error);
    return error != 0 ? error : with;
}

int64_t system_call_bind(const uint64_t arguments[6])
{
    return refuse(arguments[0], -EACCES);
}

int64_t system_call_listen(const uint64_t arguments[6])
{
    return refuse(arguments[0], -EACCES);
}

int64_t system_call_accept(const uint64_t arguments[6])
{
    return refuse(arguments[0], -EINVAL);
}

int64_t system_call_accept4(const uint64_t arguments[6])
{
    return refuse(arguments[0], -EINVAL);
}

static int64_t get_name(const uint64_t arguments[6], bool is_peer)
{
    int64_t error;
    struct socket_name name = { 0 };
    uint32_t space;
    struct file *file = find_socket(arguments[0], &error);
    error = error == 0 ? file->operations->socket->name(file, is_peer, &name) : error;
    if (error != 0) {
        return error;
    }
    if (!copy_from_user(&space, arguments[2], sizeof space)) {
        return -EFAULT;
    }
    if ((int32_t)space < 0) {
        return -EINVAL;
    }
    return copy_to_user(arguments[1], name.bytes, space < name.size ? space : name.size) &&
                   copy_to_user(arguments[2], &name.size, sizeof name.size) ? 0 : -EFAULT;
}

int64_t system_call_getsockname(const uint64_t arguments[6])
{
    return get_name(arguments, false);
}

int64_t system_call_getpeername(const uint64_t arguments[6])
{
    return get_name(arguments, true);
}

int64_t system_call_getsockopt(const uint64_t arguments[6])
{
    int64_t error;
    uint8_t value[MOST_OPTION] = { 0 };
    uint32_t space;
    struct file *file = find_socket(arguments[0], &error);
    if (error != 0) {
        return error;
    }
    if (!copy_from_user(&space, arguments[4], sizeof space)) {
        return -EFAULT;
    }
    if ((int32_t)space < 0) {
        return -EINVAL;
    }
    int64_t size = file->operations->socket->get_option(file, (uint32_t)arguments[1], (uint32_t)arguments[2], value);
    if (size < 0) {
        return size;
    }
    space = space < (uint32_t)size ? space : (uint32_t)size;
    return copy_to_user(arguments[3], value, space) && copy_to_user(arguments[4], &space, sizeof space) ? 0 : -EFAULT;
}

int64_t system_call_setsockopt(const uint64_t arguments[6])
{
    int64_t error;
    uint8_t value[MOST_OPTION] = { 0 };
    uint32_t size = (uint32_t)arguments[4];
    struct file *file = find_socket(arguments[0], &error);
    if (error != 0) {
        return error;
    }
    if ((int32_t)size < 0) {
        return -EINVAL;
    }
    size = size < sizeof value ? size : sizeof value;
    if (!copy_from_user(value, arguments[3], size)) {
        return -EFAULT;
    }
    return file->operations->socket->set_option != NULL
               ? file->operations->socket->set_option(file, (uint32_t)arguments[1], (uint32_t)arguments[2], value, size)
               : -ENOPROTOOPT;
}
