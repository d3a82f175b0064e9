// SPDX-License-Identifier: Apache-2.0
//
// The numbers of sockets, and what their calls take.

#ifndef PROGRAMS_SOCKETS_H
#define PROGRAMS_SOCKETS_H

#include "vector.h"

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3 };
enum { SOL_SOCKET = 1, IPPROTO_TCP = 6, IPPROTO_UDP = 17 };
enum { SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_KEEPALIVE = 9, SO_RCVTIMEO = 20,
       SO_ACCEPTCONN = 30, SO_PROTOCOL = 38, SO_DOMAIN = 39, SO_NONE = 999 };
enum { TCP_NODELAY = 1, TCP_KEEPIDLE = 4, TCP_KEEPCNT = 6, TCP_NONE = 250 };
enum { SHUT_WR = 1, SHUT_RDWR = 2, SHUT_NONE = 3 };
enum { MSG_PEEK = 2, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000 };

struct message {
    uint64_t name;
    uint64_t name_size;
    const struct vector *vectors;
    uint64_t vector_count;
    uint64_t control, control_size;
    uint64_t flags;
};

#endif
