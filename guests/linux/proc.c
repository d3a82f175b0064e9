// SPDX-License-Identifier: Apache-2.0
//
// The files of the machine.

#include "proc.h"

#include "file_system.h"
#include "host.h"
#include "pages.h"
#include "physical_pages.h"
#include "text.h"

#define KIBIBYTES (PAGE_SIZE / 1024)
#define NANOSECONDS 1000000000L
#define TICKS 100

bool proc_add_text(struct node *directory, const char *name, bool (*generate)(const struct node *, struct node *))
{
    struct node *node = node_create(S_IFREG | 0444);
    if (node == NULL) {
        return false;
    }
    node->is_text = true;
    node->text.generate = generate;
    return file_system_add(directory, name, node);
}

static bool processors(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    (void)node;
    text_put(&text, "processor\t: 0\nvendor_id\t: Hyperlight\nmodel name\t: Hyperlight virtual processor\n"
                    "physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\nfpu\t\t: yes\n"
                    "flags\t\t: fpu tsc msr cx8 cmov mmx fxsr sse sse2 syscall nx lm\n\n");
    return !text.has_failed;
}

static bool memory(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    uint64_t total = pages_limit() * KIBIBYTES;
    uint64_t free = (pages_limit() - pages_used()) * KIBIBYTES;
    (void)node;
    text_put_line(&text, "MemTotal:       ", total, " kB\n");
    text_put_line(&text, "MemFree:        ", free, " kB\n");
    text_put_line(&text, "MemAvailable:   ", free, " kB\n");
    text_put_line(&text, "Buffers:        ", 0, " kB\n");
    text_put_line(&text, "Cached:         ", 0, " kB\n");
    text_put_line(&text, "SwapTotal:      ", 0, " kB\n");
    text_put_line(&text, "SwapFree:       ", 0, " kB\n");
    text_put_line(&text, "CommitLimit:    ", total, " kB\n");
    text_put_line(&text, "Committed_AS:   ", pages_committed() * KIBIBYTES, " kB\n");
    return !text.has_failed;
}

// Nanoseconds, of a clock that does not begin at the start of the micro VM.
static uint64_t monotonic(void)
{
    int64_t now;
    return host_clock(true, &now) && now > 0 ? (uint64_t)now : 0;
}

static bool statistics(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    uint64_t ticks = monotonic() / (NANOSECONDS / TICKS);
    int64_t now;
    (void)node;
    text_put_line(&text, "cpu  ", ticks, " 0 0 0 0 0 0 0 0 0\n");
    text_put_line(&text, "cpu0 ", ticks, " 0 0 0 0 0 0 0 0 0\n");
    text_put(&text, "intr 0\nctxt 0\n");
    uint64_t start = host_clock(false, &now) ? (uint64_t)now / NANOSECONDS - ticks / TICKS : 0;
    text_put_line(&text, "btime ", start, "\n");
    text_put(&text, "processes 1\nprocs_running 1\nprocs_blocked 0\n");
    return !text.has_failed;
}

static bool uptime(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    uint64_t now = monotonic();
    (void)node;
    text_put_number(&text, now / NANOSECONDS);
    text_put(&text, ".");
    text_put_number(&text, now / (NANOSECONDS / 10) % 10);
    text_put_number(&text, now / (NANOSECONDS / 100) % 10);
    text_put(&text, " 0.00\n");
    return !text.has_failed;
}

// Files whose text is always the same.
#define FIXED(name, string) \
    static bool name(const struct node *node, struct node *contents) \
    { \
        struct text text = { .node = contents }; \
        (void)node; \
        text_put(&text, string); \
        return !text.has_failed; \
    }

FIXED(load, "0.00 0.00 0.00 1/1 1000\n")
FIXED(version, "Linux version 6.1.0 (hyperlight) #1 Hyperlight\n")
FIXED(file_systems, "nodev\ttmpfs\nnodev\tproc\n")
FIXED(mounts, "rootfs / tmpfs rw 0 0\nproc /proc proc rw 0 0\n")
FIXED(one_processor, "0\n")
FIXED(release, "6.1.0\n")
FIXED(largest_process, "32768\n")
FIXED(overcommit, "2\n")

bool proc_create(struct node *directory)
{
    struct node *system = file_system_add_directory(directory, "sys", 0555);
    struct node *kernel = system != NULL ? file_system_add_directory(system, "kernel", 0555) : NULL;
    struct node *memory_settings = kernel != NULL ? file_system_add_directory(system, "vm", 0555) : NULL;
    struct node *root = directory->directory.parent;
    struct node *devices = memory_settings != NULL ? file_system_add_directory(root, "sys", 0555) : NULL;
    static const char *const path[] = { "devices", "system", "cpu" };
    for (unsigned i = 0; i < sizeof path / sizeof path[0] && devices != NULL; i++) {
        devices = file_system_add_directory(devices, path[i], 0555);
    }
    return devices != NULL && proc_add_text(devices, "online", one_processor) &&
           proc_add_text(devices, "possible", one_processor) && proc_add_text(devices, "present", one_processor) &&
           proc_add_text(kernel, "osrelease", release) && proc_add_text(kernel, "pid_max", largest_process) &&
           proc_add_text(memory_settings, "overcommit_memory", overcommit) &&
           proc_add_text(directory, "cpuinfo", processors) && proc_add_text(directory, "meminfo", memory) &&
           proc_add_text(directory, "stat", statistics) && proc_add_text(directory, "uptime", uptime) &&
           proc_add_text(directory, "loadavg", load) && proc_add_text(directory, "version", version) &&
           proc_add_text(directory, "filesystems", file_systems) &&
           proc_add_text(directory, "mounts", mounts) && proc_create_process(directory);
}
