// SPDX-License-Identifier: Apache-2.0
//
// The steps of a random sequence in threads: signals.

#include "thread_sequence.h"

#define SIGNALS 5
#define SA_RESTART 0x10000000UL
#define FIRST_REAL_TIME 32
#define SIG_IGN 1
#define SI_QUEUE (-1)
#define ALTERNATE_SIZE 65536
#define SS_DISABLE 2
// Fewer than any system queues.
#define MOST_QUEUED 10

static const uint32_t numbers[SIGNALS] = { 10, 12, 13, 34, 35 };
// Of each of them.
static uint64_t flags[SIGNALS];
static int is_ignored[SIGNALS];
static unsigned queued_for_process;
static uint8_t *alternates;

static uint64_t bit(unsigned index)
{
    return 1UL << (numbers[index] - 1);
}

static uint64_t choose_set(void)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < SIGNALS; i++) {
        set |= next(2) ? bit(i) : 0;
    }
    return set;
}

static unsigned choose_signal(void)
{
    unsigned index = (unsigned)next(SIGNALS);
    print_number(numbers[index]);
    print(" ");
    return index;
}

void start_signals(void)
{
    uint64_t mask = 0;
    alternates = allocate(WORKERS * ALTERNATE_SIZE);
    for (unsigned i = 0; i < SIGNALS; i++) {
        mask |= bit(i);
        flags[i] = next(2) ? SA_RESTART : 0;
        set_handler(numbers[i], (uint64_t)worker_handle, flags[i] | SA_SIGINFO, 0);
    }
    // The director has none of them.
    call(CALL_SIGPROCMASK, 2, (uint64_t)&mask, 0, 8);
}

void change_action(void)
{
    unsigned index = choose_signal();
    is_ignored[index] = next(4) == 0;
    flags[index] = next(2) ? SA_RESTART : 0;
    print(is_ignored[index] ? "ignored" : flags[index] ? "restarts" : "interrupts");
    uint64_t others = (next(2) ? SA_ONSTACK : 0) | (next(2) && numbers[index] < FIRST_REAL_TIME ? SA_NODEFER : 0);
    uint64_t mask = choose_set();
    set_handler(numbers[index], is_ignored[index] ? SIG_IGN : (uint64_t)worker_handle, flags[index] | others | SA_SIGINFO, mask);
}

void change_mask(void)
{
    // As long as the call of the worker.
    static uint64_t sets[WORKERS];
    int index = choose(IDLE);
    if (index == NOBODY) {
        return;
    }
    struct view *view = &views[index];
    uint64_t how = next(3);
    uint64_t set = choose_set();
    sets[index] = set;
    view->mask = how == 0 ? view->mask | set : how == 1 ? view->mask & ~set : sets[index];
    tell_call(index, IDLE, CALL_SIGPROCMASK, how, (uint64_t)&sets[index], 0, 8, 0, 0);
}

// How a signal is sent: to a thread, to a thread with a value, or to the process.
static uint64_t way;

static int64_t send(int index, unsigned signal)
{
    const struct info info = { .signal = (int32_t)numbers[signal], .code = SI_QUEUE, .value = numbers[signal] * 100 };
    uint64_t id = index == NOBODY ? 0 : workers[index].thread_id;
    return way == 0   ? call(CALL_TGKILL, process, id, numbers[signal], 0)
           : way == 1 ? call(CALL_TGSIGQUEUEINFO, process, id, numbers[signal], (uint64_t)&info)
                      : call(CALL_KILL, process, numbers[signal], 0, 0);
}

static void send_and_wait(int index, unsigned signal)
{
    uint32_t handled = workers[index].handled;
    (void)send(index, signal);
    while (workers[index].handled == handled) {
        yield();
    }
}

// Whether the worker waits already is not known: a signal before would not interrupt it. How many handlers
// were called is not known then either.
static void interrupt(int index, unsigned signal)
{
    views[index].activity = IDLE;
    while (workers[index].finished != workers[index].told) {
        send_and_wait(index, signal);
        yield();
    }
    workers[index].log = views[index].log = 0;
}

static int is_restarted(const struct view *view, unsigned signal)
{
    switch (view->activity) {
    case IN_LOCK:
        return 1;
    case IN_FUTEX:
    case IN_JOIN:
        return flags[signal] & SA_RESTART && !view->has_timeout;
    case IN_POLL:
    case IN_SIGNAL_WAIT:
    case IN_SUSPENSION:
        return 0;
    default:
        return (flags[signal] & SA_RESTART) != 0;
    }
}

// A signal that calls a handler.
static void call_handler(int index, unsigned signal)
{
    struct view *view = &views[index];
    int waits_for_word = view->activity == IN_FUTEX || view->activity == IN_JOIN;
    if (view->activity == IDLE || is_restarted(view, signal)) {
        send_and_wait(index, signal);
    } else if (waits_for_word || view->activity == IN_SUSPENSION) {
        // It is in its call, or has the signal blocked until then.
        view->activity = IDLE;
        send_and_wait(index, signal);
    } else {
        interrupt(index, signal);
    }
}

