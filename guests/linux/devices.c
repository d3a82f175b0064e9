// SPDX-License-Identifier: Apache-2.0

#include "devices.h"

#include "call_device.h"
#include "errors.h"
#include "file_status.h"
#include "file_system.h"
#include "files.h"
#include "process.h"
#include "random.h"
#include "ready_device.h"

#define MEMORY_DEVICES 1
#define TERMINAL_DEVICES 5
// Linux leaves these numbers to local use.
#define HOST_DEVICES 240
#define RANDOM_PART 256

static int64_t read_end(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    (void)buffer;
    (void)position;
    return 0;
}

static int64_t read_zeroes(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    (void)position;
    uint64_t size = buffer->size;
    return buffer_put_zeroes(buffer, size) ? (int64_t)size : -EFAULT;
}

static int64_t read_random(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    (void)position;
    uint8_t bytes[RANDOM_PART];
    uint64_t size = buffer->size;
    while (buffer->size != 0) {
        uint64_t part = buffer->size < sizeof bytes ? buffer->size : sizeof bytes;
        random_bytes(bytes, part);
        if (!buffer_put(buffer, bytes, part)) {
            return buffer->size != size ? (int64_t)(size - buffer->size) : -EFAULT;
        }
    }
    return (int64_t)size;
}

static int64_t write_nothing(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    (void)position;
    return (int64_t)buffer->size;
}

static int64_t write_full(struct file *file, struct buffer *buffer, uint64_t *position)
{
    (void)file;
    (void)position;
    return buffer->size != 0 ? -ENOSPC : 0;
}

static int64_t seek_nowhere(struct file *file, int64_t offset, uint32_t origin)
{
    (void)file;
    (void)offset;
    (void)origin;
    return 0;
}

static const struct file_operations null_file = { .read = read_end, .write = write_nothing, .seek = seek_nowhere };
static const struct file_operations zero_file = { .read = read_zeroes, .write = write_nothing, .seek = seek_nowhere };
static const struct file_operations full_file = { .read = read_zeroes, .write = write_full, .seek = seek_nowhere };
static const struct file_operations random_file = { .read = read_random, .write = write_nothing, .seek = seek_nowhere };

struct device {
    const char *name;
    uint32_t major, minor;
    // NULL: it cannot be opened.
    const struct file_operations *operations;
};

static const struct device devices[] = {
    { "null", MEMORY_DEVICES, 3, &null_file },
    { "zero", MEMORY_DEVICES, 5, &zero_file },
    { "full", MEMORY_DEVICES, 7, &full_file },
    { "random", MEMORY_DEVICES, 8, &random_file },
    { "urandom", MEMORY_DEVICES, 9, &random_file },
    { "tty", TERMINAL_DEVICES, 0, NULL },
};

// Devices of the host, in a directory of their own.
static const struct device host_devices[] = {
    { "ready", HOST_DEVICES, 1, &ready_device },
    { "call", HOST_DEVICES, 0, &call_device },
};

static bool create_device(struct node *directory, const struct device *device)
{
    struct node *node = node_create(S_IFCHR | 0666);
    if (node == NULL) {
        return false;
    }
    node->uid = node->gid = ROOT_ID;
    node->represented_device = device_number(device->major, device->minor);
    node->device.operations = device->operations;
    return file_system_add(directory, device->name, node);
}

static bool create_host_devices(struct node *directory)
{
    bool is_created = directory != NULL;
    for (unsigned i = 0; i < sizeof host_devices / sizeof host_devices[0]; i++) {
        is_created = is_created && create_device(directory, &host_devices[i]);
    }
    return is_created;
}

bool devices_create(struct node *directory)
{
    bool is_created = create_host_devices(file_system_add_directory(directory, "hyperlight", 0755));
    for (unsigned i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        is_created = is_created && create_device(directory, &devices[i]);
    }
    return is_created && file_system_add_link(directory, "fd", "/proc/self/fd") &&
           file_system_add_link(directory, "stdin", "/proc/self/fd/0") &&
           file_system_add_link(directory, "stdout", "/proc/self/fd/1") &&
           file_system_add_link(directory, "stderr", "/proc/self/fd/2") &&
           file_system_add_directory(directory, "shm", S_ISVTX | 0777) != NULL;
}

bool is_zero_device(const struct node *node)
{
    return (node->mode & S_IFMT) == S_IFCHR && node->device.operations == &zero_file;
}
