// SPDX-License-Identifier: Apache-2.0
//
// Executables: ELF files for x86-64, with or without an interpreter (the dynamic
// linker), and scripts.

#ifndef LINUX_EXECUTABLE_H
#define LINUX_EXECUTABLE_H

#include "path.h"

struct elf_file;

// What execve is given: strings that follow one another, each with its zero, the
// arguments first.
struct program_arguments {
    const char *strings;
    size_t size;
    uint32_t argument_count;
    uint32_t environment_count;
};

#define MOST_PREFIX 8192

// An executable that can be mapped.
struct executable {
    // Counted; `interpreter` can be NULL.
    struct node *node;
    struct node *interpreter;
    // As it was looked up.
    char path[PATH_SIZE];
    // The arguments that stand for the first one, because the file is a script.
    char prefix[MOST_PREFIX];
    size_t prefix_size;
    uint32_t prefix_count;
};

struct loaded_image {
    // Of the program.
    uint64_t entry;
    uint64_t program_headers;
    uint64_t program_header_count;
    // The first page after it.
    uint64_t end;
    // The interpreter's; 0 without one.
    uint64_t interpreter_base;
    // Where to begin.
    uint64_t start;
    // See vdso.h; 0 without.
    uint64_t vdso;
};

// Finds a file and checks whether it can be executed. 0 or an error, of which
// `problem` says more; then there is nothing to close.
int64_t executable_open(const char *path, struct executable *executable, const char **problem);
void executable_close(struct executable *executable);

// Maps its segments into an address space that has only a stack. False without
// enough memory.
bool executable_map(const struct executable *executable, struct loaded_image *image);

#endif
