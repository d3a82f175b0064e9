// SPDX-License-Identifier: Apache-2.0
//
// Open files. A `struct file` is what POSIX calls an open file description: it is
// counted, and shared by the descriptors that refer to it. A `struct files` is a
// table of descriptors: shared by the threads of a process, copied by fork.
//
// A kind of file is a table of operations. Nothing else knows the kinds, so that
// one is added without a change here.

#ifndef LINUX_FILES_H
#define LINUX_FILES_H

#include "buffer.h"

#define MOST_DESCRIPTORS 1024
// The largest number of bytes in one call, as in Linux.
#define MOST_TRANSFER_BYTES 0x7FFFF000UL

enum open_flags {
    O_RDONLY = 0,
    O_WRONLY = 1,
    O_RDWR = 2,
    O_ACCMODE = 3,
    O_CREAT = 0100,
    O_EXCL = 0200,
    O_NOCTTY = 0400,
    O_TRUNC = 01000,
    O_APPEND = 02000,
    O_NONBLOCK = 04000,
    O_DSYNC = 010000,
    O_ASYNC = 020000,
    O_DIRECT = 040000,
    O_LARGEFILE = 0100000,
    O_DIRECTORY = 0200000,
    O_NOFOLLOW = 0400000,
    O_NOATIME = 01000000,
    O_CLOEXEC = 02000000,
    O_PATH = 010000000,
    O_TMPFILE = 020000000 | O_DIRECTORY,
};

enum poll_events {
    POLLIN = 0x01,
    POLLPRI = 0x02,
    POLLOUT = 0x04,
    POLLERR = 0x08,
    POLLHUP = 0x10,
    POLLNVAL = 0x20,
    POLLRDHUP = 0x2000,
};

struct file;
struct node;
struct file_status;
struct socket_operations;

// What is NULL cannot be done with the kind. Results are not negative, or an error
// number with a minus sign.
struct file_operations {
    // For a device: prepares `file` when it is opened. NULL: nothing to do. After an
    // error, the file is released.
    int64_t (*open)(struct file *file);
    // Transfers bytes and advances `buffer`; returns their number. `position` is
    // what to advance, NULL for a stream. -EAGAIN if nothing can be transferred
    // now: unless the file has O_NONBLOCK, the call waits (file_wait).
    int64_t (*read)(struct file *file, struct buffer *buffer, uint64_t *position);
    int64_t (*write)(struct file *file, struct buffer *buffer, uint64_t *position);
    // For lseek. NULL: ESPIPE, and pread64 and pwrite64 are ESPIPE too.
    int64_t (*seek)(struct file *file, int64_t offset, uint32_t origin);
    int64_t (*status)(struct file *file, struct file_status *status);
    // The poll_events that hold now. NULL: always ready for what it was opened for.
    uint32_t (*poll)(struct file *file);
    // Waits until one of the events may hold: 0, or an error, with which the call
    // ends. NULL: waits for the object, without an end.
    int64_t (*wait)(struct file *file, uint32_t events);
    // NULL: ENOTTY.
    int64_t (*ioctl)(struct file *file, uint64_t request, uint64_t argument);
    int64_t (*list)(struct file *file, struct buffer *buffer);
    // The last reference is gone. `file` itself is freed by the caller.
    void (*release)(struct file *file);
    // Keeps an error for the next call: this one returns what was transferred before.
    // NULL: the next call finds it itself.
    void (*keep_error)(struct file *file, int64_t error);
    // Of sockets.h. NULL: it is no socket, ENOTSOCK.
    const struct socket_operations *socket;
};

struct file {
    const struct file_operations *operations;
    uint32_t references;
    // O_*: the access mode and the status flags.
    uint32_t flags;
    uint64_t position;
    // Of files that are in the file system, counted. They can be mapped.
    struct node *node;
    // Of the kind.
    void *object;
    uint64_t state;
    // The lock that it holds on the node, as of flock, or 0.
    uint32_t lock;
};

// A new file with one reference, or NULL without memory.
struct file *file_create(const struct file_operations *operations, uint32_t flags);
void file_retain(struct file *file);
void file_release(struct file *file);

// The result of a call that ends with `result` after parts of `total` bytes.
static inline int64_t file_end_transfer(struct file *file, int64_t total, int64_t result)
{
    if (total != 0 && result < 0 && file->operations->keep_error != NULL) {
        file->operations->keep_error(file, result);
    }
    return total != 0 ? total : result;
}

static inline bool file_can_read(const struct file *file)
{
    return (file->flags & O_ACCMODE) != O_WRONLY && !(file->flags & O_PATH);
}

static inline bool file_can_write(const struct file *file)
{
    return (file->flags & O_ACCMODE) != O_RDONLY && !(file->flags & O_PATH);
}

// The transfers of system calls: check the access mode and the size, and wait.
// The position of the file, if `position` is NULL.
int64_t file_read(struct file *file, struct buffer *buffer, uint64_t *position);
int64_t file_write(struct file *file, struct buffer *buffer, uint64_t *position);
uint32_t file_poll(struct file *file);

// Waits until the file may be ready: 0, or the error of the call: -ERESTARTSYS, and
// with a time limit also -EAGAIN and -EINTR.
int64_t file_wait(struct file *file, uint32_t events);

struct files;

// Forgets all files.
void files_start(void);

// A table with the three standard streams, an equal one, or NULL without memory.
struct files *files_create(void);
struct files *files_copy(const struct files *files);
// For one that nobody else has: the table itself, counted, or a copy.
struct files *files_unshare(struct files *files);
void files_retain(struct files *files);
void files_release(struct files *files);
// For execve: closes what has FD_CLOEXEC.
void files_close_on_exec(struct files *files);

// The file of a descriptor, not counted for the caller: NULL if it is not open.
struct file *files_find(const struct files *files, uint64_t descriptor);

// The lowest free descriptor from `lowest` on, or -EMFILE.
int64_t files_find_free(const struct files *files, uint64_t lowest);

// Puts a file, whose reference the table takes, at the lowest free descriptor from
// `lowest` on. The descriptor, or -EMFILE or -ENOMEM: the file is released then.
int64_t files_add(struct files *files, struct file *file, bool closes_on_exec, uint64_t lowest);
// The same at a descriptor of the caller's choice, which is closed first if it is open.
int64_t files_replace(struct files *files, uint64_t descriptor, struct file *file, bool closes_on_exec);
int64_t files_close(struct files *files, uint64_t descriptor);
bool files_closes_on_exec(const struct files *files, uint64_t descriptor);
// For a descriptor that is open.
void files_set_close_on_exec(struct files *files, uint64_t descriptor, bool closes_on_exec);

// The table of the running process.
struct files *current_files(void);

// The file of a descriptor of the running process.
static inline struct file *current_file(uint64_t descriptor)
{
    return files_find(current_files(), descriptor);
}

#endif
