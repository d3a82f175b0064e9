// SPDX-License-Identifier: Apache-2.0
//
// One ELF file: a program or its interpreter.

#ifndef LINUX_ELF_H
#define LINUX_ELF_H

#include "node.h"

#define MOST_PROGRAM_HEADERS 73

enum elf_type { ET_EXEC = 2, ET_DYN = 3 };
enum segment_type { PT_LOAD = 1, PT_INTERP = 3 };
enum segment_flags { PF_X = 1, PF_W = 2, PF_R = 4 };

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_size, program_header_size, program_header_count;
    uint16_t section_header_size, section_header_count, names;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};

struct elf_file {
    struct node *node;
    struct elf_header header;
    struct program_header segments[MOST_PROGRAM_HEADERS];
    // The first address and the first page after the last one.
    uint64_t start, end;
};

// Reads and checks a file. NULL, or what is wrong with it.
const char *elf_read(struct node *node, struct elf_file *elf);

// Whether it names an interpreter, and its path. False if the name is not valid.
bool elf_interpreter(const struct elf_file *elf, char *path, size_t size, bool *has_interpreter);

// Maps its segments at an offset from their addresses. False without memory.
bool elf_map(const struct elf_file *elf, uint64_t base);

// The address of the program headers, 0 if no segment has them.
uint64_t elf_program_headers(const struct elf_file *elf, uint64_t base);

#endif
