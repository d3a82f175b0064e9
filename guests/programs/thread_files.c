// SPDX-License-Identifier: Apache-2.0
//
// The steps of a random sequence in threads: pipes and events. One worker at a time reads from each: who
// of two comes first is up to Linux.

#include "thread_sequence.h"

#define MOST_BYTES 12000
#define MOST_TRANSFER 60000
#define LARGEST_COUNT 0xFFFFFFFFFFFFFFFEUL
#define POLLIN 1
#define EPOLL_CTL_ADD 1
#define F_SETPIPE_SZ 1031
#define PAGE 4096

struct pipe {
    int32_t ends[2];
    uint64_t bytes;
};

static struct pipe pipes[PIPES];
static int64_t event;
static uint64_t event_count;
static uint64_t written;
static uint8_t bytes[PAGE];

static void open_pipe(struct pipe *pipe)
{
    call(CALL_PIPE2, (uint64_t)pipe->ends, 0, 0, 0);
    pipe->bytes = 0;
}

void start_files(void)
{
    for (unsigned i = 0; i < PIPES; i++) {
        open_pipe(&pipes[i]);
    }
    event = call(CALL_EVENTFD2, 0, 0, 0, 0);
}

static unsigned choose_pipe(void)
{
    unsigned pipe = (unsigned)next(PIPES);
    print_number(pipe);
    print(" ");
    return pipe;
}

// Who waits for a pipe, or for the event.
static int waiter_of(int pipe)
{
    for (int i = 0; i < WORKERS; i++) {
        if (views[i].activity != ABSENT && views[i].activity != IDLE && views[i].pipe == pipe) {
            return i;
        }
    }
    return NOBODY;
}

static int waiter_of_event(enum activity activity)
{
    for (int i = 0; i < WORKERS; i++) {
        int is_poll = views[i].activity == IN_POLL && activity == IN_EVENT_READ;
        if ((views[i].activity == activity || is_poll) && views[i].waits_for_event) {
            return i;
        }
    }
    return NOBODY;
}

void read_pipe(void)
{
    int index = choose(IDLE);
    unsigned pipe = choose_pipe();
    if (index == NOBODY || waiter_of((int)pipe) != NOBODY) {
        return;
    }
    uint64_t size = 1 + next(WORKER_BUFFER_SIZE);
    struct worker *worker = &workers[index];
    worker->number = CALL_READ;
    worker->arguments[0] = (uint64_t)pipes[pipe].ends[0];
    worker->arguments[1] = (uint64_t)worker->buffer;
    worker->arguments[2] = size;
    int waits = pipes[pipe].bytes == 0;
    views[index].pipe = (int)pipe;
    views[index].set = size;
    pipes[pipe].bytes -= size < pipes[pipe].bytes ? size : pipes[pipe].bytes;
    tell(index, worker_read, waits ? IN_READ : IDLE);
}

// Who has waited goes on. A read takes some of the bytes.
static void release_reader(int index, struct pipe *pipe)
{
    if (index != NOBODY) {
        if (views[index].activity == IN_READ) {
            pipe->bytes -= views[index].set < pipe->bytes ? views[index].set : pipe->bytes;
        }
        views[index].activity = IDLE;
    }
}

void write_pipe(void)
{
    unsigned index = choose_pipe();
    struct pipe *pipe = &pipes[index];
    uint64_t size = 1 + next(PAGE);
    if (pipe->bytes + size > MOST_BYTES) {
        return;
    }
    for (uint64_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(written++ * 7);
    }
    pipe->bytes += size;
    execute(CALL_WRITE, (uint64_t)pipe->ends[1], (uint64_t)bytes, size, 0, 0, 0);
    release_reader(waiter_of((int)index), pipe);
}

// The end for writing, while another thread may read; or the end for reading, before a write. Then there
// is another pipe.
void close_pipe(void)
{
    unsigned index = choose_pipe();
    struct pipe *pipe = &pipes[index];
    int reader = waiter_of((int)index);
    unsigned end = reader != NOBODY || next(2) ? 1 : 0;
    execute(CALL_CLOSE, (uint64_t)pipe->ends[end], 0, 0, 0, 0, 0);
    release_reader(reader, pipe);
    settle();
    if (end == 0) {
        print(" broken ");
        execute(CALL_WRITE, (uint64_t)pipe->ends[1], (uint64_t)bytes, 1, 0, 0, 0);
        settle();
    }
    close_file(pipe->ends[1 - end]);
    open_pipe(pipe);
}

