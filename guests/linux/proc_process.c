// SPDX-License-Identifier: Apache-2.0
//
// The directory of the process in /proc.

#include "areas.h"
#include "entries.h"
#include "errors.h"
#include "file_context.h"
#include "file_system.h"
#include "files.h"
#include "path.h"
#include "physical_pages.h"
#include "proc.h"
#include "process.h"
#include "processes.h"
#include "program.h"
#include "text.h"
#include "user.h"
#include "vdso.h"

#include <string.h>

// The same everywhere as PROCESS_ID.
#define PROCESS_NAME "1000"
#define DEVICE_NAME "00:01 "
#define PART 256

// Of links to descriptors: one for each that is in use at a time. None is kept: see node_keep.
static struct node descriptor_links[8];
static unsigned next_link;

static bool parse_descriptor(const char *name, size_t length, uint32_t *descriptor)
{
    *descriptor = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9' || *descriptor >= MOST_DESCRIPTORS || (i == 1 && name[0] == '0')) {
            return false;
        }
        *descriptor = *descriptor * 10 + (uint32_t)(name[i] - '0');
    }
    return length != 0;
}

static int64_t follow_descriptor(struct node *link, struct node **node, struct file **file)
{
    *file = current_file(link->link.number);
    *node = *file != NULL ? (*file)->node : NULL;
    return *file != NULL ? 0 : -ENOENT;
}

static size_t describe_descriptor(struct node *link, char *target, size_t size)
{
    const struct file *file = current_file(link->link.number);
    const char *name = file == NULL ? "(closed)" : file->node == NULL ? "pipe:[0]" : "anon_inode:[file]";
    if (file != NULL && file->node != NULL && node_is_directory(file->node)) {
        int64_t length = path_of_directory(file->node, target, size);
        if (length > 0) {
            return (size_t)length - 1;
        }
    }
    size_t length = strlen(name);
    memcpy(target, name, length);
    return length;
}

static struct node *link_of(uint32_t descriptor)
{
    struct node *node = &descriptor_links[next_link++ % (sizeof descriptor_links / sizeof descriptor_links[0])];
    *node = (struct node){
        .is_transient = true,
        .references = 1,
        .links = 1,
        .mode = S_IFLNK | 0700,
        .uid = USER_ID,
        .gid = USER_ID,
        .size = 64,
        .inode = 0x100000000UL + descriptor,
        .image_index = NODE_IN_MEMORY,
        .link = { .follow = follow_descriptor, .describe = describe_descriptor, .number = descriptor },
    };
    return node;
}

static int64_t find_descriptor(struct node *directory, const char *name, size_t length, struct node **node)
{
    uint32_t descriptor;
    (void)directory;
    if (!parse_descriptor(name, length, &descriptor) || current_file(descriptor) == NULL) {
        return -ENOENT;
    }
    *node = link_of(descriptor);
    return 0;
}

