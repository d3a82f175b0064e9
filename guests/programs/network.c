// SPDX-License-Identifier: Apache-2.0
//
// Connections over TCP. The server of the tests, which is at 127.0.0.1, sends back
// what it gets.

#include "network.h"

static char bytes[1 << 17];

static int64_t receive(int64_t descriptor, uint64_t size, uint64_t flags)
{
    return call6(CALL_RECVFROM, (uint64_t)descriptor, (uint64_t)bytes, size, flags, 0, 0);
}

static int64_t available(int64_t descriptor)
{
    int32_t value = -1;
    int64_t result = call(CALL_IOCTL, (uint64_t)descriptor, FIONREAD, (uint64_t)&value, 0);
    return result < 0 ? result : value;
}

static int64_t set_option(int64_t descriptor, uint64_t level, uint64_t option, int32_t value)
{
    return call6(CALL_SETSOCKOPT, (uint64_t)descriptor, level, option, (uint64_t)&value, sizeof value, 0);
}

static int64_t set_time(int64_t descriptor, uint64_t option, int64_t microseconds)
{
    const int64_t time[2] = { microseconds / 1000000, microseconds % 1000000 };
    return call6(CALL_SETSOCKOPT, (uint64_t)descriptor, SOL_SOCKET, option, (uint64_t)time, sizeof time, 0);
}

// Bytes of which each place has one of its own, and that are all equal afterwards.
static void fill(uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        bytes[i] = (char)(i * 31 + i / 251);
    }
}

static int64_t check(uint64_t offset, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        if (bytes[i] != (char)((offset + i) * 31 + (offset + i) / 251)) {
            return (int64_t)(offset + i);
        }
    }
    return -1;
}

static void exchange(int64_t descriptor)
{
    const uint64_t size = 100000;
    int64_t count;
    uint64_t total = 0;
    fill(size);
    print_line("sent", send_bytes(descriptor, bytes, size, 0));
    print_line("shut down", call(CALL_SHUTDOWN, (uint64_t)descriptor, SHUT_WR, 0, 0));
    while ((count = receive(descriptor, 30000, 0)) > 0) {
        int64_t wrong = check(total, (uint64_t)count);
        if (wrong >= 0) {
            print_line("wrong at", wrong);
        }
        total += (uint64_t)count;
    }
    print_line("received", (int64_t)total);
    print_line("end", count);
    print_line("closed", close_file(descriptor));
}

static void unconnected(void)
{
    const char *text = "text";
    uint8_t name[32];
    uint32_t size = sizeof name;
    int64_t descriptor = create(0);
    print_line("type", get_option(descriptor, SOL_SOCKET, SO_TYPE));
    print_line("domain", get_option(descriptor, SOL_SOCKET, SO_DOMAIN));
    print_line("protocol", get_option(descriptor, SOL_SOCKET, SO_PROTOCOL));
    print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
    print_line("listens", get_option(descriptor, SOL_SOCKET, SO_ACCEPTCONN));
    print_line("poll", (int64_t)poll_one(descriptor, 0));
    print_line("send", send_bytes(descriptor, text, 4, MSG_NOSIGNAL));
    print_line("receive", receive(descriptor, 4, 0));
    print_line("peer", call(CALL_GETPEERNAME, (uint64_t)descriptor, (uint64_t)name, (uint64_t)&size, 0));
    print_line("name", call(CALL_GETSOCKNAME, (uint64_t)descriptor, (uint64_t)name, (uint64_t)&size, 0));
    print_line("size", size);
    print_line("family", name[0]);
    print_line("shut down", call(CALL_SHUTDOWN, (uint64_t)descriptor, SHUT_RDWR, 0, 0));
    print_line("shut what", call(CALL_SHUTDOWN, (uint64_t)descriptor, SHUT_NONE, 0, 0));
    print_line("accept", call(CALL_ACCEPT, (uint64_t)descriptor, 0, 0, 0));
    print_line("short", call(CALL_CONNECT, (uint64_t)descriptor, (uint64_t)name, 3, 0));
    print_line("bad pointer", call(CALL_CONNECT, (uint64_t)descriptor, 8, 16, 0));
    name[0] = 99;
    print_line("bad family", call(CALL_CONNECT, (uint64_t)descriptor, (uint64_t)name, 16, 0));
    print_line("seek", call(CALL_LSEEK, (uint64_t)descriptor, 0, 0, 0));
    print_line("file", call(CALL_SENDTO, 1, (uint64_t)text, 1, 0));
    print_line("no file", call(CALL_CONNECT, 99, (uint64_t)name, 16, 0));
    print_line("closed", close_file(descriptor));
}

