// SPDX-License-Identifier: Apache-2.0
//
// What programs with connections have in common.

#ifndef PROGRAMS_NETWORK_H
#define PROGRAMS_NETWORK_H

#include "files.h"
#include "sockets.h"

enum { CALL_POLL = 7, CALL_RT_SIGACTION = 13, CALL_SELECT = 23, CALL_NANOSLEEP = 35, CALL_SOCKET = 41,
       CALL_CONNECT = 42, CALL_ACCEPT = 43, CALL_SENDTO = 44, CALL_RECVFROM = 45, CALL_SENDMSG = 46,
       CALL_RECVMSG = 47, CALL_SHUTDOWN = 48, CALL_BIND = 49, CALL_LISTEN = 50, CALL_GETSOCKNAME = 51,
       CALL_GETPEERNAME = 52, CALL_SETSOCKOPT = 54, CALL_GETSOCKOPT = 55, CALL_EPOLL_WAIT = 232,
       CALL_EPOLL_CTL = 233, CALL_EPOLL_CREATE1 = 291 };
enum { POLLIN = 1, POLLOUT = 4, POLLRDHUP = 0x2000 };
enum { FIONREAD = 0x541B, FIONBIO = 0x5421 };

#define LOOPBACK 0x7F000001U

struct address {
    uint16_t family, port;
    uint32_t address;
    uint64_t zero;
};

struct address6 {
    uint16_t family, port;
    uint32_t flow;
    uint8_t address[16];
    uint32_t scope;
};

struct poll_entry {
    int32_t descriptor;
    uint16_t events, returned;
};

static inline uint16_t swapped(uint64_t port)
{
    return (uint16_t)(port >> 8 | port << 8);
}

static inline struct address address_of(uint32_t address, uint64_t port)
{
    return (struct address){ AF_INET, swapped(port), __builtin_bswap32(address), 0 };
}

static inline int64_t create(uint64_t flags)
{
    return call(CALL_SOCKET, AF_INET, SOCK_STREAM | flags, 0, 0);
}

static inline int64_t connect_to(int64_t descriptor, uint32_t host, uint64_t port)
{
    struct address address = address_of(host, port);
    return call(CALL_CONNECT, (uint64_t)descriptor, (uint64_t)&address, sizeof address, 0);
}

static inline int64_t open_connection(uint64_t port)
{
    int64_t descriptor = create(0);
    int64_t result = descriptor < 0 ? descriptor : connect_to(descriptor, LOOPBACK, port);
    if (result < 0) {
        print_line("connect", result);
        exit_program(1);
    }
    return descriptor;
}

static inline int64_t send_bytes(int64_t descriptor, const char *text, uint64_t size, uint64_t flags)
{
    return call6(CALL_SENDTO, (uint64_t)descriptor, (uint64_t)text, size, flags, 0, 0);
}

static inline uint64_t poll_one(int64_t descriptor, int64_t milliseconds)
{
    struct poll_entry entry = { (int32_t)descriptor, POLLIN | POLLOUT | POLLRDHUP, 0 };
    call(CALL_POLL, (uint64_t)&entry, 1, (uint64_t)milliseconds, 0);
    return entry.returned;
}

static inline uint64_t wait_for(int64_t descriptor, uint16_t events)
{
    struct poll_entry entry = { (int32_t)descriptor, events, 0 };
    call(CALL_POLL, (uint64_t)&entry, 1, (uint64_t)-1, 0);
    return entry.returned;
}

static inline int64_t get_option(int64_t descriptor, uint64_t level, uint64_t option)
{
    int32_t value = -1;
    uint32_t size = sizeof value;
    int64_t result = call6(CALL_GETSOCKOPT, (uint64_t)descriptor, level, option, (uint64_t)&value, (uint64_t)&size, 0);
    return result < 0 ? result : value;
}

int network_ends(const char *name, const struct start *start);

#endif
