// SPDX-License-Identifier: Apache-2.0

#include "record_locks.h"

#include "errors.h"
#include "files.h"
#include "kernel_pages.h"
#include "node.h"
#include "processes.h"
#include "scheduler.h"
#include "threads.h"
#include "user.h"

enum {
    F_GETLK = 5,
    F_SETLK = 6,
    F_SETLKW = 7,
    F_OFD_GETLK = 36,
    F_OFD_SETLK = 37,
    F_OFD_SETLKW = 38,
};

enum { F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2 };
enum { SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2 };

// More of them are ENOLCK.
#define MOST_LOCKS 1024
#define LAST_OFFSET INT64_MAX

// Of one node; those of an owner do not overlap, and do not touch each other unless
// their types differ.
struct record_lock {
    struct record_lock *next;
    const void *owner;
    int64_t first, last;
    int32_t process;
    int16_t type;
};

// struct flock.
struct request {
    int16_t type, origin;
    int64_t start, length;
    int32_t process;
};

// A thread that waits, on its kernel stack: its owner needs what the other one holds.
struct waiter {
    struct waiter *next;
    const void *owner;
    const void *holder;
    const struct thread *thread;
};

static struct pool locks;
static unsigned lock_count;
static struct waiter *waiters;

void record_locks_start(void)
{
    locks = (struct pool){ .size = sizeof(struct record_lock) };
    lock_count = 0;
    waiters = NULL;
}

bool is_record_lock_command(uint32_t command)
{
    return (command >= F_GETLK && command <= F_SETLKW) || (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);
}

static bool is_of_description(uint32_t command)
{
    return command >= F_OFD_GETLK;
}

static bool overlaps(const struct record_lock *lock, int64_t first, int64_t last)
{
    return lock->first <= last && lock->last >= first;
}

// A lock of another owner that excludes this one, or NULL.
static struct record_lock *find_conflict(const struct node *node, const struct record_lock *wanted)
{
    for (struct record_lock *lock = node->record_locks; lock != NULL; lock = lock->next) {
        if (lock->owner != wanted->owner && overlaps(lock, wanted->first, wanted->last) &&
            (lock->type == F_WRLCK || wanted->type == F_WRLCK)) {
            return lock;
        }
    }
    return NULL;
}

static struct record_lock *create_lock(unsigned most)
{
    struct record_lock *lock = lock_count < most ? pool_allocate(&locks) : NULL;
    if (lock != NULL) {
        lock_count++;
    }
    return lock;
}

static void free_lock(struct record_lock *lock)
{
    if (lock != NULL) {
        lock_count--;
        pool_free(&locks, lock);
    }
}

static void add(struct node *node, struct record_lock *lock)
{
    lock->next = node->record_locks;
    node->record_locks = lock;
}

static void unlink_lock(struct record_lock **link)
{
    struct record_lock *lock = *link;
    *link = lock->next;
    free_lock(lock);
}

// The range with what the owner has of the same type in it or beside it.
static void join(const struct node *node, struct record_lock *wanted)
{
    bool has_grown = true;
    while (has_grown) {
        has_grown = false;
        for (const struct record_lock *lock = node->record_locks; lock != NULL; lock = lock->next) {
            int64_t before = wanted->first > 0 ? wanted->first - 1 : 0;
            int64_t after = wanted->last < LAST_OFFSET ? wanted->last + 1 : LAST_OFFSET;
            if (lock->owner != wanted->owner || lock->type != wanted->type || !overlaps(lock, before, after)) {
                continue;
            }
            if (lock->first < wanted->first) {
                wanted->first = lock->first;
                has_grown = true;
            }
            if (lock->last > wanted->last) {
                wanted->last = lock->last;
                has_grown = true;
            }
        }
    }
}

// Takes a range from the locks of an owner. `spare` is used if one has to be divided;
// otherwise it is left.
static void carve(struct node *node, const struct record_lock *range, struct record_lock **spare)
{
    struct record_lock **link = &node->record_locks;
    while (*link != NULL) {
        struct record_lock *lock = *link;
        if (lock->owner != range->owner || !overlaps(lock, range->first, range->last)) {
            link = &lock->next;
        } else if (lock->first >= range->first && lock->last <= range->last) {
            unlink_lock(link);
        } else {
            if (lock->first < range->first && lock->last > range->last) {
                struct record_lock *rest = *spare;
                *spare = NULL;
                *rest = *lock;
                rest->first = range->last + 1;
                add(node, rest);
                lock->last = range->first - 1;
            } else if (lock->first < range->first) {
                lock->last = range->first - 1;
            } else {
                lock->first = range->last + 1;
            }
            link = &lock->next;
        }
    }
}

// Whether a range is in the middle of a lock of its owner.
static bool divides(const struct node *node, const struct record_lock *range)
{
    for (const struct record_lock *lock = node->record_locks; lock != NULL; lock = lock->next) {
        if (lock->owner == range->owner && lock->first < range->first && lock->last > range->last) {
            return true;
        }
    }
    return false;
}

// An unlock takes memory only if it divides a lock, and then one more than a lock may.
static int64_t set(struct node *node, const struct record_lock *wanted)
{
    bool is_unlock = wanted->type == F_UNLCK;
    struct record_lock range = *wanted;
    if (!is_unlock) {
        join(node, &range);
    }
    bool needs_spare = divides(node, &range);
    struct record_lock *lock = is_unlock ? NULL : create_lock(MOST_LOCKS);
    struct record_lock *spare = needs_spare ? create_lock(MOST_LOCKS + 1) : NULL;
    bool has_memory = (is_unlock || lock != NULL) && (!needs_spare || spare != NULL);
    if (has_memory) {
        carve(node, &range, &spare);
        if (!is_unlock) {
            *lock = range;
            add(node, lock);
            lock = NULL;
        }
        scheduler_wake(&node->record_locks);
    }
    free_lock(lock);
    free_lock(spare);
    return has_memory ? 0 : -ENOLCK;
}

