// SPDX-License-Identifier: Apache-2.0

#include "executable.h"

#include "areas.h"
#include "buffer.h"
#include "elf.h"
#include "errors.h"
#include "file_context.h"
#include "host_directory.h"
#include "program.h"
#include "random.h"
#include "vdso.h"

#include <string.h>

#define POSITION_INDEPENDENT_BASE 0x555555554000UL
#define RANDOM_BASE_BITS 28

#define SCRIPT_LINE 256
#define MOST_SCRIPTS 4

static int64_t find(const char *path, struct node **node, const char **problem)
{
    struct lookup lookup;
    int64_t error = path_lookup_text(current_file_context()->working_directory, path, LOOKUP_FOLLOW, &lookup);
    if (error == 0 && lookup.node == NULL) {
        error = -ENOENT;
    }
    if (error != 0) {
        *problem = error == -ENOENT || error == -ENOTDIR ? "there is no such file" : "its path cannot be followed";
        return error;
    }
    if (!is_regular(lookup.node->mode) || lookup.node->is_text) {
        *problem = "it is not a regular file";
        return -EACCES;
    }
    if (!(lookup.node->mode & S_IXUGO) || node_check_access(lookup.node, MAY_EXECUTE) != 0) {
        *problem = "it has no permission to be executed";
        return -EACCES;
    }
    error = host_file_fetch(lookup.node);
    if (error != 0) {
        *problem = "it cannot be read";
        return error;
    }
    *node = lookup.node;
    return 0;
}

static bool put_prefix(struct executable *executable, const char *text, size_t length)
{
    if (length + 1 > sizeof executable->prefix - executable->prefix_size) {
        return false;
    }
    // What came before is an argument of what is found now.
    memmove(executable->prefix + length + 1, executable->prefix, executable->prefix_size);
    memcpy(executable->prefix, text, length);
    executable->prefix[length] = 0;
    executable->prefix_size += length + 1;
    executable->prefix_count++;
    return true;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

// The first line of a script: an interpreter and at most one argument.
static int64_t read_script(struct executable *executable, struct node *node, const char *path, char *interpreter,
                           bool *is_script)
{
    char line[SCRIPT_LINE + 1];
    struct buffer buffer = kernel_buffer(line, SCRIPT_LINE);
    int64_t size = node_read(node, &buffer, 0);
    *is_script = size >= 2 && line[0] == '#' && line[1] == '!';
    if (!*is_script) {
        return size < 0 ? size : 0;
    }
    line[size] = 0;
    char *end = strchr(line, '\n');
    if (end == NULL) {
        end = line + size;
    }
    while (end > line + 2 && is_blank(end[-1])) {
        end--;
    }
    *end = 0;
    char *start = line + 2;
    while (is_blank(*start)) {
        start++;
    }
    char *argument = start + strcspn(start, " \t");
    size_t length = (size_t)(argument - start);
    while (is_blank(*argument)) {
        argument++;
    }
    if (length == 0) {
        return -ENOEXEC;
    }
    memcpy(interpreter, start, length);
    interpreter[length] = 0;
    // The script is the last of these, before the arguments of the program. Of
    // nested scripts the outer one has its path there already.
    bool fits = (executable->prefix_count != 0 || put_prefix(executable, path, strlen(path))) &&
                (*argument == 0 || put_prefix(executable, argument, strlen(argument))) &&
                put_prefix(executable, interpreter, length);
    return fits ? 0 : -E2BIG;
}

static struct elf_file elf;

static int64_t find_interpreter(struct executable *executable, const char **problem)
{
    static char path[PATH_SIZE];
    bool has_interpreter;
    *problem = elf_read(executable->node, &elf);
    if (*problem != NULL) {
        return -ENOEXEC;
    }
    if (!elf_interpreter(&elf, path, sizeof path, &has_interpreter)) {
        *problem = "the name of its interpreter is invalid";
        return -ENOEXEC;
    }
    if (!has_interpreter) {
        return 0;
    }
    int64_t error = find(path, &executable->interpreter, problem);
    if (error != 0) {
        *problem = "its interpreter (the dynamic linker) cannot be found";
        return error;
    }
    if (elf_read(executable->interpreter, &elf) != NULL || elf.header.type != ET_DYN) {
        *problem = "its interpreter is not a position independent ELF file";
        return -ELIBBAD;
    }
    return 0;
}

int64_t executable_open(const char *path, struct executable *executable, const char **problem)
{
    executable->node = executable->interpreter = NULL;
    executable->prefix_size = executable->prefix_count = 0;
    strncpy(executable->path, path, sizeof executable->path - 1);
    for (unsigned depth = 0; ; depth++) {
        char interpreter[SCRIPT_LINE + 1];
        bool is_script;
        struct node *node;
        int64_t error = find(executable->path, &node, problem);
        if (error != 0) {
            return error;
        }
        error = read_script(executable, node, executable->path, interpreter, &is_script);
        if (error != 0 || (is_script && depth == MOST_SCRIPTS)) {
            *problem = "its first line is not valid for a script";
            return error != 0 ? error : -ELOOP;
        }
        if (!is_script) {
            executable->node = node;
            break;
        }
        strcpy(executable->path, interpreter);
    }
    int64_t error = find_interpreter(executable, problem);
    if (error != 0) {
        return error;
    }
    node_retain(executable->node);
    if (executable->interpreter != NULL) {
        node_retain(executable->interpreter);
    }
    return 0;
}

void executable_close(struct executable *executable)
{
    node_release(executable->node);
    if (executable->interpreter != NULL) {
        node_release(executable->interpreter);
    }
}

static bool map_interpreter(struct node *node, struct loaded_image *image)
{
    if (elf_read(node, &elf) != NULL) {
        return false;
    }
    uint64_t place = area_find_free(elf.end - elf.start, program.mapping_top);
    image->interpreter_base = place - elf.start;
    image->start = image->interpreter_base + elf.header.entry;
    return place != 0 && elf_map(&elf, image->interpreter_base);
}

bool executable_map(const struct executable *executable, struct loaded_image *image)
{
    if (elf_read(executable->node, &elf) != NULL) {
        return false;
    }
    uint64_t base = elf.header.type == ET_DYN ? POSITION_INDEPENDENT_BASE + random_offset(RANDOM_BASE_BITS) : 0;
    *image = (struct loaded_image){
        .entry = base + elf.header.entry,
        .start = base + elf.header.entry,
        .program_headers = elf_program_headers(&elf, base),
        .program_header_count = elf.header.program_header_count,
        .end = base + elf.end,
    };
    if (!elf_map(&elf, base)) {
        return false;
    }
    image->vdso = vdso_map();
    return executable->interpreter == NULL || map_interpreter(executable->interpreter, image);
}
