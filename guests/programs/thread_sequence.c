// SPDX-License-Identifier: Apache-2.0
//
// A random sequence of operations in a few threads, from a seed. One thread directs the others. After each
// step it waits until all have come to where the step leads: then each result is that of Linux,
// whatever thread has run first.

#include "chance.h"
#include "thread_sequence.h"

#define FUTEX_ALL 0x7FFFFFFF

struct worker workers[WORKERS];
struct view views[WORKERS];
struct mutex mutexes[MUTEXES];
volatile uint32_t words[WORDS];
uint64_t process;

static uint64_t state;

uint64_t next(uint64_t limit)
{
    return next_random(&state) % limit;
}

int choose(enum activity activity)
{
    int chosen = NOBODY;
    uint64_t count = 0;
    for (int i = 0; i < WORKERS; i++) {
        if (views[i].activity == activity && next(++count) == 0) {
            chosen = i;
        }
    }
    print(chosen == NOBODY ? "nobody " : "");
    if (chosen != NOBODY) {
        print_number(chosen);
        print(" ");
    }
    return chosen;
}

void *allocate(uint64_t size)
{
    return (void *)call6(CALL_MMAP, 0, size, 3, 0x22, (uint64_t)-1, 0);
}

void yield(void)
{
    call(CALL_SCHED_YIELD, 0, 0, 0, 0);
}

void tell(int index, int64_t (*operation)(struct worker *), enum activity activity)
{
    struct worker *worker = &workers[index];
    views[index].activity = activity;
    worker->operation = operation;
    worker->spins = next(100);
    __atomic_fetch_add(&worker->told, 1, __ATOMIC_SEQ_CST);
    call(CALL_FUTEX, (uint64_t)&worker->told, FUTEX_WAKE | FUTEX_PRIVATE, 1, 0);
}

void tell_call(int index, enum activity activity, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
               uint64_t f)
{
    const uint64_t arguments[6] = { a, b, c, d, e, f };
    workers[index].number = number;
    for (unsigned i = 0; i < 6; i++) {
        workers[index].arguments[i] = arguments[i];
    }
    tell(index, worker_call, activity);
}

void execute(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int agent = next(2) == 0 ? choose(IDLE) : NOBODY;
    if (agent != NOBODY) {
        tell_call(agent, IDLE, number, a, b, c, d, e, f);
        return;
    }
    print(" result ");
    print_number(call6(number, a, b, c, d, e, f));
}

// All are moved to where they are.
int64_t count_waiters(volatile uint32_t *word, uint64_t is_private)
{
    return call6(CALL_FUTEX, (uint64_t)word, FUTEX_REQUEUE | is_private, 0, FUTEX_ALL, (uint64_t)word, 0);
}

static int64_t count_all_waiters(void)
{
    int64_t count = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        count += count_waiters(&words[i], 0) + count_waiters(&words[i], FUTEX_PRIVATE);
    }
    for (unsigned i = 0; i < MUTEXES; i++) {
        count += count_waiters(&mutexes[i].word, 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        count += count_waiters(&workers[i].thread_id, 0);
    }
    return count;
}

static int has_finished(int index)
{
    return workers[index].finished == workers[index].told;
}

static int waits_for_word(int index)
{
    return views[index].activity == IN_FUTEX || views[index].activity == IN_LOCK || views[index].activity == IN_JOIN;
}

// Each worker that was to wait for a word is counted, or has finished: none is on its way.
static int is_settled(void)
{
    int64_t waiting = 0;
    for (int i = 0; i < WORKERS; i++) {
        if (views[i].activity == IDLE && !has_finished(i)) {
            return 0;
        }
        waiting += waits_for_word(i) && !has_finished(i);
    }
    return waiting == count_all_waiters();
}

static void report(int index)
{
    struct view *view = &views[index];
    if (view->activity != ABSENT && has_finished(index) && view->reported != workers[index].finished) {
        print(" ");
        print_number(index);
        print("=");
        print_number(workers[index].result);
        view->reported = workers[index].finished;
        view->activity = IDLE;
        view->pipe = view->child = NOBODY;
        view->waits_for_event = 0;
    }
    if (view->log != workers[index].log) {
        view->log = workers[index].log;
        print(" log ");
        print_number((int64_t)view->log);
    }
}

void settle(void)
{
    while (!is_settled()) {
        yield();
    }
    for (int i = 0; i < WORKERS; i++) {
        report(i);
    }
}

// A letter for what each worker does, and how many wait for each word: for all, and of the process alone.
static void print_state(void)
{
    char text[WORKERS + 1];
    for (unsigned i = 0; i < WORKERS; i++) {
        text[i] = "-.fljrewpsuc"[views[i].activity];
    }
    text[WORKERS] = 0;
    print(" ");
    print(text);
    for (unsigned i = 0; i < WORDS; i++) {
        print(" ");
        print_number(count_waiters(&words[i], 0));
        print(" ");
        print_number(count_waiters(&words[i], FUTEX_PRIVATE));
    }
    print("\n");
}

static const struct {
    const char *name;
    void (*perform)(void);
} steps[] = {
    { "create ", create_worker },
    { "create ", create_worker },
    { "end ", end_worker },
    { "compute ", compute },
    { "wait ", wait_for_word },
    { "wait ", wait_for_word },
    { "wait ", wait_for_word },
    { "wake ", wake_word },
    { "wake bits ", wake_bits },
    { "requeue ", requeue_word },
    { "requeue ", requeue_word },
    { "wake after operation ", wake_after_operation },
    { "set ", set_word },
    { "lock ", lock },
    { "lock ", lock },
    { "unlock ", unlock },
    { "unlock ", unlock },
    { "join ", join },
    { "action ", change_action },
    { "mask ", change_mask },
    { "mask ", change_mask },
    { "signal ", send_to_worker },
    { "signal ", send_to_worker },
    { "signal ", send_to_worker },
    { "signal to the process ", send_to_process },
    { "pending ", show_pending },
    { "wait for a signal ", wait_for_signal },
    { "suspend ", suspend },
    { "stack ", change_stack },
    { "read ", read_pipe },
    { "write ", write_pipe },
    { "close ", close_pipe },
    { "read event ", read_event },
    { "write event ", write_event },
    { "poll ", poll_files },
    { "transfer ", transfer },
    { "sleep ", sleep_shortly },
    { "fork ", fork_child },
    { "gate ", open_gate },
    { "wait for a child ", wait_for_child },
};

int thread_sequence(uint64_t seed, uint64_t count)
{
    uint64_t wrong = 0;
    state = random_state(seed);
    process = (uint64_t)call(CALL_GETPID, 0, 0, 0, 0);
    start_signals();
    // Children keep what is opened first.
    start_children();
    start_files();
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = next(sizeof steps / sizeof steps[0]);
        print_number((int64_t)i);
        print(": ");
        print(steps[step].name);
        steps[step].perform();
        settle();
        print_state();
    }
    end_children();
    for (unsigned i = 0; i < WORKERS; i++) {
        wrong += workers[i].wrong;
    }
    print_line("wrong", (int64_t)wrong);
    return 0;
}
