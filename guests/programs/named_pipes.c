// SPDX-License-Identifier: Apache-2.0
//
// Named pipes.

#include "files.h"
#include "signals.h"

#define CALL_POLL 7
#define CALL_NANOSLEEP 35
#define CALL_SETITIMER 38
#define CALL_FORK 57
#define CALL_WAIT4 61
#define CALL_MKNOD 133

static const char name[] = "pipe";

static int64_t read_some(int64_t file)
{
    static char text[100];
    int64_t size = call(CALL_READ, (uint64_t)file, (uint64_t)text, sizeof text - 1, 0);
    if (size > 0) {
        text[size] = 0;
        print(text);
        print("\n");
    }
    return size;
}

static void pause_briefly(void)
{
    const int64_t time[2] = { 0, 400000000 };
    call(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0);
}

static void wait_for(int64_t process)
{
    uint32_t status = 0;
    while (call(CALL_WAIT4, (uint64_t)process, (uint64_t)&status, 0, 0) == -4) {
    }
    print_line("status", status);
}

static void print_events(int64_t file)
{
    struct {
        int32_t file;
        int16_t wanted, events;
    } entry = { (int32_t)file, 1, 0 };
    print_line("ready", call(CALL_POLL, (uint64_t)&entry, 1, 0, 0));
    print_line("events", entry.events);
}

static int64_t make_pipe(void)
{
    return call(CALL_MKNOD, (uint64_t)name, 0010640, 0, 0);
}

static void without_waiting(void)
{
    struct status status;
    print_line("made", make_pipe());
    print_line("made again", make_pipe());
    call(CALL_STAT, (uint64_t)name, (uint64_t)&status, 0, 0);
    print_line("mode", status.mode);
    print_line("size", (int64_t)status.size);
    print_line("no reader", open_file(name, O_WRONLY | O_NONBLOCK, 0));
    int64_t reader = open_file(name, O_RDONLY | O_NONBLOCK, 0);
    print_line("no writer", read_some(reader));
    print_events(reader);
    int64_t writer = open_file(name, O_WRONLY | O_NONBLOCK | O_TRUNC, 0);
    print_line("writer", writer > reader);
    print_line("nothing yet", read_some(reader));
    print_line("write", write_text(writer, "hello"));
    print_line("read", read_some(reader));
    print_line("size", call(CALL_FCNTL, (uint64_t)reader, 1032, 0, 0));
    print_line("seek", call(CALL_LSEEK, (uint64_t)reader, 0, 0, 0));
    print_line("read at a place", call(CALL_PREAD64, (uint64_t)reader, 0, 0, 1));
    print_line("truncate", call(CALL_FTRUNCATE, (uint64_t)writer, 0, 0, 0));
    print_line("truncate by its name", call(CALL_TRUNCATE, (uint64_t)name, 0, 0, 0));
    print_line("synchronize", call(CALL_FSYNC, (uint64_t)writer, 0, 0, 0));
    print_line("map", call6(CALL_MMAP, 0, 4096, 1, 2, (uint64_t)reader, 0));
    print_line("wrong end", write_text(reader, "hello"));
    close_file(writer);
    print_line("no writer again", read_some(reader));
    print_events(reader);
    writer = open_file(name, O_WRONLY, 0);
    close_file(reader);
    print_line("broken", write_text(writer, "hello"));
    close_file(writer);
    int64_t both = open_file(name, O_RDWR, 0);
    print_line("write", write_text(both, "both"));
    reader = open_file(name, O_RDONLY | O_NONBLOCK, 0);
    print_line("rename", call(CALL_RENAME, (uint64_t)name, (uint64_t)"other", 0, 0));
    print_line("removed", call(CALL_UNLINK, (uint64_t)"other", 0, 0, 0));
    print_line("read", read_some(reader));
    close_file(both);
    print_line("end", read_some(reader));
    // The writer was there before this reader.
    print_events(reader);
    close_file(reader);
}

static void ignore(int signal)
{
    (void)signal;
}

static void with_waiting(void)
{
    make_pipe();
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        int64_t reader = open_file(name, O_RDONLY, 0);
        while (read_some(reader) > 0) {
        }
        exit_program(1);
    }
    pause_briefly();
    print("opens\n");
    int64_t writer = open_file(name, O_WRONLY, 0);
    int64_t written = write_text(writer, "hello");
    pause_briefly();
    close_file(writer);
    wait_for(child);
    print_line("written", written);
    child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        pause_briefly();
        print("opens\n");
        // The other end has been opened, although it is closed at once.
        close_file(open_file(name, O_RDONLY, 0));
        exit_program(2);
    }
    writer = open_file(name, O_WRONLY, 0);
    wait_for(child);
    print_line("no reader", write_text(writer, "hello"));
    close_file(writer);
    child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        const int64_t time[4] = { 0, 200000, 0, 200000 };
        set_handler(14, (uint64_t)ignore, 0, 0);
        call(CALL_SETITIMER, 0, (uint64_t)time, 0, 0);
        print_line("interrupted", open_file(name, O_RDONLY, 0));
        exit_program(3);
    }
    wait_for(child);
    print_line("still no reader", open_file(name, O_WRONLY | O_NONBLOCK, 0));
    call(CALL_UNLINK, (uint64_t)name, 0, 0, 0);
}

int named_pipes(void)
{
    call(CALL_UMASK, 022, 0, 0, 0);
    set_handler(13, 1, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    without_waiting();
    with_waiting();
    return leave_directory();
}
