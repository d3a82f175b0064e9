// SPDX-License-Identifier: Apache-2.0
//
// Pipes, sockets and events, and waiting for them.

#include "start.h"
#include "signals.h"
#include "vector.h"

#define CALL_CLOSE 3
#define CALL_POLL 7
#define CALL_WRITEV 20
#define CALL_SELECT 23
#define CALL_NANOSLEEP 35
#define CALL_SENDTO 44
#define CALL_RECVFROM 45
#define CALL_SENDMSG 46
#define CALL_SHUTDOWN 48
#define CALL_SOCKETPAIR 53
#define CALL_EPOLL_WAIT 232
#define CALL_EPOLL_CTL 233
#define CALL_PPOLL 271
#define CALL_EVENTFD2 290
#define CALL_EPOLL_CREATE1 291
#define CALL_PIPE2 293

#define O_NONBLOCK 04000

static uint8_t stack[16384] __attribute__((aligned(16)));
static volatile uint32_t identifier;
static int32_t ends[2];
static uint8_t block[80000];
// More than a socket takes at a time; not in the program, of which some tests have little memory.
#define WHOLE_SIZE (100 * 4096UL)
static uint8_t *whole;

struct poll_entry {
    int32_t descriptor;
    int16_t events, returned;
};

static int64_t read_from(int32_t descriptor, void *bytes, uint64_t size)
{
    return call6(CALL_READ, (uint64_t)descriptor, (uint64_t)bytes, size, 0, 0, 0);
}

static int64_t write_to(int32_t descriptor, const void *bytes, uint64_t size)
{
    return call6(CALL_WRITE, (uint64_t)descriptor, (uint64_t)bytes, size, 0, 0, 0);
}

static int64_t close_file(int32_t descriptor)
{
    return call6(CALL_CLOSE, (uint64_t)descriptor, 0, 0, 0, 0, 0);
}

static int64_t make_pipe(uint64_t flags)
{
    return call6(CALL_PIPE2, (uint64_t)ends, flags, 0, 0, 0, 0);
}

static void pause_briefly(void)
{
    const uint64_t time[2] = { 0, 20000000 };
    call6(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0, 0, 0);
}

static int pipes(void)
{
    char text[16];
    uint32_t count = 0;
    print_line("pipe", make_pipe(O_NONBLOCK));
    print_line("descriptors", ends[1] - ends[0]);
    print_line("empty", read_from(ends[0], text, 8));
    print_line("nothing", read_from(ends[0], text, 0));
    print_line("write", write_to(ends[1], "hello", 5));
    print_line("available", call6(16, (uint64_t)ends[0], 0x541B, (uint64_t)&count, 0, 0, 0));
    print_line("count", count);
    print_line("wrong end", write_to(ends[0], "hello", 5));
    print_line("wrong end", read_from(ends[1], text, 5));
    print_line("seek", call6(8, (uint64_t)ends[0], 0, 0, 0, 0, 0));
    print_line("read", read_from(ends[0], text, 3));
    print_line("read", read_from(ends[0], text, 8));
    print_line("bad pointer", write_to(ends[1], (void *)16, 5));
    // Another pipe: what fits after a write that failed depends on the version of Linux.
    close_file(ends[0]);
    close_file(ends[1]);
    make_pipe(O_NONBLOCK);
    print_line("full", write_to(ends[1], block, sizeof block));
    print_line("full again", write_to(ends[1], block, 1));
    print_line("read much", read_from(ends[0], block, 4095));
    print_line("not divided", write_to(ends[1], block, 4096));
    print_line("read one", read_from(ends[0], block, 1));
    print_line("fits", write_to(ends[1], block, 4096));
    print_line("close", close_file(ends[1]));
    int64_t total = 0;
    for (int64_t size; (size = read_from(ends[0], block, 50000)) > 0;) {
        total += size;
    }
    print_line("rest", total);
    print_line("end", read_from(ends[0], text, 8));
    close_file(ends[0]);
    make_pipe(O_NONBLOCK);
    print_line("size", call6(72, (uint64_t)ends[0], 1032, 0, 0, 0, 0));
    print_line("two pages", call6(72, (uint64_t)ends[1], 1031, 5000, 0, 0, 0));
    print_line("size", call6(72, (uint64_t)ends[0], 1032, 0, 0, 0, 0));
    print_line("full", write_to(ends[1], block, sizeof block));
    print_line("more than a page", call6(72, (uint64_t)ends[1], 1031, 4096, 0, 0, 0));
    print_line("all", call6(72, (uint64_t)ends[0], 1031, 65536, 0, 0, 0));
    print_line("not full", write_to(ends[1], block, sizeof block));
    print_line("too large", call6(72, (uint64_t)ends[1], 1031, 0x80000001, 0, 0, 0));
    print_line("no pipe", call6(72, 99, 1032, 0, 0, 0, 0));
    close_file(ends[0]);
    close_file(ends[1]);
    make_pipe(0);
    close_file(ends[0]);
    set_handler(13, 1, 0, 0);
    print_line("no reader", write_to(ends[1], "x", 1));
    print_line("flags", make_pipe(1));
    print_line("bad address", call6(CALL_PIPE2, 16, 0, 0, 0, 0, 0));
    return 0;
}

