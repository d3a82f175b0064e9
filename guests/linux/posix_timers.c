// SPDX-License-Identifier: Apache-2.0
//
// The timers of timer_create, and their system calls.

#include "posix_timers.h"

#include "clock.h"
#include "countdown.h"
#include "errors.h"
#include "host.h"
#include "processes.h"
#include "scheduler.h"
#include "signals.h"
#include "system_calls.h"
#include "threads.h"
#include "timers.h"
#include "user.h"

#include <string.h>

#define MOST_TIMERS 32
#define TIMER_ABSTIME 1

// SIGEV_THREAD is a matter of the C library: the kernel sends its signal.
enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD = 2, SIGEV_THREAD_ID = 4 };

struct timer {
    bool is_used;
    struct process *process;
    bool is_monotonic;
    // 0: it only counts.
    uint32_t signal;
    // 0: for the process.
    uint32_t thread;
    uint64_t value;
    struct countdown countdown;
    // How often it has expired besides: since its pending signal was sent, and until the last one
    // was received.
    uint32_t overruns;
    uint32_t received_overruns;
};

struct signal_event {
    uint64_t value;
    int32_t signal, notification, thread;
    uint8_t padding[44];
};

struct itimerspec {
    struct timespec interval, value;
};

static struct timer timers[MOST_TIMERS];
// Those behind were never used: each tick costs time that a program computes.
static unsigned created_end;

void posix_timers_clear(void)
{
    memset(timers, 0, sizeof timers);
    created_end = 0;
}

// Where its signals wait.
static struct signal_queue *queue_of(const struct timer *timer)
{
    struct thread *thread = timer->thread != 0 ? thread_find(timer->thread) : NULL;
    return thread != NULL ? &thread->signals.queue : &timer->process->signals.queue;
}

static void delete(unsigned index)
{
    signal_drop_of_timer(queue_of(&timers[index]), index);
    timers[index].is_used = false;
    timers_note_change();
}

void posix_timers_forget(const struct process *process)
{
    for (unsigned i = 0; i < MOST_TIMERS; i++) {
        if (timers[i].is_used && timers[i].process == process) {
            delete(i);
        }
    }
}

int64_t posix_timers_next_deadline(void)
{
    int64_t next = NEVER;
    for (unsigned i = 0; i < created_end; i++) {
        if (timers[i].is_used && timers[i].countdown.deadline < next) {
            next = timers[i].countdown.deadline;
        }
    }
    return next;
}

// The signal of a timer that is not received yet, or NULL. There is one at most: other
// expirations are counted in it.
static struct signal_info *pending_info(unsigned index)
{
    return signal_of_timer(queue_of(&timers[index]), index);
}

static void send(unsigned index)
{
    const struct timer *timer = &timers[index];
    const struct signal_info info = {
        .signal = timer->signal,
        .code = SI_TIMER,
        .is_of_timer = true,
        .words = { index | (uint64_t)timer->overruns << 32, timer->value },
    };
    struct thread *thread = timer->thread != 0 ? thread_find(timer->thread) : NULL;
    struct signal_info *pending = pending_info(index);
    if (pending != NULL) {
        pending->words[0] = info.words[0];
    } else if (timer->signal != 0 && (timer->thread == 0 || thread != NULL)) {
        // A signal that cannot be queued is one that the timer did not send.
        (void)(thread != NULL ? signal_send(thread, &info) : signal_send_to_process(timer->process, &info));
    }
}

static uint32_t add_overruns(uint32_t overruns, uint32_t more)
{
    return more < MOST_EXPIRATIONS - overruns ? overruns + more : MOST_EXPIRATIONS;
}

void posix_timers_expire(int64_t now)
{
    for (unsigned i = 0; i < created_end; i++) {
        struct timer *timer = &timers[i];
        struct countdown *countdown = &timer->countdown;
        if (timer->is_used && countdown->deadline <= now && !deadline_is_early(countdown->wall_time, &countdown->deadline)) {
            uint32_t missed = countdown_expire(countdown, now);
            bool is_pending = pending_info(i) != NULL;
            timer->overruns = is_pending ? add_overruns(timer->overruns, missed + 1) : missed;
            send(i);
        }
    }
}

static struct timer *find(uint64_t id)
{
    struct timer *timer = (uint32_t)id < MOST_TIMERS ? &timers[(uint32_t)id] : NULL;
    return timer != NULL && timer->is_used && timer->process == current_process ? timer : NULL;
}

void posix_timers_note_received(uint32_t id, uint32_t overruns)
{
    struct timer *timer = find(id);
    if (timer != NULL) {
        timer->received_overruns = overruns;
    }
}

