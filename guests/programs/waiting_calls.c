// SPDX-License-Identifier: Apache-2.0
//
// Descriptors that are waited for, and the calls that make and close descriptors.

#include "calls.h"
#include "signals.h"

#define MASK_SIZE 8
#define IN 1U

static int32_t ends[2];
static char buffer[64];
// One byte too long for the name of a memory file.
static char long_name[251];

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

struct poll_entry {
    int32_t descriptor;
    int16_t events, returned;
};

static int64_t flags_of(int64_t descriptor)
{
    return call(CALL_FCNTL, (uint64_t)descriptor, 1, 0, 0);
}

static void creation(void)
{
    print_line("pipe", call(CALL_PIPE, at(ends), 0, 0, 0));
    print_line("next to each other", ends[1] - ends[0]);
    print_line("write", call(CALL_WRITE, (uint64_t)ends[1], at("text"), 4, 0));
    print_line("read", call(CALL_READ, (uint64_t)ends[0], at(buffer), 10, 0));
    print_line("bad address", call(CALL_PIPE, BAD_ADDRESS, 0, 0, 0));
    int64_t event = call(CALL_EVENTFD, 5, 0, 0, 0);
    print_line("eventfd", call(CALL_READ, (uint64_t)event, at(buffer), 8, 0));
    print_line("value", *(int64_t *)buffer);
    close_file(event);
    int64_t epoll = call(CALL_EPOLL_CREATE, 1, 0, 0, 0);
    print_line("epoll_create", epoll > 0);
    print_line("close", close_file(epoll));
    print_line("of nothing", call(CALL_EPOLL_CREATE, 0, 0, 0, 0));
    print_line("negative", call(CALL_EPOLL_CREATE, (uint64_t)-1, 0, 0, 0));
    print_line("wrong flags", call(CALL_EPOLL_CREATE1, 1, 0, 0, 0));
    int64_t memory = call(CALL_MEMFD_CREATE, at("memory"), 1, 0, 0);
    print_line("memfd_create", flags_of(memory));
    print_line("wrong flags", call(CALL_MEMFD_CREATE, at("memory"), 0x1000, 0, 0));
    print_line("bad address", call(CALL_MEMFD_CREATE, BAD_ADDRESS, 0, 0, 0));
    for (size_t i = 0; i < sizeof long_name - 1; i++) {
        long_name[i] = 'n';
    }
    print_line("long name", call(CALL_MEMFD_CREATE, at(long_name), 0, 0, 0));
    print_line("longest name", close_file(call(CALL_MEMFD_CREATE, at(long_name + 1), 0, 0, 0)));
    print_line("dup3", call(CALL_DUP3, (uint64_t)memory, 50, O_CLOEXEC, 0));
    print_line("flags", flags_of(50));
    print_line("wrong flags", call(CALL_DUP3, (uint64_t)memory, 50, 1, 0));
    print_line("to itself", call(CALL_DUP3, 50, 50, 0, 0));
    print_line("dup", flags_of(call(CALL_DUP, 50, 0, 0, 0)));
    print_line("dup2", call(CALL_DUP2, (uint64_t)memory, 51, 0, 0));
    enum { UNSHARE = 2, CLOEXEC = 4, UNKNOWN = 8 };
    print_line("close_range", call(CALL_CLOSE_RANGE, 51, 60, CLOEXEC, 0));
    print_line("flags", flags_of(51));
    print_line("unshare", call(CALL_CLOSE_RANGE, 51, 51, UNSHARE, 0));
    print_line("closed", flags_of(51));
    print_line("wrong flags", call(CALL_CLOSE_RANGE, 51, 60, UNKNOWN, 0));
    print_line("wrong range", call(CALL_CLOSE_RANGE, 60, 51, 0, 0));
    print_line("duplicate and close at exec", flags_of(call(CALL_FCNTL, (uint64_t)memory, 1030, 60, 0)));
    print_line("close at exec", call(CALL_IOCTL, (uint64_t)ends[0], 0x5451, 0, 0));
    print_line("flags", flags_of(ends[0]));
    print_line("not at exec", call(CALL_IOCTL, (uint64_t)ends[0], 0x5450, 0, 0));
    print_line("flags", flags_of(ends[0]));
    print_line("set flags", call(CALL_FCNTL, (uint64_t)ends[0], 2, 1, 0));
    print_line("flags", flags_of(ends[0]));
    print_line("do not wait", call(CALL_IOCTL, (uint64_t)ends[0], 0x5421, at(&ends[1]), 0));
    print_line("empty", call(CALL_READ, (uint64_t)ends[0], at(buffer), 1, 0));
    print_line("bad address", call(CALL_IOCTL, (uint64_t)ends[0], 0x5421, BAD_ADDRESS, 0));
    print_line("bad address", call(CALL_IOCTL, (uint64_t)ends[0], 0x541B, BAD_ADDRESS, 0));
    print_line("no request", call(CALL_IOCTL, (uint64_t)ends[0], 0x12345678, 0, 0));
}

