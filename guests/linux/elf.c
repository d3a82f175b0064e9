// SPDX-License-Identifier: Apache-2.0

#include "elf.h"

#include "areas.h"
#include "buffer.h"

#include <string.h>

#define EM_X86_64 62

static bool read_bytes(struct node *node, uint64_t offset, void *bytes, size_t size)
{
    struct buffer buffer = kernel_buffer(bytes, size);
    return node_read(node, &buffer, offset) == (int64_t)size;
}

static const char *read_header(struct elf_file *elf)
{
    static const uint8_t magic[] = { 0x7F, 'E', 'L', 'F', 2, 1, 1 };
    struct elf_header *header = &elf->header;
    if (!read_bytes(elf->node, 0, header, sizeof *header) || memcmp(header->ident, magic, sizeof magic) != 0) {
        return "it is not a 64-bit ELF file";
    }
    if (header->machine != EM_X86_64) {
        return "it is not for x86-64";
    }
    if (header->type != ET_EXEC && header->type != ET_DYN) {
        return "it is not an executable";
    }
    if (header->program_header_size != sizeof(struct program_header) || header->program_headers % 8 != 0 ||
        header->program_header_count > MOST_PROGRAM_HEADERS ||
        !read_bytes(elf->node, header->program_headers, elf->segments,
                    header->program_header_count * sizeof(struct program_header))) {
        return "its program headers are invalid";
    }
    return NULL;
}

static const char *check_segment(struct elf_file *elf, const struct program_header *load)
{
    uint64_t size = elf->node->size;
    if (load->offset > size || load->file_size > size - load->offset ||
        load->file_size > load->memory_size || load->address % PAGE_SIZE != load->offset % PAGE_SIZE) {
        return "a segment of it is invalid";
    }
    if (load->address >= PROGRAM_END || load->memory_size > PROGRAM_END - load->address) {
        return "a segment of it is outside the address space of programs";
    }
    if (elf->header.type == ET_EXEC && load->address < PROGRAM_START) {
        return "it is linked to an address below 0x400000";
    }
    if (elf->end != 0 && page_of(load->address) < elf->end) {
        return "its segments overlap or are not in ascending order";
    }
    if (elf->end == 0) {
        elf->start = page_of(load->address);
    }
    elf->end = round_up_to_page(load->address + load->memory_size);
    return NULL;
}

const char *elf_read(struct node *node, struct elf_file *elf)
{
    elf->node = node;
    elf->start = elf->end = 0;
    const char *problem = read_header(elf);
    for (unsigned i = 0; i < elf->header.program_header_count && problem == NULL; i++) {
        if (elf->segments[i].type == PT_LOAD && elf->segments[i].memory_size != 0) {
            problem = check_segment(elf, &elf->segments[i]);
        }
    }
    return problem != NULL ? problem : elf->end == 0 ? "it has no segments" : NULL;
}

bool elf_interpreter(const struct elf_file *elf, char *path, size_t size, bool *has_interpreter)
{
    *has_interpreter = false;
    for (unsigned i = 0; i < elf->header.program_header_count; i++) {
        const struct program_header *segment = &elf->segments[i];
        if (segment->type != PT_INTERP) {
            continue;
        }
        *has_interpreter = true;
        return segment->file_size >= 2 && segment->file_size <= size &&
               read_bytes(elf->node, segment->offset, path, segment->file_size) && path[segment->file_size - 1] == 0;
    }
    return true;
}

static bool map_segment(const struct elf_file *elf, const struct program_header *load, uint64_t base)
{
    struct area area = {
        .start = page_of(base + load->address),
        .end = round_up_to_page(base + load->address + load->memory_size),
        .access = (load->flags & PF_R ? PAGE_READ : 0) | (load->flags & PF_W ? PAGE_WRITE : 0) |
                  (load->flags & PF_X ? PAGE_EXECUTE : 0),
        .is_committed = true,
    };
    if (load->file_size != 0) {
        area.node = elf->node;
        area.offset = page_of(load->offset);
        area.source_size = (load->address & PAGE_MASK) + load->file_size;
    }
    // The stack is there already.
    return area.end <= PROGRAM_END && area_is_free(area.start, area.end) && area_add(&area);
}

bool elf_map(const struct elf_file *elf, uint64_t base)
{
    for (unsigned i = 0; i < elf->header.program_header_count; i++) {
        const struct program_header *load = &elf->segments[i];
        if (load->type == PT_LOAD && load->memory_size != 0 && !map_segment(elf, load, base)) {
            return false;
        }
    }
    return true;
}

uint64_t elf_program_headers(const struct elf_file *elf, uint64_t base)
{
    uint64_t offset = elf->header.program_headers;
    for (unsigned i = 0; i < elf->header.program_header_count; i++) {
        const struct program_header *load = &elf->segments[i];
        if (load->type == PT_LOAD && offset >= load->offset && offset - load->offset < load->file_size) {
            return base + load->address + offset - load->offset;
        }
    }
    return 0;
}
