// SPDX-License-Identifier: Apache-2.0
//
// How connections end: while they are made, by the program, and by errors. What is
// looked up with sockets that lead nowhere.

#include "network.h"
#include "signals.h"

static uint8_t stack[16384] __attribute__((aligned(16)));
static volatile uint32_t identifier;
static char block[100000];

static int64_t disconnect(int64_t descriptor)
{
    struct address address = { AF_UNSPEC, 0, 0, 0 };
    return call(CALL_CONNECT, (uint64_t)descriptor, (uint64_t)&address, sizeof address, 0);
}

static int64_t shut_down(int64_t descriptor)
{
    return call(CALL_SHUTDOWN, (uint64_t)descriptor, SHUT_RDWR, 0, 0);
}

static int64_t peer_of(int64_t descriptor)
{
    struct address peer;
    uint32_t size = sizeof peer;
    return call(CALL_GETPEERNAME, (uint64_t)descriptor, (uint64_t)&peer, (uint64_t)&size, 0);
}

static int64_t receive(int64_t descriptor, uint64_t size, uint64_t flags)
{
    return call6(CALL_RECVFROM, (uint64_t)descriptor, (uint64_t)block, size, flags, 0, 0);
}

// Of a socket that does not wait: `end` ends its attempts to connect.
static void end_attempts(int64_t (*end)(int64_t), uint64_t silent)
{
    int64_t descriptor = create(O_NONBLOCK);
    for (int i = 0; i < 2; i++) {
        print_line("connect", connect_to(descriptor, LOOPBACK, silent));
        print_line("again", connect_to(descriptor, LOOPBACK, silent));
        print_line("end", end(descriptor));
        print_line("poll", (int64_t)poll_one(descriptor, 0));
        print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
        print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
        print_line("poll", (int64_t)poll_one(descriptor, 0));
        print_line("peer", peer_of(descriptor));
    }
    print_line("shut down", shut_down(descriptor));
    print_line("disconnect", disconnect(descriptor));
    print_line("close", close_file(descriptor));
}

static int64_t waiting;
static uint64_t silent_port;

static void connect_and_wait(uint64_t unused)
{
    (void)unused;
    // Which error depends on the version of Linux.
    print_line("failed", connect_to(waiting, LOOPBACK, silent_port) < 0);
}

// Of a thread that waits for its connection.
static void end_wait(int64_t (*end)(int64_t), uint64_t silent)
{
    const uint64_t time[2] = { 0, 50000000 };
    silent_port = silent;
    waiting = create(0);
    start_thread((uint64_t)connect_and_wait, 0, (uint64_t)(stack + sizeof stack), &identifier);
    // It may not wait yet.
    while (identifier != 0) {
        call(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0);
        end(waiting);
    }
    print_line("close", close_file(waiting));
}

static void end_connection(uint64_t port)
{
    int64_t descriptor = open_connection(port);
    print_line("disconnect", disconnect(descriptor));
    print_line("peer", peer_of(descriptor));
    print_line("poll", (int64_t)poll_one(descriptor, 0));
    print_line("send", send_bytes(descriptor, "x", 1, MSG_NOSIGNAL));
    print_line("send", send_bytes(descriptor, "x", 1, MSG_NOSIGNAL));
    print_line("receive", receive(descriptor, 1, 0));
    print_line("connect", connect_to(descriptor, LOOPBACK, port));
    print_line("disconnect", disconnect(descriptor));
    print_line("receive", receive(descriptor, 1, 0));
    print_line("receive", receive(descriptor, 1, 0));
    print_line("connect", connect_to(descriptor, LOOPBACK, port));
    print_line("send", send_bytes(descriptor, "abc", 3, 0));
    print_line("receive", receive(descriptor, 3, MSG_WAITALL));
    print_line("short", call(CALL_CONNECT, (uint64_t)descriptor, (uint64_t)block, 1, 0));
    print_line("bad pointer", call(CALL_CONNECT, (uint64_t)descriptor, 8, 16, 0));
    print_line("close", close_file(descriptor));
}

