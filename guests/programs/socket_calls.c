// SPDX-License-Identifier: Apache-2.0
//
// The calls of sockets, with a pair of them: no network is needed.

#include "calls.h"
#include "sockets.h"

enum { NO_FAMILY = 99, NO_TYPE = 7 };

static int32_t ends[2];
static char buffer[64];

static int64_t option(uint64_t level, uint64_t which)
{
    int32_t value = -1;
    uint32_t size = sizeof value;
    int64_t result = call6(CALL_GETSOCKOPT, (uint64_t)ends[0], level, which, at(&value), at(&size), 0);
    return result < 0 ? result : value;
}

static void creation(void)
{
    print_line("no family", call(CALL_SOCKET, NO_FAMILY, SOCK_STREAM, 0, 0));
    print_line("no type", call(CALL_SOCKET, AF_INET, NO_TYPE, 0, 0));
    print_line("pair of no family", call(CALL_SOCKETPAIR, NO_FAMILY, SOCK_STREAM, 0, at(ends)));
    print_line("pair of no type", call(CALL_SOCKETPAIR, AF_UNIX, NO_TYPE, 0, at(ends)));
    print_line("pair of no protocol", call(CALL_SOCKETPAIR, AF_UNIX, SOCK_STREAM, 9, at(ends)));
    print_line("bad address", call(CALL_SOCKETPAIR, AF_UNIX, SOCK_STREAM, 0, BAD_ADDRESS));
    print_line("pair", call(CALL_SOCKETPAIR, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, at(ends)));
    print_line("flags", call(CALL_FCNTL, (uint64_t)ends[1], 1, 0, 0));
}

static void options(void)
{
    uint32_t size = 2;
    int32_t value = -1;
    print_line("type", option(SOL_SOCKET, SO_TYPE));
    print_line("domain", option(SOL_SOCKET, SO_DOMAIN));
    print_line("protocol", option(SOL_SOCKET, SO_PROTOCOL));
    print_line("error", option(SOL_SOCKET, SO_ERROR));
    print_line("no option", option(SOL_SOCKET, SO_NONE));
    print_line("a part", call6(CALL_GETSOCKOPT, (uint64_t)ends[0], SOL_SOCKET, SO_TYPE, at(&value), at(&size), 0));
    print_line("size", size);
    print_line("value", value);
    print_line("bad address", call6(CALL_GETSOCKOPT, (uint64_t)ends[0], SOL_SOCKET, SO_TYPE, at(&value), BAD_ADDRESS, 0));
    print_line("bad address", call6(CALL_GETSOCKOPT, (uint64_t)ends[0], SOL_SOCKET, SO_TYPE, BAD_ADDRESS, at(&size), 0));
    size = (uint32_t)-1;
    print_line("negative size", call6(CALL_GETSOCKOPT, (uint64_t)ends[0], SOL_SOCKET, SO_TYPE, at(&value), at(&size), 0));
    print_line("set no option", call6(CALL_SETSOCKOPT, (uint64_t)ends[0], SOL_SOCKET, SO_NONE, at(&value), 4, 0));
    print_line("set the type", call6(CALL_SETSOCKOPT, (uint64_t)ends[0], SOL_SOCKET, SO_TYPE, at(&value), 4, 0));
}