static void format(char *text, uint32_t number)
{
    char digits[12];
    size_t length = 0;
    do {
        digits[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < length; i++) {
        text[i] = digits[length - 1 - i];
    }
    text[length] = 0;
}

static bool descriptor_at(struct node *directory, uint64_t *place, char name[NAME_SIZE + 1], struct node **node)
{
    (void)directory;
    while (*place < MOST_DESCRIPTORS && current_file(*place) == NULL) {
        ++*place;
    }
    if (*place >= MOST_DESCRIPTORS) {
        return false;
    }
    format(name, (uint32_t)*place);
    *node = link_of((uint32_t)*place);
    return true;
}

static int64_t follow_executable(struct node *link, struct node **node, struct file **file)
{
    (void)link;
    (void)file;
    *node = program.executable;
    return *node != NULL ? 0 : -ENOENT;
}

static size_t describe_executable(struct node *link, char *target, size_t size)
{
    (void)link;
    size_t length = strnlen(program.executable_path, size);
    memcpy(target, program.executable_path, length);
    return length;
}

static int64_t follow_working_directory(struct node *link, struct node **node, struct file **file)
{
    (void)link;
    (void)file;
    *node = current_file_context()->working_directory;
    return 0;
}

static size_t describe_working_directory(struct node *link, char *target, size_t size)
{
    (void)link;
    int64_t length = path_of_directory(current_file_context()->working_directory, target, size);
    if (length <= 0) {
        strcpy(target, "(deleted)");
        return strlen(target);
    }
    return (size_t)length - 1;
}

static int64_t follow_root(struct node *link, struct node **node, struct file **file)
{
    (void)link;
    (void)file;
    *node = root_node();
    return 0;
}

static size_t describe_root(struct node *link, char *target, size_t size)
{
    (void)link;
    (void)size;
    target[0] = '/';
    return 1;
}

static bool maps(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    const struct area *area;
    (void)node;
    for (unsigned i = 0; (area = area_at(i)) != NULL; i++) {
        text_put_hexadecimal(&text, area->start, 8);
        text_put(&text, "-");
        text_put_hexadecimal(&text, area->end, 8);
        text_put(&text, " ");
        text_put(&text, area->access & PAGE_READ ? "r" : "-");
        text_put(&text, area->access & PAGE_WRITE ? "w" : "-");
        text_put(&text, area->access & PAGE_EXECUTE ? "x" : "-");
        text_put(&text, area->is_shared ? "s " : "p ");
        const char *name = vdso_name(area);
        bool is_file = area->node != NULL && name == NULL;
        text_put_hexadecimal(&text, is_file ? area->offset : 0, 8);
        text_put(&text, is_file ? " " DEVICE_NAME : " 00:00 ");
        text_put_number(&text, is_file ? area->node->inode : 0);
        if (area->start == program.stack_start) {
            text_put(&text, "                          [stack]");
        } else if (area->start >= program.break_start && area->end <= round_up_to_page(program.break_end)) {
            text_put(&text, "                          [heap]");
        } else if (area->node != NULL && area->node == program.executable) {
            text_put(&text, "                          ");
            text_put(&text, program.executable_path);
        } else if (name != NULL) {
            text_put(&text, "                          ");
            text_put(&text, name);
        }
        text_put(&text, "\n");
    }
    return !text.has_failed;
}

static uint64_t mapped_pages(void)
{
    uint64_t count = 0;
    const struct area *area;
    for (unsigned i = 0; (area = area_at(i)) != NULL; i++) {
        count += (area->end - area->start) / PAGE_SIZE;
    }
    return count;
}

static bool status(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    uint64_t mapped = mapped_pages() * (PAGE_SIZE / 1024);
    uint64_t used = pages_used() * (PAGE_SIZE / 1024);
    (void)node;
    text_put(&text, "Name:\t");
    text_put(&text, program.name);
    text_put_line(&text, "\nState:\tR (running)\nTgid:\t", current_process->id, "");
    text_put_line(&text, "\nPid:\t", current_process->id, "");
    text_put_line(&text, "\nPPid:\t", process_parent(current_process), "\nTracerPid:\t0\n");
    text_put(&text, "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n");
    text_put_line(&text, "VmPeak:\t", mapped, " kB\n");
    text_put_line(&text, "VmSize:\t", mapped, " kB\n");
    text_put_line(&text, "VmHWM:\t", used, " kB\n");
    text_put_line(&text, "VmRSS:\t", used, " kB\n");
    text_put_line(&text, "Threads:\t", current_process->threads, "\n");
    text_put(&text, "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n");
    return !text.has_failed;
}

static bool statistics(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    (void)node;
    text_put_number(&text, current_process->id);
    text_put(&text, " (");
    text_put(&text, program.name);
    text_put_line(&text, ") R ", process_parent(current_process), "");
    text_put_line(&text, " ", current_process->group, "");
    text_put_line(&text, " ", current_process->session, " 0 -1 0 0 0 0 0 0 0 0 0 20 0 ");
    text_put_number(&text, current_process->threads);
    text_put(&text, " 0 0 ");
    text_put_line(&text, "", mapped_pages() * PAGE_SIZE, " ");
    text_put_number(&text, pages_used());
    text_put(&text, " 18446744073709551615 0 0 ");
    text_put_number(&text, program.stack_end);
    text_put(&text, " 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
    return !text.has_failed;
}

static bool memory_statistics(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    (void)node;
    text_put_number(&text, mapped_pages());
    text_put_line(&text, " ", pages_used(), " 0 0 0 0 0\n");
    return !text.has_failed;
}

// From the program's own memory, where it can change them.
static bool copy_strings(struct node *contents, uint64_t start, uint64_t end)
{
    struct text text = { .node = contents };
    while (start < end) {
        char part[PART];
        uint64_t size = end - start < sizeof part ? end - start : sizeof part;
        if (!copy_from_user(part, start, size)) {
            break;
        }
        text_put_bytes(&text, part, size);
        start += size;
    }
    return !text.has_failed;
}

static bool command_line(const struct node *node, struct node *contents)
{
    (void)node;
    return copy_strings(contents, program.arguments_start, program.environment_start);
}

static bool environment(const struct node *node, struct node *contents)
{
    (void)node;
    return copy_strings(contents, program.environment_start, program.environment_end);
}

static bool name(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    (void)node;
    text_put(&text, program.name);
    text_put(&text, "\n");
    return !text.has_failed;
}

static bool control_groups(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    (void)node;
    text_put(&text, "0::/\n");
    return !text.has_failed;
}

static bool mounts(const struct node *node, struct node *contents)
{
    struct text text = { .node = contents };
    (void)node;
    text_put(&text, "1 1 0:1 / / rw - tmpfs rootfs rw\n2 1 0:1 / /proc rw - proc proc rw\n");
    return !text.has_failed;
}

static bool add_link(struct node *directory, const char *name, int64_t (*follow)(struct node *, struct node **, struct file **),
                     size_t (*describe)(struct node *, char *, size_t))
{
    struct node *node = node_create(S_IFLNK | 0777);
    if (node == NULL) {
        return false;
    }
    node->link.follow = follow;
    node->link.describe = describe;
    return file_system_add(directory, name, node);
}

bool proc_create_process(struct node *directory)
{
    static const struct directory_operations descriptor_operations = { find_descriptor, descriptor_at };
    struct node *process = file_system_add_directory(directory, PROCESS_NAME, 0555);
    struct node *descriptors = process != NULL ? file_system_add_directory(process, "fd", 0555) : NULL;
    if (descriptors == NULL) {
        return false;
    }
    descriptors->directory.operations = &descriptor_operations;
    return file_system_add_link(directory, "self", PROCESS_NAME) && add_link(process, "exe", follow_executable, describe_executable) &&
           add_link(process, "cwd", follow_working_directory, describe_working_directory) &&
           add_link(process, "root", follow_root, describe_root) && proc_add_text(process, "maps", maps) &&
           proc_add_text(process, "status", status) && proc_add_text(process, "stat", statistics) &&
           proc_add_text(process, "statm", memory_statistics) && proc_add_text(process, "cmdline", command_line) &&
           proc_add_text(process, "environ", environment) && proc_add_text(process, "comm", name) &&
           proc_add_text(process, "cgroup", control_groups) && proc_add_text(process, "mountinfo", mounts);
}