static void send_once(int index, unsigned signal, unsigned *queued)
{
    if (numbers[signal] >= FIRST_REAL_TIME && ++*queued > MOST_QUEUED) {
        return;
    }
    print_number(send(index, signal));
}

static void deliver(int index, unsigned signal)
{
    struct view *view = &views[index];
    int is_suspended = view->activity == IN_SUSPENSION;
    int is_blocked = (view->mask & bit(signal)) != 0;
    int is_blocked_now = is_suspended ? (view->set & bit(signal)) != 0 : is_blocked;
    if (is_blocked_now != is_blocked && (is_blocked_now || is_ignored[signal])) {
        print("unknown");
    } else if (view->activity == IN_SIGNAL_WAIT && view->set & bit(signal)) {
        view->activity = IDLE;
        print_number(send(index, signal));
    } else if (is_blocked_now || is_ignored[signal]) {
        send_once(index, signal, &view->queued);
    } else if (is_suspended && !is_blocked) {
        // Maybe before the suspension.
        interrupt(index, signal);
    } else {
        call_handler(index, signal);
    }
}

void send_to_worker(void)
{
    int index = (int)next(WORKERS);
    unsigned signal = choose_signal();
    way = next(2);
    print(way == 0 ? "to " : "queued for ");
    print_number(index);
    print(" ");
    if (views[index].activity != ABSENT) {
        deliver(index, signal);
    } else {
        print_number(call(CALL_TGKILL, process, 999999999, numbers[signal], 0));
    }
}

// If more than one thread can take it, it is up to Linux which one does; and which one looks at one that is
// ignored.
void send_to_process(void)
{
    unsigned signal = choose_signal();
    unsigned count = 0;
    int taker = NOBODY;
    for (int i = 0; i < WORKERS; i++) {
        const struct view *view = &views[i];
        if (view->activity == ABSENT) {
            continue;
        }
        int accepts = !(view->mask & bit(signal)) || (view->activity == IN_SUSPENSION && !(view->set & bit(signal))) ||
                      (view->activity == IN_SIGNAL_WAIT && view->set & bit(signal));
        count += (unsigned)accepts;
        taker = accepts ? i : taker;
    }
    way = 2;
    if (count == 0) {
        send_once(NOBODY, signal, &queued_for_process);
    } else if (count == 1 && !is_ignored[signal]) {
        print_number(taker);
        print(" ");
        deliver(taker, signal);
    }
}

// What is pending for a worker that is idle.
static uint64_t pending_of(int index)
{
    tell_call(index, IDLE, CALL_SIGPENDING, (uint64_t)workers[index].buffer, 8, 0, 0, 0, 0);
    settle();
    return *(uint64_t *)workers[index].buffer;
}

void show_pending(void)
{
    int index = choose(IDLE);
    if (index != NOBODY) {
        print_number((int64_t)pending_of(index));
    }
}

void wait_for_signal(void)
{
    // As long as the call of the worker.
    static uint64_t sets[WORKERS];
    static const uint64_t no_time[2];
    static const uint64_t long_time[2] = { LONG_TIME, 0 };
    int index = choose(IDLE);
    if (index == NOBODY) {
        return;
    }
    // A signal that is not blocked may come before the call.
    uint64_t set = choose_set() & views[index].mask;
    uint64_t choice = next(3);
    const uint64_t *time = choice == 0 ? no_time : choice == 1 ? long_time : NULL;
    int waits = choice != 0 && (pending_of(index) & set) == 0;
    sets[index] = views[index].set = set;
    workers[index].number = CALL_SIGTIMEDWAIT;
    workers[index].arguments[0] = (uint64_t)&sets[index];
    workers[index].arguments[1] = (uint64_t)workers[index].buffer;
    workers[index].arguments[2] = (uint64_t)time;
    workers[index].arguments[3] = 8;
    tell(index, worker_take_signal, waits ? IN_SIGNAL_WAIT : IDLE);
}

// A pending signal ends the suspension at once. When one that is ignored would be forgotten is not known.
void suspend(void)
{
    static uint64_t sets[WORKERS];
    int index = choose(IDLE);
    if (index == NOBODY) {
        return;
    }
    uint64_t set = choose_set();
    uint64_t pending = pending_of(index);
    for (unsigned i = 0; i < SIGNALS; i++) {
        set |= is_ignored[i] ? pending & bit(i) : 0;
    }
    uint64_t taken = pending & ~set;
    sets[index] = views[index].set = set;
    tell_call(index, taken != 0 ? IDLE : IN_SUSPENSION, CALL_SIGSUSPEND, (uint64_t)&sets[index], 8, 0, 0, 0, 0);
}

void change_stack(void)
{
    static struct stack wanted[WORKERS];
    int index = choose(IDLE);
    if (index != NOBODY) {
        wanted[index] = (struct stack){ (uint64_t)alternates + (uint64_t)index * ALTERNATE_SIZE, next(3) == 0 ? SS_DISABLE : 0, ALTERNATE_SIZE };
        tell_call(index, IDLE, CALL_SIGALTSTACK, (uint64_t)&wanted[index], 0, 0, 0, 0, 0);
    }
}