static volatile int signals_received;

static void receive(int signal)
{
    signals_received += signal;
}

// The mask of a call, and its size.
struct mask {
    const uint64_t *mask;
    uint64_t size;
};

static void selection(void)
{
    const int64_t none[2] = { 0, 0 };
    const int64_t wrong[2] = { 0, 1000000000 };
    const int64_t negative[2] = { -1, 0 };
    const uint64_t empty = 0;
    uint64_t set = 1UL << ends[0];
    const struct mask mask = { &empty, MASK_SIZE }, wrong_mask = { &empty, 4 };
    const struct mask bad_mask = { (const uint64_t *)BAD_ADDRESS, MASK_SIZE };
    print_line("pselect6", call6(CALL_PSELECT6, 64, at(&set), 0, 0, at(none), at(&mask)));
    print_line("not ready", set == 0);
    call(CALL_WRITE, (uint64_t)ends[1], at("x"), 1, 0);
    set = 1UL << ends[0];
    print_line("ready", call6(CALL_PSELECT6, 64, at(&set), 0, 0, 0, 0));
    print_line("the same", set == 1UL << ends[0]);
    print_line("negative", call6(CALL_PSELECT6, (uint64_t)-1, at(&set), 0, 0, at(none), 0));
    print_line("bad address", call6(CALL_PSELECT6, 64, BAD_ADDRESS, 0, 0, at(none), 0));
    print_line("bad time", call6(CALL_PSELECT6, 64, at(&set), 0, 0, BAD_ADDRESS, 0));
    print_line("wrong time", call6(CALL_PSELECT6, 64, at(&set), 0, 0, at(wrong), 0));
    print_line("negative time", call6(CALL_PSELECT6, 64, at(&set), 0, 0, at(negative), 0));
    print_line("wrong mask", call6(CALL_PSELECT6, 64, at(&set), 0, 0, at(none), at(&wrong_mask)));
    print_line("bad mask", call6(CALL_PSELECT6, 64, at(&set), 0, 0, at(none), at(&bad_mask)));
    print_line("bad address of the mask", call6(CALL_PSELECT6, 64, at(&set), 0, 0, at(none), BAD_ADDRESS));
    print_line("select", call6(CALL_SELECT, 64, BAD_ADDRESS, 0, 0, at(none), 0));
    print_line("bad time", call6(CALL_SELECT, 64, at(&set), 0, 0, BAD_ADDRESS, 0));
    print_line("negative time", call6(CALL_SELECT, 64, at(&set), 0, 0, at(negative), 0));
    print_line("poll", call(CALL_POLL, 0, 0, 0, 0));
    print_line("bad address", call(CALL_POLL, BAD_ADDRESS, 1, 0, 0));
    print_line("ppoll", call6(CALL_PPOLL, 0, 0, at(none), at(&empty), MASK_SIZE, 0));
    print_line("bad time", call6(CALL_PPOLL, 0, 0, BAD_ADDRESS, 0, 0, 0));
    print_line("wrong time", call6(CALL_PPOLL, 0, 0, at(wrong), 0, 0, 0));
    print_line("bad mask", call6(CALL_PPOLL, 0, 0, at(none), BAD_ADDRESS, MASK_SIZE, 0));
    print_line("wrong mask", call6(CALL_PPOLL, 0, 0, at(none), at(&empty), 4, 0));
}

static void events(void)
{
    const uint64_t empty = 0;
    const struct epoll_event wanted = { IN, 7 };
    struct epoll_event found[2];
    int64_t epoll = call(CALL_EPOLL_CREATE1, 0, 0, 0, 0);
    int64_t file = open_file("/", O_RDONLY, 0);
    print_line("epoll_ctl", call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, (uint64_t)ends[0], at(&wanted)));
    print_line("a directory", call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, (uint64_t)file, at(&wanted)));
    print_line("no operation", call(CALL_EPOLL_CTL, (uint64_t)epoll, 9, (uint64_t)ends[0], at(&wanted)));
    print_line("bad address", call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, (uint64_t)ends[1], BAD_ADDRESS));
    print_line("epoll_pwait", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(found), 2, 0, at(&empty), MASK_SIZE));
    print_line("data", (int64_t)found[0].data);
    print_line("without a mask", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(found), 2, (uint64_t)-1, 0, 0));
    print_line("wrong mask", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(found), 2, 0, at(&empty), 4));
    print_line("bad mask", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(found), 2, 0, BAD_ADDRESS, MASK_SIZE));
    print_line("no space", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(found), 0, 0, 0, 0));
    print_line("bad address", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, BAD_ADDRESS, 2, 0, 0, 0));
    print_line("epoll_wait", call(CALL_EPOLL_WAIT, (uint64_t)epoll, BAD_ADDRESS, 2, 0));
    print_line("negative", call(CALL_EPOLL_WAIT, (uint64_t)epoll, at(found), (uint64_t)-1, 0));
    close_file(file);
    close_file(epoll);
}