static int broken_pipe(void)
{
    // What started the program may have ignored the signal.
    set_handler(13, 0, 0, 0);
    make_pipe(0);
    close_file(ends[0]);
    write_to(ends[1], "x", 1);
    return 1;
}

// A writer that waits for space.
static void write_much(uint64_t unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = (uint8_t)(i % 251);
    }
    print_line("written", write_to(ends[1], block, sizeof block));
    close_file(ends[1]);
}

static int blocking_pipe(void)
{
    static uint8_t part[3000];
    uint64_t position = 0;
    int64_t size;
    uint64_t different = 0;
    make_pipe(0);
    start_thread((uint64_t)write_much, 0, (uint64_t)(stack + sizeof stack), &identifier);
    while ((size = read_from(ends[0], part, sizeof part)) > 0) {
        for (int64_t i = 0; i < size; i++) {
            different += part[i] != (uint8_t)((position + (uint64_t)i) % 251);
        }
        position += (uint64_t)size;
    }
    join_thread(&identifier);
    print_line("read", (int64_t)position);
    print_line("different", (int64_t)different);
    return 0;
}

static void write_later(uint64_t descriptor)
{
    pause_briefly();
    write_to((int32_t)descriptor, "12345678", 8);
}

static void print_entry(const struct poll_entry *entry)
{
    print_line("  events", entry->returned);
}

static int polls(void)
{
    const uint64_t none[2] = { 0, 0 };
    make_pipe(0);
    struct poll_entry entries[] = { { ends[0], 1, 0 }, { ends[1], 4, 0 }, { 99, 1, 0 }, { -1, 1, 5 } };
    print_line("poll", call6(CALL_POLL, (uint64_t)entries, 4, 0, 0, 0, 0));
    for (unsigned i = 0; i < 4; i++) {
        print_entry(&entries[i]);
    }
    print_line("timeout", call6(CALL_POLL, (uint64_t)entries, 1, 5, 0, 0, 0));
    print_line("bad pointer", call6(CALL_POLL, 16, 1, 0, 0, 0, 0));
    start_thread((uint64_t)write_later, (uint64_t)ends[1], (uint64_t)(stack + sizeof stack), &identifier);
    print_line("waits", call6(CALL_POLL, (uint64_t)entries, 1, (uint64_t)-1, 0, 0, 0));
    print_entry(&entries[0]);
    join_thread(&identifier);
    print_line("ppoll", call6(CALL_PPOLL, (uint64_t)entries, 2, (uint64_t)none, 0, 8, 0));
    print_line("mask size", call6(CALL_PPOLL, (uint64_t)entries, 2, (uint64_t)none, (uint64_t)none, 7, 0));
    uint64_t in = 1UL << ends[0];
    uint64_t out = 1UL << ends[1];
    print_line("select", call6(CALL_SELECT, 64, (uint64_t)&in, (uint64_t)&out, 0, (uint64_t)none, 0));
    print_line("in", in == 1UL << ends[0]);
    print_line("out", out == 1UL << ends[1]);
    in = 1UL << 60;
    print_line("closed", call6(CALL_SELECT, 64, (uint64_t)&in, 0, 0, (uint64_t)none, 0));
    print_line("negative", call6(CALL_SELECT, (uint64_t)-1, 0, 0, 0, (uint64_t)none, 0));
    close_file(ends[1]);
    print_line("hang up", call6(CALL_POLL, (uint64_t)entries, 1, 0, 0, 0, 0));
    print_entry(&entries[0]);
    return 0;
}

