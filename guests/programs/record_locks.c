// SPDX-License-Identifier: Apache-2.0
//
// Locks of parts of files: fcntl with F_SETLK and the like.

#include "files.h"
#include "signals.h"

#define CALL_NANOSLEEP 35
#define CALL_SETITIMER 38
#define CALL_FORK 57
#define CALL_EXECVE 59
#define CALL_WAIT4 61
#define CALL_PIPE2 293

enum { GETLK = 5, SETLK = 6, SETLKW = 7, OFD_GETLK = 36, OFD_SETLK = 37, OFD_SETLKW = 38 };
enum { READ = 0, WRITE = 1, UNLOCK = 2 };

struct lock {
    int16_t type, origin;
    int64_t start, size;
    int32_t process;
};

static int64_t one;
static int64_t parent;

static int64_t command(int64_t file, uint64_t number, struct lock lock)
{
    return call(CALL_FCNTL, (uint64_t)file, number, (uint64_t)&lock, 0);
}

static int64_t set(int64_t file, int16_t type, int64_t start, int64_t size)
{
    return command(file, SETLK, (struct lock){ .type = type, .start = start, .size = size });
}

static int64_t wait_and_set(int64_t file, int16_t type, int64_t start, int64_t size)
{
    return command(file, SETLKW, (struct lock){ .type = type, .start = start, .size = size });
}

// What keeps a range from being locked.
static void print_conflict(const char *name, uint64_t number, int64_t file, int16_t type, int64_t start, int64_t size)
{
    struct lock lock = { .type = type, .start = start, .size = size };
    print_line(name, call(CALL_FCNTL, (uint64_t)file, number, (uint64_t)&lock, 0));
    print_line("type", lock.type);
    print_line("start", lock.start);
    print_line("size", lock.size);
    print_line("of the parent", lock.process == parent);
}

static void pause_briefly(void)
{
    const int64_t time[2] = { 0, 400000000 };
    call(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0);
}

static int64_t fork_process(void)
{
    return call(CALL_FORK, 0, 0, 0, 0);
}

static void wait_for(int64_t process)
{
    uint32_t status = 0;
    while (call(CALL_WAIT4, (uint64_t)process, (uint64_t)&status, 0, 0) == -4) {
    }
    print_line("status", status);
}

// What another process finds of the locks: those of its parent are not its own.
static void look(const char *name, int64_t start, int64_t size)
{
    int64_t child = fork_process();
    if (child == 0) {
        print_conflict(name, GETLK, one, WRITE, start, size);
        exit_program(0);
    }
    wait_for(child);
}

static void errors(void)
{
    int64_t reader = open_file("locked", O_RDONLY, 0);
    int64_t writer = open_file("locked", O_WRONLY, 0);
    int64_t place = open_file("locked", O_PATH, 0);
    const int64_t most = INT64_MAX;
    print_line("no type", set(one, 3, 0, 1));
    print_line("negative type", set(one, -1, 0, 1));
    print_line("no origin", command(one, SETLK, (struct lock){ .origin = 3 }));
    print_line("before the file", set(one, READ, -1, 1));
    print_line("to before the file", set(one, READ, 5, -6));
    print_line("too far", command(one, SETLK, (struct lock){ .origin = 2, .start = most }));
    print_line("too long", set(one, READ, 2, most));
    print_line("all", set(one, READ, 0, most));
    print_line("none", set(one, UNLOCK, 0, 0));
    print_line("not for reading", set(writer, READ, 0, 1));
    print_line("not for writing", set(reader, WRITE, 0, 1));
    print_line("unlock without writing", set(reader, UNLOCK, 0, 1));
    print_line("not for a place", set(place, READ, 0, 1));
    print_line("asks without writing", command(reader, GETLK, (struct lock){ .type = WRITE }));
    print_line("asks for nothing", command(one, GETLK, (struct lock){ .type = UNLOCK }));
    print_line("bad address", call(CALL_FCNTL, (uint64_t)one, SETLK, 16, 0));
    print_line("not open", call(CALL_FCNTL, 99, SETLK, 16, 0));
    close_file(reader);
    close_file(writer);
    close_file(place);
}

static void ranges(void)
{
    print_line("lock", set(one, WRITE, 100, 100));
    look("before", 0, 100);
    look("last", 199, 10);
    look("behind", 200, 0);
    print_line("hole", set(one, UNLOCK, 140, 20));
    look("hole", 140, 20);
    look("first part", 0, 150);
    look("second part", 150, 0);
    print_line("less", set(one, READ, 180, 10));
    look("read", 185, 1);
    look("left", 160, 1);
    look("right", 195, 1);
    print_line("more", set(one, WRITE, 170, 20));
    look("one again", 185, 1);
    print_line("beside", set(one, WRITE, 200, 5));
    look("longer", 204, 1);
    print_line("over all", set(one, READ, 10, 0));
    look("to the end", 1000000, 1);
    print_line("backwards", set(one, UNLOCK, 1000, -10));
    look("backwards", 990, 10);
    print_line("here", command(one, SETLK, (struct lock){ .type = UNLOCK, .origin = 1, .start = 5, .size = 5 }));
    look("from the position", 15, 5);
    print_line("end", command(one, SETLK, (struct lock){ .type = UNLOCK, .origin = 2, .start = 20, .size = 2 }));
    look("from the end", 30, 2);
    print_line("none", set(one, UNLOCK, 0, 0));
    look("none", 0, 0);
}