void read_event(void)
{
    int index = choose(IDLE);
    if (index == NOBODY || waiter_of_event(IN_EVENT_READ) != NOBODY) {
        return;
    }
    int waits = event_count == 0;
    int writer = waiter_of_event(IN_EVENT_WRITE);
    event_count = 0;
    if (writer != NOBODY) {
        event_count = views[writer].set;
        views[writer].activity = IDLE;
    }
    views[index].waits_for_event = 1;
    workers[index].number = CALL_READ;
    workers[index].arguments[0] = (uint64_t)event;
    workers[index].arguments[1] = (uint64_t)workers[index].buffer;
    workers[index].arguments[2] = 8;
    tell(index, worker_read, waits ? IN_EVENT_READ : IDLE);
}

// Waits if the count would become too large. No more than one worker does.
void write_event(void)
{
    static uint64_t values[WORKERS];
    int index = choose(IDLE);
    if (index == NOBODY || waiter_of_event(IN_EVENT_WRITE) != NOBODY) {
        return;
    }
    uint64_t value = next(3) == 0 ? LARGEST_COUNT - event_count : 1 + next(1000);
    int waits = value > LARGEST_COUNT - event_count;
    int reader = waiter_of_event(IN_EVENT_READ);
    values[index] = views[index].set = value;
    views[index].waits_for_event = waits;
    event_count += waits ? 0 : value;
    if (reader != NOBODY && event_count != 0) {
        event_count = views[reader].activity == IN_POLL ? event_count : 0;
        views[reader].activity = IDLE;
    }
    tell_call(index, waits ? IN_EVENT_WRITE : IDLE, CALL_WRITE, (uint64_t)event, (uint64_t)&values[index], 8, 0, 0, 0);
}

// A pipe, the event or both. What is ready when the call ends is printed.
void poll_files(void)
{
    int index = choose(IDLE);
    unsigned pipe = choose_pipe();
    if (index == NOBODY || waiter_of((int)pipe) != NOBODY || waiter_of_event(IN_EVENT_READ) != NOBODY) {
        return;
    }
    struct worker *worker = &workers[index];
    uint64_t choice = next(3);
    int is_ready = (choice != 1 && pipes[pipe].bytes != 0) || (choice != 0 && event_count != 0);
    struct {
        int32_t file;
        int16_t events, ready;
    } *polls = (void *)worker->buffer;
    polls[0].file = choice != 1 ? pipes[pipe].ends[0] : -1;
    polls[1].file = choice != 0 ? (int32_t)event : -1;
    polls[0].events = polls[1].events = POLLIN;
    polls[0].ready = polls[1].ready = 0;
    uint64_t time = next(3) == 0 ? 0 : next(2) ? LONG_TIME * 1000 : (uint64_t)-1;
    views[index].pipe = choice != 1 ? (int)pipe : NOBODY;
    views[index].waits_for_event = choice != 0;
    worker->number = CALL_POLL;
    worker->arguments[0] = (uint64_t)polls;
    worker->arguments[1] = 2;
    worker->arguments[2] = time;
    tell(index, worker_poll, is_ready || time == 0 ? IDLE : IN_POLL);
}

// From one worker to another, through a pipe that is smaller.
void transfer(void)
{
    struct pipe pipe;
    int from = choose(IDLE);
    int to = choose(IDLE);
    if (from == NOBODY || from == to) {
        return;
    }
    uint64_t size = 1 + next(MOST_TRANSFER);
    open_pipe(&pipe);
    print_number(call(CALL_FCNTL, (uint64_t)pipe.ends[0], F_SETPIPE_SZ, PAGE, 0));
    workers[from].number = workers[to].number = size;
    workers[from].arguments[0] = (uint64_t)pipe.ends[1];
    workers[to].arguments[0] = (uint64_t)pipe.ends[0];
    tell(from, worker_send_bytes, IDLE);
    tell(to, worker_receive_bytes, IDLE);
    settle();
    close_file(pipe.ends[0]);
    close_file(pipe.ends[1]);
}

// Until a time that has passed, or for none.
void sleep_shortly(void)
{
    static const uint64_t no_time[2];
    int index = choose(IDLE);
    if (index == NOBODY) {
        return;
    }
    if (next(2) == 0) {
        tell_call(index, IDLE, CALL_NANOSLEEP, (uint64_t)no_time, 0, 0, 0, 0, 0);
    } else {
        tell_call(index, IDLE, CALL_CLOCK_NANOSLEEP, 1, 1, (uint64_t)no_time, 0, 0, 0);
    }
}