static void options(int64_t descriptor)
{
    int64_t time[2] = { 0, 0 };
    uint32_t size = sizeof time;
    print_line("nodelay", set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 7));
    print_line("nodelay", get_option(descriptor, IPPROTO_TCP, TCP_NODELAY));
    print_line("keepalive", set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1));
    print_line("keepalive", get_option(descriptor, SOL_SOCKET, SO_KEEPALIVE));
    print_line("idle", get_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE));
    print_line("idle", set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 60));
    print_line("idle", get_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE));
    print_line("idle too small", set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 0));
    print_line("idle too large", set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, 32768));
    print_line("count too large", set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 128));
    print_line("buffer", set_option(descriptor, SOL_SOCKET, SO_SNDBUF, 50000));
    print_line("reuse", set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1));
    print_line("reuse", get_option(descriptor, SOL_SOCKET, SO_REUSEADDR));
    print_line("unknown", set_option(descriptor, IPPROTO_TCP, TCP_NONE, 1));
    print_line("unknown", get_option(descriptor, IPPROTO_TCP, TCP_NONE));
    print_line("small", call6(CALL_SETSOCKOPT, (uint64_t)descriptor, IPPROTO_TCP, TCP_NODELAY, (uint64_t)&size, 3, 0));
    print_line("bad pointer", call6(CALL_SETSOCKOPT, (uint64_t)descriptor, IPPROTO_TCP, TCP_NODELAY, 8, 4, 0));
    print_line("time", set_time(descriptor, SO_RCVTIMEO, 2000000));
    print_line("time", call6(CALL_GETSOCKOPT, (uint64_t)descriptor, SOL_SOCKET, SO_RCVTIMEO, (uint64_t)time, (uint64_t)&size, 0));
    print_line("seconds", time[0]);
    print_line("size", size);
    print_line("no time", set_time(descriptor, SO_RCVTIMEO, 0));
    time[1] = 1000000;
    print_line("bad time", call6(CALL_SETSOCKOPT, (uint64_t)descriptor, SOL_SOCKET, SO_RCVTIMEO, (uint64_t)time, sizeof time, 0));
    print_line("small time", call6(CALL_SETSOCKOPT, (uint64_t)descriptor, SOL_SOCKET, SO_RCVTIMEO, (uint64_t)time, 8, 0));
}

static void messages(int64_t descriptor)
{
    struct address address;
    struct vector vectors[3] = { { "one", 3 }, { "", 0 }, { "three", 5 } };
    struct message message = { .vectors = vectors, .vector_count = 3 };
    uint32_t size = sizeof address;
    print_line("send message", call(CALL_SENDMSG, (uint64_t)descriptor, (uint64_t)&message, 0, 0));
    vectors[0] = (struct vector){ bytes, 4 };
    vectors[1] = (struct vector){ bytes + 100, 0 };
    vectors[2] = (struct vector){ bytes + 200, 4 };
    message.flags = 99;
    print_line("receive message", call(CALL_RECVMSG, (uint64_t)descriptor, (uint64_t)&message, MSG_WAITALL, 0));
    print_line("flags", (int64_t)message.flags);
    print_line("bytes", bytes[3] * 256 + bytes[203]);
    message.vector_count = 1025;
    print_line("too many", call(CALL_SENDMSG, (uint64_t)descriptor, (uint64_t)&message, 0, 0));
    print_line("bad message", call(CALL_RECVMSG, (uint64_t)descriptor, 8, 0, 0));
    vectors[0] = (struct vector){ "ab", 2 };
    vectors[1] = (struct vector){ "cde", 3 };
    print_line("write vectors", call(CALL_WRITEV, (uint64_t)descriptor, (uint64_t)vectors, 2, 0));
    print_line("all", receive(descriptor, 5, MSG_WAITALL));
    address = address_of(0x01020304, 5);
    print_line("send to", call6(CALL_SENDTO, (uint64_t)descriptor, (uint64_t)"xyz", 3, 0, (uint64_t)&address, sizeof address));
    wait_for(descriptor, POLLIN);
    vectors[0] = (struct vector){ bytes, 2 };
    vectors[1] = (struct vector){ bytes + 2, 9 };
    print_line("read vectors", call(CALL_READV, (uint64_t)descriptor, (uint64_t)vectors, 2, 0));
    print_line("write", call(CALL_WRITE, (uint64_t)descriptor, (uint64_t)"name", 4, 0));
    print_line("receive from", call6(CALL_RECVFROM, (uint64_t)descriptor, (uint64_t)bytes, 4, MSG_WAITALL, (uint64_t)&address, (uint64_t)&size));
    print_line("size", size);
}

