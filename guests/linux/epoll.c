// SPDX-License-Identifier: Apache-2.0
//
// epoll. An entry has a file, for which it is not counted: it ends with the file.

#include "epoll.h"

#include "clock.h"
#include "connection.h"
#include "errors.h"
#include "file_status.h"
#include "files.h"
#include "host_events.h"
#include "kernel_pages.h"
#include "process.h"
#include "readiness.h"
#include "scheduler.h"
#include "signals.h"
#include "system_calls.h"
#include "user.h"

enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3 };

#define EPOLLEXCLUSIVE (1U << 28)
#define EPOLLWAKEUP (1U << 29)
#define EPOLLONESHOT (1U << 30)
#define EPOLLET (1U << 31)
#define EVENT_BITS 0xFFFFU
#define MOST_EVENTS (INT32_MAX / 12)

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

// In the list of all entries: there are few, and few changes.
struct entry {
    struct entry *next;
    const struct file *epoll;
    struct file *file;
    uint32_t descriptor;
    struct epoll_event wanted;
    // Since it was last reported.
    bool has_changed;
    // EPOLLONESHOT: it was reported.
    bool is_disabled;
};

static struct pool pool;
static struct entry *entries;

void epoll_start(void)
{
    pool = (struct pool){ .size = (sizeof(struct entry) + 7) & ~7UL };
    entries = NULL;
}

void epoll_note_change(const void *object)
{
    for (struct entry *entry = entries; entry != NULL; entry = entry->next) {
        if (entry->file->object == object) {
            entry->has_changed = true;
        }
    }
}

static void remove_entries(const struct file *file, const struct file *epoll)
{
    for (struct entry **link = &entries; *link != NULL;) {
        struct entry *entry = *link;
        if (entry->file == file || entry->epoll == epoll) {
            *link = entry->next;
            pool_free(&pool, entry);
        } else {
            link = &entry->next;
        }
    }
}

void epoll_forget(const struct file *file)
{
    remove_entries(file, file);
}

static uint32_t ready_events(const struct entry *entry)
{
    if (entry->is_disabled || (entry->wanted.events & EPOLLET && !entry->has_changed)) {
        return 0;
    }
    return file_poll(entry->file) & ((entry->wanted.events & EVENT_BITS) | POLLERR | POLLHUP);
}

static uint32_t poll_epoll(struct file *file)
{
    for (const struct entry *entry = entries; entry != NULL; entry = entry->next) {
        if (entry->epoll == file && ready_events(entry) != 0) {
            return POLLIN;
        }
    }
    return 0;
}

static int64_t status(struct file *file, struct file_status *status)
{
    (void)file;
    status->device = DEVICE_OF_STREAMS;
    status->inode = 1;
    status->mode = 0600;
    status->links = 1;
    status->uid = status->gid = USER_ID;
    status->block_size = 4096;
    return 0;
}

static const struct file_operations operations = { .poll = poll_epoll, .status = status };

static struct file *find_epoll(uint64_t descriptor, int64_t *error)
{
    struct file *file = current_file(descriptor);
    *error = file == NULL || file->flags & O_PATH ? -EBADF : file->operations != &operations ? -EINVAL : 0;
    return *error == 0 ? file : NULL;
}

static int64_t create(bool closes_on_exec)
{
    struct file *file = file_create(&operations, O_RDWR);
    if (file == NULL) {
        return -ENOMEM;
    }
    file->object = file;
    return files_add(current_files(), file, closes_on_exec, 0);
}

int64_t system_call_epoll_create(const uint64_t arguments[6])
{
    return (int32_t)arguments[0] > 0 ? create(false) : -EINVAL;
}

int64_t system_call_epoll_create1(const uint64_t arguments[6])
{
    return arguments[0] & ~(uint64_t)O_CLOEXEC ? -EINVAL : create(arguments[0] != 0);
}

static struct entry *find_entry(const struct file *epoll, const struct file *file, uint32_t descriptor)
{
    for (struct entry *entry = entries; entry != NULL; entry = entry->next) {
        if (entry->epoll == epoll && entry->file == file && entry->descriptor == descriptor) {
            return entry;
        }
    }
    return NULL;
}

static void set_wanted(struct entry *entry, const struct epoll_event *event)
{
    entry->wanted = *event;
    entry->has_changed = true;
    entry->is_disabled = false;
    readiness_changed(entry->epoll);
}

static int64_t add(const struct file *epoll, struct file *file, uint32_t descriptor, const struct epoll_event *event)
{
    struct entry *entry = pool_allocate(&pool);
    if (entry == NULL) {
        return -ENOMEM;
    }
    entry->epoll = epoll;
    entry->file = file;
    entry->descriptor = descriptor;
    // At the end, so that files are reported in this order.
    struct entry **link = &entries;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = entry;
    set_wanted(entry, event);
    return 0;
}