static int64_t check_event(const struct signal_event *event)
{
    if (event->notification == SIGEV_NONE) {
        return 0;
    }
    bool is_for_thread = event->notification == (SIGEV_SIGNAL | SIGEV_THREAD_ID);
    bool is_for_process = event->notification == SIGEV_SIGNAL || event->notification == SIGEV_THREAD;
    if ((!is_for_process && !is_for_thread) || event->signal <= 0 || event->signal > SIGNALS) {
        return -EINVAL;
    }
    const struct thread *thread = is_for_thread ? thread_find((uint32_t)event->thread) : NULL;
    return is_for_thread && (thread == NULL || thread->process != current_process) ? -EINVAL : 0;
}

int64_t system_call_timer_create(const uint64_t arguments[6])
{
    bool is_monotonic;
    uint32_t id = 0;
    while (id < MOST_TIMERS && timers[id].is_used) {
        id++;
    }
    struct signal_event event = { .signal = SIGALRM, .notification = SIGEV_SIGNAL, .value = id };
    if (arguments[1] != 0 && !copy_from_user(&event, arguments[1], sizeof event)) {
        return -EFAULT;
    }
    if (!clock_find(arguments[0], &is_monotonic)) {
        return -EINVAL;
    }
    if (!clock_has_timers(arguments[0])) {
        return -EOPNOTSUPP;
    }
    int64_t error = check_event(&event);
    if (error != 0 || id == MOST_TIMERS) {
        return error != 0 ? error : -EAGAIN;
    }
    if (!copy_to_user(arguments[2], &id, sizeof id)) {
        return -EFAULT;
    }
    created_end = id + 1 > created_end ? id + 1 : created_end;
    timers[id] = (struct timer){
        .is_used = true,
        .process = current_process,
        .is_monotonic = is_monotonic,
        .signal = event.notification == SIGEV_NONE ? 0 : (uint32_t)event.signal,
        .thread = event.notification == SIGEV_THREAD_ID ? (uint32_t)event.thread : 0,
        .value = event.value,
        .countdown = { .deadline = NEVER },
    };
    return 0;
}

// One that only counts says 0 when it has expired for the last time.
static int64_t remaining(const struct timer *timer)
{
    return countdown_remaining(&timer->countdown, timer->signal == 0 && timer->countdown.interval == 0 ? 0 : 1);
}

static int64_t copy_timer_to_user(uint64_t address, int64_t left, int64_t interval)
{
    const struct itimerspec spec = { timespec_of(interval), timespec_of(left) };
    return copy_to_user(address, &spec, sizeof spec) ? 0 : -EFAULT;
}

// An absolute time of CLOCK_REALTIME counts from now, as the clock does not change.
static int64_t relative_value(const struct timer *timer, const struct itimerspec *spec, bool is_absolute,
                              int64_t *value)
{
    int64_t now;
    *value = timespec_nanoseconds(&spec->value);
    if (!is_absolute || *value == 0) {
        return 0;
    }
    if (!host_clock(timer->is_monotonic, &now)) {
        return -EIO;
    }
    *value = *value > now ? *value - now : 1;
    return 0;
}

int64_t system_call_timer_settime(const uint64_t arguments[6])
{
    struct itimerspec spec;
    int64_t value;
    struct timer *timer = find(arguments[0]);
    if (arguments[2] == 0) {
        return -EINVAL;
    }
    if (!copy_from_user(&spec, arguments[2], sizeof spec)) {
        return -EFAULT;
    }
    if (timer == NULL || !timespec_is_valid(&spec.interval) || !timespec_is_valid(&spec.value)) {
        return -EINVAL;
    }
    int64_t left = remaining(timer);
    int64_t interval = timer->countdown.interval;
    int64_t error = relative_value(timer, &spec, (arguments[1] & TIMER_ABSTIME) != 0, &value);
    timer->received_overruns = error == 0 ? 0 : timer->received_overruns;
    error = error != 0 ? error : countdown_arm(&timer->countdown, value, value != 0 ? timespec_nanoseconds(&spec.interval) : 0);
    bool is_of_wall_clock = (arguments[1] & TIMER_ABSTIME) != 0 && !timer->is_monotonic;
    timer->countdown.wall_time = is_of_wall_clock ? timespec_nanoseconds(&spec.value) : 0;
    if (error != 0 || arguments[3] == 0) {
        return error;
    }
    return copy_timer_to_user(arguments[3], left, interval);
}

int64_t system_call_timer_gettime(const uint64_t arguments[6])
{
    const struct timer *timer = find(arguments[0]);
    return timer != NULL ? copy_timer_to_user(arguments[1], remaining(timer), timer->countdown.interval) : -EINVAL;
}

int64_t system_call_timer_getoverrun(const uint64_t arguments[6])
{
    const struct timer *timer = find(arguments[0]);
    return timer != NULL ? (int64_t)timer->received_overruns : -EINVAL;
}

int64_t system_call_timer_delete(const uint64_t arguments[6])
{
    struct timer *timer = find(arguments[0]);
    if (timer == NULL) {
        return -EINVAL;
    }
    delete((unsigned)(timer - timers));
    return 0;
}