void record_locks_release(struct node *node, const void *owner)
{
    bool has_changed = false;
    for (struct record_lock **link = &node->record_locks; *link != NULL;) {
        if ((*link)->owner == owner) {
            unlink_lock(link);
            has_changed = true;
        } else {
            link = &(*link)->next;
        }
    }
    if (has_changed) {
        scheduler_wake(&node->record_locks);
    }
}

// Whether the holder waits, over others perhaps, for the owner. One that was woken looks
// again itself.
static bool is_deadlock(const void *owner, const void *holder)
{
    // Each owner is passed once in a chain without a circle.
    for (unsigned steps = 0; steps < MOST_PROCESSES; steps++) {
        const struct waiter *waiter = waiters;
        while (waiter != NULL && (waiter->owner != holder || waiter->thread->state != THREAD_WAITING)) {
            waiter = waiter->next;
        }
        if (waiter == NULL) {
            return false;
        }
        holder = waiter->holder;
        if (holder == owner) {
            return true;
        }
    }
    return false;
}

static void forget_waiter(const struct waiter *waiter)
{
    struct waiter **link = &waiters;
    while (*link != waiter) {
        link = &(*link)->next;
    }
    *link = waiter->next;
}

// As on Linux, owners that are open file descriptions are not looked at for deadlocks.
static int64_t wait_until_free(struct node *node, const struct record_lock *wanted, bool detects_deadlocks)
{
    const struct record_lock *conflict;
    while ((conflict = find_conflict(node, wanted)) != NULL) {
        if (detects_deadlocks && is_deadlock(wanted->owner, conflict->owner)) {
            return -EDEADLK;
        }
        struct waiter waiter = { waiters, wanted->owner, conflict->owner, current_thread };
        waiters = &waiter;
        int64_t error = scheduler_wait(&node->record_locks, NEVER);
        forget_waiter(&waiter);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

static int64_t find_range(const struct file *file, const struct request *request, struct record_lock *lock)
{
    int64_t start = request->origin == SEEK_CUR ? (int64_t)file->position
                    : request->origin == SEEK_END ? (int64_t)file->node->size : 0;
    if (request->origin < SEEK_SET || request->origin > SEEK_END) {
        return -EINVAL;
    }
    if (request->start > LAST_OFFSET - start) {
        return -EOVERFLOW;
    }
    start += request->start;
    if (start < 0) {
        return -EINVAL;
    }
    lock->first = start;
    lock->last = LAST_OFFSET;
    if (request->length > 0) {
        if (request->length - 1 > LAST_OFFSET - start) {
            return -EOVERFLOW;
        }
        lock->last = start + request->length - 1;
    } else if (request->length < 0) {
        if (start + request->length < 0) {
            return -EINVAL;
        }
        lock->first = start + request->length;
        lock->last = start - 1;
    }
    return 0;
}

static int64_t get(const struct node *node, const struct record_lock *wanted, struct request *request)
{
    const struct record_lock *conflict = find_conflict(node, wanted);
    if (conflict == NULL) {
        request->type = F_UNLCK;
        return 0;
    }
    *request = (struct request){
        .type = conflict->type,
        .origin = SEEK_SET,
        .start = conflict->first,
        .length = conflict->last == LAST_OFFSET ? 0 : conflict->last - conflict->first + 1,
        .process = conflict->process,
    };
    return 0;
}

static int64_t acquire(struct file *file, uint64_t descriptor, const struct record_lock *wanted, bool waits)
{
    struct node *node = file->node;
    bool is_of_process = wanted->owner == current_files();
    if (wanted->type != F_UNLCK && find_conflict(node, wanted) != NULL) {
        if (!waits) {
            return -EAGAIN;
        }
        file_retain(file);
        int64_t error = wait_until_free(node, wanted, is_of_process);
        // The descriptor may have been closed meanwhile: a lock would stay.
        if (error == 0 && is_of_process && current_file(descriptor) != file) {
            error = -EBADF;
        }
        error = error != 0 ? error : set(node, wanted);
        file_release(file);
        return error;
    }
    return set(node, wanted);
}

int64_t record_lock_control(struct file *file, uint64_t descriptor, uint32_t command, uint64_t address)
{
    struct request request;
    bool gets = command == F_GETLK || command == F_OFD_GETLK;
    if (!copy_from_user(&request, address, sizeof request)) {
        return -EFAULT;
    }
    // The standard streams, pipes and sockets have no node.
    if (request.type < F_RDLCK || request.type > F_UNLCK || file->node == NULL || (gets && request.type == F_UNLCK)) {
        return -EINVAL;
    }
    struct record_lock wanted = {
        .owner = is_of_description(command) ? (const void *)file : current_files(),
        .process = is_of_description(command) ? -1 : (int32_t)current_process->id,
        .type = request.type,
    };
    int64_t error = find_range(file, &request, &wanted);
    if (error != 0) {
        return error;
    }
    bool can_lock = gets || request.type == F_UNLCK || (request.type == F_RDLCK ? file_can_read(file) : file_can_write(file));
    if (!can_lock) {
        return -EBADF;
    }
    if (is_of_description(command) && request.process != 0) {
        return -EINVAL;
    }
    if (!gets) {
        return acquire(file, descriptor, &wanted, command == F_SETLKW || command == F_OFD_SETLKW);
    }
    error = get(file->node, &wanted, &request);
    return error != 0 ? error : copy_to_user(address, &request, sizeof request) ? 0 : -EFAULT;
}