static void waiting(int64_t descriptor)
{
    print_line("nothing", receive(descriptor, 10, MSG_DONTWAIT));
    print_line("time", set_time(descriptor, SO_RCVTIMEO, 20000));
    print_line("too late", receive(descriptor, 10, 0));
    print_line("too late", call(CALL_READ, (uint64_t)descriptor, (uint64_t)bytes, 10, 0));
    print_line("no time", set_time(descriptor, SO_RCVTIMEO, 0));
    print_line("available", available(descriptor));
    print_line("empty", send_bytes(descriptor, "", 0, 0));
    print_line("poll", (int64_t)poll_one(descriptor, 0));
    print_line("send", send_bytes(descriptor, "hello", 5, 0));
    print_line("wait", (int64_t)wait_for(descriptor, POLLIN));
    print_line("available", available(descriptor));
    print_line("peek", receive(descriptor, 3, MSG_PEEK));
    print_line("peek", receive(descriptor, 100, MSG_PEEK));
    print_line("bad pointer", call6(CALL_RECVFROM, (uint64_t)descriptor, 8, 5, 0, 0, 0));
    print_line("available", available(descriptor));
    print_line("receive", receive(descriptor, 2, 0));
    print_line("receive", receive(descriptor, 100, 0));
    print_line("first", bytes[0]);
    print_line("bad send", call6(CALL_SENDTO, (uint64_t)descriptor, 8, 5, 0, 0, 0));
}

static int64_t wait_edge(int64_t epoll, int64_t milliseconds)
{
    struct {
        uint32_t events;
        uint64_t data;
    } __attribute__((packed)) event = { 0, 0 };
    int64_t count = call(CALL_EPOLL_WAIT, (uint64_t)epoll, (uint64_t)&event, 1, (uint64_t)milliseconds);
    return count <= 0 ? count : (int64_t)event.events;
}

// Without waiting.
static int64_t look_for_edge(int64_t epoll)
{
    const uint64_t time[2] = { 0, 10000000 };
    int64_t events = 0;
    for (int i = 0; i < 6000 && events == 0; i++) {
        call(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0);
        events = wait_edge(epoll, 0);
    }
    return events;
}

static void edges(int64_t descriptor)
{
    struct {
        uint32_t events;
        uint64_t data;
    } __attribute__((packed)) event = { 1U << 31 | POLLIN, 5 };
    int64_t epoll = call(CALL_EPOLL_CREATE1, 0, 0, 0, 0);
    print_line("add", call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, (uint64_t)descriptor, (uint64_t)&event));
    print_line("nothing", wait_edge(epoll, 0));
    send_bytes(descriptor, "abc", 3, 0);
    print_line("edge", wait_edge(epoll, -1));
    print_line("no edge", wait_edge(epoll, 0));
    // More, while the first is not received.
    send_bytes(descriptor, "def", 3, 0);
    print_line("edge", wait_edge(epoll, 60000));
    print_line("no edge", wait_edge(epoll, 0));
    print_line("receive", receive(descriptor, 6, MSG_WAITALL));
    print_line("nothing", wait_edge(epoll, 20));
    send_bytes(descriptor, "abc", 3, 0);
    print_line("edge", wait_edge(epoll, -1));
    print_line("receive", receive(descriptor, 100, 0));
    send_bytes(descriptor, "ghi", 3, 0);
    print_line("found", look_for_edge(epoll));
    print_line("receive", receive(descriptor, 100, 0));
    close_file(epoll);
}