static int events(void)
{
    uint64_t value = 0;
    const uint64_t three = 3;
    const uint64_t most = ~0UL;
    int32_t event = (int32_t)call6(CALL_EVENTFD2, 2, O_NONBLOCK, 0, 0, 0, 0);
    print_line("read", read_from(event, &value, 8));
    print_line("value", (int64_t)value);
    print_line("empty", read_from(event, &value, 8));
    print_line("small", read_from(event, &value, 7));
    print_line("write", write_to(event, &three, 8));
    print_line("too much", write_to(event, &most, 8));
    struct poll_entry entry = { event, 5, 0 };
    print_line("poll", call6(CALL_POLL, (uint64_t)&entry, 1, 0, 0, 0, 0));
    print_entry(&entry);
    close_file(event);
    event = (int32_t)call6(CALL_EVENTFD2, 0, 1, 0, 0, 0, 0);
    write_to(event, &three, 8);
    for (int i = 0; i < 3; i++) {
        read_from(event, &value, 8);
        print_line("semaphore", (int64_t)value);
    }
    start_thread((uint64_t)write_later, (uint64_t)event, (uint64_t)(stack + sizeof stack), &identifier);
    print_line("waits", read_from(event, &value, 8));
    join_thread(&identifier);
    print_line("flags", call6(CALL_EVENTFD2, 0, 2, 0, 0, 0, 0));
    return 0;
}

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

static int64_t control(int32_t epoll, uint64_t operation, int32_t descriptor, uint32_t wanted, uint64_t data)
{
    const struct epoll_event event = { wanted, data };
    return call6(CALL_EPOLL_CTL, (uint64_t)epoll, operation, (uint64_t)descriptor, (uint64_t)&event, 0, 0);
}

static void wait_for_events(const char *name, int32_t epoll, uint64_t timeout)
{
    struct epoll_event found[4];
    int64_t count = call6(CALL_EPOLL_WAIT, (uint64_t)epoll, (uint64_t)found, 4, timeout, 0, 0);
    print_line(name, count);
    for (int64_t i = 0; i < count; i++) {
        print_line("  data", (int64_t)found[i].data);
        print_line("  events", (int64_t)found[i].events);
    }
}

static int epolls(void)
{
    char text[8];
    int32_t epoll = (int32_t)call6(CALL_EPOLL_CREATE1, 0, 0, 0, 0, 0, 0);
    make_pipe(0);
    print_line("add", control(epoll, 1, ends[0], 1, 70));
    print_line("add again", control(epoll, 1, ends[0], 1, 70));
    print_line("add output", control(epoll, 1, ends[1], 4 | 1U << 30, 71));
    print_line("modify nothing", control(epoll, 3, 0, 1, 70));
    print_line("closed", control(epoll, 1, 99, 1, 70));
    print_line("itself", control(epoll, 1, epoll, 1, 70));
    print_line("not an epoll", control(ends[0], 1, ends[1], 1, 70));
    wait_for_events("once", epoll, 0);
    wait_for_events("not again", epoll, 0);
    print_line("modify", control(epoll, 3, ends[1], 4 | 1U << 30, 72));
    wait_for_events("modified", epoll, 0);
    wait_for_events("timeout", epoll, 2);
    start_thread((uint64_t)write_later, (uint64_t)ends[1], (uint64_t)(stack + sizeof stack), &identifier);
    wait_for_events("waits", epoll, (uint64_t)-1);
    join_thread(&identifier);
    wait_for_events("level", epoll, 0);
    print_line("edge", control(epoll, 3, ends[0], 1U << 31 | 1, 73));
    wait_for_events("edge", epoll, 0);
    wait_for_events("no edge", epoll, 0);
    write_to(ends[1], "x", 1);
    wait_for_events("new edge", epoll, 0);
    read_from(ends[0], text, 8);
    print_line("remove", control(epoll, 2, ends[0], 0, 0));
    print_line("remove again", control(epoll, 2, ends[0], 0, 0));
    control(epoll, 3, ends[1], 4, 74);
    close_file(ends[1]);
    wait_for_events("forgotten", epoll, 0);
    print_line("no space", call6(CALL_EPOLL_WAIT, (uint64_t)epoll, (uint64_t)text, 0, 0, 0, 0));
    return 0;
}