// A signal that is pending is received during a call whose mask permits it.
static void masks(void)
{
    const uint64_t blocked = 1UL << 9, empty = 0;
    const struct mask mask = { &empty, MASK_SIZE };
    int64_t epoll = call(CALL_EPOLL_CREATE1, 0, 0, 0, 0);
    set_handler(10, (uint64_t)receive, 0, 0);
    call(CALL_RT_SIGPROCMASK, 0, at(&blocked), 0, MASK_SIZE);
    send_self(10);
    print_line("pselect6", call6(CALL_PSELECT6, 0, 0, 0, 0, 0, at(&mask)));
    print_line("signals", signals_received);
    send_self(10);
    print_line("ppoll", call6(CALL_PPOLL, 0, 0, 0, at(&empty), MASK_SIZE, 0));
    print_line("signals", signals_received);
    send_self(10);
    print_line("epoll_pwait", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(buffer), 1, (uint64_t)-1, at(&empty), MASK_SIZE));
    print_line("signals", signals_received);
    const int64_t none[2] = { 0, 0 };
    send_self(10);
    print_line("pselect6 without a wait", call6(CALL_PSELECT6, 0, 0, 0, 0, at(none), at(&mask)));
    print_line("signals", signals_received);
    send_self(10);
    print_line("ppoll without a wait", call6(CALL_PPOLL, 0, 0, at(none), at(&empty), MASK_SIZE, 0));
    print_line("signals", signals_received);
    send_self(10);
    print_line("epoll_pwait without a wait", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(buffer), 1, 0, at(&empty), MASK_SIZE));
    print_line("signals", signals_received);
    // A call that has a result does not receive it.
    uint64_t set = 1UL << ends[0];
    struct poll_entry entry = { ends[0], IN, 0 };
    const struct epoll_event wanted = { IN, 7 };
    call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, (uint64_t)ends[0], at(&wanted));
    print_line("pselect6 with a result", call6(CALL_PSELECT6, 64, at(&set), 0, 0, 0, at(&mask)));
    print_line("ppoll with a result", call6(CALL_PPOLL, at(&entry), 1, 0, at(&empty), MASK_SIZE, 0));
    print_line("epoll_pwait with a result", call6(CALL_EPOLL_PWAIT, (uint64_t)epoll, at(buffer), 1, (uint64_t)-1, at(&empty), MASK_SIZE));
    print_line("signals", signals_received);
    call(CALL_RT_SIGPROCMASK, 1, at(&blocked), 0, MASK_SIZE);
    print_line("signals", signals_received);
    close_file(epoll);
}

static void set_most_descriptors(uint64_t count)
{
    uint64_t limit[2];
    call(CALL_GETRLIMIT, 7, at(limit), 0, 0);
    limit[0] = count;
    call(CALL_SETRLIMIT, 7, at(limit), 0, 0);
}

// None is left, or one where two are needed.
static void limits(void)
{
    call(CALL_CLOSE_RANGE, 3, ~0U, 0, 0);
    set_most_descriptors(3);
    print_line("open", open_file("/", O_RDONLY, 0));
    print_line("dup", call(CALL_DUP, 0, 0, 0, 0));
    print_line("dup2", call(CALL_DUP2, 0, 3, 0, 0));
    print_line("dup3", call(CALL_DUP3, 0, 3, 0, 0));
    print_line("fcntl", call(CALL_FCNTL, 0, 0, 3, 0));
    print_line("fcntl from the first on", call(CALL_FCNTL, 0, 0, 0, 0));
    print_line("pipe", call(CALL_PIPE, at(ends), 0, 0, 0));
    print_line("pipe2", call(CALL_PIPE2, at(ends), 0, 0, 0));
    print_line("socketpair", call(CALL_SOCKETPAIR, 1, 1, 0, at(ends)));
    print_line("eventfd", call(CALL_EVENTFD, 0, 0, 0, 0));
    print_line("eventfd2", call(CALL_EVENTFD2, 0, 0, 0, 0));
    print_line("epoll_create", call(CALL_EPOLL_CREATE, 1, 0, 0, 0));
    print_line("epoll_create1", call(CALL_EPOLL_CREATE1, 0, 0, 0, 0));
    print_line("memfd_create", call(CALL_MEMFD_CREATE, at("memory"), 0, 0, 0));
    set_most_descriptors(4);
    print_line("pipe", call(CALL_PIPE, at(ends), 0, 0, 0));
    print_line("socketpair", call(CALL_SOCKETPAIR, 1, 1, 0, at(ends)));
    print_line("one is left", call(CALL_EVENTFD, 0, 0, 0, 0));
}

int waiting_calls(void)
{
    creation();
    selection();
    events();
    masks();
    limits();
    return 0;
}