static void half_close(int64_t descriptor)
{
    uint64_t set = 1UL << descriptor;
    int64_t copy = call(CALL_DUP, (uint64_t)descriptor, 0, 0, 0);
    print_line("close one", close_file(descriptor));
    print_line("send", send_bytes(copy, "bye", 3, 0));
    print_line("shut down", call(CALL_SHUTDOWN, (uint64_t)copy, SHUT_WR, 0, 0));
    print_line("send after", send_bytes(copy, "x", 1, MSG_NOSIGNAL));
    print_line("receive", receive(copy, 3, MSG_WAITALL));
    set = 1UL << copy;
    print_line("select", call6(CALL_SELECT, (uint64_t)copy + 1, (uint64_t)&set, 0, 0, 0, 0));
    print_line("wait", (int64_t)wait_for(copy, POLLRDHUP));
    print_line("poll", (int64_t)poll_one(copy, 0));
    print_line("end", receive(copy, 10, 0));
    print_line("end", receive(copy, 10, MSG_PEEK));
    print_line("close", close_file(copy));
}

static void without_waiting(uint64_t port, uint64_t refused)
{
    int32_t on = 1;
    int64_t descriptor = create(O_NONBLOCK);
    print_line("connect", connect_to(descriptor, LOOPBACK, port));
    print_line("wait", (int64_t)wait_for(descriptor, POLLOUT));
    print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
    print_line("receive", receive(descriptor, 10, 0));
    print_line("connect", connect_to(descriptor, LOOPBACK, port));
    print_line("connect", connect_to(descriptor, LOOPBACK, port));
    close_file(descriptor);
    descriptor = create(0);
    print_line("later", call(CALL_IOCTL, (uint64_t)descriptor, FIONBIO, (uint64_t)&on, 0));
    print_line("refused", connect_to(descriptor, LOOPBACK, refused));
    wait_for(descriptor, POLLOUT);
    print_line("poll", (int64_t)poll_one(descriptor, 0));
    print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
    print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
    print_line("poll", (int64_t)poll_one(descriptor, 0));
    print_line("receive", receive(descriptor, 10, 0));
    print_line("aborted", connect_to(descriptor, LOOPBACK, refused));
    print_line("again", connect_to(descriptor, LOOPBACK, refused));
    wait_for(descriptor, POLLOUT);
    print_line("refused", connect_to(descriptor, LOOPBACK, refused));
    print_line("other", connect_to(descriptor, LOOPBACK, port));
    print_line("wait", (int64_t)wait_for(descriptor, POLLOUT));
    print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
    close_file(descriptor);
}

// What is the same on Linux.
static int network_calls(uint64_t port, uint64_t refused)
{
    struct address peer = { 0 };
    uint32_t size = sizeof peer;
    unconnected();
    int64_t descriptor = create(0);
    print_line("refused", connect_to(descriptor, LOOPBACK, refused));
    print_line("error", get_option(descriptor, SOL_SOCKET, SO_ERROR));
    print_line("connect", connect_to(descriptor, LOOPBACK, port));
    print_line("connected", connect_to(descriptor, LOOPBACK, port));
    print_line("peer", call(CALL_GETPEERNAME, (uint64_t)descriptor, (uint64_t)&peer, (uint64_t)&size, 0));
    print_line("size", size);
    print_line("same", peer.port == swapped(port) && peer.address == __builtin_bswap32(LOOPBACK) && peer.family == AF_INET);
    size = 2;
    print_line("part", call(CALL_GETPEERNAME, (uint64_t)descriptor, (uint64_t)&peer, (uint64_t)&size, 0));
    print_line("size", size);
    options(descriptor);
    waiting(descriptor);
    messages(descriptor);
    edges(descriptor);
    half_close(descriptor);
    without_waiting(port, refused);
    exchange(open_connection(port));
    return 0;
}

// SIGPIPE ends the program.
static int network_pipe(uint64_t port)
{
    int64_t descriptor = open_connection(port);
    call(CALL_SHUTDOWN, (uint64_t)descriptor, SHUT_WR, 0, 0);
    print_line("write", write_text(descriptor, "x"));
    return 0;
}

