// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a word of the program's memory. Processes may have the same word at
// different addresses, when they share a file.

#include "futex.h"

#include "areas.h"
#include "clock.h"
#include "errors.h"
#include "processes.h"
#include "scheduler.h"
#include "system_calls.h"
#include "user.h"

#include <stddef.h>

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP = 5,
       FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10 };

#define FUTEX_PRIVATE_FLAG 0x80U
#define FUTEX_CLOCK_REALTIME 0x100U
#define ALL_BITS UINT32_MAX

#define ROBUST_LIST_SIZE 24
#define MOST_ROBUST_ENTRIES 2048
#define FUTEX_WAITERS 0x80000000U
#define FUTEX_OWNER_DIED 0x40000000U
#define FUTEX_TID_MASK 0x3FFFFFFFU

static uint8_t channel;

static int64_t check_address(uint64_t address)
{
    if (address % sizeof(uint32_t) != 0) {
        return -EINVAL;
    }
    return address < PROGRAM_END ? 0 : -EFAULT;
}

static struct futex_word word_at(uint64_t address, bool is_private)
{
    const struct area *area = is_private ? NULL : area_find(address);
    if (area != NULL && area->is_shared) {
        return (struct futex_word){ .inode = area->node->inode, .offset = area->offset + address - area->start };
    }
    return (struct futex_word){ .is_private = is_private, .space = current_process->space, .offset = address };
}

static bool is_private_call(const uint64_t arguments[6])
{
    return (arguments[1] & FUTEX_PRIVATE_FLAG) != 0;
}

static bool is_same(struct futex_word one, struct futex_word other)
{
    return one.is_private == other.is_private && one.space == other.space && one.inode == other.inode && one.offset == other.offset;
}

static bool waits_for(const struct thread *thread, struct futex_word word)
{
    return thread->state == THREAD_WAITING && thread->channel == &channel && is_same(thread->futex, word);
}

// The thread that has waited longest for a word.
static struct thread *first_waiter(struct futex_word word, uint32_t bits)
{
    struct thread *first = NULL;
    FOR_EACH_THREAD (thread) {
        if (waits_for(thread, word) && thread->futex_bits & bits &&
            (first == NULL || thread->wait_order < first->wait_order)) {
            first = thread;
        }
    }
    return first;
}

static int64_t count_waiters(struct futex_word word)
{
    int64_t count = 0;
    FOR_EACH_THREAD (thread) {
        count += waits_for(thread, word);
    }
    return count;
}

static int64_t wake(struct futex_word word, int32_t most, uint32_t bits)
{
    int64_t count = 0;
    do {
        struct thread *thread = first_waiter(word, bits);
        if (thread == NULL) {
            break;
        }
        scheduler_wake_thread(thread, 0);
        count++;
    } while (count < most);
    return count;
}

static int64_t wait(const uint64_t arguments[6], int64_t deadline, int64_t wall_time, uint32_t bits)
{
    uint32_t value;
    if (!copy_from_user(&value, arguments[0], sizeof value)) {
        return -EFAULT;
    }
    if (value != (uint32_t)arguments[2]) {
        return -EAGAIN;
    }
    current_thread->futex = word_at(arguments[0], is_private_call(arguments));
    current_thread->futex_bits = bits;
    int64_t result = scheduler_wait_for_time(&channel, deadline, wall_time);
    // A wait with a timeout is not restarted: it would take longer. That may be one that never comes.
    return result == -ERESTARTSYS && arguments[3] != 0 ? -EINTR : result;
}

static int64_t requeue(const uint64_t arguments[6], bool compares)
{
    int32_t most_woken = (int32_t)arguments[2];
    int32_t most_moved = (int32_t)arguments[3];
    uint32_t value;
    int64_t error = check_address(arguments[4]);
    if (error != 0 || most_woken < 0 || most_moved < 0) {
        return error != 0 ? error : -EINVAL;
    }
    if (compares) {
        if (!copy_from_user(&value, arguments[0], sizeof value)) {
            return -EFAULT;
        }
        if (value != (uint32_t)arguments[5]) {
            return -EAGAIN;
        }
    }
    struct futex_word from = word_at(arguments[0], is_private_call(arguments));
    struct futex_word to = word_at(arguments[4], is_private_call(arguments));
    int64_t count = most_woken > 0 ? wake(from, most_woken, ALL_BITS) : 0;
    // The same word, maybe at two addresses: the threads would be found there again.
    if (is_same(from, to)) {
        int64_t waiters = count_waiters(from);
        return count + (waiters < most_moved ? waiters : most_moved);
    }
    for (int32_t moved = 0; moved < most_moved; moved++) {
        struct thread *thread = first_waiter(from, ALL_BITS);
        if (thread == NULL) {
            break;
        }
        thread->futex = to;
        count++;
    }
    return count;
}

// The operation of FUTEX_WAKE_OP: an operation, a comparison, and an operand of 12
// bits for each.
static bool apply(uint32_t operation, uint32_t old, uint32_t *result)
{
    uint32_t operand = (uint32_t)((int32_t)(operation << 8) >> 20);
    if (operation & 0x80000000U) {
        operand = 1U << (operand & 31);
    }
    switch (operation >> 28 & 7) {
    case 0:
        *result = operand;
        return true;
    case 1:
        *result = old + operand;
        return true;
    case 2:
        *result = old | operand;
        return true;
    case 3:
        *result = old & ~operand;
        return true;
    case 4:
        *result = old ^ operand;
        return true;
    default:
        return false;
    }
}

