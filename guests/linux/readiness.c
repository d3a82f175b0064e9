// SPDX-License-Identifier: Apache-2.0

#include "readiness.h"

#include "epoll.h"
#include "errors.h"
#include "files.h"
#include "scheduler.h"

static uint8_t any_file;

void readiness_changed(const void *object)
{
    epoll_note_change(object);
    scheduler_wake(object);
    scheduler_wake(&any_file);
}

int64_t readiness_wait(int64_t deadline)
{
    int64_t result = scheduler_wait(&any_file, deadline);
    return result == -ERESTARTSYS ? -EINTR : result;
}

// The file stays open for the caller while it waits, whatever other threads close.
int64_t file_wait(struct file *file, uint32_t events)
{
    return file->operations->wait != NULL ? file->operations->wait(file, events) : scheduler_wait(file->object, NEVER);
}