static int network_refused(uint64_t port)
{
    struct address address = address_of(LOOPBACK, 0);
    struct address6 mapped = { AF_INET6, swapped(port), 0, { 0 }, 0 };
    mapped.address[10] = mapped.address[11] = 0xFF;
    mapped.address[12] = 127;
    mapped.address[15] = 1;
    int64_t descriptor = create(0);
    int64_t other = call(CALL_SOCKET, AF_INET6, SOCK_STREAM, 0, 0);
    print_line("raw", call(CALL_SOCKET, AF_INET, SOCK_RAW, IPPROTO_TCP, 0));
    print_line("local", call(CALL_SOCKET, AF_UNIX, SOCK_STREAM, 0, 0));
    print_line("netlink", call(CALL_SOCKET, AF_NETLINK, SOCK_RAW, 0, 0));
    print_line("packet", call(CALL_SOCKET, AF_PACKET, SOCK_RAW, 0, 0));
    print_line("bind", call(CALL_BIND, (uint64_t)descriptor, (uint64_t)&address, sizeof address, 0));
    print_line("listen", call(CALL_LISTEN, (uint64_t)descriptor, 5, 0, 0));
    print_line("other port", connect_to(descriptor, LOOPBACK, port + 1));
    print_line("other address", connect_to(descriptor, LOOPBACK + 1, port));
    print_line("any address", connect_to(descriptor, 0, port));
    print_line("name that is not there", connect_to(descriptor, 0xC6120001, port));
    print_line("mapped", call(CALL_CONNECT, (uint64_t)other, (uint64_t)&mapped, sizeof mapped, 0));
    mapped.address[10] = mapped.address[11] = mapped.address[12] = 0;
    print_line("loopback", call(CALL_CONNECT, (uint64_t)descriptor, (uint64_t)&mapped, sizeof mapped, 0));
    print_line("out of band", send_bytes(other, "x", 1, 1));
    exchange(other);
    return 0;
}

// As many as there may be.
static int network_many(uint64_t port)
{
    int64_t count = 0;
    int64_t result;
    int64_t last;
    for (;;) {
        last = create(0);
        result = last < 0 ? last : connect_to(last, LOOPBACK, port);
        if (result < 0) {
            break;
        }
        count++;
    }
    print_line("connections", count);
    print_line("error", result);
    print_line("close", close_file(last - 1));
    print_line("again", connect_to(last, LOOPBACK, port));
    return 0;
}

// Sends, and ends without waiting: with what follows, after it has closed the connection.
static int network_close(uint64_t port, uint64_t size, int closes)
{
    int64_t descriptor = open_connection(port);
    fill(size);
    print_line("sent", send_bytes(descriptor, bytes, size, 0));
    if (closes) {
        print_line("closed", close_file(descriptor));
    }
    return 0;
}

// To a server that does not read.
static int network_flood(uint64_t port)
{
    int64_t descriptor = open_connection(port);
    int64_t result;
    while ((result = send_bytes(descriptor, bytes, sizeof bytes, MSG_NOSIGNAL)) > 0) {
    }
    print_line("error", result);
    return 0;
}

// From a server that sends without end, which it does not read.
static int network_wait(uint64_t port)
{
    int64_t descriptor = open_connection(port);
    call(CALL_POLL, 0, 0, (uint64_t)-1, 0);
    return (int)descriptor;
}

// On the way to the checkpoint, and after it.
static int network_ready(uint64_t port)
{
    print_line("before", create(0));
    int64_t ready = open_file("/dev/hyperlight/ready", O_RDONLY, 0);
    call(CALL_READ, (uint64_t)ready, (uint64_t)bytes, sizeof bytes, 0);
    exchange(open_connection(port));
    return 0;
}

int network(const char *name, const struct start *start)
{
    uint64_t first = start->argument_count > 2 ? parse_number(start->arguments[2]) : 0;
    uint64_t second = start->argument_count > 3 ? parse_number(start->arguments[3]) : 0;
    if (equal(name, "network")) {
        exchange(open_connection(first));
        return 0;
    }
    if (equal(name, "network-calls")) {
        return network_calls(first, second);
    }
    if (equal(name, "network-pipe")) {
        return network_pipe(first);
    }
    if (equal(name, "network-refused")) {
        return network_refused(first);
    }
    if (equal(name, "network-many")) {
        return network_many(first);
    }
    if (equal(name, "network-close") || equal(name, "network-end")) {
        return network_close(first, second, equal(name, "network-close"));
    }
    if (equal(name, "network-flood")) {
        return network_flood(first);
    }
    if (equal(name, "network-ready")) {
        return network_ready(first);
    }
    return equal(name, "network-wait") ? network_wait(first) : network_ends(name, start);
}