static bool compare(uint32_t operation, int32_t old, bool *result)
{
    int32_t operand = (int32_t)(operation << 20) >> 20;
    switch (operation >> 24 & 15) {
    case 0:
        *result = old == operand;
        return true;
    case 1:
        *result = old != operand;
        return true;
    case 2:
        *result = old < operand;
        return true;
    case 3:
        *result = old <= operand;
        return true;
    case 4:
        *result = old > operand;
        return true;
    case 5:
        *result = old >= operand;
        return true;
    default:
        return false;
    }
}

static int64_t wake_after_operation(const uint64_t arguments[6])
{
    uint32_t old;
    uint32_t value;
    bool wakes_second;
    int64_t error = check_address(arguments[4]);
    if (error != 0) {
        return error;
    }
    if (!copy_from_user(&old, arguments[4], sizeof old)) {
        return -EFAULT;
    }
    if (!apply((uint32_t)arguments[5], old, &value) ||
        !compare((uint32_t)arguments[5], (int32_t)old, &wakes_second)) {
        return -ENOSYS;
    }
    if (!copy_to_user(arguments[4], &value, sizeof value)) {
        return -EFAULT;
    }
    int64_t count = wake(word_at(arguments[0], is_private_call(arguments)), (int32_t)arguments[2], ALL_BITS);
    struct futex_word second = word_at(arguments[4], is_private_call(arguments));
    return wakes_second ? count + wake(second, (int32_t)arguments[3], ALL_BITS) : count;
}

static int64_t find_deadline(const uint64_t arguments[6], uint32_t command, int64_t *deadline, int64_t *wall_time)
{
    *deadline = NEVER;
    if (arguments[3] == 0) {
        return 0;
    }
    return command == FUTEX_WAIT ? deadline_after(arguments[3], deadline)
                                 : deadline_at(arguments[3], !(arguments[1] & FUTEX_CLOCK_REALTIME), deadline, wall_time);
}

int64_t system_call_futex(const uint64_t arguments[6])
{
    uint32_t command = (uint32_t)arguments[1] & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
    bool is_wait = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    bool has_bits = command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;
    uint32_t bits = has_bits ? (uint32_t)arguments[5] : ALL_BITS;
    int64_t deadline = NEVER;
    int64_t wall_time = 0;
    if (arguments[1] & FUTEX_CLOCK_REALTIME && command != FUTEX_WAIT_BITSET) {
        return -ENOSYS;
    }
    int64_t error = is_wait ? find_deadline(arguments, command, &deadline, &wall_time) : 0;
    error = error == 0 && bits == 0 ? -EINVAL : error;
    error = error == 0 ? check_address(arguments[0]) : error;
    if (error != 0) {
        return error;
    }
    switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return wait(arguments, deadline, wall_time, bits);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return wake(word_at(arguments[0], is_private_call(arguments)), (int32_t)arguments[2], bits);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        return requeue(arguments, command == FUTEX_CMP_REQUEUE);
    case FUTEX_WAKE_OP:
        return wake_after_operation(arguments);
    default:
        return -ENOSYS;
    }
}

int64_t system_call_set_robust_list(const uint64_t arguments[6])
{
    if (arguments[1] != ROBUST_LIST_SIZE) {
        return -EINVAL;
    }
    current_thread->robust_list = arguments[0];
    return 0;
}

int64_t system_call_get_robust_list(const uint64_t arguments[6])
{
    const struct thread *thread = arguments[0] == 0 ? current_thread : thread_find((uint32_t)arguments[0]);
    const uint64_t size = ROBUST_LIST_SIZE;
    if (thread == NULL) {
        return -ESRCH;
    }
    return copy_to_user(arguments[2], &size, sizeof size) &&
                   copy_to_user(arguments[1], &thread->robust_list, sizeof thread->robust_list)
               ? 0 : -EFAULT;
}

// A lock whose owner has ended is marked, and the next thread is woken to see it. A pending lock may be free: then the
// thread has ended before it woke the next one, or before it took the lock for which it was woken.
static void release_lock(const struct thread *thread, uint64_t address, bool is_pending)
{
    uint32_t value;
    if (address % sizeof value != 0 || !copy_from_user(&value, address, sizeof value)) {
        return;
    }
    if (is_pending && (value & FUTEX_TID_MASK) == 0) {
        wake(word_at(address, false), 1, ALL_BITS);
        return;
    }
    if ((value & FUTEX_TID_MASK) != thread->id) {
        return;
    }
    uint32_t released = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
    if (copy_to_user(address, &released, sizeof released) && value & FUTEX_WAITERS) {
        wake(word_at(address, false), 1, ALL_BITS);
    }
}

void futex_release_robust_list(struct thread *thread)
{
    struct {
        uint64_t next;
        int64_t offset;
        uint64_t pending;
    } head;
    if (thread->robust_list == 0 || !copy_from_user(&head, thread->robust_list, sizeof head)) {
        return;
    }
    // The lowest bit of an entry says that it is a lock with priority inheritance.
    uint64_t entry = head.next & ~1UL;
    for (unsigned i = 0; i < MOST_ROBUST_ENTRIES && entry != thread->robust_list; i++) {
        uint64_t next;
        bool has_next = copy_from_user(&next, entry, sizeof next);
        if (entry != (head.pending & ~1UL)) {
            release_lock(thread, entry + (uint64_t)head.offset, false);
        }
        if (!has_next) {
            return;
        }
        entry = next & ~1UL;
    }
    if (head.pending != 0) {
        release_lock(thread, (head.pending & ~1UL) + (uint64_t)head.offset, true);
    }
}

void futex_clear_thread_id(struct thread *thread)
{
    const uint32_t zero = 0;
    if (thread->clear_child_tid != 0 && copy_to_user(thread->clear_child_tid, &zero, sizeof zero)) {
        wake(word_at(thread->clear_child_tid, false), 1, ALL_BITS);
    }
}