static void remove_entry(const struct entry *removed)
{
    struct entry **link = &entries;
    while (*link != removed) {
        link = &(*link)->next;
    }
    *link = removed->next;
    pool_free(&pool, (struct entry *)removed);
}

int64_t system_call_epoll_ctl(const uint64_t arguments[6])
{
    struct epoll_event event = { 0 };
    int64_t error;
    uint32_t operation = (uint32_t)arguments[1];
    uint32_t descriptor = (uint32_t)arguments[2];
    if (operation != EPOLL_CTL_DEL && !copy_from_user(&event, arguments[3], sizeof event)) {
        return -EFAULT;
    }
    struct file *file = current_file(descriptor);
    struct file *epoll = find_epoll(arguments[0], &error);
    if (error == -EBADF || file == NULL || file->flags & O_PATH) {
        return -EBADF;
    }
    // Regular files and directories are always ready.
    if (file->operations->poll == NULL && file->node != NULL) {
        return -EPERM;
    }
    // An epoll in another one is not there: they could contain each other.
    if (error != 0 || file->operations == &operations) {
        return -EINVAL;
    }
    struct entry *entry = find_entry(epoll, file, descriptor);
    switch (operation) {
    case EPOLL_CTL_ADD:
        return entry != NULL ? -EEXIST : add(epoll, file, descriptor, &event);
    case EPOLL_CTL_MOD:
        if (entry != NULL) {
            set_wanted(entry, &event);
        }
        return entry != NULL ? 0 : -ENOENT;
    case EPOLL_CTL_DEL:
        if (entry != NULL) {
            remove_entry(entry);
        }
        return entry != NULL ? 0 : -ENOENT;
    default:
        return -EINVAL;
    }
}

// Lets the entries behind one be the first ones: otherwise those at the beginning of the list could be
// reported again and again, and others never.
static void continue_behind(struct entry *last)
{
    struct entry *end = last;
    while (end->next != NULL) {
        end = end->next;
    }
    if (end != last) {
        end->next = entries;
        entries = last->next;
        last->next = NULL;
    }
}

static int64_t report(const struct file *epoll, uint64_t address, int32_t most)
{
    int64_t count = 0;
    struct entry *last = NULL;
    for (struct entry *entry = entries; entry != NULL && count < most; entry = entry->next) {
        uint32_t ready = entry->epoll == epoll ? ready_events(entry) : 0;
        if (ready == 0) {
            continue;
        }
        const struct epoll_event event = { ready, entry->wanted.data };
        if (!copy_to_user(address + (uint64_t)count * sizeof event, &event, sizeof event)) {
            return count != 0 ? count : -EFAULT;
        }
        entry->has_changed = false;
        entry->is_disabled = (entry->wanted.events & EPOLLONESHOT) != 0;
        last = entry;
        count++;
    }
    if (count == most) {
        continue_behind(last);
    }
    return count;
}

// What the host has not told yet, because nothing waits for it.
static bool connections_have_changed(void)
{
    return connections_are_open() && host_events_wait(0);
}

static int64_t wait(const uint64_t arguments[6], int64_t deadline)
{
    int64_t error;
    int64_t count;
    int32_t most = (int32_t)arguments[2];
    if (most <= 0 || most > MOST_EVENTS) {
        return -EINVAL;
    }
    struct file *epoll = find_epoll(arguments[0], &error);
    if (error != 0) {
        return error;
    }
    file_retain(epoll);
    do {
        count = report(epoll, arguments[1], most);
        error = 0;
    } while (count == 0 && deadline != 0 && (error = readiness_wait(deadline)) == 0);
    if (count == 0 && deadline == 0 && connections_have_changed()) {
        count = report(epoll, arguments[1], most);
    }
    file_release(epoll);
    return count != 0 || error == -ETIMEDOUT ? count : error;
}

static int64_t wait_milliseconds(const uint64_t arguments[6])
{
    int32_t milliseconds = (int32_t)arguments[3];
    int64_t deadline = milliseconds < 0 ? NEVER : 0;
    int64_t error = milliseconds > 0 ? deadline_from(milliseconds * MILLISECOND, &deadline) : 0;
    return error != 0 ? error : wait(arguments, deadline);
}

int64_t system_call_epoll_wait(const uint64_t arguments[6])
{
    return wait_milliseconds(arguments);
}

int64_t system_call_epoll_pwait(const uint64_t arguments[6])
{
    int64_t error = signals_block_for_call(arguments[4], arguments[5]);
    return error != 0 ? error : wait_milliseconds(arguments);
}