static void names(void)
{
    uint16_t name[8] = { 0 };
    uint32_t size = sizeof name;
    print_line("getsockname", call(CALL_GETSOCKNAME, (uint64_t)ends[0], at(name), at(&size), 0));
    print_line("family", name[0]);
    print_line("size", size);
    size = 1;
    print_line("getpeername", call(CALL_GETPEERNAME, (uint64_t)ends[0], at(name), at(&size), 0));
    print_line("size", size);
    print_line("bad address", call(CALL_GETSOCKNAME, (uint64_t)ends[0], BAD_ADDRESS, at(&size), 0));
    print_line("bad address of the size", call(CALL_GETSOCKNAME, (uint64_t)ends[0], at(name), BAD_ADDRESS, 0));
    print_line("bad address of the size", call(CALL_GETPEERNAME, (uint64_t)ends[0], at(name), BAD_ADDRESS, 0));
    size = (uint32_t)-1;
    print_line("negative size", call(CALL_GETSOCKNAME, (uint64_t)ends[0], at(name), at(&size), 0));
    print_line("accept", call(CALL_ACCEPT, (uint64_t)ends[0], 0, 0, 0));
    print_line("accept4", call(CALL_ACCEPT4, (uint64_t)ends[0], 0, 0, O_CLOEXEC));
    print_line("wrong flags", call(CALL_ACCEPT4, (uint64_t)ends[0], 0, 0, 1));
}

static void messages(void)
{
    const struct vector two[2] = { { "one", 3 }, { " two", 4 } };
    const struct vector into[2] = { { buffer, 2 }, { buffer + 2, 20 } };
    const struct vector bad[1] = { { (const void *)BAD_ADDRESS, 3 } };
    struct message message = { .vectors = two, .vector_count = 2 };
    uint32_t size = 16;
    print_line("sendmsg", call(CALL_SENDMSG, (uint64_t)ends[0], at(&message), 0, 0));
    message = (struct message){ .vectors = into, .vector_count = 2, .flags = 55 };
    print_line("recvmsg", call(CALL_RECVMSG, (uint64_t)ends[1], at(&message), 0, 0));
    buffer[7] = 0;
    print(buffer);
    print("\n");
    print_line("flags", (int64_t)message.flags);
    print_line("nothing", call(CALL_RECVMSG, (uint64_t)ends[1], at(&message), MSG_DONTWAIT, 0));
    print_line("bad message", call(CALL_SENDMSG, (uint64_t)ends[0], BAD_ADDRESS, 0, 0));
    print_line("bad message", call(CALL_RECVMSG, (uint64_t)ends[1], BAD_ADDRESS, MSG_DONTWAIT, 0));
    message.vector_count = 1025;
    print_line("too many", call(CALL_SENDMSG, (uint64_t)ends[0], at(&message), 0, 0));
    print_line("too many", call(CALL_RECVMSG, (uint64_t)ends[1], at(&message), MSG_DONTWAIT, 0));
    message = (struct message){ .vectors = (const struct vector *)BAD_ADDRESS, .vector_count = 1 };
    print_line("bad vectors", call(CALL_SENDMSG, (uint64_t)ends[0], at(&message), 0, 0));
    message = (struct message){ .vectors = bad, .vector_count = 1 };
    print_line("bad address", call(CALL_SENDMSG, (uint64_t)ends[0], at(&message), 0, 0));
    print_line("sendto", call6(CALL_SENDTO, (uint64_t)ends[0], at("text"), 4, 0, 0, 0));
    print_line("recvfrom", call6(CALL_RECVFROM, (uint64_t)ends[1], at(buffer), 20, 0, at(buffer + 32), at(&size)));
    print_line("size", size);
    print_line("bad address", call6(CALL_SENDTO, (uint64_t)ends[0], BAD_ADDRESS, 4, 0, 0, 0));
    print_line("nothing", call6(CALL_RECVFROM, (uint64_t)ends[1], at(buffer), 20, MSG_DONTWAIT, 0, 0));
    print_line("shut what", call(CALL_SHUTDOWN, (uint64_t)ends[0], SHUT_NONE, 0, 0));
    print_line("shut down", call(CALL_SHUTDOWN, (uint64_t)ends[0], SHUT_WR, 0, 0));
    print_line("end", call6(CALL_RECVFROM, (uint64_t)ends[1], at(buffer), 20, 0, 0, 0));
}

int socket_calls(void)
{
    creation();
    options();
    names();
    messages();
    close_file(ends[0]);
    close_file(ends[1]);
    return 0;
}
