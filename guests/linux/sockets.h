// SPDX-License-Identifier: Apache-2.0
//
// Sockets: what their system calls need of each kind.

#ifndef LINUX_SOCKETS_H
#define LINUX_SOCKETS_H

#include "files.h"

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2 };
enum { IPPROTO_IP = 0, SOL_SOCKET = 1, IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_IPV6 = 41 };
enum { SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_OOBINLINE = 10,
       SO_PRIORITY = 12, SO_LINGER = 13, SO_REUSEPORT = 15, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_ACCEPTCONN = 30,
       SO_PROTOCOL = 38, SO_DOMAIN = 39 };

#define MSG_PEEK 0x2U
#define MSG_DONTWAIT 0x40U
#define MSG_WAITALL 0x100U
#define MSG_NOSIGNAL 0x4000U
#define MSG_MORE 0x8000U
#define MSG_CMSG_CLOEXEC 0x40000000U

// Of a sockaddr_in6, the largest address of a socket.
#define MOST_ADDRESS 28
// Of the options with a value, SO_RCVTIMEO has the largest one.
#define MOST_OPTION 16

struct socket_name {
    uint8_t bytes[MOST_ADDRESS];
    uint32_t size;
};

// Results are not negative, or an error number with a minus sign.
struct socket_operations {
    // Sending and receiving end with this error. 0: they do not.
    int64_t refusal;
    // What can be transferred now: -EAGAIN if there is nothing. `flags` are MSG_PEEK
    // or 0. Nothing is sent after -EPIPE, for which the caller sends SIGPIPE.
    int64_t (*receive)(struct file *file, struct buffer *buffer, uint32_t flags);
    int64_t (*send)(struct file *file, struct buffer *buffer);
    int64_t (*shut)(struct file *file, bool in, bool out);
    int64_t (*name)(struct file *file, bool is_peer, struct socket_name *name);
    // The size of the value, which `value` has room for.
    int64_t (*get_option)(struct file *file, uint32_t level, uint32_t option, uint8_t value[MOST_OPTION]);
    // NULL: none can be set. `size` is at most that of `value`.
    int64_t (*set_option)(struct file *file, uint32_t level, uint32_t option, const uint8_t *value, uint32_t size);
    // NULL: it leads somewhere already.
    int64_t (*connect)(struct file *file, uint64_t address, uint32_t size);
    // It takes MSG_PEEK.
    bool can_peek;
    // An address to send to is ignored, as that of a connection is.
    bool ignores_address;
};

// The address of connect as the program has stated it, with at least its family: 0 or an
// error. AF_UNSPEC ends what was connected.
int64_t socket_take_name(uint64_t address, uint32_t size, struct socket_name *name);
uint32_t socket_family(const struct socket_name *name);
// Whether it is one of a family: 0 or an error. It has the size of one then.
int64_t socket_check_name(uint32_t family, struct socket_name *name);

int64_t socket_status(struct file *file, struct file_status *status);

// Of socketpair.
void socket_pairs_start(void);

#endif
