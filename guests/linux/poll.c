// SPDX-License-Identifier: Apache-2.0
//
// poll and select. Each time that a file has changed, all of them are asked again.

#include "clock.h"
#include "errors.h"
#include "files.h"
#include "readiness.h"
#include "resource_limits.h"
#include "scheduler.h"
#include "signals.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"

#include <string.h>

#define ALWAYS_REPORTED (POLLERR | POLLHUP | POLLNVAL)
#define POLLRDNORM 0x40U
#define POLLRDBAND 0x80U
#define POLLWRNORM 0x100U
#define POLLWRBAND 0x200U

#define WORD_BITS 64
#define SET_WORDS (MOST_DESCRIPTORS / WORD_BITS)

struct poll_entry {
    int32_t descriptor;
    uint16_t events, returned;
};

// What holds of the events of a descriptor.
static uint32_t events_of(int32_t descriptor)
{
    struct file *file = descriptor >= 0 ? current_file((uint32_t)descriptor) : NULL;
    if (file == NULL) {
        return POLLNVAL;
    }
    uint32_t events = file_poll(file);
    return events | (events & POLLIN ? POLLRDNORM : 0) | (events & POLLOUT ? POLLWRNORM : 0);
}

// How many entries have events, which are stored in them.
static int64_t poll_once(uint64_t address, uint64_t count)
{
    int64_t ready = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct poll_entry entry;
        uint64_t place = address + i * sizeof entry;
        if (!copy_from_user(&entry, place, sizeof entry)) {
            return -EFAULT;
        }
        entry.returned = 0;
        if (entry.descriptor >= 0) {
            entry.returned = (uint16_t)(events_of(entry.descriptor) & (entry.events | ALWAYS_REPORTED));
        }
        ready += entry.returned != 0;
        if (!copy_to_user(place, &entry, sizeof entry)) {
            return -EFAULT;
        }
    }
    return ready;
}

// When nothing is ready at the end of a wait. The mask of the call may permit a signal that was pending before.
static int64_t result_of_nothing(int64_t end)
{
    return end == -ETIMEDOUT && !signals_are_ready(&current_thread->signals) ? 0 : -EINTR;
}

static int64_t poll_until(uint64_t address, uint64_t count, int64_t deadline)
{
    if (count > resource_limit(RLIMIT_NOFILE)) {
        return -EINVAL;
    }
    int64_t end = deadline == 0 ? -ETIMEDOUT : 0;
    for (;;) {
        int64_t ready = poll_once(address, count);
        if (ready != 0 || end != 0) {
            return ready != 0 ? ready : result_of_nothing(end);
        }
        end = readiness_wait(deadline);
    }
}

// 0: does not wait.
static int64_t deadline_of_milliseconds(int32_t milliseconds, int64_t *deadline)
{
    *deadline = milliseconds < 0 ? NEVER : 0;
    return milliseconds > 0 ? deadline_from(milliseconds * MILLISECOND, deadline) : 0;
}

// Of a timespec in the program's memory; 0: none, which waits for ever.
static int64_t deadline_of_timespec(uint64_t address, int64_t *deadline)
{
    struct timespec time;
    *deadline = NEVER;
    if (address == 0) {
        return 0;
    }
    if (!copy_from_user(&time, address, sizeof time)) {
        return -EFAULT;
    }
    if (!timespec_is_valid(&time)) {
        return -EINVAL;
    }
    *deadline = 0;
    int64_t nanoseconds = timespec_nanoseconds(&time);
    return nanoseconds != 0 ? deadline_from(nanoseconds, deadline) : 0;
}

int64_t system_call_poll(const uint64_t arguments[6])
{
    int64_t deadline;
    int64_t error = deadline_of_milliseconds((int32_t)arguments[2], &deadline);
    return error != 0 ? error : poll_until(arguments[0], (uint32_t)arguments[1], deadline);
}

int64_t system_call_ppoll(const uint64_t arguments[6])
{
    int64_t deadline;
    int64_t error = deadline_of_timespec(arguments[2], &deadline);
    error = error != 0 ? error : signals_block_for_call(arguments[3], arguments[4]);
    return error != 0 ? error : poll_until(arguments[0], (uint32_t)arguments[1], deadline);
}

struct sets {
    uint64_t words[3][SET_WORDS];
};

static const uint32_t set_events[] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI };

static int64_t select_once(int32_t count, const struct sets *wanted, struct sets *found)
{
    int64_t ready = 0;
    memset(found, 0, sizeof *found);
    for (int32_t descriptor = 0; descriptor < count; descriptor++) {
        int32_t word = descriptor / WORD_BITS;
        uint64_t bit = 1UL << descriptor % WORD_BITS;
        if (!((wanted->words[0][word] | wanted->words[1][word] | wanted->words[2][word]) & bit)) {
            continue;
        }
        uint32_t events = events_of(descriptor);
        if (events == POLLNVAL) {
            return -EBADF;
        }
        for (unsigned i = 0; i < 3; i++) {
            if (wanted->words[i][word] & bit && events & set_events[i]) {
                found->words[i][word] |= bit;
                ready++;
            }
        }
    }
    return ready;
}

static int64_t select_until(const uint64_t arguments[6], int64_t deadline)
{
    struct sets wanted = { 0 };
    struct sets found;
    int32_t count = (int32_t)arguments[0];
    if (count < 0) {
        return -EINVAL;
    }
    count = count < MOST_DESCRIPTORS ? count : MOST_DESCRIPTORS;
    size_t size = ((size_t)count + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
    for (unsigned i = 0; i < 3; i++) {
        if (arguments[1 + i] != 0 && !copy_from_user(wanted.words[i], arguments[1 + i], size)) {
            return -EFAULT;
        }
    }
    int64_t ready;
    int64_t end = deadline == 0 ? -ETIMEDOUT : 0;
    while ((ready = select_once(count, &wanted, &found)) == 0 && end == 0) {
        end = readiness_wait(deadline);
    }
    ready = ready == 0 ? result_of_nothing(end) : ready;
    if (ready < 0) {
        return ready;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (arguments[1 + i] != 0 && !copy_to_user(arguments[1 + i], found.words[i], size)) {
            return -EFAULT;
        }
    }
    return ready;
}

int64_t system_call_select(const uint64_t arguments[6])
{
    int64_t time[2];
    int64_t deadline = NEVER;
    int64_t error = 0;
    if (arguments[4] != 0) {
        if (!copy_from_user(time, arguments[4], sizeof time)) {
            return -EFAULT;
        }
        // Microseconds may be more than a second.
        struct timespec value = { time[0], time[1] % MICROSECONDS * MICROSECOND };
        value.seconds += time[1] / 1000000;
        if (time[0] < 0 || time[1] < 0 || !timespec_is_valid(&value)) {
            return -EINVAL;
        }
        deadline = 0;
        error = timespec_nanoseconds(&value) != 0 ? deadline_from(timespec_nanoseconds(&value), &deadline) : 0;
    }
    return error != 0 ? error : select_until(arguments, deadline);
}

int64_t system_call_pselect6(const uint64_t arguments[6])
{
    uint64_t mask[2] = { 0, 0 };
    int64_t deadline;
    if (arguments[5] != 0 && !copy_from_user(mask, arguments[5], sizeof mask)) {
        return -EFAULT;
    }
    int64_t error = deadline_of_timespec(arguments[4], &deadline);
    error = error != 0 ? error : signals_block_for_call(mask[0], mask[1]);
    return error != 0 ? error : select_until(arguments, deadline);
}