// `silent` is a port at which a connection is not made, and not refused.
static int network_aborts(uint64_t port, uint64_t silent)
{
    end_attempts(disconnect, silent);
    end_attempts(shut_down, silent);
    end_wait(disconnect, silent);
    end_wait(shut_down, silent);
    end_connection(port);
    return 0;
}

static int network_datagrams(uint64_t port)
{
    struct address address = address_of(LOOPBACK, port);
    struct message message = { 0 };
    char name[16];
    uint32_t size = sizeof name;
    print_line("other family", call(CALL_SOCKET, AF_INET6, SOCK_DGRAM, 0, 0));
    print_line("other protocol", call(CALL_SOCKET, AF_INET, SOCK_DGRAM, IPPROTO_TCP, 0));
    int64_t descriptor = call(CALL_SOCKET, AF_INET, SOCK_DGRAM | O_CLOEXEC, IPPROTO_UDP, 0);
    print_line("type", get_option(descriptor, SOL_SOCKET, SO_TYPE));
    print_line("peer", peer_of(descriptor));
    print_line("short", call(CALL_CONNECT, (uint64_t)descriptor, (uint64_t)&address, 3, 0));
    print_line("connect", connect_to(descriptor, LOOPBACK, port));
    print_line("elsewhere", connect_to(descriptor, 0x08080808, 53));
    print_line("peer", peer_of(descriptor));
    print_line("name", call(CALL_GETSOCKNAME, (uint64_t)descriptor, (uint64_t)name, (uint64_t)&size, 0));
    print_line("poll", (int64_t)poll_one(descriptor, 0));
    print_line("send", send_bytes(descriptor, "x", 1, 0));
    print_line("nothing", send_bytes(descriptor, "x", 0, 0));
    print_line("send to", call6(CALL_SENDTO, (uint64_t)descriptor, (uint64_t)"x", 1, 0, (uint64_t)&address, sizeof address));
    print_line("send message", call(CALL_SENDMSG, (uint64_t)descriptor, (uint64_t)&message, 0, 0));
    print_line("receive", receive(descriptor, 1, 0));
    print_line("receive message", call(CALL_RECVMSG, (uint64_t)descriptor, (uint64_t)&message, 0, 0));
    print_line("read", call(CALL_READ, (uint64_t)descriptor, (uint64_t)name, 1, 0));
    print_line("write", call(CALL_WRITE, (uint64_t)descriptor, (uint64_t)name, 1, 0));
    print_line("bind", call(CALL_BIND, (uint64_t)descriptor, (uint64_t)&address, sizeof address, 0));
    print_line("disconnect", disconnect(descriptor));
    print_line("peer", peer_of(descriptor));
    print_line("close", close_file(descriptor));
    return 0;
}

// What was received before an error is not lost. Sends more than the run may.
static int network_kept(uint64_t port, uint64_t size)
{
    int64_t descriptor = open_connection(port);
    int32_t count = 0;
    while (count < (int64_t)size) {
        wait_for(descriptor, POLLIN);
        call(CALL_IOCTL, (uint64_t)descriptor, FIONREAD, (uint64_t)&count, 0);
    }
    int64_t sent = send_bytes(descriptor, block, sizeof block, MSG_NOSIGNAL);
    print_line("a part", sent > 0 && sent < (int64_t)sizeof block);
    print_line("received", receive(descriptor, sizeof block, 0));
    print_line("error", receive(descriptor, sizeof block, 0));
    print_line("end", receive(descriptor, sizeof block, 0));
    print_line("send", send_bytes(descriptor, "x", 1, MSG_NOSIGNAL));
    return 0;
}

int network_ends(const char *name, const struct start *start)
{
    uint64_t first = start->argument_count > 2 ? parse_number(start->arguments[2]) : 0;
    uint64_t second = start->argument_count > 3 ? parse_number(start->arguments[3]) : 0;
    if (equal(name, "network-aborts")) {
        return network_aborts(first, second);
    }
    if (equal(name, "network-datagrams")) {
        return network_datagrams(first);
    }
    return equal(name, "network-kept") ? network_kept(first, second) : -1;
}