static void conflicts(void)
{
    print_line("read", set(one, READ, 0, 10));
    int64_t child = fork_process();
    if (child == 0) {
        print_line("read too", set(one, READ, 0, 10));
        print_line("not write", set(one, WRITE, 5, 10));
        print_line("write behind", set(one, WRITE, 10, 10));
        exit_program(0);
    }
    wait_for(child);
    print_line("write", set(one, WRITE, 0, 20));
    int64_t again = open_file("locked", O_RDONLY, 0);
    close_file(again);
    look("closed another", 0, 1);
    print_line("write", set(one, WRITE, 0, 20));
    again = open_file("locked", O_PATH, 0);
    close_file(again);
    look("closed a place", 0, 1);
    again = open_file("locked", O_RDONLY, 0);
    call(CALL_DUP2, 0, (uint64_t)again, 0, 0);
    look("replaced", 0, 1);
    close_file(again);
}

static void ignore(int signal)
{
    (void)signal;
}

static void waits(void)
{
    print_line("write", set(one, WRITE, 0, 10));
    int64_t child = fork_process();
    if (child == 0) {
        print_line("waited", wait_and_set(one, READ, 5, 10));
        exit_program(0);
    }
    pause_briefly();
    print("unlocks\n");
    set(one, UNLOCK, 0, 0);
    wait_for(child);
    print_line("write", set(one, WRITE, 0, 10));
    child = fork_process();
    if (child == 0) {
        const int64_t time[4] = { 0, 200000, 0, 200000 };
        set_handler(14, (uint64_t)ignore, 0, 0);
        call(CALL_SETITIMER, 0, (uint64_t)time, 0, 0);
        print_line("interrupted", wait_and_set(one, READ, 5, 10));
        exit_program(0);
    }
    wait_for(child);
    child = fork_process();
    if (child == 0) {
        print_line("held by the child", set(one, WRITE, 20, 10));
        print_line("waited for the parent", wait_and_set(one, WRITE, 0, 10));
        exit_program(0);
    }
    pause_briefly();
    print_line("deadlock", wait_and_set(one, WRITE, 20, 1));
    print_line("something else", wait_and_set(one, WRITE, 40, 1));
    set(one, UNLOCK, 0, 0);
    wait_for(child);
    look("ended", 0, 0);
    // The child still has to run when the parent waits for it in turn.
    set(one, WRITE, 60, 1);
    child = fork_process();
    if (child == 0) {
        print_line("held by the child", set(one, WRITE, 50, 1));
        print_line("handed over", wait_and_set(one, WRITE, 60, 1));
        exit_program(0);
    }
    pause_briefly();
    set(one, UNLOCK, 60, 1);
    print_line("no deadlock", wait_and_set(one, WRITE, 50, 1));
    wait_for(child);
    set(one, UNLOCK, 0, 0);
}

// An executed program has the locks of the process.
static void executes(const struct start *start)
{
    int32_t ends[2];
    char text[1];
    call(CALL_PIPE2, (uint64_t)ends, O_CLOEXEC, 0, 0);
    int64_t child = fork_process();
    if (child == 0) {
        const char *const arguments[] = { start->arguments[0], "sleep", NULL };
        const char *const environment[] = { NULL };
        set(one, WRITE, 3, 4);
        call(CALL_EXECVE, (uint64_t)start->arguments[0], (uint64_t)arguments, (uint64_t)environment, 0);
        exit_program(99);
    }
    close_file(ends[1]);
    call(CALL_READ, (uint64_t)ends[0], (uint64_t)text, 1, 0);
    close_file(ends[0]);
    struct lock lock = { .type = WRITE };
    print_line("executed", call(CALL_FCNTL, (uint64_t)one, GETLK, (uint64_t)&lock, 0));
    print_line("type", lock.type);
    print_line("start", lock.start);
    print_line("of the child", lock.process == child);
    call(CALL_KILL, (uint64_t)child, 9, 0, 0);
    wait_for(child);
    look("killed", 0, 0);
}

// Locks of an open file description.
static void descriptions(void)
{
    const struct lock write = { .type = WRITE, .start = 10, .size = 10 };
    const struct lock none = { .type = UNLOCK };
    int64_t two = open_file("locked", O_RDWR, 0);
    int64_t copy = call(CALL_DUP, (uint64_t)one, 0, 0, 0);
    print_line("of a process", command(one, OFD_SETLK, (struct lock){ .type = WRITE, .process = 1 }));
    print_line("write", command(one, OFD_SETLK, write));
    print_line("the same", command(copy, OFD_SETLK, write));
    print_line("another", command(two, OFD_SETLK, write));
    print_line("of the process", set(one, WRITE, 10, 10));
    struct lock lock = write;
    print_line("which", call(CALL_FCNTL, (uint64_t)two, OFD_GETLK, (uint64_t)&lock, 0));
    print_line("process", lock.process);
    close_file(one);
    print_line("open yet", command(two, OFD_SETLK, write));
    int64_t child = fork_process();
    if (child == 0) {
        print_line("inherited", command(copy, OFD_SETLK, none));
        print_line("locked again", command(copy, OFD_SETLK, write));
        exit_program(0);
    }
    wait_for(child);
    child = fork_process();
    if (child == 0) {
        // It has the description too.
        close_file(copy);
        print_line("waited", command(two, OFD_SETLKW, write));
        exit_program(0);
    }
    pause_briefly();
    print("closes\n");
    close_file(copy);
    wait_for(child);
    one = two;
}

// Longer than a test takes.
int sleep_long(void)
{
    const int64_t time[2] = { 1000, 0 };
    call(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0);
    return 1;
}

int record_locks(const struct start *start)
{
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    parent = call(CALL_GETPID, 0, 0, 0, 0);
    one = open_file("locked", O_RDWR | O_CREAT, 0600);
    write_text(one, "0123456789");
    errors();
    ranges();
    conflicts();
    waits();
    executes(start);
    descriptions();
    close_file(one);
    call(CALL_UNLINK, (uint64_t)"locked", 0, 0, 0);
    return leave_directory();
}