static int sockets(void)
{
    char text[16];
    struct poll_entry entry = { 0, 1 | 4 | 0x2000, 0 };
    print_line("family", call6(CALL_SOCKETPAIR, 2, 1, 0, (uint64_t)ends, 0, 0));
    print_line("pair", call6(CALL_SOCKETPAIR, 1, 1, 0, (uint64_t)ends, 0, 0));
    print_line("write", write_to(ends[0], "one", 3));
    print_line("send", call6(CALL_SENDTO, (uint64_t)ends[0], (uint64_t)"two", 3, 0, 0, 0));
    print_line("other way", write_to(ends[1], "back", 4));
    print_line("read", read_from(ends[1], text, 16));
    print_line("receive", call6(CALL_RECVFROM, (uint64_t)ends[0], (uint64_t)text, 16, 0, 0, 0));
    print_line("nothing", call6(CALL_RECVFROM, (uint64_t)ends[0], (uint64_t)text, 16, 0x40, 0, 0));
    start_thread((uint64_t)write_later, (uint64_t)ends[1], (uint64_t)(stack + sizeof stack), &identifier);
    print_line("waits", read_from(ends[0], text, 16));
    join_thread(&identifier);
    print_line("not a socket", call6(CALL_SENDTO, 1, (uint64_t)"two", 3, 0, 0, 0));
    print_line("shut down", call6(CALL_SHUTDOWN, (uint64_t)ends[1], 1, 0, 0, 0, 0));
    print_line("end", read_from(ends[0], text, 16));
    entry.descriptor = ends[0];
    print_line("poll", call6(CALL_POLL, (uint64_t)&entry, 1, 0, 0, 0, 0));
    print_entry(&entry);
    print_line("no signal", call6(CALL_SENDTO, (uint64_t)ends[1], (uint64_t)"two", 3, 0x4000, 0, 0));
    print_line("close", close_file(ends[1]));
    set_handler(13, 1, 0, 0);
    print_line("closed", write_to(ends[0], "x", 1));
    print_line("poll", call6(CALL_POLL, (uint64_t)&entry, 1, 0, 0, 0, 0));
    print_entry(&entry);
    return 0;
}

static struct vector vectors[100];

static volatile int64_t written;

static void write_whole(uint64_t descriptor)
{
    written = write_to((int32_t)descriptor, whole, WHOLE_SIZE);
}

static void write_vectors(uint64_t descriptor)
{
    written = call6(CALL_WRITEV, descriptor, (uint64_t)vectors, 100, 0, 0, 0);
}

static void send_vectors(uint64_t descriptor)
{
    uint64_t message[7] = { 0, 0, (uint64_t)vectors, 100, 0, 0, 0 };
    written = call6(CALL_SENDMSG, descriptor, (uint64_t)message, 0, 0, 0, 0);
}

// A call that has sent a part, and waits to send more, is not a signal when nobody reads
// any more: the next one is.
static int socket_ends(void)
{
    void (*const writers[])(uint64_t) = { write_whole, write_vectors, send_vectors };
    whole = (uint8_t *)call6(CALL_MMAP, 0, WHOLE_SIZE, 3, 0x22, (uint64_t)-1, 0);
    for (size_t i = 0; i < 100; i++) {
        vectors[i] = (struct vector){ whole + i * 4096, 4096 };
    }
    // What starts the program may ignore it.
    set_handler(13, 0, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        call6(CALL_SOCKETPAIR, 1, 1, 0, (uint64_t)ends, 0, 0);
        start_thread((uint64_t)writers[i], (uint64_t)ends[1], (uint64_t)(stack + sizeof stack), &identifier);
        print_line("read", call6(CALL_RECVFROM, (uint64_t)ends[0], (uint64_t)block, 4096, 0x100, 0, 0));
        pause_briefly();
        print_line("close", close_file(ends[0]));
        join_thread(&identifier);
        print_line("written", written > 0);
        close_file(ends[1]);
    }
    call6(CALL_SOCKETPAIR, 1, 1, 0, (uint64_t)ends, 0, 0);
    close_file(ends[0]);
    print_line("signal", write_to(ends[1], "x", 1));
    return 0;
}

static void interrupt(int signal)
{
    print_line("signal", signal);
}

static volatile int has_handler;

static void signal_later(uint64_t unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++) {
        do {
            pause_briefly();
        } while (!has_handler);
        pause_briefly();
        has_handler = 0;
        send_self(10);
    }
    pause_briefly();
    write_to(ends[1], "x", 1);
}

// A read is made again after a handler with SA_RESTART only.
static int restarts(void)
{
    char text[8];
    make_pipe(0);
    set_handler(10, (uint64_t)interrupt, SA_RESETHAND, 0);
    has_handler = 1;
    start_thread((uint64_t)signal_later, 0, (uint64_t)(stack + sizeof stack), &identifier);
    print_line("interrupted", read_from(ends[0], text, 8));
    set_handler(10, (uint64_t)interrupt, 0x10000000, 0);
    has_handler = 1;
    print_line("restarted", read_from(ends[0], text, 8));
    join_thread(&identifier);
    return 0;
}

int pipe_commands(const char *name)
{
    static const struct {
        const char *name;
        int (*function)(void);
    } commands[] = {
        { "pipes", pipes },
        { "broken-pipe", broken_pipe },
        { "blocking-pipe", blocking_pipe },
        { "polls", polls },
        { "events", events },
        { "epolls", epolls },
        { "sockets", sockets },
        { "socket-ends", socket_ends },
        { "restarts", restarts },
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (equal(name, commands[i].name)) {
            return commands[i].function();
        }
    }
    return -1;
}
