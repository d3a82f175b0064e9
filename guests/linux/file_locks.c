// SPDX-License-Identifier: Apache-2.0

#include "file_locks.h"

#include "errors.h"
#include "files.h"
#include "node.h"
#include "scheduler.h"
#include "system_calls.h"

enum flock_operations { LOCK_SH = 1, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8 };

// Whether no other open file description holds a lock that excludes this one.
static bool is_free(const struct node *node, uint32_t lock)
{
    return !node->is_locked && (lock == LOCK_SH || node->shared_locks == 0);
}

void file_locks_release(struct file *file)
{
    if (file->lock == 0) {
        return;
    }
    if (file->lock == LOCK_EX) {
        file->node->is_locked = false;
    } else {
        file->node->shared_locks--;
    }
    file->lock = 0;
    scheduler_wake(&file->node->shared_locks);
}

static int64_t acquire(struct file *file, uint32_t lock, bool waits)
{
    if (file->lock == lock) {
        return 0;
    }
    // As on Linux, the lock that the file has is lost if it cannot be changed at once.
    file_locks_release(file);
    while (!is_free(file->node, lock)) {
        int64_t error = waits ? scheduler_wait(&file->node->shared_locks, NEVER) : -EAGAIN;
        if (error != 0) {
            return error;
        }
        // Another thread may have locked the same open file meanwhile.
        file_locks_release(file);
    }
    if (lock == LOCK_EX) {
        file->node->is_locked = true;
    } else {
        file->node->shared_locks++;
    }
    file->lock = lock;
    return 0;
}

int64_t system_call_flock(const uint64_t arguments[6])
{
    uint32_t operation = (uint32_t)arguments[1] & ~(uint32_t)LOCK_NB;
    struct file *file = current_file(arguments[0]);
    if (file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    if (operation != LOCK_SH && operation != LOCK_EX && operation != LOCK_UN) {
        return -EINVAL;
    }
    // The standard streams, pipes and sockets have no node.
    if (file->node == NULL) {
        return 0;
    }
    if (operation == LOCK_UN) {
        file_locks_release(file);
        return 0;
    }
    file_retain(file);
    int64_t result = acquire(file, operation, !(arguments[1] & LOCK_NB));
    file_release(file);
    return result;
}
